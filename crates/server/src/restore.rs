//! Restoring a backup. What came after it is not in it, so a timeline begins: terminals take a new
//! snapshot, send again what these books lack, and every payment attempt is asked about.
//!
//! Nobody sends again which terminals were taken out of service since: it is carried out of the books
//! that are replaced, and where there are none a person looks at the terminals first.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use qiantai_core::ids::TenantId;
use qiantai_core::{Millis, Timestamp};

use crate::audit::{Act, Deed};
use crate::backup::{remove, sync_folder, with_suffix};
use crate::data_folder::{self, DataFolderError};
use crate::db::sqlite::{OpenLedgerError, SqliteLedger};
use crate::db::{Archive, Ledger, LedgerError, Restored, Revocation, Tenant};
use crate::roster::{self, Terminal};
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
    /// Terminals that went out of service since the backup, and stay there.
    pub out_of_service: Vec<Terminal>,
}

/// What those who restore have said.
#[derive(Clone, Copy, Debug, Default)]
pub struct Allowed {
    /// A ledger that is in the folder may be put aside.
    pub replace: bool,
    /// They have looked at every terminal that will be believed.
    pub terminals_checked: bool,
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
    /// Nothing says who went out of service since the backup.
    #[error(
        "nothing was restored: which terminals went out of service after the backup stood in books \
         that are not here. In service again would be:\n{}\nLook whether each is where it \
         belongs, and restore with --terminals-checked. One that is stolen, lost or replaced takes \
         `qiantai-server terminals revoke` after that and before the books are served", lines(.0)
    )]
    TerminalsUnchecked(Vec<Terminal>),
    /// The folder has the key of other books.
    #[error("{0} is the key of other books; nothing was touched")]
    OtherKey(PathBuf),
    /// The operating system refused.
    #[error(transparent)]
    Io(#[from] io::Error),
}

fn lines(terminals: &[Terminal]) -> String {
    let lines: Vec<_> = terminals.iter().map(Terminal::to_string).collect();
    lines.join("\n")
}

/// Restores into a folder that nobody works in. A ledger that is there stays beside the new one,
/// under another name, if that is allowed; else it is refused.
///
/// # Errors
/// See [`RestoreError`].
pub fn restore_to_folder(
    backup: &Path,
    key: [u8; 32],
    folder: &Path,
    allowed: Allowed,
    now: Timestamp,
) -> Result<Vec<RestoredBooks>, RestoreError> {
    fs::create_dir_all(folder)?;
    let _alone = data_folder::lock(folder)?;
    let path = data_folder::ledger_path(folder);
    if path.exists() && !allowed.replace {
        return Err(DataFolderError::Exists(folder.to_owned()).into());
    }
    match data_folder::read_key(folder) {
        Err(DataFolderError::NoKey(_)) => data_folder::write_key(folder, &key)?,
        Err(error) => return Err(error.into()),
        Ok(known) if known == key => {}
        Ok(_) => return Err(RestoreError::OtherKey(data_folder::key_path(folder))),
    }
    // Books that are damaged may still say which timeline they were on, and who is out of service.
    let is_there = path.exists();
    let replaced = is_there.then(|| SqliteLedger::open(&path, Some(key)).ok());
    let replaced = replaced.flatten();
    let part = with_suffix(&path, ".restoring");
    let before = Before {
        books: replaced.as_ref(),
        terminals_checked: allowed.terminals_checked,
    };
    let books = prepare(backup, &part, key, &before, now)?;
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
    terminals_checked: bool,
    now: Timestamp,
) -> Result<Vec<RestoredBooks>, RestoreError> {
    if !to.tenants()?.is_empty() {
        return Err(RestoreError::NotEmpty);
    }
    let part = scratch.join("ledger.db.restoring");
    let before = Before {
        books: None,
        terminals_checked,
    };
    let books = prepare(backup, &part, key, &before, now)?;
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

/// What is known of the time after the backup.
struct Before<'a> {
    /// The books that are replaced.
    books: Option<&'a SqliteLedger>,
    terminals_checked: bool,
}

impl Before<'_> {
    /// The books that are replaced, if they go on where the backup ends.
    fn of(&self, copy: &SqliteLedger, tenant: TenantId) -> Option<&SqliteLedger> {
        let books = self.books?;
        let is_theirs = books.tenants().ok()?.iter().any(|it| it.id == tenant);
        let (last, made) = (books.head(tenant).ok()?, copy.head(tenant).ok()?);
        let is_later = (last.timeline, last.server_seq) >= (made.timeline, made.server_seq);
        (is_theirs && is_later).then_some(books)
    }

    fn last_timeline(&self, tenant: TenantId) -> u32 {
        let head = self.books.and_then(|books| books.head(tenant).ok());
        head.map_or(0, |head| head.timeline)
    }

    /// Who went out of service since the backup; none if nothing says so and nobody has looked.
    fn revoked_since(
        &self,
        copy: &SqliteLedger,
        tenant: TenantId,
    ) -> Result<Option<Vec<Revocation>>, LedgerError> {
        let known = copy.revocations(tenant)?;
        let told = self.of(copy, tenant);
        let Some(mut revoked) = told.and_then(|books| books.revocations(tenant).ok()) else {
            return Ok(self.terminals_checked.then(Vec::new));
        };
        revoked.retain(|it| known.iter().all(|known| known.device != it.device));
        Ok(Some(revoked))
    }
}

/// A verified copy of the backup at `part`, on a new timeline. The backup itself is only read.
fn prepare(
    backup: &Path,
    part: &Path,
    key: [u8; 32],
    before: &Before<'_>,
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
    if let Err(error) = require_terminals_known(&copy, &tenants, before, now) {
        drop(copy);
        remove(part)?;
        return Err(error);
    }
    let mut books = Vec::new();
    for tenant in tenants {
        verify::verify(&copy, &tenant).map_err(RestoreError::Bad)?;
        let note = copy.newest_backup(tenant.id)?;
        let note = note.ok_or(RestoreError::NotABackup)?;
        let known = before.last_timeline(tenant.id);
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
        let out_of_service = carry_revocations(&copy, tenant.id, before, now)?;
        copy.begin_timeline(tenant.id, &restored)?;
        books.push(RestoredBooks {
            name: tenant.name,
            restored,
            out_of_service,
        });
    }
    drop(copy);
    fs::File::open(part)?.sync_all()?;
    Ok(books)
}

/// Refuses when a terminal would be believed that nobody knows anything of since the backup.
fn require_terminals_known(
    copy: &SqliteLedger,
    tenants: &[Tenant],
    before: &Before<'_>,
    now: Timestamp,
) -> Result<(), RestoreError> {
    let mut unknown = Vec::new();
    for tenant in tenants {
        if before.revoked_since(copy, tenant.id)?.is_none() {
            unknown.extend(roster::of_tenant(copy, tenant.id, now)?);
        }
    }
    unknown.retain(|terminal| terminal.revocation.is_none());
    match unknown.is_empty() {
        true => Ok(()),
        false => Err(RestoreError::TerminalsUnchecked(unknown)),
    }
}

/// Takes terminals out of service as the books did that are replaced, those too that joined after the
/// backup: they may come back.
fn carry_revocations(
    copy: &SqliteLedger,
    tenant: TenantId,
    before: &Before<'_>,
    now: Timestamp,
) -> Result<Vec<Terminal>, RestoreError> {
    let revoked = before.revoked_since(copy, tenant)?.unwrap_or_default();
    let mut carried = match before.of(copy, tenant) {
        Some(books) if !revoked.is_empty() => roster::of_tenant(books, tenant, now)?,
        _ => Vec::new(),
    };
    for revocation in &revoked {
        let terminal = carried.iter().find(|it| it.device == revocation.device);
        let deed = Deed {
            at: now,
            act: Act::TerminalRevoked,
            device: Some(revocation.device),
            address: None,
            subject: format!(
                "{}; carried from the books that were replaced",
                terminal.map_or_else(|| revocation.reason.clone(), Terminal::to_string)
            ),
        };
        copy.save_deed(tenant, &deed)?;
        copy.save_revocation(tenant, revocation)?;
    }
    carried.retain(|it| revoked.iter().any(|gone| gone.device == it.device));
    Ok(carried)
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
