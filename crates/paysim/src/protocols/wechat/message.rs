//! Messages of API v3 as the gateway reads them: an unknown field, a `null` or a number written as
//! a text is refused.

use qiantai_core::clock::Timestamp;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use time::macros::{format_description, offset};

use super::refusal::Refusal;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NativeOrder {
    pub appid: String,
    pub mchid: String,
    pub description: String,
    pub out_trade_no: String,
    pub time_expire: Option<String>,
    pub attach: Option<String>,
    pub notify_url: String,
    #[serde(rename = "goods_tag")]
    _goods_tag: Option<String>,
    #[serde(rename = "support_fapiao")]
    _support_fapiao: Option<bool>,
    pub amount: Total,
    #[serde(rename = "detail")]
    _detail: Option<Detail>,
    #[serde(rename = "scene_info")]
    _scene: Option<NativeScene>,
    #[serde(rename = "settle_info")]
    _settle: Option<Settle>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CodeCharge {
    pub appid: String,
    pub mchid: String,
    pub description: String,
    pub out_trade_no: String,
    pub attach: Option<String>,
    #[serde(rename = "goods_tag")]
    _goods_tag: Option<String>,
    pub payer: CodePayer,
    pub amount: Total,
    pub scene_info: CodeScene,
    #[serde(rename = "detail")]
    _detail: Option<Detail>,
    #[serde(rename = "settle_info")]
    _settle: Option<Settle>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CodePayer {
    pub auth_code: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Total {
    pub total: i64,
    pub currency: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Detail {
    #[serde(rename = "cost_price")]
    _cost_price: Option<i64>,
    #[serde(rename = "invoice_id")]
    _invoice_id: Option<String>,
    #[serde(rename = "goods_detail")]
    _goods: Option<Vec<Value>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Settle {
    #[serde(rename = "profit_sharing")]
    _profit_sharing: Option<bool>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NativeScene {
    #[serde(rename = "payer_client_ip")]
    _payer_client_ip: String,
    #[serde(rename = "device_id")]
    _device_id: Option<String>,
    #[serde(rename = "store_info")]
    _store: Option<Store>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CodeScene {
    #[serde(rename = "device_id")]
    _device_id: Option<String>,
    #[serde(rename = "device_ip")]
    _device_ip: Option<String>,
    pub store_info: Store,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Store {
    pub id: Option<String>,
    pub out_id: Option<String>,
    #[serde(rename = "name")]
    _name: Option<String>,
    #[serde(rename = "area_code")]
    _area_code: Option<String>,
    #[serde(rename = "address")]
    _address: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CloseOrder {
    pub mchid: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ReverseOrder {
    pub appid: String,
    pub mchid: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RefundOrder {
    pub transaction_id: Option<String>,
    pub out_trade_no: Option<String>,
    pub out_refund_no: String,
    pub reason: Option<String>,
    pub notify_url: Option<String>,
    pub funds_account: Option<String>,
    pub amount: RefundTotal,
    #[serde(rename = "goods_detail")]
    _goods: Option<Vec<Value>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RefundTotal {
    pub refund: i64,
    pub total: i64,
    pub currency: String,
    #[serde(rename = "from")]
    _from: Option<Vec<Value>>,
}

/// Reads a message, and gives its content in a form that does not depend on the order of its
/// fields.
pub(super) fn read<T: DeserializeOwned>(body: &[u8]) -> Result<(T, String), Refusal> {
    let wrong = |error: serde_json::Error| Refusal::parameter(format!("参数错误：{error}"));
    let value: Value = serde_json::from_slice(body).map_err(wrong)?;
    if holds_null(&value) {
        return Err(Refusal::parameter("参数错误：不允许传入null"));
    }
    let content = value.to_string();
    Ok((serde_json::from_value(value).map_err(wrong)?, content))
}

fn holds_null(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(values) => values.iter().any(holds_null),
        Value::Object(fields) => fields.values().any(holds_null),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

/// `2026-01-01T08:15:00+08:00`.
pub(super) fn written(at: Timestamp) -> String {
    let format = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]+08:00");
    at.local()
        .format(&format)
        .expect("a date of the calendar has all these parts")
}

/// Reads a time with an offset.
pub(super) fn read_time(text: &str) -> Option<Timestamp> {
    let at = OffsetDateTime::parse(text, &Rfc3339).ok()?;
    at.unix_timestamp()
        .checked_mul(1_000)
        .map(Timestamp::from_ms)
}

/// The gateway's clock as HTTP writes it.
pub(super) fn http_date(at: Timestamp) -> String {
    let format = format_description!(
        "[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT"
    );
    at.local()
        .to_offset(offset!(UTC))
        .format(&format)
        .expect("a date of the calendar has all these parts")
}
