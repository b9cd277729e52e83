//! How the terminal's store and the server's embedded ledger open, key and migrate a SQLite
//! file, and how a process has the folder of such files to itself. No table is known here.

mod fault;
mod folder_lock;
mod migrate;
mod open;
mod snapshot;

pub use fault::{Fault, SqliteError, classify};
pub use folder_lock::{FolderLock, FolderLockError};
pub use migrate::{MigrateError, Migration, check_history, migrate, require_all, require_current};
pub use open::{OpenError, OpenOptions, open};
pub use snapshot::schema_snapshot;
