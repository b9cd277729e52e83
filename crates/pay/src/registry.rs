//! The channels that a server offers.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use crate::channel::{Channel, ChannelId};
use crate::channels;
use crate::surroundings::Surroundings;
use crate::transport::HttpTransport;

/// Channels by name.
#[derive(Clone, Default)]
pub struct Registry {
    channels: BTreeMap<ChannelId, Arc<dyn Channel>>,
}

impl Registry {
    /// No channel at all.
    pub fn new() -> Registry {
        Registry::default()
    }

    /// Opens the channel `name` with its `settings` and offers it. An open channel of that name
    /// is replaced, which is how new credentials come into force.
    pub fn open(
        &mut self,
        name: &str,
        settings: Value,
        transport: Arc<dyn HttpTransport>,
        surroundings: Arc<dyn Surroundings>,
    ) -> Result<ChannelId, OpenError> {
        let (id, open) = channels::ALL
            .iter()
            .find(|(id, _)| id.0 == name)
            .ok_or_else(|| OpenError::NoSuchChannel(name.to_owned()))?;
        let channel = open(settings, transport, surroundings)?;
        self.channels.insert(*id, channel);
        Ok(*id)
    }

    /// Offers a channel that is open already.
    pub fn insert(&mut self, channel: Arc<dyn Channel>) {
        self.channels.insert(channel.id(), channel);
    }

    /// The channel of that name.
    pub fn get(&self, name: &str) -> Option<&Arc<dyn Channel>> {
        self.channels
            .iter()
            .find(|(id, _)| id.0 == name)
            .map(|(_, channel)| channel)
    }

    /// Names of the open channels, in alphabetical order.
    pub fn ids(&self) -> impl Iterator<Item = ChannelId> + '_ {
        self.channels.keys().copied()
    }
}

/// Why a channel cannot be opened.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// The name is not one of ours.
    #[error("there is no payment channel named {0:?}")]
    NoSuchChannel(String),
    /// The settings are incomplete or wrong; never quotes a secret.
    #[error("the settings of payment channel {channel} are wrong: {problem}")]
    Settings {
        /// Which channel.
        channel: ChannelId,
        /// What is wrong, for the person who sets it up.
        problem: String,
    },
}
