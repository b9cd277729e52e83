//! Shouqianba's requests.

use bytes::Bytes;
use http::{HeaderValue, header};
use serde_json::{Value, json};

use super::ShouqianbaConfig;
use super::signature::authorization;
use super::terminal::Terminal;
use crate::channel::{CodeRequest, QrRequest, RefundRequest, Wallet};
use crate::channels::exchange::post;
use crate::crypto::CryptoError;
use crate::notice::PaymentNotice;

/// Charges a payment code.
pub(super) const PAY: &str = "/upay/v2/pay";
/// Makes a QR code.
pub(super) const PRECREATE: &str = "/upay/v2/precreate";
/// Asks about an order.
pub(super) const QUERY: &str = "/upay/v2/query";
/// Undoes an order of the same day, paid or not.
pub(super) const CANCEL: &str = "/upay/v2/cancel";
/// Returns money.
pub(super) const REFUND: &str = "/upay/v2/refund";
/// Makes this machine a terminal.
pub(super) const ACTIVATE: &str = "/terminal/activate";
/// Changes the terminal's key.
pub(super) const CHECK_IN: &str = "/terminal/checkin";

/// Longest subject, in characters.
const SUBJECT_CHARACTERS_MAX: usize = 64;

/// A signed request; `sn` names whose key signs.
pub(super) fn signed(
    config: &ShouqianbaConfig,
    path: &str,
    content: &Value,
    sn: &str,
    key: &str,
) -> Result<http::Request<Bytes>, CryptoError> {
    let body = content.to_string();
    let authorization = authorization(sn, body.as_bytes(), key)?;
    let address = format!("{}{path}", config.base_url);
    let mut request = post(&address, "application/json; charset=utf-8", body);
    let authorization = HeaderValue::from_str(&authorization)
        .expect("numbers of terminals and vendors are letters and digits");
    request
        .headers_mut()
        .insert(header::AUTHORIZATION, authorization);
    Ok(request)
}

pub(super) fn activate(config: &ShouqianbaConfig) -> Value {
    json!({
        "app_id": config.app_id,
        "code": config.activation_code.expose(),
        "device_id": config.device_id,
        "name": config.device_id,
        "os_info": std::env::consts::OS,
        "sdk_version": concat!("Qiantai/", env!("CARGO_PKG_VERSION")),
    })
}

pub(super) fn check_in(config: &ShouqianbaConfig, terminal: &Terminal) -> Value {
    json!({ "terminal_sn": terminal.sn, "device_id": config.device_id })
}

pub(super) fn pay(config: &ShouqianbaConfig, request: &CodeRequest) -> Value {
    let mut content = json!({
        "client_sn": request.attempt_no,
        "total_amount": request.amount.fen().to_string(),
        "dynamic_id": request.auth_code.expose(),
        "subject": subject(&request.subject),
        "operator": config.operator,
        "device_id": config.device_id,
    });
    notify(&mut content, request.notify_url.as_deref());
    content
}

/// `None` for a wallet that the contract does not carry.
pub(super) fn precreate(config: &ShouqianbaConfig, request: &QrRequest) -> Option<Value> {
    let payway = match request.wallet {
        Wallet::Alipay => "2",
        Wallet::Wechat => "3",
        Wallet::Unionpay => "17",
        Wallet::Ecny => config.ecny_payway.as_deref()?,
    };
    let mut content = json!({
        "client_sn": request.attempt_no,
        "total_amount": request.amount.fen().to_string(),
        "payway": payway,
        "subject": subject(&request.subject),
        "operator": config.operator,
        "device_id": config.device_id,
    });
    notify(&mut content, request.notify_url.as_deref());
    Some(content)
}

pub(super) fn order(attempt_no: &str) -> Value {
    json!({ "client_sn": attempt_no })
}

/// By both numbers; the gateway's own goes first. It finds orders of the terminal's merchant only.
pub(super) fn paid_order(notice: &PaymentNotice) -> Value {
    json!({
        "sn": notice.paid.channel_txn_no,
        "client_sn": notice.attempt_no,
    })
}

pub(super) fn refund(config: &ShouqianbaConfig, request: &RefundRequest) -> Value {
    let mut content = json!({
        "refund_request_no": request.refund_no,
        "refund_amount": request.amount.fen().to_string(),
        "operator": config.operator,
    });
    match &request.channel_txn_no {
        Some(sn) => content["sn"] = json!(sn),
        None => content["client_sn"] = json!(request.attempt_no),
    }
    content
}

fn notify(content: &mut Value, url: Option<&str>) {
    if let Some(url) = url {
        content["notify_url"] = json!(url);
    }
}

fn subject(text: &str) -> String {
    text.chars().take(SUBJECT_CHARACTERS_MAX).collect()
}
