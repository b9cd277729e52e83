//! Alipay's requests: one method with its business content, as signed pairs.

use qiantai_core::clock::Timestamp;
use serde_json::{Value, json};
use time::Date;

use super::AlipayConfig;
use super::keys::{Keys, Trust};
use super::signature::sign_request;
use crate::beijing;
use crate::channel::{CodeRequest, QrRequest, RefundQuery, RefundRequest};
use crate::channels::exchange::made_at;
use crate::crypto::CryptoError;
use crate::pairs::Pairs;
use crate::yuan::yuan;

/// Longest subject, in characters.
const SUBJECT_CHARACTERS_MAX: usize = 256;

/// One call before it is signed.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Call {
    pub method: &'static str,
    pub content: Value,
    pub notify_url: Option<String>,
}

impl Call {
    fn new(method: &'static str, content: Value) -> Call {
        Call {
            method,
            content,
            notify_url: None,
        }
    }

    /// The node of the answer that is signed.
    pub(super) fn node(&self) -> String {
        format!("{}_response", self.method.replace('.', "_"))
    }
}

/// Makes a QR code that ends no later than [`code_ends_at`] says.
pub(super) fn precreate(config: &AlipayConfig, request: &QrRequest) -> Call {
    let end = match code_ends_at(config, &request.attempt_no) {
        Some(end) => end.min(request.expires_at),
        None => request.expires_at,
    };
    let content = json!({
        "out_trade_no": request.attempt_no,
        "total_amount": yuan(request.amount),
        "subject": subject(&request.subject),
        "product_code": "FACE_TO_FACE_PAYMENT",
        "time_expire": beijing::dashed(end),
    });
    Call {
        notify_url: request.notify_url.clone(),
        ..Call::new("alipay.trade.precreate", content)
    }
}

/// When the QR code of an attempt can no longer be paid, at the latest; `None` for a number that
/// does not tell when it was made.
pub(super) fn code_ends_at(config: &AlipayConfig, attempt_no: &str) -> Option<Timestamp> {
    made_at(attempt_no).map(|made| config.qr_minutes.end(made))
}

pub(super) fn pay(request: &CodeRequest) -> Call {
    let content = json!({
        "out_trade_no": request.attempt_no,
        "scene": "bar_code",
        "auth_code": request.auth_code.expose(),
        "subject": subject(&request.subject),
        "total_amount": yuan(request.amount),
        "product_code": "FACE_TO_FACE_PAYMENT",
    });
    Call {
        notify_url: request.notify_url.clone(),
        ..Call::new("alipay.trade.pay", content)
    }
}

pub(super) fn query(attempt_no: &str) -> Call {
    of_attempt("alipay.trade.query", attempt_no)
}

pub(super) fn close(attempt_no: &str) -> Call {
    of_attempt("alipay.trade.close", attempt_no)
}

pub(super) fn cancel(attempt_no: &str) -> Call {
    of_attempt("alipay.trade.cancel", attempt_no)
}

fn of_attempt(method: &'static str, attempt_no: &str) -> Call {
    Call::new(method, json!({ "out_trade_no": attempt_no }))
}

pub(super) fn refund(request: &RefundRequest) -> Call {
    let mut content = json!({
        "refund_amount": yuan(request.amount),
        "out_request_no": request.refund_no,
        "refund_reason": request.reason,
    });
    match &request.channel_txn_no {
        Some(trade_no) => content["trade_no"] = json!(trade_no),
        None => content["out_trade_no"] = json!(request.attempt_no),
    }
    Call::new("alipay.trade.refund", content)
}

pub(super) fn refund_query(query: &RefundQuery) -> Call {
    let content = json!({
        "out_trade_no": query.attempt_no,
        "out_request_no": query.refund_no,
    });
    Call::new("alipay.trade.fastpay.refund.query", content)
}

/// Asks where the bill of a day can be fetched. The address holds for 30 seconds.
pub(super) fn bill_address(day: Date) -> Call {
    let content = json!({ "bill_type": "trade", "bill_date": day.to_string() });
    Call::new("alipay.data.dataservice.bill.downloadurl.query", content)
}

/// Asks for one of Alipay's certificates.
pub(super) fn certificate(sn: &str) -> Call {
    let content = json!({ "alipay_cert_sn": sn });
    Call::new("alipay.open.app.alipaycert.download", content)
}

/// All parameters of a call, signed.
pub(super) fn signed(
    config: &AlipayConfig,
    keys: &Keys,
    call: &Call,
    now: Timestamp,
) -> Result<Pairs, CryptoError> {
    let mut params = Pairs::new();
    params.set("app_id", &config.app_id);
    params.set("method", call.method);
    params.set("format", "JSON");
    params.set("charset", "utf-8");
    params.set("sign_type", "RSA2");
    params.set("timestamp", beijing::dashed(now));
    params.set("version", "1.0");
    params.set("biz_content", call.content.to_string());
    if let Some(url) = &call.notify_url {
        params.set("notify_url", url);
    }
    if let Some(token) = &config.app_auth_token {
        params.set("app_auth_token", token.expose());
    }
    if let Trust::Certificates(trust) = &keys.trust {
        params.set("app_cert_sn", &trust.app_cert_sn);
        params.set("alipay_root_cert_sn", &trust.root_cert_sn);
    }
    let sign = sign_request(&params, &keys.private)?;
    params.set("sign", sign);
    Ok(params)
}

/// A subject without the characters that Alipay refuses, and no longer than it takes.
fn subject(text: &str) -> String {
    text.chars()
        .take(SUBJECT_CHARACTERS_MAX)
        .map(|character| match character {
            '/' => '／',
            '=' => '＝',
            '&' => '＆',
            other => other,
        })
        .collect()
}
