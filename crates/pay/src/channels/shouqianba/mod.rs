//! Shouqianba (收钱吧), an aggregator: WeChat, Alipay, UnionPay and others under one contract.
//!
//! Requests are signed by MD5 with the terminal's key, which changes daily. Answers are not
//! signed: they are believed for TLS. Notices bear the vendor's signature and name no merchant: they
//! are hints, and money is believed by our own query.

mod activation;
mod client;
mod codes;
mod message;
mod read;
pub(crate) mod set_up;
pub mod signature;
mod terminal;

use std::path::PathBuf;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::Value;

pub use super::keyed_md5::{keyed_md5_upper, keyed_text};
pub use activation::ActivationFault;
pub use client::ShouqianbaChannel;
pub use terminal::{Terminal, TerminalFile, TerminalStore, TerminalStoreError};

use super::exchange;
use crate::channel::{Channel, ChannelId};
use crate::registry::OpenError;
use crate::secret::SecretText;
use crate::surroundings::Surroundings;
use crate::transport::HttpTransport;

/// This channel's name.
pub const ID: ChannelId = ChannelId("shouqianba");

/// Settings of the channel. One server owns a terminal: two would end each other's keys.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShouqianbaConfig {
    /// The gateway.
    #[serde(default = "gateway")]
    pub base_url: String,
    /// The vendor's number (开发者序列号).
    pub vendor_sn: String,
    /// The vendor's key.
    pub vendor_key: SecretText,
    /// Number of the application.
    pub app_id: String,
    /// The activation code from the shop's contract.
    pub activation_code: SecretText,
    /// Name of this machine: unique and for ever the same.
    pub device_id: String,
    /// Where the terminal's number and key are kept. Losing the file costs an activation. Absent
    /// where the host keeps terminals, see [`open_with`].
    #[serde(default)]
    pub terminal_file: Option<PathBuf>,
    /// The public key by which notices are verified. Without it whoever knows an attempt's number
    /// can make the gateway be asked about it; believed is its answer alone, either way.
    #[serde(default)]
    pub notice_public_key: Option<String>,
    /// Shown in the shop's back office beside each payment.
    #[serde(default = "operator")]
    pub operator: String,
    /// `payway` of e-CNY, as the contract names it; without it e-CNY is off.
    #[serde(default)]
    pub ecny_payway: Option<String>,
}

fn gateway() -> String {
    "https://vsi-api.shouqianba.com".to_owned()
}

fn operator() -> String {
    "qiantai".to_owned()
}

pub(crate) fn open(
    settings: Value,
    transport: Arc<dyn HttpTransport>,
    surroundings: Arc<dyn Surroundings>,
) -> Result<Arc<dyn Channel>, OpenError> {
    Ok(open_with(settings, None, transport, surroundings)?)
}

/// Opens the channel with a place for its terminal; without one it is kept in `terminal_file`.
///
/// # Errors
/// Where the settings are wrong, or the terminal that is kept cannot be read.
pub fn open_with(
    settings: Value,
    store: Option<Arc<dyn TerminalStore>>,
    transport: Arc<dyn HttpTransport>,
    surroundings: Arc<dyn Surroundings>,
) -> Result<Arc<ShouqianbaChannel>, OpenError> {
    let config: ShouqianbaConfig = exchange::settings(ID, settings)?;
    let store = match (store, &config.terminal_file) {
        (Some(store), _) => store,
        (None, Some(path)) => Arc::new(TerminalFile::new(path)),
        (None, None) => return Err(exchange::wrong(ID, "terminal_file is missing")),
    };
    let channel = ShouqianbaChannel::new(config, store, transport, surroundings)?;
    Ok(Arc::new(channel))
}
