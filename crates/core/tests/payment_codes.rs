//! The shared vectors of payment codes.

use qiantai_core::attempt::Channel;
use qiantai_core::payment_code::recognise;

#[test]
fn shared_vectors() {
    let text = include_str!("vectors/payment-code.json");
    let file: serde_json::Value = serde_json::from_str(text).expect("vectors are JSON");
    let vectors = file["vectors"].as_array().expect("vectors are a list");
    assert!(vectors.len() >= 10);
    for vector in vectors {
        let scanned = vector["input"]["scanned"].as_str().expect("a scanned text");
        let expected = match vector["expected"]["channel"].as_str() {
            None => None,
            Some("wechat") => Some(Channel::Wechat),
            Some("alipay") => Some(Channel::Alipay),
            Some("unionpay") => Some(Channel::Unionpay),
            Some(other) => panic!("channel {other} has no place in this test"),
        };
        assert_eq!(recognise(scanned, &[]), expected, "{}", vector["id"]);
    }
}
