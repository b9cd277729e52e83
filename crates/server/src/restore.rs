//! Restoring a backup. What came after it is not in it, so a timeline begins: terminals take a new
//! snapshot, send again what these books lack, and every payment attempt is asked about.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use qiantai_core::{Millis, Timestamp};

use crate::audit::{Act, Deed};
use crate::backup::{remove, sync_folder, with_suffix};
use crate::data_folder::{self, DataFolderError};
use crate::db::sqlite::{OpenLedgerError, SqliteLedger};
use crate::db::{Archive, Ledger, LedgerError, Restored};
use crate::verify::{self, VerifyError};

/// Timelines begin at a number that counts these since 2026, so that one backup restored twice
/// does not give two histories one number. They last until the year 2105.
const TIMELINE_STEP: Millis = Millis::minutes(10);

/// Terminals have 22 bits for a timeline.
const TIMELINES_MAX: u32 = 1 << 22;

/// 2026-01-01 00:00 UTC.
const TIMELINES_SINCE: Timestamp = Timestamp::from_ms(1_767_225_600_000);

/// Books that were restored.
#[derive(Clone, Debug)]
pub struct RestoredBooks {
    /// Whose.
    pub name: String,
    /// How their timeline began.
    pub restored: Restored,
}

/// Why nothing was restored. Books that were there are as they were.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// The folder.
    #[error(transparent)]
    Folder(#[from] DataFolderError),
    /// The backup did not open.
    #[error("the backup does not open: {0}")]
    Open(#[from] OpenLedgerError),
    /// A ledger could not be read or written.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The backup does not hold.
    #[error("the backup does not hold: {0}")]
    Bad(#[source] VerifyError),
    /// The file holds no books, or was not made by `backup`.
    #[error("the file is not a backup")]
    NotABackup,
    /// The database holds books, or a restoration that was cut short.
    #[error("the database is not empty; restore into an empty one")]
    NotEmpty,
    /// The books that were restored are not those of the backup.
    #[error("the books differ from the backup after they were written")]
    Differs,
    /// The folder has the key of other books.
    #[error("{0} is the key of other books; nothing was touched")]
    OtherKey(PathBuf),
    /// The operating system refused.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// Restores into a folder that nobody works in. A ledger that is there stays beside the new one,
/// under another name, if `replace` allows it; else it is refused.
///
/// # Errors
/// See [`RestoreError`].
pub fn restore_to_folder(
    backup: &Path,
    key: [u8; 32],
    folder: &Path,
    replace: bool,
    now: Timestamp,
) -> Result<Vec<RestoredBooks>, RestoreError> {
    fs::create_dir_all(folder)?;
    let _alone = data_folder::lock(folder)?;
    let path = data_folder::ledger_path(folder);
    if path.exists() && !replace {
        return Err(DataFolderError::Exists(folder.to_owned()).into());
    }
    match data_folder::read_key(folder) {
        Err(DataFolderError::NoKey(_)) => data_folder::write_key(folder, &key)?,
        Err(error) => return Err(error.into()),
        Ok(known) if known == key => {}
        Ok(_) => return Err(RestoreError::OtherKey(data_folder::key_path(folder))),
    }
    // Books that are damaged may still say which timeline they were on.
    let is_there = path.exists();
    let replaced = is_there.then(|| SqliteLedger::open(&path, Some(key)).ok());
    let replaced = replaced.flatten();
    let last = |tenant| {
        let ledger = replaced.as_ref()?;
        Some(ledger.head(tenant).ok()?.timeline)
    };
    let part = with_suffix(&path, ".restoring");
    let books = prepare(backup, &part, key, last, now)?;
    drop(replaced);
    let aside = with_suffix(&path, &format!(".replaced-{}", now.ms()));
    data_folder::rename_ledger(&path, &aside)?;
    fs::rename(&part, &path)?;
    sync_folder(&path)?;
    Ok(books)
}

/// Restores into an empty database. `scratch` is a folder for a copy, encrypted as the backup is.
///
/// # Errors
/// See [`RestoreError`].
pub fn restore_to_database(
    backup: &Path,
    key: [u8; 32],
    to: &dyn Archive,
    scratch: &Path,
    now: Timestamp,
) -> Result<Vec<RestoredBooks>, RestoreError> {
    if !to.tenants()?.is_empty() {
        return Err(RestoreError::NotEmpty);
    }
    let part = scratch.join("ledger.db.restoring");
    let books = prepare(backup, &part, key, |_| None, now)?;
    let copy = SqliteLedger::open(&part, Some(key))?;
    let tenants: Vec<_> = copy.tenants()?.iter().map(|tenant| tenant.id).collect();
    let written = copy.copy_to(&tenants, to);
    let hash = match written {
        Err(LedgerError::Taken(_)) => return Err(RestoreError::NotEmpty),
        other => other?,
    };
    if to.contents(&tenants)? != hash {
        return Err(RestoreError::Differs);
    }
    drop(copy);
    remove(&part)?;
    Ok(books)
}

/// A verified copy of the backup at `part`, on a new timeline. The backup itself is only read.
fn prepare(
    backup: &Path,
    part: &Path,
    key: [u8; 32],
    last_timeline: impl Fn(qiantai_core::ids::TenantId) -> Option<u32>,
    now: Timestamp,
) -> Result<Vec<RestoredBooks>, RestoreError> {
    remove(part)?;
    fs::copy(backup, part)?;
    let copy = SqliteLedger::open(part, Some(key))?;
    copy.examine()?;
    let tenants = copy.tenants()?;
    if tenants.is_empty() {
        return Err(RestoreError::NotABackup);
    }
    let mut books = Vec::new();
    for tenant in tenants {
        verify::verify(&copy, &tenant).map_err(RestoreError::Bad)?;
        let note = copy.newest_backup(tenant.id)?;
        let note = note.ok_or(RestoreError::NotABackup)?;
        let known = last_timeline(tenant.id).unwrap_or_default();
        let restored = Restored {
            timeline: next_timeline(known.max(tenant.timeline), now),
            began_at: now,
            backup_made_at: note.made_at,
            from_seq: copy.head(tenant.id)?.server_seq,
        };
        let deed = Deed {
            at: now,
            act: Act::BooksRestored,
            device: None,
            address: None,
            subject: format!("{} as of {}", backup.display(), note.made_at),
        };
        copy.save_deed(tenant.id, &deed)?;
        copy.begin_timeline(tenant.id, &restored)?;
        books.push(RestoredBooks {
            name: tenant.name,
            restored,
        });
    }
    drop(copy);
    fs::File::open(part)?.sync_all()?;
    Ok(books)
}

/// A number that no timeline of these books has had.
fn next_timeline(known: u32, now: Timestamp) -> u32 {
    let steps = (now - TIMELINES_SINCE).0 / TIMELINE_STEP.0;
    let by_time = u32::try_from(steps).ok();
    // A clock far ahead is no reason for a number that terminals cannot hold.
    let by_time = by_time.filter(|number| *number < TIMELINES_MAX);
    by_time.unwrap_or_default().max(known + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timeline_is_new_whatever_the_clock_says() {
        let check = |known, ms, expected| {
            assert_eq!(next_timeline(known, Timestamp::from_ms(ms)), expected);
        };
        let day = TIMELINES_SINCE.ms() + 86_400_000;
        check(1, day, 144);
        check(143, day, 144);
        check(144, day, 145);
        check(144, day + 599_999, 145);
        check(7, 0, 8);
        check(7, i64::MAX / 2, 8);
    }
}
