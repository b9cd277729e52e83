//! The hash chain over a tenant's books, in the order of `server_seq`: whoever changes an old
//! operation, its outcome or its postings breaks every link after it.

use sha2::{Digest, Sha256};

use crate::decide::Outcome;
use crate::ledger::{Book, LedgerAccount, Posting};
use crate::operation::Hash;

/// The hash before the first link.
pub const START: Hash = [0; 32];

/// What one link seals.
#[derive(Clone, Copy, Debug)]
pub struct Link<'a> {
    /// Commit order of the tenant, from 1.
    pub server_seq: u64,
    /// SHA-256 of the signed operation.
    pub operation: &'a Hash,
    /// The answer; `None` while the operation is held for a person.
    pub outcome: Option<&'a Outcome>,
    /// What was posted, by rising leg.
    pub postings: &'a [Posting],
}

/// A link whose stored hash is not the one computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the chain breaks at server_seq {server_seq}")]
pub struct BrokenLink {
    /// Where.
    pub server_seq: u64,
}

/// SHA-256(prev ‖ server_seq ‖ operation hash ‖ outcome ‖ postings).
pub fn next(prev: &Hash, link: &Link<'_>) -> Hash {
    let mut hash = Sha256::new();
    hash.update(prev);
    hash.update(link.server_seq.to_be_bytes());
    hash.update(link.operation);
    feed_outcome(&mut hash, link.outcome);
    hash.update((link.postings.len() as u64).to_be_bytes());
    for posting in link.postings {
        feed_posting(&mut hash, posting);
    }
    hash.finalize().into()
}

/// Follows the links from `start` and compares each with its stored hash; the last hash on
/// success.
///
/// # Errors
/// [`BrokenLink`] names the first link that does not hold.
pub fn verify<'a>(
    start: Hash,
    links: impl IntoIterator<Item = (Link<'a>, Hash)>,
) -> Result<Hash, BrokenLink> {
    links.into_iter().try_fold(start, |prev, (link, stored)| {
        let computed = next(&prev, &link);
        match computed == stored {
            true => Ok(stored),
            false => Err(BrokenLink {
                server_seq: link.server_seq,
            }),
        }
    })
}

fn feed_outcome(hash: &mut Sha256, outcome: Option<&Outcome>) {
    match outcome {
        None => hash.update([5]),
        Some(Outcome::Applied) => hash.update([1]),
        Some(Outcome::Exists) => hash.update([2]),
        Some(Outcome::ExistsWithDifferent { field }) => {
            hash.update([3]);
            hash.update((field.len() as u64).to_be_bytes());
            hash.update(field);
        }
        Some(Outcome::Refused(refusal)) => {
            hash.update([4]);
            hash.update((refusal.code as u16).to_be_bytes());
        }
    }
}

fn feed_posting(hash: &mut Sha256, posting: &Posting) {
    hash.update(posting.leg.to_be_bytes());
    hash.update([match posting.book {
        Book::Money => 1,
        Book::Bonus => 2,
    }]);
    let (tag, ids): (u8, [u128; 2]) = match posting.account {
        LedgerAccount::MemberPrincipal(member, lot) => (1, [member.0.as_u128(), lot.0.as_u128()]),
        LedgerAccount::MemberDebt(member) => (2, [member.0.as_u128(), 0]),
        LedgerAccount::Drawer(shift) => (3, [shift.0.as_u128(), 0]),
        LedgerAccount::Clearing(channel) => (4, [channel.number().into(), 0]),
        LedgerAccount::Revenue(store) => (5, [store.0.as_u128(), 0]),
        LedgerAccount::Suspense => (6, [0, 0]),
        LedgerAccount::Opening => (7, [0, 0]),
        LedgerAccount::MemberBonus(member, lot) => (8, [member.0.as_u128(), lot.0.as_u128()]),
        LedgerAccount::BonusGranted(store) => (9, [store.0.as_u128(), 0]),
    };
    hash.update([tag]);
    ids.iter().for_each(|id| hash.update(id.to_be_bytes()));
    hash.update(posting.amount.fen().to_be_bytes());
}
