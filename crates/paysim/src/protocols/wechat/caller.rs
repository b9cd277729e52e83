//! Who asks by API v3, once signature, clock and nonce hold.

use bytes::Bytes;
use http::{HeaderMap, StatusCode, header};
use qiantai_core::clock::{Millis, Timestamp};
use qiantai_pay::channels::wechat::signature::{Authorization, SERIAL};

use super::account::WechatMerchant;
use super::refusal::Refusal;
use crate::gateway::Gateway;

const CLOCK_TOLERANCE: Millis = Millis::minutes(5);
const NONCE_CHARS_MAX: usize = 32;

/// An admitted caller.
#[derive(Clone, Debug)]
pub(super) struct Caller {
    pub merchant: WechatMerchant,
    /// Serial of the key that the answer is to be signed with.
    pub wished_key: Option<String>,
}

pub(super) fn admitted(
    gateway: &mut Gateway,
    request: &http::Request<Bytes>,
    now: Timestamp,
) -> Result<Caller, Refusal> {
    let headers = request.headers();
    for name in [header::ACCEPT, header::USER_AGENT] {
        if text(headers, name.as_str()).is_none() {
            return Err(Refusal::parameter(format!("Http头缺少{name}")));
        }
    }
    let wrong =
        || Refusal::sign("Http头Authorization值格式错误，请参考《微信支付商户REST API签名规则》");
    let authorization = text(headers, header::AUTHORIZATION.as_str())
        .and_then(Authorization::read)
        .ok_or_else(wrong)?;
    let merchant = gateway
        .sides
        .wechat
        .merchant(&authorization.mchid)
        .ok_or_else(|| Refusal::sign("商户号不存在，请确认商户号"))?
        .clone();
    if !authorization
        .serial_no
        .eq_ignore_ascii_case(&merchant.serial_no)
    {
        return Err(Refusal::sign("商户证书序列号有误，请确认证书"));
    }
    let signed_at = Timestamp::from_ms(authorization.seconds.saturating_mul(1_000));
    let whole_now = now - Millis(now.ms().rem_euclid(1_000));
    if Millis((whole_now - signed_at).0.saturating_abs()) > CLOCK_TOLERANCE {
        return Err(Refusal::sign(
            "Http头Authorization中的timestamp与发起请求的时间不得超过5分钟",
        ));
    }
    let nonce = &authorization.nonce;
    if nonce.is_empty() || nonce.chars().count() > NONCE_CHARS_MAX {
        return Err(Refusal::sign("Http头Authorization中的nonce_str长度不符"));
    }
    let target = request
        .uri()
        .path_and_query()
        .map_or("/", |target| target.as_str());
    let method = request.method().as_str();
    if !authorization.verifies(&merchant.verify_key, method, target, request.body()) {
        return Err(Refusal::sign("签名错误，请检查后再试"));
    }
    note_nonce(gateway, &authorization, now)?;
    if !request.body().is_empty()
        && !text(headers, header::CONTENT_TYPE.as_str())
            .is_some_and(|kind| kind.starts_with("application/json"))
    {
        let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
        let message = "Http头Content-Type必须为application/json";
        return Err(Refusal::new(status, "PARAM_ERROR", message));
    }
    let wished_key = text(headers, SERIAL).map(str::to_owned);
    if let Some(serial) = &wished_key {
        let keys = &gateway.sides.wechat.keys;
        if keys.of_answer(merchant.mode, Some(serial)).is_none() {
            return Err(Refusal::parameter(
                "Http头Wechatpay-Serial有误，请检查平台公钥ID",
            ));
        }
    }
    Ok(Caller {
        merchant,
        wished_key,
    })
}

/// A nonce serves once; how old requests may be is bounded by their time.
fn note_nonce(
    gateway: &mut Gateway,
    authorization: &Authorization,
    now: Timestamp,
) -> Result<(), Refusal> {
    let nonces = &mut gateway.sides.wechat.nonces;
    nonces.retain(|_, came_at| now - *came_at <= Millis::minutes(11));
    let nonce = (authorization.mchid.clone(), authorization.nonce.clone());
    match nonces.insert(nonce, now) {
        None => Ok(()),
        Some(_) => Err(Refusal::sign("nonce_str重复，请求已被受理过")),
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let value = headers.get(name)?.to_str().ok()?;
    (!value.is_empty()).then_some(value)
}
