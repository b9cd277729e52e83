//! How answers are written: one node, signed as it stands.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use http::StatusCode;
use qiantai_core::attempt::DeclineCode;
use qiantai_pay::Charset;
use serde_json::{Map, Value, json};

use super::account::{Mode, sn};
use super::caller::Caller;
use super::page;
use crate::gateway::{BookRefusal, Gateway};

/// The fields of a node whose code is no fault.
#[derive(Clone, Debug)]
pub(super) struct Said {
    code: &'static str,
    message: &'static str,
    pub fields: Map<String, Value>,
}

impl Said {
    /// The call succeeded.
    pub fn success(fields: Value) -> Said {
        Said::of("10000", "Success", fields)
    }

    /// The order stands and the customer is paying.
    pub fn waiting(fields: Value) -> Said {
        Said::of("10003", "order success pay inprocess", fields)
    }

    fn of(code: &'static str, message: &'static str, fields: Value) -> Said {
        let fields = match fields {
            Value::Object(fields) => fields,
            _ => Map::new(),
        };
        Said {
            code,
            message,
            fields,
        }
    }
}

/// Why a call is not done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    code: &'static str,
    message: &'static str,
    sub_code: &'static str,
    sub_message: String,
}

impl Refusal {
    pub fn missing(sub_code: &'static str, sub_message: &str) -> Refusal {
        Refusal::of("40001", "Missing Required Arguments", sub_code, sub_message)
    }

    pub fn parameter(sub_code: &'static str, sub_message: &str) -> Refusal {
        Refusal::of("40002", "Invalid Arguments", sub_code, sub_message)
    }

    pub fn business(sub_code: &'static str, sub_message: &str) -> Refusal {
        Refusal::of("40004", "Business Failed", sub_code, sub_message)
    }

    fn of(
        code: &'static str,
        message: &'static str,
        sub_code: &'static str,
        sub_message: &str,
    ) -> Refusal {
        Refusal {
            code,
            message,
            sub_code,
            sub_message: sub_message.to_owned(),
        }
    }

    pub fn no_trade() -> Refusal {
        Refusal::business("ACQ.TRADE_NOT_EXIST", "交易不存在")
    }

    fn node(&self) -> Value {
        json!({
            "code": self.code,
            "msg": self.message,
            "sub_code": self.sub_code,
            "sub_msg": self.sub_message,
        })
    }
}

impl From<BookRefusal> for Refusal {
    fn from(cause: BookRefusal) -> Refusal {
        let (sub_code, message) = match cause {
            BookRefusal::NumberUsed | BookRefusal::RefundNumberUsed => {
                ("ACQ.CONTEXT_INCONSISTENT", "交易信息被篡改")
            }
            BookRefusal::NotFound => return Refusal::no_trade(),
            BookRefusal::Voided | BookRefusal::Over => ("ACQ.TRADE_HAS_CLOSE", "交易已经关闭"),
            BookRefusal::WrongKind | BookRefusal::AlreadyPaid => {
                ("ACQ.REASON_TRADE_STATUS_INVALID", "交易状态异常")
            }
            BookRefusal::NotPaid => ("ACQ.TRADE_STATUS_ERROR", "交易状态不合法"),
            BookRefusal::RefundExceedsPaid => ("ACQ.REFUND_AMT_NOT_EQUAL_TOTAL", "退款金额超限"),
            BookRefusal::RefundNotFound => ("ACQ.TRADE_NOT_EXIST", "退款不存在"),
        };
        Refusal::business(sub_code, message)
    }
}

/// How a decline is said.
pub(super) fn declined(cause: DeclineCode) -> Refusal {
    use DeclineCode as D;
    let (sub_code, message) = match cause {
        D::BalanceShort => ("ACQ.BUYER_BALANCE_NOT_ENOUGH", "买家余额不足"),
        D::CardBalanceShort => (
            "ACQ.BUYER_BANKCARD_BALANCE_NOT_ENOUGH",
            "用户银行卡余额不足",
        ),
        D::DailyLimit => (
            "ACQ.BUYER_PAYMENT_AMOUNT_DAY_LIMIT_ERROR",
            "买家付款日限额超限",
        ),
        D::MonthlyLimit => (
            "ACQ.BUYER_PAYMENT_AMOUNT_MONTH_LIMIT_ERROR",
            "买家付款月额度超限",
        ),
        D::SingleLimit => ("ACQ.TOTAL_FEE_EXCEED", "订单总金额超过限额"),
        D::MerchantLimit => ("ACQ.BEYOND_PER_RECEIPT_DAY_RESTRICTION", "商户收款额度超限"),
        D::CodeExpired | D::CodeInvalid => ("ACQ.PAYMENT_AUTH_CODE_INVALID", "支付授权码无效"),
        D::CardNotSupported => ("ACQ.NO_PAYMENT_INSTRUMENTS_AVAILABLE", "没有可用的支付工具"),
        D::RiskControl => ("ACQ.PAYMENT_REQUEST_HAS_RISK", "支付有风险"),
        D::AccountUnusable => ("ACQ.BUYER_ENABLE_STATUS_FORBID", "买家状态非法"),
        D::PayerIsMerchant => ("ACQ.BUYER_SELLER_EQUAL", "买卖家不能相同"),
        D::FeatureOff => ("ACQ.MOBILE_PAYMENT_SWITCH_OFF", "用户关闭了无线支付开关"),
        D::PhoneNotReached => ("ACQ.PULL_MOBILE_CASHIER_FAIL", "唤起移动收银台失败"),
        _ => ("ACQ.PAYMENT_FAIL", "支付失败"),
    };
    Refusal::business(sub_code, message)
}

/// A failure before the gateway knows whom it answers.
pub(super) fn unsigned(refusal: &Refusal) -> http::Response<Bytes> {
    let body = json!({ "error_response": refusal.node() }).to_string();
    page(StatusCode::OK, body.as_bytes(), Charset::Utf8)
}

/// An answer with its signature, genuine or not. Slashes are escaped, as the gateway does.
pub(super) fn signed(
    gateway: &mut Gateway,
    caller: &Caller,
    outcome: &Result<Said, Refusal>,
    is_genuine: bool,
) -> http::Response<Bytes> {
    let node = match outcome {
        Ok(said) => {
            let mut fields = said.fields.clone();
            fields.insert("code".to_owned(), json!(said.code));
            fields.insert("msg".to_owned(), json!(said.message));
            Value::Object(fields)
        }
        Err(refusal) => refusal.node(),
    };
    let node = node.to_string().replace('/', "\\/");
    let keys = gateway.alipay_keys();
    let signer = keys.newest();
    let private = match is_genuine {
        true => &signer.key.private,
        false => &keys.stranger.private,
    };
    let encoded = |text: &str| {
        let bytes = caller.charset.encode(text);
        bytes.expect("the gateway's words are in either character set")
    };
    let sign = private
        .sign_sha256_base64(&encoded(&node))
        .expect("a whole key signs any message");
    let named = match caller.merchant.mode {
        Mode::Keys => String::new(),
        Mode::Certificates => format!("\"alipay_cert_sn\":\"{}\",", sn(&signer.certificate)),
    };
    let body = format!("{{\"{}\":{node},{named}\"sign\":\"{sign}\"}}", caller.node);
    page(StatusCode::OK, &encoded(&body), caller.charset)
}

/// One of the gateway's certificates.
pub(super) fn certificate(gateway: &mut Gateway, caller: &Caller) -> Result<Said, Refusal> {
    let wanted = caller.content.need("alipay_cert_sn")?;
    let keys = gateway.alipay_keys();
    let found = keys
        .signers
        .iter()
        .find(|signer| sn(&signer.certificate) == wanted);
    let found = found
        .ok_or_else(|| Refusal::business("CERT_NOT_EXIST", "证书不存在，请确认alipay_cert_sn"))?;
    let content = BASE64.encode(&found.certificate.pem);
    Ok(Said::success(json!({ "alipay_cert_content": content })))
}
