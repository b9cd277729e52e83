//! The `wechat` channel: WeChat Pay (微信支付) for a direct merchant.
//!
//! API v3 throughout: JSON, signed with RSA in both directions ([`signature`]), notices and
//! certificates sealed with the APIv3 key. Payment codes go by API v3 or by the older [`v2`], as
//! the merchant's contract has it. Everything but `client` and `fetch` is a pure function over
//! bytes.

mod account;
mod bill;
mod certificates;
mod client;
mod codes;
mod fetch;
mod keyring;
mod message;
mod notice;
mod read;
pub(crate) mod set_up;
mod settings;
pub mod signature;
pub mod v2;

use std::sync::Arc;

use serde_json::Value;

pub use account::{Account, CodeApi};
pub use bill::{BillError, check_hash, read_bill, unpack};
pub use certificates::{PlatformCertificate, read_certificates};
pub use client::WechatChannel;
pub use codes::{Meaning, meaning};
pub use keyring::PlatformKeys;
pub use notice::{OpenedNotice, open_notice};
pub use settings::{CodeApiSetting, PublicKeySetting, WechatSettings};

use crate::channel::{Channel, ChannelId};
use crate::registry::OpenError;
use crate::surroundings::Surroundings;
use crate::transport::HttpTransport;

/// This channel's name.
pub const ID: ChannelId = ChannelId("wechat");

pub(crate) fn open(
    settings: Value,
    transport: Arc<dyn HttpTransport>,
    surroundings: Arc<dyn Surroundings>,
) -> Result<Arc<dyn Channel>, OpenError> {
    let wrong = |problem: String| OpenError::Settings {
        channel: ID,
        problem,
    };
    let settings: WechatSettings =
        serde_json::from_value(settings).map_err(|error| wrong(error.to_string()))?;
    let account = Account::new(settings).map_err(wrong)?;
    Ok(Arc::new(WechatChannel::new(
        account,
        transport,
        surroundings,
    )))
}
