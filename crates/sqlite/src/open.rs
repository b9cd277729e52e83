//! Opening a file: key, durability, and refusing what must not be touched.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};
use zeroize::Zeroizing;

use crate::fault::{Fault, SqliteError};

/// Older write-ahead logs can corrupt a file (docs: architecture, decision 6).
const SQLITE_VERSION_MIN: i32 = 3_051_003;

/// How long a statement waits for another process before it fails as busy.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// How to open a file.
#[derive(Clone, Copy, Default)]
pub struct OpenOptions {
    /// Raw SQLCipher key, or `None` for a plain file.
    pub key: Option<[u8; 32]>,
    /// Make the file when it is absent. A file that exists is never replaced.
    pub create: bool,
    /// Open without the right to write; the file must exist.
    pub read_only: bool,
}

impl std::fmt::Debug for OpenOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OpenOptions")
            .field("keyed", &self.key.is_some())
            .field("create", &self.create)
            .field("read_only", &self.read_only)
            .finish()
    }
}

/// Why a file did not open. Nothing on disk was changed.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// There is no such file.
    #[error("{0} does not exist")]
    Missing(PathBuf),
    /// The key is wrong, or the file is no database: SQLCipher cannot tell these apart.
    #[error("the key does not fit, or the file is not a database")]
    NotADatabase,
    /// A page is damaged, or the file was cut to nothing.
    #[error("the database file is damaged")]
    Corrupt,
    /// No room left.
    #[error("the disk is full")]
    DiskFull,
    /// The file or its folder may not be written.
    #[error("the database file or its folder is read-only")]
    ReadOnly,
    /// The linked SQLite is too old to be trusted with a write-ahead log.
    #[error("SQLite {found} is older than {SQLITE_VERSION_MIN}")]
    SqliteTooOld {
        /// `sqlite3_libversion_number()`.
        found: i32,
    },
    /// The file system cannot share memory, as on a network folder.
    #[error("the file system does not support a write-ahead log")]
    NoWriteAheadLog,
    /// The operating system refused.
    #[error(transparent)]
    Io(io::Error),
    /// Any other failure of SQLite.
    #[error(transparent)]
    Sqlite(SqliteError),
}

/// Opens `path`: SQLCipher when a key is given, write-ahead log, `synchronous=FULL`, foreign keys.
///
/// Pages are authenticated as they are read, so damage surfaces as [`Fault::Corrupt`] where it is
/// met; opening does not scan the file.
pub fn open(path: &Path, options: OpenOptions) -> Result<Connection, OpenError> {
    let found = rusqlite::version_number();
    if found < SQLITE_VERSION_MIN {
        return Err(OpenError::SqliteTooOld { found });
    }
    match fs::metadata(path) {
        // SQLite would take an empty file for a new database and hide that the old one is gone.
        Ok(metadata) if metadata.len() == 0 => return Err(OpenError::Corrupt),
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            if !options.create || options.read_only {
                return Err(OpenError::Missing(path.to_owned()));
            }
            create(path, options.key).map_err(|error| explain(path, error))?;
        }
        Err(error) => return Err(error.into()),
    }
    connect(path, options).map_err(|error| explain(path, error))
}

/// Makes a whole empty database beside `path` and moves it there, so that a power cut leaves
/// either no file or one that opens.
fn create(path: &Path, key: Option<[u8; 32]>) -> Result<(), OpenError> {
    let mut new_name = path.as_os_str().to_owned();
    new_name.push(".creating");
    let new_path = PathBuf::from(new_name);
    match fs::remove_file(&new_path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
        _ => {}
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(&new_path, flags)?;
    set_key(&connection, key)?;
    // A file without any page is not written at all; the version stamp makes the first one.
    connection.execute_batch("PRAGMA synchronous = FULL; PRAGMA user_version = 1;")?;
    connection.close().map_err(|(_, error)| error)?;
    restrict(&new_path)?;
    File::open(&new_path)?.sync_all()?;
    fs::rename(&new_path, path)?;
    sync_folder(path)?;
    Ok(())
}

fn connect(path: &Path, options: OpenOptions) -> Result<Connection, OpenError> {
    let access = if options.read_only {
        OpenFlags::SQLITE_OPEN_READ_ONLY
    } else {
        OpenFlags::SQLITE_OPEN_READ_WRITE
    };
    let connection = Connection::open_with_flags(path, access | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    set_key(&connection, options.key)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    // The first page is read here: a wrong key or a foreign file shows before anything is written.
    connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
    if options.read_only {
        connection.execute_batch("PRAGMA query_only = ON;")?;
    } else {
        let mode: String =
            connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))?;
        if mode != "wal" {
            return Err(OpenError::NoWriteAheadLog);
        }
        // Asks for a write lock and gives it back: a read-only folder shows now, not at the till.
        connection.execute_batch("BEGIN IMMEDIATE; ROLLBACK;")?;
    }
    // fullfsync makes macOS flush the drive's own cache; other systems ignore it.
    connection.execute_batch(
        "PRAGMA synchronous = FULL;
         PRAGMA fullfsync = ON;
         PRAGMA checkpoint_fullfsync = ON;
         PRAGMA foreign_keys = ON;
         PRAGMA trusted_schema = OFF;
         PRAGMA cell_size_check = ON;",
    )?;
    // Else a statement that matches a partial index is prepared anew for every set of parameters.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.set_prepared_statement_cache_capacity(128);
    Ok(connection)
}

fn set_key(connection: &Connection, key: Option<[u8; 32]>) -> Result<(), rusqlite::Error> {
    let Some(key) = key else {
        return Ok(());
    };
    // What SQLCipher would print on standard error comes back as a typed error.
    connection.execute_batch("PRAGMA cipher_log_level = NONE;")?;
    let key = Zeroizing::new(key);
    let digits = Zeroizing::new(hex::encode(key.as_slice()));
    let statement = Zeroizing::new(format!("PRAGMA key = \"x'{}'\";", digits.as_str()));
    connection.execute_batch(&statement)?;
    // Locking every buffer in memory costs a system call per page; the key material itself is
    // wiped by SQLCipher all the same.
    connection.execute_batch("PRAGMA cipher_memory_security = OFF;")
}

#[cfg(unix)]
fn restrict(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(0o600))
}

/// Elsewhere the folder's own access list decides.
#[cfg(not(unix))]
fn restrict(_path: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(unix)]
fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

/// Windows offers no such call; its rename is journalled.
#[cfg(not(unix))]
fn sync_folder(_path: &Path) -> io::Result<()> {
    Ok(())
}

/// SQLite only says that it cannot open a file; the operating system says why.
fn explain(path: &Path, error: OpenError) -> OpenError {
    let OpenError::Sqlite(SqliteError {
        fault: Fault::Io, ..
    }) = &error
    else {
        return error;
    };
    let mut probe_name = path.as_os_str().to_owned();
    probe_name.push(".probe");
    let probe = PathBuf::from(probe_name);
    match File::create(&probe).and_then(|_| fs::remove_file(&probe)) {
        Ok(()) => error,
        Err(cause) => cause.into(),
    }
}

impl From<io::Error> for OpenError {
    fn from(error: io::Error) -> OpenError {
        match error.kind() {
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                OpenError::ReadOnly
            }
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => OpenError::DiskFull,
            _ => OpenError::Io(error),
        }
    }
}

impl From<rusqlite::Error> for OpenError {
    fn from(error: rusqlite::Error) -> OpenError {
        let error = SqliteError::from(error);
        match error.fault {
            Fault::NotADatabase => OpenError::NotADatabase,
            Fault::Corrupt => OpenError::Corrupt,
            Fault::DiskFull => OpenError::DiskFull,
            Fault::ReadOnly => OpenError::ReadOnly,
            Fault::Busy | Fault::Io | Fault::Constraint | Fault::Query => OpenError::Sqlite(error),
        }
    }
}
