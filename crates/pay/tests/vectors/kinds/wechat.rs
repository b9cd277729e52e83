//! WeChat Pay, API v3 and v2.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use http::{HeaderMap, HeaderName, HeaderValue, Uri};
use qiantai_core::money::Money;
use qiantai_pay::channels::wechat::signature::{Authorization, Seal, Signer, request_message};
use qiantai_pay::channels::wechat::v2::{SignType, string_to_sign};
use qiantai_pay::channels::wechat::{
    PlatformKeys, check_hash, open_notice, read_bill, read_certificates, unpack,
};
use qiantai_pay::crypto::{Aes256Key, PrivateKey, VerifyKey};
use qiantai_pay::{BillKind, BillLine, Fee, SecretText};
use serde_json::{Value, json};

use crate::vector::{Kind, Outcome, Vector};

pub const KINDS: &[Kind] = &[
    ("wechat_v3_message", message),
    ("wechat_v3_request_sign", request_sign),
    ("wechat_v3_request_verify", request_verify),
    ("wechat_v3_verify", verify),
    ("wechat_v3_notification", notification),
    ("wechat_v3_certificates", certificates),
    ("wechat_v2_sign", v2_sign),
    ("wechat_bill", bill),
];

fn said(error: impl ToString) -> String {
    error.to_string()
}

fn target(vector: &Vector) -> Result<String, String> {
    let url: Uri = vector.text("url")?.parse().map_err(said)?;
    let target = url.path_and_query().ok_or("the URL has no path")?;
    Ok(target.as_str().to_owned())
}

fn message_of(vector: &Vector) -> Result<String, String> {
    let seconds = vector.time("timestamp")?.ms() / 1_000;
    let message = request_message(
        vector.text("method")?,
        &target(vector)?,
        seconds,
        vector.text("nonce")?,
        vector.text("body")?.as_bytes(),
    );
    String::from_utf8(message).map_err(said)
}

fn message(vector: &Vector) -> Outcome {
    vector.expect("message", message_of(vector)?)
}

fn request_sign(vector: &Vector) -> Outcome {
    let key = PrivateKey::from_text(vector.text("private_key_pem")?).map_err(said)?;
    let signer = Signer {
        mchid: vector.text("mchid")?,
        serial_no: vector.text("serial_no")?,
        key: &key,
        now: vector.time("timestamp")?,
        nonce: vector.text("nonce")?,
    };
    let body = vector.text("body")?.as_bytes();
    let signed = Authorization::sign(signer, vector.text("method")?, &target(vector)?, body);
    let header = signed.map_err(said)?.header();
    let read = Authorization::read(&header).ok_or("our own header cannot be read")?;
    vector.expect("message", message_of(vector)?)?;
    vector.expect("signature", read.signature.clone())?;
    vector.expect(
        "authorization_fields",
        json!({
            "mchid": read.mchid,
            "nonce_str": read.nonce,
            "timestamp": read.seconds.to_string(),
            "serial_no": read.serial_no,
            "signature": read.signature,
        }),
    )
}

fn request_verify(vector: &Vector) -> Outcome {
    let key = VerifyKey::from_text(vector.text("verify_key_pem")?).map_err(said)?;
    let claim = Authorization {
        mchid: String::new(),
        serial_no: String::new(),
        seconds: vector.time("timestamp")?.ms() / 1_000,
        nonce: vector.text("nonce")?.to_owned(),
        signature: vector.text("signature")?.to_owned(),
    };
    let body = vector.text("body")?.as_bytes();
    let valid = claim.verifies(&key, vector.text("method")?, &target(vector)?, body);
    vector.expect_if_given("message", message_of(vector)?)?;
    vector.expect("valid", valid)
}

fn verify(vector: &Vector) -> Outcome {
    let seal = Seal {
        timestamp: vector.text("timestamp")?.to_owned(),
        nonce: vector.text("nonce")?.to_owned(),
        serial: vector.text("serial")?.to_owned(),
        signature: vector.text("signature")?.to_owned(),
    };
    let mut keys = PlatformKeys::default();
    let key = VerifyKey::from_text(vector.text("verify_key_pem")?).map_err(said)?;
    keys.hold(&seal.serial, key);
    let body = vector.text("body")?;
    let valid = seal.verify(&keys, body.as_bytes(), vector.time("now")?);
    vector.expect("valid", valid.is_ok())?;
    let message = format!("{}\n{}\n{body}\n", seal.timestamp, seal.nonce);
    vector.expect_if_given("message", message)
}

fn notification(vector: &Vector) -> Outcome {
    let mut headers = HeaderMap::new();
    for (name, value) in vector.object("headers")? {
        let name: HeaderName = name.parse().map_err(said)?;
        let value = HeaderValue::from_str(value.as_str().unwrap_or_default()).map_err(said)?;
        headers.insert(name, value);
    }
    let mut keys = PlatformKeys::default();
    for (serial, pem) in vector.object("keys")? {
        let key = VerifyKey::from_text(pem.as_str().unwrap_or_default()).map_err(said)?;
        keys.hold(serial, key);
    }
    let key = Aes256Key::from_bytes(vector.text("api_v3_key")?.as_bytes()).map_err(said)?;
    let body = vector.text("body")?.as_bytes();
    match open_notice(&keys, &key, &headers, body, vector.time("now")?) {
        Ok(opened) => {
            vector.expect("accept", true)?;
            vector.expect_if_given("event_type", opened.event_type)?;
            vector.expect("plaintext", opened.plaintext)
        }
        Err(error) => vector
            .expect("accept", false)
            .map_err(|trouble| format!("{trouble}: {error}")),
    }
}

fn certificates(vector: &Vector) -> Outcome {
    let key = match Aes256Key::from_bytes(vector.text("api_v3_key")?.as_bytes()) {
        Ok(key) => key,
        Err(error) => return vector.accepted(Err::<(), _>(error)).map(|_| ()),
    };
    let body = match vector.input.get("response_body") {
        Some(Value::String(text)) => text.clone(),
        Some(json) => json.to_string(),
        None => return Err("the input lacks response_body".to_owned()),
    };
    match vector.accepted(read_certificates(&key, body.as_bytes()))? {
        Some(listed) => {
            let found: Vec<Value> = listed
                .into_iter()
                .map(|listed| json!({"serial_no": listed.serial_no, "pem": listed.pem}))
                .collect();
            vector.expect("certificates", found)
        }
        None => Ok(()),
    }
}

fn v2_sign(vector: &Vector) -> Outcome {
    let text = |value: &Value| match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let params: BTreeMap<String, String> = vector
        .object("params")?
        .iter()
        .map(|(name, value)| (name.clone(), text(value)))
        .collect();
    let key = SecretText::new(vector.text("key")?);
    let kind = SignType::of(vector.text("sign_type")?).ok_or("an unknown sign_type")?;
    let covered = string_to_sign(&params, &key).to_string();
    vector.expect("string_to_sign", covered)?;
    vector.expect("sign", kind.sign(&params, &key).map_err(said)?)
}

fn bill(vector: &Vector) -> Outcome {
    let file = vector.bytes("file_base64")?;
    if let Some(packed) = vector.input.get("file_gzip_base64").and_then(Value::as_str) {
        let packed = BASE64.decode(packed).map_err(said)?;
        if unpack(&packed).map_err(said)? != file {
            return Err("the packed file is another".to_owned());
        }
    }
    let read = check_hash(&file, vector.text("hash_value")?).and_then(|()| read_bill(&file, None));
    let Some(lines) = vector.accepted(read)? else {
        return Ok(());
    };
    let sum = |of: &[BillKind]| -> i64 {
        let lines = lines.iter().filter(|line| of.contains(&line.kind));
        lines.map(|line| line.settled.fen()).sum()
    };
    let fee: Fee = lines.iter().map(|line| line.fee).sum();
    vector.expect("rows", lines.len())?;
    vector.expect("pay_fen", sum(&[BillKind::Payment]))?;
    vector.expect("refund_fen", sum(&[BillKind::Refund, BillKind::Reversal]))?;
    vector.expect("fee_fen", fee.rounded().fen())?;
    let header = String::from_utf8_lossy(&file);
    let columns = header.lines().next().unwrap_or_default().split(',').count();
    vector.expect("columns", columns)?;
    row(vector, "first_row", lines.first())?;
    row(vector, "last_row", lines.last())
}

/// The columns of a row that the vector names, from the line they became.
fn row(vector: &Vector, name: &str, line: Option<&BillLine>) -> Outcome {
    let Some(Value::Object(expected)) = vector.expected.get(name) else {
        return Ok(());
    };
    let line = line.ok_or("the bill is empty")?;
    let yuan = |amount: Money| format!("{}.{:02}", amount.fen() / 100, amount.fen() % 100);
    let is_payment = line.kind == BillKind::Payment;
    let found: Option<serde_json::Map<String, Value>> = expected
        .keys()
        .map(|column| {
            let value = match column.as_str() {
                "商户订单号" => line.attempt_no.clone(),
                "微信订单号" => line.channel_txn_no.clone(),
                "交易状态" if is_payment => "SUCCESS".to_owned(),
                "交易状态" if line.kind == BillKind::Refund => "REFUND".to_owned(),
                "交易状态" => "REVOKED".to_owned(),
                "应结订单金额" if is_payment => yuan(line.settled),
                "退款金额" if is_payment => yuan(Money::ZERO),
                "退款金额" => yuan(line.settled),
                _ => return None,
            };
            Some((column.clone(), Value::from(value)))
        })
        .collect();
    let found = found.ok_or("a column that no line keeps")?;
    vector.expect(name, found)
}
