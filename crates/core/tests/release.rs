//! Money that waits, let go by a manager: another one than who took it, where there is another.

use std::sync::Arc;

use qiantai_core::decide::{Decision, RefusalCode};
use qiantai_core::ids::{OrderId, StaffId};
use qiantai_core::ledger::LedgerAccount;
use qiantai_core::operation::{OperationBody, StaffMethod, StaffProof};
use qiantai_core::policy::{Policy, Role};
use qiantai_core::recharge::OrderState;
use qiantai_core::recorded_payment::RecordedMethod::Transfer;
use qiantai_core::release::{NoReleaser, Releaser};
use qiantai_core::{Millis, Money};
use uuid::Uuid;

use crate::shop::{
    AUDITOR, CASHIER, MANAGER, SECOND, Shop, amount, policy, refused, with_second, yuan,
};

const STRANGER: StaffId = StaffId(Uuid::from_u128(25));

#[test]
fn who_took_the_money_lets_it_go_only_where_nobody_else_could() {
    use NoReleaser::{NoManager, TookIt};
    use Releaser::{Other, Taker};
    let (alone, left, two) = (policy(), with_second(false), with_second(true));
    for (rules, taker, person, expected) in [
        (&alone, CASHIER, MANAGER, Ok(Other)),
        (&alone, MANAGER, MANAGER, Ok(Taker)),
        (&left, MANAGER, MANAGER, Ok(Taker)),
        (&two, MANAGER, MANAGER, Err(TookIt)),
        (&two, MANAGER, SECOND, Ok(Other)),
        (&alone, CASHIER, CASHIER, Err(NoManager)),
        (&alone, CASHIER, AUDITOR, Err(NoManager)),
        (&left, MANAGER, SECOND, Err(NoManager)),
        (&alone, MANAGER, STRANGER, Err(NoManager)),
    ] {
        assert_eq!(rules.releaser(taker, person), expected, "{taker} {person}");
    }
    assert_eq!(two.only_manager(), None);
    assert_eq!(left.only_manager(), Some(MANAGER));
    let mut nobody = policy();
    nobody.staff.retain(|person| person.role != Role::Manager);
    assert_eq!(nobody.only_manager(), None);
}

/// A transfer that the manager took, and that waits under a reference used before.
fn taken_by_manager(rules: Policy) -> (Shop, OrderId) {
    let mut shop = Shop::open(rules);
    let mut order = OrderId(Uuid::nil());
    for yuan in [300, 500] {
        let body = shop.recorded_body(amount(yuan), Transfer, "20261121000001");
        order = body.open.order;
        let mut operation = shop.by_cashier(OperationBody::RechargeRecorded(body));
        operation.staff = Some(proof(MANAGER));
        shop.run(&operation);
    }
    assert_eq!(shop.order_state(order), OrderState::Paid);
    (shop, order)
}

fn proof(staff: StaffId) -> StaffProof {
    StaffProof {
        staff,
        method: StaffMethod::Pin,
        policy_version: 1,
    }
}

fn let_go(shop: &mut Shop, order: OrderId, by: StaffId) -> Decision {
    let mut operation = shop.by_server(OperationBody::CreditRetry { order });
    operation.staff = Some(proof(by));
    shop.run(&operation)
}

#[test]
fn the_only_manager_lets_go_what_they_took_and_the_order_says_so() {
    let (mut shop, order) = taken_by_manager(policy());
    assert!(!shop.state.orders[&order].released_by_taker());
    let_go(&mut shop, order, MANAGER);
    let credited = &shop.state.orders[&order];
    assert_eq!(credited.state, OrderState::Credited);
    assert!(credited.released_by_taker());
    assert_eq!(shop.balance(LedgerAccount::Suspense), Money::ZERO);
}

#[test]
fn a_second_manager_brings_the_old_rule_back() {
    let (mut shop, order) = taken_by_manager(policy());
    let second = Policy {
        version: 2,
        effective_from: shop.now,
        ..with_second(true)
    };
    shop.state.policies.push(Arc::new(second));
    let kept = let_go(&mut shop, order, MANAGER);
    assert_eq!(refused(&kept), Some(RefusalCode::RoleNotAllowed));
    assert_eq!(shop.order_state(order), OrderState::Paid);
    assert_eq!(shop.balance(LedgerAccount::Suspense), yuan(-500));
    let_go(&mut shop, order, SECOND);
    let credited = &shop.state.orders[&order];
    assert_eq!(credited.state, OrderState::Credited);
    assert!(!credited.released_by_taker());
}

#[test]
fn rules_of_another_store_and_of_later_days_say_nothing() {
    let (mut shop, order) = taken_by_manager(policy());
    let mut elsewhere = with_second(true);
    elsewhere.version = 2;
    elsewhere.store.id.0 = Uuid::from_u128(900);
    let later = Policy {
        version: 3,
        effective_from: shop.now + Millis::minutes(1),
        ..with_second(true)
    };
    shop.state.policies.extend([elsewhere, later].map(Arc::new));
    let_go(&mut shop, order, MANAGER);
    assert_eq!(shop.order_state(order), OrderState::Credited);
}
