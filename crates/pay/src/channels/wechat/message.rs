//! Messages of API v3. Unknown fields of answers are passed over; requests hold no `null`, which
//! the gateway refuses.

use qiantai_core::clock::Timestamp;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use time::macros::format_description;

/// Path of a Native order.
pub const NATIVE: &str = "/v3/pay/transactions/native";
/// Path of a payment-code charge.
pub const CODEPAY: &str = "/v3/pay/transactions/codepay";
/// Path of refunds.
pub const REFUNDS: &str = "/v3/refund/domestic/refunds";
/// Path of the certificate list.
pub const CERTIFICATES: &str = "/v3/certificates";
/// The only currency.
pub const CURRENCY: &str = "CNY";

/// Path of an order by our number, which holds only characters that need no encoding.
pub fn order_path(attempt_no: &str) -> String {
    format!("/v3/pay/transactions/out-trade-no/{attempt_no}")
}

#[derive(Serialize)]
pub struct NativeOrder<'a> {
    pub appid: &'a str,
    pub mchid: &'a str,
    pub description: String,
    pub out_trade_no: &'a str,
    pub time_expire: String,
    pub notify_url: &'a str,
    pub amount: Total,
}

#[derive(Serialize)]
pub struct CodeCharge<'a> {
    pub appid: &'a str,
    pub mchid: &'a str,
    pub description: String,
    pub out_trade_no: &'a str,
    pub payer: CodePayer<'a>,
    pub amount: Total,
    pub scene_info: Scene<'a>,
}

#[derive(Serialize)]
pub struct CodePayer<'a> {
    pub auth_code: &'a str,
}

#[derive(Serialize)]
pub struct Scene<'a> {
    pub store_info: Store<'a>,
}

#[derive(Serialize)]
pub struct Store<'a> {
    pub out_id: &'a str,
}

#[derive(Serialize)]
pub struct Total {
    pub total: i64,
    pub currency: &'static str,
}

#[derive(Serialize)]
pub struct CloseOrder<'a> {
    pub mchid: &'a str,
}

#[derive(Serialize)]
pub struct ReverseOrder<'a> {
    pub appid: &'a str,
    pub mchid: &'a str,
}

#[derive(Serialize)]
pub struct RefundOrder<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transaction_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub out_trade_no: Option<&'a str>,
    pub out_refund_no: &'a str,
    pub reason: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notify_url: Option<&'a str>,
    pub amount: RefundTotal,
}

#[derive(Serialize)]
pub struct RefundTotal {
    pub refund: i64,
    pub total: i64,
    pub currency: &'static str,
}

#[derive(Deserialize)]
pub struct CreatedOrder {
    pub code_url: String,
}

/// An order as a query, a code payment and a notice state it.
#[derive(Deserialize)]
pub struct Transaction {
    pub appid: String,
    pub mchid: String,
    pub out_trade_no: String,
    pub trade_state: String,
    pub transaction_id: Option<String>,
    pub success_time: Option<String>,
    pub payer: Option<Payer>,
    pub amount: Option<PaidTotal>,
}

#[derive(Deserialize)]
pub struct Payer {
    pub openid: Option<String>,
}

#[derive(Deserialize)]
pub struct PaidTotal {
    pub total: i64,
    pub currency: Option<String>,
}

#[derive(Deserialize)]
pub struct ReversedOrder {
    pub appid: String,
    pub mchid: String,
    pub out_trade_no: String,
}

/// A refund as its request and its query state it.
#[derive(Deserialize)]
pub struct Refund {
    pub refund_id: String,
    pub out_refund_no: String,
    pub out_trade_no: String,
    pub status: String,
    pub amount: RefundedAmount,
}

/// A refund as its notice states it.
#[derive(Deserialize)]
pub struct RefundEvent {
    pub mchid: String,
    pub refund_id: String,
    pub out_refund_no: String,
    pub out_trade_no: String,
    pub transaction_id: String,
    pub refund_status: String,
    pub amount: EventAmount,
}

#[derive(Deserialize)]
pub struct EventAmount {
    pub total: i64,
    pub refund: i64,
}

#[derive(Deserialize)]
pub struct RefundedAmount {
    pub refund: i64,
}

/// Where a bill lies.
#[derive(Deserialize)]
pub struct BillPlace {
    pub hash_type: String,
    pub hash_value: String,
    pub download_url: String,
}

/// What the gateway says of a call that it did not carry out.
#[derive(Deserialize)]
pub struct Refusal {
    pub code: String,
    #[serde(default)]
    pub message: String,
}

/// `2026-01-01T08:15:00+08:00`.
pub fn written(at: Timestamp) -> String {
    let format = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]+08:00");
    at.local()
        .format(&format)
        .expect("a date of the calendar has all these parts")
}

/// Reads a time with any offset.
pub fn read_time(text: &str) -> Option<Timestamp> {
    let at = OffsetDateTime::parse(text, &Rfc3339).ok()?;
    at.unix_timestamp()
        .checked_mul(1_000)
        .map(Timestamp::from_ms)
}

/// What the customer sees: no control characters, no more than `most` characters.
pub fn plain_text(text: &str, most: usize) -> String {
    text.chars()
        .map(|character| {
            if character.is_control() {
                ' '
            } else {
                character
            }
        })
        .take(most)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_with_offset_and_read_with_any() {
        let at = Timestamp::from_ms(1_767_226_500_999);
        assert_eq!(written(at), "2026-01-01T08:15:00+08:00");
        let whole = Some(Timestamp::from_ms(1_767_226_500_000));
        assert_eq!(read_time("2026-01-01T08:15:00+08:00"), whole);
        assert_eq!(read_time("2026-01-01T00:15:00.5Z"), whole);
        for text in [
            "",
            "2026-01-01 08:15:00",
            "2026-01-01T08:15:00",
            "1767226500",
        ] {
            assert_eq!(read_time(text), None, "{text}");
        }
    }

    #[test]
    fn texts_for_the_customer_are_plain_and_short() {
        assert_eq!(plain_text("会员\n储值", 127), "会员 储值");
        assert_eq!(plain_text(&"会".repeat(200), 127).chars().count(), 127);
    }
}
