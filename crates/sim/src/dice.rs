//! Dice: one stream per purpose, so that a change in one place shifts no other.

use qiantai_core::Timestamp;
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use sha2::{Digest, Sha256};
use uuid::{Builder, Uuid};

/// A stream of random numbers.
pub type Dice = ChaCha8Rng;

/// The stream of `seed` for one purpose of one actor.
pub fn dice(seed: u64, purpose: &str, actor: u64) -> Dice {
    let mut hash = Sha256::new();
    hash.update(seed.to_be_bytes());
    hash.update(purpose.as_bytes());
    hash.update(actor.to_be_bytes());
    Dice::from_seed(hash.finalize().into())
}

/// True in `percent` of all throws.
pub fn chance(dice: &mut Dice, percent: u32) -> bool {
    dice.random_range(0..100) < percent
}

/// A number of `range`, skewed to its lower end.
pub fn mostly_low(dice: &mut Dice, most: i64) -> i64 {
    let bound = dice.random_range(1..=most.max(1));
    dice.random_range(0..=bound)
}

/// A UUIDv7 of `at`.
pub fn id(dice: &mut Dice, at: Timestamp) -> Uuid {
    let mut random = [0_u8; 10];
    dice.fill_bytes(&mut random);
    let ms = u64::try_from(at.ms()).unwrap_or_default();
    Builder::from_unix_timestamp_millis(ms, &random).into_uuid()
}
