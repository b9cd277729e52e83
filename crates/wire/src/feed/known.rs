//! Rows of tables that this version does not know are passed over (docs: protocol/sync): a server
//! may be newer than its terminals.

use std::fmt;

use serde::de::{DeserializeSeed, Error, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::FeedChange;

/// The table of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Table {
    Policy,
    Member,
    Account,
    Lease,
    Order,
    Attempt,
    Shift,
    Coupon,
    Case,
    Device,
    #[serde(other)]
    Unknown,
}

impl FeedChange {
    /// Without a wildcard, so that a table that is added here is known above too.
    fn table(&self) -> Table {
        match self {
            FeedChange::Policy(_) => Table::Policy,
            FeedChange::Member(_) => Table::Member,
            FeedChange::Account(_) => Table::Account,
            FeedChange::Lease(_) => Table::Lease,
            FeedChange::Order(_) => Table::Order,
            FeedChange::Attempt(_) => Table::Attempt,
            FeedChange::Shift(_) => Table::Shift,
            FeedChange::Coupon(_) => Table::Coupon,
            FeedChange::Case(_) => Table::Case,
            FeedChange::Device(_) => Table::Device,
        }
    }
}

/// A row, or nothing where its table is unknown.
struct Row(Option<FeedChange>);

impl<'de> Deserialize<'de> for Row {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Row, D::Error> {
        from.deserialize_map(RowVisitor).map(Row)
    }
}

struct RowVisitor;

impl<'de> Visitor<'de> for RowVisitor {
    type Value = Option<FeedChange>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a table and its row")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let (mut table, mut change, mut early) = (None, None, None);
        while let Some(key) = map.next_key::<Key>()? {
            match (key, table) {
                (Key::Table, Some(_)) => return Err(A::Error::duplicate_field("table")),
                (Key::Table, None) => table = Some(map.next_value::<Table>()?),
                (Key::Row, _) if change.is_some() || early.is_some() => {
                    return Err(A::Error::duplicate_field("row"));
                }
                // As it is always written: the row is read straight into what it is.
                (Key::Row, Some(table)) => change = Some(map.next_value_seed(table)?),
                (Key::Row, None) => early = Some(map.next_value::<Value>()?),
                (Key::Other, _) => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        let table = table.ok_or_else(|| A::Error::missing_field("table"))?;
        match (change, early) {
            (Some(change), _) => Ok(change),
            (None, Some(row)) => table.deserialize(row).map_err(A::Error::custom),
            (None, None) => Err(A::Error::missing_field("row")),
        }
    }
}

#[derive(Deserialize)]
#[serde(field_identifier, rename_all = "snake_case")]
enum Key {
    Table,
    Row,
    #[serde(other)]
    Other,
}

/// A row of the table, or nothing where it is unknown.
impl<'de> DeserializeSeed<'de> for Table {
    type Value = Option<FeedChange>;

    fn deserialize<D: Deserializer<'de>>(self, row: D) -> Result<Self::Value, D::Error> {
        let change = match self {
            Table::Policy => FeedChange::Policy(Deserialize::deserialize(row)?),
            Table::Member => FeedChange::Member(Deserialize::deserialize(row)?),
            Table::Account => FeedChange::Account(Deserialize::deserialize(row)?),
            Table::Lease => FeedChange::Lease(Deserialize::deserialize(row)?),
            Table::Order => FeedChange::Order(Deserialize::deserialize(row)?),
            Table::Attempt => FeedChange::Attempt(Deserialize::deserialize(row)?),
            Table::Shift => FeedChange::Shift(Deserialize::deserialize(row)?),
            Table::Coupon => FeedChange::Coupon(Deserialize::deserialize(row)?),
            Table::Case => FeedChange::Case(Deserialize::deserialize(row)?),
            Table::Device => FeedChange::Device(Deserialize::deserialize(row)?),
            Table::Unknown => {
                IgnoredAny::deserialize(row)?;
                return Ok(None);
            }
        };
        match change.table() == self {
            true => Ok(Some(change)),
            false => Err(D::Error::custom("a row of another table than it says")),
        }
    }
}

/// The rows of known tables, in order. One that is damaged is an error still.
pub(super) fn rows<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<FeedChange>, D::Error> {
    let rows = Vec::<Row>::deserialize(from)?.into_iter();
    Ok(rows.filter_map(|Row(change)| change).collect())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::feed::{FeedEntry, SnapshotPage};

    fn device() -> Value {
        json!({ "table": "device", "row": {
            "id": "00000000-0000-0000-0000-000000000001",
            "terminal_code": "01",
            "is_server": false,
            "public_key": "07".repeat(32),
        } })
    }

    fn page(rows: Value) -> Result<SnapshotPage, serde_json::Error> {
        serde_json::from_value(json!({
            "timeline": 1, "at_seq": 7, "rows": rows, "member_total": 0,
            "next": null, "server_time_ms": 1_795_240_800_000_i64,
        }))
    }

    #[test]
    fn a_table_of_a_newer_server_is_passed_over() {
        let newer = json!({ "table": "care_note", "row": { "text": "…" } });
        let rows = page(json!([newer, device(), newer])).unwrap().rows;
        assert_eq!(rows.len(), 1);
        assert!(matches!(rows[0], FeedChange::Device(_)));
        let entry = serde_json::from_value::<FeedEntry>(json!({
            "server_seq": 8, "at_ms": 1, "op_id": "00000000-0000-0000-0000-000000000002",
            "device": "00000000-0000-0000-0000-000000000001", "device_seq": 1,
            "action_id": "00000000-0000-0000-0000-000000000003", "kind": 4,
            "outcome": { "status": "applied" }, "changes": [newer, device()],
        }));
        assert_eq!(entry.unwrap().changes, rows);
    }

    #[test]
    fn a_row_may_come_before_the_name_of_its_table() {
        let page = |rows: &str| {
            let text = format!(
                r#"{{"timeline":1,"at_seq":7,"rows":[{rows}],"member_total":0,"next":null,
                    "server_time_ms":1}}"#
            );
            serde_json::from_str::<SnapshotPage>(&text).map(|page| page.rows)
        };
        let row = device()["row"].to_string();
        let first = page(&format!(r#"{{"table":"device","more":[1],"row":{row}}}"#)).unwrap();
        assert_eq!(first.len(), 1);
        let last = page(&format!(r#"{{"row":{row},"table":"device"}}"#)).unwrap();
        assert_eq!(first, last);
        let unknown = page(&format!(r#"{{"row":{row},"table":"care_note"}}"#)).unwrap();
        assert_eq!(unknown, []);
        assert!(page(&format!(r#"{{"row":{row},"row":{row},"table":"device"}}"#)).is_err());
        assert!(page(r#"{"table":"device","table":"device"}"#).is_err());
    }

    #[test]
    fn a_damaged_row_of_a_known_table_is_no_unknown_one() {
        let mut damaged = device();
        damaged["row"]["is_server"] = json!("one");
        assert!(page(json!([damaged])).is_err());
        assert!(page(json!([{ "table": "device" }])).is_err());
        assert!(page(json!([{ "table": 7, "row": {} }])).is_err());
        assert!(page(json!([{ "row": {} }])).is_err());
    }
}
