//! A split whose rest a gateway is asked for: cash lies beside the payment, and is in the books with
//! its success or not at all.

use qiantai_core::Money;
use qiantai_core::attempt::{AttemptState, Channel, DeclineCode, GatewayOutcome};
use qiantai_core::decide::{Decision, Outcome, RefusalCode};
use qiantai_core::ids::{AttemptId, OrderId, ShiftId};
use qiantai_core::ledger::{CaseKind, LedgerAccount, ShiftState};
use qiantai_core::member::MemberStatus;
use qiantai_core::operation::{AttemptStart, OperationBody};
use qiantai_core::quote::{CashShare, LimitCause, price};
use qiantai_core::recharge::{AmountChoice, OrderState};
use uuid::Uuid;

use crate::shop::{MEMBER, NOON, PACKAGE, SHIFT, Shop, amount, cases, policy, refused, yuan};

/// Drawer beside its float, channel, suspense, member, in yuan.
fn money(shop: &Shop) -> [i64; 4] {
    let fen = [
        shop.balance(LedgerAccount::Drawer(SHIFT)) - yuan(500),
        shop.balance(LedgerAccount::Clearing(Channel::Wechat)),
        -shop.balance(LedgerAccount::Suspense),
        shop.state.accounts[&MEMBER].principal,
    ];
    fen.map(Money::whole_yuan)
}

fn open(shop: &mut Shop, choice: AmountChoice, cash: i64) -> (OrderId, Decision) {
    let mut body = shop.open_body(choice, false);
    body.cash_part = Some(yuan(cash));
    body.duplicate_confirmed = true;
    let order = body.order;
    (order, shop.run_body(OperationBody::RechargeOpen(body)))
}

/// 300 for a package, 100 of it in cash, and a code on the screen that asks for 200.
fn asked() -> (Shop, OrderId, AttemptId) {
    let mut shop = Shop::open(policy());
    let (order, _) = open(&mut shop, AmountChoice::Package(PACKAGE, 1), 100);
    let attempt = shop.submitted_attempt(order);
    (shop, order, attempt)
}

#[test]
fn success_credits_the_whole_and_puts_the_cash_into_the_drawer() {
    let (mut shop, order, attempt) = asked();
    assert_eq!(shop.state.attempts[&attempt].amount, yuan(200));
    assert_eq!(money(&shop), [0; 4], "cash in the hand is in no book");
    let decision = shop.pays(attempt, "t1", 200);
    assert_eq!(cases(&decision), []);
    assert_eq!(money(&shop), [100, 200, 0, 300]);
    let paid = shop.state.orders[&order].paid.clone().expect("paid");
    assert_eq!((paid.amount, paid.cash_part), (yuan(300), Some(yuan(100))));
    assert_eq!(paid.by_channel(), yuan(200));
    let whole = shop.quote(MEMBER, AmountChoice::Package(PACKAGE, 1), false);
    let account = &shop.state.accounts[&MEMBER];
    assert_eq!((account.bonus, account.points), (yuan(50), whole.points));
    assert_eq!(account.lots.len(), 1, "one top-up is one lot");
    // The notice again, and then a second payment.
    assert_eq!(shop.pays(attempt, "t1", 200).changes, []);
    let second = shop.pays(attempt, "t2", 200);
    assert_eq!(cases(&second), [CaseKind::SecondPayment]);
    assert_eq!(money(&shop), [100, 400, 200, 300]);
}

/// What the gateway says in turn; how the order stands after it, and the case if money comes then.
#[test]
fn no_end_without_success_books_cash_or_credits_later() {
    type Ends = fn(&mut Shop, OrderId, AttemptId);
    let declined = GatewayOutcome::Declined(DeclineCode::BalanceShort);
    let table: [(&str, Ends, OrderState); 4] = [
        (
            "declined",
            |shop, _, attempt| {
                let declined = GatewayOutcome::Declined(DeclineCode::BalanceShort);
                shop.answer(attempt, declined);
            },
            OrderState::PendingPayment,
        ),
        (
            "cancelled",
            |shop, order, attempt| {
                shop.run_body(OperationBody::RechargeCancel { order });
                shop.answer(attempt, GatewayOutcome::Closed);
            },
            OrderState::Cancelled,
        ),
        (
            "declined, then cancelled",
            |shop, order, attempt| {
                let declined = GatewayOutcome::Declined(DeclineCode::BalanceShort);
                shop.answer(attempt, declined);
                shop.run_body(OperationBody::RechargeCancel { order });
            },
            OrderState::Cancelled,
        ),
        (
            "expired",
            |shop, _, attempt| {
                shop.now = shop.now + policy().order_valid;
                shop.answer(attempt, GatewayOutcome::Closed);
            },
            OrderState::Closed,
        ),
    ];
    for (name, ends, state) in table {
        let (mut shop, order, attempt) = asked();
        ends(&mut shop, order, attempt);
        assert_eq!(shop.order_state(order), state, "{name}");
        assert_eq!(money(&shop), [0; 4], "{name}");
        let late = shop.pays(attempt, "t1", 200);
        assert_eq!(cases(&late), [CaseKind::LatePayment], "{name}");
        assert_eq!(shop.order_state(order), OrderState::Abnormal, "{name}");
        assert_eq!(money(&shop), [0, 200, 200, 0], "{name}");
        let retry = shop.run_body(OperationBody::CreditRetry { order });
        assert_eq!(refused(&retry), Some(RefusalCode::OrderState), "{name}");
    }
    // Nobody knows: the cash is kept, and success credits.
    let (mut shop, order, attempt) = asked();
    shop.answer(attempt, GatewayOutcome::Unknown);
    shop.run_body(OperationBody::RechargeCancel { order });
    shop.pays(attempt, "t1", 200);
    assert_eq!(money(&shop), [100, 200, 0, 300]);
    // A second try asks for the rest again.
    let (mut shop, order, attempt) = asked();
    shop.answer(attempt, declined);
    let second = shop.submitted_attempt(order);
    assert_eq!(shop.state.attempts[&second].amount, yuan(200));
    shop.pays(second, "t2", 200);
    assert_eq!(money(&shop), [100, 200, 0, 300]);
}

#[test]
fn a_success_after_its_end_closes_the_code_that_followed() {
    let (mut shop, order, first) = asked();
    shop.answer(first, GatewayOutcome::Closed);
    let second = shop.submitted_attempt(order);
    let late = shop.pays(first, "t1", 200);
    assert_eq!(cases(&late), [CaseKind::LatePayment]);
    assert!(shop.state.attempts[&second].cancel_requested);
    assert_eq!(shop.order_state(order), OrderState::Abnormal);
    // Paid before it could be closed: sent back as any second payment.
    let twice = shop.pays(second, "t2", 200);
    assert_eq!(cases(&twice), [CaseKind::SecondPayment]);
    assert_eq!(shop.attempt_state(second), AttemptState::Succeeded);
    assert_eq!(money(&shop), [0, 400, 400, 0]);
    // Without cash beside it the money is the fact, as ever.
    let mut shop = Shop::open(policy());
    let order = shop.pending_order(300);
    let attempt = shop.submitted_attempt(order);
    shop.answer(attempt, GatewayOutcome::Closed);
    shop.pays(attempt, "t1", 300);
    assert_eq!(shop.order_state(order), OrderState::Credited);
}

#[test]
fn the_gateway_is_asked_for_the_rest_and_nothing_else() {
    for paid in [199, 201, 300, 100] {
        let (mut shop, order, attempt) = asked();
        let decision = shop.pays(attempt, "t1", paid);
        assert_eq!(cases(&decision), [CaseKind::AmountMismatch], "{paid}");
        assert_eq!(shop.order_state(order), OrderState::Abnormal, "{paid}");
        assert_eq!(money(&shop), [0, paid, paid, 0], "{paid}");
    }
    let mut shop = Shop::open(policy());
    let (order, _) = open(&mut shop, amount(300), 100);
    for wrong in [300, 100, 199] {
        let body = AttemptStart {
            amount: yuan(wrong),
            ..shop.start_body(order)
        };
        let decision = shop.run_body(OperationBody::AttemptStart(body));
        assert_eq!(refused(&decision), Some(RefusalCode::AmountDiffers));
    }
    for cash in [0, 300, 301, -1] {
        let (_, decision) = open(&mut shop, amount(300), cash);
        let code = Some(RefusalCode::AmountOutOfRange);
        assert_eq!(refused(&decision), code, "{cash}");
    }
}

#[test]
fn money_that_cannot_be_credited_waits_whole() {
    let (mut shop, order, attempt) = asked();
    shop.set_status(MEMBER, MemberStatus::Frozen);
    let decision = shop.pays(attempt, "t1", 200);
    assert_eq!(cases(&decision), [CaseKind::CreditBlocked]);
    assert_eq!(money(&shop), [100, 200, 300, 0]);
    shop.set_status(MEMBER, MemberStatus::Active);
    shop.run_body(OperationBody::CreditRetry { order });
    assert_eq!(money(&shop), [100, 200, 0, 300]);
}

#[test]
fn the_cash_is_in_the_drawer_of_the_shift_that_took_it() {
    let (mut shop, _, attempt) = asked();
    let before = shop.state.shifts.get_mut(&SHIFT).expect("open");
    before.state = ShiftState::Closed;
    let next = ShiftId(Uuid::from_u128(0x99));
    let opened = shop.shift_open(next, &[(yuan(1), 1)]);
    assert_eq!(shop.run(&opened).outcome, Outcome::Applied);
    shop.pays(attempt, "t1", 200);
    assert_eq!(money(&shop), [100, 200, 0, 300]);
    assert_eq!(shop.balance(LedgerAccount::Drawer(next)), yuan(1));
}

#[test]
fn limits_on_cash_look_at_its_part() {
    let mut shop = Shop::open(policy());
    let account = shop.state.accounts[&MEMBER].clone();
    for (cash, reviewed) in [(3_000, false), (3_001, true)] {
        let share = CashShare::Part(yuan(cash));
        // Registered today.
        let shown = price(&policy(), &account, NOON, amount(4_000), share, &[], NOON);
        let notices = shown.expect("on sale").notices;
        let expected = reviewed.then_some(LimitCause::NewMemberCash);
        assert_eq!(notices.first().map(|notice| notice.cause), expected);
        shop.state
            .members
            .get_mut(&MEMBER)
            .expect("known")
            .registered_at = shop.now;
        shop.state.recent_orders.clear();
        let (order, _) = open(&mut shop, amount(4_000), cash);
        let state = match reviewed {
            true => OrderState::PendingReview,
            false => OrderState::PendingPayment,
        };
        assert_eq!(shop.order_state(order), state, "{cash}");
    }
}

#[test]
fn an_order_is_opened_in_the_parts_of_its_action() {
    for (part, field) in [
        (Some(100), None),
        (Some(50), Some("amount")),
        (None, Some("amount")),
    ] {
        let mut shop = Shop::open(policy());
        open(&mut shop, amount(300), 100);
        let mut again = shop.log.last().expect("written").0.clone();
        if let OperationBody::RechargeOpen(body) = &mut again.body {
            body.cash_part = part.map(yuan);
        }
        let expected = match field {
            None => Outcome::Exists,
            Some(field) => Outcome::ExistsWithDifferent { field },
        };
        assert_eq!(shop.run(&again).outcome, expected, "{part:?}");
    }
}
