//! What the store says when it cannot do as asked.

use qiantai_sqlite::{Fault, MigrateError, SqliteError};

/// A failure of the store. The transaction it happened in was rolled back.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// SQLite failed; its fault says whether the disk is full, the file damaged, …
    #[error(transparent)]
    Sqlite(#[from] SqliteError),
    /// A row does not have the form that this version knows.
    #[error("a row of {table} cannot be read: {reason}")]
    UnreadableRow {
        /// The table.
        table: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// The log of own operations is not the chain it was written as.
    #[error("the chain of own operations breaks at {device_seq}")]
    ChainBroken {
        /// The first operation that does not fit.
        device_seq: u64,
    },
    /// A page of the feed does not follow what is here; nothing of it was taken over.
    #[error("the feed continues at {found} where {expected} was due")]
    FeedGap {
        /// Next expected `server_seq`.
        expected: u64,
        /// First one delivered.
        found: u64,
    },
    /// The page belongs to another timeline than the one followed here.
    #[error("timeline {found} is not the one followed here, {here}")]
    OtherTimeline {
        /// The one followed here; 0 before the first snapshot.
        here: u32,
        /// The page's.
        found: u32,
    },
    /// The system gives no random numbers, so nothing can be sealed.
    #[error("the system has no random numbers")]
    NoRandomness,
    /// A page of a snapshot that was not asked for.
    #[error("this page does not continue the snapshot under way")]
    SnapshotOutOfStep,
    /// The server acknowledged what this terminal never wrote; nothing was taken over.
    #[error("the server acknowledged operation {acked_seq} with a hash that is not ours")]
    ForeignAcknowledgement {
        /// What it acknowledged.
        acked_seq: u64,
    },
    /// A payment draws on a lease that this terminal does not hold, that has ended, or of which
    /// less is left; nothing was written.
    #[error("lease {lease} does not pay that much")]
    LeaseShort {
        /// The lease.
        lease: uuid::Uuid,
    },
    /// The server lacks what this terminal no longer has: it was restored from a backup older
    /// than the oldest operation here (see [`crate::Old`]). Nothing was taken over, and only a
    /// newer backup of the server helps.
    #[error(
        "the server lacks operations after {acked_seq}; here those up to {gone_through} are gone"
    )]
    ServerLacksPruned {
        /// What it acknowledged.
        acked_seq: u64,
        /// The last operation that was removed here.
        gone_through: u64,
    },
}

impl StoreError {
    /// What a failure of SQLite means, where it is one.
    pub fn fault(&self) -> Option<Fault> {
        match self {
            StoreError::Sqlite(error) => Some(error.fault),
            _ => None,
        }
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> StoreError {
        StoreError::Sqlite(error.into())
    }
}

/// Why the store did not open. The file is as it was.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The key does not fit, or the file is no database: SQLCipher cannot tell these apart.
    #[error("the key does not fit the store, or its file is not a database")]
    KeyWrongOrNotADatabase,
    /// The file is damaged.
    #[error("the store is damaged: {0}")]
    Corrupt(String),
    /// No room left.
    #[error("the disk is full")]
    DiskFull,
    /// The file or its folder may not be written.
    #[error("the store or its folder is read-only")]
    ReadOnly,
    /// Another process works with the file.
    #[error("another process uses the store")]
    InUse,
    /// A newer version of the program wrote the file.
    #[error("the store has schema {found}, this program knows {known}")]
    NewerSchema {
        /// Schema of the file.
        found: u32,
        /// Newest schema known here.
        known: u32,
    },
    /// The file is absent where it should be.
    #[error("the store is missing")]
    Missing,
    /// The operating system refused.
    #[error("{0}")]
    Io(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl From<qiantai_sqlite::OpenError> for OpenError {
    fn from(error: qiantai_sqlite::OpenError) -> OpenError {
        use qiantai_sqlite::OpenError as Cause;
        match error {
            Cause::Missing(_) => OpenError::Missing,
            Cause::NotADatabase => OpenError::KeyWrongOrNotADatabase,
            Cause::Corrupt => OpenError::Corrupt("a page or the whole file".to_owned()),
            Cause::DiskFull => OpenError::DiskFull,
            Cause::ReadOnly => OpenError::ReadOnly,
            Cause::Sqlite(error) => error.into(),
            Cause::NoWriteAheadLog | Cause::SqliteTooOld { .. } | Cause::Io(_) => {
                OpenError::Io(error.into())
            }
        }
    }
}

impl From<MigrateError> for OpenError {
    fn from(error: MigrateError) -> OpenError {
        match error {
            MigrateError::Newer { found, known } => OpenError::NewerSchema { found, known },
            MigrateError::Failed { source, .. } => source.into(),
            MigrateError::Edited { .. }
            | MigrateError::Gap { .. }
            | MigrateError::Older { .. }
            | MigrateError::Dangling { .. } => OpenError::Corrupt(error.to_string()),
        }
    }
}

impl From<SqliteError> for OpenError {
    fn from(error: SqliteError) -> OpenError {
        match error.fault {
            Fault::DiskFull => OpenError::DiskFull,
            Fault::ReadOnly => OpenError::ReadOnly,
            Fault::Busy => OpenError::InUse,
            Fault::NotADatabase => OpenError::KeyWrongOrNotADatabase,
            Fault::Corrupt | Fault::Constraint => OpenError::Corrupt(error.to_string()),
            Fault::Io | Fault::Query => OpenError::Io(error.into()),
        }
    }
}

impl From<StoreError> for OpenError {
    fn from(error: StoreError) -> OpenError {
        match error {
            StoreError::Sqlite(error) => error.into(),
            other => OpenError::Corrupt(other.to_string()),
        }
    }
}
