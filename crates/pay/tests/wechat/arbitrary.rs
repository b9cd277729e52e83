//! Bytes of any kind: readers refuse them and stay alive.

use proptest::collection::vec;
use proptest::prelude::{any, proptest};
use proptest::sample::Index;
use qiantai_core::clock::Timestamp;
use qiantai_pay::channels::wechat::signature::Authorization;
use qiantai_pay::channels::wechat::v2::read_xml;
use qiantai_pay::channels::wechat::{
    PlatformKeys, open_notice, read_bill, read_certificates, unpack,
};
use qiantai_pay::crypto::{Aes256Key, Certificate, KeyStore, PrivateKey, VerifyKey};

use super::bills::whole;
use super::gateway::{API_V3_KEY, GATEWAY, NOW, PUBLIC_KEY, seal};

fn key() -> Aes256Key {
    Aes256Key::from_bytes(API_V3_KEY.as_bytes()).unwrap()
}

proptest! {
    #[test]
    fn no_bytes_are_taken_for_a_message(bytes in vec(any::<u8>(), 0..600)) {
        assert!(read_bill(&bytes, None).is_err());
        assert!(unpack(&bytes).is_err());
        assert!(read_xml(&bytes).is_err());
        assert!(read_certificates(&key(), &bytes).is_err());
        assert!(Certificate::from_der(&bytes).is_err());
        assert!(KeyStore::from_pkcs12(&bytes, "").is_err());
        let text = String::from_utf8_lossy(&bytes);
        assert!(Authorization::read(&text).is_none());
        assert!(PrivateKey::from_text(&text).is_err());
        assert!(VerifyKey::from_text(&text).is_err());
        let mut keys = PlatformKeys::default();
        keys.hold(PUBLIC_KEY, GATEWAY.private.verify_key().unwrap());
        let headers = seal(&GATEWAY, PUBLIC_KEY, NOW, &text);
        let opened = open_notice(&keys, &key(), &headers, text.as_bytes(), NOW);
        assert!(opened.is_err());
        let other_time = Timestamp::from_ms(i64::MIN);
        assert!(open_notice(&keys, &key(), &headers, text.as_bytes(), other_time).is_err());
    }

    #[test]
    fn a_bill_with_a_changed_byte_is_refused_or_read_and_never_panics(
        place in any::<Index>(),
        byte in any::<u8>(),
    ) {
        let mut bill = whole().into_bytes();
        let place = place.index(bill.len());
        bill[place] = byte;
        if let Ok(lines) = read_bill(&bill, None) {
            assert_eq!(lines.len(), 3);
        }
    }
}
