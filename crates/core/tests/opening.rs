//! `recharge.open`, `attempt.start`, cancelling and expiry.

use std::sync::Arc;

use qiantai_core::attempt::{Channel, GatewayOutcome, PayMethod};
use qiantai_core::decide::{Outcome, RefusalCode};
use qiantai_core::ids::{MemberId, OrderId, ShiftId, StaffId};
use qiantai_core::ledger::ShiftState;
use qiantai_core::member::MemberStatus;
use qiantai_core::operation::{AttemptStart, Operation, OperationBody, RechargeOpen};
use qiantai_core::policy::{LadderBonus, LimitAction, Policy};
use qiantai_core::recharge::{AmountChoice, OrderState};
use qiantai_core::{Millis, Money, compliance};
use uuid::Uuid;

use crate::shop::{
    AUDITOR, MANAGER, MEMBER, SHIFT, Shop, TILL, amount, policy, refused, row, yuan,
};

/// Opens an order of 300 after `spoil` changed shop and operation; the refusal, if any.
fn refusal_of(spoil: impl FnOnce(&mut Shop, &mut Operation)) -> Option<RefusalCode> {
    let mut shop = Shop::open(policy());
    let body = shop.open_body(amount(300), false);
    let mut operation = shop.by_cashier(OperationBody::RechargeOpen(body));
    spoil(&mut shop, &mut operation);
    refused(&shop.run(&operation))
}

fn body(operation: &mut Operation) -> &mut RechargeOpen {
    match &mut operation.body {
        OperationBody::RechargeOpen(body) => body,
        other => panic!("not an order: {other:?}"),
    }
}

#[test]
fn who_may_open_an_order() {
    let nobody = StaffId(Uuid::from_u128(9));
    let by = |staff| {
        move |_: &mut Shop, operation: &mut Operation| {
            operation.staff.as_mut().expect("signed").staff = staff;
        }
    };
    assert_eq!(refusal_of(|_, _| {}), None);
    assert_eq!(refusal_of(by(MANAGER)), None);
    assert_eq!(refusal_of(by(AUDITOR)), Some(RefusalCode::RoleNotAllowed));
    assert_eq!(refusal_of(by(nobody)), Some(RefusalCode::StaffUnknown));
    assert_eq!(
        refusal_of(|_, op| op.staff = None),
        Some(RefusalCode::StaffUnknown)
    );
    let has_left = refusal_of(|shop, _| {
        let mut rules = policy();
        rules
            .staff
            .iter_mut()
            .for_each(|person| person.active = false);
        shop.state.policies = vec![Arc::new(rules)];
    });
    assert_eq!(has_left, Some(RefusalCode::StaffUnknown));
}

#[test]
fn only_in_an_open_shift_of_the_same_till() {
    let cases: [fn(&mut Shop, &mut Operation); 4] = [
        |_, op| op.shift = None,
        |_, op| op.shift = Some(ShiftId(Uuid::from_u128(31))),
        |_, op| op.device.0 = Uuid::from_u128(12),
        |shop, _| {
            shop.state.shifts.get_mut(&SHIFT).expect("open").state = ShiftState::Counting;
        },
    ];
    for spoil in cases {
        assert_eq!(refusal_of(spoil), Some(RefusalCode::ShiftNotOpen));
    }
}

#[test]
fn only_for_an_active_member() {
    let unknown = refusal_of(|_, op| body(op).member = MemberId(Uuid::from_u128(4)));
    assert_eq!(unknown, Some(RefusalCode::MemberUnknown));
    for status in [
        MemberStatus::Frozen,
        MemberStatus::Merged,
        MemberStatus::Closed,
    ] {
        let found = refusal_of(|shop, _| shop.set_status(MEMBER, status));
        assert_eq!(found, Some(RefusalCode::MemberNotActive), "{status:?}");
    }
}

#[test]
fn without_rules_nothing_is_sold() {
    let found = refusal_of(|shop, _| shop.state.policies.clear());
    assert_eq!(found, Some(RefusalCode::PolicyUnknown));
}

#[test]
fn identities_and_numbers_are_taken_once() {
    let mut shop = Shop::open(policy());
    let first = shop.pending_order(100);
    let first_no = shop.state.orders[&first].order_no.clone();
    let same_id = |body: &mut RechargeOpen| body.order = first;
    let same_no = |body: &mut RechargeOpen| body.order_no = first_no.clone();
    let spoils: [&dyn Fn(&mut RechargeOpen); 2] = [&same_id, &same_no];
    for spoil in spoils {
        let mut body = shop.open_body(amount(300), false);
        spoil(&mut body);
        let decision = shop.run_body(OperationBody::RechargeOpen(body));
        assert_eq!(refused(&decision), Some(RefusalCode::NumberTaken));
    }
}

#[test]
fn a_quote_lives_fifteen_minutes() {
    let aged = |ms: i64| {
        refusal_of(move |_, op| {
            let quoted_at = body(op).quote.quoted_at - Millis(ms);
            body(op).quote.quoted_at = quoted_at;
        })
    };
    let minutes_15 = 15 * 60_000;
    let cases = [
        (0, None),
        (minutes_15, None),
        (minutes_15 + 1, Some(RefusalCode::QuoteStale)),
        (-60_000, None),
        (-60_001, Some(RefusalCode::QuoteStale)),
    ];
    for (age, expected) in cases {
        assert_eq!(aged(age), expected, "{age} ms");
    }
}

#[test]
fn a_stale_quote_is_answered_with_a_fresh_one() {
    let mut shop = Shop::open(policy());
    let body = shop.open_body(amount(300), false);
    shop.now = shop.now + Millis::hours(1);
    let fresh = shop.quote(MEMBER, amount(300), false);
    let decision = shop.run_body(OperationBody::RechargeOpen(body));
    match decision.outcome {
        Outcome::Refused(refusal) => assert_eq!(refusal.quote, Some(Box::new(fresh))),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_promise_that_the_rules_do_not_make_is_refused() {
    let cases: [fn(&mut RechargeOpen); 6] = [
        |body| body.quote.bonus = yuan(51),
        |body| body.quote.pay = yuan(299),
        |body| body.quote.points += 1,
        |body| body.quote.growth += 1,
        |body| body.quote.tier.1 = crate::shop::GOLD,
        |body| body.choice = AmountChoice::Amount(yuan(301)),
    ];
    for spoil in cases {
        let found = refusal_of(|_, op| spoil(body(op)));
        assert_eq!(found, Some(RefusalCode::QuoteChanged));
    }
    let unknown = refusal_of(|_, op| body(op).quote.policy_version = 9);
    assert_eq!(unknown, Some(RefusalCode::PolicyUnknown));
}

#[test]
fn a_quote_stands_when_rules_change_after_it() {
    let newer = |from: Millis| {
        let mut rules = Policy {
            version: 2,
            ..policy()
        };
        rules.ladders[0].rows = vec![row(300, LadderBonus::Fixed(yuan(10)))];
        rules.effective_from = crate::shop::NOON + from;
        Arc::new(rules)
    };
    // Published a minute after the quote: the cashier's word stands.
    let after = refusal_of(|shop, _| {
        shop.state.policies.push(newer(Millis::minutes(1)));
        shop.now = shop.now + Millis::minutes(2);
    });
    assert_eq!(after, None);
    // In force before the quote, only not yet known at the till.
    let before = refusal_of(|shop, _| shop.state.policies.push(newer(Millis::minutes(-1))));
    assert_eq!(before, Some(RefusalCode::QuoteChanged));
}

#[test]
fn the_order_keeps_the_servers_snapshot() {
    let mut shop = Shop::open(policy());
    let mut body = shop.open_body(amount(300), false);
    let snapshot = body.quote.clone();
    // Signed bodies carry no rule lines.
    body.quote.rules.clear();
    body.quote.notices.clear();
    let order = body.order;
    shop.run_body(OperationBody::RechargeOpen(body));
    assert_eq!(shop.state.orders[&order].quote, snapshot);
    assert_eq!(shop.order_state(order), OrderState::PendingPayment);
}

#[test]
fn limits_block_or_ask_for_review() {
    let mut shop = Shop::open(policy());
    let mut open = |pay: i64| {
        let body = shop.open_body(amount(pay), false);
        let order = body.order;
        let decision = shop.run_body(OperationBody::RechargeOpen(body));
        (
            refused(&decision),
            shop.state.orders.get(&order).map(|order| order.state),
        )
    };
    assert_eq!(open(20_001), (Some(RefusalCode::LimitBlocked), None));
    assert_eq!(open(5_001), (None, Some(OrderState::PendingReview)));
    let mut warned = policy();
    warned.compliance.limits[0].action = LimitAction::Warn;
    warned.compliance.limits[0].amount = yuan(100);
    let mut shop = Shop::open(warned);
    let order = shop.pending_order(300);
    assert_eq!(shop.order_state(order), OrderState::PendingPayment);
    assert_eq!(shop.state.orders[&order].quote.notices.len(), 1);
    let salon = Policy {
        compliance: compliance::cn_service(),
        ..policy()
    };
    let mut shop = Shop::open(salon);
    let body = shop.open_body(amount(5_001), false);
    let decision = shop.run_body(OperationBody::RechargeOpen(body));
    assert_eq!(refused(&decision), Some(RefusalCode::LimitBlocked));
}

#[test]
fn an_equal_order_within_two_minutes_is_asked_about() {
    let cases = [
        (0, 300, false, Some(RefusalCode::DuplicateSuspected)),
        (119_999, 300, false, Some(RefusalCode::DuplicateSuspected)),
        (120_000, 300, false, None),
        (0, 300, true, None),
        (0, 301, false, None),
    ];
    for (later, pay, confirmed, expected) in cases {
        let mut shop = Shop::open(policy());
        shop.pending_order(300);
        shop.now = shop.now + Millis(later);
        let mut body = shop.open_body(amount(pay), false);
        body.duplicate_confirmed = confirmed;
        let decision = shop.run_body(OperationBody::RechargeOpen(body));
        assert_eq!(
            refused(&decision),
            expected,
            "{later} ms, {pay}, {confirmed}"
        );
    }
    let mut shop = Shop::open(policy());
    let order = shop.pending_order(300);
    shop.run_body(OperationBody::RechargeCancel { order });
    let body = shop.open_body(amount(300), false);
    assert_eq!(
        refused(&shop.run_body(OperationBody::RechargeOpen(body))),
        None
    );
}

#[test]
fn what_an_attempt_must_be() {
    type Spoil = fn(&mut AttemptStart);
    let cases: [(Spoil, Option<RefusalCode>); 8] = [
        (|_| {}, None),
        (|body| body.channel = Channel::Alipay, None),
        (
            |body| body.amount = yuan(299),
            Some(RefusalCode::AmountDiffers),
        ),
        (
            |body| body.channel = Channel::Unionpay,
            Some(RefusalCode::ChannelNotOffered),
        ),
        (
            |body| body.channel = Channel::Cash,
            Some(RefusalCode::ChannelNotOffered),
        ),
        (
            |body| body.method = PayMethod::Recorded,
            Some(RefusalCode::ChannelNotOffered),
        ),
        (
            |body| body.order = OrderId(Uuid::nil()),
            Some(RefusalCode::OrderUnknown),
        ),
        (
            |body| body.amount = Money::ZERO,
            Some(RefusalCode::AmountDiffers),
        ),
    ];
    for (spoil, expected) in cases {
        let mut shop = Shop::open(policy());
        let order = shop.pending_order(300);
        let mut body = shop.start_body(order);
        spoil(&mut body);
        let decision = shop.run_body(OperationBody::AttemptStart(body.clone()));
        assert_eq!(refused(&decision), expected, "{body:?}");
    }
}

/// The customer of an order stands at the till that opened it.
#[test]
fn another_till_asks_for_no_money_and_gives_nothing_up() {
    let mut shop = Shop::open(policy());
    shop.open_other_till();
    let order = shop.pending_order(300);
    let start = OperationBody::AttemptStart(shop.start_body(order));
    let paying = shop.pending_order(200);
    let attempt = shop.submitted_attempt(paying);
    for body in [
        start.clone(),
        OperationBody::RechargeCancel { order },
        OperationBody::RechargeCancel { order: paying },
    ] {
        let operation = shop.by_other_till(body.clone());
        let decision = shop.run(&operation);
        let expected = Some(RefusalCode::OrderElsewhere);
        assert_eq!(refused(&decision), expected, "{body:?}");
        assert!(decision.changes.is_empty(), "{body:?}");
    }
    assert_eq!(shop.order_state(order), OrderState::PendingPayment);
    assert!(!shop.state.attempts[&attempt].cancel_requested);
    for body in [start, OperationBody::RechargeCancel { order: paying }] {
        assert_eq!(refused(&shop.run_body(body)), None, "its own till may");
    }
}

#[test]
fn one_open_attempt_at_a_time() {
    let mut shop = Shop::open(policy());
    let order = shop.pending_order(300);
    let first = shop.submitted_attempt(order);
    shop.answer(first, GatewayOutcome::Unknown);
    let body = shop.start_body(order);
    let decision = shop.run_body(OperationBody::AttemptStart(body));
    assert_eq!(refused(&decision), Some(RefusalCode::AttemptOpen));
    shop.answer(first, GatewayOutcome::Closed);
    let mut reused = shop.start_body(order);
    reused.attempt_no = shop.state.attempts[&first].attempt_no.clone();
    let decision = shop.run_body(OperationBody::AttemptStart(reused));
    assert_eq!(refused(&decision), Some(RefusalCode::NumberTaken));
    shop.submitted_attempt(order);
}

#[test]
fn a_qr_code_never_outlives_its_order() {
    let mut shop = Shop::open(policy());
    let order = shop.pending_order(300);
    let expires_at = shop.state.orders[&order].expires_at;
    let first = shop.submitted_attempt(order);
    assert_eq!(
        shop.state.attempts[&first].expires_at,
        shop.now + Millis::minutes(5)
    );
    shop.answer(first, GatewayOutcome::Closed);
    shop.now = expires_at - Millis::minutes(2);
    let second = shop.submitted_attempt(order);
    assert_eq!(shop.state.attempts[&second].expires_at, expires_at);
    shop.answer(second, GatewayOutcome::Closed);
    shop.now = expires_at;
    let body = shop.start_body(order);
    let decision = shop.run_body(OperationBody::AttemptStart(body));
    assert_eq!(refused(&decision), Some(RefusalCode::OrderState));
}

#[test]
fn cancelling_waits_for_the_gateway() {
    let mut shop = Shop::open(policy());
    let order = shop.pending_order(300);
    let attempt = shop.submitted_attempt(order);
    shop.run_body(OperationBody::RechargeCancel { order });
    assert_eq!(shop.order_state(order), OrderState::PendingPayment);
    assert!(shop.state.attempts[&attempt].cancel_requested);
    let again = shop.run_body(OperationBody::RechargeCancel { order });
    assert_eq!((again.outcome, again.changes.len()), (Outcome::Applied, 0));
    shop.answer(attempt, GatewayOutcome::Closed);
    assert_eq!(shop.order_state(order), OrderState::Cancelled);
    let again = shop.run_body(OperationBody::RechargeCancel { order });
    assert_eq!((again.outcome, again.changes.len()), (Outcome::Applied, 0));
}

#[test]
fn what_can_be_cancelled() {
    let mut shop = Shop::open(policy());
    let waiting = shop.pending_order(300);
    let paid = shop.pending_order(200);
    let reviewed = shop.pending_order(5_001);
    let attempt = shop.submitted_attempt(paid);
    shop.pays(attempt, "t1", 200);
    let unknown = OrderId(Uuid::nil());
    let cases = [
        (waiting, None),
        (reviewed, None),
        (paid, Some(RefusalCode::OrderState)),
        (unknown, Some(RefusalCode::OrderUnknown)),
    ];
    for (order, expected) in cases {
        let decision = shop.run_body(OperationBody::RechargeCancel { order });
        assert_eq!(refused(&decision), expected, "{order}");
    }
    assert_eq!(shop.order_state(waiting), OrderState::Cancelled);
    assert_eq!(shop.order_state(reviewed), OrderState::Cancelled);
}

#[test]
fn expiry_needs_time_and_a_final_answer() {
    let mut shop = Shop::open(policy());
    let order = shop.pending_order(300);
    let reviewed = shop.pending_order(5_001);
    let attempt = shop.submitted_attempt(order);
    let expire =
        |shop: &mut Shop, order| refused(&shop.run_body(OperationBody::OrderExpire { order }));
    assert_eq!(expire(&mut shop, order), Some(RefusalCode::OrderState));
    shop.now = shop.state.orders[&order].expires_at;
    assert_eq!(expire(&mut shop, order), Some(RefusalCode::AttemptOpen));
    shop.answer(
        attempt,
        GatewayOutcome::Declined(qiantai_core::attempt::DeclineCode::BalanceShort),
    );
    assert_eq!(shop.order_state(order), OrderState::PendingPayment);
    assert_eq!(expire(&mut shop, order), None);
    assert_eq!(expire(&mut shop, order), None);
    assert_eq!(shop.order_state(order), OrderState::Closed);
    assert_eq!(expire(&mut shop, reviewed), Some(RefusalCode::OrderState));
    shop.now = shop.state.orders[&reviewed].expires_at;
    assert_eq!(expire(&mut shop, reviewed), None);
    assert_eq!(shop.order_state(reviewed), OrderState::Rejected);
}

#[test]
fn the_server_alone_speaks_for_gateways_and_head_office() {
    let mut shop = Shop::open(policy());
    let order = shop.pending_order(300);
    let attempt = shop.submitted_attempt(order);
    let result = qiantai_core::operation::AttemptResult {
        attempt,
        outcome: GatewayOutcome::Success {
            channel_txn_no: "forged".into(),
            amount: yuan(300),
            paid_at: shop.now,
        },
    };
    let bodies = [
        OperationBody::AttemptResult(result),
        OperationBody::OrderExpire { order },
        OperationBody::CreditRetry { order },
        OperationBody::PolicyPublish { version: 2 },
    ];
    for body in bodies {
        let operation = shop.by_cashier(body);
        assert_eq!(operation.device, TILL);
        assert_eq!(
            refused(&shop.run(&operation)),
            Some(RefusalCode::ServerOnly)
        );
    }
    assert_eq!(
        shop.attempt_state(attempt),
        qiantai_core::attempt::AttemptState::Submitted
    );
}
