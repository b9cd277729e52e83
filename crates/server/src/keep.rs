//! Commands of those who keep the books.

use std::path::{Path, PathBuf};

use qiantai_server::data_folder::{self, DataFolderError};
use qiantai_server::db::LedgerError;
use qiantai_server::db::sqlite::OpenLedgerError;
use qiantai_server::doctor::{self, Finding, Mark};
use qiantai_server::restore::Allowed;
use qiantai_server::tree_head::TreeHead;
use qiantai_server::verify::{self, BadRow, VerifyError};
use qiantai_server::{Clock, SystemClock, backup as backups, restore as restoring};
use qiantai_sqlite::OpenError;
use tempfile::TempDir;
use time::OffsetDateTime;
use time::macros::format_description;

use crate::cli::{Backup, Restore, Verify};
use crate::serve::Signals;
use crate::settings::Place;
use crate::{AnyError, Ending, books, say};

/// The exit status of who was told to stop, as shells have it.
const STOPPED: u8 = 130;

/// Runs work that blocks.
pub(crate) async fn blocking(
    work: impl FnOnce() -> Result<Ending, AnyError> + Send + 'static,
) -> Result<Ending, AnyError> {
    tokio::task::spawn_blocking(work).await?
}

pub(crate) fn verify(asked: &Verify, place: &Place) -> Result<Ending, AnyError> {
    let mut heads = Vec::new();
    for path in &asked.tree_head {
        heads.push((path, TreeHead::read(path)?));
    }
    let opened = match books::open_to_read(place) {
        Ok(opened) => opened,
        // A damaged page may be one of those that are read first.
        Err(error) if is_damage(&error) => {
            say(&format!("BAD database: {error}"))?;
            return Ok(Ending::Bad);
        }
        Err(error) => return Err(error),
    };
    let ledger = opened.ledger.as_ref();
    let scratch = asked.replay.then(scratch).transpose()?;
    let walked = || -> Result<(), VerifyError> {
        ledger.examine()?;
        let tenants = verify::tenants(ledger)?;
        if let Some((path, _)) = heads
            .iter()
            .find(|(_, head)| tenants.iter().all(|tenant| tenant.id.0 != head.tenant))
        {
            return Err(VerifyError::Bad(BadRow {
                row: format!("tree head {}", path.display()),
                what: "is of books that are not here".into(),
            }));
        }
        for tenant in tenants {
            let found = verify::verify(ledger, &tenant)?;
            let (head, chain) = (found.head, hex::encode(found.head.chain_hash));
            let line = format!(
                "{} holds: operations={} postings={} members={} timeline={} audited={} chain={chain}",
                found.name,
                head.server_seq,
                found.postings,
                found.members,
                head.timeline,
                found.audit.seq,
            );
            told(&line)?;
            if let Some(scratch) = &scratch {
                let replayed = verify::replayed(ledger, &tenant, scratch.path());
                let again = tokio::runtime::Handle::current().block_on(replayed)?;
                told(&format!(
                    "{} is what its log gives: {again} operations decided again",
                    found.name
                ))?;
            }
            for (path, head) in heads.iter().filter(|(_, it)| it.tenant == tenant.id.0) {
                head.prove(ledger, &tenant)?;
                let (operations, path) = (head.server_seq, path.display());
                told(&format!(
                    "{} contains the {operations} operations of {path}",
                    found.name
                ))?;
            }
        }
        Ok(())
    };
    match walked() {
        Ok(()) => Ok(Ending::Well),
        Err(VerifyError::Bad(bad)) => {
            say(&format!("BAD {bad}"))?;
            Ok(Ending::Bad)
        }
        Err(VerifyError::Ledger(LedgerError::Corrupt(what))) => {
            say(&format!("BAD database: {what}"))?;
            Ok(Ending::Bad)
        }
        Err(VerifyError::Ledger(error)) => Err(error.into()),
        Err(error @ VerifyError::Moving(_)) => Err(error.into()),
    }
}

/// A folder for a second set of books, which is gone also when the command is told to stop.
fn scratch() -> Result<TempDir, AnyError> {
    let mut signals = Signals::heard()?;
    let mut prefix = tempfile::Builder::new();
    let folder = prefix.prefix("qiantai-verify-").tempdir()?;
    let path = folder.path().to_owned();
    // Ends with the process.
    tokio::spawn(async move {
        signals.told_to_stop().await;
        let remove = || std::fs::remove_dir_all(&path);
        // A file may come while the others go.
        match remove().or_else(|_| remove()) {
            Ok(()) => tracing::error!("stopped before the end: the rest was not looked at"),
            Err(error) => tracing::error!(%error, path = %path.display(), "is left: remove it"),
        }
        std::process::exit(i32::from(STOPPED));
    });
    Ok(folder)
}

fn told(line: &str) -> Result<(), LedgerError> {
    say(line).map_err(|error| LedgerError::Failed(error.to_string()))
}

fn is_damage(error: &AnyError) -> bool {
    matches!(
        error.downcast_ref(),
        Some(OpenLedgerError::Open(OpenError::Corrupt))
    )
}

pub(crate) fn doctor(
    place: &Place,
    authority: Option<&Path>,
    tree_heads: Option<&Path>,
) -> Result<Ending, AnyError> {
    let now = SystemClock.now();
    let mut findings = Vec::new();
    if let Place::Folder(folder) = place {
        findings.extend(doctor::look_at_folder(folder));
    }
    if let Some(folder) = authority {
        findings.extend(doctor::look_at_authority(folder, now));
    }
    match books::open_beside(place) {
        Ok(opened) => {
            let ledger = opened.ledger.as_ref();
            findings.extend(doctor::look_at_books(ledger, now));
            findings.extend(doctor::look_at_tree_heads(ledger, tree_heads, now));
        }
        Err(error) => findings.push(Finding {
            mark: Mark::Bad,
            topic: "database",
            says: error.to_string(),
        }),
    }
    for finding in &findings {
        say(&finding.to_string())?;
    }
    match findings.iter().any(|finding| finding.mark == Mark::Bad) {
        true => Ok(Ending::Bad),
        false => Ok(Ending::Well),
    }
}

pub(crate) fn backup(asked: &Backup, place: &Place) -> Result<Ending, AnyError> {
    let key = match (&asked.key_file, place) {
        (Some(file), _) if file.exists() => data_folder::read_key_file(file)?,
        (Some(file), _) => {
            let key = data_folder::fresh_key()?;
            data_folder::write_key_file(file, &key)?;
            say(&format!(
                "a key was made: {}; keep it apart",
                file.display()
            ))?;
            key
        }
        (None, Place::Folder(folder)) => data_folder::read_key(folder)?,
        (None, Place::Database(_)) => return Err("a backup of a database needs --key-file".into()),
    };
    let now = SystemClock.now();
    let path = match asked.to.is_dir() {
        true => asked.to.join(name_at(now.ms())?),
        false => asked.to.clone(),
    };
    let opened = books::open_beside(place)?;
    let done = backups::backup(opened.ledger.as_ref(), &path, key, now)?;
    for books in &done.books {
        let (name, operations) = (&books.name, books.head.server_seq);
        let chain = hex::encode(books.head.chain_hash);
        say(&format!("{name} operations={operations} chain={chain}"))?;
    }
    say(&format!("written and read back: {}", done.path.display()))?;
    Ok(Ending::Well)
}

fn name_at(ms: i64) -> Result<PathBuf, AnyError> {
    let at = OffsetDateTime::from_unix_timestamp(ms / 1_000)?;
    let form = format_description!("qiantai-[year][month][day]T[hour][minute][second]Z.backup");
    Ok(PathBuf::from(at.format(form)?))
}

pub(crate) fn restore(asked: &Restore, place: &Place) -> Result<Ending, AnyError> {
    let key = match (&asked.key_file, place) {
        (Some(file), _) => data_folder::read_key_file(file)?,
        (None, Place::Folder(folder)) => match data_folder::read_key(folder) {
            Err(DataFolderError::NoKey(_)) => {
                return Err("the folder has no key; give the backup's with --key-file".into());
            }
            other => other?,
        },
        (None, Place::Database(_)) => {
            return Err("the key of the backup is needed: --key-file".into());
        }
    };
    let now = SystemClock.now();
    let restored = match place {
        Place::Folder(folder) => {
            let allowed = Allowed {
                replace: asked.replace,
                terminals_checked: asked.terminals_checked,
            };
            restoring::restore_to_folder(&asked.from, key, folder, allowed, now)?
        }
        Place::Database(_) => {
            let to = books::open_to_write(place, String::new())?;
            let scratch = tempfile::tempdir()?;
            let (to, scratch) = (to.ledger.as_ref(), scratch.path());
            let checked = asked.terminals_checked;
            restoring::restore_to_database(&asked.from, key, to, scratch, checked, now)?
        }
    };
    for books in &restored {
        let (timeline, from) = (books.restored.timeline, books.restored.from_seq);
        say(&format!(
            "{} operations={from} timeline={timeline}",
            books.name
        ))?;
        for terminal in &books.out_of_service {
            say(&format!("stays {terminal}"))?;
        }
    }
    Ok(Ending::Well)
}
