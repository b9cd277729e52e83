//! Payment codes: charge, password, expiry, reversal.

use std::time::Duration;

use qiantai_core::attempt::DeclineCode;
use qiantai_core::money::Money;
use qiantai_pay::channels::training::message::WalletName;
use qiantai_pay::{
    AuthCode, Channel, CloseAnswer, CodeRequest, ConfigCause, GatewayAnswer, PendingState,
    ReverseAnswer, UnknownCause,
};
use qiantai_paysim::gateway::{CodeView, PhoneAction, PhoneRefusal, PhoneState};

use crate::world::{ATTEMPT, NOTIFY_URL, World};

fn show(world: &World, wallet: WalletName, asks_password: bool) -> CodeView {
    world
        .simulator
        .with(|gateway, now| gateway.show_code(wallet, asks_password, now))
}

fn charge(attempt_no: &str, digits: &str) -> CodeRequest {
    CodeRequest {
        attempt_no: attempt_no.to_owned(),
        amount: Money::from_yuan(300),
        subject: "储值 300".to_owned(),
        auth_code: AuthCode::new(digits),
        notify_url: Some(NOTIFY_URL.to_owned()),
    }
}

const PAYING: GatewayAnswer = GatewayAnswer::Pending(PendingState::UserPaying);

#[tokio::test(start_paused = true)]
async fn a_code_looks_like_its_wallet() {
    let world = World::new();
    let check = |wallet, prefix: &str, digits_count| {
        let code = show(&world, wallet, false);
        assert!(code.digits.starts_with(prefix), "{wallet:?}");
        assert_eq!(code.digits.len(), digits_count, "{wallet:?}");
        assert!(
            code.digits.bytes().all(|b| b.is_ascii_digit()),
            "{wallet:?}"
        );
    };
    check(WalletName::Wechat, "13", 18);
    check(WalletName::Alipay, "28", 18);
    check(WalletName::Unionpay, "62", 19);
    check(WalletName::Ecny, "01", 19);
}

#[tokio::test(start_paused = true)]
async fn a_code_without_password_is_paid_at_once_and_only_once() {
    let world = World::new();
    let code = show(&world, WalletName::Alipay, false);
    let request = charge(ATTEMPT, &code.digits);
    let first = world.channel.charge_code(&request).await;
    let GatewayAnswer::Success(paid) = &first else {
        panic!("{first:?}")
    };
    assert_eq!(paid.amount, Money::from_yuan(300));
    assert_eq!(
        world.channel.charge_code(&request).await,
        first,
        "the same request again"
    );
    assert_eq!(world.channel.query(ATTEMPT).await, first);
    assert_eq!(world.deliver_due().amounts_fen(), [30_000]);
    let again = world
        .channel
        .charge_code(&charge("ZF000002", &code.digits))
        .await;
    assert_eq!(again, GatewayAnswer::Declined(DeclineCode::CodeInvalid));
    let other = charge(ATTEMPT, "134567890123456789");
    let reused = GatewayAnswer::Unknown(UnknownCause::NumberReused);
    assert_eq!(world.channel.charge_code(&other).await, reused);
    assert_eq!(world.takings(), Money::from_yuan(300));
    let view = world
        .simulator
        .with(|gateway, now| gateway.view(&code.token, now))
        .unwrap();
    assert_eq!(
        (view.wallet, view.state),
        (WalletName::Alipay, PhoneState::Paid)
    );
}

#[tokio::test(start_paused = true)]
async fn a_code_with_password_waits_for_the_customer() {
    let check = async |action, expected: fn(&GatewayAnswer) -> bool| {
        let world = World::new();
        let code = show(&world, WalletName::Wechat, true);
        let unseen = world
            .simulator
            .with(|gateway, now| gateway.view(&code.token, now));
        assert_eq!(unseen, Err(PhoneRefusal::NoSuchPayment), "not charged yet");
        let answer = world
            .channel
            .charge_code(&charge(ATTEMPT, &code.digits))
            .await;
        assert_eq!(answer, PAYING);
        assert_eq!(world.channel.query(ATTEMPT).await, PAYING);
        world.act(&code.token, action).unwrap();
        let answer = world.channel.query(ATTEMPT).await;
        assert!(expected(&answer), "{answer:?}");
    };
    check(PhoneAction::Pay, |answer| {
        matches!(answer, GatewayAnswer::Success(_))
    })
    .await;
    check(PhoneAction::Ignore, |answer| *answer == PAYING).await;
    let cause = "customer_cancelled".to_owned();
    check(PhoneAction::Decline { cause }, |answer| {
        *answer == GatewayAnswer::Declined(DeclineCode::CustomerCancelled)
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn bad_codes_are_declined() {
    let world = World::new();
    let unknown = world
        .channel
        .charge_code(&charge(ATTEMPT, "134567890123456789"))
        .await;
    assert_eq!(unknown, GatewayAnswer::Declined(DeclineCode::CodeInvalid));
    let code = show(&world, WalletName::Wechat, false);
    tokio::time::advance(Duration::from_secs(60)).await;
    let expired = world
        .channel
        .charge_code(&charge("ZF000002", &code.digits))
        .await;
    assert_eq!(expired, GatewayAnswer::Declined(DeclineCode::CodeExpired));
    assert_eq!(world.channel.query("ZF000002").await, expired);
    for digits in [
        "",
        "13456",
        "13456789012345678x",
        "1345678901234567890123456",
    ] {
        let answer = world.channel.charge_code(&charge("ZF000003", digits)).await;
        let is_refused = matches!(
            answer,
            GatewayAnswer::ConfigError(ConfigCause::BadRequest(_))
        );
        assert!(is_refused, "{digits}: {answer:?}");
    }
    assert_eq!(world.takings(), Money::ZERO);
}

#[tokio::test(start_paused = true)]
async fn reversal_undoes_paid_and_unpaid_and_may_be_repeated() {
    let check = async |asks_password, money_returned| {
        let world = World::new();
        let code = show(&world, WalletName::Wechat, asks_password);
        world
            .channel
            .charge_code(&charge(ATTEMPT, &code.digits))
            .await;
        for _ in 0..2 {
            let answer = world.channel.reverse(ATTEMPT, None).await;
            assert_eq!(
                answer,
                ReverseAnswer::Reversed {
                    money_returned: Some(money_returned)
                }
            );
        }
        assert_eq!(world.channel.query(ATTEMPT).await, GatewayAnswer::Closed);
        assert_eq!(world.takings(), Money::ZERO);
        assert_eq!(
            world.act(&code.token, PhoneAction::Pay),
            Err(PhoneRefusal::Over)
        );
    };
    check(true, false).await;
    check(false, true).await;
}

#[tokio::test(start_paused = true)]
async fn codes_are_reversed_and_qr_codes_are_closed() {
    let world = World::new();
    let code = show(&world, WalletName::Wechat, true);
    world
        .channel
        .charge_code(&charge(ATTEMPT, &code.digits))
        .await;
    let close = world.channel.close(ATTEMPT, None).await;
    assert!(
        matches!(close, CloseAnswer::ConfigError(ConfigCause::BadRequest(_))),
        "{close:?}"
    );
    let late = world.act(&code.token, PhoneAction::PayLate);
    assert_eq!(late, Err(PhoneRefusal::NotPossible));
    world.show_qr("ZF000002").await;
    let reverse = world.channel.reverse("ZF000002", None).await;
    let is_refused = matches!(
        reverse,
        ReverseAnswer::ConfigError(ConfigCause::BadRequest(_))
    );
    assert!(is_refused, "{reverse:?}");
}
