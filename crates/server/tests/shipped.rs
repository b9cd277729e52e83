//! Every operation that was ever shipped, in today's chain of a terminal: each gets an answer that says
//! what became of it.

use std::collections::BTreeMap;

use http::StatusCode;
use qiantai_core::ids::{ActionId, DeviceId, OpId, StoreId, TenantId};
use qiantai_core::operation::{Operation, OperationBody};
use qiantai_wire::SignedOperation;
use qiantai_wire::api::PushAnswer;
use qiantai_wire::feed::OutcomeDto;
use uuid::Uuid;

use crate::harness::Shop;
use crate::till::{Till, push_body};

const VECTORS: &str = include_str!("../../wire/tests/vectors/operations.json");

fn shipped() -> Vec<(String, Operation)> {
    let vectors: BTreeMap<String, String> = serde_json::from_str(VECTORS).unwrap();
    let read = |(name, bytes): (String, String)| {
        let signed = SignedOperation::from(hex::decode(bytes).unwrap());
        (name, signed.operation().unwrap())
    };
    vectors.into_iter().map(read).collect()
}

/// The same content as the next of this till: kind, version and body stay as they were shipped.
fn next_of(till: &mut Till, shipped: Operation) -> SignedOperation {
    let operation = Operation {
        op_id: OpId(Uuid::now_v7()),
        action_id: ActionId(Uuid::now_v7()),
        tenant: TenantId(till.join.tenant),
        store: StoreId(till.join.store),
        device: DeviceId(till.join.device),
        epoch: till.join.epoch,
        device_seq: till.seq + 1,
        prev_hash: till.prev,
        ..shipped
    };
    let signed = SignedOperation::sign(&operation, &till.key);
    till.seq += 1;
    till.prev = signed.hash();
    signed
}

#[tokio::test]
async fn whatever_was_shipped_gets_an_answer() {
    let shop = Shop::open(1).await;
    let mut till = Till::open(&shop).await;
    let (mut applied, mut refused) = (0, 0);
    for (name, operation) in shipped() {
        let is_new_member = matches!(operation.body, OperationBody::MemberCreate(_));
        let body = push_body(&[next_of(&mut till, operation)]);
        let (status, answer) = shop
            .send(till.request("POST", "/v1/operations", body))
            .await;
        let text = String::from_utf8_lossy(&answer);
        assert_eq!(status, StatusCode::OK, "{name}: {text}");
        let answer: PushAnswer = serde_json::from_slice(&answer).unwrap();
        assert_eq!(answer.halt, None, "{name}");
        assert_eq!(answer.acked_seq, till.seq, "{name}");
        match &answer.results[..] {
            [row] => match &row.outcome {
                OutcomeDto::Applied => applied += 1,
                OutcomeDto::Refused(_) => refused += 1,
                // The profile that is sealed beside it does not come along here.
                OutcomeDto::Held if is_new_member => {}
                other => panic!("{name}: {other:?}"),
            },
            other => panic!("{name}: {other:?}"),
        }
    }
    assert!(applied > 0 && refused > 0, "{applied} and {refused}");
}
