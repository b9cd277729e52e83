//! The three layers of an answer.

use qiantai_core::attempt::DeclineCode;
use serde_json::{Value, json};

/// The second layer, with the order as the third.
#[derive(Clone, Debug)]
pub(super) struct Answer(Value);

impl Answer {
    /// What a terminal is told about itself.
    pub fn of_terminal(fields: Value) -> Answer {
        Answer(fields)
    }

    pub fn body(&self) -> Value {
        json!({"result_code": "200", "biz_response": self.0})
    }
}

/// The first layer of a call that was not accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    code: &'static str,
    message: String,
}

impl Refusal {
    pub fn new(code: &'static str, message: impl Into<String>) -> Refusal {
        Refusal {
            code,
            message: message.into(),
        }
    }

    pub fn parameter(message: impl Into<String>) -> Refusal {
        Refusal::new("INVALID_PARAMS", message)
    }

    pub fn body(&self) -> Value {
        json!({
            "result_code": "400",
            "error_code": self.code,
            "error_message": self.message,
        })
    }
}

/// A step that was done or is under way.
pub(super) fn step(result: &str, order: Value) -> Answer {
    Answer(json!({"result_code": result, "data": order}))
}

/// A step that failed, without an order.
pub(super) fn failed(result: &str, code: &str, message: &str) -> Answer {
    Answer(json!({
        "result_code": result,
        "error_code": code,
        "error_message": message,
    }))
}

/// A charge that was declined.
pub(super) fn declined(cause: DeclineCode, order: Value) -> Answer {
    use DeclineCode as D;
    let (code, message) = match cause {
        D::BalanceShort | D::CardBalanceShort => ("INSUFFICIENT_FUND", "账户余额不足"),
        D::DailyLimit | D::MonthlyLimit => ("BUYER_OVER_DAILY_LIMIT", "付款人当日付款金额超限"),
        D::SingleLimit => ("BUYER_OVER_TRANSACTION_LIMIT", "付款人单笔付款金额超限"),
        D::MerchantLimit => ("SELLER_OVER_DAILY_LIMIT", "收款账户当日收款金额超限"),
        D::CodeExpired => ("EXPIRED_BARCODE", "条码已过期"),
        D::CodeInvalid => ("INVALID_BARCODE", "条码无效"),
        _ => ("TRADE_FAILED", "交易失败"),
    };
    Answer(json!({
        "result_code": "PAY_FAIL",
        "error_code": code,
        "error_message": message,
        "data": order,
    }))
}
