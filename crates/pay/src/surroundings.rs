//! The clock and the nonces of a channel, so that both can be set from outside.

use std::time::{SystemTime, UNIX_EPOCH};

use qiantai_core::clock::Timestamp;
use uuid::Uuid;

/// What a channel takes from the world besides the network.
pub trait Surroundings: Send + Sync {
    /// The time now.
    fn now(&self) -> Timestamp;

    /// A text that was never returned before: at most 32 letters and digits.
    fn nonce(&self) -> String;
}

/// The machine's clock, and nonces from the operating system's randomness.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemSurroundings;

impl Surroundings for SystemSurroundings {
    fn now(&self) -> Timestamp {
        // A clock before 1970 or past the year 292 million signs with a time that every gateway
        // refuses, and the refusal names the clock as the cause.
        let since_epoch = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        Timestamp::from_ms(i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX))
    }

    fn nonce(&self) -> String {
        Uuid::now_v7().simple().to_string()
    }
}
