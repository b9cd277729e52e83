//! What a person must look at.

use qiantai_core::attempt::AttemptState;
use qiantai_core::recharge::OrderState;
use qiantai_paysim::gateway::{AnswerFault, NoticeFault, Operation, PhoneAction};

use super::desk::{Account, Desk, LineState};

/// UnionPay signs for every merchant with one key: its notice of somebody else's payment is genuine.
#[tokio::test]
async fn a_payment_to_another_merchant_is_a_case_and_credits_nothing() {
    let mut desk = Desk::open(Account::Unionpay).await;
    let attempt = desk.show_qr().await;
    desk.spoil_notices(NoticeFault::Double);
    let payload = desk.order_elsewhere(&attempt).await;
    desk.scan_and_act(&payload, &PhoneAction::Pay);
    assert_eq!(desk.deliver().await, [true, true]);
    assert_eq!(desk.order_state(attempt.id), OrderState::Abnormal);
    assert!(desk.shop.attempt(attempt.id).cancel_requested);
    desk.check_cases(&["PaidElsewhere"]);
    assert_eq!(desk.shop.balance("clearing"), 0);

    // The customer pays here as well: kept for the person who looks.
    desk.shop.phone(&attempt, &PhoneAction::Pay);
    assert_eq!(desk.deliver().await, [true, true]);
    desk.pass(600).await;
    desk.check_cases(&["LatePayment", "PaidElsewhere"]);
    assert_eq!(desk.shop.balance("clearing"), 30_000);
    assert_eq!(desk.shop.balance("suspense"), -30_000);
    assert!(desk.shop.attempt(attempt.id).surplus.is_empty());
}

#[tokio::test]
async fn a_reversal_that_stays_unclear_opens_one_case_and_is_tried_on() {
    for account in Account::ALL {
        let mut desk = Desk::open(account).await;
        let attempt = desk.await_code().await;
        desk.spoil(Operation::Query, AnswerFault::Cut);
        desk.spoil(Operation::Reverse, AnswerFault::Garbled);
        desk.line.set(LineState::LosesAnswers);
        desk.charge(attempt, &desk.code(false, None)).await;
        desk.line.set(LineState::Well);
        desk.pass_until(attempt, AttemptState::Reversing).await;
        for _ in 0..9 {
            desk.pass(60).await;
        }
        desk.check_cases(&[]);
        for _ in 0..3 {
            desk.pass(60).await;
        }
        desk.check_cases(&["ReversalUnclear"]);
        desk.shop.restart().await;
        for _ in 0..3 {
            desk.pass(600).await;
        }
        assert_eq!(desk.state(attempt), AttemptState::Reversing, "{account:?}");
        desk.check_cases(&["ReversalUnclear"]);
        desk.heal();
        desk.pass_until(attempt, AttemptState::Reversed).await;
        desk.check_money(0, 0);
        desk.check_cases(&["ReversalUnclear"]);
    }
}
