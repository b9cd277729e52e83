//! Questions and steps as PostgreSQL takes them: one statement for all keys of a question, one
//! for all rows of a table.

use std::collections::{HashMap, HashSet};

use qiantai_core::ids::{DeviceId, LotId, MemberId, TenantId};
use tokio_postgres::types::ToSql;

use crate::db::codes::Code;
use crate::db::record::{Kind, Value, values};
use crate::db::table::{OnConflict, Question, Step, Table, When};
use crate::db::{Cursor, Head};

/// A parameter: one value or a list of them.
pub(super) type Parameter = Box<dyn ToSql + Send + Sync>;

/// A statement with its parameters.
pub(super) struct Statement {
    pub(super) sql: String,
    pub(super) parameters: Vec<Parameter>,
    /// How many rows it must change; `None` when any number will do.
    pub(super) changes: Option<u64>,
}

impl Statement {
    pub(super) fn new(sql: impl Into<String>) -> Statement {
        Statement {
            sql: sql.into(),
            parameters: Vec::new(),
            changes: None,
        }
    }

    pub(super) fn with(mut self, value: impl Into<Value>) -> Statement {
        self.parameters.push(Box::new(value.into()));
        self
    }

    fn list(mut self, values: Vec<Value>) -> Statement {
        self.parameters.push(Box::new(values));
        self
    }
}

/// `None` when the question is about no key at all.
pub(super) fn of_question(question: Question) -> Option<Statement> {
    if question.keys() == Some(0) {
        return None;
    }
    let sql = match question.postgres {
        Some(sql) => sql.to_owned(),
        None => {
            let mut sql = question.sql.into_owned();
            for place in 1..=question.lists.len() {
                let place = question.single.len() + place;
                sql = sql.replace(&format!("IN (?{place})"), &format!("= ANY(${place})"));
            }
            sql.replace('?', "$")
        }
    };
    let statement = question
        .single
        .into_iter()
        .fold(Statement::new(sql), Statement::with);
    let lists = question.lists.into_iter();
    Some(lists.fold(statement, |statement, (_, keys)| statement.list(keys)))
}

/// The steps gathered by table: the last word of a batch on each row is all that is written.
pub(super) fn of_steps(tenant: TenantId, steps: Vec<Step>) -> Vec<Statement> {
    let mut tables: Vec<Rows> = Vec::new();
    let mut place_of: HashMap<&'static str, usize> = HashMap::new();
    let mut left: HashMap<MemberId, Vec<LotId>> = HashMap::new();
    let mut cursors: Vec<(DeviceId, Cursor)> = Vec::new();
    let mut head = None;
    for step in steps {
        match step {
            Step::Put(table, row) => {
                let place = *place_of.entry(table.name).or_insert_with(|| {
                    tables.push(Rows::of(table));
                    tables.len() - 1
                });
                tables[place].put(row);
            }
            Step::UseUp { member, left: lots } => {
                left.insert(member, lots);
            }
            Step::MoveCursor(device, cursor) => {
                cursors.retain(|(known, _)| *known != device);
                cursors.push((device, cursor));
            }
            Step::MoveHead { from, to } => head = Some((from, to)),
        }
    }
    let mut statements: Vec<_> = tables
        .into_iter()
        .map(|rows| rows.into_statement(tenant))
        .collect();
    // After the lots themselves: this also takes back one that came and went within the batch.
    if !left.is_empty() {
        statements.push(use_up(tenant, left));
    }
    if !cursors.is_empty() {
        statements.push(move_cursors(tenant, &cursors));
    }
    if let Some((from, to)) = head {
        statements.push(move_head(tenant, from, &to));
    }
    statements
}

/// Rows of one table, each key once.
struct Rows {
    table: &'static Table,
    rows: Vec<Vec<Value>>,
    place_of: HashMap<Vec<Value>, usize>,
}

impl Rows {
    fn of(table: &'static Table) -> Rows {
        Rows {
            table,
            rows: Vec::new(),
            place_of: HashMap::new(),
        }
    }

    /// Does to an earlier row of the batch what the statement does to one in the table.
    fn put(&mut self, row: Vec<Value>) {
        let OnConflict::Replace(columns, when) = &self.table.on_conflict else {
            self.rows.push(row);
            return;
        };
        let key = row[..self.table.keys].to_vec();
        let Some(place) = self.place_of.get(&key) else {
            self.place_of.insert(key, self.rows.len());
            self.rows.push(row);
            return;
        };
        let earlier = &mut self.rows[*place];
        let stands = match when {
            When::Always | When::Changed => false,
            When::Holds(column, word) => earlier[self.table.place(column)] != Value::from(*word),
        };
        if !stands {
            for place in columns.iter().map(|column| self.table.place(column)) {
                earlier[place] = row[place].clone();
            }
        }
    }

    fn into_statement(self, tenant: TenantId) -> Statement {
        let table = self.table;
        let sql = table.postgres.get_or_init(|| insert(table));
        let mut columns: Vec<Vec<Value>> = table
            .columns
            .iter()
            .map(|_| Vec::with_capacity(self.rows.len()))
            .collect();
        for row in self.rows {
            for (column, value) in columns.iter_mut().zip(row) {
                column.push(value);
            }
        }
        let statement = Statement::new(sql).with(tenant.0);
        columns.into_iter().fold(statement, Statement::list)
    }
}

fn insert(table: &Table) -> String {
    let lists: Vec<_> = (2..)
        .zip(table.columns)
        .map(|(place, (_, kind))| match kind {
            Kind::Int => format!("${place}::bigint[]"),
            Kind::Text => format!("${place}::text[]"),
            Kind::Bytes => format!("${place}::bytea[]"),
        })
        .collect();
    format!(
        "{} SELECT $1::bytea, fresh.* FROM unnest({}) AS fresh{}",
        table.insert_head(),
        lists.join(", "),
        table.insert_tail()
    )
}

fn use_up(tenant: TenantId, left: HashMap<MemberId, Vec<LotId>>) -> Statement {
    let members = left.keys().map(|member| member.0.into()).collect();
    let lots: HashSet<LotId> = left.into_values().flatten().collect();
    Statement::new(
        "UPDATE lot SET principal_left_fen = 0, bonus_left_fen = 0
         WHERE tenant_id = $1 AND member_id = ANY($2)
             AND (principal_left_fen > 0 OR bonus_left_fen > 0) AND NOT lot_id = ANY($3)",
    )
    .with(tenant.0)
    .list(members)
    .list(lots.into_iter().map(|lot| lot.0.into()).collect())
}

fn move_cursors(tenant: TenantId, cursors: &[(DeviceId, Cursor)]) -> Statement {
    let column = |value: fn(&(DeviceId, Cursor)) -> Value| cursors.iter().map(value).collect();
    Statement::new(
        "UPDATE device SET epoch = moved.epoch, last_seq = moved.last_seq,
             last_hash = moved.last_hash, standing = moved.standing
         FROM unnest($2::bytea[], $3::bigint[], $4::bigint[], $5::bytea[], $6::text[])
             AS moved (device_id, epoch, last_seq, last_hash, standing)
         WHERE device.tenant_id = $1 AND device.device_id = moved.device_id",
    )
    .with(tenant.0)
    .list(column(|(device, _)| device.0.into()))
    .list(column(|(_, cursor)| cursor.epoch.into()))
    .list(column(|(_, cursor)| cursor.last_seq.into()))
    .list(column(|(_, cursor)| (&cursor.last_hash).into()))
    .list(column(|(_, cursor)| cursor.standing.code().into()))
}

fn move_head(tenant: TenantId, from: u64, to: &Head) -> Statement {
    let statement = Statement::new(
        "UPDATE head SET timeline = $3, server_seq = $4, chain_hash = $5
         WHERE tenant_id = $1 AND server_seq = $2",
    );
    let parameters = values![tenant.0, from, to.timeline, to.server_seq, &to.chain_hash];
    let statement = parameters.into_iter().fold(statement, Statement::with);
    Statement {
        changes: Some(1),
        ..statement
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::tables::{action, coupon, feed};

    fn sql(question: Question) -> String {
        of_question(question).map_or(String::new(), |statement| statement.sql)
    }

    #[test]
    fn questions_become_statements() {
        let question = || Question::new("WHERE a = ?1 AND b IN (?2) AND c IN ('x')").with(1);
        assert_eq!(
            sql(question().each(Kind::Int, [2, 3])),
            "WHERE a = $1 AND b = ANY($2) AND c IN ('x')"
        );
        assert_eq!(sql(question().each(Kind::Int, Vec::<i64>::new())), "");
        assert_eq!(
            sql(question()),
            "WHERE a = $1 AND b IN ($2) AND c IN ('x')",
            "a parameter that is no list stays one value"
        );
    }

    #[test]
    fn the_last_word_on_a_row_is_written() {
        let check = |table: &'static Table, rows: &[Vec<Value>], expected: &[Vec<Value>]| {
            let mut gathered = Rows::of(table);
            rows.iter().for_each(|row| gathered.put(row.clone()));
            assert_eq!(gathered.rows, expected, "{}", table.name);
        };
        let coupon = |id: i64, template: i64, state: &str| values![id, template, 0, 0, state, 0, 0];
        check(
            &coupon::TABLE,
            &[
                coupon(1, 7, "issued"),
                coupon(2, 7, "issued"),
                coupon(1, 8, "used"),
            ],
            &[coupon(1, 7, "used"), coupon(2, 7, "issued")],
        );
        let action =
            |id: i64, op: i64, outcome: &str| values![id, op, 0, outcome, None::<i64>, None::<i64>];
        check(
            &action::TABLE,
            &[
                action(1, 1, "refused"),
                action(1, 2, "applied"),
                action(1, 3, "refused"),
            ],
            &[action(1, 2, "applied")],
        );
        // What may not be written twice is left to the table to refuse.
        let feed = |seq: i64| values![seq, "{}"];
        check(&feed::TABLE, &[feed(1), feed(1)], &[feed(1), feed(1)]);
    }

    #[test]
    fn rows_are_written_by_one_statement() {
        assert_eq!(
            insert(&coupon::TABLE),
            "INSERT INTO coupon (tenant_id, coupon_id, template_id, member_id, order_id, state, \
             expires_ms, issued_ms) SELECT $1::bytea, fresh.* FROM unnest($2::bytea[], \
             $3::bytea[], $4::bytea[], $5::bytea[], $6::text[], $7::bigint[], $8::bigint[]) \
             AS fresh ON CONFLICT (tenant_id, coupon_id) DO UPDATE SET state = excluded.state"
        );
    }
}
