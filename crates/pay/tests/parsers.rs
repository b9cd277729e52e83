//! Every reader of bytes from outside, each behind one function that takes any bytes. The fuzz
//! targets in `fuzz/` feed them, and a test replays the committed corpora.

use std::sync::{Arc, LazyLock};

use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use openssl::pkey::{PKey, Private};
use openssl::rsa::Rsa;
use qiantai_core::clock::Timestamp;
use qiantai_core::money::Money;
use qiantai_pay::channels::alipay::signature::{SignedAnswer, SignedNotice, charset_of};
use qiantai_pay::channels::alipay::{AlipayBill, root_cert_sn};
use qiantai_pay::channels::emv::{ConsumerCode, MerchantCode};
use qiantai_pay::channels::training::message::{PaidNotice, PaymentAnswer, RefundReply};
use qiantai_pay::channels::unionpay::signature::{is_unionpay, signer};
use qiantai_pay::channels::wechat::signature::{
    Authorization, NONCE, SERIAL, SIGNATURE, Seal, TIMESTAMP, answer_message,
};
use qiantai_pay::channels::wechat::v2::{read_xml, write_xml};
use qiantai_pay::channels::wechat::{
    PlatformKeys, check_hash, open_notice, read_bill, read_certificates, unpack,
};
use qiantai_pay::crypto::{Aes256Key, Certificate, KeyStore, PrivateKey, VerifyKey};
use qiantai_pay::transport::{HttpTransport, TransportError};
use qiantai_pay::{
    AuthCode, Channel, Charset, CodeRequest, Pairs, RefundQuery, RefundRequest, Registry,
    Surroundings, SystemSurroundings, payment_code,
};
use serde_json::json;

/// A reader that takes any bytes.
pub type Parser = fn(&[u8]);

/// Every reader by the name of its fuzz target and its corpus.
pub const PARSERS: [(&str, Parser); 11] = [
    ("alipay_answer", alipay_answer),
    ("alipay_bill", alipay_bill),
    ("certificates", certificates),
    ("codes", codes),
    ("pairs", pairs),
    ("shouqianba_answer", shouqianba_answer),
    ("signed_answer", signed_answer),
    ("training_message", training_message),
    ("wechat_bill", wechat_bill),
    ("wechat_message", wechat_message),
    ("wechat_xml", wechat_xml),
];

/// Answers, of which one node is signed.
pub fn alipay_answer(bytes: &[u8]) {
    let node = "alipay_trade_query_response";
    for charset in [Charset::Utf8, Charset::Gbk, charset_of(None, bytes)] {
        if let Ok(answer) = SignedAnswer::read(bytes, charset, node) {
            let ends = (answer.node.first(), answer.node.last());
            assert_eq!(ends, (Some(&b'{'), Some(&b'}')), "the node is an object");
            let _ = answer.text();
        }
    }
}

/// Zip files with CSV in GBK, and the CSV alone is never taken for one.
pub fn alipay_bill(bytes: &[u8]) {
    if let Ok(bill) = AlipayBill::read(bytes) {
        let _ = bill.lines();
    }
}

/// Certificates, bundles, keys and key stores.
pub fn certificates(bytes: &[u8]) {
    let _ = Certificate::from_der(bytes);
    let _ = KeyStore::from_pkcs12(bytes, "000000");
    let text = String::from_utf8_lossy(bytes);
    let _ = Certificate::from_pem(&text);
    let _ = root_cert_sn(&text);
    let _ = PrivateKey::from_text(&text);
    let _ = VerifyKey::from_text(&text);
}

/// What a scanner reads: payment codes and EMVCo codes of both sides.
pub fn codes(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let _ = payment_code::recognise(&text, &[]);
    if let Ok(code) = ConsumerCode::parse(&text) {
        let again = ConsumerCode::parse(&code.to_payload());
        assert!(again.is_ok(), "what is written is read back");
    }
    let _ = MerchantCode::read(&text);
    if let Ok(code) = MerchantCode::parse(&text) {
        let again = MerchantCode::parse(&code.to_payload());
        assert!(again.is_ok(), "what is written is read back");
    }
}

/// Forms and plain pairs, and the certificate that a UnionPay answer carries.
pub fn pairs(bytes: &[u8]) {
    let read = [
        Pairs::from_form(bytes, Charset::Utf8),
        Pairs::from_form(bytes, Charset::Gbk),
        Pairs::from_plain(bytes),
        SignedNotice::read(bytes, None).map(|notice| notice.fields),
    ];
    for fields in read.into_iter().flatten() {
        if let Some(certificate) = signer(&fields) {
            assert!(!is_unionpay(&certificate, &[], Timestamp::from_ms(0)));
        }
        let again = Pairs::from_form(fields.to_form().as_bytes(), Charset::Utf8);
        assert_eq!(again, Ok(fields), "what is written is read back");
    }
}

/// A line that answers everything with the same bytes.
struct Echo(Bytes);

#[async_trait]
impl HttpTransport for Echo {
    async fn send(&self, _: http::Request<Bytes>) -> Result<http::Response<Bytes>, TransportError> {
        Ok(http::Response::new(self.0.clone()))
    }
}

/// Answers, which nobody signs, and notices before their signature is known.
pub fn shouqianba_answer(bytes: &[u8]) {
    let settings = json!({
        "base_url": "https://gateway.test",
        "vendor_sn": "91800129",
        "vendor_key": "vendorkey",
        "app_id": "2020",
        "activation_code": "A1B2",
        "device_id": "desk-1",
        // Never written: no activation brings a terminal that can be kept there.
        "terminal_file": "no-such-folder/terminal.json",
    });
    let mut registry = Registry::new();
    let line = Arc::new(Echo(Bytes::copy_from_slice(bytes)));
    registry
        .open("shouqianba", settings, line, Arc::new(SystemSurroundings))
        .expect("the settings are whole");
    let channel: Arc<dyn Channel> = registry
        .get("shouqianba")
        .expect("it was just opened")
        .clone();
    let _ = channel.parse_notice(&HeaderMap::new(), bytes);
    tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime without drivers")
        .block_on(async { channel.query("ZF2026112214031248000001010000").await });
}

/// The gateway's private key with its public half in PEM, and our private key in PEM; drawn once.
static KEYS: LazyLock<(PrivateKey, String, String)> = LazyLock::new(|| {
    let draw = || PKey::from_rsa(Rsa::generate(2048)?);
    let (theirs, ours) = (draw().expect("a key"), draw().expect("a key"));
    let text = |pem: Vec<u8>| String::from_utf8(pem).expect("PEM is ASCII");
    let private = |key: &PKey<Private>| text(key.private_key_to_pem_pkcs8().expect("PEM"));
    let public = text(theirs.public_key_to_pem().expect("PEM"));
    let key = PrivateKey::from_text(&private(&theirs)).expect("it was just written");
    (key, public, private(&ours))
});

/// A line that answers everything with the same content, signed by the gateway.
enum Sealed {
    Wechat(Bytes),
    Alipay(Bytes),
}

#[async_trait]
impl HttpTransport for Sealed {
    async fn send(
        &self,
        request: http::Request<Bytes>,
    ) -> Result<http::Response<Bytes>, TransportError> {
        let sign = |message: &[u8]| KEYS.0.sign_sha256_base64(message).expect("signs anything");
        Ok(match self {
            Sealed::Wechat(content) => {
                let seconds = SystemSurroundings.now().ms() / 1_000;
                let seconds = seconds.to_string();
                let signature = sign(&answer_message(&seconds, "nonce", content));
                let mut answer = http::Response::new(content.clone());
                for (name, value) in [
                    (TIMESTAMP, seconds.as_str()),
                    (NONCE, "nonce"),
                    (SERIAL, PUBLIC_KEY),
                    (SIGNATURE, signature.as_str()),
                ] {
                    let name = HeaderName::try_from(name).expect("a name of the protocol");
                    let value = HeaderValue::from_str(value).expect("text");
                    answer.headers_mut().insert(name, value);
                }
                answer
            }
            Sealed::Alipay(content) => {
                let form = Pairs::from_form(request.body(), Charset::Utf8).expect("our request");
                let method = form.get("method").expect("our request").replace('.', "_");
                let mut body = format!("{{\"{method}_response\":").into_bytes();
                body.extend_from_slice(content);
                body.extend_from_slice(format!(",\"sign\":\"{}\"}}", sign(content)).as_bytes());
                http::Response::new(Bytes::from(body))
            }
        })
    }
}

/// Name of the gateway's key.
const PUBLIC_KEY: &str = "PUB_KEY_ID_0116000000000020260101000000000001";

/// What gateways say once their signature holds, to every kind of question. The first byte picks
/// the gateway and the question, the rest is the answer.
pub fn signed_answer(bytes: &[u8]) {
    let Some((&pick, content)) = bytes.split_first() else {
        return;
    };
    let content = Bytes::copy_from_slice(content);
    let (_, public, private) = &*KEYS;
    let (name, line, settings) = match pick % 2 {
        0 => {
            let settings = json!({
                "base_url": "https://gateway.test",
                "appid": "wx8888888888888888",
                "mchid": "1900000109",
                "private_key": private,
                "serial_no": "553066B85CDD99DDB15FEC61D6DE558CC9874021",
                "api_v3_key": "ZzYyXxWwVvUuTtSsRrQqPpOoNnMmLlKk",
                "public_keys": [{"id": PUBLIC_KEY, "key": public}],
                "payment_code": "v3",
                "store_id": "S01",
                "unattended_notify_url": "https://shop.test/nobody",
            });
            ("wechat", Sealed::Wechat(content), settings)
        }
        _ => {
            let settings = json!({
                "base_url": "https://gateway.test",
                "app_id": "2021000000000001",
                "private_key": private,
                "alipay_public_keys": [public],
            });
            ("alipay", Sealed::Alipay(content), settings)
        }
    };
    let mut registry = Registry::new();
    let opened = registry.open(name, settings, Arc::new(line), Arc::new(SystemSurroundings));
    opened.expect("the settings are whole");
    let channel = Arc::clone(registry.get(name).expect("it was just opened"));
    tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime without drivers")
        .block_on(ask(channel.as_ref(), pick / 2));
}

const NUMBER: &str = "ZF2026112214031248000001010000";

async fn ask(channel: &dyn Channel, what: u8) {
    let amount = Money::from_yuan(300);
    let refund_no = "TK2026112214031248000001010000".to_owned();
    match what % 6 {
        0 => drop(channel.query(NUMBER).await),
        1 => drop(channel.close(NUMBER).await),
        2 => drop(channel.reverse(NUMBER).await),
        3 => {
            let request = RefundRequest {
                attempt_no: NUMBER.to_owned(),
                channel_txn_no: None,
                refund_no,
                paid: amount,
                amount,
                reason: String::new(),
                notify_url: None,
            };
            drop(channel.refund(&request).await);
        }
        4 => {
            let attempt_no = NUMBER.to_owned();
            let query = RefundQuery {
                attempt_no,
                refund_no,
            };
            drop(channel.query_refund(&query).await);
        }
        _ => {
            let request = CodeRequest {
                attempt_no: NUMBER.to_owned(),
                amount,
                subject: "会员充值".to_owned(),
                auth_code: AuthCode::new("134567890123456789"),
                notify_url: None,
            };
            drop(channel.charge_code(&request).await);
        }
    }
}

/// Messages of the training protocol.
pub fn training_message(bytes: &[u8]) {
    let _ = serde_json::from_slice::<PaymentAnswer>(bytes);
    let _ = serde_json::from_slice::<RefundReply>(bytes);
    let _ = serde_json::from_slice::<PaidNotice>(bytes);
}

/// Bills: gzip, CSV with backticks, their sums.
pub fn wechat_bill(bytes: &[u8]) {
    let _ = read_bill(bytes, None);
    let _ = check_hash(bytes, "00");
    if let Ok(file) = unpack(bytes) {
        let _ = read_bill(&file, None);
    }
}

/// Headers, notices and lists of certificates of API v3.
pub fn wechat_message(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    if let Some(read) = Authorization::read(&text) {
        assert_eq!(Authorization::read(&read.header()), Some(read));
    }
    let mut headers = HeaderMap::new();
    for line in text.lines() {
        let pair = line.split_once(": ");
        let pair = pair.and_then(|(name, value)| {
            let name = HeaderName::try_from(name).ok()?;
            Some((name, HeaderValue::from_str(value).ok()?))
        });
        headers.extend(pair);
    }
    let _ = Seal::read(&headers);
    let key = Aes256Key::from_bytes(&[7; 32]).expect("32 bytes");
    let keys = PlatformKeys::default();
    assert!(open_notice(&keys, &key, &headers, bytes, Timestamp::from_ms(0)).is_err());
    let _ = read_certificates(&key, bytes);
}

/// The flat XML of API v2.
pub fn wechat_xml(bytes: &[u8]) {
    if let Ok(params) = read_xml(bytes) {
        let plain = |name: &String| {
            name.bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        };
        if params.keys().all(plain) {
            let _ = read_xml(write_xml(&params).as_bytes());
        }
    }
}
