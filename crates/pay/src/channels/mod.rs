//! One folder for each gateway's protocol.

use std::sync::Arc;

use serde_json::Value;

use crate::channel::{Channel, ChannelId};
use crate::registry::OpenError;
use crate::surroundings::Surroundings;
use crate::transport::HttpTransport;

pub mod alipay;
pub mod emv;
mod exchange;
mod keyed_md5;
pub mod shouqianba;
pub mod training;
mod trust;
pub mod unionpay;
pub mod wechat;

pub(crate) type Open = fn(
    settings: Value,
    transport: Arc<dyn HttpTransport>,
    surroundings: Arc<dyn Surroundings>,
) -> Result<Arc<dyn Channel>, OpenError>;

/// Every channel there is, with the function that opens it from its settings.
pub(crate) const ALL: &[(ChannelId, Open)] = &[
    (alipay::ID, alipay::open),
    (shouqianba::ID, shouqianba::open),
    (training::ID, training::open),
    (unionpay::ID, unionpay::open),
    (wechat::ID, wechat::open),
];
