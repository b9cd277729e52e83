//! The channels that a server offers.

use std::collections::BTreeMap;
use std::sync::Arc;

use qiantai_core::clock::Timestamp;
use serde_json::Value;

use crate::channel::{Channel, ChannelId};
use crate::channels;
use crate::credentials::{Expiry, ending_soon};
use crate::rotation::Rotated;
use crate::surroundings::Surroundings;
use crate::transport::HttpTransport;

/// Channels by name.
#[derive(Clone, Default)]
pub struct Registry {
    channels: BTreeMap<ChannelId, Offered>,
}

#[derive(Clone)]
struct Offered {
    /// What callers get.
    channel: Arc<dyn Channel>,
    /// The same without what it replaced.
    bare: Arc<dyn Channel>,
}

impl Registry {
    /// No channel at all.
    pub fn new() -> Registry {
        Registry::default()
    }

    /// Opens the channel `name` with its `settings` and offers it. An open channel of that name
    /// is replaced, which is how new credentials come into force; for a day notices under the
    /// replaced credentials are still believed. Settings that do not open change nothing.
    pub fn open(
        &mut self,
        name: &str,
        settings: Value,
        transport: Arc<dyn HttpTransport>,
        surroundings: Arc<dyn Surroundings>,
    ) -> Result<ChannelId, OpenError> {
        let (_, open) = channels::ALL
            .iter()
            .find(|(id, _)| id.0 == name)
            .ok_or_else(|| OpenError::NoSuchChannel(name.to_owned()))?;
        let bare = open(settings, transport, surroundings.clone())?;
        Ok(self.replace(bare, surroundings))
    }

    /// Offers a channel that is open already in place of the one of its name, as [`Registry::open`]
    /// does.
    pub fn replace(
        &mut self,
        bare: Arc<dyn Channel>,
        surroundings: Arc<dyn Surroundings>,
    ) -> ChannelId {
        let id = bare.id();
        let channel: Arc<dyn Channel> = match self.channels.get(&id) {
            Some(old) => Arc::new(Rotated::new(bare.clone(), old.bare.clone(), surroundings)),
            None => bare.clone(),
        };
        self.channels.insert(id, Offered { channel, bare });
        id
    }

    /// Stops believing replaced credentials of the channel at once, where they were stolen.
    pub fn forget_replaced(&mut self, name: &str) {
        for (id, offered) in &mut self.channels {
            if id.0 == name {
                offered.channel = offered.bare.clone();
            }
        }
    }

    /// Offers a channel that is open already.
    pub fn insert(&mut self, channel: Arc<dyn Channel>) {
        let bare = channel.clone();
        self.channels
            .insert(channel.id(), Offered { channel, bare });
    }

    /// What ends within a month or has ended, with its channel, soonest first within each.
    pub fn ending_soon(&self, now: Timestamp) -> Vec<(ChannelId, Expiry)> {
        let of_channel = |(id, offered): (&ChannelId, &Offered)| {
            let id = *id;
            let ending = ending_soon(offered.channel.expiries(), now);
            ending.into_iter().map(move |expiry| (id, expiry))
        };
        self.channels.iter().flat_map(of_channel).collect()
    }

    /// The channel of that name.
    pub fn get(&self, name: &str) -> Option<&Arc<dyn Channel>> {
        self.channels
            .iter()
            .find(|(id, _)| id.0 == name)
            .map(|(_, offered)| &offered.channel)
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
