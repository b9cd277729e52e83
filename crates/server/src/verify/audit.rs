//! The audit log: every entry follows the one before it, and was made where the log of operations
//! really was.

use std::collections::HashMap;

use qiantai_core::ids::{DeviceId, TenantId};
use qiantai_core::ledger::chain;
use qiantai_core::operation::Hash;

use super::{BadRow, PAGE, PageError, VerifyError, named, page_of};
use crate::audit::{Act, AuditEntry, AuditHead};
use crate::db::{Archive, LedgerError};

/// Walks the audit log from its first entry to its head. The log of operations holds already.
pub(super) fn verify(ledger: &dyn Archive, tenant: TenantId) -> Result<AuditHead, VerifyError> {
    let standing = ledger.audit_standing(tenant)?;
    if standing.last > standing.head.seq {
        let what = format!("has rows beyond entry {}", standing.head.seq);
        return Err(BadRow::new("table audit_entry", what).into());
    }
    let mut walk = Walk {
        tenant,
        end: AuditHead::default(),
        log: (0, chain::START),
        taken_out: HashMap::new(),
    };
    let mut limit = PAGE;
    while walk.end.seq < standing.head.seq {
        let after = walk.end.seq;
        let read = |limit| ledger.audit_page(tenant, after, limit);
        let page = match page_of(limit, read, || row(after + 1)) {
            Ok(page) => page,
            Err(PageError::Bad(bad)) => return Err(bad.into()),
            Err(PageError::ReadOneByOne) => {
                limit = 1;
                continue;
            }
            Err(PageError::Ledger(error)) => return Err(error.into()),
        };
        if page.is_empty() {
            return Err(BadRow::new(row(after + 1), "is missing").into());
        }
        for entry in page {
            // What was entered since the walk began is not of this walk.
            if walk.end.seq == standing.head.seq {
                break;
            }
            walk.take(ledger, &entry)?;
        }
    }
    if walk.end != standing.head {
        let what = "its hash is not that of the last entry";
        return Err(BadRow::new(named(tenant, "audit head"), what).into());
    }
    walk.compare_revocations(ledger)?;
    Ok(walk.end)
}

fn row(seq: u64) -> String {
    format!("audit entry {seq}")
}

struct Walk {
    tenant: TenantId,
    end: AuditHead,
    /// Where the log of operations stood at the last entry.
    log: (u64, Hash),
    /// Terminals that were taken out of service, and the last entry that says so.
    taken_out: HashMap<DeviceId, u64>,
}

impl Walk {
    fn take(&mut self, ledger: &dyn Archive, entry: &AuditEntry) -> Result<(), VerifyError> {
        let expected = self.end.seq + 1;
        if entry.seq != expected {
            return Err(BadRow::new(row(expected), "is missing").into());
        }
        if entry.sealed(&self.end.hash, self.tenant) != entry.hash {
            let what = "its hash does not seal what it says and what was before it";
            return Err(BadRow::new(row(entry.seq), what).into());
        }
        if entry.server_seq != self.log.0 {
            if entry.server_seq < self.log.0 {
                let what = "was made before the entry that it follows";
                return Err(BadRow::new(row(entry.seq), what).into());
            }
            self.log = (entry.server_seq, place(ledger, self.tenant, entry)?);
        }
        if entry.log_hash != self.log.1 {
            let what = format!(
                "operation {} was another when it was made",
                entry.server_seq
            );
            return Err(BadRow::new(row(entry.seq), what).into());
        }
        if let (Act::TerminalRevoked, Some(device)) = (entry.deed.act, entry.deed.device) {
            self.taken_out.insert(device, entry.seq);
        }
        self.end = entry.head();
        Ok(())
    }

    /// Whoever was taken out of service is.
    fn compare_revocations(&self, ledger: &dyn Archive) -> Result<(), VerifyError> {
        if self.taken_out.is_empty() {
            return Ok(());
        }
        let revocations = ledger.revocations(self.tenant)?;
        let is_out = |device| revocations.iter().any(|it| it.device == device);
        let let_in = self
            .taken_out
            .iter()
            .filter(|(device, _)| !is_out(**device));
        let Some((device, entry)) = let_in.min_by_key(|(_, entry)| **entry) else {
            return Ok(());
        };
        let what = format!(
            "took terminal {device} out of service, and it is in service: whoever took the note \
             away let it in again. Where that failed at the time, revoke it again"
        );
        Err(BadRow::new(row(*entry), what).into())
    }
}

/// The chain hash of the operation that an entry names.
fn place(ledger: &dyn Archive, tenant: TenantId, entry: &AuditEntry) -> Result<Hash, VerifyError> {
    let operation = match ledger.log_row(tenant, entry.server_seq) {
        // An operation that came while this was walked and cannot be read.
        Err(LedgerError::Corrupt(what)) => {
            let row = format!("operation {}", entry.server_seq);
            return Err(BadRow::new(row, what).into());
        }
        other => other?,
    };
    match operation {
        Some(operation) => Ok(operation.chain_hash),
        None => {
            let what = format!("names operation {}, which is not there", entry.server_seq);
            Err(BadRow::new(row(entry.seq), what).into())
        }
    }
}
