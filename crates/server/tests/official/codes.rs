//! Payment codes that the cashier scans.

use qiantai_core::Millis;
use qiantai_core::attempt::{AttemptState, DeclineCode, PayMethod};
use qiantai_core::recharge::OrderState;
use qiantai_paysim::Gateway;
use qiantai_paysim::gateway::{AnswerFault, Operation, PhoneAction};
use qiantai_wire::feed::OutcomeDto;

use super::desk::{Account, Desk, LineState};

#[tokio::test]
async fn a_code_is_paid_at_once_and_credited_once() {
    for account in Account::ALL {
        let mut desk = Desk::open(account).await;
        let attempt = desk.await_code().await;
        let code = desk.code(false, None);
        let answer = desk.charge(attempt, &code).await;
        assert_eq!(
            answer.order.state,
            OrderState::Credited.into(),
            "{account:?}"
        );
        let sent = desk.line.sent();
        desk.charge(attempt, &code).await;
        assert_eq!(desk.line.sent(), sent, "{account:?}: charged once");
        let told = if account.tells_codes() { 1 } else { 0 };
        assert_eq!(desk.deliver().await, vec![true; told], "{account:?}");
        desk.pass(600).await;
        desk.check_money(300, 300);
        desk.check_cases(&[]);
    }
}

#[tokio::test]
async fn a_declined_code_says_why_and_the_next_is_charged() {
    for account in Account::ALL {
        let mut desk = Desk::open(account).await;
        let open = desk.order().await;
        let first = desk.attempt(&open, PayMethod::Code).await;
        let short = desk.code(false, Some("balance_short"));
        desk.charge(first, &short).await;
        let declined = desk.shop.attempt(first);
        assert_eq!(
            (declined.state, declined.decline),
            (AttemptState::Failed, Some(DeclineCode::BalanceShort)),
            "{account:?}"
        );
        desk.check_money(0, 0);
        let second = desk.attempt(&open, PayMethod::Code).await;
        desk.charge(second, &desk.code(false, None)).await;
        desk.pass(60).await;
        assert_eq!(desk.order_state(second), OrderState::Credited);
        desk.check_money(300, 300);
        desk.check_cases(&[]);
    }
}

#[tokio::test]
async fn a_customer_with_a_password_is_waited_for_and_nobody_is_charged_beside() {
    for account in Account::ALL {
        let mut desk = Desk::open(account).await;
        let open = desk.order().await;
        let attempt = desk.attempt(&open, PayMethod::Code).await;
        let code = desk.code(true, None);
        desk.charge(attempt, &code).await;
        assert_eq!(desk.state(attempt), AttemptState::UserPaying, "{account:?}");
        desk.pass(5).await;
        let (_, beside) = desk.try_attempt(&open, PayMethod::Code).await;
        assert_ne!(beside, OutcomeDto::Applied, "{account:?}");
        desk.pass(15).await;
        assert_eq!(desk.state(attempt), AttemptState::UserPaying);
        assert!(desk.act(&code.token, &PhoneAction::Pay), "{account:?}");
        // A gateway is not asked twice in a second. The query and the notice come at one moment,
        // where there is a notice.
        desk.shop.time.advance(Millis::seconds(2));
        let (_, taken) = tokio::join!(desk.ask(attempt), desk.deliver());
        assert_eq!(taken, vec![true; usize::from(account.tells_codes())]);
        assert_eq!(desk.order_state(attempt), OrderState::Credited);
        desk.pass(600).await;
        desk.check_money(300, 300);
        desk.check_cases(&[]);
    }
}

#[tokio::test]
async fn a_password_that_never_comes_ends_in_a_reversal_and_the_order_goes_on() {
    for account in Account::ALL {
        let mut desk = Desk::open(account).await;
        let open = desk.order().await;
        let first = desk.attempt(&open, PayMethod::Code).await;
        let code = desk.code(true, None);
        desk.charge(first, &code).await;
        desk.pass(40).await;
        assert_eq!(desk.state(first), AttemptState::UserPaying, "{account:?}");
        desk.pass_until(first, AttemptState::Reversed).await;
        let returned = desk.shop.attempt(first).money_returned;
        assert_ne!(returned, Some(true), "{account:?}: nobody had paid");
        assert!(!desk.act(&code.token, &PhoneAction::Pay), "{account:?}");
        desk.check_money(0, 0);
        let order = desk.shop.order(open.order);
        if order.state == OrderState::PendingPayment {
            let second = desk.attempt(&open, PayMethod::Code).await;
            desk.charge(second, &desk.code(false, None)).await;
            desk.pass(60).await;
            desk.check_money(300, 300);
        }
        desk.check_cases(&[]);
    }
}

#[tokio::test]
async fn a_charge_whose_answer_is_lost_is_found_paid() {
    for account in Account::ALL {
        let mut desk = Desk::open(account).await;
        let attempt = desk.await_code().await;
        desk.line.set(LineState::LosesAnswers);
        desk.charge(attempt, &desk.code(false, None)).await;
        assert_eq!(desk.state(attempt), AttemptState::Unknown, "{account:?}");
        desk.pass(5).await;
        assert_eq!(desk.state(attempt), AttemptState::Unknown, "{account:?}");
        desk.heal();
        desk.pass(5).await;
        assert_eq!(desk.state(attempt), AttemptState::Succeeded, "{account:?}");
        desk.deliver().await;
        desk.check_money(300, 300);
        desk.check_cases(&[]);
    }
}

/// The gateway took the money and no question about it is answered: it is sent back.
#[tokio::test]
async fn a_charge_that_stays_unknown_is_reversed_and_its_money_goes_back() {
    for account in Account::ALL {
        let mut desk = Desk::open(account).await;
        let open = desk.order().await;
        let first = desk.attempt(&open, PayMethod::Code).await;
        desk.spoil(Operation::Query, AnswerFault::Cut);
        // It is done all the same, and the next says only that there is nothing left to undo.
        desk.spoil(Operation::Reverse, AnswerFault::Cut);
        desk.line.set(LineState::LosesAnswers);
        desk.charge(first, &desk.code(false, None)).await;
        desk.line.set(LineState::Well);
        assert_eq!(desk.state(first), AttemptState::Unknown, "{account:?}");
        for _ in 0..8 {
            desk.pass(2).await;
            assert_eq!(desk.state(first), AttemptState::Unknown, "{account:?}");
            let (_, beside) = desk.try_attempt(&open, PayMethod::Code).await;
            assert_ne!(beside, OutcomeDto::Applied, "{account:?}");
        }
        desk.pass(2).await;
        assert_eq!(desk.state(first), AttemptState::Reversing, "{account:?}");
        desk.heal();
        if account == Account::Unionpay {
            // It cancels only what a question has found.
            desk.spoil_once(Operation::Reverse, AnswerFault::Cut);
        }
        desk.pass_until(first, AttemptState::Reversed).await;
        let returned = desk.shop.attempt(first).money_returned;
        assert_ne!(returned, Some(false), "{account:?}: the customer had paid");
        // Older than the reversal.
        desk.deliver().await;
        assert_eq!(desk.state(first), AttemptState::Reversed, "{account:?}");
        desk.check_money(0, 0);

        let second = desk.attempt(&open, PayMethod::Code).await;
        desk.charge(second, &desk.code(false, None)).await;
        desk.pass(60).await;
        assert_eq!(desk.order_state(second), OrderState::Credited);
        desk.check_money(300, 300);
        desk.check_cases(&[]);
    }
}

/// The charge never arrived: the gateway has no record, and the reversal makes sure of it. Where only
/// time does, it counts from when the charge went out, however old the number is.
#[tokio::test]
async fn a_charge_that_never_arrived_ends_without_money() {
    for account in Account::ALL {
        let mut desk = Desk::open(account).await;
        let attempt = desk.await_code().await;
        desk.pass(58).await;
        let code = desk.code(false, None);
        desk.line.set(LineState::LosesRequests);
        desk.charge(attempt, &code).await;
        let charged = desk.shop.attempt(attempt);
        assert_eq!(charged.state, AttemptState::Unknown, "{account:?}");
        desk.heal();
        desk.pass_until(attempt, AttemptState::Reversed).await;
        let reversed = desk.shop.attempt(attempt);
        if reversed.money_returned == Some(false) {
            let waited = reversed.changed_at - charged.changed_at;
            assert!(waited >= Millis::seconds(60), "{account:?}: {waited:?}");
        }
        desk.check_money(0, 0);
        desk.check_cases(&[]);
    }
}

/// Some gateways take a charge first and are asked then; others sign with a certificate that has to be
/// fetched. A line that fails in between says nothing of the charge.
#[tokio::test]
async fn a_line_that_fails_between_two_requests_of_a_charge_leaves_no_charge_unseen() {
    for account in Account::ALL {
        let mut desk = Desk::open(account).await;
        let attempt = desk.await_code().await;
        desk.shop.simulator.with(Gateway::renew_keys);
        desk.line.set(LineState::AnswersOnce);
        desk.charge(attempt, &desk.code(false, None)).await;
        assert_ne!(desk.state(attempt), AttemptState::Init, "{account:?}");
        desk.heal();
        desk.pass_until(attempt, AttemptState::Succeeded).await;
        desk.deliver().await;
        desk.check_money(300, 300);
        desk.check_cases(&[]);
    }
}

#[tokio::test]
async fn a_code_that_is_too_old_is_declined_as_such() {
    for account in Account::ALL {
        let mut desk = Desk::open(account).await;
        let attempt = desk.await_code().await;
        let code = desk.code(false, None);
        desk.pass(61).await;
        desk.charge(attempt, &code).await;
        let declined = desk.shop.attempt(attempt);
        assert_eq!(declined.state, AttemptState::Failed, "{account:?}");
        let expired = [DeclineCode::CodeExpired, DeclineCode::CodeInvalid];
        let said = declined.decline.is_some_and(|code| expired.contains(&code));
        assert!(said || account == Account::Unionpay, "{declined:?}");
        desk.check_money(0, 0);
    }
}
