//! What the gateway's codes mean (docs: the errors-to-cashier table). Spellings of API v3 and v2
//! stand side by side: they differ between generations and even between calls.

use qiantai_core::attempt::DeclineCode;

use crate::answer::ConfigCause;

/// What a refusal means for the call that met it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// Refused for good; nothing was charged.
    Declined(DeclineCode),
    /// The number is over: closed or reversed.
    Closed,
    /// The customer is confirming.
    UserPaying,
    /// It may be paid already.
    AlreadyPaid,
    /// The number is known with other content.
    NumberReused,
    /// No record of it.
    NotFound,
    /// Too many calls.
    Busy,
    /// The gateway or the bank failed; money may have moved.
    Failed,
    /// Our set-up is wrong.
    Config(ConfigCause),
    /// Nobody listed the code.
    Unlisted,
}

struct Row {
    codes: &'static [&'static str],
    /// Words in the message that decide between causes which share a code; empty for any message.
    words: &'static [&'static str],
    meaning: fn(&str) -> Meaning,
}

const fn row(
    codes: &'static [&'static str],
    words: &'static [&'static str],
    meaning: fn(&str) -> Meaning,
) -> Row {
    Row {
        codes,
        words,
        meaning,
    }
}

const RISK: &[&str] = &["风险", "风控"];

/// The first row that fits counts.
const ROWS: &[Row] = &[
    row(
        &[
            "NO_AUTH",
            "NOAUTH",
            "RULE_LIMIT",
            "ACCOUNT_ERROR",
            "REQUEST_BLOCKED",
        ],
        &["收款功能已被限制", "收款功能被限制"],
        |_| Meaning::Config(ConfigCause::MerchantBlocked),
    ),
    row(&["USERPAYING"], &[], |_| Meaning::UserPaying),
    row(
        &[
            "SYSTEM_ERROR",
            "SYSTEMERROR",
            "BANK_ERROR",
            "BANKERROR",
            "BIZ_ERR_NEED_RETRY",
        ],
        &[],
        |_| Meaning::Failed,
    ),
    row(
        &["NOT_ENOUGH", "NOTENOUGH"],
        &["银行卡", "卡余额"],
        |_| Meaning::Declined(DeclineCode::CardBalanceShort),
    ),
    row(&["NOT_ENOUGH", "NOTENOUGH"], &[], |_| {
        Meaning::Declined(DeclineCode::BalanceShort)
    }),
    row(&["RULE_LIMIT", "TRADE_ERROR"], RISK, |_| {
        Meaning::Declined(DeclineCode::RiskControl)
    }),
    row(&["RULE_LIMIT"], &[], |_| {
        Meaning::Declined(DeclineCode::DailyLimit)
    }),
    row(&["AUTH_CODE_EXPIRE", "AUTHCODEEXPIRE"], &[], |_| {
        Meaning::Declined(DeclineCode::CodeExpired)
    }),
    row(&["AUTH_CODE_INVALID", "AUTH_CODE_ERROR"], &[], |_| {
        Meaning::Declined(DeclineCode::CodeInvalid)
    }),
    row(&["NOTSUPORTCARD"], &[], |_| {
        Meaning::Declined(DeclineCode::CardNotSupported)
    }),
    row(&["TRADE_ERROR"], &[], |_| {
        Meaning::Declined(DeclineCode::IssuerRefused)
    }),
    row(&["USER_ACCOUNT_ABNORMAL"], &[], |_| {
        Meaning::Declined(DeclineCode::RiskControl)
    }),
    row(&["ACCOUNT_ERROR"], &[], |_| {
        Meaning::Declined(DeclineCode::AccountUnusable)
    }),
    row(&["PAYERROR"], &[], |_| {
        Meaning::Declined(DeclineCode::NotCompleted)
    }),
    row(
        &[
            "ORDER_CLOSED",
            "ORDERCLOSED",
            "ORDER_REVERSED",
            "ORDERREVERSED",
        ],
        &[],
        |_| Meaning::Closed,
    ),
    row(&["ORDER_PAID", "ORDERPAID"], &[], |_| Meaning::AlreadyPaid),
    row(&["OUT_TRADE_NO_USED"], &[], |_| Meaning::NumberReused),
    // Another payer under a number that is known: the first may still be paying.
    row(&["BUYER_MISMATCH"], &[], |_| Meaning::NumberReused),
    row(
        &["INVALID_REQUEST", "PARAM_ERROR"],
        &["重入", "不一致"],
        |_| Meaning::NumberReused,
    ),
    row(
        &[
            "ORDER_NOT_EXIST",
            "ORDERNOTEXIST",
            "RESOURCE_NOT_EXISTS",
            "REFUNDNOTEXIST",
        ],
        &[],
        |_| Meaning::NotFound,
    ),
    row(
        &[
            "FREQUENCY_LIMITED",
            "FREQUENCY_LIMIT_EXCEED",
            "RATELIMIT_EXCEEDED",
        ],
        &[],
        |_| Meaning::Busy,
    ),
    row(
        &["SIGN_ERROR", "SIGNERROR"],
        &["timestamp", "时间戳"],
        |_| Meaning::Config(ConfigCause::Clock),
    ),
    row(&["SIGN_ERROR", "SIGNERROR"], &[], |_| {
        Meaning::Config(ConfigCause::Signature)
    }),
    row(
        &[
            "NO_AUTH",
            "NOAUTH",
            "MCH_NOT_EXISTS",
            "MCHID_NOT_EXIST",
            "APPID_NOT_EXIST",
            "REQUEST_BLOCKED",
            "APPID_MCHID_NOT_MATCH",
        ],
        &[],
        |_| Meaning::Config(ConfigCause::NotPermitted),
    ),
    row(
        &[
            "PARAM_ERROR",
            "INVALID_REQUEST",
            "LACK_PARAMS",
            "XML_FORMAT_ERROR",
            "NOT_UTF8",
            "REQUIRE_POST_METHOD",
            "POST_DATA_EMPTY",
        ],
        &[],
        |message| Meaning::Config(ConfigCause::BadRequest(message.to_owned())),
    ),
];

/// What a code means. `message` decides only between causes that share a code.
pub fn meaning(code: &str, message: &str) -> Meaning {
    let fits = |row: &&Row| {
        row.codes.contains(&code)
            && (row.words.is_empty() || row.words.iter().any(|word| message.contains(word)))
    };
    match ROWS.iter().find(fits) {
        Some(row) => (row.meaning)(message),
        None => Meaning::Unlisted,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_of_the_table_for_the_cashier() {
        use DeclineCode as D;
        let declined = |code: &str, message: &str, cause| {
            assert_eq!(meaning(code, message), Meaning::Declined(cause), "{code}");
        };
        declined("NOT_ENOUGH", "余额不足", D::BalanceShort);
        declined("NOTENOUGH", "余额不足", D::BalanceShort);
        declined("NOT_ENOUGH", "银行卡可用余额不足", D::CardBalanceShort);
        declined("RULE_LIMIT", "业务规则限制", D::DailyLimit);
        declined("RULE_LIMIT", "交易存在风险", D::RiskControl);
        declined("AUTH_CODE_EXPIRE", "", D::CodeExpired);
        declined("AUTHCODEEXPIRE", "", D::CodeExpired);
        declined("AUTH_CODE_INVALID", "", D::CodeInvalid);
        declined("AUTH_CODE_ERROR", "", D::CodeInvalid);
        declined("NOTSUPORTCARD", "", D::CardNotSupported);
        declined("TRADE_ERROR", "交易失败", D::IssuerRefused);
        declined("TRADE_ERROR", "交易存在风险", D::RiskControl);
        declined("USER_ACCOUNT_ABNORMAL", "", D::RiskControl);
        declined("ACCOUNT_ERROR", "账号异常", D::AccountUnusable);
        declined("PAYERROR", "", D::NotCompleted);
        let check = |codes: &[&str], message: &str, expected: Meaning| {
            for code in codes {
                assert_eq!(meaning(code, message), expected, "{code}");
            }
        };
        check(&["USERPAYING"], "", Meaning::UserPaying);
        let failed = [
            "SYSTEM_ERROR",
            "SYSTEMERROR",
            "BANK_ERROR",
            "BANKERROR",
            "BIZ_ERR_NEED_RETRY",
        ];
        check(&failed, "", Meaning::Failed);
        let over = [
            "ORDER_CLOSED",
            "ORDERCLOSED",
            "ORDER_REVERSED",
            "ORDERREVERSED",
        ];
        check(&over, "", Meaning::Closed);
        check(&["ORDER_PAID", "ORDERPAID"], "", Meaning::AlreadyPaid);
        check(&["OUT_TRADE_NO_USED"], "", Meaning::NumberReused);
        check(
            &["INVALID_REQUEST"],
            "请求重入，参数与首次不一致",
            Meaning::NumberReused,
        );
        check(&["ORDER_NOT_EXIST", "ORDERNOTEXIST"], "", Meaning::NotFound);
        check(
            &["FREQUENCY_LIMITED", "RATELIMIT_EXCEEDED"],
            "",
            Meaning::Busy,
        );
        let config = |codes: &[&str], message: &str, cause: ConfigCause| {
            check(codes, message, Meaning::Config(cause));
        };
        config(
            &["SIGN_ERROR", "SIGNERROR"],
            "签名错误",
            ConfigCause::Signature,
        );
        config(&["SIGN_ERROR"], "timestamp 超过 5 分钟", ConfigCause::Clock);
        config(
            &["NO_AUTH", "NOAUTH", "MCH_NOT_EXISTS"],
            "",
            ConfigCause::NotPermitted,
        );
        config(
            &["REQUEST_BLOCKED", "APPID_MCHID_NOT_MATCH"],
            "",
            ConfigCause::NotPermitted,
        );
        config(
            &["NO_AUTH"],
            "商户收款功能已被限制",
            ConfigCause::MerchantBlocked,
        );
        let bad = ConfigCause::BadRequest("缺少参数".to_owned());
        config(
            &["PARAM_ERROR", "INVALID_REQUEST", "LACK_PARAMS"],
            "缺少参数",
            bad,
        );
        check(
            &["", "success", "not_enough", "BRAND_NEW"],
            "",
            Meaning::Unlisted,
        );
    }
}
