//! Reading leases with what is left of them.

use std::collections::HashMap;

use qiantai_core::account::{Account, Draw};
use qiantai_core::clock::Timestamp;
use qiantai_core::ids::{LeaseId, MemberId, TenantId};
use qiantai_core::lease::Lease;
use qiantai_core::member::Member;

use super::LedgerError;
use super::database::Database;
use super::load::{accounts, exactly};
use super::record::Record;
use super::tables::{account, journal, lease, lease_lot, lot, member};

/// A member with everything that a lease depends on.
#[derive(Clone, Debug)]
pub struct Leasable {
    /// Who.
    pub member: Member,
    /// The account with its lots.
    pub account: Account,
    /// Leases that are not over, each with the place of the operation that granted it.
    pub leases: Vec<(Lease, u64)>,
    /// The newest entry of the 流水.
    pub seen_at: Option<Timestamp>,
}

/// Those of `members` that have an account, in the order of their identity.
pub(super) fn leasable(
    db: &impl Database,
    tenant: TenantId,
    members: &[MemberId],
) -> Result<Vec<Leasable>, LedgerError> {
    let answers = db.ask(vec![
        member::of_ids(tenant, members),
        account::of_members(tenant, members),
        lot::of_members(tenant, members),
        lease::open_of(tenant, members),
        lease_lot::open_of(tenant, members),
        journal::newest_of(tenant, members),
    ])?;
    let [known, rows, lots, leases, left, newest] = exactly(answers)?;
    let mut accounts = accounts(&rows, &lots)?;
    let mut of_member: HashMap<MemberId, Vec<(Lease, u64)>> = HashMap::new();
    for (lease, server_seq) in with_lots(&leases, &left)? {
        let leases = of_member.entry(lease.member).or_default();
        leases.push((lease, server_seq));
    }
    let newest = newest.iter().map(journal::read_newest);
    let mut newest: HashMap<MemberId, Timestamp> = newest.collect::<Result<_, _>>()?;
    let mut found = Vec::new();
    for row in &known {
        let member = member::read(row)?;
        if let Some(account) = accounts.remove(&member.id) {
            found.push(Leasable {
                account,
                leases: of_member.remove(&member.id).unwrap_or_default(),
                seen_at: newest.remove(&member.id),
                member,
            });
        }
    }
    found.sort_unstable_by_key(|found| found.member.id);
    Ok(found)
}

/// Those of `members` that are not over.
pub(super) fn open(
    db: &impl Database,
    tenant: TenantId,
    members: &[MemberId],
) -> Result<Vec<Lease>, LedgerError> {
    let answers = db.ask(vec![
        lease::open_of(tenant, members),
        lease_lot::open_of(tenant, members),
    ])?;
    let [leases, left] = exactly(answers)?;
    let leases = with_lots(&leases, &left)?.into_iter();
    Ok(leases.map(|(lease, _)| lease).collect())
}

/// Leases with what is left of each, and the places of the operations that granted them.
pub(super) fn with_lots(
    leases: &[Record],
    left: &[Record],
) -> Result<Vec<(Lease, u64)>, LedgerError> {
    let mut of_lease: HashMap<LeaseId, Vec<Draw>> = HashMap::new();
    for row in left {
        let (lease, draw) = lease_lot::read(row)?;
        of_lease.entry(lease).or_default().push(draw);
    }
    let mut read = |row: &Record| {
        let lots = of_lease.remove(&lease::id(row)?).unwrap_or_default();
        Ok((lease::read(row, lots)?, lease::server_seq(row)?))
    };
    leases.iter().map(&mut read).collect()
}
