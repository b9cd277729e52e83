//! Digests of accounts: whether a replica still shows what the server has, and where not.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::feed::{AccountDto, CursorDto};
use crate::text::Hex;

/// How many buckets accounts are spread over.
pub const BUCKETS: usize = 256;

/// Answer to `GET /v1/digests`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DigestsAnswer {
    /// Of when: a replica that stands elsewhere cannot be compared.
    pub cursor: CursorDto,
    /// The digest of each of the 256 buckets, hexadecimal.
    #[schema(value_type = Vec<String>, min_items = 256, max_items = 256)]
    pub buckets: Vec<Hex<32>>,
}

/// Answer to `GET /v1/buckets/{bucket}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BucketAnswer {
    /// Of when.
    pub cursor: CursorDto,
    /// Every account of the bucket.
    pub accounts: Vec<AccountDto>,
}

/// What a digest says of an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Digested {
    /// Whose.
    pub member: Uuid,
    /// Principal, bonus, frozen principal, frozen bonus and debt in fen, growth, points, and the
    /// sequence of the last journal entry.
    pub numbers: [i64; 8],
    /// Each lot with the principal and bonus left in it, in fen.
    pub lots: Vec<(Uuid, i64, i64)>,
}

impl From<&AccountDto> for Digested {
    fn from(account: &AccountDto) -> Digested {
        let lots = account.lots.iter();
        Digested {
            member: account.member,
            numbers: [
                account.principal_fen,
                account.bonus_fen,
                account.frozen_principal_fen,
                account.frozen_bonus_fen,
                account.debt_fen,
                account.growth,
                account.points,
                // Counts up by one; two's complement of what is below 2^63 is the number itself.
                account.last_seq.cast_signed(),
            ],
            lots: lots
                .map(|lot| (lot.id, lot.principal_left_fen, lot.bonus_left_fen))
                .collect(),
        }
    }
}

/// The bucket of a member's account: the last byte of the member's id.
pub fn bucket_of(member: Uuid) -> u8 {
    member.as_bytes()[15]
}

/// The digests in the making.
#[derive(Clone)]
pub struct Digests(Vec<Sha256>);

impl Default for Digests {
    fn default() -> Digests {
        Digests(vec![Sha256::new(); BUCKETS])
    }
}

impl Digests {
    /// Takes in the next account by rising id of the member (docs: protocol, Digests).
    pub fn add(&mut self, mut account: Digested) {
        let hash = &mut self.0[usize::from(bucket_of(account.member))];
        hash.update(account.member.as_bytes());
        for number in account.numbers {
            hash.update(number.to_be_bytes());
        }
        account
            .lots
            .retain(|(_, principal, bonus)| *principal != 0 || *bonus != 0);
        account.lots.sort_unstable();
        hash.update((account.lots.len() as u64).to_be_bytes());
        for (lot, principal, bonus) in account.lots {
            hash.update(lot.as_bytes());
            hash.update(principal.to_be_bytes());
            hash.update(bonus.to_be_bytes());
        }
    }

    /// One for each bucket.
    pub fn finish(self) -> Vec<Hex<32>> {
        let hashes = self.0.into_iter();
        hashes.map(|hash| Hex(hash.finalize().into())).collect()
    }
}
