//! The QR code on a receipt.

use qiantai_core::Money;
use qiantai_core::ids::{ActionId, CouponTemplateId, StaffId, TierId};
use qiantai_core::operation::{Operation, OperationBody, RechargeOpen};
use qiantai_core::recharge::AmountChoice;
use qiantai_wire::SignedOperation;
use qiantai_wire::receipt_qr::{
    BYTES_MAX, ORDINARY_MAX, PREFIX, ReceiptQrError, parse_receipt_text, receipt_text,
};

use crate::samples::{self, NOW, id, key};

#[test]
fn a_receipt_reads_back() {
    for (name, operation) in samples::all() {
        let signed = SignedOperation::sign(&operation, &key());
        let text = receipt_text(&signed).unwrap();
        let alphanumeric =
            |c: char| c.is_ascii_digit() || c.is_ascii_uppercase() || " $%*+-./:".contains(c);
        assert!(text.chars().all(alphanumeric), "{name}");
        assert_eq!(parse_receipt_text(&text).unwrap(), signed, "{name}");
        assert_eq!(
            parse_receipt_text(&format!("{text}\r\n")).unwrap(),
            signed,
            "{name}"
        );
    }
}

#[test]
fn ordinary_top_ups_are_small() {
    check("package", ORDINARY_MAX, &[]);
    check(
        "amount",
        ORDINARY_MAX,
        &[|open| {
            open.choice = AmountChoice::Amount(Money::from_yuan(300));
        }],
    );
    check(
        "sold by the cashier",
        ORDINARY_MAX,
        &[|open| {
            open.seller = Some(StaffId(id(NOW - 90_000_000, 15)));
        }],
    );
    check(
        "upgrade, colleague",
        ORDINARY_MAX,
        &[dear, upgrade, colleague],
    );
    check(
        "coupon, colleague",
        ORDINARY_MAX,
        &[dear, coupon, colleague],
    );
    check("coupon, upgrade", ORDINARY_MAX, &[dear, coupon, upgrade]);
    check("all of it", 420, &[dear, coupon, upgrade, colleague]);
    check(
        "eight coupons",
        BYTES_MAX,
        &[dear, eight_coupons, upgrade, colleague],
    );
}

type Change = fn(&mut RechargeOpen);

fn check(name: &str, limit: usize, changes: &[Change]) {
    let mut operation = samples::recharge_cash();
    let OperationBody::RechargeCash(cash) = &mut operation.body else {
        unreachable!()
    };
    for change in changes {
        change(&mut cash.open);
    }
    cash.tendered = cash.open.quote.pay + Money::from_yuan(100);
    let signed = SignedOperation::sign(&operation, &key());
    assert!(
        signed.bytes.len() <= limit,
        "{name}: {} bytes",
        signed.bytes.len()
    );
}

#[test]
fn a_settlement_is_small() {
    let signed = SignedOperation::sign(&samples::settlement(), &key());
    assert!(
        signed.bytes.len() <= ORDINARY_MAX,
        "{} bytes",
        signed.bytes.len()
    );
}

#[test]
fn a_cash_top_up_continued_offline_fits() {
    let operation = Operation {
        action_id: ActionId(id(NOW - 900, 77)),
        ..samples::recharge_cash()
    };
    let signed = SignedOperation::sign(&operation, &key());
    assert!(
        signed.bytes.len() <= BYTES_MAX,
        "{} bytes",
        signed.bytes.len()
    );
}

#[test]
fn an_approved_cash_top_up_fits() {
    let signed = SignedOperation::sign(&samples::approved_cash(), &key());
    assert!(
        signed.bytes.len() <= ORDINARY_MAX,
        "{} bytes",
        signed.bytes.len()
    );
}

#[test]
fn recorded_payments_fit() {
    for (operation, limit) in [
        (samples::recharge_recorded(), ORDINARY_MAX),
        (samples::approved_transfer(), BYTES_MAX),
        (samples::approved_split(), BYTES_MAX),
        (samples::by_shop_code(), BYTES_MAX),
    ] {
        let signed = SignedOperation::sign(&operation, &key());
        let text = receipt_text(&signed).unwrap();
        assert_eq!(parse_receipt_text(&text).unwrap(), signed);
        assert!(signed.bytes.len() <= limit, "{} bytes", signed.bytes.len());
    }
}

fn grant(open: &mut RechargeOpen, kinds: u8) {
    let template = |kind| CouponTemplateId(id(NOW - 70_000_000, 100 + kind));
    open.quote.coupons = (0..kinds).map(|kind| (template(kind), 1)).collect();
}

fn coupon(open: &mut RechargeOpen) {
    grant(open, 1);
}

fn eight_coupons(open: &mut RechargeOpen) {
    grant(open, 8);
}

fn dear(open: &mut RechargeOpen) {
    open.quote.pay = Money::from_yuan(5_000);
    open.quote.bonus = Money::from_yuan(1_000);
    open.quote.points = 7_500;
    open.quote.growth = 5_000;
}

fn colleague(open: &mut RechargeOpen) {
    open.seller = Some(StaffId(id(NOW, 23)));
}

fn upgrade(open: &mut RechargeOpen) {
    open.quote.tier.1 = TierId(id(NOW - 9_000_000, 2));
}

#[test]
fn other_texts_are_refused() {
    let signed = SignedOperation::sign(&samples::recharge_cash(), &key());
    let text = receipt_text(&signed).unwrap();
    let cases = [
        (String::new(), ReceiptQrError::NotAReceipt),
        ("https://example.com".into(), ReceiptQrError::NotAReceipt),
        ("QT2:AB".into(), ReceiptQrError::NotAReceipt),
        (format!("{PREFIX}ab"), ReceiptQrError::Damaged),
        (format!("{PREFIX}::::"), ReceiptQrError::Damaged),
    ];
    for (text, expected) in cases {
        assert_eq!(parse_receipt_text(&text), Err(expected), "{text}");
    }
    assert!(matches!(
        parse_receipt_text(PREFIX),
        Err(ReceiptQrError::Operation(_))
    ));
    let cut = parse_receipt_text(&text[..text.len() - 3]);
    assert!(matches!(cut, Err(ReceiptQrError::Operation(_))), "{cut:?}");
    let long = format!("{PREFIX}{}", "0".repeat(5_000));
    assert!(matches!(
        parse_receipt_text(&long),
        Err(ReceiptQrError::TooLong(_))
    ));
    let long = SignedOperation::from(vec![0; BYTES_MAX + 1]);
    assert_eq!(
        receipt_text(&long),
        Err(ReceiptQrError::TooLong(BYTES_MAX + 1))
    );
}
