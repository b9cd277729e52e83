//! What `docs/protocol` promises to whoever writes a terminal in another language: its vectors are
//! those of this code, and its tables name every number. Run with `QIANTAI_WRITE_VECTORS=1` to
//! write the vectors anew, which `cargo xtask codegen` does.

mod digests;
mod log;
mod meaning;
mod refused;
mod tables;

use std::path::{Path, PathBuf};

use coset::{CborSerializable, CoseSign1};
use qiantai_core::attempt::Channel;
use qiantai_core::member::MemberProfile;
use qiantai_core::operation::Operation;
use qiantai_wire::SignedOperation;
use qiantai_wire::api::{
    AttemptEvent, ChannelStandingDto, ChannelsAnswer, Event, FeedEvent, HelloEvent, StandingDto,
};
use qiantai_wire::call::{Call, Challenge};
use qiantai_wire::codes::AttemptStateDto;
use qiantai_wire::feed::CursorDto;
use qiantai_wire::operation::Kind;
use qiantai_wire::profile::{attachment_hash, open_profile, seal_profile};
use qiantai_wire::receipt_qr::{parse_receipt_text, receipt_text};
use serde_json::{Value, json};

use crate::samples::{self, NOW, id, key};

#[test]
fn the_vectors_are_those_of_the_code() {
    let path = document("vectors.json");
    let now = json!({
        "key": {
            "seed": hex::encode(key().to_bytes()),
            "public": hex::encode(key().verifying_key().to_bytes()),
        },
        "operations": samples::all().iter().map(operation).collect::<Vec<_>>(),
        "chain": chain(),
        "log": log::links(),
        "digests": digests::all(),
        "refused": refused::all(),
        "receipt": receipt(),
        "profile": profile(),
        "call": call(),
        "events": events(),
        "codes": tables::all(),
    });
    if std::env::var_os("QIANTAI_WRITE_VECTORS").is_some() {
        let text = serde_json::to_string_pretty(&now).unwrap();
        std::fs::write(&path, text + "\n").unwrap();
    }
    let committed: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
    for (part, value) in now.as_object().unwrap() {
        let known = &committed[part];
        assert!(
            known == value,
            "{part} of docs/protocol/vectors.json is not what the code says: see docs/protocol.md, \
             \"What may change\", then run `cargo xtask codegen`"
        );
    }
}

/// A file of the document.
fn document(name: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    root.join("docs/protocol").join(name)
}

fn operation((name, operation): &(&'static str, Operation)) -> Value {
    let signed = SignedOperation::sign(operation, &key());
    let sign1 = CoseSign1::from_slice(&signed.bytes).unwrap();
    json!({
        "name": name,
        "kind": Kind::of(&operation.body).name(),
        "means": meaning::of(operation),
        "payload": hex::encode(sign1.payload.as_ref().unwrap()),
        "signed": hex::encode(sign1.tbs_data(&[])),
        "signature": hex::encode(&sign1.signature),
        "bytes": hex::encode(&signed.bytes),
        "hash": hex::encode(signed.hash()),
    })
}

/// The first three operations of a terminal.
fn chain() -> Vec<Value> {
    let mut prev_hash = [0; 32];
    let mut links = Vec::new();
    for (device_seq, (_, sample)) in (1..=3).zip(samples::all()) {
        let signed = SignedOperation::sign(
            &Operation {
                device_seq,
                prev_hash,
                ..sample
            },
            &key(),
        );
        links.push(json!({
            "device_seq": device_seq,
            "prev_hash": hex::encode(prev_hash),
            "bytes": hex::encode(&signed.bytes),
            "hash": hex::encode(signed.hash()),
        }));
        prev_hash = signed.hash();
    }
    links
}

fn receipt() -> Value {
    let signed = SignedOperation::sign(&samples::recharge_cash(), &key());
    let text = receipt_text(&signed).unwrap();
    assert_eq!(parse_receipt_text(&text), Ok(signed.clone()));
    json!({ "bytes": hex::encode(signed.bytes), "text": text })
}

fn profile() -> Value {
    let member = qiantai_core::ids::MemberId(id(NOW - 3, 11));
    let profile = MemberProfile {
        id: member,
        name: "尉迟敏".into(),
        phone: "13800005678".into(),
        card_no: None,
        birth_month: Some(2),
        note: None,
    };
    let (key, nonce) = ([7; 32], [9; 24]);
    let sealed = seal_profile(&profile, &key, nonce);
    assert_eq!(open_profile(&sealed, member, &key).unwrap(), profile);
    json!({
        "member": member.0,
        "key": hex::encode(key),
        "nonce": hex::encode(nonce),
        "plain": {
            "id": member.0, "name": profile.name, "phone": profile.phone, "birth_month": 2,
        },
        "sealed": hex::encode(&sealed),
        "attachment": hex::encode(attachment_hash(&sealed)),
    })
}

/// A manager's call, signed by the terminal.
fn call() -> Value {
    let body = r#"{"manager":"01a1f756-5460-7f0f-8f0f-0f0f0f0f0f0f"}"#;
    let call = Call {
        method: "POST",
        path: "/v1/invitations",
        body: body.as_bytes(),
        device: samples::recharge_cash().device.0,
        challenge: Challenge([11; 16]),
    };
    let bytes = call.signed(&key());
    let sign1 = CoseSign1::from_slice(&bytes).unwrap();
    let header = call.sign(&key());
    call.verify(header.as_bytes(), &key().verifying_key())
        .unwrap();
    json!({
        "method": call.method,
        "path": call.path,
        "body": body,
        "device": call.device,
        "challenge": call.challenge.text(),
        "payload": hex::encode(call.payload()),
        "signed": hex::encode(sign1.tbs_data(b"qiantai call")),
        "bytes": hex::encode(bytes),
        "header": header,
    })
}

fn events() -> Vec<Value> {
    let events = [
        Event::Hello(HelloEvent {
            cursor: CursorDto {
                timeline: 1,
                server_seq: 918_273,
            },
            server_time_ms: NOW,
        }),
        Event::Feed(FeedEvent { head: 918_274 }),
        Event::Attempt(AttemptEvent {
            attempt: id(NOW, 30),
            state: AttemptStateDto::Succeeded,
            head: 918_274,
        }),
        Event::Channels(ChannelsAnswer {
            channels: vec![ChannelStandingDto {
                channel: Channel::Wechat.into(),
                standing: StandingDto::Down,
                since_ms: Some(NOW),
            }],
        }),
    ];
    let told = events.iter().map(|event| {
        let data: Value = serde_json::from_str(&event.body()).unwrap();
        json!({ "event": event.name(), "data": data })
    });
    told.collect()
}
