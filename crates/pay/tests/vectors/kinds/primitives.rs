//! Primitives that several gateways share.

use qiantai_pay::crypto::{Aes256Key, Certificate, PrivateKey, VerifyKey};

use crate::vector::{Kind, Outcome, Vector};

pub const KINDS: &[Kind] = &[
    ("rsa_sha256_sign", rsa_sha256_sign),
    ("rsa_sha256_verify", rsa_sha256_verify),
    ("rsa_oaep_sha1_decrypt", rsa_oaep_sha1_decrypt),
    ("aead_aes_256_gcm", aead_aes_256_gcm),
    ("aes_256_ecb_pkcs7", aes_256_ecb_pkcs7),
    ("x509_serial_hex", x509_serial_hex),
];

fn rsa_sha256_sign(vector: &Vector) -> Outcome {
    let signature = PrivateKey::from_text(vector.text("private_key_pem")?)
        .and_then(|key| key.sign_sha256_base64(vector.text("message").unwrap().as_bytes()));
    vector.expect("signature", signature.map_err(|error| error.to_string())?)
}

fn rsa_sha256_verify(vector: &Vector) -> Outcome {
    let key = VerifyKey::from_text(vector.text("verify_key_pem")?);
    let key = key.map_err(|error| error.to_string())?;
    let message = vector.text("message")?.as_bytes();
    let valid = key.verify_sha256_base64(message, vector.text("signature")?);
    vector.expect("valid", valid)
}

fn rsa_oaep_sha1_decrypt(vector: &Vector) -> Outcome {
    let opened = PrivateKey::from_text(key_text(vector)?).and_then(|key| {
        let sealed = vector.bytes("ciphertext").unwrap_or_default();
        key.decrypt_oaep_sha1(&sealed)
    });
    plaintext(vector, opened.map(|text| text.to_vec()))
}

fn aead_aes_256_gcm(vector: &Vector) -> Outcome {
    let nonce = vector.text("nonce")?.as_bytes();
    let data = vector
        .input
        .get("associated_data")
        .and_then(|data| data.as_str());
    let sealed = vector.bytes("ciphertext")?;
    let opened = Aes256Key::from_bytes(vector.text("api_v3_key")?.as_bytes())
        .and_then(|key| key.open_gcm(nonce, data.unwrap_or_default().as_bytes(), &sealed));
    plaintext(vector, opened)
}

fn aes_256_ecb_pkcs7(vector: &Vector) -> Outcome {
    let sealed = vector.bytes("ciphertext")?;
    let opened = Aes256Key::from_bytes(vector.text("key")?.as_bytes())
        .and_then(|key| key.decrypt_ecb(&sealed));
    plaintext(vector, opened)
}

fn x509_serial_hex(vector: &Vector) -> Outcome {
    let serial = Certificate::from_pem(vector.text("certificate_pem")?)
        .and_then(|certificate| certificate.serial_hex());
    vector.expect("serial", serial.map_err(|error| error.to_string())?)
}

fn key_text(vector: &Vector) -> Result<&str, String> {
    vector
        .text("private_key_pem")
        .or_else(|_| vector.text("key"))
}

fn plaintext<E: ToString>(vector: &Vector, opened: Result<Vec<u8>, E>) -> Outcome {
    match vector.accepted(opened)? {
        Some(text) => {
            let text = String::from_utf8(text).map_err(|error| error.to_string())?;
            vector.expect("plaintext", text)
        }
        None => Ok(()),
    }
}
