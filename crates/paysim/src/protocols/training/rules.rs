//! What the gateway demands of requests.

use http::Uri;
use qiantai_core::clock::{Millis, Timestamp};
use qiantai_pay::channels::training::message::{
    ChargeCode, CreatePayment, CreateRefund, FaultCode,
};

use super::Refusal;

const VALIDITY_MAX: Millis = Millis::hours(2);
const AMOUNT_FEN_MAX: i64 = 100_000_000;
const SUBJECT_CHARS_MAX: usize = 127;
const REASON_CHARS_MAX: usize = 80;
const URL_BYTES_MAX: usize = 256;

pub(super) fn check_create(request: &CreatePayment, now: Timestamp) -> Result<(), Refusal> {
    check_number("attempt_no", &request.attempt_no)?;
    check_amount(request.amount_fen)?;
    check_text("subject", &request.subject, SUBJECT_CHARS_MAX)?;
    let validity = Timestamp::from_ms(request.expires_at_ms) - now;
    if validity <= Millis(0) || validity > VALIDITY_MAX {
        return Err(bad("expires_at_ms must be ahead, by two hours at most"));
    }
    check_url(request.notify_url.as_deref())
}

pub(super) fn check_charge(request: &ChargeCode) -> Result<(), Refusal> {
    check_number("attempt_no", &request.attempt_no)?;
    check_amount(request.amount_fen)?;
    check_text("subject", &request.subject, SUBJECT_CHARS_MAX)?;
    let length_fits = (16..=24).contains(&request.auth_code.len());
    if !length_fits || !request.auth_code.bytes().all(|b| b.is_ascii_digit()) {
        return Err(bad("auth_code must be 16 to 24 digits"));
    }
    check_url(request.notify_url.as_deref())
}

pub(super) fn check_refund(request: &CreateRefund) -> Result<(), Refusal> {
    check_number("refund_no", &request.refund_no)?;
    check_amount(request.amount_fen)?;
    check_text("reason", &request.reason, REASON_CHARS_MAX)
}

pub(super) fn check_number(field: &str, number: &str) -> Result<(), Refusal> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"_-|*".contains(&b);
    if (6..=32).contains(&number.len()) && number.bytes().all(plain) {
        return Ok(());
    }
    Err(bad(format!(
        "{field} must be 6 to 32 of 0-9 A-Z a-z _ - | *"
    )))
}

fn check_amount(amount_fen: i64) -> Result<(), Refusal> {
    if (1..=AMOUNT_FEN_MAX).contains(&amount_fen) {
        return Ok(());
    }
    Err(bad(format!("amount_fen must be 1 to {AMOUNT_FEN_MAX}")))
}

fn check_text(field: &str, text: &str, chars_max: usize) -> Result<(), Refusal> {
    let fits = (1..=chars_max).contains(&text.chars().count());
    if fits && !text.trim().is_empty() && !text.chars().any(char::is_control) {
        return Ok(());
    }
    Err(bad(format!(
        "{field} must be 1 to {chars_max} characters without control characters"
    )))
}

fn check_url(url: Option<&str>) -> Result<(), Refusal> {
    let Some(url) = url else { return Ok(()) };
    let is_good = url.len() <= URL_BYTES_MAX
        && url.parse::<Uri>().is_ok_and(|uri| {
            matches!(uri.scheme_str(), Some("http" | "https"))
                && uri.host().is_some_and(|host| !host.is_empty())
                && uri.query().is_none()
        });
    if is_good {
        return Ok(());
    }
    Err(bad(
        "notify_url must be http(s) with a host and no query, 256 bytes at most",
    ))
}

fn bad(message: impl Into<String>) -> Refusal {
    Refusal::new(FaultCode::BadRequest, message)
}
