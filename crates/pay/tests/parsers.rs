//! Every reader of bytes from outside, each behind one function that takes any bytes. The fuzz
//! targets in `fuzz/` feed them, and a test replays the committed corpora.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use qiantai_core::clock::Timestamp;
use qiantai_pay::channels::alipay::signature::{SignedAnswer, SignedNotice, charset_of};
use qiantai_pay::channels::alipay::{AlipayBill, root_cert_sn};
use qiantai_pay::channels::emv::{ConsumerCode, MerchantCode};
use qiantai_pay::channels::training::message::{PaidNotice, PaymentAnswer, RefundReply};
use qiantai_pay::channels::unionpay::signature::{is_unionpay, signer};
use qiantai_pay::channels::wechat::signature::{Authorization, Seal};
use qiantai_pay::channels::wechat::v2::{read_xml, write_xml};
use qiantai_pay::channels::wechat::{
    PlatformKeys, check_hash, open_notice, read_bill, read_certificates, unpack,
};
use qiantai_pay::crypto::{Aes256Key, Certificate, KeyStore, PrivateKey, VerifyKey};
use qiantai_pay::transport::{HttpTransport, TransportError};
use qiantai_pay::{Channel, Charset, Pairs, Registry, SystemSurroundings, payment_code};
use serde_json::json;

/// A reader that takes any bytes.
pub type Parser = fn(&[u8]);

/// Every reader by the name of its fuzz target and its corpus.
pub const PARSERS: [(&str, Parser); 10] = [
    ("alipay_answer", alipay_answer),
    ("alipay_bill", alipay_bill),
    ("certificates", certificates),
    ("codes", codes),
    ("pairs", pairs),
    ("shouqianba_answer", shouqianba_answer),
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
