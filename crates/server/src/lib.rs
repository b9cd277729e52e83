//! The authority: ledger, tiers, promotions, payments, events.
//!
//! A [`Server`] is opened on a file and answers through its router, in process or behind a
//! socket. Everything that changes the ledger goes through one [`writer`] per tenant.

pub mod accounts;
pub mod adopt;
mod api;
pub mod audit;
pub mod backup;
mod challenges;
pub mod clock;
pub mod copies;
pub mod data_folder;
pub mod db;
pub mod desks;
pub mod doctor;
pub mod embedded;
pub mod engine;
mod enrolment;
pub mod gateway_check;
pub mod gateways;
pub mod leases;
pub mod limits;
mod metrics;
pub mod network;
mod new_shop;
pub mod quarantine;
pub mod receipts;
pub mod replay;
pub mod restore;
pub mod roster;
pub mod sample;
pub mod tls;
pub mod tree_head;
pub mod verify;
pub mod writer;

pub use api::openapi;
pub use clock::{Clock, SteadyClock, SystemClock};
pub use embedded::{AdminError, OpenServerError, Server, ServerOptions};
pub use engine::Channels;
pub use enrolment::{INVITE_VALID, Invitation, device_of_key};
pub use new_shop::NewShop;
