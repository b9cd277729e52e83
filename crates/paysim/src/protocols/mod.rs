//! The protocols by which merchants reach the gateway: each a thin translation between its own
//! messages and the one book of [`Gateway`]. Request bytes in, answer bytes out.

mod reply;
pub mod training;
pub mod wechat;

use std::collections::BTreeMap;

use bytes::Bytes;
use http::{HeaderValue, Method};
use qiantai_core::clock::{Millis, Timestamp};

pub(crate) use reply::{Call, Said, Seal, conduct};
pub use reply::{Reply, Timing};

use crate::gateway::{Acknowledgement, Gateway, Merchant, Protocol, RETRY_DELAYS, Try};

/// Accounts and keys of each protocol.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sides {
    pub training: BTreeMap<String, Merchant>,
    pub wechat: wechat::Side,
}

impl Protocol {
    /// Waits between the tries of a notice.
    pub(crate) const fn retry_delays(self) -> &'static [Millis] {
        match self {
            Protocol::Training | Protocol::Wechat => &RETRY_DELAYS,
        }
    }

    const fn acknowledgement(self) -> Acknowledgement {
        match self {
            Protocol::Training | Protocol::Wechat => Acknowledgement::Status,
        }
    }
}

impl Gateway {
    /// Begins to sign with new keys, in every protocol in which the gateway has its own.
    pub fn renew_keys(&mut self, now: Timestamp) {
        self.renew_wechat_keys(now);
    }
}

/// Writes and signs a notice.
pub(crate) fn notice(gateway: &mut Gateway, notice: &Try, now: Timestamp) -> http::Request<Bytes> {
    let protocol = notice.draft.key.protocol;
    let (headers, body) = match protocol {
        Protocol::Training => training::notice(gateway, notice, now),
        Protocol::Wechat => wechat::notice(gateway, notice, now),
    };
    let mut request = http::Request::new(Bytes::from(body));
    *request.method_mut() = Method::POST;
    *request.uri_mut() = notice
        .draft
        .url
        .parse()
        .expect("the address was checked on arrival");
    *request.headers_mut() = headers;
    request.extensions_mut().insert(protocol.acknowledgement());
    request
}

/// A header's value of characters that headers may hold.
pub(crate) fn header_value(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).expect("numbers, dates and base64 are plain text")
}
