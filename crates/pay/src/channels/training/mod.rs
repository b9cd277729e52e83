//! The `training` channel: the simulated gateway's own protocol.
//!
//! JSON over HTTP POST ([`message`]), every message signed with a shared key ([`signature`]). It
//! stands in for every wallet, so that a shop can practise and a test can break things at will.

mod client;
pub mod message;
mod read;
pub mod signature;

use serde::Deserialize;

pub use client::TrainingChannel;

use crate::channel::ChannelId;
use crate::secret::SharedKey;

/// This channel's name.
pub const ID: ChannelId = ChannelId("training");

/// Settings of the channel.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrainingConfig {
    /// Where the gateway listens, such as `http://127.0.0.1:8787`.
    pub base_url: String,
    /// Our merchant number at the gateway.
    pub merchant: String,
    /// The key shared with the gateway; in JSON as hexadecimal.
    pub key: SharedKey,
}
