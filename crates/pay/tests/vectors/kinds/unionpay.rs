//! UnionPay's signatures, by certificate and by key.

use qiantai_pay::channels::unionpay::signature::{digest_hex, sign, signer, text_to_sign};
use qiantai_pay::channels::unionpay::{keyed_md5_upper, keyed_text};
use qiantai_pay::crypto::PrivateKey;
use qiantai_pay::{Charset, Pairs};
use serde_json::Value;

use crate::vector::{Kind, Outcome, Vector};

pub const KINDS: &[Kind] = &[
    ("acp_sign", acp_sign),
    ("acp_verify", acp_verify),
    ("qra_md5", keyed_md5),
    ("sorted_md5_upper", keyed_md5),
];

fn params(vector: &Vector) -> Result<Pairs, String> {
    let params = vector.object("params")?.iter();
    Ok(params
        .map(|(name, value)| (name.clone(), value.as_str().unwrap_or_default().to_owned()))
        .collect())
}

fn acp_sign(vector: &Vector) -> Outcome {
    let params = params(vector)?;
    vector.expect("string_to_sign", text_to_sign(&params))?;
    let digest = digest_hex(&params).map_err(|error| error.to_string())?;
    vector.expect("sha256_hex", digest)?;
    let signature =
        PrivateKey::from_text(vector.text("private_key_pem")?).and_then(|key| sign(&params, &key));
    vector.expect("signature", signature.map_err(|error| error.to_string())?)
}

fn acp_verify(vector: &Vector) -> Outcome {
    let body = vector.text("body")?.as_bytes();
    let is_form = vector.input["body_is_url_encoded"].as_bool() == Some(true);
    let fields = if is_form {
        Pairs::from_form(body, Charset::Utf8)
    } else {
        Pairs::from_plain(body)
    };
    let Ok(fields) = fields else {
        return vector.expect("valid", false);
    };
    vector.expect("valid", signer(&fields).is_some())?;
    vector.expect_if_given("string_to_sign", text_to_sign(&fields))?;
    let digest = digest_hex(&fields).map_err(|error| error.to_string())?;
    vector.expect_if_given("sha256_hex", digest)?;
    let Some(expected) = vector.expected.get("fields").and_then(Value::as_object) else {
        return Ok(());
    };
    for (name, value) in expected {
        if fields.get(name) != value.as_str() {
            return Err(format!("{name} is {:?}, not {value}", fields.get(name)));
        }
    }
    Ok(())
}

fn keyed_md5(vector: &Vector) -> Outcome {
    let (params, key) = (params(vector)?, vector.text("key")?);
    vector.expect("string_to_sign", keyed_text(&params, key))?;
    let sign = keyed_md5_upper(&params, key).map_err(|error| error.to_string())?;
    vector.expect("sign", sign)
}
