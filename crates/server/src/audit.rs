//! The audit log (审计): what was done or seen at the server that no operation tells. Operations
//! need no second record: they are signed, kept for ever, and sealed by the tenant's chain. Every
//! entry names the place of that chain at which it was made, so that both are one history.
//!
//! Whoever sees or changes something is entered first: an entry may tell of what then failed, and
//! nothing happens without one.

use std::net::IpAddr;

use qiantai_core::Timestamp;
use qiantai_core::ids::{DeviceId, TenantId};
use qiantai_core::operation::Hash;
use sha2::{Digest, Sha256};

use crate::db::codes::Code;
use crate::db::{Ledger, LedgerError, Seat};

/// What was done or seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// A one-time invitation was made.
    TerminalInvited,
    /// A terminal got a token.
    TerminalJoined,
    /// A terminal was taken out of service.
    TerminalRevoked,
    /// A terminal's leases were declared lost.
    LeasesLost,
    /// Names and phones of members went to a terminal.
    MembersSent,
    /// What was kept for review was to go into the books.
    OperationsAdmitted,
    /// What was kept for review was to be refused for good.
    OperationsRefused,
    /// A terminal asked, in a manager's name, for money to be credited that waits for a person.
    CreditAsked,
    /// A terminal asked, in a manager's name, for the rules of its store to be changed.
    RulesChanged,
    /// A terminal had the set-up of a payment account checked, in a manager's name.
    GatewayChecked,
    /// A terminal entered a payment account, in a manager's name. What, is told nowhere.
    GatewayEntered,
    /// The whole books were written to a backup.
    BackupMade,
    /// The books were made from a backup.
    BooksRestored,
    /// The books were moved to this database.
    BooksAdopted,
}

/// One thing that was done or seen, before it has its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deed {
    /// When, by the server's clock.
    pub at: Timestamp,
    /// What.
    pub act: Act,
    /// The terminal that asked or that it is about; none for the books as a whole.
    pub device: Option<DeviceId>,
    /// Where the request came from; none within this machine and for commands of the server.
    pub address: Option<IpAddr>,
    /// To what, in words for people, without personal data.
    pub subject: String,
}

/// A deed in its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEntry {
    /// Gapless per tenant, from 1.
    pub seq: u64,
    /// What.
    pub deed: Deed,
    /// The last operation of the log at that moment; zero in an empty log.
    pub server_seq: u64,
    /// Chain hash of the log there.
    pub log_hash: Hash,
    /// Seals this entry and every one before it.
    pub hash: Hash,
}

/// Where the audit log of a tenant ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AuditHead {
    /// The last entry; zero when there is none.
    pub seq: u64,
    /// Its hash; zeros when there is none.
    pub hash: Hash,
}

/// Where the audit log ends by its head, and by its rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AuditStanding {
    /// What the head says.
    pub head: AuditHead,
    /// The last row.
    pub last: u64,
}

impl AuditEntry {
    /// The entry after `before`, made while the log stood at `server_seq`.
    pub fn after(
        before: &AuditHead,
        tenant: TenantId,
        deed: Deed,
        (server_seq, log_hash): (u64, Hash),
    ) -> AuditEntry {
        let mut entry = AuditEntry {
            seq: before.seq + 1,
            deed,
            server_seq,
            log_hash,
            hash: [0; 32],
        };
        entry.hash = entry.sealed(&before.hash, tenant);
        entry
    }

    /// The hash that the entry must have after one with the hash `before`: docs/audit.md.
    pub fn sealed(&self, before: &Hash, tenant: TenantId) -> Hash {
        let mut hash = Sha256::new();
        hash.update(before);
        hash.update(tenant.0.as_bytes());
        hash.update(self.seq.to_be_bytes());
        hash.update(self.deed.at.ms().to_be_bytes());
        feed(&mut hash, Some(self.deed.act.code().as_bytes()));
        let device = self.deed.device.map(|device| device.0);
        feed(&mut hash, device.as_ref().map(|id| &id.as_bytes()[..]));
        let address = self.deed.address.map(|address| address.to_string());
        feed(&mut hash, address.as_ref().map(String::as_bytes));
        feed(&mut hash, Some(self.deed.subject.as_bytes()));
        hash.update(self.server_seq.to_be_bytes());
        hash.update(self.log_hash);
        hash.finalize().into()
    }

    /// The end of a log that ends with this entry.
    pub fn head(&self) -> AuditHead {
        AuditHead {
            seq: self.seq,
            hash: self.hash,
        }
    }
}

/// Nothing as 0; bytes as 1, their number in eight bytes, and themselves.
fn feed(hash: &mut Sha256, bytes: Option<&[u8]>) {
    let Some(bytes) = bytes else {
        hash.update([0]);
        return;
    };
    hash.update([1]);
    hash.update((bytes.len() as u64).to_be_bytes());
    hash.update(bytes);
}

/// A terminal that asks, and from where.
#[derive(Clone, Debug)]
pub(crate) struct Viewer {
    pub(crate) seat: Seat,
    pub(crate) address: Option<IpAddr>,
    pub(crate) now: Timestamp,
}

impl Viewer {
    /// Enters that the personal data of so many members goes to the terminal. `of` says how it was
    /// asked for.
    ///
    /// # Errors
    /// See [`LedgerError`]; then nothing may go.
    pub(crate) fn sees(
        &self,
        ledger: &dyn Ledger,
        members: usize,
        of: &str,
    ) -> Result<(), LedgerError> {
        if members == 0 {
            return Ok(());
        }
        let deed = Deed {
            at: self.now,
            act: Act::MembersSent,
            device: Some(self.seat.device),
            address: self.address,
            subject: match members {
                1 => format!("1 member: {of}"),
                _ => format!("{members} members: {of}"),
            },
        };
        ledger.save_deed(self.seat.tenant, &deed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    /// The example of docs/audit.md: a change of it is a change of every chain that there is.
    #[test]
    fn the_seal_is_the_documented_one() {
        let tenant = TenantId(Uuid::from_u128(1));
        let deed = Deed {
            at: Timestamp::from_ms(1_795_240_800_000),
            act: Act::TerminalJoined,
            device: Some(DeviceId(Uuid::from_u128(2))),
            address: Some(IpAddr::from([192, 168, 1, 20])),
            subject: "terminal 01".into(),
        };
        let first = AuditEntry::after(&AuditHead::default(), tenant, deed, (3, [4; 32]));
        let document = include_str!("../../../docs/audit.md");
        let said = hex::encode(first.hash);
        assert!(document.contains(&said), "docs/audit.md lacks {said}");
        let second = AuditEntry::after(&first.head(), tenant, first.deed.clone(), (3, [4; 32]));
        assert_ne!(second.hash, first.hash);
    }
}
