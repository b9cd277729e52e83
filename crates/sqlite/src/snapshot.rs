//! The schema as text, for a test that shows every change of it in review.

use std::fmt::Write;

use rusqlite::Connection;

use crate::fault::SqliteError;

/// Every table, index, view and trigger, as SQLite holds them, in order of name.
pub fn schema_snapshot(connection: &Connection) -> Result<String, SqliteError> {
    let mut statement = connection.prepare(
        "SELECT sql FROM sqlite_schema
         WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'
         ORDER BY tbl_name, type = 'table' DESC, name",
    )?;
    let mut rows = statement.query([])?;
    let mut snapshot = String::new();
    while let Some(row) = rows.next()? {
        let sql: String = row.get(0)?;
        writeln!(snapshot, "{sql};\n").expect("a string takes every write");
    }
    Ok(snapshot)
}
