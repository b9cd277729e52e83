//! What went wrong in SQLite, in the terms on which a caller acts.

use rusqlite::{Error, ErrorCode, ffi};

/// A failure of SQLite and what it means.
#[derive(Debug, thiserror::Error)]
#[error("{fault:?}: {source}")]
pub struct SqliteError {
    /// What it means.
    pub fault: Fault,
    /// What SQLite said.
    #[source]
    pub source: Error,
}

/// What a failure of SQLite means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// No room left; the transaction was rolled back.
    DiskFull,
    /// A page is damaged.
    Corrupt,
    /// The key is wrong, or the file is none of ours: SQLCipher cannot tell these apart.
    NotADatabase,
    /// The file or its folder may not be written.
    ReadOnly,
    /// Another process holds the file for longer than the busy timeout.
    Busy,
    /// The operating system failed to read or write.
    Io,
    /// A row breaks a rule of the schema.
    Constraint,
    /// Anything else: a mistake in our own SQL.
    Query,
}

impl From<Error> for SqliteError {
    fn from(source: Error) -> SqliteError {
        SqliteError {
            fault: classify(&source),
            source,
        }
    }
}

/// What `error` means.
pub fn classify(error: &Error) -> Fault {
    let Error::SqliteFailure(failure, _) = error else {
        return Fault::Query;
    };
    match failure.code {
        // The shared-memory file beside the WAL cannot grow: also a full disk.
        ErrorCode::SystemIoFailure if failure.extended_code == ffi::SQLITE_IOERR_SHMSIZE => {
            Fault::DiskFull
        }
        ErrorCode::DiskFull => Fault::DiskFull,
        ErrorCode::DatabaseCorrupt => Fault::Corrupt,
        ErrorCode::NotADatabase => Fault::NotADatabase,
        ErrorCode::ReadOnly | ErrorCode::PermissionDenied => Fault::ReadOnly,
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => Fault::Busy,
        ErrorCode::SystemIoFailure
        | ErrorCode::CannotOpen
        | ErrorCode::FileLockingProtocolFailed
        | ErrorCode::NoLargeFileSupport
        | ErrorCode::OutOfMemory => Fault::Io,
        ErrorCode::ConstraintViolation => Fault::Constraint,
        _ => Fault::Query,
    }
}
