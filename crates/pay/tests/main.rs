//! The training channel and the transport, seen from outside.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on must stop, and says where"
)]

mod answers;
mod emv;
mod notices;
mod registry;
mod scripted;
mod signature;
mod transport;
mod wechat;
