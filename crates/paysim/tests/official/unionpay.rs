//! What only UnionPay has: numbers with their time, codes that end by themselves, certificates in
//! every answer.

use qiantai_pay::{CloseAnswer, GatewayAnswer, Notice, ReverseAnswer, UnknownCause};
use qiantai_paysim::gateway::{AnswerFault, Operation, PhoneAction};

use super::accounts::Account;
use super::desk::Desk;

#[tokio::test(start_paused = true)]
async fn a_new_key_is_believed_by_its_root() {
    let desk = Desk::new(Account::Unionpay);
    let number = desk.pay_qr().await;
    desk.spoil(Operation::Query, AnswerFault::NewKey);
    let answer = desk.channel.query(&number).await;
    assert!(matches!(answer, GatewayAnswer::Success(_)), "{answer:?}");
    let notices = desk.notices();
    assert!(
        matches!(notices[..], [Ok(Notice::Payment(_))]),
        "{notices:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_code_ends_by_its_time_only() {
    let desk = Desk::new(Account::Unionpay);
    let (number, payload) = desk.show_qr().await;
    let close = desk.channel.close(&number, None).await;
    assert_eq!(close, CloseAnswer::Unknown(UnknownCause::NotFound));
    desk.wait(331).await;
    assert_eq!(desk.channel.close(&number, None).await, CloseAnswer::Closed);
    let token = desk.scan(&payload);
    assert!(desk.act(&token, PhoneAction::Pay).is_err());
}

#[tokio::test(start_paused = true)]
async fn money_that_comes_after_the_end_of_a_code_is_told() {
    let desk = Desk::new(Account::Unionpay);
    let (number, payload) = desk.show_qr().await;
    let token = desk.scan(&payload);
    desk.act(&token, PhoneAction::PayLate).unwrap();
    desk.wait(304).await;
    let answer = desk.channel.query(&number).await;
    assert!(matches!(answer, GatewayAnswer::Success(_)), "{answer:?}");
    assert_eq!(
        desk.channel.close(&number, None).await,
        CloseAnswer::AlreadyPaid
    );
}

#[tokio::test(start_paused = true)]
async fn a_reversal_is_of_the_same_day_and_can_be_repeated() {
    let desk = Desk::new(Account::Unionpay);
    let charge = async || {
        let (number, code) = (desk.attempt_no(), desk.show_code(false, None));
        desk.charge(&number, &code.digits).await;
        number
    };
    let number = charge().await;
    let returned = ReverseAnswer::Reversed {
        money_returned: Some(true),
    };
    for _ in 0..2 {
        assert_eq!(desk.channel.reverse(&number, None).await, returned);
    }
    let number = charge().await;
    desk.wait_for_noon().await;
    assert_eq!(
        desk.channel.reverse(&number, None).await,
        ReverseAnswer::WindowPassed
    );
}
