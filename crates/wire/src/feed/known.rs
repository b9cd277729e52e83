//! Rows of tables that this version does not know are passed over (docs: protocol/sync): a server
//! may be newer than its terminals.

use serde::de::Error;
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};

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

#[derive(Deserialize)]
struct Row {
    table: Value,
    row: Value,
}

/// The rows of known tables, in order. One that is damaged is an error still.
pub(super) fn rows<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<FeedChange>, D::Error> {
    let mut known = Vec::new();
    for Row { table, row } in Vec::<Row>::deserialize(from)? {
        let named = Table::deserialize(&table).map_err(D::Error::custom)?;
        if named == Table::Unknown {
            continue;
        }
        let change = FeedChange::deserialize(json!({ "table": table, "row": row }));
        let change = change.map_err(D::Error::custom)?;
        if change.table() != named {
            return Err(D::Error::custom("a row of another table than it says"));
        }
        known.push(change);
    }
    Ok(known)
}

#[cfg(test)]
mod tests {
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
    fn a_damaged_row_of_a_known_table_is_no_unknown_one() {
        let mut damaged = device();
        damaged["row"]["is_server"] = json!("one");
        assert!(page(json!([damaged])).is_err());
        assert!(page(json!([{ "table": "device" }])).is_err());
        assert!(page(json!([{ "table": 7, "row": {} }])).is_err());
        assert!(page(json!([{ "row": {} }])).is_err());
    }
}
