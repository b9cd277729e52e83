//! What the gateways' clients share: requests, settings, and the time in a number.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderValue, Method, Uri, header};
use qiantai_core::clock::{Millis, Timestamp};
use qiantai_core::order_no::OrderNo;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::channel::{Channel, ChannelId};
use crate::registry::OpenError;

/// A POST of `body` to `address`, which was made of a checked base address.
pub(super) fn post(
    address: &str,
    content_type: &'static str,
    body: String,
) -> http::Request<Bytes> {
    let mut request = http::Request::new(Bytes::from(body));
    *request.method_mut() = Method::POST;
    *request.uri_mut() = address
        .parse::<Uri>()
        .expect("the base address was checked when the channel was opened");
    let content_type = HeaderValue::from_static(content_type);
    request
        .headers_mut()
        .insert(header::CONTENT_TYPE, content_type);
    request
}

/// Reads a channel's settings.
pub(super) fn settings<T: DeserializeOwned>(
    channel: ChannelId,
    settings: Value,
) -> Result<T, OpenError> {
    serde_json::from_value(settings).map_err(|error| wrong(channel, error))
}

/// Reads a channel's settings and opens it; nothing is sent.
pub(super) fn open<S: DeserializeOwned, C: Channel + 'static>(
    channel: ChannelId,
    given: Value,
    new: impl FnOnce(S) -> Result<C, OpenError>,
) -> Result<Arc<dyn Channel>, OpenError> {
    Ok(Arc::new(new(settings(channel, given)?)?))
}

/// The refusal of a channel's settings.
pub(super) fn wrong(channel: ChannelId, problem: impl ToString) -> OpenError {
    OpenError::Settings {
        channel,
        problem: problem.to_string(),
    }
}

/// Checks an address of scheme and host, and takes a closing slash off.
pub(super) fn base_url(channel: ChannelId, text: &str) -> Result<String, OpenError> {
    let base: Uri = text
        .parse()
        .map_err(|_| wrong(channel, "base_url is not an address"))?;
    let is_web = matches!(base.scheme_str(), Some("http" | "https"));
    if !is_web || base.path() != "/" || base.query().is_some() {
        let problem = "base_url must be http:// or https:// and a host, without a path";
        return Err(wrong(channel, problem));
    }
    Ok(text.trim_end_matches('/').to_owned())
}

/// When the attempt or refund of this number was made (docs: domain §3.10); `None` for a number
/// of another form.
pub(super) fn made_at(number: &str) -> Option<Timestamp> {
    let number: OrderNo = number.parse().ok()?;
    Some(number.at())
}

/// True once what was sent for this number can no longer arrive: `wait` after it was sent, or, where
/// the caller does not know when that was, after the number was made.
pub(super) fn cannot_arrive(
    number: &str,
    sent_at: Option<Timestamp>,
    wait: Millis,
    now: Timestamp,
) -> bool {
    let sent_at = sent_at.or_else(|| made_at(number));
    sent_at.is_some_and(|sent| now >= sent + wait)
}
