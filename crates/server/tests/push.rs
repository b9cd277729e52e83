//! The table of sync.md, "Push".

use http::StatusCode;
use minicbor::Encoder;
use qiantai_core::ids::{ActionId, OrderId, ShiftId};
use qiantai_core::operation::{Operation, OperationBody, ShiftOpen};
use qiantai_core::order_no::Prefix;
use qiantai_core::{Millis, Money};
use qiantai_wire::api::{KEPT_PARAM, PushHalt};
use qiantai_wire::codes::RefusalCodeDto;
use qiantai_wire::feed::{FeedPage, OutcomeDto, RefusalDto};
use qiantai_wire::{ApiError, ErrorCode, SignedOperation};
use uuid::Uuid;

use crate::harness::{START, Shop};
use crate::till::{Till, push_body};

fn refused(reason: RefusalCodeDto) -> OutcomeDto {
    OutcomeDto::Refused(RefusalDto {
        reason,
        quote: None,
    })
}

fn cancel(order: OrderId) -> OperationBody {
    OperationBody::RechargeCancel { order }
}

fn unknown_order() -> OperationBody {
    cancel(OrderId(Uuid::now_v7()))
}

#[tokio::test]
async fn the_same_operation_again_has_the_same_answer() {
    let shop = Shop::open(1).await;
    let mut till = Till::open(&shop).await;
    let member = shop.members()[0];
    let cash = till.cash(&shop, member, 300).await;
    let signed = till.sign(OperationBody::RechargeCash(cash));
    let before = shop.principal(member);
    let first = till.push(&shop, std::slice::from_ref(&signed)).await;
    let again = till.push(&shop, &[signed.clone(), signed]).await;
    assert_eq!(first.results[0].outcome, OutcomeDto::Applied);
    assert_eq!(again.results[0], first.results[0]);
    assert_eq!(again.results[1], first.results[0]);
    assert_eq!((first.acked_seq, first.acked_hash.0), (till.seq, till.prev));
    assert_eq!(shop.principal(member) - before, Money::from_yuan(300));
}

#[tokio::test]
async fn a_gap_names_what_comes_next() {
    let shop = Shop::open(1).await;
    let mut till = Till::open(&shop).await;
    let first = till.sign(unknown_order());
    let second = till.sign(unknown_order());
    let answer = till.push(&shop, std::slice::from_ref(&second)).await;
    assert_eq!(answer.halt, Some(PushHalt::Gap { expected_seq: 2 }));
    assert!(answer.results.is_empty());
    let answer = till.push(&shop, &[first, second]).await;
    assert_eq!(
        (answer.halt, answer.results.len(), answer.acked_seq),
        (None, 2, 3)
    );
}

#[tokio::test]
async fn two_histories_quarantine_the_device_and_keep_every_byte() {
    let shop = Shop::open(1).await;
    let mut till = Till::open(&shop).await;
    let mut clone = till.clone();
    let member = shop.members()[0];
    let before = shop.principal(member);
    let cash = till.cash(&shop, member, 300).await;
    till.act(&shop, OperationBody::RechargeCash(cash)).await;
    let other = clone.cash(&shop, member, 500).await;
    let forked = clone.sign(OperationBody::RechargeCash(other));
    let behind = clone.sign(unknown_order());
    let answer = clone.push(&shop, &[forked.clone(), behind.clone()]).await;
    assert_eq!(answer.halt, Some(PushHalt::Fork { device_seq: 2 }));
    assert_eq!(shop.cases(), ["Fork"]);
    assert_eq!(shop.server.ledger().held_count().unwrap(), 2);

    // From now on everything is kept and nothing is believed.
    let later = till.sign(unknown_order());
    for _ in 0..2 {
        let body = push_body(std::slice::from_ref(&later));
        let (status, answer) = shop
            .send(till.request("POST", "/v1/operations", body))
            .await;
        let error: ApiError = serde_json::from_slice(&answer).unwrap();
        assert_eq!(status, StatusCode::FORBIDDEN);
        assert_eq!(error.error_code(), Some(ErrorCode::DeviceQuarantined));
        assert_eq!(
            error.params[KEPT_PARAM],
            later.header().unwrap().device_seq.to_string()
        );
    }
    assert_eq!(shop.server.ledger().held_count().unwrap(), 3);
    let rows = shop
        .server
        .ledger()
        .log(shop.seeded.tenant, 0, 1_000)
        .unwrap();
    for signed in [forked, behind, later] {
        assert!(rows.iter().any(|row| row.bytes == signed.bytes));
    }
    assert_eq!(shop.principal(member) - before, Money::from_yuan(300));
}

#[tokio::test]
async fn a_wrong_previous_hash_is_a_fork() {
    let shop = Shop::open(1).await;
    let mut till = Till::open(&shop).await;
    till.prev = [9; 32];
    let signed = till.sign(unknown_order());
    let answer = till.push(&shop, &[signed]).await;
    assert_eq!(answer.halt, Some(PushHalt::Fork { device_seq: 2 }));
}

/// No device writes another epoch than that of its enrolment: it has another history.
#[tokio::test]
async fn another_epoch_is_a_fork_and_books_nothing() {
    let shop = Shop::open(1).await;
    let mut till = Till::open(&shop).await;
    let member = shop.members()[0];
    let before = shop.principal(member);
    let cash = OperationBody::RechargeCash(till.cash(&shop, member, 300).await);
    let booked = till.act(&shop, cash.clone()).await;
    assert_eq!(booked.outcome, OutcomeDto::Applied);
    let operation = Operation {
        epoch: 2,
        ..till.operation(cash, ActionId(Uuid::now_v7()))
    };
    let signed = SignedOperation::sign(&operation, &till.key);
    let answer = till.push(&shop, std::slice::from_ref(&signed)).await;
    assert_eq!(answer.halt, Some(PushHalt::Fork { device_seq: 3 }));
    let outcomes: Vec<_> = answer.results.iter().map(|row| &row.outcome).collect();
    assert_eq!(outcomes, [&OutcomeDto::Held]);
    assert_eq!(shop.cases(), ["Fork"]);
    assert_eq!(shop.server.ledger().held_count().unwrap(), 1);
    assert_eq!(shop.principal(member) - before, Money::from_yuan(300));
}

/// An operation of a kind that does not exist yet, signed by this till.
pub fn of_the_future(till: &mut Till) -> SignedOperation {
    let operation = till.operation(unknown_order(), ActionId(Uuid::now_v7()));
    let known = SignedOperation::sign(&operation, &till.key);
    let payload = payload_of(&known.bytes);
    // The map begins with key 0 (kind) and the one-byte number of recharge.cancel.
    let at = payload
        .windows(2)
        .position(|pair| pair == [0x00, 0x05])
        .unwrap();
    let mut payload = payload;
    payload[at + 1] = 0x17;
    let signed = SignedOperation::from(seal(&payload, &till.key));
    till.seq += 1;
    till.prev = signed.hash();
    signed
}

fn payload_of(bytes: &[u8]) -> Vec<u8> {
    let mut decoder = minicbor::Decoder::new(bytes);
    decoder.array().unwrap();
    decoder.bytes().unwrap();
    decoder.skip().unwrap();
    decoder.bytes().unwrap().to_vec()
}

/// COSE_Sign1 by hand, for content that the library refuses to write.
fn seal(payload: &[u8], key: &ed25519_dalek::SigningKey) -> Vec<u8> {
    use ed25519_dalek::Signer;
    const PROTECTED: [u8; 3] = [0xa1, 0x01, 0x27];
    let mut content = Encoder::new(Vec::new());
    content.array(4).unwrap().str("Signature1").unwrap();
    content
        .bytes(&PROTECTED)
        .unwrap()
        .bytes(&[])
        .unwrap()
        .bytes(payload)
        .unwrap();
    let signature = key.sign(&content.into_writer()).to_bytes();
    let mut sealed = Encoder::new(Vec::new());
    sealed
        .array(4)
        .unwrap()
        .bytes(&PROTECTED)
        .unwrap()
        .map(0)
        .unwrap();
    sealed.bytes(payload).unwrap().bytes(&signature).unwrap();
    sealed.into_writer()
}

#[tokio::test]
async fn an_unknown_kind_is_held_and_those_behind_go_on() {
    let shop = Shop::open(1).await;
    let mut till = Till::open(&shop).await;
    let member = shop.members()[0];
    let before = shop.principal(member);
    let future = of_the_future(&mut till);
    let cash = till.cash(&shop, member, 300).await;
    let behind = till.sign(OperationBody::RechargeCash(cash));
    let answer = till.push(&shop, &[future.clone(), behind]).await;
    assert_eq!(answer.halt, None);
    assert_eq!(answer.results[0].outcome, OutcomeDto::Held);
    assert_eq!(answer.results[0].server_seq, None);
    assert_eq!(answer.results[1].outcome, OutcomeDto::Applied);
    assert_eq!(answer.acked_seq, till.seq);
    assert_eq!(shop.cases(), ["Held"]);
    assert_eq!(shop.principal(member) - before, Money::from_yuan(300));
    let again = till.push(&shop, &[future]).await;
    assert_eq!(again.results, answer.results[..1]);
}

#[tokio::test]
async fn an_action_posts_once_however_it_arrives() {
    let shop = Shop::open(1).await;
    let mut till = Till::open(&shop).await;
    let mut second = Till::with_key(&shop, [4; 32], "02").await;
    let member = shop.members()[0];
    let before = shop.principal(member);
    let cash = till.cash(&shop, member, 300).await;
    let action = ActionId(Uuid::now_v7());
    let body = OperationBody::RechargeCash(cash.clone());
    let online = till.sign_action(body.clone(), action);
    let retried = till.sign_action(body.clone(), action);
    let elsewhere = second.sign_action(body, action);
    let answer = till.push(&shop, &[online, retried]).await;
    let outcomes: Vec<_> = answer
        .results
        .iter()
        .map(|result| result.outcome.clone())
        .collect();
    assert_eq!(outcomes, [OutcomeDto::Applied, OutcomeDto::Exists]);
    assert_eq!(
        second.push(&shop, &[elsewhere]).await.results[0].outcome,
        OutcomeDto::Exists
    );
    assert_eq!(shop.principal(member) - before, Money::from_yuan(300));

    // The same intent with another amount: the money is kept apart and a person looks.
    let mut other = cash;
    other.tendered += Money::from_yuan(100);
    let reused = till.sign_action(OperationBody::RechargeCash(other), action);
    let answer = till.push(&shop, &[reused]).await;
    let is_different = matches!(
        answer.results[0].outcome,
        OutcomeDto::ExistsWithDifferent { .. }
    );
    assert!(is_different, "{:?}", answer.results[0]);
    assert_eq!(shop.principal(member) - before, Money::from_yuan(300));
    assert_eq!(shop.cases(), ["ActionReused"]);
}

/// The server refused to open an order, and the cashier took cash for it all the same.
#[tokio::test]
async fn a_fact_posts_once_after_a_refused_request_of_its_action() {
    let shop = Shop::open(1).await;
    let mut till = Till::open(&shop).await;
    let member = shop.members()[0];
    let before = shop.principal(member);
    let action = ActionId(Uuid::now_v7());
    let cash = till.cash(&shop, member, 300).await;
    let mut asked = cash.open.clone();
    asked.quote.bonus += Money::from_yuan(1);
    let asked = till.sign_action(OperationBody::RechargeOpen(asked), action);
    let answer = till.push(&shop, &[asked]).await;
    let outcome = &answer.results[0].outcome;
    assert!(matches!(outcome, OutcomeDto::Refused(_)), "{outcome:?}");
    assert_eq!(shop.principal(member), before);

    let fact = OperationBody::RechargeCash(cash);
    let taken = till.sign_action(fact.clone(), action);
    let retried = till.sign_action(fact, action);
    let answer = till.push(&shop, &[taken, retried]).await;
    let outcomes: Vec<_> = answer.results.iter().map(|row| &row.outcome).collect();
    assert_eq!(outcomes, [&OutcomeDto::Applied, &OutcomeDto::Exists]);
    assert_eq!(shop.principal(member) - before, Money::from_yuan(300));
    assert!(shop.cases().is_empty());
}

#[tokio::test]
async fn requests_are_refused_with_a_stable_reason() {
    let shop = Shop::open(1).await;
    let mut till = Till::open(&shop).await;
    let result = till.act(&shop, unknown_order()).await;
    assert_eq!(result.outcome, refused(RefusalCodeDto::OrderUnknown));
    let server_only = OperationBody::OrderExpire {
        order: OrderId(Uuid::now_v7()),
    };
    let result = till.act(&shop, server_only).await;
    assert_eq!(result.outcome, refused(RefusalCodeDto::ServerOnly));
}

#[tokio::test]
async fn a_number_that_another_order_holds_is_refused() {
    let shop = Shop::open(2).await;
    let mut till = Till::open(&shop).await;
    let member = shop.members()[0];
    let open = till.recharge(&shop, member, 300).await;
    till.act(&shop, OperationBody::RechargeOpen(open.clone()))
        .await;
    let mut second = till.recharge(&shop, member, 500).await;
    second.order_no = open.order_no;
    let result = till.act(&shop, OperationBody::RechargeOpen(second)).await;
    assert_eq!(result.outcome, refused(RefusalCodeDto::NumberTaken));
}

#[tokio::test]
async fn bytes_that_are_not_ours_are_refused_whole() {
    let shop = Shop::open(1).await;
    let mut till = Till::open(&shop).await;
    let mut stranger = till.clone();
    stranger.key = ed25519_dalek::SigningKey::from_bytes(&[8; 32]);
    let mut other_device = till.clone();
    other_device.join.device = Uuid::now_v7();
    let good = till.sign(unknown_order());
    let mut broken = good.clone();
    let last = broken.bytes.len() - 1;
    broken.bytes[last] ^= 1;
    let check = async |operations: &[SignedOperation], index: &str| {
        let body = push_body(operations);
        let (status, answer) = shop
            .send(till.request("POST", "/v1/operations", body))
            .await;
        let error: ApiError = serde_json::from_slice(&answer).unwrap();
        assert_eq!(status, StatusCode::BAD_REQUEST);
        assert_eq!(error.error_code(), Some(ErrorCode::OperationUnreadable));
        assert_eq!(error.params["index"], index);
    };
    check(&[good.clone(), broken], "1").await;
    check(&[stranger.sign(unknown_order())], "0").await;
    check(&[other_device.sign(unknown_order())], "0").await;
    let mut no_end = till.clone();
    no_end.seq = i64::MAX as u64;
    check(&[no_end.sign(unknown_order())], "0").await;
    check(&[SignedOperation::from(vec![1, 2, 3])], "0").await;
    check(&[SignedOperation::from(Vec::new())], "0").await;
    let answer = till.push(&shop, &[good]).await;
    assert_eq!(
        answer.acked_seq, 2,
        "nothing of the refused pushes was taken"
    );
}

#[tokio::test]
async fn the_feed_is_gapless_and_carries_profiles() {
    let shop = Shop::open(3).await;
    let till = Till::open(&shop).await;
    let path = "/v1/feed?timeline=1&after=0&limit=500";
    let page: FeedPage = till.call(&shop, "GET", path, Vec::new()).await;
    let sequences: Vec<u64> = page.entries.iter().map(|entry| entry.server_seq).collect();
    assert_eq!(sequences, (1..=page.head).collect::<Vec<_>>());
    let json = serde_json::to_string(&page).unwrap();
    assert!(json.contains("张伟") && json.contains("13812345678"));
    // What is stored has no personal data in it.
    let rows = shop
        .server
        .ledger()
        .feed(shop.seeded.tenant, 0, 500)
        .unwrap();
    assert!(rows.iter().all(|(_, json)| !json.contains("张伟")));
}

/// Cash of an earlier day counts towards the sum of that day, whether it is sent together with
/// what follows or before it: a log replayed in other batches must give the same books.
#[tokio::test]
async fn the_sum_of_a_day_does_not_depend_on_batches() {
    let mut cases = Vec::new();
    for together in [true, false] {
        let shop = Shop::open(1).await;
        let mut till = Till::open(&shop).await;
        till.wall = START - Millis::days(3);
        till.shift = ShiftId(Uuid::now_v7());
        let opened = OperationBody::ShiftOpen(ShiftOpen {
            shift: till.shift,
            shift_no: till.number(Prefix::Shift),
            float: Vec::new(),
        });
        let mut signed = vec![till.sign(opened)];
        for _ in 0..2 {
            let mut cash = till.cash(&shop, shop.members()[0], 3_000).await;
            cash.open.quote.quoted_at = till.wall;
            signed.push(till.sign(OperationBody::RechargeCash(cash)));
        }
        for push in signed.chunks(if together { 3 } else { 1 }) {
            assert_eq!(till.push(&shop, push).await.halt, None);
        }
        let mut kinds = shop.cases();
        kinds.sort();
        cases.push(kinds);
    }
    assert!(
        cases[0].iter().any(|kind| kind == "LimitPassed"),
        "{cases:?}"
    );
    assert_eq!(cases[0], cases[1]);
}
