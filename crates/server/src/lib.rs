//! The authority: ledger, tiers, promotions, payments, events.
//!
//! A [`Server`] is opened on a file and answers through its router, in process or behind a
//! socket. Everything that changes the ledger goes through one [`writer`] per tenant.

pub mod adopt;
mod api;
pub mod backup;
pub mod clock;
pub mod data_folder;
pub mod db;
pub mod desks;
pub mod doctor;
pub mod embedded;
pub mod engine;
mod enrolment;
pub mod gateways;
pub mod limits;
mod metrics;
pub mod network;
pub mod replay;
pub mod restore;
pub mod roster;
pub mod sample;
pub mod tls;
pub mod verify;
pub mod writer;

pub use api::openapi;
pub use clock::{Clock, SystemClock};
pub use embedded::{AdminError, OpenServerError, Server, ServerOptions};
pub use engine::Channels;
pub use enrolment::{INVITE_VALID, Invitation};
