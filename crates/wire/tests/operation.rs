//! What is signed comes back whole, and in one form only.

use std::collections::HashSet;

use ed25519_dalek::SigningKey;
use minicbor::data::Type;
use minicbor::{Decoder, Encoder};
use qiantai_core::ids::{ActionId, LeaseId, MemberId, OpId, StaffId};
use qiantai_core::operation::{LeaseDraw, Operation, OperationBody, SpendOffline};
use qiantai_core::quote::{RuleKind, RuleLine, RuleVerdict};
use qiantai_core::{Money, Timestamp};
use qiantai_wire::operation::{Kind, decode};
use qiantai_wire::{DecodeError, SignatureWrong, SignedOperation};
use uuid::Uuid;

use crate::samples::{self, key};

#[test]
fn every_kind_comes_back_whole() {
    let mut kinds = HashSet::new();
    for (name, operation) in samples::all() {
        let signed = SignedOperation::sign(&operation, &key());
        let (header, back) =
            decode(&signed.bytes).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(back, operation, "{name}");
        assert_eq!(header, signed.header().unwrap(), "{name}");
        assert_eq!(header.hash, signed.hash(), "{name}");
        assert_eq!(header.op_id, operation.op_id, "{name}");
        assert_eq!(header.action_id, operation.action_id, "{name}");
        assert_eq!(header.device_seq, operation.device_seq, "{name}");
        assert_eq!(header.prev_hash, operation.prev_hash, "{name}");
        let kind = Kind::from_number(header.kind).unwrap();
        assert!(name.starts_with(kind.name()), "{name} is {}", kind.name());
        kinds.insert(kind);
        signed
            .verify(&key().verifying_key())
            .unwrap_or_else(|error| panic!("{name}: {error}"));
    }
    assert_eq!(kinds.len(), Kind::ALL.len(), "a kind has no sample");
}

#[test]
fn extreme_values_come_back_whole() {
    for ms in [i64::MIN, -1, 0, 1 << 48, i64::MAX] {
        for op_id in [Uuid::nil(), Uuid::max(), samples::id(samples::NOW, 1)] {
            let operation = Operation {
                op_id: OpId(op_id),
                action_id: ActionId(op_id),
                wall_time: Timestamp::from_ms(ms),
                server_anchor: Some(Timestamp::from_ms(ms.wrapping_neg())),
                boot_id: op_id,
                device_seq: i64::MAX as u64,
                monotonic_ms: i64::MAX as u64,
                epoch: u32::MAX,
                ..samples::recharge_cash()
            };
            let signed = SignedOperation::sign(&operation, &key());
            assert_eq!(signed.operation().unwrap(), operation, "{ms} {op_id}");
        }
    }
}

#[test]
fn rules_of_a_quote_stay_behind() {
    let mut operation = samples::recharge_cash();
    let bare = SignedOperation::sign(&operation, &key());
    let OperationBody::RechargeCash(cash) = &mut operation.body else {
        unreachable!()
    };
    cash.open.quote.rules.push(RuleLine {
        kind: RuleKind::Package,
        promotion: None,
        version: 3,
        name: "充300送50".into(),
        verdict: RuleVerdict::Matched,
        bonus: cash.open.quote.bonus,
    });
    assert_eq!(SignedOperation::sign(&operation, &key()), bare);
}

#[test]
fn only_the_right_key_over_the_right_bytes_verifies() {
    let signed = SignedOperation::sign(&samples::recharge_cash(), &key());
    let other = SigningKey::from_bytes(&[43; 32]).verifying_key();
    assert_eq!(signed.verify(&other), Err(SignatureWrong));
    for index in 0..signed.bytes.len() {
        let mut changed = signed.clone();
        changed.bytes[index] ^= 0x10;
        assert_eq!(
            changed.verify(&key().verifying_key()),
            Err(SignatureWrong),
            "byte {index}"
        );
    }
}

#[test]
fn newer_kinds_and_versions_can_be_held() {
    let known = SignedOperation::sign(&samples::recharge_cash(), &key())
        .header()
        .unwrap();
    for (kind, version, extra, expected) in [
        (
            4,
            3,
            false,
            DecodeError::NewerVersion {
                kind: 4,
                version: 3,
            },
        ),
        (
            4,
            3,
            true,
            DecodeError::NewerVersion {
                kind: 4,
                version: 3,
            },
        ),
        (23, 1, false, DecodeError::UnknownKind(23)),
        (9_999, 1, true, DecodeError::UnknownKind(9_999)),
    ] {
        let signed = resign(&rewrite(kind, version, extra));
        let error = signed.operation().unwrap_err();
        assert_eq!(error, expected);
        assert!(error.is_newer());
        let header = signed.header().unwrap();
        assert_eq!((header.kind, header.version), (kind, version));
        assert_eq!(header.device, known.device);
        assert_eq!(header.device_seq, known.device_seq);
        assert_eq!(header.prev_hash, known.prev_hash);
        assert_eq!(header.hash, signed.hash());
        signed.verify(&key().verifying_key()).unwrap();
    }
}

#[test]
fn other_forms_of_the_same_content_are_refused() {
    let payload = payload();
    check_form("the form written here", payload.clone(), None);

    let mut long = payload.clone();
    assert_eq!(long[1..3], [0x00, 0x04], "the kind stands first");
    long.splice(2..3, [0x18, 0x04]);
    check_form(
        "an integer longer than needed",
        long,
        Some(DecodeError::NotCanonical),
    );

    let mut indefinite = payload.clone();
    indefinite[0] = 0xbf;
    indefinite.push(0xff);
    check_form(
        "an indefinite map",
        indefinite,
        Some(DecodeError::NotCanonical),
    );

    let mut swapped = payload.clone();
    swapped[1..].rotate_left(2);
    check_form(
        "keys out of order",
        swapped,
        Some(DecodeError::NotCanonical),
    );

    check_form(
        "an unknown field",
        rewrite(4, 1, true),
        Some(DecodeError::NotCanonical),
    );

    let mut trailing = payload.clone();
    trailing.push(0);
    check_form("trailing bytes", trailing, Some(DecodeError::NotCanonical));

    let mut version = payload.clone();
    version[0] += 1;
    version.splice(3..3, [0x01, 0x01]);
    check_form(
        "the first version written",
        version,
        Some(DecodeError::NotCanonical),
    );

    let mut twice = payload;
    twice[0] += 1;
    let kind = twice[1..3].to_vec();
    twice.splice(1..1, kind);
    check_form("a key twice", twice, Some(DecodeError::NotCanonical));
}

/// Who does not know approvals holds what has one, and reads what has none.
#[test]
fn the_version_is_the_first_that_can_say_it() {
    let version = |operation| {
        let signed = SignedOperation::sign(&operation, &key());
        signed.header().unwrap().version
    };
    assert_eq!(version(samples::recharge_cash()), 1);
    assert_eq!(version(samples::approved_cash()), 2);
    assert_eq!(version(samples::by_shop_code()), 3);
    check_form(
        "version 2 without an approval",
        rewrite(4, 2, false),
        Some(DecodeError::NotCanonical),
    );
    let approved = SignedOperation::sign(&samples::approved_cash(), &key());
    let mut first = payload_of(&approved);
    assert_eq!(first[1..5], [0x00, 0x04, 0x01, 0x02], "kind and version");
    first[0] -= 1;
    first.drain(3..5);
    check_form(
        "version 1 with an approval",
        first,
        Some(DecodeError::NotCanonical),
    );
}

fn check_form(name: &str, payload: Vec<u8>, expected: Option<DecodeError>) {
    assert_eq!(resign(&payload).operation().err(), expected, "{name}");
}

#[test]
fn an_implied_field_may_not_be_written() {
    let mut operation = samples::terminal(samples::recharge_cash().body);
    operation.action_id = ActionId(samples::id(samples::NOW, 99));
    let signed = SignedOperation::sign(&operation, &key());
    let mut payload = payload_of(&signed);
    let action = operation.action_id.0.into_bytes();
    let place = payload
        .windows(16)
        .position(|window| window == action)
        .unwrap();
    payload[place..place + 16].copy_from_slice(operation.op_id.0.as_bytes());
    assert_eq!(resign(&payload).operation(), Err(DecodeError::NotCanonical));
}

#[test]
fn payments_outside_their_bounds_are_malformed() {
    let lease = |tail: u8, fen: i64| LeaseDraw {
        lease: LeaseId(samples::id(1, tail)),
        amount: Money::from_fen(fen),
    };
    let many = |count: u8| (0..count).map(|tail| lease(tail, 1)).collect::<Vec<_>>();
    let cases = [
        (1, vec![], true),
        (1_000_000_000, vec![lease(1, 1_000_000_000)], true),
        (16, many(16), true),
        (0, vec![], false),
        (-1, vec![], false),
        (1_000_000_001, vec![], false),
        (100, vec![lease(1, 0)], false),
        (100, vec![lease(1, -1)], false),
        (100, vec![lease(1, 101)], false),
        (100, vec![lease(1, 60), lease(2, 41)], false),
        (100, vec![lease(1, 50), lease(1, 50)], false),
        (100, vec![lease(1, i64::MAX), lease(2, i64::MAX)], false),
        (17, many(17), false),
    ];
    for (fen, draws, is_read) in cases {
        let said = format!("{fen} by {draws:?}");
        let operation = samples::terminal(OperationBody::SpendOffline(SpendOffline {
            member: MemberId(samples::id(1, 1)),
            amount: Money::from_fen(fen),
            draws,
            approval: None,
        }));
        let read = SignedOperation::sign(&operation, &key()).operation();
        match is_read {
            true => assert_eq!(read.unwrap(), operation, "{said}"),
            false => assert!(
                matches!(read, Err(DecodeError::Malformed(_))),
                "{said}: {read:?}"
            ),
        }
    }
}

#[test]
fn a_part_is_some_of_the_order_and_stands_in_no_facts_order() {
    for (fen, is_read) in [
        (1, true),
        (29_999, true),
        (0, false),
        (-1, false),
        (30_000, false),
        (i64::MAX, false),
    ] {
        let part = Some(Money::from_fen(fen));
        let mut open = samples::recharge_open();
        open.cash_part = part;
        let operation = samples::terminal(OperationBody::RechargeOpen(open));
        let signed = SignedOperation::sign(&operation, &key());
        assert_eq!(signed.header().unwrap().version, 2, "{fen}");
        match is_read {
            true => assert_eq!(signed.operation().unwrap(), operation, "{fen}"),
            false => assert!(is_malformed(&operation), "{fen}"),
        }
        let (mut cash, mut card) = (samples::recharge_cash(), samples::recharge_recorded());
        for fact in [&mut cash, &mut card] {
            match &mut fact.body {
                OperationBody::RechargeCash(body) => body.open.cash_part = part,
                OperationBody::RechargeRecorded(body) => body.open.cash_part = part,
                _ => unreachable!(),
            }
            assert!(is_malformed(fact), "{fen}");
        }
    }
}

fn is_malformed(operation: &Operation) -> bool {
    let read = SignedOperation::sign(operation, &key()).operation();
    matches!(read, Err(DecodeError::Malformed(_)))
}

#[test]
fn a_seller_who_is_the_writer_needs_a_writer() {
    let mut operation = samples::recharge_cash();
    let OperationBody::RechargeCash(cash) = &mut operation.body else {
        unreachable!()
    };
    cash.open.seller = Some(StaffId(samples::id(1, 1)));
    operation.staff = None;
    let signed = SignedOperation::sign(&operation, &key());
    assert_eq!(signed.operation().unwrap(), operation);
}

/// The payload of a cash top-up with another kind and version, and one more field if `extra`.
fn rewrite(kind: u16, version: u16, extra: bool) -> Vec<u8> {
    let payload = payload();
    let mut decoder = Decoder::new(&payload);
    let fields = decoder.map().unwrap().unwrap();
    assert_eq!(
        (decoder.u8().unwrap(), decoder.u16().unwrap()),
        (0, 4),
        "the kind stands first"
    );
    let newer = version > 1;
    let mut encoder = Encoder::new(Vec::new());
    encoder
        .map(fields + u64::from(newer) + u64::from(extra))
        .unwrap();
    encoder.u8(0).unwrap().u16(kind).unwrap();
    if newer {
        encoder.u8(1).unwrap().u16(version).unwrap();
    }
    let mut bytes = encoder.into_writer();
    bytes.extend_from_slice(&payload[decoder.position()..]);
    if extra {
        let mut encoder = Encoder::new(bytes);
        encoder
            .u8(21)
            .unwrap()
            .array(1)
            .unwrap()
            .str("later")
            .unwrap();
        bytes = encoder.into_writer();
    }
    bytes
}

fn payload() -> Vec<u8> {
    payload_of(&SignedOperation::sign(&samples::recharge_cash(), &key()))
}

fn payload_of(signed: &SignedOperation) -> Vec<u8> {
    let mut decoder = Decoder::new(&signed.bytes);
    assert_eq!(decoder.array().unwrap(), Some(4));
    decoder.skip().unwrap();
    decoder.skip().unwrap();
    assert_eq!(decoder.datatype().unwrap(), Type::Bytes);
    decoder.bytes().unwrap().to_vec()
}

/// Signs any payload, built by hand from RFC 9052 §4.4.
fn resign(payload: &[u8]) -> SignedOperation {
    use ed25519_dalek::Signer as _;
    let mut content = Encoder::new(Vec::new());
    content.array(4).unwrap().str("Signature1").unwrap();
    content
        .bytes(&[0xa1, 0x01, 0x27])
        .unwrap()
        .bytes(&[])
        .unwrap()
        .bytes(payload)
        .unwrap();
    let signature = key().sign(content.writer()).to_bytes();
    let mut message = Encoder::new(Vec::new());
    message
        .array(4)
        .unwrap()
        .bytes(&[0xa1, 0x01, 0x27])
        .unwrap()
        .map(0)
        .unwrap();
    message.bytes(payload).unwrap().bytes(&signature).unwrap();
    SignedOperation::from(message.into_writer())
}
