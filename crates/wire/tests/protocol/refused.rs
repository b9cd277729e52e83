//! Bytes that a server does not decide, and what it does with them instead.

use coset::cbor::value::Value as Cbor;
use coset::iana::Algorithm;
use coset::{CborSerializable, CoseSign1, CoseSign1Builder, HeaderBuilder};
use ed25519_dalek::{Signer, SigningKey};
use qiantai_core::operation::Operation;
use qiantai_wire::SignedOperation;
use serde_json::{Value, json};

use crate::samples::{self, key};

/// Fields of a payload, by their keys.
type Fields = Vec<(Cbor, Cbor)>;

const OFFLINE: i64 = 17;
const BODY: i64 = 20;

/// Each with its name.
pub fn all() -> Vec<Value> {
    let sample = samples::recharge_cash();
    let good = SignedOperation::sign(&sample, &key()).bytes;
    let bytes = |name: &str, bytes: Vec<u8>| refused(name, bytes);
    let changed = |name: &str, change: fn(&mut Fields)| refused(name, changed(&sample, change));
    vec![
        bytes("a tag before it", [&[0xd2], &good[..]].concat()),
        bytes("a byte after it", [&good[..], &[0]].concat()),
        bytes("cut short", good[..good.len() - 1].to_vec()),
        bytes("another algorithm in the protected header", {
            let mut other = good.clone();
            other[4] = 0x26;
            other
        }),
        bytes("one bit of the payload is another", {
            let mut other = good.clone();
            other[100] ^= 1;
            other
        }),
        bytes(
            "signed by another device",
            SignedOperation::sign(&sample, &SigningKey::from_bytes(&[1; 32])).bytes,
        ),
        bytes("a number in more bytes than it needs", {
            // Kind 4 is written as 04.
            let mut payload = payload_of(&good);
            assert_eq!(payload.splice(2..3, [0x18, 0x04]).collect::<Vec<_>>(), [4]);
            sealed(payload)
        }),
        changed("what is implied is written: epoch 1", |fields| {
            fields.insert(6, (Cbor::from(7), Cbor::from(1)));
        }),
        changed("a flag that is not set is written", |fields| {
            *field(fields, OFFLINE) = Cbor::Bool(false);
        }),
        changed("keys in another order", |fields| fields.swap(0, 1)),
        changed("a field that nobody knows", |fields| {
            let place = fields.len() - 1;
            fields.insert(place, (Cbor::from(19), Cbor::from(0)));
        }),
        changed("no op_id", |fields| {
            fields.retain(|(name, _)| *name != Cbor::from(2));
        }),
        changed("a kind of the future", |fields| {
            *field(fields, 0) = Cbor::from(23);
        }),
        changed("a version of the future", |fields| {
            fields.insert(1, (Cbor::from(1), Cbor::from(9)));
        }),
        changed("no member in the body", |fields| {
            let open = field(as_map(field(fields, BODY)), 0);
            as_map(open).retain(|(name, _)| *name != Cbor::from(2));
        }),
        changed("a NUL in the order's number", |fields| {
            let open = field(as_map(field(fields, BODY)), 0);
            *field(as_map(open), 1) = Cbor::from("CZ\u{0}1");
        }),
        changed("an order's number of 65 characters", |fields| {
            let open = field(as_map(field(fields, BODY)), 0);
            *field(as_map(open), 1) = Cbor::from("7".repeat(65));
        }),
        changed("an amount that is not whole", |fields| {
            *field(as_map(field(fields, BODY)), 1) = Cbor::Float(400.5);
        }),
    ]
}

fn refused(name: &str, bytes: Vec<u8>) -> Value {
    let signed = SignedOperation::from(bytes);
    let is_of_device = signed.header().is_ok() && signed.verify(&key().verifying_key()).is_ok();
    assert!(
        !is_of_device || signed.operation().is_err(),
        "{name}: decided"
    );
    let answer = match is_of_device {
        true => "held",
        false => "operation_unreadable",
    };
    json!({ "name": name, "answer": answer, "bytes": hex::encode(signed.bytes) })
}

fn changed(operation: &Operation, change: fn(&mut Fields)) -> Vec<u8> {
    let good = SignedOperation::sign(operation, &key()).bytes;
    let mut payload = Cbor::from_slice(&payload_of(&good)).unwrap();
    change(as_map(&mut payload));
    sealed(payload.to_vec().unwrap())
}

fn payload_of(bytes: &[u8]) -> Vec<u8> {
    CoseSign1::from_slice(bytes).unwrap().payload.unwrap()
}

fn sealed(payload: Vec<u8>) -> Vec<u8> {
    let protected = HeaderBuilder::new().algorithm(Algorithm::EdDSA).build();
    let sign1 = CoseSign1Builder::new()
        .protected(protected)
        .payload(payload)
        .create_signature(&[], |content| key().sign(content).to_bytes().to_vec());
    sign1.build().to_vec().unwrap()
}

fn as_map(value: &mut Cbor) -> &mut Fields {
    match value {
        Cbor::Map(fields) => fields,
        _ => panic!("not a map"),
    }
}

fn field(fields: &mut Fields, name: i64) -> &mut Cbor {
    let found = fields.iter_mut().find(|(key, _)| *key == Cbor::from(name));
    &mut found.unwrap().1
}
