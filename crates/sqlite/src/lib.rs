//! How the terminal's store and the server's embedded ledger open, key and migrate a SQLite
//! file. No table is known here.

mod fault;
mod migrate;
mod open;
mod snapshot;

pub use fault::{Fault, SqliteError, classify};
pub use migrate::{MigrateError, Migration, migrate};
pub use open::{OpenError, OpenOptions, open};
pub use snapshot::schema_snapshot;
