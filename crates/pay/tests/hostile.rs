//! Parsers of outside bytes against arbitrary input: they read or refuse, and never panic.

use std::collections::BTreeMap;

use proptest::prelude::*;
use qiantai_pay::channels::alipay::AlipayBill;
use qiantai_pay::channels::alipay::signature::{SignedAnswer, SignedNotice, charset_of};
use qiantai_pay::channels::unionpay::signature::signer;
use qiantai_pay::{Charset, Pairs, payment_code};
use serde_json::Value;

const NODE: &str = "alipay_trade_query_response";

/// Bytes that come close to what the parsers expect.
fn near_json() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        Just(format!("\"{NODE}\"").into_bytes()),
        Just(b"\"sign\"".to_vec()),
        Just(b"{".to_vec()),
        Just(b"}".to_vec()),
        Just(b"[".to_vec()),
        Just(b"]".to_vec()),
        Just(b":".to_vec()),
        Just(b",".to_vec()),
        Just(b"\"".to_vec()),
        Just(b"\\".to_vec()),
        Just(b" ".to_vec()),
        proptest::collection::vec(any::<u8>(), 0..4),
    ];
    proptest::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "\\PC{0,12}".prop_map(Value::from),
        "[{}\\[\\]\",:\\\\/]{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 5, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            proptest::collection::btree_map("[a-z{}\"]{1,5}", inner, 0..5)
                .prop_map(|map: BTreeMap<String, Value>| map.into_iter().collect()),
        ]
    })
}

proptest! {
    #[test]
    fn answers_are_read_or_refused(body in near_json()) {
        for charset in [Charset::Utf8, Charset::Gbk, charset_of(Some("x; charset=gbk"), &body)] {
            if let Ok(answer) = SignedAnswer::read(&body, charset, NODE) {
                let ends = (answer.node.first(), answer.node.last());
                prop_assert_eq!(ends, (Some(&b'{'), Some(&b'}')));
            }
        }
    }

    /// The node is found byte for byte, whatever its strings contain.
    #[test]
    fn the_signed_node_is_found_as_it_was_written(
        fields in proptest::collection::btree_map("\\PC{0,8}", json(), 0..4),
        before in json(),
        after in json(),
        space in "[ \t\r\n]{0,3}",
    ) {
        let node: Value = fields.into_iter().collect();
        for text in [node.to_string(), serde_json::to_string_pretty(&node).unwrap()] {
            let body = format!(
                "{space}{{\"a\":{before},{space}\"{NODE}\"{space}:{space}{text}{space},\"b\":{after},\"sign\":\"x\"}}{space}"
            );
            let answer = SignedAnswer::read(body.as_bytes(), Charset::Utf8, NODE);
            let answer = answer.unwrap();
            prop_assert_eq!(answer.node, text.as_bytes());
            prop_assert_eq!(answer.sign.as_deref(), Some("x"));
        }
    }

    #[test]
    fn forms_are_read_or_refused(body in proptest::collection::vec(any::<u8>(), 0..200)) {
        let read = [
            Pairs::from_form(&body, Charset::Gbk),
            Pairs::from_plain(&body),
            SignedNotice::read(&body, None).map(|notice| notice.fields),
        ];
        for fields in read.into_iter().flatten() {
            prop_assert!(signer(&fields).is_none());
            let again = Pairs::from_form(fields.to_form().as_bytes(), Charset::Utf8);
            prop_assert_eq!(again, Ok(fields));
        }
    }

    #[test]
    fn bills_are_read_or_refused(
        body in proptest::collection::vec(any::<u8>(), 0..300),
        at in 0usize..1200,
        with in any::<u8>(),
    ) {
        prop_assert!(AlipayBill::read(&body).is_err());
        let mut changed = crate::alipay::trust::bill_file();
        let at = at % changed.len();
        changed[at] = with;
        if let Ok(bill) = AlipayBill::read(&changed) {
            let _ = bill.lines();
        }
    }

    #[test]
    fn scanned_codes_are_recognised_or_not(scanned in "\\PC{0,80}") {
        let wallet = payment_code::recognise(&scanned, &[]);
        prop_assert!(wallet.is_none() || scanned.bytes().all(|byte| byte.is_ascii_digit()));
    }
}

/// What a scanner adds or leaves out makes another text of a code, and no text is mended here.
#[test]
fn a_code_with_spaces_or_of_another_length_is_of_no_channel() {
    let code = "130000000000000000";
    assert!(payment_code::recognise(code, &[]).is_some());
    for other in [
        format!(" {code}"),
        format!("{code} "),
        format!("{code}\n"),
        code.replacen("0000", "000 ", 1),
        code[..17].to_owned(),
        format!("{code}0"),
        code.replacen('1', "9", 1),
    ] {
        assert_eq!(payment_code::recognise(&other, &[]), None, "{other:?}");
    }
}
