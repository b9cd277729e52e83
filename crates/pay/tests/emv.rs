//! EMVCo codes against hostile and against arbitrary good input.

use proptest::prelude::*;
use qiantai_pay::channels::emv::{
    BerObject, ConsumerCode, Field, MerchantCode, MerchantCodeError, Reading,
};

const GOOD: &str = "000201010211153134270591000203440000000000000965204481653038405802PA5913\
                    STUFFRS, S.A.6006PANAMA626001200000000000000000000005200000000000000000000007\
                    080000009663047290";

#[test]
fn what_is_no_merchant_code_is_refused_with_the_cause() {
    let check = |payload: &str, expected: MerchantCodeError| {
        assert_eq!(MerchantCode::parse(payload), Err(expected), "{payload}");
    };
    check("", MerchantCodeError::NoFormat);
    check("https://qr.95516.com/1", MerchantCodeError::NotDigits(0));
    check("０００２01", MerchantCodeError::NotDigits(0));
    check(&"9".repeat(513), MerchantCodeError::TooLong);
    check("000202", MerchantCodeError::NoFormat);
    check("000201", MerchantCodeError::NoCrc);
    check("0002016304", over(63, 4, 0));
    check("0002016303ABC", MerchantCodeError::NoCrc);
    check("0002016304GHIJ", MerchantCodeError::NoCrc);
    check("0002016304ABCD", MerchantCodeError::NoAccount);
    check("000201520458126304ABCD", MerchantCodeError::NoAccount);
    check(
        "0002010204abcd0204abcd6304ABCD",
        MerchantCodeError::Twice(2),
    );
    check("0002010204abcd2605000216304ABCD", over(0, 2, 1));
    check(
        "0002010204abcd520458X26304ABCD",
        MerchantCodeError::Value(52),
    );
    check(
        "0002010204abcd54041,006304ABCD",
        MerchantCodeError::Value(54),
    );
    check(
        "0002010204abcd540500.0.6304ABCD",
        MerchantCodeError::Value(54),
    );
    let other = GOOD.replace("PANAMA", "PANAMO");
    let found = "7290".to_owned();
    let result = MerchantCode::parse(&other);
    assert!(
        matches!(&result, Err(MerchantCodeError::Crc { found: f, .. }) if *f == found),
        "{result:?}"
    );
    assert!(MerchantCode::read(&other).is_ok_and(|reading| !reading.crc_ok));
}

fn over(tag: u8, stated: usize, left: usize) -> MerchantCodeError {
    MerchantCodeError::RunsOver { tag, stated, left }
}

#[test]
fn small_letters_in_the_crc_are_accepted() {
    let code = MerchantCode::build(vec![Field::new(2, "x1")]).unwrap();
    let payload = code.to_payload();
    let (text, crc) = payload.split_at(payload.len() - 4);
    let small = format!("{text}{}", crc.to_ascii_lowercase());
    assert_eq!(MerchantCode::parse(&small), Ok(code));
}

fn merchant_fields() -> impl Strategy<Value = Vec<Field>> {
    let plain = (2u8..26, "\\PC{0,30}").prop_map(|(tag, text)| Field::new(tag, text));
    let inner = (0u8..100, "\\PC{1,9}").prop_map(|(tag, text)| Field::new(tag, text));
    let template = (26u8..52, proptest::collection::vec(inner, 0..4)).prop_map(|(tag, mut sub)| {
        sub.sort_by_key(|field| field.tag);
        sub.dedup_by_key(|field| field.tag);
        Field::template(tag, sub)
    });
    proptest::collection::vec(prop_oneof![plain, template], 1..6).prop_map(|mut fields| {
        fields.sort_by_key(|field| field.tag);
        fields.dedup_by_key(|field| field.tag);
        fields
    })
}

fn ber() -> impl Strategy<Value = BerObject> {
    let tags = prop_oneof![
        Just(0x4F),
        Just(0x5A),
        Just(0x9F26),
        Just(0x5F2D),
        Just(0x9F8101)
    ];
    let plain = (tags, proptest::collection::vec(any::<u8>(), 0..300))
        .prop_map(|(tag, value)| BerObject::primitive(tag, value));
    plain.prop_recursive(3, 12, 4, |inner| {
        let tags = prop_oneof![Just(0x61), Just(0x62), Just(0x63), Just(0x64)];
        (tags, proptest::collection::vec(inner, 0..4))
            .prop_map(|(tag, sub)| BerObject::template(tag, sub))
    })
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(payload in "\\PC{0,600}") {
        let _ = (MerchantCode::parse(&payload), ConsumerCode::parse(&payload));
    }

    #[test]
    fn a_code_with_anything_changed_is_never_taken(at in 0..GOOD.len(), with in "[0-9A-Z]") {
        let mut changed = GOOD.to_owned();
        changed.replace_range(at..=at, &with);
        prop_assert_eq!(MerchantCode::parse(&changed).is_ok(), changed == GOOD);
    }

    #[test]
    fn a_built_code_is_read_back(fields in merchant_fields()) {
        let code = MerchantCode::build(fields).unwrap();
        let payload = code.to_payload();
        prop_assert_eq!(MerchantCode::parse(&payload), Ok(code));
        let reading = MerchantCode::read(&payload);
        let crc_is_last = |r: &Reading| r.crc_ok && r.fields.last().is_some_and(|f| f.tag == 63);
        prop_assert!(reading.is_ok_and(|reading| crc_is_last(&reading)));
    }

    #[test]
    fn objects_are_read_back(objects in proptest::collection::vec(ber(), 0..3)) {
        let code = ConsumerCode::new(objects);
        let payload = code.to_payload();
        prop_assume!(payload.len() <= 4096);
        prop_assert_eq!(ConsumerCode::parse(&payload), Ok(code));
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        use base64::Engine as _;
        let mut all = b"\x85\x05CPV01".to_vec();
        all.extend(bytes);
        let payload = base64::engine::general_purpose::STANDARD.encode(&all);
        if let Ok(code) = ConsumerCode::parse(&payload) {
            prop_assert_eq!(ConsumerCode::parse(&code.to_payload()), Ok(code));
        }
    }
}
