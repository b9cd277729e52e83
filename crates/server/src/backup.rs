//! Backups: the whole books as of one moment, in an encrypted file that is an embedded ledger
//! itself, whichever database they come from. Made beside a server that writes, and read back
//! before it counts.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use qiantai_core::Timestamp;
use qiantai_core::ids::TenantId;

use crate::audit::{Act, Deed};
use crate::db::sqlite::{OpenLedgerError, SqliteLedger};
use crate::db::{Archive, BackupMade, Ledger, LedgerError};
use crate::verify::{self, Verified, VerifyError};

/// A backup that was written and read back.
#[derive(Clone, Debug)]
pub struct BackedUp {
    /// The file.
    pub path: PathBuf,
    /// What it holds.
    pub books: Vec<Verified>,
}

/// Why there is no backup. Nothing is left at its path.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// There is a file of that name; it was not touched.
    #[error("{0} exists already; backups are never overwritten")]
    Exists(PathBuf),
    /// There are no books to back up.
    #[error("there are no books to back up")]
    Empty,
    /// The file did not open as a ledger.
    #[error(transparent)]
    Open(#[from] OpenLedgerError),
    /// The books or the file could not be read or written.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// What was written is not what was read.
    #[error("the backup differs from the books after it was written")]
    Differs,
    /// The books do not hold, so that neither does a copy of them.
    #[error("the books do not hold: {0}")]
    Bad(#[source] VerifyError),
    /// The operating system refused.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// Writes a backup of every tenant to `path`, encrypted with `key`; reads it back and verifies it.
///
/// # Errors
/// See [`BackupError`].
pub fn backup(
    from: &dyn Archive,
    path: &Path,
    key: [u8; 32],
    now: Timestamp,
) -> Result<BackedUp, BackupError> {
    if path.exists() {
        return Err(BackupError::Exists(path.to_owned()));
    }
    let part = with_suffix(path, ".part");
    remove(&part)?;
    for tenant in from.tenants()? {
        let deed = Deed {
            at: now,
            act: Act::BackupMade,
            device: None,
            address: None,
            subject: path.display().to_string(),
        };
        from.save_deed(tenant.id, &deed)?;
    }
    let written = write(from, path, &part, key, now);
    let books = match written {
        Ok(books) => books,
        Err(error) => {
            remove(&part)?;
            return Err(error);
        }
    };
    File::open(&part)?.sync_all()?;
    fs::rename(&part, path)?;
    sync_folder(path)?;
    for (tenant, made) in &books.0 {
        from.save_backup(*tenant, made)?;
    }
    Ok(BackedUp {
        path: path.to_owned(),
        books: books.1,
    })
}

type Written = (Vec<(TenantId, BackupMade)>, Vec<Verified>);

fn write(
    from: &dyn Archive,
    path: &Path,
    part: &Path,
    key: [u8; 32],
    now: Timestamp,
) -> Result<Written, BackupError> {
    let tenants: Vec<TenantId> = from.tenants()?.iter().map(|tenant| tenant.id).collect();
    if tenants.is_empty() {
        return Err(BackupError::Empty);
    }
    let hash = {
        let copy = SqliteLedger::open(part, Some(key))?;
        from.copy_to(&tenants, &copy)?
    };
    // Opened anew: what counts is what lies on the disk.
    let copy = SqliteLedger::open(part, Some(key))?;
    copy.examine()?;
    if copy.contents(&tenants)? != hash {
        return Err(BackupError::Differs);
    }
    let mut books = Vec::new();
    for tenant in copy.tenants()? {
        books.push(verify::verify(&copy, &tenant).map_err(BackupError::Bad)?);
    }
    let mut made = Vec::new();
    for &tenant in &tenants {
        let note = BackupMade {
            made_at: now,
            server_seq: copy.head(tenant)?.server_seq,
            place: path.display().to_string(),
        };
        copy.save_backup(tenant, &note)?;
        made.push((tenant, note));
    }
    Ok((made, books))
}

pub(crate) fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// Removes a database file with what stands beside it while it is open.
pub(crate) fn remove(path: &Path) -> io::Result<()> {
    for suffix in ["", "-wal", "-shm"] {
        match fs::remove_file(with_suffix(path, suffix)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

#[cfg(unix)]
pub(crate) fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent();
    let folder = folder.filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

/// Windows offers no such call; its rename is journalled.
#[cfg(not(unix))]
pub(crate) fn sync_folder(_path: &Path) -> io::Result<()> {
    Ok(())
}
