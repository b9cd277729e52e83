//! `recharge.recorded`: facts always post; what a person must look at waits with its credit.

use qiantai_core::attempt::Channel;
use qiantai_core::decide::{Change, Decision, Outcome};
use qiantai_core::ids::{ShiftId, StaffId, StoreId};
use qiantai_core::ledger::{CaseKind, LedgerAccount};
use qiantai_core::member::MemberStatus;
use qiantai_core::operation::{
    Operation, OperationBody, RechargeRecorded, StaffMethod, StaffProof,
};
use qiantai_core::recharge::{AmountChoice, OrderState};
use qiantai_core::recorded_payment::RecordedMethod::{self, Card, ShopCode, Transfer};
use qiantai_core::{Millis, Money};
use uuid::Uuid;

use crate::shop::{
    CASHIER, GOLD, MANAGER, MEMBER, PACKAGE, SHIFT, Shop, amount, cases, policy, yuan,
};

const REFERENCE: &str = "000123";

fn recorded(operation: &mut Operation) -> &mut RechargeRecorded {
    match &mut operation.body {
        OperationBody::RechargeRecorded(body) => body,
        other => panic!("not recorded: {other:?}"),
    }
}

/// Records a payment for `choice` after `spoil` changed shop and operation.
fn record(
    method: RecordedMethod,
    choice: AmountChoice,
    spoil: impl FnOnce(&mut Shop, &mut Operation),
) -> (Shop, Decision, RechargeRecorded) {
    let mut shop = Shop::open(policy());
    let (decision, body) = record_in(&mut shop, method, choice, REFERENCE, spoil);
    (shop, decision, body)
}

fn record_in(
    shop: &mut Shop,
    method: RecordedMethod,
    choice: AmountChoice,
    reference: &str,
    spoil: impl FnOnce(&mut Shop, &mut Operation),
) -> (Decision, RechargeRecorded) {
    let body = shop.recorded_body(choice, method, reference);
    let mut operation = shop.by_cashier(OperationBody::RechargeRecorded(body));
    spoil(shop, &mut operation);
    let decision = shop.run(&operation);
    assert_eq!(
        decision.outcome,
        Outcome::Applied,
        "a fact is never refused"
    );
    (decision, recorded(&mut operation).clone())
}

fn proof(staff: StaffId) -> StaffProof {
    StaffProof {
        staff,
        method: StaffMethod::Pin,
        policy_version: 1,
    }
}

/// With the bank, in suspense, with the member.
fn money(shop: &Shop, method: RecordedMethod) -> (Money, Money, Money) {
    (
        shop.balance(LedgerAccount::Clearing(method.channel())),
        shop.balance(LedgerAccount::Suspense),
        shop.state.accounts[&MEMBER].principal,
    )
}

#[test]
fn a_recorded_payment_opens_pays_and_credits_in_one_go() {
    for (method, channel) in [
        (Card, Channel::Card),
        (Transfer, Channel::Transfer),
        (ShopCode, Channel::ShopCode),
    ] {
        let package = AmountChoice::Package(PACKAGE, 1);
        let (shop, decision, body) = record(method, package, |_, _| {});
        assert_eq!(cases(&decision), []);
        let order = &shop.state.orders[&body.open.order];
        let paid = order.paid.as_ref().expect("paid");
        assert_eq!(order.state, OrderState::Credited);
        assert_eq!(
            (paid.channel, paid.amount, paid.tendered),
            (channel, yuan(300), None)
        );
        assert_eq!(paid.channel_txn_no.as_deref(), Some(REFERENCE));
        assert_eq!(shop.state.accounts[&MEMBER].bonus, yuan(50));
        assert_eq!(money(&shop, method), (yuan(300), Money::ZERO, yuan(300)));
        // Not a fen of it is in the drawer.
        assert_eq!(shop.balance(LedgerAccount::Drawer(SHIFT)), yuan(500));
        let touches_cash = |change: &Change| matches!(change, Change::Cash(_));
        assert!(!decision.changes.iter().any(touches_cash));
    }
}

#[test]
fn a_reference_is_questioned_where_it_was_used_before() {
    let day = Millis::hours(24);
    // The second payment: by what, under which reference, how much later, confirmed.
    type Second = (RecordedMethod, &'static str, Millis, bool);
    let none = Millis(0);
    let table: &[(&str, RecordedMethod, Second, bool)] = &[
        (
            "the same voucher",
            Card,
            (Card, REFERENCE, none, false),
            true,
        ),
        (
            "another card payment after all",
            Card,
            (Card, REFERENCE, none, true),
            false,
        ),
        (
            "another voucher",
            Card,
            (Card, "000124", none, false),
            false,
        ),
        (
            "the same number on another day",
            Card,
            (Card, REFERENCE, day, false),
            false,
        ),
        (
            "another method",
            Card,
            (Transfer, REFERENCE, none, false),
            false,
        ),
        (
            "the same last digits",
            ShopCode,
            (ShopCode, REFERENCE, none, false),
            true,
        ),
        (
            "another payment with these last digits",
            ShopCode,
            (ShopCode, REFERENCE, none, true),
            false,
        ),
        (
            "the same last digits on another day",
            ShopCode,
            (ShopCode, REFERENCE, day, false),
            false,
        ),
        (
            "the same transfer",
            Transfer,
            (Transfer, REFERENCE, none, false),
            true,
        ),
        (
            "a transfer is made once, whoever says otherwise",
            Transfer,
            (Transfer, REFERENCE, none, true),
            true,
        ),
        (
            "the same transfer a day later",
            Transfer,
            (Transfer, REFERENCE, day, false),
            true,
        ),
    ];
    for (name, first, (method, reference, later, confirmed), waits) in table {
        let (mut shop, _, _) = record(*first, amount(300), |_, _| {});
        shop.now = shop.now + *later;
        let (decision, body) = record_in(
            &mut shop,
            *method,
            amount(500),
            reference,
            |_, operation| {
                recorded(operation).reference_confirmed = *confirmed;
            },
        );
        let (expected, state): (&[CaseKind], _) = match waits {
            true => (&[CaseKind::ReferenceUsed], OrderState::Paid),
            false => (&[], OrderState::Credited),
        };
        assert_eq!(cases(&decision), expected, "{name}");
        assert_eq!(shop.order_state(body.open.order), state, "{name}");
        let waiting = if *waits { yuan(500) } else { Money::ZERO };
        assert_eq!(shop.balance(LedgerAccount::Suspense), -waiting, "{name}");
    }
}

#[test]
fn two_stores_may_have_the_same_voucher_and_never_the_same_transfer() {
    for (method, expected) in [
        (Card, vec![]),
        (ShopCode, vec![]),
        (Transfer, vec![CaseKind::ReferenceUsed]),
    ] {
        let (mut shop, _, first) = record(method, amount(300), |_, _| {});
        let used = shop.state.references.iter_mut();
        for used in used.filter(|used| used.order == first.open.order) {
            used.store = StoreId(Uuid::from_u128(3));
        }
        let (decision, _) = record_in(&mut shop, method, amount(500), REFERENCE, |_, _| {});
        assert_eq!(cases(&decision), expected, "{method:?}");
    }
}

#[test]
fn a_reference_is_free_again_once_its_money_went_back() {
    let (mut shop, _, first) = record(Transfer, amount(300), |_, _| {});
    let order = shop
        .state
        .orders
        .get_mut(&first.open.order)
        .expect("opened");
    order.state = OrderState::Voided;
    let voided = Change::Order(order.clone());
    shop.state.apply(&[voided]);
    let (decision, _) = record_in(&mut shop, Transfer, amount(500), REFERENCE, |_, _| {});
    assert_eq!(cases(&decision), []);
}

#[test]
fn a_broken_rule_posts_with_a_case() {
    type Spoil = fn(&mut Shop, &mut Operation);
    let credited = OrderState::Credited;
    let table: [(&str, i64, Spoil, &[CaseKind], OrderState); 9] = [
        (
            "no shift",
            300,
            |_, operation| operation.shift = None,
            &[CaseKind::ShiftIrregular],
            credited,
        ),
        (
            "another shift",
            300,
            |_, operation| operation.shift = Some(ShiftId(Uuid::from_u128(31))),
            &[CaseKind::ShiftIrregular],
            credited,
        ),
        (
            "nobody",
            300,
            |_, operation| operation.staff = None,
            &[CaseKind::StaffIrregular],
            credited,
        ),
        (
            "a limit: credit waits for eyes",
            5_001,
            |_, _| {},
            &[CaseKind::LimitPassed],
            OrderState::Paid,
        ),
        (
            "offline is for cash",
            300,
            |_, operation| operation.offline = true,
            &[CaseKind::LimitPassed],
            credited,
        ),
        (
            "a manager lets it pass",
            300,
            |_, operation| {
                operation.offline = true;
                recorded(operation).approval = Some(proof(MANAGER));
            },
            &[],
            credited,
        ),
        (
            "a cashier does not",
            300,
            |_, operation| {
                operation.offline = true;
                recorded(operation).approval = Some(proof(CASHIER));
            },
            &[CaseKind::StaffIrregular, CaseKind::LimitPassed],
            credited,
        ),
        (
            "an equal order beside it",
            300,
            |shop, _| {
                shop.pending_order(300);
            },
            &[CaseKind::DuplicateSuspected],
            credited,
        ),
        (
            "a promise that the rules do not keep",
            300,
            |_, operation| recorded(operation).open.quote.tier.1 = GOLD,
            &[CaseKind::QuoteDiffers],
            credited,
        ),
    ];
    for (name, pay, spoil, expected, state) in table {
        let (shop, decision, body) = record(Card, amount(pay), spoil);
        assert_eq!(cases(&decision), expected, "{name}");
        assert_eq!(shop.order_state(body.open.order), state, "{name}");
        let (bank, waiting, credit) = money(&shop, Card);
        assert_eq!((bank, credit - waiting), (yuan(pay), yuan(pay)), "{name}");
    }
}

#[test]
fn a_payment_that_is_no_order_waits_in_suspense() {
    type Spoil = fn(&mut Shop, &mut Operation);
    let table: [(&str, Spoil, i64); 3] = [
        (
            "no amount",
            |_, operation| recorded(operation).open.quote.pay = Money::ZERO,
            0,
        ),
        (
            "more than any order",
            |_, operation| {
                recorded(operation).open.quote.pay = Money::from_fen(i64::MAX);
            },
            0,
        ),
        (
            "an order of that name exists",
            |shop, operation| {
                recorded(operation).open.order = shop.pending_order(100);
            },
            300,
        ),
    ];
    for (name, spoil, pay) in table {
        let (shop, decision, _) = record(Transfer, amount(300), spoil);
        assert_eq!(cases(&decision), [CaseKind::Unattributed], "{name}");
        let expected = (yuan(pay), yuan(-pay), Money::ZERO);
        assert_eq!(money(&shop, Transfer), expected, "{name}");
    }
}

#[test]
fn what_waits_is_credited_when_a_person_says_so() {
    let (mut shop, _, _) = record(Transfer, amount(300), |_, _| {});
    let (_, second) = record_in(&mut shop, Transfer, amount(500), REFERENCE, |_, _| {});
    let order = second.open.order;
    assert_eq!(shop.order_state(order), OrderState::Paid);
    shop.run_body(OperationBody::CreditRetry { order });
    assert_eq!(shop.order_state(order), OrderState::Credited);
    assert_eq!(money(&shop, Transfer), (yuan(800), Money::ZERO, yuan(800)));
}

#[test]
fn a_frozen_member_waits_for_the_credit() {
    let (shop, decision, body) = record(Card, amount(300), |shop, _| {
        shop.set_status(MEMBER, MemberStatus::Frozen);
    });
    assert_eq!(cases(&decision), [CaseKind::CreditBlocked]);
    assert_eq!(shop.order_state(body.open.order), OrderState::Paid);
    assert_eq!(money(&shop, Card), (yuan(300), yuan(-300), Money::ZERO));
}

#[test]
fn an_action_is_one_payment() {
    type Edit = fn(&mut RechargeRecorded);
    let table: [(&str, Edit, Option<&str>); 5] = [
        ("again", |_| {}, None),
        (
            "with a confirmation",
            |body| body.reference_confirmed = true,
            None,
        ),
        (
            "with an approval",
            |body| body.approval = Some(proof(MANAGER)),
            None,
        ),
        (
            "by another method",
            |body| body.method = Transfer,
            Some("choice"),
        ),
        (
            "another reference",
            |body| {
                let other = qiantai_core::recorded_payment::PaymentReference::parse(Card, "000999");
                body.reference = other.expect("six digits");
            },
            Some("rest"),
        ),
    ];
    for (name, edit, differs) in table {
        let mut shop = Shop::open(policy());
        let mut body = shop.recorded_body(amount(300), Card, REFERENCE);
        let first = shop.by_cashier(OperationBody::RechargeRecorded(body.clone()));
        shop.run(&first);
        edit(&mut body);
        let mut second = shop.by_cashier(OperationBody::RechargeRecorded(body));
        second.action_id = first.action_id;
        let decision = shop.run(&second);
        let principal = shop.state.accounts[&MEMBER].principal;
        assert_eq!(principal, yuan(300), "{name}: credited once");
        match differs {
            None => {
                assert_eq!(decision.outcome, Outcome::Exists, "{name}");
                assert_eq!(decision.changes, [], "{name}");
            }
            Some(field) => {
                let expected = Outcome::ExistsWithDifferent { field };
                assert_eq!(decision.outcome, expected, "{name}");
                assert_eq!(cases(&decision), [CaseKind::ActionReused], "{name}");
                assert_eq!(shop.balance(LedgerAccount::Suspense), yuan(-300), "{name}");
            }
        }
    }
}
