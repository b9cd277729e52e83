//! Heads of the books, signed and put where who has the books has no hand: a history that was
//! rewritten from its first row on holds by itself, and not against a head of before.
//!
//! One file for each tenant and day, never rewritten; docs/audit.md has its form.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use ed25519_dalek::{Signature, Signer, VerifyingKey};
use qiantai_core::Timestamp;
use qiantai_core::ledger::chain;
use qiantai_core::operation::Hash;
use qiantai_wire::text::Hex;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::audit::AuditHead;
use crate::backup::sync_folder;
use crate::db::{Ledger, LedgerError, Tenant};
use crate::embedded::Server;
use crate::verify::{BadRow, VerifyError};

/// What is signed begins with it.
const SIGNED_AS: &str = "qiantai tree head 1";

/// How often it is looked whether the head of the day is there.
const EVERY: Duration = Duration::from_secs(60);

/// Days are those of the calendar in China.
const CUT_OFF_MINUTES: u16 = 0;

/// Where the books of a tenant stood.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TreeHead {
    /// Whose.
    pub tenant: Uuid,
    /// The day in China, as `2026-11-22`.
    pub date: String,
    /// When, in milliseconds since 1970.
    pub made_ms: i64,
    /// The timeline of the log.
    pub timeline: u32,
    /// How many operations the log had.
    pub server_seq: u64,
    /// The chain hash after the last.
    pub chain_hash: Hex<32>,
    /// How many entries the audit log had.
    pub audit_seq: u64,
    /// The hash of the last.
    pub audit_hash: Hex<32>,
    /// The server's signing key.
    pub public_key: Hex<32>,
    /// Ed25519 over what is above it.
    pub signature: Hex<64>,
}

/// Why a head was not written or read.
#[derive(Debug, thiserror::Error)]
pub enum TreeHeadError {
    /// The file or its folder.
    #[error("{path}: {cause}")]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        cause: io::Error,
    },
    /// The file holds something else.
    #[error("{path} is no tree head: {cause}")]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// Why.
        cause: String,
    },
    /// The books.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

impl TreeHead {
    /// Where the books of a tenant stand now.
    ///
    /// # Errors
    /// See [`LedgerError`].
    pub fn of(
        ledger: &dyn Ledger,
        tenant: &Tenant,
        now: Timestamp,
    ) -> Result<TreeHead, LedgerError> {
        let log = ledger.head(tenant.id)?;
        let audit = ledger.audit_standing(tenant.id)?.head;
        let mut head = TreeHead {
            tenant: tenant.id.0,
            date: now.business_date(CUT_OFF_MINUTES).to_string(),
            made_ms: now.ms(),
            timeline: log.timeline,
            server_seq: log.server_seq,
            chain_hash: Hex(log.chain_hash),
            audit_seq: audit.seq,
            audit_hash: Hex(audit.hash),
            public_key: Hex(tenant.public_key()),
            signature: Hex([0; 64]),
        };
        let signature = tenant.signing_key().sign(head.signed_text().as_bytes());
        head.signature = Hex(signature.to_bytes());
        Ok(head)
    }

    /// Reads one that was written.
    ///
    /// # Errors
    /// See [`TreeHeadError`].
    pub fn read(path: &Path) -> Result<TreeHead, TreeHeadError> {
        let text = fs::read_to_string(path).map_err(|cause| at(path, cause))?;
        serde_json::from_str(&text).map_err(|error| TreeHeadError::Unreadable {
            path: path.to_owned(),
            cause: error.to_string(),
        })
    }

    /// The books still hold the history that ended here. They were verified by themselves.
    ///
    /// # Errors
    /// See [`VerifyError`].
    pub fn prove(&self, ledger: &dyn Ledger, tenant: &Tenant) -> Result<(), VerifyError> {
        let bad = |row: String, what: &str| Err(BadRow::new(row, what).into());
        let own = format!("tree head of {}", self.date);
        if self.public_key.0 != tenant.public_key() {
            return bad(own, "was signed with another key than the books have");
        }
        let key = VerifyingKey::from_bytes(&self.public_key.0);
        let signature = Signature::from_bytes(&self.signature.0);
        let text = self.signed_text();
        if !key.is_ok_and(|key| key.verify_strict(text.as_bytes(), &signature).is_ok()) {
            return bad(own, "its signature does not hold");
        }
        if self.chain_at(ledger, tenant)? != Some(self.chain_hash.0) {
            let row = format!("operation {}", self.server_seq);
            let what = format!("is not the one at which the books stood on {}", self.date);
            return bad(row, &what);
        }
        if self.audit_at(ledger, tenant)? != Some(self.audit_hash.0) {
            let row = format!("audit entry {}", self.audit_seq);
            let what = format!("is not the one at which the books stood on {}", self.date);
            return bad(row, &what);
        }
        Ok(())
    }

    fn chain_at(&self, ledger: &dyn Ledger, tenant: &Tenant) -> Result<Option<Hash>, LedgerError> {
        if self.server_seq == 0 {
            return Ok(Some(chain::START));
        }
        let row = ledger.log_row(tenant.id, self.server_seq)?;
        Ok(row.map(|row| row.chain_hash))
    }

    fn audit_at(&self, ledger: &dyn Ledger, tenant: &Tenant) -> Result<Option<Hash>, LedgerError> {
        let Some(before) = self.audit_seq.checked_sub(1) else {
            return Ok(Some(AuditHead::default().hash));
        };
        let page = ledger.audit_page(tenant.id, before, 1)?;
        let entry = page.into_iter().find(|entry| entry.seq == self.audit_seq);
        Ok(entry.map(|entry| entry.hash))
    }

    /// What is signed: a line for each field, in order.
    fn signed_text(&self) -> String {
        format!(
            "{SIGNED_AS}\n{}\n{}\n{}\n{}\n{}\n{}\n{}\n{}\n",
            self.tenant,
            self.date,
            self.made_ms,
            self.timeline,
            self.server_seq,
            hex::encode(self.chain_hash.0),
            self.audit_seq,
            hex::encode(self.audit_hash.0),
        )
    }
}

/// The file of a tenant and day.
pub fn path_in(folder: &Path, tenant: Uuid, date: &str) -> PathBuf {
    folder.join(format!("{date}-{tenant}.json"))
}

/// Writes the head of the day of every tenant that has none in `folder` yet; which were written.
///
/// # Errors
/// See [`TreeHeadError`]; a file is there whole or not at all.
pub fn write_absent(
    ledger: &dyn Ledger,
    folder: &Path,
    now: Timestamp,
) -> Result<Vec<PathBuf>, TreeHeadError> {
    let mut written = Vec::new();
    let date = now.business_date(CUT_OFF_MINUTES).to_string();
    for tenant in ledger.tenants()? {
        let path = path_in(folder, tenant.id.0, &date);
        if path.try_exists().map_err(|cause| at(&path, cause))? {
            continue;
        }
        let head = TreeHead::of(ledger, &tenant, now)?;
        if write_new(&path, &head).map_err(|cause| at(&path, cause))? {
            written.push(path);
        }
    }
    Ok(written)
}

/// False when another server has written it meanwhile.
fn write_new(path: &Path, head: &TreeHead) -> io::Result<bool> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut part = tempfile::NamedTempFile::new_in(folder)?;
    let text = serde_json::to_string_pretty(head).map_err(io::Error::other)?;
    part.write_all(text.as_bytes())?;
    part.write_all(b"\n")?;
    part.as_file().sync_all()?;
    match part.persist_noclobber(path) {
        Ok(_) => {}
        Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => return Ok(false),
        Err(error) => return Err(error.error),
    }
    sync_folder(path)?;
    Ok(true)
}

/// Writes the head of every day, as long as the process runs.
pub async fn keep(server: Server, folder: PathBuf) {
    loop {
        let (ledger, now) = (server.ledger().clone(), server.now());
        let into = folder.clone();
        let looked =
            tokio::task::spawn_blocking(move || write_absent(ledger.as_ref(), &into, now)).await;
        match looked {
            Ok(Ok(written)) => {
                for path in written {
                    tracing::info!(path = %path.display(), "the tree head of the day was written");
                }
            }
            Ok(Err(error)) => tracing::error!(%error, "the tree head of the day was not written"),
            Err(error) => tracing::error!(%error, "writing the tree head ended by a panic"),
        }
        tokio::time::sleep(EVERY).await;
    }
}

/// The newest head of a tenant in `folder`.
///
/// # Errors
/// See [`TreeHeadError`].
pub fn newest_in(folder: &Path, tenant: Uuid) -> Result<Option<TreeHead>, TreeHeadError> {
    let end = format!("-{tenant}.json");
    let mut newest = None;
    for found in fs::read_dir(folder).map_err(|cause| at(folder, cause))? {
        let path = found.map_err(|cause| at(folder, cause))?.path();
        let name = path.file_name().and_then(|name| name.to_str());
        // Names begin with the date, so that they sort by it.
        if name.is_some_and(|name| name.ends_with(&end)) {
            newest = newest.max(Some(path));
        }
    }
    newest.map(|path| TreeHead::read(&path)).transpose()
}

fn at(path: &Path, cause: io::Error) -> TreeHeadError {
    TreeHeadError::Io {
        path: path.to_owned(),
        cause,
    }
}
