//! Operations up, changes down (docs: sync). The [`engine`] decides what to do next and touches
//! nothing: time, randomness and answers are its arguments. The [driver](mod@driver) carries it out over a
//! [`transport`] against the terminal's own log.

#![cfg_attr(
    test,
    expect(clippy::unwrap_used, reason = "a test fails by panicking")
)]

pub mod client;
pub mod driver;
pub mod engine;
pub mod leases;
pub mod transport;

pub use client::{CallFailed, Client};
pub use driver::{Driver, LocalLog, LocalLogError, PaymentWatch, Surroundings, SyncHandle, driver};
pub use engine::{LocalPosition, StopReason, SyncStatus};
pub use leases::{LeaseBook, LeaseKeeper};
pub use transport::{ByteStream, Transport, TransportError};
