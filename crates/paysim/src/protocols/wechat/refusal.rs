//! What the gateway says when it does not do what is asked.

use http::StatusCode;
use qiantai_core::attempt::DeclineCode;
use serde_json::{Value, json};

use super::refund::Bar;
use crate::gateway::BookRefusal;

/// A refusal of API v3.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub status: StatusCode,
    pub code: &'static str,
    pub message: String,
}

impl Refusal {
    pub fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Refusal {
        Refusal {
            status,
            code,
            message: message.into(),
        }
    }

    pub fn parameter(message: impl Into<String>) -> Refusal {
        Refusal::new(StatusCode::BAD_REQUEST, "PARAM_ERROR", message)
    }

    pub fn request(message: impl Into<String>) -> Refusal {
        Refusal::new(StatusCode::BAD_REQUEST, "INVALID_REQUEST", message)
    }

    pub fn sign(message: impl Into<String>) -> Refusal {
        Refusal::new(StatusCode::UNAUTHORIZED, "SIGN_ERROR", message)
    }

    pub fn not_found() -> Refusal {
        Refusal::new(StatusCode::NOT_FOUND, "ORDER_NOT_EXIST", "订单不存在")
    }

    pub fn no_resource(message: &str) -> Refusal {
        Refusal::new(StatusCode::NOT_FOUND, "RESOURCE_NOT_EXISTS", message)
    }

    pub fn no_certificates() -> Refusal {
        Refusal::no_resource("无可用的平台证书，请在商户平台-API安全申请使用微信支付公钥")
    }

    pub fn busy() -> Refusal {
        let status = StatusCode::TOO_MANY_REQUESTS;
        Refusal::new(status, "RATELIMIT_EXCEEDED", "请求频率超限，请稍后再试")
    }

    pub fn body(&self) -> Value {
        json!({"code": self.code, "message": self.message})
    }

    /// The last part of the `Request-ID`, which names the exact cause.
    pub fn internal_number(&self) -> u32 {
        match self.code {
            "SIGN_ERROR" => 268_435_461,
            "INVALID_REQUEST" => 268_449_641,
            _ => 268_435_462,
        }
    }
}

impl From<BookRefusal> for Refusal {
    fn from(cause: BookRefusal) -> Refusal {
        let bad = |code, message: &str| Refusal::new(StatusCode::BAD_REQUEST, code, message);
        match cause {
            BookRefusal::NumberUsed => {
                Refusal::request("商户订单号重复：请求重入时，参数与首次请求时不一致")
            }
            BookRefusal::Voided => bad("ORDER_REVERSED", "订单已撤销"),
            BookRefusal::NotFound => Refusal::not_found(),
            BookRefusal::WrongKind => Refusal::request("该订单的支付方式不支持此操作"),
            BookRefusal::AlreadyPaid => bad("ORDER_PAID", "该订单已支付"),
            BookRefusal::Over => bad("ORDER_CLOSED", "订单已关闭"),
            BookRefusal::NotPaid => Refusal::request("订单未支付，不能退款"),
            BookRefusal::RefundExceedsPaid => Refusal::request("申请退款金额大于订单剩余可退金额"),
            BookRefusal::RefundNumberUsed => {
                Refusal::request("订单金额或退款金额与之前请求不一致，请核实后再试")
            }
            BookRefusal::RefundNotFound => Refusal::no_resource("退款单不存在"),
        }
    }
}

impl From<Bar> for Refusal {
    fn from(bar: Bar) -> Refusal {
        match bar {
            Bar::NoNumber => Refusal::parameter("transaction_id与out_trade_no不能同时为空"),
            Bar::NoOrder => Refusal::no_resource("订单不存在"),
            Bar::OtherOrder => Refusal::request("transaction_id与out_trade_no不匹配"),
            Bar::OtherTotal => Refusal::request("订单金额或退款金额与之前请求不一致，请核实后再试"),
            Bar::TooLate => Refusal::request("交易已超过一年的可退款期限"),
            Bar::TooMany => Refusal::request("部分退款次数已达50次"),
            Bar::TooSoon => Refusal::new(
                StatusCode::TOO_MANY_REQUESTS,
                "FREQUENCY_LIMITED",
                "同一笔订单的两次退款须间隔1分钟",
            ),
            Bar::Book(cause) => cause.into(),
        }
    }
}

/// How a decline is said by API v3.
pub(super) fn declined(cause: DeclineCode) -> Refusal {
    let (code, message) = words(cause);
    let code = match code {
        "NOTENOUGH" => "NOT_ENOUGH",
        "AUTHCODEEXPIRE" => "AUTH_CODE_EXPIRE",
        // API v3 has no code of its own for it.
        "NOTSUPORTCARD" => "TRADE_ERROR",
        other => other,
    };
    let status = match code {
        "AUTH_CODE_INVALID" => StatusCode::BAD_REQUEST,
        _ => StatusCode::FORBIDDEN,
    };
    Refusal::new(status, code, message)
}

/// How a decline is said by API v2.
pub(super) fn words(cause: DeclineCode) -> (&'static str, &'static str) {
    use DeclineCode as D;
    match cause {
        D::BalanceShort => ("NOTENOUGH", "用户余额不足"),
        D::CardBalanceShort => ("NOTENOUGH", "用户银行卡余额不足"),
        D::DailyLimit | D::MonthlyLimit | D::SingleLimit | D::MerchantLimit => {
            ("RULE_LIMIT", "超出业务规则限额")
        }
        D::CodeExpired => ("AUTHCODEEXPIRE", "二维码已过期，请用户在微信上刷新后再试"),
        D::CodeInvalid => ("AUTH_CODE_INVALID", "付款码无效，请扫描微信支付的付款码"),
        D::CardNotSupported => ("NOTSUPORTCARD", "不支持卡类型"),
        D::RiskControl => ("TRADE_ERROR", "交易存在风险，请更换支付方式"),
        D::AccountUnusable => ("ACCOUNT_ERROR", "用户账号异常"),
        _ => ("TRADE_ERROR", "交易失败"),
    }
}
