//! The life of a terminal: activated by a code, checked in for a new key each day.

use bytes::Bytes;
use http::header;
use qiantai_core::clock::Timestamp;
use qiantai_pay::channels::shouqianba::signature::is_signed;
use serde_json::{Map, Value, json};
use time::Date;

use super::answer::{Answer, Refusal};
use crate::gateway::{Gateway, Protocol};

/// An activated terminal.
#[derive(Clone, Debug)]
pub(super) struct Terminal {
    vendor_sn: String,
    device_id: String,
    key: String,
    /// The key before: it still opens the next check-in, as the answer may have been lost.
    previous_key: Option<String>,
    /// The day of the last change.
    changed_on: Date,
}

/// Makes a machine a terminal. The same machine again gets its number with a new key.
pub(super) fn activate(
    gateway: &mut Gateway,
    request: &http::Request<Bytes>,
    now: Timestamp,
) -> Result<Answer, Refusal> {
    let vendors = &gateway.sides.shouqianba.vendors;
    let vendor = signer(request)
        .and_then(|sn| Some((sn, vendors.get(sn)?)))
        .filter(|(sn, vendor)| is_signed_by(request, sn, &vendor.key));
    let (vendor_sn, vendor) = vendor.ok_or_else(illegal_sign)?;
    let vendor = vendor.clone();
    let fields = fields(request)?;
    if need(&fields, "app_id")? != vendor.app_id {
        return Err(Refusal::parameter("app_id错误"));
    }
    if need(&fields, "code")? != vendor.activation_code {
        return Err(Refusal::parameter("激活码错误"));
    }
    let device_id = need(&fields, "device_id")?.to_owned();
    let key = gateway.new_nonce();
    let terminals = &mut gateway.sides.shouqianba.terminals;
    let known = terminals
        .iter()
        .find(|(_, known)| known.device_id == device_id);
    let sn = match known {
        Some((sn, _)) => sn.clone(),
        None => format!("1001{:012}", terminals.len() + 1),
    };
    let terminal = Terminal {
        vendor_sn: vendor_sn.to_owned(),
        device_id,
        key: key.clone(),
        previous_key: None,
        changed_on: now.local().date(),
    };
    terminals.insert(sn.clone(), terminal);
    gateway.name_shop(Protocol::Shouqianba, &sn, &vendor.shop_name);
    Ok(Answer::of_terminal(json!({
        "terminal_sn": sn,
        "terminal_key": key,
        "merchant_sn": "1680000000001",
        "merchant_name": vendor.shop_name,
        "store_sn": "1580000000000001",
        "store_name": vendor.shop_name,
    })))
}

/// Gives a terminal its new key. The key that asked stays good for one more check-in.
pub(super) fn check_in(
    gateway: &mut Gateway,
    request: &http::Request<Bytes>,
    now: Timestamp,
) -> Result<Answer, Refusal> {
    let fields = fields(request)?;
    let fresh = gateway.new_nonce();
    let sn = signer(request).ok_or_else(illegal_sign)?;
    let terminals = &mut gateway.sides.shouqianba.terminals;
    let terminal = terminals
        .get_mut(sn)
        .ok_or_else(|| Refusal::new("TERMINAL_NOT_EXISTS", "终端不存在"))?;
    let keys = [Some(&terminal.key), terminal.previous_key.as_ref()];
    let used = keys
        .into_iter()
        .flatten()
        .find(|key| is_signed_by(request, sn, key))
        .ok_or_else(illegal_sign)?
        .clone();
    if need(&fields, "terminal_sn")? != sn || need(&fields, "device_id")? != terminal.device_id {
        return Err(Refusal::parameter("terminal_sn与device_id不匹配"));
    }
    terminal.previous_key = Some(used);
    terminal.key.clone_from(&fresh);
    terminal.changed_on = now.local().date();
    Ok(Answer::of_terminal(
        json!({"terminal_sn": sn, "terminal_key": fresh}),
    ))
}

/// The terminal that calls, once its signature holds. A key that was not changed since the day
/// before yesterday is over.
pub(super) fn caller(
    gateway: &Gateway,
    request: &http::Request<Bytes>,
    now: Timestamp,
) -> Result<String, Refusal> {
    let sn = signer(request).ok_or_else(illegal_sign)?;
    let terminal = gateway
        .sides
        .shouqianba
        .terminals
        .get(sn)
        .ok_or_else(|| Refusal::new("TERMINAL_NOT_EXISTS", "终端不存在"))?;
    let age = now.local().date() - terminal.changed_on;
    if age.whole_days() > 1 || !is_signed_by(request, sn, &terminal.key) {
        return Err(illegal_sign());
    }
    Ok(sn.to_owned())
}

/// Whether the contract under which the terminal was activated carries e-CNY.
pub(super) fn carries_ecny(gateway: &Gateway, terminal_sn: &str) -> bool {
    let side = &gateway.sides.shouqianba;
    let vendor = side
        .terminals
        .get(terminal_sn)
        .and_then(|terminal| side.vendors.get(&terminal.vendor_sn));
    vendor.is_some_and(|vendor| vendor.carries_ecny)
}

fn illegal_sign() -> Refusal {
    Refusal::new("ILLEGAL_SIGN", "签名错误")
}

fn authorization(request: &http::Request<Bytes>) -> Option<&str> {
    request.headers().get(header::AUTHORIZATION)?.to_str().ok()
}

/// Whose number the header names.
fn signer(request: &http::Request<Bytes>) -> Option<&str> {
    authorization(request)?.split(' ').next()
}

fn is_signed_by(request: &http::Request<Bytes>, sn: &str, key: &str) -> bool {
    authorization(request).is_some_and(|header| is_signed(header, sn, request.body(), key))
}

fn fields(request: &http::Request<Bytes>) -> Result<Map<String, Value>, Refusal> {
    serde_json::from_slice(request.body()).map_err(|_| Refusal::parameter("请求不是JSON对象"))
}

fn need<'a>(fields: &'a Map<String, Value>, name: &str) -> Result<&'a str, Refusal> {
    fields
        .get(name)
        .and_then(Value::as_str)
        .filter(|text| !text.is_empty())
        .ok_or_else(|| Refusal::parameter(format!("缺少参数{name}")))
}
