//! The business content of a call.

use qiantai_core::clock::{Millis, Timestamp};
use qiantai_core::money::Money;
use qiantai_pay::beijing::from_dashed;
use qiantai_pay::yuan::from_yuan;
use serde_json::{Map, Value};

use super::answer::Refusal;

/// Fields of `biz_content`.
#[derive(Clone, Debug, Default)]
pub(super) struct Content(Map<String, Value>);

const AMOUNT_YUAN_MAX: i64 = 100_000_000;

impl Content {
    pub fn read(text: &str) -> Result<Content, Refusal> {
        let fields = serde_json::from_str(text);
        fields
            .map(Content)
            .map_err(|_| Refusal::parameter("isv.invalid-parameter", "biz_content不是JSON对象"))
    }

    /// A text that is there and not empty.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.0
            .get(name)
            .and_then(Value::as_str)
            .filter(|text| !text.is_empty())
    }

    pub fn need(&self, name: &str) -> Result<&str, Refusal> {
        self.text(name).ok_or_else(|| {
            let message = format!("缺少必选参数{name}");
            Refusal::missing("isv.missing-parameter", &message)
        })
    }

    /// Yuan with at most two decimals, as text or as a number as kits write it.
    pub fn amount(&self, name: &str) -> Result<Money, Refusal> {
        let amount = match self.0.get(name) {
            Some(Value::String(text)) => from_yuan(text),
            Some(Value::Number(number)) => from_yuan(&number.to_string()),
            _ => None,
        };
        amount
            .filter(|amount| amount.is_positive() && *amount <= Money::from_yuan(AMOUNT_YUAN_MAX))
            .ok_or_else(|| Refusal::business("ACQ.INVALID_PARAMETER", &format!("{name}参数无效")))
    }

    pub fn out_trade_no(&self) -> Result<&str, Refusal> {
        number(self.need("out_trade_no")?, "out_trade_no")
    }

    pub fn out_request_no(&self) -> Result<&str, Refusal> {
        number(self.need("out_request_no")?, "out_request_no")
    }

    pub fn subject(&self) -> Result<&str, Refusal> {
        let subject = self.need("subject")?;
        let fits = subject.chars().count() <= 256 && !subject.contains(['/', '=', '&']);
        fits.then_some(subject)
            .ok_or_else(|| Refusal::business("ACQ.INVALID_PARAMETER", "subject参数无效"))
    }

    /// When the order ends, if the merchant says so: the earlier of both ways to say it.
    pub fn ends_at(&self, now: Timestamp) -> Result<Option<Timestamp>, Refusal> {
        let wrong =
            |name: &str| Refusal::business("ACQ.INVALID_PARAMETER", &format!("{name}参数无效"));
        let absolute = match self.text("time_expire") {
            None => None,
            Some(text) => Some(from_dashed(text).ok_or_else(|| wrong("time_expire"))?),
        };
        let relative = match self.text("timeout_express") {
            None => None,
            Some(text) => {
                let span = span(text).ok_or_else(|| wrong("timeout_express"))?;
                Some(now + span)
            }
        };
        let end = match (absolute, relative) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        };
        match end {
            Some(end) if end <= now => Err(wrong("time_expire")),
            end => Ok(end),
        }
    }
}

fn number<'a>(number: &'a str, name: &str) -> Result<&'a str, Refusal> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    let fits = number.len() <= 64 && number.bytes().all(plain);
    fits.then_some(number)
        .ok_or_else(|| Refusal::business("ACQ.INVALID_PARAMETER", &format!("{name}参数无效")))
}

/// `1m` to `15d`; `1c` is the end of the day, which no merchant of ours asks for.
fn span(text: &str) -> Option<Millis> {
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let count: i64 = digits.parse().ok()?;
    let span = match unit {
        "m" => Millis::minutes(count),
        "h" => Millis::hours(count),
        "d" => Millis::days(count),
        _ => return None,
    };
    let fits = Millis::minutes(1) <= span && span <= Millis::days(15);
    fits.then_some(span)
}
