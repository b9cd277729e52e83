//! The simulated gateway, seen by merchants, customers and the network.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on must stop, and says where"
)]

mod codes;
mod faults;
mod notices;
mod official;
mod page;
mod phone_actions;
mod process;
mod refunds;
mod strictness;
mod world;
