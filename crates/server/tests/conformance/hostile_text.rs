//! Text that a database cannot keep: whoever sends it is told, and nobody else waits for it.

use http::StatusCode;
use qiantai_core::Millis;
use qiantai_core::ids::{ActionId, ShiftId};
use qiantai_core::operation::{MemberCreate, OperationBody, ShiftOpen};
use qiantai_pay::{GatewayAnswer, PaidFact, QrAnswer};
use qiantai_paysim::gateway::PhoneAction;
use qiantai_wire::api::JoinRequest;
use qiantai_wire::feed::OutcomeDto;
use qiantai_wire::text::Hex;
use qiantai_wire::{SignedOperation, profile};
use uuid::Uuid;

use crate::harness::{On, Shop};
use crate::new_members::Registration;
use crate::till::Till;

/// One of each kind with a number in it, and that is this text.
async fn written(shop: &Shop, till: &mut Till, text: &str) -> (Registration, Vec<SignedOperation>) {
    let member = shop.members()[0];
    let mut cash = till.cash(shop, member, 100).await;
    cash.open.order_no = text.to_owned();
    let open = till.recharge(shop, member, 100).await;
    let mut start = till.start_of(&open);
    start.attempt_no = text.to_owned();
    let new = Registration::of("赵敏", 7);
    let create = MemberCreate {
        member: new.member,
        member_no: text.to_owned(),
    };
    let shift = ShiftOpen {
        shift: ShiftId(Uuid::now_v7()),
        shift_no: text.to_owned(),
        float: Vec::new(),
    };
    let mut signed = vec![
        till.sign(OperationBody::ShiftOpen(shift)),
        till.sign(OperationBody::RechargeCash(cash)),
        till.sign(OperationBody::AttemptStart(start)),
    ];
    let create = OperationBody::MemberCreate(create);
    let mut create = till.operation(create, ActionId(new.member.0));
    create.attachment = Some(profile::attachment_hash(&new.profile().sealed.0));
    let create = SignedOperation::sign(&create, &till.key);
    till.seq += 1;
    till.prev = create.hash();
    signed.push(create);
    (new, signed)
}

#[tokio::test]
async fn a_number_that_cannot_be_kept_is_held_and_stops_nobody() {
    for on in On::BOTH {
        let shop = Shop::open_on(on, 2).await;
        let mut bad = Till::open(&shop).await;
        let mut good = Till::with_key(&shop, [4; 32], "02").await;
        let member = shop.members()[1];
        for text in ["CZ\u{0}1", &"7".repeat(5_000), "CZ\u{1b}@"] {
            let what = format!("{on:?}: {:?}", text.get(..4));
            let (new, hostile) = written(&shop, &mut bad, text).await;
            let before = shop.principal(member);
            let cash = good.cash(&shop, member, 100).await;
            let cash = [good.sign(OperationBody::RechargeCash(cash))];
            let (held, taken) =
                tokio::join!(new.push(&bad, &shop, &hostile), good.push(&shop, &cash));
            assert_eq!(held.halt, None, "{what}");
            let held: Vec<_> = held.results.into_iter().map(|it| it.outcome).collect();
            assert_eq!(held, [const { OutcomeDto::Held }; 4], "{what}");
            assert_eq!(taken.results[0].outcome, OutcomeDto::Applied, "{what}");
            assert!(shop.principal(member) > before, "{what}");
        }
        // A person is told of each, and the till goes on behind them.
        assert_eq!(shop.cases(), ["Held"; 12], "{on:?}");
        let cash = bad.cash(&shop, member, 100).await;
        let said = bad.act(&shop, OperationBody::RechargeCash(cash)).await;
        assert_eq!(said.outcome, OutcomeDto::Applied, "{on:?}");
        // The longest that is kept, in letters of the most bytes.
        let mut cash = bad.cash(&shop, member, 100).await;
        cash.open.order_no = "𠮷".repeat(64);
        let said = bad.act(&shop, OperationBody::RechargeCash(cash)).await;
        assert_eq!(said.outcome, OutcomeDto::Applied, "{on:?}");
        crate::replay::is_the_same_elsewhere(&shop).await;
    }
}

#[tokio::test]
async fn a_gateways_number_that_cannot_be_kept_is_asked_for_again() {
    for on in On::BOTH {
        let shop = Shop::open_on(on, 1).await;
        let mut till = Till::open(&shop).await;
        let payload = "weixin://\u{0}".to_owned();
        shop.gateway
            .script(|script| script.creates.push_back(QrAnswer::Created { payload }));
        let (_, attempt) = till.show_qr(&shop, shop.members()[0], 300).await;
        assert_eq!(attempt.qr_payload, None, "{on:?}");
        shop.pass(Millis::seconds(30)).await;
        let attempt = shop.attempt(attempt.id);
        shop.phone(&attempt, &PhoneAction::PayWithoutNotice);
        let paid = |number: &str| PaidFact {
            channel_txn_no: number.to_owned(),
            amount: attempt.amount,
            paid_at: shop.now(),
            payer: None,
        };
        let odd = [
            GatewayAnswer::Success(paid("42\u{0}")),
            GatewayAnswer::Returned(paid(&"4".repeat(65))),
        ];
        shop.gateway.script(|script| script.queries.extend(odd));
        shop.pass(Millis::seconds(10)).await;
        assert_eq!(shop.order(attempt.order).paid, None, "{on:?}");
        for _ in 0..20 {
            shop.pass(Millis::seconds(20)).await;
        }
        assert!(shop.order(attempt.order).credit.is_some(), "{on:?}");
        assert_eq!(shop.cases(), [""; 0], "{on:?}");
    }
}

#[tokio::test]
async fn a_terminal_joins_under_a_name_that_can_be_kept() {
    for on in On::BOTH {
        let shop = Shop::open_on(on, 1).await;
        let till = Till::open(&shop).await;
        let invite = shop.server.invite(&shop.seeded.store_code).unwrap().text();
        let public_key = Hex(ed25519_dalek::SigningKey::from_bytes(&[8; 32])
            .verifying_key()
            .to_bytes());
        let join = |name: &str| {
            let request = JoinRequest {
                invite: invite.clone(),
                public_key,
                name: name.to_owned(),
                terminal_code: None,
            };
            let body = serde_json::to_vec(&request).unwrap();
            till.request("POST", "/v1/devices/join", body)
        };
        for (name, expected) in [
            ("前台\u{0}", StatusCode::BAD_REQUEST),
            ("前\n台", StatusCode::BAD_REQUEST),
            ("前台 2", StatusCode::OK),
        ] {
            let (status, _) = shop.send(join(name)).await;
            assert_eq!(status, expected, "{on:?}: {name:?}");
        }
    }
}
