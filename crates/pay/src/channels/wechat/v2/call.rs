//! Calls of API v2: built, signed, sent, verified.

use std::collections::BTreeMap;
use std::net::IpAddr;

use bytes::Bytes;
use http::{HeaderValue, Method, StatusCode, Uri, header};

use super::signature::SignType;
use super::xml::{read_xml, write_xml};
use crate::answer::{ConfigCause, UnknownCause};
use crate::channel::CodeRequest;
use crate::channels::wechat::account::Account;
use crate::channels::wechat::client::{SUBJECT_MAX, WechatChannel, checked_order_no, incomplete};
use crate::channels::wechat::fetch::USER_AGENT;
use crate::channels::wechat::message::{CURRENCY, plain_text};
use crate::channels::wechat::read::Trouble;
use crate::secret::SecretText;
use crate::transport::ClientIdentity;

/// Path of a charge.
const MICROPAY: &str = "/pay/micropay";
/// Path of a reversal.
const REVERSE: &str = "/secapi/pay/reverse";
/// The gateway signs its answers in the way it was asked.
const SIGN_TYPE: SignType = SignType::HmacSha256;

/// A verified answer's parameters, or why there are none.
pub(super) type Params = BTreeMap<String, String>;

/// Charges a payment code.
pub(in crate::channels::wechat) async fn charge(
    channel: &WechatChannel,
    request: &CodeRequest,
    key: &SecretText,
    device_ip: IpAddr,
) -> Result<Params, Trouble> {
    let number = checked_order_no(&request.attempt_no)?;
    let params = [
        ("body", plain_text(&request.subject, SUBJECT_MAX)),
        ("out_trade_no", number.to_owned()),
        ("total_fee", request.amount.fen().to_string()),
        ("fee_type", CURRENCY.to_owned()),
        ("spbill_create_ip", device_ip.to_string()),
        ("auth_code", request.auth_code.expose().to_owned()),
    ];
    call(channel, MICROPAY, params.into(), key, None).await
}

/// Undoes a charge; the gateway wants the client certificate.
pub(in crate::channels::wechat) async fn reverse(
    channel: &WechatChannel,
    attempt_no: &str,
    key: &SecretText,
    identity: &ClientIdentity,
) -> Result<Params, Trouble> {
    let number = checked_order_no(attempt_no)?;
    let params = [("out_trade_no", number.to_owned())];
    call(channel, REVERSE, params.into(), key, Some(identity)).await
}

async fn call(
    channel: &WechatChannel,
    path: &str,
    params: BTreeMap<&str, String>,
    key: &SecretText,
    identity: Option<&ClientIdentity>,
) -> Result<Params, Trouble> {
    let nonce = channel.surroundings.nonce();
    let mut request = request(&channel.account, path, &nonce, params, key)?;
    if let Some(identity) = identity {
        request.extensions_mut().insert(identity.clone());
    }
    let answer = channel.send(&mut channel.errand(), request).await?;
    verified(&channel.account, key, &answer)
}

fn request(
    account: &Account,
    path: &str,
    nonce: &str,
    params: BTreeMap<&str, String>,
    key: &SecretText,
) -> Result<http::Request<Bytes>, Trouble> {
    let mut params: Params = params
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect();
    for (name, value) in [
        ("appid", account.appid.as_str()),
        ("mch_id", account.mchid.as_str()),
        ("nonce_str", nonce),
        ("sign_type", SIGN_TYPE.name()),
    ] {
        params.insert(name.to_owned(), value.to_owned());
    }
    let sign = SIGN_TYPE.sign(&params, key).map_err(|error| {
        tracing::error!(%error, "a request could not be signed");
        Trouble::Config(ConfigCause::Signature)
    })?;
    params.insert("sign".to_owned(), sign);
    let uri = format!("{}{path}", account.base_url);
    let uri: Uri = uri
        .parse()
        .map_err(|_| incomplete("base_url cannot stand in a request"))?;
    let mut request = http::Request::new(Bytes::from(write_xml(&params)));
    *request.method_mut() = Method::POST;
    *request.uri_mut() = uri;
    let headers = request.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/xml"));
    headers.insert(header::USER_AGENT, USER_AGENT);
    Ok(request)
}

/// Reads an answer in its layers: transport, signature, whose it is.
fn verified(
    account: &Account,
    key: &SecretText,
    answer: &http::Response<Bytes>,
) -> Result<Params, Trouble> {
    let unknown = |cause| Err(Trouble::Unknown(cause));
    match answer.status() {
        StatusCode::OK => {}
        StatusCode::TOO_MANY_REQUESTS => return unknown(UnknownCause::Busy),
        status if status.is_server_error() => {
            return unknown(UnknownCause::GatewayFault(status.as_u16()));
        }
        status => return unknown(UnknownCause::Unreadable(format!("status {status}"))),
    }
    let params = match read_xml(answer.body()) {
        Ok(params) => params,
        Err(error) => return unknown(UnknownCause::Unreadable(error.to_string())),
    };
    let field = |name: &str| params.get(name).map_or("", String::as_str);
    if field("return_code") != "SUCCESS" {
        // Refused before anything was looked at, and not signed. Only a wrong signature of ours
        // is sure to have moved nothing.
        return Err(if field("return_msg").contains("签名") {
            Trouble::Config(ConfigCause::Signature)
        } else {
            Trouble::Unknown(UnknownCause::Unreadable(field("return_msg").to_owned()))
        });
    }
    if !SIGN_TYPE.verifies(&params, key) {
        return unknown(UnknownCause::BadSignature);
    }
    if field("mch_id") != account.mchid || field("appid") != account.appid {
        return unknown(UnknownCause::Mismatched);
    }
    Ok(params)
}
