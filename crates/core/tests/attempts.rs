//! Gateway answers: what each does to attempt, order and money.

use qiantai_core::attempt::{
    AttemptState, Channel, ConfigFault, DeclineCode, GatewayOutcome, PaymentAttempt,
};
use qiantai_core::decide::{Change, Outcome, RefusalCode};
use qiantai_core::ids::{AttemptId, OrderId};
use qiantai_core::ledger::{CaseKind, LedgerAccount, Topic};
use qiantai_core::member::MemberStatus;
use qiantai_core::operation::{OperationBody, SurplusRefunded};
use qiantai_core::recharge::OrderState;
use qiantai_core::{Millis, Money};
use uuid::Uuid;

use crate::shop::{COUPON, MEMBER, PLAIN, SILVER, Shop, cases, policy, refused, yuan};

const CLEARING: LedgerAccount = LedgerAccount::Clearing(Channel::Wechat);
const SUSPENSE: LedgerAccount = LedgerAccount::Suspense;

fn waiting(pay: i64) -> (Shop, OrderId, AttemptId) {
    let mut shop = Shop::open(policy());
    let order = shop.pending_order(pay);
    let attempt = shop.submitted_attempt(order);
    (shop, order, attempt)
}

#[test]
fn a_payment_settles_everything_at_once() {
    let (mut shop, order, attempt) = waiting(2_000);
    let decision = shop.pays(attempt, "t1", 2_000);
    assert_eq!(shop.order_state(order), OrderState::Credited);
    assert_eq!(shop.attempt_state(attempt), AttemptState::Succeeded);
    let account = &shop.state.accounts[&MEMBER];
    assert_eq!((account.principal, account.bonus), (yuan(2_000), yuan(520)));
    assert_eq!((account.points, account.growth), (2_000, 2_000));
    assert_eq!(
        (account.tier, account.lots.len(), account.last_seq),
        (SILVER, 1, 1)
    );
    let credit = shop.state.orders[&order].credit.expect("credited");
    assert_eq!(credit.principal, (Money::ZERO, yuan(2_000)));
    assert_eq!(credit.tier, (PLAIN, SILVER));
    assert!(credit.bonus_expires_at.is_some());
    let lot = account.lots[0].id;
    assert_eq!(shop.balance(CLEARING), yuan(2_000));
    assert_eq!(
        shop.balance(LedgerAccount::MemberPrincipal(MEMBER, lot)),
        yuan(-2_000)
    );
    assert_eq!(
        shop.balance(LedgerAccount::MemberBonus(MEMBER, lot)),
        yuan(-520)
    );
    assert_eq!(shop.balance(SUSPENSE), Money::ZERO);
    let topics: Vec<Topic> = decision
        .changes
        .iter()
        .filter_map(|change| match change {
            Change::Outbox(event) => Some(event.topic),
            _ => None,
        })
        .collect();
    assert_eq!(
        topics,
        [
            Topic::PaymentSuccess,
            Topic::AccountCredited,
            Topic::TierChanged
        ]
    );
    assert!(
        decision
            .changes
            .iter()
            .any(|change| matches!(change, Change::CarePlan(_)))
    );
}

#[test]
fn coupons_of_a_package_are_issued_with_the_credit() {
    let mut shop = Shop::open(policy());
    let choice = qiantai_core::recharge::AmountChoice::Package(crate::shop::PACKAGE, 1);
    let body = shop.open_body(choice, false);
    let order = body.order;
    shop.run_body(OperationBody::RechargeOpen(body));
    let attempt = shop.submitted_attempt(order);
    let decision = shop.pays(attempt, "t1", 300);
    let coupons: Vec<_> = decision
        .changes
        .iter()
        .filter_map(|change| match change {
            Change::Coupon(coupon) => Some(coupon),
            _ => None,
        })
        .collect();
    assert_eq!(coupons.len(), 2);
    assert_ne!(coupons[0].id, coupons[1].id);
    assert!(
        coupons
            .iter()
            .all(|coupon| coupon.template == COUPON && coupon.order == order)
    );
}

/// An answer, and what it makes of an open attempt in each state (`None`: refused).
#[test]
fn every_answer_in_every_state() {
    use AttemptState::{
        Closed, Failed, Init, Reversed, Reversing, Submitted, Succeeded, Unknown, UserPaying,
    };
    let qr = GatewayOutcome::QrReady {
        payload: "new".into(),
    };
    let declined = GatewayOutcome::Declined(DeclineCode::BalanceShort);
    let shown = [Submitted, Submitted, UserPaying, Submitted].map(Some);
    let reversed = GatewayOutcome::Reversed {
        money_returned: Some(true),
    };
    let reversal = |state| [None, None, Some(state), Some(state)];
    let rows = [
        (qr, shown, Reversing),
        (GatewayOutcome::Waiting, shown, Reversing),
        (GatewayOutcome::UserPaying, [Some(UserPaying); 4], Reversing),
        (GatewayOutcome::Unknown, [Some(Unknown); 4], Reversing),
        (
            GatewayOutcome::ConfigError(Some(ConfigFault::Clock)),
            [Failed, Unknown, Unknown, Unknown].map(Some),
            Reversing,
        ),
        (declined, [Some(Failed); 4], Reversing),
        (GatewayOutcome::Closed, [Some(Closed); 4], Reversing),
        (GatewayOutcome::Reversing, reversal(Reversing), Reversing),
        (reversed, reversal(Reversed), Reversed),
    ];
    for (outcome, after, from_reversing) in rows {
        let states = [Init, Submitted, UserPaying, Unknown];
        for (before, expected) in states.into_iter().zip(after) {
            check_answer(before, &outcome, expected);
        }
        check_answer(Reversing, &outcome, Some(from_reversing));
        for last in [Succeeded, Failed, Closed, Reversed] {
            check_answer(last, &outcome, Some(last));
        }
    }
}

fn check_answer(before: AttemptState, outcome: &GatewayOutcome, expected: Option<AttemptState>) {
    let (mut shop, _, attempt) = waiting(300);
    shop.state
        .attempts
        .get_mut(&attempt)
        .expect("started")
        .state = before;
    let decision = shop.answer(attempt, outcome.clone());
    let expected_refusal = expected.is_none().then_some(RefusalCode::AttemptState);
    assert_eq!(
        refused(&decision),
        expected_refusal,
        "{before:?} {outcome:?}"
    );
    let after = shop.attempt_state(attempt);
    assert_eq!(after, expected.unwrap_or(before), "{before:?} {outcome:?}");
    let repeat = shop.answer(attempt, outcome.clone());
    assert!(repeat.changes.is_empty(), "{before:?} {outcome:?} twice");
}

#[test]
fn success_in_every_state() {
    for before in AttemptState::ALL {
        let (mut shop, order, attempt) = waiting(300);
        shop.state
            .attempts
            .get_mut(&attempt)
            .expect("started")
            .state = before;
        let decision = shop.pays(attempt, "t1", 300);
        match before {
            // Where the gateway does not say that nothing had been paid, this may be what it sent
            // back.
            AttemptState::Reversed => {
                assert_eq!(refused(&decision), Some(RefusalCode::AttemptState));
                assert_eq!(shop.order_state(order), OrderState::PendingPayment);
            }
            // No number known: this is another payment than the one that succeeded.
            AttemptState::Succeeded => assert_eq!(cases(&decision), [CaseKind::SecondPayment]),
            _ => {
                assert_eq!(
                    shop.attempt_state(attempt),
                    AttemptState::Succeeded,
                    "{before:?}"
                );
                assert_eq!(shop.order_state(order), OrderState::Credited, "{before:?}");
            }
        }
    }
}

/// Nothing had been paid when it was reversed: the charge came after it.
#[test]
fn money_after_a_reversal_of_nothing_is_late_money() {
    for (money_returned, is_late) in [(Some(false), true), (Some(true), false), (None, false)] {
        for is_over in [false, true] {
            let (mut shop, order, attempt) = waiting(300);
            shop.answer(attempt, GatewayOutcome::Unknown);
            shop.answer(attempt, GatewayOutcome::Reversing);
            shop.answer(attempt, GatewayOutcome::Reversed { money_returned });
            if is_over {
                shop.run_body(OperationBody::RechargeCancel { order });
                assert_eq!(shop.order_state(order), OrderState::Cancelled);
            }
            let decision = shop.pays(attempt, "t1", 300);
            let (state, found) = (shop.attempt_state(attempt), shop.order_state(order));
            if !is_late {
                assert_eq!(refused(&decision), Some(RefusalCode::AttemptState));
                assert_eq!(state, AttemptState::Reversed, "{money_returned:?}");
                continue;
            }
            assert_eq!(state, AttemptState::Succeeded);
            assert_eq!(shop.state.attempts[&attempt].money_returned, None);
            let (order_state, told) = match is_over {
                false => (OrderState::Credited, vec![]),
                true => (OrderState::Abnormal, vec![CaseKind::LatePayment]),
            };
            assert_eq!((found, cases(&decision)), (order_state, told));
        }
    }
}

/// Charged again meanwhile, and paid: what the first charge brings goes back by itself.
#[test]
fn money_after_a_reversal_beside_the_orders_money_is_surplus() {
    let (mut shop, order, first) = waiting(300);
    shop.answer(first, GatewayOutcome::Unknown);
    shop.answer(first, GatewayOutcome::Reversing);
    let money_returned = Some(false);
    shop.answer(first, GatewayOutcome::Reversed { money_returned });
    let second = shop.submitted_attempt(order);
    shop.pays(second, "t2", 300);
    let decision = shop.pays(first, "t1", 300);
    assert_eq!(cases(&decision), [CaseKind::SecondPayment]);
    assert_eq!(shop.state.attempts[&first].surplus.len(), 1);
    assert_eq!(shop.order_state(order), OrderState::Credited);
    assert_eq!(shop.balance(SUSPENSE), yuan(-300));
}

#[test]
fn a_repeated_notice_changes_nothing() {
    let (mut shop, _, attempt) = waiting(300);
    shop.pays(attempt, "t1", 300);
    for _ in 0..3 {
        shop.now = shop.now + Millis::hours(5);
        let repeat = shop.pays(attempt, "t1", 300);
        assert_eq!(
            (repeat.outcome, repeat.changes.len()),
            (Outcome::Applied, 0)
        );
    }
    assert_eq!(shop.balance(CLEARING), yuan(300));
}

#[test]
fn another_amount_waits_in_suspense() {
    for received in [299, 301] {
        let (mut shop, order, attempt) = waiting(300);
        let decision = shop.pays(attempt, "t1", received);
        assert_eq!(cases(&decision), [CaseKind::AmountMismatch]);
        assert_eq!(shop.order_state(order), OrderState::Abnormal);
        assert_eq!(shop.balance(SUSPENSE), yuan(-received));
        assert_eq!(shop.state.accounts[&MEMBER].principal, Money::ZERO);
        assert!(shop.pays(attempt, "t1", received).changes.is_empty());
    }
}

#[test]
fn money_for_an_order_already_given_up_is_late() {
    type GiveUp = fn(&mut Shop, OrderId, AttemptId);
    let ways: [(GiveUp, OrderState); 2] = [
        (
            |shop, order, attempt| {
                shop.run_body(OperationBody::RechargeCancel { order });
                shop.answer(attempt, GatewayOutcome::Closed);
            },
            OrderState::Cancelled,
        ),
        (
            |shop, order, attempt| {
                shop.now = shop.state.orders[&order].expires_at;
                shop.answer(attempt, GatewayOutcome::Closed);
            },
            OrderState::Closed,
        ),
    ];
    for (give_up, given_up) in ways {
        let (mut shop, order, attempt) = waiting(300);
        give_up(&mut shop, order, attempt);
        assert_eq!(shop.order_state(order), given_up);
        let decision = shop.pays(attempt, "t1", 300);
        assert_eq!(cases(&decision), [CaseKind::LatePayment]);
        assert_eq!(shop.order_state(order), OrderState::Abnormal);
        assert_eq!(
            (shop.balance(SUSPENSE), shop.balance(CLEARING)),
            (yuan(-300), yuan(300))
        );
        assert!(shop.pays(attempt, "t1", 300).changes.is_empty());
    }
}

#[test]
fn a_cancel_that_meets_a_payment_loses() {
    let (mut shop, order, attempt) = waiting(300);
    shop.run_body(OperationBody::RechargeCancel { order });
    shop.pays(attempt, "t1", 300);
    assert_eq!(shop.order_state(order), OrderState::Credited);
    shop.answer(attempt, GatewayOutcome::Closed);
    assert_eq!(shop.order_state(order), OrderState::Credited);
}

#[test]
fn a_failed_attempt_leaves_the_order_waiting() {
    let declined = GatewayOutcome::Declined(DeclineCode::DailyLimit);
    for outcome in [declined, GatewayOutcome::Closed] {
        let (mut shop, order, attempt) = waiting(300);
        shop.answer(attempt, outcome);
        assert_eq!(shop.order_state(order), OrderState::PendingPayment);
        let second = shop.submitted_attempt(order);
        shop.pays(second, "t2", 300);
        assert_eq!(shop.order_state(order), OrderState::Credited);
    }
}

#[test]
fn a_second_payment_is_kept_apart_and_sent_back_once() {
    // On another attempt, and on the same attempt under another number.
    for is_other_attempt in [true, false] {
        let (mut shop, order, first) = waiting(300);
        let paid_twice = if is_other_attempt {
            shop.answer(first, GatewayOutcome::Closed);
            let second = shop.submitted_attempt(order);
            shop.pays(second, "t1", 300);
            first
        } else {
            shop.pays(first, "t1", 300);
            first
        };
        let decision = shop.pays(paid_twice, "t2", 300);
        assert_eq!(cases(&decision), [CaseKind::SecondPayment]);
        assert!(decision.changes.iter().any(
            |change| matches!(change, Change::Outbox(event) if event.topic == Topic::PaymentSurplus)
        ));
        assert_eq!(shop.state.accounts[&MEMBER].principal, yuan(300));
        assert_eq!(
            (shop.balance(SUSPENSE), shop.balance(CLEARING)),
            (yuan(-300), yuan(600))
        );
        assert!(shop.pays(paid_twice, "t2", 300).changes.is_empty());
        send_back(&mut shop, paid_twice);
    }
}

fn send_back(shop: &mut Shop, attempt: AttemptId) {
    let body = |txn: &str, amount| SurplusRefunded {
        attempt,
        channel_txn_no: txn.into(),
        amount: yuan(amount),
    };
    let mut run = |body| shop.run_body(OperationBody::SurplusRefunded(body));
    assert_eq!(
        refused(&run(body("t9", 300))),
        Some(RefusalCode::AttemptState)
    );
    assert_eq!(
        refused(&run(body("t2", 299))),
        Some(RefusalCode::AmountDiffers)
    );
    assert_eq!(run(body("t2", 300)).outcome, Outcome::Applied);
    assert!(run(body("t2", 300)).changes.is_empty());
    assert_eq!(
        (shop.balance(SUSPENSE), shop.balance(CLEARING)),
        (Money::ZERO, yuan(300))
    );
    let surplus = |attempt: &PaymentAttempt| attempt.surplus.iter().all(|paid| paid.refunded);
    assert!(surplus(&shop.state.attempts[&attempt]));
}

#[test]
fn a_credit_that_is_blocked_waits_and_is_tried_again() {
    let (mut shop, order, attempt) = waiting(300);
    shop.set_status(MEMBER, MemberStatus::Frozen);
    let decision = shop.pays(attempt, "t1", 300);
    assert_eq!(cases(&decision), [CaseKind::CreditBlocked]);
    assert_eq!(shop.order_state(order), OrderState::Paid);
    assert_eq!(shop.balance(SUSPENSE), yuan(-300));
    let blocked = shop.run_body(OperationBody::CreditRetry { order });
    assert_eq!(refused(&blocked), Some(RefusalCode::MemberNotActive));
    shop.set_status(MEMBER, MemberStatus::Active);
    assert_eq!(
        shop.run_body(OperationBody::CreditRetry { order }).outcome,
        Outcome::Applied
    );
    assert_eq!(shop.order_state(order), OrderState::Credited);
    assert_eq!(shop.balance(SUSPENSE), Money::ZERO);
    assert_eq!(shop.state.accounts[&MEMBER].principal, yuan(300));
    assert!(
        shop.run_body(OperationBody::CreditRetry { order })
            .changes
            .is_empty()
    );
}

#[test]
fn a_retry_needs_a_paid_order() {
    let (mut shop, order, _) = waiting(300);
    let unpaid = shop.run_body(OperationBody::CreditRetry { order });
    assert_eq!(refused(&unpaid), Some(RefusalCode::OrderState));
    let unknown = shop.run_body(OperationBody::CreditRetry {
        order: OrderId(Uuid::nil()),
    });
    assert_eq!(refused(&unknown), Some(RefusalCode::OrderUnknown));
    let lost = shop.answer(AttemptId(Uuid::nil()), GatewayOutcome::Closed);
    assert_eq!(refused(&lost), Some(RefusalCode::AttemptUnknown));
}

#[test]
fn the_tier_is_that_of_the_moment_of_credit() {
    let mut shop = Shop::open(policy());
    let first = shop.pending_order(1_500);
    let second = shop.pending_order(1_500);
    for (order, txn) in [(first, "t1"), (second, "t2")] {
        let attempt = shop.submitted_attempt(order);
        shop.pays(attempt, txn, 1_500);
    }
    // Each quote alone stayed below the threshold; together they reach it.
    assert_eq!(shop.state.orders[&second].quote.tier, (PLAIN, PLAIN));
    let credit = shop.state.orders[&second].credit.expect("credited");
    assert_eq!(credit.tier, (PLAIN, SILVER));
}

/// The money is with somebody else: a person looks, and what comes here all the same is kept for
/// that person.
#[test]
fn a_payment_to_somebody_else_opens_a_case_and_posts_nothing() {
    let elsewhere = || GatewayOutcome::PaidElsewhere {
        channel_txn_no: "x1".into(),
        amount: yuan(300),
    };
    let (mut shop, order, attempt) = waiting(300);
    let decision = shop.answer(attempt, elsewhere());
    assert_eq!(cases(&decision), [CaseKind::PaidElsewhere]);
    assert_eq!(shop.order_state(order), OrderState::Abnormal);
    assert_eq!(shop.attempt_state(attempt), AttemptState::Submitted);
    assert!(shop.state.attempts[&attempt].cancel_requested);
    assert_eq!(
        (shop.balance(CLEARING), shop.balance(SUSPENSE)),
        (Money::ZERO, Money::ZERO)
    );

    let decision = shop.pays(attempt, "t1", 300);
    assert_eq!(cases(&decision), [CaseKind::LatePayment]);
    assert_eq!(shop.order_state(order), OrderState::Abnormal);
    assert_eq!(
        (shop.balance(CLEARING), shop.balance(SUSPENSE)),
        (yuan(300), yuan(-300))
    );
    assert!(shop.state.attempts[&attempt].surplus.is_empty());
    let decision = shop.pays(attempt, "t2", 300);
    assert_eq!(cases(&decision), [CaseKind::SecondPayment]);

    let (mut shop, order, attempt) = waiting(300);
    shop.pays(attempt, "t1", 300);
    let decision = shop.answer(attempt, elsewhere());
    assert_eq!(cases(&decision), [CaseKind::PaidElsewhere]);
    assert_eq!(shop.order_state(order), OrderState::Credited);
}

/// What came was returned at the platform: nothing is booked, and nobody is told to ask for it again.
#[test]
fn a_payment_that_was_returned_at_the_platform_waits_for_a_person() {
    let returned = |number: &str| GatewayOutcome::ReturnedOutside {
        channel_txn_no: number.into(),
        amount: yuan(300),
    };
    let (mut shop, order, attempt) = waiting(300);
    let decision = shop.answer(attempt, returned("t1"));
    assert_eq!(cases(&decision), [CaseKind::ReturnedOutside]);
    assert_eq!(shop.attempt_state(attempt), AttemptState::Closed);
    assert_eq!(shop.order_state(order), OrderState::Abnormal);
    assert_eq!(
        (shop.balance(CLEARING), shop.balance(SUSPENSE)),
        (Money::ZERO, Money::ZERO)
    );
    assert_eq!(cases(&shop.answer(attempt, returned("t1"))), []);

    let (mut shop, order, attempt) = waiting(300);
    shop.answer(attempt, GatewayOutcome::Closed);
    let decision = shop.answer(attempt, returned("t1"));
    assert_eq!(cases(&decision), [CaseKind::ReturnedOutside]);
    assert_eq!(shop.order_state(order), OrderState::PendingPayment);
}

/// One more payment under a number that is paid already, returned at the platform: the books keep
/// the name of theirs, so that its notices still say nothing new.
#[test]
fn what_was_returned_beside_a_payment_leaves_the_payment_its_name() {
    let (mut shop, order, attempt) = waiting(300);
    shop.pays(attempt, "t1", 300);
    let returned = || GatewayOutcome::ReturnedOutside {
        channel_txn_no: "t2".into(),
        amount: yuan(300),
    };
    let decision = shop.answer(attempt, returned());
    assert_eq!(cases(&decision), [CaseKind::ReturnedOutside]);
    assert_eq!(cases(&shop.answer(attempt, returned())), []);
    assert_eq!(cases(&shop.pays(attempt, "t1", 300)), []);
    assert_eq!(cases(&shop.pays(attempt, "t2", 300)), []);
    assert_eq!(shop.order_state(order), OrderState::Credited);
    assert_eq!(shop.balance(SUSPENSE), Money::ZERO);
}

#[test]
fn an_unclear_reversal_opens_a_case_while_it_is_unclear() {
    let (mut shop, _, attempt) = waiting(300);
    let unclear = || GatewayOutcome::ReversalUnclear;
    assert_eq!(cases(&shop.answer(attempt, unclear())), []);
    shop.answer(attempt, GatewayOutcome::Unknown);
    shop.answer(attempt, GatewayOutcome::Reversing);
    let decision = shop.answer(attempt, unclear());
    assert_eq!(cases(&decision), [CaseKind::ReversalUnclear]);
    assert_eq!(shop.attempt_state(attempt), AttemptState::Reversing);
    shop.answer(
        attempt,
        GatewayOutcome::Reversed {
            money_returned: None,
        },
    );
    assert_eq!(cases(&shop.answer(attempt, unclear())), []);
}

#[test]
fn an_unconfirmed_notice_opens_a_case_unless_the_books_hold_its_payment() {
    let (mut shop, order, attempt) = waiting(300);
    let unconfirmed = |number: &str| GatewayOutcome::NoticeUnconfirmed {
        channel_txn_no: number.into(),
        amount: yuan(300),
    };
    let decision = shop.answer(attempt, unconfirmed("t1"));
    assert_eq!(cases(&decision), [CaseKind::NoticeUnconfirmed]);
    assert_eq!(shop.attempt_state(attempt), AttemptState::Submitted);
    assert_eq!(shop.order_state(order), OrderState::PendingPayment);
    shop.pays(attempt, "t1", 300);
    shop.pays(attempt, "t2", 300);
    for known in ["t1", "t2"] {
        assert_eq!(cases(&shop.answer(attempt, unconfirmed(known))), []);
    }
    let decision = shop.answer(attempt, unconfirmed("t3"));
    assert_eq!(cases(&decision), [CaseKind::NoticeUnconfirmed]);
    assert_eq!(shop.order_state(order), OrderState::Credited);
    assert_eq!(shop.balance(CLEARING), yuan(600));
}
