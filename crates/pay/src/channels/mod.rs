//! One folder for each gateway's protocol.

use std::sync::Arc;

use serde_json::Value;

use crate::channel::{Channel, ChannelId};
use crate::registry::OpenError;
use crate::set_up::SetUpForm;
use crate::surroundings::Surroundings;
use crate::transport::HttpTransport;

pub mod alipay;
mod errand;
mod exchange;
mod keyed_md5;
mod qr_life;
pub mod shouqianba;
pub mod training;
mod trust;
pub mod unionpay;
pub mod wechat;

/// EMVCo codes, which are no channel.
pub use qiantai_emv as emv;
pub use qr_life::QrLife;

use alipay::AlipayChannel;
use training::TrainingChannel;
use unionpay::UnionpayChannel;

pub(crate) type Open = fn(
    settings: Value,
    transport: Arc<dyn HttpTransport>,
    surroundings: Arc<dyn Surroundings>,
) -> Result<Arc<dyn Channel>, OpenError>;

/// Every channel there is, with the function that opens it from its settings.
pub(crate) const ALL: &[(ChannelId, Open)] = &[
    (alipay::ID, |settings, transport, surroundings| {
        exchange::open(alipay::ID, settings, |config| {
            AlipayChannel::new(config, transport, surroundings)
        })
    }),
    (shouqianba::ID, shouqianba::open),
    (training::ID, |settings, transport, surroundings| {
        exchange::open(training::ID, settings, |config| {
            TrainingChannel::new(config, transport, surroundings)
        })
    }),
    (unionpay::ID, |settings, transport, surroundings| {
        exchange::open(unionpay::ID, settings, |config| {
            UnionpayChannel::new(config, transport, surroundings)
        })
    }),
    (wechat::ID, wechat::open),
];

/// The channels that a shop sets up, in the order in which most do.
pub(crate) const FORMS: &[(ChannelId, &SetUpForm)] = &[
    (wechat::ID, &wechat::set_up::FORM),
    (alipay::ID, &alipay::set_up::FORM),
    (unionpay::ID, &unionpay::set_up::FORM),
    (shouqianba::ID, &shouqianba::set_up::FORM),
];
