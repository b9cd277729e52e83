//! The risk floor: what tills take beyond their leases without a manager, what the server says of it
//! when it arrives, and what people are told that may be lost.

use qiantai_core::ids::{ActionId, MemberId};
use qiantai_core::operation::{OperationBody, StaffMethod, StaffProof};
use qiantai_core::policy::{Policy, Role};
use qiantai_core::policy_change::PolicyChange;
use qiantai_core::risk_floor::RiskFloor;
use qiantai_core::{Millis, Money, Timestamp};
use qiantai_server::leases::{self, Exposure};
use qiantai_wire::SignedOperation;
use qiantai_wire::api::{RulesAnswer, RulesRequest};
use qiantai_wire::feed::OutcomeDto;
use uuid::Uuid;

use super::offline_spending::{assert_whole, funded, payment, stands};
use crate::harness::{On, Shop};
use crate::till::Till;

const FLOOR: RiskFloor = RiskFloor {
    per_transaction: Money::from_yuan(50),
    per_member_day: Money::from_yuan(80),
    per_device: Money::from_yuan(120),
    count: 4,
    hours: 8,
};

fn manager(shop: &Shop) -> StaffProof {
    let mut staff = shop.policy.staff.iter();
    let manager = staff.find(|person| person.role == Role::Manager).unwrap();
    StaffProof {
        staff: manager.id,
        method: StaffMethod::Pin,
        policy_version: 1,
    }
}

/// A manager changes the floor; the version of the rules from then on.
async fn rule(shop: &Shop, till: &Till, base_version: u32, floor: RiskFloor) -> u32 {
    let request = RulesRequest {
        manager: manager(shop).staff.0,
        base_version,
        change: (&PolicyChange::RiskFloor(floor)).into(),
    };
    let body = serde_json::to_vec(&request).unwrap();
    let asked = till.request("POST", "/v1/rules", body);
    let (status, answer) = shop.send(till.signed(shop, asked).await).await;
    assert_eq!(status, 200);
    let answer: RulesAnswer = serde_json::from_slice(&answer).unwrap();
    let told = Policy::from(answer.policy);
    assert_eq!(told.offline.risk_floor, floor);
    told.version
}

/// Signed without the server, which the till heard last at that time.
fn offline(
    till: &mut Till,
    shop: &Shop,
    body: OperationBody,
    (heard_at, rules): (Timestamp, u32),
) -> SignedOperation {
    till.wall = shop.now();
    let mut operation = till.operation(body, ActionId(Uuid::now_v7()));
    (operation.offline, operation.server_anchor) = (true, Some(heard_at));
    operation.staff.as_mut().unwrap().policy_version = rules;
    let signed = SignedOperation::sign(&operation, &till.key);
    till.seq += 1;
    till.prev = signed.hash();
    signed
}

fn told(shop: &Shop) -> Exposure {
    leases::exposure(shop.place.open().as_ref(), shop.now()).unwrap()
}

/// How often cases of a kind were opened.
fn count(shop: &Shop, kind: &str) -> usize {
    let cases = shop.cases();
    cases.iter().filter(|case| *case == kind).count()
}

/// Everything that the member has is taken with a manager's word.
async fn emptied(shop: &Shop, till: &mut Till, member: MemberId) {
    let OperationBody::SpendOffline(mut all) = payment(member, stands(shop, member)[0], &[]) else {
        unreachable!("it is a payment");
    };
    all.approval = Some(manager(shop));
    till.act(shop, OperationBody::SpendOffline(all)).await;
    assert_eq!(stands(shop, member), [0, 0, 0]);
}

#[tokio::test]
async fn what_keeps_to_the_floor_is_owed_within_its_bound_and_what_does_not_is_told() {
    for on in On::BOTH {
        let mut shop = Shop::open_on(on, 2).await;
        let mut tills = Vec::new();
        for number in 1..=3_u8 {
            let code = format!("{number:02}");
            tills.push(Till::with_key(&shop, [number; 32], &code).await);
        }
        let (member, other) = (funded(&shop, &mut tills[0]).await, shop.members()[1]);
        let before = told(&shop);
        assert_eq!((before.floor_fen, before.terminals.len()), (0, 0), "{on:?}");
        let rules = rule(&shop, &tills[0], shop.policy.version, FLOOR).await;
        let bounds = told(&shop);
        let each: Vec<i64> = bounds.terminals.iter().map(|it| it.floor_fen).collect();
        assert_eq!(
            (bounds.floor_fen, each),
            (36_000, vec![12_000; 3]),
            "{on:?}"
        );
        emptied(&shop, &mut tills[0], member).await;

        // Three tills without the server, each to its caps; they come back a payment at a time.
        let heard = (shop.now(), rules);
        shop.time.advance(Millis::hours(1));
        for (of, fen) in [(member, 5_000), (member, 3_000), (other, 4_000)] {
            for till in tills.iter_mut().rev() {
                let spent = offline(till, &shop, payment(of, fen, &[]), heard);
                till.push(&shop, &[spent]).await;
            }
        }
        assert_eq!(stands(&shop, member), [0, 0, 24_000], "{on:?}: the bound");
        assert_eq!(count(&shop, "LimitPassed"), 0, "{on:?}");
        let owed = told(&shop);
        assert!(owed.debt_fen <= bounds.floor_fen, "{on:?}: {owed:?}");
        shop.restart().await;

        // Beyond a cap it is posted all the same, and told.
        let till = &mut tills[1];
        let later = (shop.now(), rules);
        let broken = [
            ("the terminal", other, 1, heard),
            ("the member's day", member, 1, later),
            ("the payment", other, 5_001, later),
            ("rules without a floor", other, 1, (later.0, 1)),
            ("the hours", other, 1, (later.0 - Millis::hours(8), rules)),
        ];
        shop.time.advance(Millis::minutes(5));
        for (passed, (why, of, fen, had)) in (1..).zip(broken) {
            let spent = offline(till, &shop, payment(of, fen, &[]), had);
            let answer = till.push(&shop, &[spent]).await;
            assert_eq!(answer.results[0].outcome, OutcomeDto::Applied, "{on:?}");
            assert_eq!(count(&shop, "LimitPassed"), passed, "{on:?}: {why}");
        }
        assert_eq!(stands(&shop, member), [0, 0, 24_001], "{on:?}");
        assert_whole(&shop, on).await;
    }
}

#[tokio::test]
async fn a_till_that_has_not_heard_of_it_may_still_go_by_the_floor_that_was() {
    for on in On::BOTH {
        let shop = Shop::open_on(on, 1).await;
        let till = Till::open(&shop).await;
        let mut other = Till::with_key(&shop, [9; 32], "09").await;
        let rules = rule(&shop, &till, shop.policy.version, FLOOR).await;
        shop.time.advance(Millis::hours(1));
        rule(&shop, &till, rules, RiskFloor::default()).await;
        let of_other = || {
            let terminals = told(&shop).terminals;
            terminals
                .iter()
                .find(|it| it.terminal == "09")
                .map(|it| it.floor_fen)
        };
        assert_eq!(of_other(), Some(12_000), "{on:?}");
        shop.time.advance(Millis::minutes(1));
        let member = shop.members()[0];
        other.act(&shop, payment(member, 1, &[])).await;
        assert_eq!(of_other(), None, "{on:?}");
    }
}
