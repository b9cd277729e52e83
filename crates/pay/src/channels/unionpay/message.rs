//! UnionPay's requests, as signed pairs.

use qiantai_core::clock::Timestamp;
use qiantai_core::money::Money;

use super::UnionpayConfig;
use super::signature::sign;
use crate::beijing;
use crate::channel::{CodeRequest, QrRequest, RefundRequest};
use crate::channels::exchange::made_at;
use crate::crypto::{CryptoError, KeyStore};
use crate::pairs::Pairs;

/// Where transactions go.
pub(super) const TRANSACT: &str = "/gateway/api/backTransReq.do";
/// Where questions go.
pub(super) const QUERY: &str = "/gateway/api/queryTrans.do";
/// What UnionPay wants as the address of notices when none are wanted.
const NO_NOTICES: &str = "http://www.specialUrl.com";

/// A number that UnionPay takes, with the time that goes with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Reference {
    pub order_id: String,
    pub txn_time: Timestamp,
}

impl Reference {
    /// `None` for a number without a time in it, or with characters that UnionPay refuses.
    pub(super) fn of(number: &str) -> Option<Reference> {
        let is_plain = number.bytes().all(|byte| byte.is_ascii_alphanumeric());
        let fits = is_plain && (8..=40).contains(&number.len());
        let txn_time = made_at(number).filter(|_| fits)?;
        Some(Reference {
            order_id: number.to_owned(),
            txn_time,
        })
    }

    /// The reference of this attempt's reversal: always the same, so that it can be repeated and
    /// asked about.
    pub(super) fn reversal(&self) -> Reference {
        Reference {
            order_id: format!("{}C", self.order_id),
            ..self.clone()
        }
    }

    /// When the QR code of this attempt can no longer be paid, at the latest.
    pub(super) fn code_ends_at(&self, config: &UnionpayConfig) -> Timestamp {
        config.qr_minutes.end(self.txn_time)
    }
}

/// Applies for a QR code (01/07).
pub(super) fn qr(config: &UnionpayConfig, at: &Reference, request: &QrRequest) -> Pairs {
    let mut params = transaction(config, at, "01", "07");
    params.set("currencyCode", "156");
    params.set("txnAmt", request.amount.fen().to_string());
    let end = at.code_ends_at(config).min(request.expires_at);
    params.set("payTimeout", beijing::compact(end));
    params.set("backUrl", notices(request.notify_url.as_deref()));
    params
}

/// Charges a payment code (01/06).
pub(super) fn charge(config: &UnionpayConfig, at: &Reference, request: &CodeRequest) -> Pairs {
    let mut params = transaction(config, at, "01", "06");
    params.set("currencyCode", "156");
    params.set("txnAmt", request.amount.fen().to_string());
    params.set("qrNo", request.auth_code.expose());
    if let Some(terminal) = &config.terminal_id {
        params.set("termId", terminal);
    }
    params.set("backUrl", notices(request.notify_url.as_deref()));
    params
}

/// Asks about a transaction (00/00).
pub(super) fn query(config: &UnionpayConfig, at: &Reference) -> Pairs {
    transaction(config, at, "00", "00")
}

/// Cancels a payment of the same day in full (31/00).
pub(super) fn cancel(
    config: &UnionpayConfig,
    at: &Reference,
    query_id: &str,
    amount: Money,
) -> Pairs {
    undo(transaction(config, at, "31", "00"), query_id, amount)
}

/// Returns money (04/00). Its notice names the payment by UnionPay's number only, and repeats what
/// is reserved for us: our number of the attempt.
pub(super) fn refund(
    config: &UnionpayConfig,
    at: &Reference,
    query_id: &str,
    request: &RefundRequest,
) -> Pairs {
    let params = transaction(config, at, "04", "00");
    let mut params = undo(params, query_id, request.amount);
    params.set("backUrl", notices(request.notify_url.as_deref()));
    params.set("reqReserved", &request.attempt_no);
    params
}

fn undo(mut params: Pairs, query_id: &str, amount: Money) -> Pairs {
    params.set("origQryId", query_id);
    params.set("txnAmt", amount.fen().to_string());
    params.set("backUrl", NO_NOTICES);
    params
}

fn transaction(config: &UnionpayConfig, at: &Reference, kind: &str, sub_kind: &str) -> Pairs {
    let mut params = Pairs::new();
    params.set("version", "5.1.0");
    params.set("encoding", "UTF-8");
    params.set("signMethod", "01");
    params.set("bizType", "000000");
    params.set("accessType", "0");
    params.set("channelType", "08");
    params.set("merId", &config.merchant_id);
    params.set("txnType", kind);
    params.set("txnSubType", sub_kind);
    params.set("orderId", &at.order_id);
    params.set("txnTime", beijing::compact(at.txn_time));
    params
}

fn notices(url: Option<&str>) -> &str {
    url.unwrap_or(NO_NOTICES)
}

/// Names our certificate and signs.
pub(super) fn signed(mut params: Pairs, keys: &KeyStore) -> Result<Pairs, CryptoError> {
    params.set("certId", keys.certificate.serial_decimal()?);
    let signature = sign(&params, &keys.private_key)?;
    params.set("signature", signature);
    Ok(params)
}
