//! Alipay's signatures, certificates and bills.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use qiantai_core::money::Money;
use qiantai_pay::channels::alipay::signature::{
    SignedAnswer, SignedNotice, request_text, sign_request,
};
use qiantai_pay::channels::alipay::{AlipayBill, cert_sn, root_cert_sn};
use qiantai_pay::crypto::{Certificate, PrivateKey, VerifyKey};
use qiantai_pay::{BillKind, BillLine, Charset, Fee, Pairs};
use serde_json::Value;

use crate::vector::{Kind, Outcome, Vector};

pub const KINDS: &[Kind] = &[
    ("alipay_request_sign", request_sign),
    ("alipay_response_verify", response_verify),
    ("alipay_response_text", response_text),
    ("alipay_notify_verify", notify_verify),
    ("alipay_cert_sn", certificate_number),
    ("alipay_root_cert_sn", root_certificate_number),
    ("alipay_bill", bill),
];

fn request_sign(vector: &Vector) -> Outcome {
    let params: Pairs = vector
        .object("params")?
        .iter()
        .map(|(name, value)| (name.clone(), value.as_str().unwrap_or_default().to_owned()))
        .collect();
    vector.expect("string_to_sign", request_text(&params))?;
    let sign = PrivateKey::from_text(vector.text("private_key_pem")?)
        .and_then(|key| sign_request(&params, &key));
    vector.expect("sign", sign.map_err(|error| error.to_string())?)
}

fn verify_key(vector: &Vector) -> Result<VerifyKey, String> {
    VerifyKey::from_text(vector.text("verify_key_pem")?).map_err(|error| error.to_string())
}

fn body(vector: &Vector) -> Result<Vec<u8>, String> {
    match vector.text("body_base64") {
        Ok(text) => BASE64.decode(text).map_err(|error| error.to_string()),
        Err(_) => Ok(vector.text("body")?.as_bytes().to_vec()),
    }
}

fn charset(vector: &Vector) -> Charset {
    let label = vector.text("charset").ok();
    label.and_then(Charset::of_label).unwrap_or(Charset::Utf8)
}

fn response_verify(vector: &Vector) -> Outcome {
    let (body, key) = (body(vector)?, verify_key(vector)?);
    let answer = SignedAnswer::read(&body, charset(vector), vector.text("node")?);
    let Ok(answer) = answer else {
        return vector.expect("valid", false);
    };
    vector.expect("valid", answer.is_signed_by(&key))?;
    let text = answer.text().ok_or("not of its character set")?;
    vector.expect_if_given("signed_text", text.as_str())?;
    let is_unsigned_error = answer.is_error_node && answer.sign.is_none();
    vector.expect_if_given("unsigned_error", is_unsigned_error)?;
    let node: Value = serde_json::from_str(&text).map_err(|error| error.to_string())?;
    vector.expect_if_given("sub_code", node["sub_code"].clone())
}

fn response_text(vector: &Vector) -> Outcome {
    let body = body(vector)?;
    let answer = SignedAnswer::read(&body, charset(vector), vector.text("node")?);
    let Some(answer) = vector.accepted(answer)? else {
        return Ok(());
    };
    let text = answer.text().ok_or("not of its character set")?;
    vector.expect("signed_text", text)
}

fn notify_verify(vector: &Vector) -> Outcome {
    let key = verify_key(vector)?;
    let notice = SignedNotice::read(vector.text("form")?.as_bytes(), Some(charset(vector)));
    let Ok(notice) = notice else {
        return vector.expect("valid", false);
    };
    vector.expect("valid", notice.is_signed_by(&key))?;
    vector.expect_if_given("string_to_sign", notice.text())?;
    let Some(expected) = vector.expected.get("fields").and_then(Value::as_object) else {
        return Ok(());
    };
    for (name, value) in expected {
        let found = notice.fields.get(name);
        if found != value.as_str() {
            return Err(format!("{name} is {found:?}, not {value}"));
        }
    }
    Ok(())
}

fn certificate_number(vector: &Vector) -> Outcome {
    let certificate = Certificate::from_pem(vector.text("certificate_pem")?);
    let sn = certificate.and_then(|certificate| cert_sn(&certificate));
    vector.expect("sn", sn.map_err(|error| error.to_string())?)
}

fn root_certificate_number(vector: &Vector) -> Outcome {
    let sn = root_cert_sn(vector.text("bundle_pem")?);
    vector.expect("sn", sn.map_err(|error| error.to_string())?)
}

fn bill(vector: &Vector) -> Outcome {
    let archive = vector.bytes("zip_base64")?;
    let read = AlipayBill::read(&archive).and_then(|bill| Ok((bill.lines()?, bill)));
    let Some((lines, bill)) = vector.accepted(read)? else {
        return Ok(());
    };
    let sum = |kind| -> i64 {
        let of_kind = lines.iter().filter(|line| line.kind == kind);
        of_kind
            .map(|line: &BillLine| line.settled)
            .sum::<Money>()
            .fen()
    };
    vector.expect("rows", lines.len())?;
    vector.expect("pay_fen", sum(BillKind::Payment))?;
    vector.expect("refund_fen", sum(BillKind::Refund))?;
    let fee: Fee = lines.iter().map(|line| line.fee).sum();
    vector.expect_if_given("fee_fen", fee.rounded().fen())?;
    vector.expect_if_given("columns", bill.columns.len())?;
    vector.expect_if_given("detail_file", bill.file_name.as_str())?;
    let Some(expected) = vector.expected.get("last_row").and_then(Value::as_object) else {
        return Ok(());
    };
    let last = bill.rows.last().ok_or("the bill has no rows")?;
    for (column, value) in expected {
        let found = bill.value(last, column);
        if found != value.as_str() {
            return Err(format!("{column} is {found:?}, not {value}"));
        }
    }
    Ok(())
}
