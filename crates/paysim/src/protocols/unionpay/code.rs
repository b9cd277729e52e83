//! Answer codes with their words.

use qiantai_core::attempt::DeclineCode;

use crate::gateway::BookRefusal;

/// A `respCode`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct RespCode {
    pub code: &'static str,
    pub words: &'static str,
}

const fn of(code: &'static str, words: &'static str) -> RespCode {
    RespCode { code, words }
}

impl RespCode {
    pub const DONE: RespCode = of("00", "成功");
    pub const FAILED: RespCode = of("01", "交易失败。二维码已失效");
    pub const UNDER_WAY: RespCode = of("05", "交易已受理，请稍后查询交易结果");
    pub const BUSY: RespCode = of("06", "系统繁忙，请稍后再试");
    pub const FORMAT: RespCode = of("10", "报文格式错误");
    pub const SIGNATURE: RespCode = of("11", "验证签名失败");
    pub const DUPLICATE: RespCode = of("12", "重复交易");
    pub const MISSING: RespCode = of("13", "报文交易要素缺失");
    pub const MERCHANT: RespCode = of("31", "商户状态不正确");
    pub const NOT_FOUND: RespCode = of("34", "查无此交易");
    pub const WRONG_STATE: RespCode = of("35", "原交易不存在或状态不正确");
    pub const WRONG_AMOUNT: RespCode = of("36", "与原交易信息不符");

    /// How a decline is said.
    pub fn declined(cause: DeclineCode) -> RespCode {
        use DeclineCode as D;
        match cause {
            D::BalanceShort | D::CardBalanceShort => of("64", "账户余额不足"),
            D::DailyLimit | D::MonthlyLimit | D::SingleLimit | D::MerchantLimit => {
                of("33", "交易金额超限")
            }
            D::RiskControl => of("38", "风险受限"),
            D::PasswordTries => of("65", "密码验证失败"),
            D::CardNotSupported => of("63", "卡状态不支持"),
            D::AccountUnusable => of("61", "输入的卡号无效，请确认后输入"),
            D::CodeExpired | D::CodeInvalid | D::NotCompleted | D::CustomerCancelled => {
                RespCode::FAILED
            }
            _ => of("60", "交易失败，详情请咨询您的发卡行"),
        }
    }
}

impl From<BookRefusal> for RespCode {
    fn from(cause: BookRefusal) -> RespCode {
        match cause {
            BookRefusal::NumberUsed | BookRefusal::RefundNumberUsed => RespCode::DUPLICATE,
            BookRefusal::NotFound | BookRefusal::RefundNotFound => RespCode::NOT_FOUND,
            BookRefusal::RefundExceedsPaid => RespCode::WRONG_AMOUNT,
            BookRefusal::Voided
            | BookRefusal::WrongKind
            | BookRefusal::AlreadyPaid
            | BookRefusal::Over
            | BookRefusal::NotPaid => RespCode::WRONG_STATE,
        }
    }
}
