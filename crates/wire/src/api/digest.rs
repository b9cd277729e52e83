//! Digests of accounts: whether a replica still shows what the server has, and where not.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::feed::{AccountDto, CursorDto};
use crate::text::Hex;

/// How many buckets accounts are spread over.
pub const BUCKETS: usize = 256;

/// The newest version of a digest; each says more of an account.
pub const DIGEST_VERSION: u32 = 2;

/// Which digests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct DigestsQuery {
    /// What they say, 1 when left out. Of a version that the server does not know, its newest.
    #[param(minimum = 1)]
    pub version: Option<u32>,
}

/// Answer to `GET /v1/digests`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DigestsAnswer {
    /// Of when: a replica that stands elsewhere cannot be compared.
    pub cursor: CursorDto,
    /// Their version; 1 when it is left out.
    #[serde(default = "first_version")]
    pub version: u32,
    /// The digest of each of the 256 buckets, hexadecimal.
    #[schema(value_type = Vec<String>, min_items = 256, max_items = 256)]
    pub buckets: Vec<Hex<32>>,
}

/// Servers of before say no version.
fn first_version() -> u32 {
    1
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
    /// From version 2 on: principal ever recharged and refunded, and bonus ever granted, in fen, points
    /// owed, and when the tier is evaluated again, [`NEVER`] when it is not.
    pub sums: [i64; 5],
    /// From version 2 on: the tier.
    pub tier: Uuid,
    /// Each lot with the principal and bonus left in it, in fen.
    pub lots: Vec<(Uuid, i64, i64)>,
}

/// A time that there is not.
pub const NEVER: i64 = i64::MIN;

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
            sums: [
                account.recharged_fen,
                account.refunded_fen,
                account.bonus_granted_fen,
                account.points_debt,
                account.tier_valid_until_ms.unwrap_or(NEVER),
            ],
            tier: account.tier,
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
pub struct Digests {
    version: u32,
    buckets: Vec<Sha256>,
}

impl Digests {
    /// Those of that version, or of the newest one.
    pub fn of(version: u32) -> Digests {
        Digests {
            version: version.clamp(1, DIGEST_VERSION),
            buckets: vec![Sha256::new(); BUCKETS],
        }
    }

    /// Which they are.
    pub fn version(&self) -> u32 {
        self.version
    }

    /// Takes in the next account by rising id of the member (docs: protocol, Digests).
    pub fn add(&mut self, mut account: Digested) {
        let hash = &mut self.buckets[usize::from(bucket_of(account.member))];
        hash.update(account.member.as_bytes());
        for number in account.numbers {
            hash.update(number.to_be_bytes());
        }
        if self.version > 1 {
            for number in account.sums {
                hash.update(number.to_be_bytes());
            }
            hash.update(account.tier.as_bytes());
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
        let hashes = self.buckets.into_iter();
        hashes.map(|hash| Hex(hash.finalize().into())).collect()
    }
}
