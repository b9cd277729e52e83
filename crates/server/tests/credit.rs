//! Money that waits for a person, credited in a manager's name.

use http::StatusCode;
use qiantai_core::Money;
use qiantai_core::ids::{OrderId, StaffId};
use qiantai_core::policy::Role;
use qiantai_core::recharge::OrderState;
use qiantai_paysim::gateway::PhoneAction;
use qiantai_wire::api::{CreditAnswer, CreditRequest, OrderAnswer};
use qiantai_wire::codes::RefusalCodeDto;
use qiantai_wire::feed::OutcomeDto;
use qiantai_wire::operation::{Kind, decode};
use qiantai_wire::{ApiError, ErrorCode};
use uuid::Uuid;

use crate::harness::Shop;
use crate::till::Till;

/// A customer's money for a member who was frozen meanwhile.
async fn waiting(shop: &Shop, till: &mut Till) -> OrderId {
    let (order, attempt) = till.show_qr(shop, shop.members()[0], 300).await;
    set_members(shop, "frozen");
    shop.phone(&attempt, &PhoneAction::Pay);
    assert_eq!(shop.deliver_notices().await, [true]);
    assert_eq!(shop.order(order.id).state, OrderState::Paid);
    assert_eq!(shop.cases(), ["CreditBlocked"]);
    order.id
}

fn set_members(shop: &Shop, status: &str) {
    let changed = format!("UPDATE member SET status = '{status}'");
    assert!(shop.database().execute(&changed, []).unwrap() > 0);
}

fn manager(shop: &Shop) -> StaffId {
    let mut staff = shop.policy.staff.iter();
    staff
        .find(|person| person.role == Role::Manager)
        .unwrap()
        .id
}

async fn credit(
    shop: &Shop,
    till: &Till,
    order: OrderId,
    manager: StaffId,
) -> Result<CreditAnswer, ApiError> {
    let request = CreditRequest {
        action: Uuid::now_v7(),
        manager: manager.0,
        policy_version: 1,
    };
    let body = serde_json::to_vec(&request).unwrap();
    let path = format!("/v1/orders/{order}/credit");
    let asked = till.request("POST", &path, body);
    let (status, answer) = shop.send(till.signed(shop, asked).await).await;
    match status {
        StatusCode::OK => Ok(serde_json::from_slice(&answer).unwrap()),
        _ => Err(serde_json::from_slice(&answer).unwrap()),
    }
}

#[tokio::test]
async fn a_manager_has_waiting_money_credited_once_and_the_slip_is_signed() {
    let shop = Shop::open(1).await;
    let mut till = Till::open(&shop).await;
    let member = shop.members()[0];
    let before = shop.principal(member);
    let order = waiting(&shop, &mut till).await;
    let boss = manager(&shop);
    let path = format!("/v1/orders/{order}");
    let told: OrderAnswer = till.call(&shop, "GET", &path, Vec::new()).await;
    assert_eq!(told.settlement, None, "nothing credited it yet");

    let blocked = credit(&shop, &till, order, boss).await.unwrap();
    match blocked.outcome {
        OutcomeDto::Refused(refusal) => {
            assert_eq!(refusal.reason, RefusalCodeDto::MemberNotActive);
        }
        other => panic!("{other:?}"),
    }
    assert_eq!((blocked.settlement, shop.principal(member)), (None, before));

    set_members(&shop, "active");
    let done = credit(&shop, &till, order, boss).await.unwrap();
    assert_eq!(done.outcome, OutcomeDto::Applied);
    assert_eq!(shop.order(order).state, OrderState::Credited);
    assert_eq!(shop.principal(member) - before, Money::from_yuan(300));
    assert_eq!(shop.balance("suspense"), 0);

    let told: OrderAnswer = till.call(&shop, "GET", &path, Vec::new()).await;
    assert_eq!(told.settlement, done.settlement);
    let (_, word) = decode(&told.settlement.unwrap().0).unwrap();
    assert_eq!(Kind::of(&word.body), Kind::CreditRetry);
    assert_eq!(word.staff.map(|proof| proof.staff), Some(boss));

    let sql = "SELECT device_id, subject FROM audit_entry WHERE act = 'credit.asked'";
    let database = shop.database();
    let mut asked = database.prepare(sql).unwrap();
    let asked = asked.query_map([], |row| Ok((row.get(0)?, row.get(1)?)));
    let asked: Vec<(Vec<u8>, String)> = asked.unwrap().collect::<Result<_, _>>().unwrap();
    let order_no = shop.order(order).order_no;
    let entry = (
        till.join.device.as_bytes().to_vec(),
        format!("order {order_no} by manager {boss}"),
    );
    assert_eq!(asked, [entry.clone(), entry], "refused, then done");

    let again = credit(&shop, &till, order, boss).await.unwrap();
    assert_eq!(again.outcome, OutcomeDto::Applied);
    assert_eq!(again.settlement, done.settlement);
    assert_eq!(shop.principal(member) - before, Money::from_yuan(300));
}

/// Puts rules into force in which a second manager works here.
async fn join_second(shop: &Shop) -> StaffId {
    let mut rules = (*shop.policy).clone();
    rules.version += 1;
    rules.effective_from = shop.now();
    let first = manager(shop);
    let known = rules.staff.iter().find(|person| person.id == first);
    let mut second = known.unwrap().clone();
    (second.id, second.staff_no) = (StaffId(Uuid::now_v7()), "8002".to_owned());
    let id = second.id;
    rules.staff.push(second);
    shop.server.publish_policy(rules).await.unwrap();
    id
}

#[tokio::test]
async fn nobody_else_has_it_credited() {
    let shop = Shop::open(1).await;
    let mut till = Till::open(&shop).await;
    // The manager takes the money here, and another one joins.
    till.cashier = manager(&shop);
    let order = waiting(&shop, &mut till).await;
    set_members(&shop, "active");
    let second = join_second(&shop).await;
    let cashier = shop.policy.staff[0].id;
    for (who, by, expected) in [
        ("a cashier", cashier, ErrorCode::NoManager),
        ("who took the money", till.cashier, ErrorCode::OwnRelease),
        (
            "a stranger",
            StaffId(Uuid::from_u128(9)),
            ErrorCode::NoManager,
        ),
    ] {
        let refused = credit(&shop, &till, order, by).await.unwrap_err();
        assert_eq!(refused.error_code(), Some(expected), "{who}");
        assert_eq!(shop.order(order).state, OrderState::Paid, "{who}");
    }
    let unknown = OrderId(Uuid::from_u128(1));
    let refused = credit(&shop, &till, unknown, till.cashier).await;
    assert_eq!(refused.unwrap_err().error_code(), Some(ErrorCode::NotFound));
    let done = credit(&shop, &till, order, second).await.unwrap();
    assert_eq!(done.outcome, OutcomeDto::Applied);
    assert!(!shop.order(order).released_by_taker());
}

#[tokio::test]
async fn the_only_manager_releases_what_they_took_and_order_and_audit_say_so() {
    let shop = Shop::open(1).await;
    let mut till = Till::open(&shop).await;
    let boss = manager(&shop);
    till.cashier = boss;
    let order = waiting(&shop, &mut till).await;
    set_members(&shop, "active");
    let done = credit(&shop, &till, order, boss).await.unwrap();
    assert_eq!(done.outcome, OutcomeDto::Applied);
    assert_eq!(done.order.approver, Some(boss.0));
    assert!(shop.order(order).released_by_taker());
    let sql = "SELECT subject FROM audit_entry WHERE act = 'credit.asked'";
    let told: String = shop
        .database()
        .query_row(sql, [], |row| row.get(0))
        .unwrap();
    assert!(told.contains("who took the money"), "{told}");
}
