//! Every reader of bytes from outside, each behind one function that takes any bytes. The fuzz
//! targets in `fuzz/` feed them, and a test replays the committed corpora.

use std::sync::{Arc, LazyLock};

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use openssl::asn1::Asn1Time;
use openssl::bn::BigNum;
use openssl::hash::MessageDigest;
use openssl::pkey::{PKey, Private};
use openssl::rsa::Rsa;
use openssl::x509::X509;
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
use qiantai_pay::channels::wechat::v2::{notice_key, read_xml, write_xml};
use qiantai_pay::channels::wechat::{
    PlatformKeys, check_hash, open_notice, read_bill, read_certificates, unpack,
};
use qiantai_pay::crypto::{Aes256Key, Certificate, KeyStore, PrivateKey, VerifyKey};
use qiantai_pay::transport::{HttpTransport, TransportError};
use qiantai_pay::{
    AuthCode, Channel, Charset, CodeRequest, Notice, NoticeError, Pairs, RefundAnswer, RefundQuery,
    RefundRequest, Registry, SecretText, Surroundings, SystemSurroundings, payment_code,
};
use serde_json::{Value, json};

/// A reader that takes any bytes.
pub type Parser = fn(&[u8]);

/// Every reader by the name of its fuzz target and its corpus.
pub const PARSERS: [(&str, Parser); 12] = [
    ("alipay_answer", alipay_answer),
    ("alipay_bill", alipay_bill),
    ("certificates", certificates),
    ("codes", codes),
    ("pairs", pairs),
    ("shouqianba_answer", shouqianba_answer),
    ("signed_answer", signed_answer),
    ("signed_notice", signed_notice),
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
                let mut answer = http::Response::new(content.clone());
                *answer.headers_mut() = signature(content);
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

/// The headers in which WeChat Pay signs a body.
fn signature(body: &[u8]) -> HeaderMap {
    let seconds = (SystemSurroundings.now().ms() / 1_000).to_string();
    let message = answer_message(&seconds, "nonce", body);
    let signature = KEYS.0.sign_sha256_base64(&message).expect("signs anything");
    let fields = [
        (TIMESTAMP, seconds.as_str()),
        (NONCE, "nonce"),
        (SERIAL, PUBLIC_KEY),
        (SIGNATURE, signature.as_str()),
    ];
    let named = fields.into_iter().map(|(name, value)| {
        let name = HeaderName::try_from(name).expect("a name of the protocol");
        (name, HeaderValue::from_str(value).expect("text"))
    });
    named.collect()
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
    let channel = match pick % 2 {
        0 => opened("wechat", wechat(), Sealed::Wechat(content)),
        _ => opened("alipay", alipay(), Sealed::Alipay(content)),
    };
    tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime without drivers")
        .block_on(ask(channel.as_ref(), pick / 2));
}

/// Key of API v3, and what is sealed under it.
const API_V3_KEY: &str = "ZzYyXxWwVvUuTtSsRrQqPpOoNnMmLlKk";
/// Key of API v2.
const V2_KEY: &str = "8934e7d15453e97507ef794cf7b0519d";

fn wechat() -> Value {
    let (_, public, private) = &*KEYS;
    json!({
        "base_url": "https://gateway.test",
        "appid": "wx8888888888888888",
        "mchid": "1900000109",
        "private_key": private,
        "serial_no": "553066B85CDD99DDB15FEC61D6DE558CC9874021",
        "api_v3_key": API_V3_KEY,
        "public_keys": [{"id": PUBLIC_KEY, "key": public}],
        "payment_code": "v3",
        "store_id": "S01",
        "unattended_notify_url": "https://shop.test/nobody",
    })
}

/// The same account with payment codes by API v2, which takes the merchant's certificate.
fn wechat_v2() -> Value {
    static CERTIFICATE: LazyLock<String> = LazyLock::new(|| {
        let key = PKey::private_key_from_pem(KEYS.2.as_bytes()).expect("it was just written");
        let certificate = X509::builder().and_then(|mut builder| {
            builder.set_serial_number(&*BigNum::from_u32(7)?.to_asn1_integer()?)?;
            builder.set_not_before(&*Asn1Time::days_from_now(0)?)?;
            builder.set_not_after(&*Asn1Time::days_from_now(30)?)?;
            builder.set_pubkey(&key)?;
            builder.sign(&key, MessageDigest::sha256())?;
            builder.build().to_pem()
        });
        String::from_utf8(certificate.expect("a certificate")).expect("PEM is ASCII")
    });
    let mut settings = wechat();
    let of_v2 = json!({
        "certificate": *CERTIFICATE,
        "serial_no": null,
        "payment_code": "v2",
        "v2_key": V2_KEY,
        "device_ip": "192.0.2.10",
    });
    for (name, value) in of_v2.as_object().expect("an object") {
        settings[name] = value.clone();
    }
    settings
}

fn alipay() -> Value {
    let (_, public, private) = &*KEYS;
    json!({
        "base_url": "https://gateway.test",
        "app_id": "2021000000000001",
        "private_key": private,
        "alipay_public_keys": [public],
    })
}

fn opened(
    name: &'static str,
    settings: Value,
    line: impl HttpTransport + 'static,
) -> Arc<dyn Channel> {
    let mut registry = Registry::new();
    let opened = registry.open(name, settings, Arc::new(line), Arc::new(SystemSurroundings));
    opened.expect("the settings are whole");
    Arc::clone(registry.get(name).expect("it was just opened"))
}

/// What notices say once their seal holds. The first byte picks the gateway and the event, the rest
/// is what is sealed.
pub fn signed_notice(bytes: &[u8]) {
    let Some((&pick, content)) = bytes.split_first() else {
        return;
    };
    let nobody = || Echo(Bytes::new());
    let (channel, headers, body) = match pick % 3 {
        0 => {
            let event = ["TRANSACTION.SUCCESS", "REFUND.SUCCESS"][usize::from(pick / 3 % 2)];
            let (headers, body) = sealed_v3(event, content);
            (opened("wechat", wechat(), nobody()), headers, body)
        }
        1 => {
            let body = sealed_v2(content);
            let channel = opened("wechat", wechat_v2(), nobody());
            (channel, HeaderMap::new(), body)
        }
        _ => {
            let Some(body) = signed_form(content) else {
                return;
            };
            let channel = opened("alipay", alipay(), nobody());
            (channel, HeaderMap::new(), body)
        }
    };
    let read = channel.parse_notice(&headers, &body);
    let is_sealed_off = matches!(
        read,
        Err(NoticeError::WrongSignature | NoticeError::MissingHeader(_))
    );
    assert!(!is_sealed_off, "the seal holds: {read:?}");
    if pick % 3 == 1
        && let Ok(read) = read
    {
        let hints = matches!(&read, Notice::Refund(told) if told.answer == RefundAnswer::Accepted);
        assert!(hints, "nobody signed it: {read:?}");
    }
}

fn sealed_v3(event: &str, content: &[u8]) -> (HeaderMap, Vec<u8>) {
    let key = Aes256Key::from_bytes(API_V3_KEY.as_bytes()).expect("32 bytes");
    let sealed = key.seal_gcm(b"nOnCe1234567", b"", content).expect("seals");
    let body = json!({
        "id": "EV-1",
        "event_type": event,
        "resource": {
            "algorithm": "AEAD_AES_256_GCM",
            "ciphertext": BASE64.encode(sealed),
            "nonce": "nOnCe1234567",
        },
    });
    let body = body.to_string().into_bytes();
    (signature(&body), body)
}

fn sealed_v2(content: &[u8]) -> Vec<u8> {
    let key = notice_key(&SecretText::new(V2_KEY)).expect("digests any text");
    let sealed = BASE64.encode(key.encrypt_ecb(content).expect("seals"));
    let envelope = [
        ("return_code", "SUCCESS"),
        ("appid", "wx8888888888888888"),
        ("mch_id", "1900000109"),
        ("req_info", &sealed),
    ];
    let envelope = envelope.map(|(name, value)| (name.to_owned(), value.to_owned()));
    write_xml(&envelope.into()).into_bytes()
}

/// A form of Alipay's, where it can be one.
fn signed_form(content: &[u8]) -> Option<Vec<u8>> {
    let mut form = Pairs::from_form(content, Charset::Utf8).ok()?;
    form.set("charset", "utf-8");
    form.set("sign_type", "RSA2");
    let text = form.text_to_sign(&["sign", "sign_type"]);
    let sign = KEYS.0.sign_sha256_base64(text.as_bytes());
    form.set("sign", sign.expect("signs anything"));
    Some(form.to_form().into_bytes())
}

const NUMBER: &str = "ZF2026112214031248000001010000";

async fn ask(channel: &dyn Channel, what: u8) {
    let amount = Money::from_yuan(300);
    let refund_no = "TK2026112214031248000001010000".to_owned();
    match what % 6 {
        0 => drop(channel.query(NUMBER).await),
        1 => drop(channel.close(NUMBER, None).await),
        2 => drop(channel.reverse(NUMBER, None).await),
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
