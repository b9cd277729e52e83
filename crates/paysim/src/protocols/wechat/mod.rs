//! WeChat Pay from the gateway's side: API v3 at its official paths, and the payment codes of
//! API v2 (docs: protocols, wechat-pay-v3).

mod account;
mod bill;
mod caller;
mod keys;
mod message;
mod notice;
mod order;
mod refund;
mod refusal;
mod v2;
mod v3;

use std::collections::BTreeMap;

use bytes::Bytes;
use qiantai_core::clock::Timestamp;

pub use account::{CodeApi, KeyMode, WechatOpening};
pub(crate) use notice::notice;

use super::Reply;
use crate::gateway::{Acknowledgement, Event, Gateway};
use account::WechatMerchant;
use bill::StoredBill;
use keys::SigningKeys;

/// Paths of both generations.
pub(crate) const PATHS: [&str; 3] = ["/v3/{*rest}", "/pay/{*rest}", "/secapi/{*rest}"];

/// Merchants, keys, and what was seen and made by now.
#[derive(Clone, Debug, Default)]
pub(crate) struct Side {
    merchants: BTreeMap<String, WechatMerchant>,
    keys: SigningKeys,
    /// Nonces of requests by merchant, with the time at which they came.
    nonces: BTreeMap<(String, String), Timestamp>,
    /// Bills that wait to be downloaded, by their token.
    bills: BTreeMap<String, StoredBill>,
}

/// What a merchant answers to a notice: each API in its own form.
pub(crate) fn acknowledgement(gateway: &Gateway, event: &Event) -> Acknowledgement {
    match event {
        Event::Refunded(told) if gateway.refund_told(told).is_told_in_old_form => {
            Acknowledgement::Xml("return_code", "SUCCESS")
        }
        _ => Acknowledgement::Status,
    }
}

/// Answers one request.
pub(crate) fn answer(
    gateway: &mut Gateway,
    request: &http::Request<Bytes>,
    now: Timestamp,
) -> Reply {
    if request.uri().path().starts_with("/v3/") {
        v3::answer(gateway, request, now)
    } else {
        v2::answer(gateway, request, now)
    }
}
