//! A gateway of the test: it keeps the requests and gives the answers in order, signed or not.

use std::collections::VecDeque;
use std::sync::{Arc, LazyLock, Mutex};

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode};
use openssl::asn1::Asn1Time;
use openssl::bn::BigNum;
use openssl::hash::MessageDigest;
use openssl::pkey::{PKey, Private};
use openssl::rsa::Rsa;
use openssl::x509::{X509, X509NameBuilder};
use qiantai_core::clock::{Millis, Timestamp};
use qiantai_pay::channels::wechat::signature::{
    NONCE, SERIAL, SIGNATURE, TIMESTAMP, answer_message,
};
use qiantai_pay::channels::wechat::{Account, WechatChannel, WechatSettings};
use qiantai_pay::crypto::{Aes256Key, PrivateKey};
use qiantai_pay::transport::{HttpTransport, TransportError};
use qiantai_pay::{Surroundings, channels};
use serde_json::{Value, json};

pub const NOW: Timestamp = Timestamp::from_ms(1_767_225_672_480);
pub const MCHID: &str = "1900000109";
pub const APPID: &str = "wx8888888888888888";
pub const PUBLIC_KEY: &str = "PUB_KEY_ID_0116000000000020260101000000000001";
pub const API_V3_KEY: &str = "ZzYyXxWwVvUuTtSsRrQqPpOoNnMmLlKk";
pub const V2_KEY: &str = "8934e7d15453e97507ef794cf7b0519d";
pub const MERCHANT_SERIAL: &str = "553066B85CDD99DDB15FEC61D6DE558CC9874021";

pub type Answer = Result<http::Response<Bytes>, TransportError>;

/// A key of either side.
pub struct TestKey {
    pub pkey: PKey<Private>,
    pub private: PrivateKey,
    pub private_pem: String,
    pub public_pem: String,
}

fn generate() -> TestKey {
    let pkey = PKey::from_rsa(Rsa::generate(2048).unwrap()).unwrap();
    let private_pem = String::from_utf8(pkey.private_key_to_pem_pkcs8().unwrap()).unwrap();
    TestKey {
        private: PrivateKey::from_text(&private_pem).unwrap(),
        public_pem: String::from_utf8(pkey.public_key_to_pem().unwrap()).unwrap(),
        private_pem,
        pkey,
    }
}

pub static MERCHANT: LazyLock<TestKey> = LazyLock::new(generate);
pub static GATEWAY: LazyLock<TestKey> = LazyLock::new(generate);
pub static OTHER: LazyLock<TestKey> = LazyLock::new(generate);

/// A certificate for the key, valid from one day before to `days` after [`NOW`].
pub fn certificate(key: &TestKey, serial: &str, days: i64) -> String {
    let mut name = X509NameBuilder::new().unwrap();
    name.append_entry_by_text("CN", "Tenpay.com").unwrap();
    let name = name.build();
    let at = |span: Millis| Asn1Time::from_unix((NOW + span).ms() / 1_000).unwrap();
    let mut builder = X509::builder().unwrap();
    let number = BigNum::from_hex_str(serial).unwrap();
    builder
        .set_serial_number(&number.to_asn1_integer().unwrap())
        .unwrap();
    builder.set_subject_name(&name).unwrap();
    builder.set_issuer_name(&name).unwrap();
    builder.set_not_before(&at(Millis::days(-1))).unwrap();
    builder.set_not_after(&at(Millis::days(days))).unwrap();
    builder.set_pubkey(&key.pkey).unwrap();
    builder.sign(&key.pkey, MessageDigest::sha256()).unwrap();
    String::from_utf8(builder.build().to_pem().unwrap()).unwrap()
}

/// Settings of a merchant with a public key.
pub fn settings() -> Value {
    json!({
        "base_url": "https://gateway.test",
        "appid": APPID,
        "mchid": MCHID,
        "private_key": MERCHANT.private_pem,
        "serial_no": MERCHANT_SERIAL,
        "api_v3_key": API_V3_KEY,
        "public_keys": [{"id": PUBLIC_KEY, "key": GATEWAY.public_pem}],
        "payment_code": "v3",
        "store_id": "S01",
        "unattended_notify_url": "https://shop.test/nobody",
    })
}

pub fn account(settings: Value) -> Result<Account, String> {
    let settings: WechatSettings =
        serde_json::from_value(settings).map_err(|error| error.to_string())?;
    Account::new(settings)
}

pub struct Gateway {
    answers: Mutex<VecDeque<Answer>>,
    pub requests: Mutex<Vec<http::Request<Bytes>>>,
    now: Mutex<Timestamp>,
    nonces: Mutex<u32>,
}

impl Gateway {
    pub fn advance(&self, span: Millis) {
        let mut now = self.now.lock().unwrap();
        *now = *now + span;
    }

    pub fn answer(&self, answer: Answer) {
        self.answers.lock().unwrap().push_back(answer);
    }

    /// Paths with queries of the requests so far.
    pub fn targets(&self) -> Vec<String> {
        let requests = self.requests.lock().unwrap();
        let target = |request: &http::Request<Bytes>| {
            request.uri().path_and_query().unwrap().as_str().to_owned()
        };
        requests.iter().map(target).collect()
    }
}

#[async_trait]
impl HttpTransport for Gateway {
    async fn send(&self, request: http::Request<Bytes>) -> Answer {
        self.requests.lock().unwrap().push(request);
        let next = self.answers.lock().unwrap().pop_front();
        next.expect("the test has an answer for each request")
    }
}

impl Surroundings for Gateway {
    fn now(&self) -> Timestamp {
        *self.now.lock().unwrap()
    }
    fn nonce(&self) -> String {
        let mut nonces = self.nonces.lock().unwrap();
        *nonces += 1;
        format!("nonce{nonces:027}")
    }
}

/// A channel with these settings, and the gateway that gives it these answers.
pub fn channel_with(settings: Value, answers: Vec<Answer>) -> (WechatChannel, Arc<Gateway>) {
    let gateway = Arc::new(Gateway {
        answers: Mutex::new(answers.into()),
        requests: Mutex::default(),
        now: Mutex::new(NOW),
        nonces: Mutex::default(),
    });
    let account = account(settings).unwrap();
    let channel = channels::wechat::WechatChannel::new(account, gateway.clone(), gateway.clone());
    (channel, gateway)
}

pub fn channel(answer: Answer) -> WechatChannel {
    channel_with(settings(), vec![answer]).0
}

/// An answer as the gateway signs it.
pub fn signed(status: u16, body: &str) -> Answer {
    response(status, seal(&GATEWAY, PUBLIC_KEY, NOW, body), body)
}

pub fn unsigned(status: u16, body: &str) -> Answer {
    response(status, HeaderMap::new(), body)
}

/// The headers of a signature.
pub fn seal(key: &TestKey, serial: &str, at: Timestamp, body: &str) -> HeaderMap {
    let seconds = (at.ms() / 1_000).to_string();
    let message = answer_message(&seconds, "answernonce", body.as_bytes());
    let signature = key.private.sign_sha256_base64(&message).unwrap();
    let fields = [
        (TIMESTAMP, seconds.as_str()),
        (NONCE, "answernonce"),
        (SERIAL, serial),
        (SIGNATURE, signature.as_str()),
    ];
    fields
        .into_iter()
        .map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_str(value).unwrap()))
        .collect()
}

pub fn response(status: u16, headers: HeaderMap, body: &str) -> Answer {
    let mut response = http::Response::new(Bytes::copy_from_slice(body.as_bytes()));
    *response.status_mut() = StatusCode::from_u16(status).unwrap();
    *response.headers_mut() = headers;
    Ok(response)
}

/// A text sealed with the APIv3 key, as it stands in notices and lists.
pub fn sealed(plaintext: &str) -> Value {
    let key = Aes256Key::from_bytes(API_V3_KEY.as_bytes()).unwrap();
    let text = key.seal_gcm(b"nOnCe1234567", b"transaction", plaintext.as_bytes());
    json!({
        "algorithm": "AEAD_AES_256_GCM",
        "ciphertext": BASE64.encode(text.unwrap()),
        "associated_data": "transaction",
        "nonce": "nOnCe1234567",
    })
}
