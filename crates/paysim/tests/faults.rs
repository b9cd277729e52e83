//! What the shop's side makes of a gateway that misbehaves, and that the gateway did its part.

use std::time::Duration;

use qiantai_core::attempt::ConfigFault;
use qiantai_core::money::Money;
use qiantai_pay::{
    Channel, CloseAnswer, GatewayAnswer, PendingState, QrAnswer, RefundAnswer, RefundRequest,
    UnknownCause,
};
use qiantai_paysim::gateway::{AnswerFault, AnswerRule, Operation, PhoneAction, SetUpCause};

use crate::world::{ATTEMPT, World};

fn set(world: &World, operation: Option<Operation>, fault: AnswerFault, times: Option<u32>) {
    let rule = AnswerRule {
        attempt_no: Some(ATTEMPT.to_owned()),
        operation,
        fault,
        times,
    };
    world
        .simulator
        .with(|gateway, _| gateway.faults().answers.push(rule));
}

#[tokio::test(start_paused = true)]
async fn each_fault_is_unknown_to_the_shop_and_done_by_the_gateway_unless_lost() {
    let check = async |fault, expected: UnknownCause, is_done: bool, waited_s: u64| {
        let world = World::new();
        set(&world, Some(Operation::Create), fault, Some(1));
        let before = tokio::time::Instant::now();
        let answer = world.channel.create_qr(&world.qr_request(ATTEMPT)).await;
        assert_eq!(before.elapsed().as_secs(), waited_s, "{fault:?}");
        match (&answer, &expected) {
            (QrAnswer::Unknown(UnknownCause::Unreadable(_)), UnknownCause::Unreadable(_)) => {}
            _ => assert_eq!(answer, QrAnswer::Unknown(expected), "{fault:?}"),
        }
        let query = world.channel.query(ATTEMPT).await;
        let known = GatewayAnswer::Pending(PendingState::NotScanned);
        let unknown = GatewayAnswer::Unknown(UnknownCause::NotFound);
        assert_eq!(query, if is_done { known } else { unknown }, "{fault:?}");
        // The same request again, once the fault is over, makes or finds the same attempt.
        world.show_qr(ATTEMPT).await;
        let count = world
            .simulator
            .with(|gateway, now| gateway.recent_payments(9, now).len());
        assert_eq!(count, 1, "{fault:?}");
    };
    let unreadable = UnknownCause::Unreadable(String::new());
    check(AnswerFault::Silent, UnknownCause::Timeout, true, 10).await;
    check(AnswerFault::Lost, UnknownCause::Timeout, false, 10).await;
    check(
        AnswerFault::Delay { delay_ms: 11_000 },
        UnknownCause::Timeout,
        true,
        10,
    )
    .await;
    check(
        AnswerFault::FailAfterDone,
        UnknownCause::GatewayFault(500),
        true,
        0,
    )
    .await;
    check(
        AnswerFault::WrongSignature,
        UnknownCause::BadSignature,
        true,
        0,
    )
    .await;
    check(AnswerFault::Garbled, unreadable, true, 0).await;
}

/// It is done when it arrives, long after the caller gave up; until then there is no such thing.
#[tokio::test(start_paused = true)]
async fn a_request_may_be_long_on_its_way() {
    let world = World::new();
    let fault = AnswerFault::ArrivesLate { delay_ms: 40_000 };
    set(&world, Some(Operation::Create), fault, Some(1));
    let answer = world.channel.create_qr(&world.qr_request(ATTEMPT)).await;
    assert_eq!(answer, QrAnswer::Unknown(UnknownCause::Timeout));
    let next_at = world.simulator.with(|gateway, _| gateway.next_event_at());
    assert!(next_at.is_some());
    let unknown = GatewayAnswer::Unknown(UnknownCause::NotFound);
    assert_eq!(world.channel.query(ATTEMPT).await, unknown);
    tokio::time::advance(Duration::from_secs(29)).await;
    assert_eq!(world.channel.query(ATTEMPT).await, unknown);
    tokio::time::advance(Duration::from_secs(1)).await;
    let waiting = GatewayAnswer::Pending(PendingState::NotScanned);
    assert_eq!(world.channel.query(ATTEMPT).await, waiting);
    assert_eq!(
        world.simulator.with(|gateway, _| gateway.next_event_at()),
        None
    );
}

#[tokio::test(start_paused = true)]
async fn a_delay_within_patience_is_only_slow() {
    let world = World::new();
    set(
        &world,
        None,
        AnswerFault::Delay { delay_ms: 9_000 },
        Some(1),
    );
    let before = tokio::time::Instant::now();
    world.show_qr(ATTEMPT).await;
    assert_eq!(before.elapsed(), Duration::from_secs(9));
    let before = tokio::time::Instant::now();
    world.show_qr(ATTEMPT).await;
    assert_eq!(before.elapsed(), Duration::ZERO, "used up");
}

#[tokio::test(start_paused = true)]
async fn rules_choose_operation_attempt_and_number_of_times() {
    let world = World::new();
    let token = world.show_qr(ATTEMPT).await;
    world.show_qr("ZF000002").await;
    set(
        &world,
        Some(Operation::Query),
        AnswerFault::FailAfterDone,
        Some(2),
    );
    let failed = GatewayAnswer::Unknown(UnknownCause::GatewayFault(500));
    let waiting = GatewayAnswer::Pending(PendingState::NotScanned);
    assert_eq!(world.channel.query("ZF000002").await, waiting);
    assert_eq!(world.channel.query(ATTEMPT).await, failed);
    assert_eq!(world.channel.query(ATTEMPT).await, failed);
    assert_eq!(world.channel.query(ATTEMPT).await, waiting);
    set(
        &world,
        Some(Operation::Query),
        AnswerFault::FailAfterDone,
        None,
    );
    for _ in 0..5 {
        assert_eq!(world.channel.query(ATTEMPT).await, failed);
    }
    world.act(&token, PhoneAction::Pay).unwrap();
    assert_eq!(
        world.channel.close(ATTEMPT, None).await,
        CloseAnswer::AlreadyPaid
    );
    world
        .simulator
        .with(|gateway, _| gateway.faults().answers.clear());
    assert!(matches!(
        world.channel.query(ATTEMPT).await,
        GatewayAnswer::Success(_)
    ));
}

#[tokio::test(start_paused = true)]
async fn a_refund_without_an_answer_is_repeated_with_its_number_and_paid_once() {
    let world = World::new();
    let token = world.show_qr(ATTEMPT).await;
    world.act(&token, PhoneAction::Pay).unwrap();
    set(
        &world,
        Some(Operation::Refund),
        AnswerFault::FailAfterDone,
        Some(1),
    );
    let request = RefundRequest {
        attempt_no: ATTEMPT.to_owned(),
        channel_txn_no: None,
        refund_no: "TK000001".to_owned(),
        paid: Money::from_yuan(100),
        amount: Money::from_yuan(100),
        reason: "顾客退款".to_owned(),
        notify_url: None,
    };
    let lost = world.channel.refund(&request).await;
    assert_eq!(lost, RefundAnswer::Unknown(UnknownCause::GatewayFault(500)));
    let again = world.channel.refund(&request).await;
    assert!(matches!(again, RefundAnswer::Succeeded { .. }), "{again:?}");
    assert_eq!(world.takings(), Money::from_yuan(200));
}

/// A training shop can be shown each fault of its set-up; nothing is done of what it asked.
#[tokio::test(start_paused = true)]
async fn a_refused_set_up_names_what_is_wrong_and_charges_nothing() {
    let world = World::new();
    for (cause, expected) in [
        (SetUpCause::Signature, ConfigFault::Signature),
        (SetUpCause::Clock, ConfigFault::Clock),
        (SetUpCause::NotPermitted, ConfigFault::NotPermitted),
        (SetUpCause::MerchantBlocked, ConfigFault::MerchantBlocked),
        (SetUpCause::BadRequest, ConfigFault::BadRequest),
        (SetUpCause::ForbiddenWord, ConfigFault::ForbiddenWord),
    ] {
        let fault = AnswerFault::SetUpRefused { cause };
        set(&world, Some(Operation::Create), fault, Some(1));
        let request = world.qr_request(ATTEMPT);
        let QrAnswer::ConfigError(told) = world.channel.create_qr(&request).await else {
            panic!("{cause:?}");
        };
        assert_eq!(told.fault(), expected);
        let query = world.channel.query(ATTEMPT).await;
        assert_eq!(query, GatewayAnswer::Unknown(UnknownCause::NotFound));
    }
}
