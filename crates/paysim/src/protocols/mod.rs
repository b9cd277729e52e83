//! The protocols by which merchants reach the gateway: each a thin translation between its own
//! messages and the one book of [`Gateway`]. Request bytes in, answer bytes out.

pub mod alipay;
mod reply;
pub mod shouqianba;
pub mod training;
pub mod unionpay;
pub mod wechat;

use std::collections::BTreeMap;

use bytes::Bytes;
use http::{HeaderValue, Method, header};
use qiantai_core::clock::{Millis, Timestamp};
use time::Date;
use time::macros::offset;

pub(crate) use reply::{Call, Said, Seal, conduct};
pub use reply::{Reply, Timing};

use crate::gateway::{Acknowledgement, Gateway, Merchant, Protocol, RETRY_DELAYS, Try};

/// Accounts and keys of each protocol.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sides {
    pub training: BTreeMap<String, Merchant>,
    pub wechat: wechat::Side,
    pub alipay: alipay::Side,
    pub unionpay: unionpay::Side,
    pub shouqianba: shouqianba::Side,
}

/// About 25 hours in all.
const ALIPAY_DELAYS: [Millis; 7] = [
    Millis::minutes(4),
    Millis::minutes(10),
    Millis::minutes(10),
    Millis::hours(1),
    Millis::hours(2),
    Millis::hours(6),
    Millis::hours(15),
];

const UNIONPAY_DELAYS: [Millis; 4] = [
    Millis::minutes(1),
    Millis::minutes(2),
    Millis::minutes(4),
    Millis::minutes(15),
];

const SHOUQIANBA_DELAYS: [Millis; 4] = [
    Millis::seconds(1),
    Millis::seconds(5),
    Millis::seconds(30),
    Millis::seconds(600),
];

impl Protocol {
    /// Waits between the tries of a notice.
    pub(crate) const fn retry_delays(self) -> &'static [Millis] {
        match self {
            Protocol::Training | Protocol::Wechat => &RETRY_DELAYS,
            Protocol::Alipay => &ALIPAY_DELAYS,
            Protocol::Unionpay => &UNIONPAY_DELAYS,
            Protocol::Shouqianba => &SHOUQIANBA_DELAYS,
        }
    }

    const fn acknowledgement(self) -> Acknowledgement {
        match self {
            Protocol::Training | Protocol::Wechat | Protocol::Unionpay => Acknowledgement::Status,
            Protocol::Alipay | Protocol::Shouqianba => Acknowledgement::Body("success"),
        }
    }
}

impl Gateway {
    /// Begins to sign with new keys, in every protocol in which the gateway has its own.
    pub fn renew_keys(&mut self, now: Timestamp) {
        self.renew_wechat_keys(now);
        self.renew_alipay_keys(now);
        self.renew_unionpay_keys(now);
    }
}

/// Writes and signs a notice.
pub(crate) fn notice(gateway: &mut Gateway, notice: &Try, now: Timestamp) -> http::Request<Bytes> {
    let protocol = notice.draft.key.protocol;
    let (headers, body) = match protocol {
        Protocol::Training => training::notice(gateway, notice, now),
        Protocol::Wechat => wechat::notice(gateway, notice, now),
        Protocol::Alipay => alipay::notice(gateway, notice, now),
        Protocol::Unionpay => unionpay::notice(gateway, notice, now),
        Protocol::Shouqianba => shouqianba::notice(gateway, notice, now),
    };
    let mut request = http::Request::new(Bytes::from(body));
    *request.method_mut() = Method::POST;
    *request.uri_mut() = notice
        .draft
        .url
        .parse()
        .expect("the address was checked on arrival");
    *request.headers_mut() = headers;
    let wanted = match protocol {
        Protocol::Wechat => wechat::acknowledgement(gateway, &notice.draft.event),
        _ => protocol.acknowledgement(),
    };
    request.extensions_mut().insert(wanted);
    request
}

/// Host that the caller knows the gateway by.
pub(crate) fn host_of(request: &http::Request<Bytes>) -> String {
    let named = request.headers().get(header::HOST);
    let named = named.and_then(|host| host.to_str().ok());
    let authority = request.uri().authority().map(|host| host.as_str());
    named.or(authority).unwrap_or("localhost").to_owned()
}

/// First instant of a day in China, and that of the next.
pub(crate) fn day_of(date: Date) -> (Timestamp, Timestamp) {
    let first = date.midnight().assume_offset(offset!(+8));
    let first = Timestamp::from_ms(first.unix_timestamp() * 1_000);
    (first, first + Millis::days(1))
}

/// A header's value of characters that headers may hold.
pub(crate) fn header_value(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).expect("numbers, dates and base64 are plain text")
}
