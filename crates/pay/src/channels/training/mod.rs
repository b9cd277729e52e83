//! The `training` channel: the simulated gateway's own protocol.
//!
//! JSON over HTTP POST ([`message`]), every message signed with a shared key ([`signature`]). It
//! stands in for every wallet, so that a shop can practise and a test can break things at will.

mod client;
pub mod message;
mod read;
pub mod signature;

use std::sync::Arc;

use serde::Deserialize;
use serde_json::Value;

pub use client::TrainingChannel;

use crate::channel::{Channel, ChannelId};
use crate::registry::OpenError;
use crate::secret::SharedKey;
use crate::surroundings::Surroundings;
use crate::transport::HttpTransport;

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

pub(crate) fn open(
    settings: Value,
    transport: Arc<dyn HttpTransport>,
    surroundings: Arc<dyn Surroundings>,
) -> Result<Arc<dyn Channel>, OpenError> {
    let config: TrainingConfig =
        serde_json::from_value(settings).map_err(|error| OpenError::Settings {
            channel: ID,
            problem: error.to_string(),
        })?;
    Ok(Arc::new(TrainingChannel::new(
        config,
        transport,
        surroundings,
    )?))
}
