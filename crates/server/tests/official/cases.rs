//! What a person must look at.

use qiantai_core::attempt::{AttemptState, PaymentAttempt};
use qiantai_core::recharge::OrderState;
use qiantai_pay::{GatewayAnswer, RefundAnswer, RefundRequest};
use qiantai_paysim::gateway::{AnswerFault, NoticeFault, Operation, PhoneAction};

use super::desk::{Account, Desk, LineState};

/// UnionPay signs for every merchant with one key: its notice of somebody else's payment is genuine.
#[tokio::test]
async fn a_payment_to_another_merchant_is_a_case_and_credits_nothing() {
    let mut desk = Desk::open(Account::Unionpay).await;
    let attempt = desk.show_qr().await;
    desk.spoil_notices(NoticeFault::Double);
    let payload = desk.order_at(&*desk.elsewhere(), &attempt).await;
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

/// The same where our server never heard of the payment, only that it went back; and once.
#[tokio::test]
async fn a_refund_by_another_merchant_is_the_same_case() {
    let mut desk = Desk::open(Account::Unionpay).await;
    let attempt = desk.show_qr().await;
    let other = desk.elsewhere();
    let payload = desk.order_at(&*other, &attempt).await;
    desk.scan_and_act(&payload, &PhoneAction::PayWithoutNotice);
    let paid = match other.query(&attempt.attempt_no).await {
        GatewayAnswer::Success(paid) => paid,
        found => panic!("{found:?}"),
    };
    let request = RefundRequest {
        attempt_no: attempt.attempt_no.clone(),
        channel_txn_no: Some(paid.channel_txn_no),
        refund_no: attempt.attempt_no.replacen("ZF", "TK", 1),
        paid: paid.amount,
        amount: paid.amount,
        reason: "别的店退款".to_owned(),
        notify_url: Some(desk.notify_url()),
    };
    desk.spoil_notices(NoticeFault::Double);
    let returned = other.refund(&request).await;
    let is_back = matches!(
        returned,
        RefundAnswer::Succeeded { .. } | RefundAnswer::Accepted
    );
    assert!(is_back, "{returned:?}");
    assert_eq!(desk.deliver().await, [true, true]);
    assert_eq!(desk.order_state(attempt.id), OrderState::Abnormal);
    assert!(desk.shop.attempt(attempt.id).cancel_requested);
    desk.check_cases(&["PaidElsewhere"]);
    assert_eq!(desk.shop.balance("clearing"), 0);
}

/// The owner gave the money back on the platform before our server heard of the payment.
#[tokio::test]
async fn what_was_returned_at_the_platform_is_never_credited() {
    for account in [Account::WechatV3, Account::WechatV2] {
        let mut desk = Desk::open(account).await;
        let attempt = desk.show_qr().await;
        desk.spoil(Operation::Query, AnswerFault::Lost);
        desk.shop.phone(&attempt, &PhoneAction::PayWithoutNotice);
        desk.heal();
        let txn = returns_at_the_platform(&desk, &attempt).await;
        desk.pass_until(attempt.id, AttemptState::Closed).await;
        desk.pass(600).await;
        desk.check_cases(&["ReturnedOutside"]);
        for account in ["clearing", "suspense"] {
            assert_eq!(desk.shop.balance(account), 0);
        }
        let ended = desk.shop.attempt(attempt.id);
        assert_eq!(ended.channel_txn_no, Some(txn));
        assert_eq!(desk.order_state(attempt.id), OrderState::Abnormal);
    }
}

/// The notice was written before the money went back, and comes after it.
#[tokio::test]
async fn an_old_notice_of_what_was_returned_since_credits_nothing() {
    for account in [Account::WechatV3, Account::WechatV2] {
        let mut desk = Desk::open(account).await;
        let attempt = desk.show_qr().await;
        desk.line.set(LineState::LosesRequests);
        desk.shop.phone(&attempt, &PhoneAction::Pay);
        desk.pass(200).await;
        desk.heal();
        returns_at_the_platform(&desk, &attempt).await;
        assert_eq!(desk.deliver().await, [true]);
        desk.check_cases(&["ReturnedOutside"]);
        assert_eq!(desk.order_state(attempt.id), OrderState::Abnormal);
        desk.check_money(0, 0);
    }
}

/// The owner gives a payment back past our server; the number of the payment.
async fn returns_at_the_platform(desk: &Desk, attempt: &PaymentAttempt) -> String {
    let platform = desk.platform();
    let paid = match platform.query(&attempt.attempt_no).await {
        GatewayAnswer::Success(paid) => paid,
        found => panic!("{found:?}"),
    };
    let request = RefundRequest {
        attempt_no: attempt.attempt_no.clone(),
        channel_txn_no: Some(paid.channel_txn_no.clone()),
        refund_no: attempt.attempt_no.replacen("ZF", "TK", 1),
        paid: paid.amount,
        amount: paid.amount,
        reason: "平台上退款".to_owned(),
        notify_url: None,
    };
    let returned = platform.refund(&request).await;
    let is_back = matches!(
        returned,
        RefundAnswer::Succeeded { .. } | RefundAnswer::Accepted
    );
    assert!(is_back, "{returned:?}");
    paid.channel_txn_no
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
