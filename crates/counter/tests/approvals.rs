//! Cash beyond the offline cap, with a manager's PIN on the cashier's screen.

use qiantai_core::operation::OperationBody;
use qiantai_counter::api::CounterApi;
use qiantai_counter::error::{CallError, ErrorCode, MoneyMoved};
use qiantai_counter::view::order::{Approval, OrderView, PayCash, Stage};
use qiantai_counter::view::queue::SyncState;

use crate::line::Weather;
use crate::paper::Paper;
use crate::shop::Shop;
use crate::till::{Till, key};

const MANAGER: &str = "8001";
const MANAGERS_PIN: &str = "8888";

fn approved(offer: &PayCash, staff_no: &str, pin: &str) -> PayCash {
    PayCash {
        approval: Some(Approval {
            staff_no: staff_no.to_owned(),
            pin: pin.to_owned(),
        }),
        ..offer.clone()
    }
}

async fn refused(till: &Till, offer: &PayCash, staff_no: &str, pin: &str) -> CallError {
    let refused = till.pay_cash(&approved(offer, staff_no, pin)).await;
    let refused = refused.expect_err("it is refused");
    assert_eq!(refused.money, MoneyMoved::No, "{staff_no}");
    refused
}

/// Names of the managers in the shop's rules.
fn manager(shop: &Shop) -> (qiantai_core::ids::StaffId, String) {
    let policy = shop.policy();
    let person = policy
        .staff
        .iter()
        .find(|person| person.staff_no == MANAGER);
    let person = person.unwrap();
    (person.id, person.name.clone())
}

async fn pay(till: &Till, member: &str, amount: &str) -> OrderView {
    let offer = till.cash_offer(member, amount).await;
    till.pay_cash(&approved(&offer, MANAGER, MANAGERS_PIN))
        .await
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_managers_pin_raises_the_cap_for_one_top_up() {
    let shop = Shop::salon().await;
    let till = Till::open(&shop).await;
    let member = till.zhang_wei().await;
    let (id, name) = manager(&shop);
    till.cut(&shop).await;
    let offer = till.cash_offer(&member, "1500").await;
    let asked = till.pay_cash(&offer).await.unwrap_err();
    assert_eq!(asked.code, ErrorCode::ApprovalNeeded);
    assert_eq!(asked.message_key, "error.offline_cash_cap_order");
    for (staff_no, pin, expected) in [
        ("1001", "1234", "approver_self"),
        (" １００１", "1234", "approver_self"),
        ("1002", "2345", "approver_no_manager"),
        ("9999", MANAGERS_PIN, "approver_unknown"),
        ("", "", "approver_unknown"),
    ] {
        let refused = refused(&till, &offer, staff_no, pin).await;
        assert_eq!(refused.code, ErrorCode::ApprovalNeeded, "{staff_no}");
        assert_eq!(refused.message_key, format!("error.{expected}"));
    }
    let wrong = refused(&till, &offer, MANAGER, "0000").await;
    assert_eq!(wrong.code, ErrorCode::PinWrong);
    assert_eq!(wrong.params["left"], "4");

    let order = till
        .pay_cash(&approved(&offer, "８００１", MANAGERS_PIN))
        .await
        .unwrap();
    assert_eq!((order.stage, order.provisional), (Stage::Credited, true));
    assert_eq!(order.approver.as_ref(), Some(&name));
    let twice = till
        .pay_cash(&approved(&offer, MANAGER, "0000"))
        .await
        .unwrap();
    assert_eq!(twice.id, order.id, "a second click needs no second PIN");
    till.until_printed(&order, 2).await;
    let slip = Paper::of(&till.folder, &order, "shop");
    assert!(slip.says(&["店长授权", &name]), "{:#?}", slip.lines());
    let next = till.cash_offer(&member, "1501").await;
    let asked = till.pay_cash(&next).await.unwrap_err();
    assert_eq!(asked.code, ErrorCode::ApprovalNeeded, "it was for one");

    till.mend(&shop).await;
    let confirmed = till.until_confirmed(&order.id).await;
    assert_eq!(confirmed.approver, Some(name));
    assert_eq!(shop.cases(), Vec::<String>::new());
    assert_eq!(shop.order(&order.id).unwrap().approver, Some(id));
    let signed = shop.operations().into_iter().filter_map(|signed| {
        let operation = signed.operation().unwrap();
        match operation.body {
            OperationBody::RechargeCash(cash) => Some((operation.staff, cash.approval)),
            _ => None,
        }
    });
    let signed: Vec<_> = signed.collect();
    assert_eq!(signed.len(), 1);
    let (staff, approval) = signed[0];
    assert_eq!(approval.unwrap().staff, id);
    assert_ne!(staff.unwrap().staff, id, "the cashier stays who took it");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_used_up_terminal_goes_on_with_a_managers_pin() {
    let shop = Shop::salon().await;
    let till = Till::open(&shop).await;
    let members = [
        till.zhang_wei().await,
        till.find("00201000003").await,
        till.find("00201000004").await,
    ];
    till.cut(&shop).await;
    for amount in ["1000", "999", "998", "997", "996"] {
        let member = &members[usize::from(amount.ends_with('9') || amount.ends_with('6'))];
        till.cash(member, amount).await;
    }
    let offer = till.cash_offer(&members[2], "100").await;
    let asked = till.pay_cash(&offer).await.unwrap_err();
    assert_eq!(asked.message_key, "error.offline_cash_cap_terminal");
    let order = pay(&till, &members[2], "100").await;
    assert_eq!(order.stage, Stage::Credited);
    till.crash().await;
    let till = Till::reopen(&shop, Weather::Cut).await;
    assert!(till.order(&order.id).await.approver.is_some());
    till.mend(&shop).await;
    till.until_confirmed(&order.id).await;
    assert_eq!(shop.cases(), Vec::<String>::new());
}

/// Wrong PINs lock the manager out of approving and of signing in, and nobody else.
#[tokio::test(flavor = "multi_thread")]
async fn wrong_pins_lock_the_approver_out() {
    let shop = Shop::salon().await;
    let till = Till::open(&shop).await;
    let member = till.zhang_wei().await;
    till.cut(&shop).await;
    let offer = till.cash_offer(&member, "1500").await;
    for left in (1..5).rev() {
        let wrong = refused(&till, &offer, MANAGER, "0000").await;
        assert_eq!(wrong.params["left"], left.to_string());
    }
    for pin in ["0000", MANAGERS_PIN] {
        let locked = refused(&till, &offer, MANAGER, pin).await;
        assert_eq!(locked.code, ErrorCode::PinLocked, "{pin}");
    }
    let locked = till.sign_in_as(MANAGER, MANAGERS_PIN).await.unwrap_err();
    assert_eq!(locked.code, ErrorCode::PinLocked);
    till.cash(&member, "1000").await;
    till.crash().await;
    let till = Till::reopen(&shop, Weather::Cut).await;
    let offer = till.cash_offer(&member, "1500").await;
    let locked = refused(&till, &offer, MANAGER, MANAGERS_PIN).await;
    assert_eq!(locked.code, ErrorCode::PinLocked, "also after a restart");
}

/// What needs no approval is signed without one, whatever was typed.
#[tokio::test(flavor = "multi_thread")]
async fn an_approval_that_nothing_needs_is_left_out() {
    let shop = Shop::salon().await;
    let till = Till::open(&shop).await;
    let member = till.zhang_wei().await;
    let online = pay(&till, &member, "1500").await;
    assert_eq!(online.approver, None);
    till.until_confirmed(&online.id).await;
    till.cut(&shop).await;
    let small = pay(&till, &member, "100").await;
    assert_eq!(small.approver, None);
    let receipt = till.desk.receipt(key(&small.id)).await.unwrap();
    let said = format!("{receipt:?}");
    assert!(!said.contains("店长授权"), "{said}");
    assert_eq!(till.session().await.sync.state, SyncState::Offline);
}
