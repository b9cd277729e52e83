//! Leases of this terminal: what it may spend of members' stored value without asking (docs: sync,
//! "Offline spending: leases"). What is drawn is counted where the payment is written, in one
//! transaction, so that no lease gives more than it has, whatever happens in between.

use qiantai_core::Timestamp;
use qiantai_core::ids::{LeaseId, MemberId, StoreId};
use qiantai_core::operation::OperationBody;
use qiantai_core::risk_floor::{FloorUse, SpentBeyond};
use qiantai_wire::api::GrantedLease;
use qiantai_wire::feed::OutcomeDto;
use qiantai_wire::operation::Kind;
use rusqlite::Connection;
use uuid::Uuid;

use crate::error::StoreError;
use crate::store::Store;
use crate::tables::lease::{self, OwnLease};
use crate::tables::row::unreadable;
use crate::tables::{operation, replica_account, replica_case};

/// A member for whom leases may be due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LeaseDue {
    /// Who.
    pub member: MemberId,
    /// How new the account is that they are asked for.
    revision: i64,
}

impl Store {
    /// Members of `store` active since then whose money moved since leases were last asked for,
    /// the most recently active first, at most `limit`.
    pub fn leases_due(
        &self,
        store: StoreId,
        since: Timestamp,
        limit: u32,
    ) -> Result<Vec<LeaseDue>, StoreError> {
        self.read(|connection| {
            let due = lease::due(connection, store.0, since.ms(), limit)?;
            let due = due.into_iter();
            Ok(due
                .map(|(member, revision)| LeaseDue { member, revision })
                .collect())
        })
    }

    /// Takes over everything that the server says this terminal holds of members that were asked
    /// for. What is kept of them here and is not among it has ended: it is drawn on no more. Taking
    /// the same over twice changes nothing.
    pub fn take_leases(
        &self,
        asked: &[LeaseDue],
        leases: &[GrantedLease],
    ) -> Result<(), StoreError> {
        self.write(|transaction| {
            for due in asked {
                let is_told = |id| leases.iter().any(|lease| lease.id == id);
                for known in lease::open_of(transaction, due.member)? {
                    if !is_told(known) {
                        lease::end(transaction, known)?;
                    }
                }
                lease::asked(transaction, due.member, due.revision)?;
            }
            let is_asked = |lease: &&GrantedLease| asked.iter().any(|d| d.member == lease.member);
            for granted in leases.iter().filter(is_asked) {
                lease::keep(transaction, granted)?;
            }
            Ok(())
        })
    }

    /// What this terminal may spend of a member without asking, the oldest lease first.
    pub fn spendable_leases(&self, member: MemberId) -> Result<Vec<OwnLease>, StoreError> {
        self.read(|connection| lease::spendable(connection, member))
    }

    /// What counts against the risk floor beside a payment that is to be written next.
    pub fn floor_use(
        &self,
        next: &SpentBeyond,
        cut_off_minutes: u16,
    ) -> Result<FloorUse, StoreError> {
        self.read(|connection| {
            let known = spent_beyond(connection, next.counts_from())?;
            let account = replica_account::find(connection, next.member)?;
            let overdrawn = replica_case::overdrawn(connection, next.device)?;
            let used = FloorUse::beside(next, &known, cut_off_minutes);
            Ok(used.told(&known, account.as_ref(), overdrawn.as_ref()))
        })
    }

    /// Leases that have ended and whose release this terminal has still to write.
    pub fn ended_leases(&self) -> Result<Vec<OwnLease>, StoreError> {
        self.read(lease::ended)
    }

    /// The server's signed word for a lease, to show it again.
    pub fn lease_word(&self, lease: LeaseId) -> Result<Option<Vec<u8>>, StoreError> {
        self.read(|connection| lease::word(connection, lease))
    }
}

/// What was taken beyond leases and may be in the books, each intent once.
fn spent_beyond(connection: &Connection, since: Timestamp) -> Result<Vec<SpentBeyond>, StoreError> {
    let mut known: Vec<SpentBeyond> = Vec::new();
    for row in operation::payments_since(connection, since)? {
        let may_count = matches!(row.outcome, None | Some(OutcomeDto::Applied));
        if !may_count || known.iter().any(|spent| spent.action == row.action_id) {
            continue;
        }
        let operation = row.signed.operation();
        let operation = operation.map_err(|error| unreadable("operation", error.to_string()))?;
        let spent = SpentBeyond::at_terminal(&operation);
        known.extend(spent.map(|spent| SpentBeyond {
            is_open: !row.covered,
            ..spent
        }));
    }
    Ok(known)
}

/// Counts what an operation that is being written does to leases. A second record of an intent
/// does nothing again: the server posts an intent once.
pub(crate) fn count(
    connection: &Connection,
    action: Uuid,
    body: &OperationBody,
) -> Result<(), StoreError> {
    match body {
        OperationBody::SpendOffline(spend) => {
            if operation::is_recorded(connection, action, Kind::SpendOffline)? {
                return Ok(());
            }
            for claim in &spend.draws {
                if !lease::draw(connection, claim)? {
                    return Err(StoreError::LeaseShort {
                        lease: claim.lease.0,
                    });
                }
            }
            Ok(())
        }
        OperationBody::LeaseRelease(named) => lease::give_back(connection, named.lease),
        _ => Ok(()),
    }
}
