//! Cases as a manager sees them, and money that a manager has credited.

use qiantai_core::ids::StaffId;
use qiantai_counter::api::CounterApi;
use qiantai_counter::view::Fen;
use qiantai_counter::view::case::{CaseList, CreditCase};
use qiantai_counter::view::event::CounterEvent;
use qiantai_counter::view::order::{Approval, OrderView, Stage};
use qiantai_paysim::gateway::PhoneAction;
use uuid::Uuid;

use crate::shop::Shop;
use crate::till::{Till, key, sentence};

const MANAGER: (&str, &str) = ("8001", "8888");

async fn cases(till: &Till) -> CaseList {
    till.desk.cases(()).await.unwrap()
}

fn credit(order: &OrderView, (staff_no, pin): (&str, &str)) -> CreditCase {
    CreditCase {
        order_id: order.id.clone(),
        approval: Approval {
            staff_no: staff_no.to_owned(),
            pin: pin.to_owned(),
        },
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn money_that_waits_is_seen_and_credited_with_a_managers_pin() {
    let shop = Shop::salon().await;
    let till = Till::open(&shop).await;
    let member = till.zhang_wei().await;
    let mut events = till.desk.subscribe();
    let order = till.show_qr(&member, "300").await;
    shop.freeze_zhang_wei();
    shop.phone(&order, &PhoneAction::Pay);
    let order = till.until_stage(&order.id, Stage::Paid).await;
    let refused = sentence(till.desk.cases(()).await);
    assert_eq!(
        refused, "error.role_not_allowed",
        "cashiers have other work"
    );
    till.sign_in_as(MANAGER.0, MANAGER.1).await.unwrap();
    let told = till.until("the news of a case", async || {
        let mut told = false;
        while let Ok(event) = events.try_recv() {
            told |= matches!(event, CounterEvent::Cases);
        }
        told.then_some(())
    });
    told.await;
    let list = cases(&till).await;
    let [case] = &list.waiting[..] else {
        panic!("one case waits: {list:?}");
    };
    assert_eq!(case.cause_key, "case.credit_blocked");
    assert_eq!(case.member.as_deref(), Some("张*"));
    assert_eq!(case.amount_fen, Some(Fen(30_000)));
    let of = case.order.as_ref().unwrap();
    assert_eq!((&of.id, of.creditable), (&order.id, true));
    assert!(!of.taker_alone, "a cashier took it");

    let check = async |typed, expected: &str| {
        let refused = till.desk.credit_case(credit(&order, typed)).await;
        assert_eq!(sentence(refused), expected, "{typed:?}");
    };
    check(("1002", "2345"), "error.approver_no_manager").await;
    // Who took the money.
    check(("1001", "1234"), "error.approver_no_manager").await;
    check((MANAGER.0, "0000"), "error.pin_wrong").await;
    check(MANAGER, "error.member_not_active").await;
    assert!(shop.credits(&member).is_empty());

    shop.thaw_zhang_wei();
    till.desk
        .credit_case(credit(&order, MANAGER))
        .await
        .unwrap();
    let done = till.until_confirmed(&order.id).await;
    assert_eq!(shop.credits(&member).len(), 1);
    let list = cases(&till).await;
    assert!(list.waiting.is_empty(), "{list:?}");
    assert_eq!(list.noted[0].order.as_ref().unwrap().stage, Stage::Credited);
    // Its slip carries the server's word.
    till.desk.receipt(key(&done.id)).await.unwrap();
    check(MANAGER, "error.order_state").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_server_nothing_is_credited() {
    let shop = Shop::salon().await;
    let till = Till::open(&shop).await;
    let member = till.zhang_wei().await;
    let order = till.show_qr(&member, "300").await;
    shop.freeze_zhang_wei();
    shop.phone(&order, &PhoneAction::Pay);
    let order = till.until_stage(&order.id, Stage::Paid).await;
    till.sign_in_as(MANAGER.0, MANAGER.1).await.unwrap();
    till.cut(&shop).await;
    assert_eq!(cases(&till).await.waiting.len(), 1, "seen all the same");
    let refused = till.desk.credit_case(credit(&order, MANAGER)).await;
    assert_eq!(sentence(refused), "error.credit_offline");
}

/// Money that the manager took at the counter, for a member who is served again by now.
async fn taken_by_manager(shop: &Shop, till: &Till) -> OrderView {
    till.sign_in_as(MANAGER.0, MANAGER.1).await.unwrap();
    let member = till.zhang_wei().await;
    let order = till.show_qr(&member, "300").await;
    shop.freeze_zhang_wei();
    shop.phone(&order, &PhoneAction::Pay);
    let order = till.until_stage(&order.id, Stage::Paid).await;
    shop.thaw_zhang_wei();
    order
}

#[tokio::test(flavor = "multi_thread")]
async fn who_works_alone_releases_what_they_took_and_it_is_said_everywhere() {
    let shop = Shop::salon().await;
    let till = Till::open(&shop).await;
    let order = taken_by_manager(&shop, &till).await;
    let waiting = cases(&till).await.waiting;
    assert!(waiting[0].order.as_ref().unwrap().taker_alone);
    let released = till.desk.credit_case(credit(&order, MANAGER)).await;
    released.unwrap();
    let done = till.until_confirmed(&order.id).await;
    assert!(done.released_alone && done.approver.is_some(), "{done:?}");
    let noted = cases(&till).await.noted;
    assert!(noted[0].order.as_ref().unwrap().released_alone);
    let slip = till.desk.receipt(key(&done.id)).await.unwrap();
    assert!(format!("{slip:?}").contains("收款人本人放行"), "{slip:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn with_a_second_manager_nobody_releases_what_they_took() {
    let shop = Shop::salon().await;
    let till = Till::open(&shop).await;
    let order = taken_by_manager(&shop, &till).await;
    shop.change_rules(|policy| {
        let mut staff = policy.staff.iter();
        let mut second = staff.find(|it| it.staff_no == MANAGER.0).unwrap().clone();
        (second.id, second.staff_no) = (StaffId(Uuid::now_v7()), "8002".to_owned());
        policy.staff.push(second);
    })
    .await;
    till.until("the second manager", async || {
        let list = cases(&till).await;
        let order = list.waiting[0].order.clone().unwrap();
        (!order.taker_alone).then_some(())
    })
    .await;
    let refused = till.desk.credit_case(credit(&order, MANAGER)).await;
    assert_eq!(sentence(refused), "error.release_own");
    let released = till.desk.credit_case(credit(&order, ("8002", MANAGER.1)));
    released.await.unwrap();
    let done = till.until_confirmed(&order.id).await;
    assert!(!done.released_alone);
}
