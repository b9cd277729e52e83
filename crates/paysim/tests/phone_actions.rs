//! What the customer does, and what the shop then learns by query and by notice.

use qiantai_core::clock::Millis;
use qiantai_core::money::Money;
use qiantai_pay::channels::training::message::{DECLINES, decline_name};
use qiantai_pay::{Channel, CloseAnswer, GatewayAnswer, PendingState, QrAnswer, UnknownCause};
use qiantai_paysim::gateway::{LATE_BY, PhoneAction, PhoneRefusal, PhoneState};

use crate::world::{ATTEMPT, World, token_of};

fn std_ms(span: Millis) -> std::time::Duration {
    std::time::Duration::from_millis(span.0.try_into().expect("a positive span"))
}

fn paid_fen(answer: &GatewayAnswer) -> Option<i64> {
    match answer {
        GatewayAnswer::Success(paid) => Some(paid.amount.fen()),
        _ => None,
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_query_and_the_notices_say_after_each_action() {
    let check = async |action: PhoneAction, by_query: Option<i64>, by_notice: &[i64], forged| {
        let world = World::new();
        let token = world.show_qr(ATTEMPT).await;
        world.act(&token, action.clone()).unwrap();
        let answer = world.channel.query(ATTEMPT).await;
        assert_eq!(paid_fen(&answer), by_query, "{action:?}: {answer:?}");
        let received = world.deliver_due();
        assert_eq!(received.amounts_fen(), by_notice, "{action:?}");
        assert_eq!(received.forged, forged, "{action:?}");
        let takings = match (by_query, by_notice) {
            (Some(unannounced), []) => unannounced,
            _ => by_notice.iter().sum(),
        };
        assert_eq!(world.takings(), Money::from_fen(takings), "{action:?}");
        assert!(
            world.deliver_due().genuine.is_empty(),
            "{action:?}: acknowledged once"
        );
    };
    check(PhoneAction::Pay, Some(30_000), &[30_000], 0).await;
    check(PhoneAction::PayTwice, Some(30_000), &[30_000, 30_000], 0).await;
    check(PhoneAction::PayWithoutNotice, Some(30_000), &[], 0).await;
    check(PhoneAction::PayAmountOff, Some(29_999), &[29_999], 0).await;
    check(PhoneAction::Ignore, None, &[], 0).await;
    check(PhoneAction::ForgeNotice, None, &[], 1).await;
    check(PhoneAction::PayLate, None, &[], 0).await;
}

#[tokio::test(start_paused = true)]
async fn two_payments_of_one_attempt_have_two_numbers() {
    let world = World::new();
    let token = world.show_qr(ATTEMPT).await;
    world.act(&token, PhoneAction::Pay).unwrap();
    world.act(&token, PhoneAction::PayTwice).unwrap();
    let received = world.deliver_due();
    let [first, second] = &received.genuine[..] else {
        panic!("{received:?}")
    };
    assert_eq!(first.attempt_no, second.attempt_no);
    assert_ne!(first.paid.channel_txn_no, second.paid.channel_txn_no);
    assert_ne!(first.notice_id, second.notice_id);
    let by_query = world.channel.query(ATTEMPT).await;
    assert_eq!(by_query, GatewayAnswer::Success(first.paid.clone()));
}

#[tokio::test(start_paused = true)]
async fn every_cause_reaches_the_cashier() {
    for cause in DECLINES {
        let world = World::new();
        let token = world.show_qr(ATTEMPT).await;
        let name = decline_name(cause).to_lowercase();
        let view = world
            .act(&token, PhoneAction::Decline { cause: name })
            .unwrap();
        assert_eq!(view.state, PhoneState::Declined);
        assert_eq!(
            world.channel.query(ATTEMPT).await,
            GatewayAnswer::Declined(cause)
        );
        assert_eq!(world.act(&token, PhoneAction::Pay), Err(PhoneRefusal::Over));
        assert_eq!(
            world.channel.close(ATTEMPT, None).await,
            CloseAnswer::Closed
        );
        assert_eq!(world.takings(), Money::ZERO);
    }
    let world = World::new();
    let token = world.show_qr(ATTEMPT).await;
    let action = PhoneAction::Decline {
        cause: "bad_mood".to_owned(),
    };
    assert_eq!(world.act(&token, action), Err(PhoneRefusal::NoSuchCause));
    assert_eq!(
        world.channel.query(ATTEMPT).await,
        GatewayAnswer::Pending(PendingState::NotScanned)
    );
}

#[tokio::test(start_paused = true)]
async fn scanning_shows_and_putting_away_hides() {
    let world = World::new();
    let QrAnswer::Created { payload } = world.channel.create_qr(&world.qr_request(ATTEMPT)).await
    else {
        panic!("no QR code")
    };
    let scan = |payload: &str| {
        world
            .simulator
            .with(|gateway, now| gateway.scan(payload, now))
    };
    let view = scan(&payload).unwrap();
    assert_eq!(
        (view.merchant.as_str(), view.amount_fen),
        ("悦动健身", 30_000)
    );
    let paying = GatewayAnswer::Pending(PendingState::UserPaying);
    assert_eq!(world.channel.query(ATTEMPT).await, paying);
    world.act(token_of(&payload), PhoneAction::Ignore).unwrap();
    let waiting = GatewayAnswer::Pending(PendingState::NotScanned);
    assert_eq!(world.channel.query(ATTEMPT).await, waiting);
    for wrong in [
        "",
        token_of(&payload),
        "qiantai-training://pay/",
        "weixin://wxpay/x",
    ] {
        assert_eq!(scan(wrong), Err(PhoneRefusal::NoSuchPayment), "{wrong}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_ignored_code_expires() {
    let world = World::new();
    let token = world.show_qr(ATTEMPT).await;
    tokio::time::advance(std_ms(Millis(899_999))).await;
    assert_eq!(
        world.channel.query(ATTEMPT).await,
        GatewayAnswer::Pending(PendingState::NotScanned)
    );
    tokio::time::advance(std_ms(Millis(1))).await;
    assert_eq!(world.channel.query(ATTEMPT).await, GatewayAnswer::Closed);
    assert_eq!(world.act(&token, PhoneAction::Pay), Err(PhoneRefusal::Over));
    assert_eq!(
        world.channel.close(ATTEMPT, None).await,
        CloseAnswer::Closed
    );
    assert_eq!(
        world.channel.create_qr(&world.qr_request(ATTEMPT)).await,
        QrAnswer::Closed
    );
}

#[tokio::test(start_paused = true)]
async fn late_money_arrives_after_the_close_was_accepted() {
    let world = World::new();
    let token = world.show_qr(ATTEMPT).await;
    world.act(&token, PhoneAction::PayLate).unwrap();
    tokio::time::advance(std_ms(Millis::minutes(2))).await;
    assert_eq!(
        world.channel.close(ATTEMPT, None).await,
        CloseAnswer::Closed
    );
    assert_eq!(world.channel.query(ATTEMPT).await, GatewayAnswer::Closed);
    tokio::time::advance(std_ms(LATE_BY) - std_ms(Millis(1))).await;
    assert_eq!(world.channel.query(ATTEMPT).await, GatewayAnswer::Closed);
    assert!(world.deliver_due().genuine.is_empty());
    tokio::time::advance(std_ms(Millis(1))).await;
    let received = world.deliver_due();
    assert_eq!(received.amounts_fen(), [30_000]);
    assert_eq!(
        world.channel.query(ATTEMPT).await,
        GatewayAnswer::Success(received.genuine[0].paid.clone())
    );
    assert_eq!(
        world.channel.close(ATTEMPT, None).await,
        CloseAnswer::AlreadyPaid
    );
}

#[tokio::test(start_paused = true)]
async fn late_money_arrives_after_expiry_too_and_on_a_closed_attempt() {
    let world = World::new();
    let token = world.show_qr(ATTEMPT).await;
    world.act(&token, PhoneAction::PayLate).unwrap();
    tokio::time::advance(std_ms(Millis::minutes(15))).await;
    assert_eq!(world.channel.query(ATTEMPT).await, GatewayAnswer::Closed);
    tokio::time::advance(std_ms(LATE_BY)).await;
    assert_eq!(paid_fen(&world.channel.query(ATTEMPT).await), Some(30_000));

    let world = World::new();
    let token = world.show_qr(ATTEMPT).await;
    assert_eq!(
        world.channel.close(ATTEMPT, None).await,
        CloseAnswer::Closed
    );
    world.act(&token, PhoneAction::PayLate).unwrap();
    assert_eq!(world.channel.query(ATTEMPT).await, GatewayAnswer::Closed);
    tokio::time::advance(std_ms(LATE_BY)).await;
    assert_eq!(paid_fen(&world.channel.query(ATTEMPT).await), Some(30_000));
}

#[tokio::test(start_paused = true)]
async fn what_is_over_takes_no_money_and_what_is_paid_is_not_closed() {
    let world = World::new();
    let token = world.show_qr(ATTEMPT).await;
    assert_eq!(
        world.channel.close(ATTEMPT, None).await,
        CloseAnswer::Closed
    );
    assert_eq!(
        world.channel.close(ATTEMPT, None).await,
        CloseAnswer::Closed
    );
    for action in [
        PhoneAction::Pay,
        PhoneAction::PayTwice,
        PhoneAction::PayAmountOff,
    ] {
        assert_eq!(world.act(&token, action), Err(PhoneRefusal::Over));
    }
    assert_eq!(world.takings(), Money::ZERO);

    let world = World::new();
    let token = world.show_qr(ATTEMPT).await;
    world.act(&token, PhoneAction::Pay).unwrap();
    assert_eq!(world.act(&token, PhoneAction::Pay), Err(PhoneRefusal::Over));
    assert_eq!(
        world.channel.close(ATTEMPT, None).await,
        CloseAnswer::AlreadyPaid
    );
    assert_eq!(
        world.channel.create_qr(&world.qr_request(ATTEMPT)).await,
        QrAnswer::Unknown(UnknownCause::AlreadyPaid)
    );
    assert_eq!(world.takings(), Money::from_yuan(300));
    assert_eq!(
        world.act("guessed", PhoneAction::Pay),
        Err(PhoneRefusal::NoSuchPayment)
    );
}
