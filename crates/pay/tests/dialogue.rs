//! A transport that plays one gateway: answers in their order, and the requests that came.

use std::collections::VecDeque;
use std::sync::{Arc, LazyLock, Mutex};

use async_trait::async_trait;
use bytes::Bytes;
use openssl::asn1::Asn1Time;
use openssl::bn::BigNum;
use openssl::hash::MessageDigest;
use openssl::pkey::{PKey, Private};
use openssl::rsa::Rsa;
use openssl::x509::{X509, X509NameBuilder};
use qiantai_core::clock::{Millis, Timestamp};
use qiantai_core::money::Money;
use qiantai_core::order_no::{OrderNo, Prefix};
use qiantai_pay::crypto::PrivateKey;
use qiantai_pay::transport::{HttpTransport, TransportError};
use qiantai_pay::{AuthCode, Charset, CodeRequest, Pairs, QrRequest, RefundRequest, Wallet};

use crate::scripted::NOW;

pub type Answer = Result<http::Response<Bytes>, TransportError>;

/// Answers each request with the next answer; the last one is repeated.
pub struct Dialogue {
    answers: Mutex<VecDeque<Answer>>,
    requests: Mutex<Vec<http::Request<Bytes>>>,
}

impl Dialogue {
    pub fn new(answers: impl IntoIterator<Item = Answer>) -> Arc<Dialogue> {
        Arc::new(Dialogue {
            answers: Mutex::new(answers.into_iter().collect()),
            requests: Mutex::new(Vec::new()),
        })
    }

    pub fn requests(&self) -> Vec<http::Request<Bytes>> {
        self.requests.lock().unwrap().clone()
    }

    /// The form of one request.
    pub fn form(&self, index: usize) -> Pairs {
        Pairs::from_form(self.requests()[index].body(), Charset::Utf8).unwrap()
    }
}

#[async_trait]
impl HttpTransport for Dialogue {
    async fn send(&self, request: http::Request<Bytes>) -> Answer {
        self.requests.lock().unwrap().push(request);
        let mut answers = self.answers.lock().unwrap();
        let next = answers.pop_front().expect("an answer is left");
        if answers.is_empty() {
            answers.push_back(next.clone());
        }
        next
    }
}

/// An answer of status 200.
pub fn ok(body: impl Into<Bytes>) -> Answer {
    Ok(http::Response::new(body.into()))
}

/// An answer of another status.
pub fn status(status: u16) -> Answer {
    let mut answer = http::Response::new(Bytes::from_static(b"<html>"));
    *answer.status_mut() = http::StatusCode::from_u16(status).unwrap();
    Ok(answer)
}

/// A number made so long ago.
pub fn number(prefix: Prefix, age: Millis) -> String {
    OrderNo::new(prefix, NOW - age, "00001", "01", 7)
        .unwrap()
        .to_string()
}

/// A key pair.
pub struct Keys(PKey<Private>);

impl Keys {
    fn generate() -> Keys {
        Keys(PKey::from_rsa(Rsa::generate(2048).unwrap()).unwrap())
    }

    pub fn private_pem(&self) -> String {
        String::from_utf8(self.0.private_key_to_pem_pkcs8().unwrap()).unwrap()
    }

    pub fn public_pem(&self) -> String {
        String::from_utf8(self.0.public_key_to_pem().unwrap()).unwrap()
    }

    pub fn private(&self) -> PrivateKey {
        PrivateKey::from_text(&self.private_pem()).unwrap()
    }

    pub fn raw(&self) -> &PKey<Private> {
        &self.0
    }
}

/// Ours, the gateway's, and a stranger's; made once, because making is slow.
pub static OURS: LazyLock<Keys> = LazyLock::new(Keys::generate);
pub static GATEWAY: LazyLock<Keys> = LazyLock::new(Keys::generate);
pub static STRANGER: LazyLock<Keys> = LazyLock::new(Keys::generate);

/// What a certificate says.
pub struct Certified<'a> {
    pub common_name: &'a str,
    pub keys: &'a Keys,
    pub serial: u32,
    /// The issuer's certificate and keys; itself where there is none.
    pub issuer: Option<(&'a X509, &'a Keys)>,
    pub from: Timestamp,
    pub until: Timestamp,
}

impl Certified<'_> {
    pub fn issue(&self) -> X509 {
        let mut name = X509NameBuilder::new().unwrap();
        name.append_entry_by_text("C", "CN").unwrap();
        name.append_entry_by_text("CN", self.common_name).unwrap();
        let name = name.build();
        let at = |at: Timestamp| Asn1Time::from_unix(at.ms() / 1_000).unwrap();
        let serial = BigNum::from_u32(self.serial).unwrap();
        let mut builder = X509::builder().unwrap();
        builder.set_version(2).unwrap();
        builder
            .set_serial_number(&serial.to_asn1_integer().unwrap())
            .unwrap();
        builder.set_subject_name(&name).unwrap();
        let issuer = self
            .issuer
            .map_or(&*name, |(issuer, _)| issuer.subject_name());
        builder.set_issuer_name(issuer).unwrap();
        builder.set_not_before(&at(self.from)).unwrap();
        builder.set_not_after(&at(self.until)).unwrap();
        builder.set_pubkey(self.keys.raw()).unwrap();
        let signer = self.issuer.map_or(self.keys, |(_, keys)| keys);
        builder.sign(signer.raw(), MessageDigest::sha256()).unwrap();
        builder.build()
    }
}

/// An attempt of half a minute ago.
pub fn attempt() -> String {
    number(Prefix::Attempt, Millis::seconds(30))
}

/// A refund of ten seconds ago.
pub fn refund_no() -> String {
    number(Prefix::Refund, Millis::seconds(10))
}

/// A code of 300 yuan for the attempt, wanted for an hour.
pub fn qr_request(wallet: Wallet) -> QrRequest {
    QrRequest {
        attempt_no: attempt(),
        amount: Money::from_yuan(300),
        subject: "会员充值".to_owned(),
        wallet,
        expires_at: NOW + Millis::hours(1),
        notify_url: None,
    }
}

/// A payment code charged with 300 yuan for the attempt.
pub fn code_request(digits: &str) -> CodeRequest {
    CodeRequest {
        attempt_no: attempt(),
        amount: Money::from_yuan(300),
        subject: "会员充值".to_owned(),
        auth_code: AuthCode::new(digits),
        notify_url: None,
    }
}

/// A refund of the attempt's 300 yuan, in part.
pub fn refund_request(refund_no: &str, yuan: i64) -> RefundRequest {
    RefundRequest {
        attempt_no: attempt(),
        channel_txn_no: None,
        refund_no: refund_no.to_owned(),
        paid: Money::from_yuan(300),
        amount: Money::from_yuan(yuan),
        reason: "退卡".to_owned(),
        notify_url: None,
    }
}

pub fn pem(certificate: &X509) -> String {
    String::from_utf8(certificate.to_pem().unwrap()).unwrap()
}

/// A certificate that holds now.
pub fn certified(
    common_name: &str,
    keys: &Keys,
    serial: u32,
    issuer: Option<(&X509, &Keys)>,
) -> X509 {
    Certified {
        common_name,
        keys,
        serial,
        issuer,
        from: NOW - Millis::days(1),
        until: NOW + Millis::days(1),
    }
    .issue()
}
