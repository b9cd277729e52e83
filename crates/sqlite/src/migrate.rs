//! Migrations: numbered, never edited, applied all or not at all.

use rusqlite::{Connection, TransactionBehavior, params};
use sha2::{Digest, Sha256};

use crate::fault::SqliteError;

/// One step of a schema.
#[derive(Clone, Copy, Debug)]
pub struct Migration {
    /// Counts from 1 without gaps.
    pub number: u32,
    /// Stem of its file, such as `0001_operations`.
    pub name: &'static str,
    /// The statements.
    pub sql: &'static str,
}

impl Migration {
    /// SHA-256 of its statements. A checkout may turn line ends around; that is no edit.
    pub fn checksum(&self) -> [u8; 32] {
        Sha256::digest(self.sql.replace("\r\n", "\n")).into()
    }
}

/// The migrations of a folder, given relative to the crate: `migrations!("../../migrations/terminal":
/// 1 "0001_operations", 2 "0002_replica")`.
#[macro_export]
macro_rules! migrations {
    ($folder:literal: $($number:literal $name:literal),+ $(,)?) => {
        &[$($crate::Migration {
            number: $number,
            name: $name,
            sql: include_str!(concat!(
                env!("CARGO_MANIFEST_DIR"), "/", $folder, "/", $name, ".sql"
            )),
        }),+]
    };
}

/// Why a schema could not be brought up to date. The file is as it was.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// The file was written by a newer version of the program.
    #[error("the file has migration {found}, this program knows {known}")]
    Newer {
        /// Highest number in the file.
        found: u32,
        /// Highest number known.
        known: u32,
    },
    /// The file was written by an older version of the program, and is not ours to bring up to
    /// date.
    #[error(
        "the file has migration {found}, this program knows {known}; the server that serves it brings it up to date when it starts"
    )]
    Older {
        /// Highest number in the file.
        found: u32,
        /// Highest number known.
        known: u32,
    },
    /// A migration that was applied differs from the one known under its number.
    #[error("migration {number} was edited after it had been applied")]
    Edited {
        /// Its number.
        number: u32,
    },
    /// Numbers do not count up by one.
    #[error("migration {expected} is missing")]
    Gap {
        /// The missing number.
        expected: u32,
    },
    /// A row points to nothing after the migrations.
    #[error("migrations would leave dangling references in {table}")]
    Dangling {
        /// The table that holds the reference.
        table: String,
    },
    /// SQLite failed.
    #[error("migration {number} failed: {source}")]
    Failed {
        /// The migration at work; zero outside of any.
        number: u32,
        /// Why.
        source: SqliteError,
    },
}

/// Brings the schema up to date in one transaction.
pub fn migrate(connection: &mut Connection, migrations: &[Migration]) -> Result<(), MigrateError> {
    let transaction = connection
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .map_err(|error| failed(0, error))?;
    transaction
        .execute_batch(
            "PRAGMA defer_foreign_keys = ON;
             CREATE TABLE IF NOT EXISTS migration (
                 number INTEGER PRIMARY KEY,
                 name TEXT NOT NULL,
                 sha256 BLOB NOT NULL CHECK (length(sha256) = 32)
             ) STRICT;",
        )
        .map_err(|error| failed(0, error))?;
    let applied = applied(&transaction).map_err(|error| failed(0, error))?;
    check_history(&applied, migrations)?;
    let due = &migrations[applied.len()..];
    for migration in due {
        transaction
            .execute_batch(migration.sql)
            .map_err(|error| failed(migration.number, error))?;
        transaction
            .execute(
                "INSERT INTO migration (number, name, sha256) VALUES (?1, ?2, ?3)",
                params![migration.number, migration.name, migration.checksum()],
            )
            .map_err(|error| failed(migration.number, error))?;
    }
    // Reads every row: only a migration can leave one dangling.
    if !due.is_empty() {
        require_no_dangling(&transaction)?;
    }
    transaction.commit().map_err(|error| failed(0, error))
}

/// Refuses a history (number and checksum of what was applied, in order) that `migrations` do not
/// continue.
pub fn check_history(
    applied: &[(u32, [u8; 32])],
    migrations: &[Migration],
) -> Result<(), MigrateError> {
    require_gapless(migrations.iter().map(|migration| migration.number))?;
    require_gapless(applied.iter().map(|(number, _)| *number))?;
    if applied.len() > migrations.len() {
        return Err(MigrateError::Newer {
            found: applied.last().map_or(0, |(number, _)| *number),
            known: migrations.last().map_or(0, |migration| migration.number),
        });
    }
    for ((number, sha256), migration) in applied.iter().zip(migrations) {
        if *sha256 != migration.checksum() {
            return Err(MigrateError::Edited { number: *number });
        }
    }
    Ok(())
}

/// Refuses a schema that `migrations` have not made in full, and changes nothing: for whoever opens
/// a file beside the process that serves it.
pub fn require_current(
    connection: &Connection,
    migrations: &[Migration],
) -> Result<(), MigrateError> {
    let applied = applied(connection).map_err(|error| failed(0, error))?;
    require_all(&applied, migrations)
}

/// As [`require_current`], for a history (as of [`check_history`]) that was read elsewhere.
pub fn require_all(
    applied: &[(u32, [u8; 32])],
    migrations: &[Migration],
) -> Result<(), MigrateError> {
    check_history(applied, migrations)?;
    if applied.len() < migrations.len() {
        return Err(MigrateError::Older {
            found: applied.last().map_or(0, |(number, _)| *number),
            known: migrations.last().map_or(0, |migration| migration.number),
        });
    }
    Ok(())
}

fn require_gapless(numbers: impl Iterator<Item = u32>) -> Result<(), MigrateError> {
    for (expected, number) in (1..).zip(numbers) {
        if number != expected {
            return Err(MigrateError::Gap { expected });
        }
    }
    Ok(())
}

fn require_no_dangling(connection: &Connection) -> Result<(), MigrateError> {
    let mut statement = connection
        .prepare("PRAGMA foreign_key_check")
        .map_err(|error| failed(0, error))?;
    let mut rows = statement.query([]).map_err(|error| failed(0, error))?;
    match rows.next().map_err(|error| failed(0, error))? {
        None => Ok(()),
        Some(row) => {
            let table = row.get(0).map_err(|error| failed(0, error))?;
            Err(MigrateError::Dangling { table })
        }
    }
}

fn applied(connection: &Connection) -> Result<Vec<(u32, [u8; 32])>, rusqlite::Error> {
    let mut statement =
        connection.prepare("SELECT number, sha256 FROM migration ORDER BY number")?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    rows.collect()
}

fn failed(number: u32, error: rusqlite::Error) -> MigrateError {
    MigrateError::Failed {
        number,
        source: error.into(),
    }
}
