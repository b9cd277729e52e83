//! QR codes that the customer scans.

use qiantai_core::attempt::{AttemptState, PayMethod};
use qiantai_core::operation::OperationBody;
use qiantai_core::recharge::OrderState;
use qiantai_paysim::gateway::{NoticeFault, PhoneAction};
use qiantai_wire::feed::OutcomeDto;

use super::desk::{Account, Desk, LineState};
use crate::harness::until;

#[tokio::test]
async fn a_payment_is_credited_once_by_notice_or_by_query() {
    for account in Account::ALL {
        let mut desk = Desk::open(account).await;
        desk.spoil_notices(NoticeFault::Double);
        let told = desk.show_qr().await;
        desk.shop.phone(&told, &PhoneAction::Pay);
        assert_eq!(desk.deliver().await, [true, true], "{account:?}");
        assert_eq!(desk.order_state(told.id), OrderState::Credited);
        desk.ask(told.id).await;
        desk.check_money(300, 300);

        let untold = desk.show_qr().await;
        desk.shop.phone(&untold, &PhoneAction::PayWithoutNotice);
        desk.pass_until(untold.id, AttemptState::Succeeded).await;
        assert_eq!(desk.order_state(untold.id), OrderState::Credited);
        assert!(desk.deliver().await.is_empty(), "{account:?}");
        desk.pass(1_800).await;
        desk.check_money(600, 600);
        desk.check_cases(&[]);
    }
}

/// A forgery ahead of the notice, and a customer who is declined and tries again.
#[tokio::test]
async fn a_decline_on_the_phone_ends_nothing_and_a_forgery_credits_nothing() {
    for account in Account::ALL {
        let mut desk = Desk::open(account).await;
        desk.spoil_notices(NoticeFault::Forged);
        let attempt = desk.show_qr().await;
        let cause = "balance_short".to_owned();
        desk.shop.phone(&attempt, &PhoneAction::Decline { cause });
        desk.pass(5).await;
        assert!(desk.state(attempt.id).is_open(), "{account:?}");
        let order = desk.shop.order(attempt.order);
        assert_eq!(order.state, OrderState::PendingPayment, "{account:?}");
        desk.shop.phone(&attempt, &PhoneAction::Pay);
        assert_eq!(desk.deliver().await, [false, true], "{account:?}");
        desk.check_money(300, 300);
        desk.check_cases(&[]);
    }
}

/// The gateway has answered the query with "paid", and the notice overtakes that answer.
#[tokio::test]
async fn a_notice_that_overtakes_the_query_credits_once() {
    // A notice that is only a hint waits for the query.
    for account in Account::ALL
        .into_iter()
        .filter(|account| account.names_us())
    {
        let mut desk = Desk::open(account).await;
        let attempt = desk.show_qr().await;
        desk.shop.phone(&attempt, &PhoneAction::Pay);
        desk.line.set(LineState::HoldsAnswers);
        let sent = desk.line.sent();
        let told = async {
            until("the query left", || desk.line.sent() > sent).await;
            assert_eq!(desk.deliver().await, [true], "{account:?}");
            assert_eq!(desk.order_state(attempt.id), OrderState::Credited);
            desk.line.set(LineState::Well);
        };
        let (answer, ()) = tokio::join!(desk.ask(attempt.id), told);
        assert_eq!(answer.order.state, OrderState::Credited.into());
        desk.check_money(300, 300);
        desk.check_cases(&[]);
    }
}

/// Both at one moment, whichever is first.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_notice_and_a_query_at_one_moment_credit_once() {
    for account in Account::ALL {
        let mut desk = Desk::open(account).await;
        for round in 1..=4 {
            let attempt = desk.show_qr().await;
            desk.shop.phone(&attempt, &PhoneAction::Pay);
            let (answer, taken) = tokio::join!(desk.ask(attempt.id), desk.deliver());
            assert_eq!(taken, [true], "{account:?}");
            assert_eq!(desk.order_state(attempt.id), OrderState::Credited);
            // While a hint is asked about nobody asks beside it: the cashier's next look tells.
            if account.names_us() {
                assert_eq!(answer.order.state, OrderState::Credited.into());
            }
            desk.check_money(300 * round, 300 * round);
            desk.pass(2).await;
        }
        desk.check_cases(&[]);
    }
}

#[tokio::test]
async fn late_money_is_a_case_and_no_credit() {
    for account in Account::ALL {
        if !account.closes() {
            continue;
        }
        let mut desk = Desk::open(account).await;
        let attempt = desk.show_qr().await;
        desk.shop.phone(&attempt, &PhoneAction::PayLate);
        let cancel = OperationBody::RechargeCancel {
            order: attempt.order,
        };
        desk.till.act(&desk.shop, cancel).await;
        desk.pass(1).await;
        assert_eq!(desk.state(attempt.id), AttemptState::Closed, "{account:?}");
        assert_eq!(desk.order_state(attempt.id), OrderState::Cancelled);
        desk.pass_until(attempt.id, AttemptState::Succeeded).await;
        assert_eq!(desk.order_state(attempt.id), OrderState::Abnormal);
        desk.check_money(300, 0);
        desk.check_cases(&["LatePayment"]);
        assert!(desk.shop.balance("suspense") == -30_000, "{account:?}");
    }
}

/// UnionPay cannot close a code: until its end is known nothing else is tried, and what came
/// meanwhile is the order's money.
#[tokio::test]
async fn a_code_that_cannot_be_closed_is_watched_to_its_end() {
    let mut desk = Desk::open(Account::Unionpay).await;
    let attempt = desk.show_qr().await;
    desk.shop.phone(&attempt, &PhoneAction::PayLate);
    for _ in 0..4 {
        desk.pass(60).await;
        assert!(desk.state(attempt.id).is_open());
    }
    let open = desk.till.recharge(&desk.shop, desk.shop.members()[0], 300);
    let open = qiantai_core::operation::RechargeOpen {
        order: attempt.order,
        ..open.await
    };
    let (_, second) = desk.try_attempt(&open, PayMethod::Qr).await;
    assert_ne!(second, OutcomeDto::Applied, "while the first is open");
    desk.pass_until(attempt.id, AttemptState::Succeeded).await;
    assert_eq!(desk.order_state(attempt.id), OrderState::Credited);
    desk.check_money(300, 300);
    desk.check_cases(&[]);
}

/// The answer with the code is lost, and later answers too.
#[tokio::test]
async fn a_code_whose_answer_was_lost_is_shown_or_ended_and_never_charged_beside() {
    for account in Account::ALL {
        let mut desk = Desk::open(account).await;
        let open = desk.order().await;
        let first = desk.attempt(&open, PayMethod::Qr).await;
        desk.line.set(LineState::LosesAnswers);
        desk.pass(0).await;
        assert_eq!(desk.state(first), AttemptState::Unknown, "{account:?}");
        let (_, beside) = desk.try_attempt(&open, PayMethod::Qr).await;
        assert_ne!(beside, OutcomeDto::Applied, "{account:?}");
        desk.heal();
        for _ in 0..5 {
            desk.pass(5).await;
        }
        let found = desk.shop.attempt(first);
        if found.qr_payload.is_some() {
            desk.shop.phone(&found, &PhoneAction::Pay);
            assert_eq!(desk.deliver().await, [true], "{account:?}");
            desk.check_money(300, 300);
        } else {
            let (_, next) = desk.try_attempt(&open, PayMethod::Qr).await;
            let is_over = !found.state.is_open();
            assert_eq!(next == OutcomeDto::Applied, is_over, "{account:?}");
            desk.check_money(0, 0);
        }
        desk.check_cases(&[]);
    }
}
