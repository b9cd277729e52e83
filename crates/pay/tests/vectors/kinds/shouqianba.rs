//! Shouqianba's signatures of requests and notices.

use qiantai_pay::channels::shouqianba::signature::{authorization, is_genuine_notice, sign};
use qiantai_pay::crypto::VerifyKey;

use crate::vector::{Kind, Outcome, Vector};

pub const KINDS: &[Kind] = &[
    ("request_md5", request_md5),
    ("notify_rsa_sha256", notify_rsa_sha256),
];

fn request_md5(vector: &Vector) -> Outcome {
    let (body, key) = (vector.text("body")?.as_bytes(), vector.text("key")?);
    let signature = sign(body, key).map_err(|error| error.to_string())?;
    vector.expect("sign", signature)?;
    let header = authorization(vector.text("sn")?, body, key).map_err(|error| error.to_string())?;
    vector.expect_if_given("authorization", header)
}

fn notify_rsa_sha256(vector: &Vector) -> Outcome {
    let key = VerifyKey::from_text(vector.text("verify_key_pem")?);
    let key = key.map_err(|error| error.to_string())?;
    let body = vector.text("body")?.as_bytes();
    let valid = is_genuine_notice(vector.text("authorization")?, body, &key);
    vector.expect("valid", valid)
}
