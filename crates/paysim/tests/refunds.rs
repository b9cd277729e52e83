//! Refunds never return more than came in, and never twice.

use qiantai_core::money::Money;
use qiantai_pay::{
    Channel, GatewayAnswer, RefundAnswer, RefundQuery, RefundRefusal, RefundRequest, UnknownCause,
};
use qiantai_paysim::gateway::PhoneAction;

use crate::world::{ATTEMPT, World};

fn refund(refund_no: &str, fen: i64) -> RefundRequest {
    RefundRequest {
        attempt_no: ATTEMPT.to_owned(),
        channel_txn_no: None,
        refund_no: refund_no.to_owned(),
        paid: Money::from_yuan(300),
        amount: Money::from_fen(fen),
        reason: "顾客退款".to_owned(),
        notify_url: None,
    }
}

#[tokio::test(start_paused = true)]
async fn refunds_stay_within_what_was_paid() {
    let world = World::new();
    let token = world.show_qr(ATTEMPT).await;
    let unpaid = world.channel.refund(&refund("TK000001", 1)).await;
    assert_eq!(unpaid, RefundAnswer::Refused(RefundRefusal::NotPaid));
    world.act(&token, PhoneAction::Pay).unwrap();

    let first = world.channel.refund(&refund("TK000001", 10_000)).await;
    assert!(matches!(first, RefundAnswer::Succeeded { .. }), "{first:?}");
    assert_eq!(
        world.channel.refund(&refund("TK000001", 10_000)).await,
        first,
        "same again"
    );
    assert_eq!(world.takings(), Money::from_yuan(200));

    let check = async |refund_no: &str, fen, expected: RefundAnswer| {
        assert_eq!(
            world.channel.refund(&refund(refund_no, fen)).await,
            expected,
            "{fen}"
        );
    };
    check(
        "TK000001",
        10_001,
        RefundAnswer::Unknown(UnknownCause::NumberReused),
    )
    .await;
    check(
        "TK000002",
        20_001,
        RefundAnswer::Refused(RefundRefusal::ExceedsPaid),
    )
    .await;
    let rest = world.channel.refund(&refund("TK000003", 20_000)).await;
    assert!(matches!(rest, RefundAnswer::Succeeded { .. }), "{rest:?}");
    check(
        "TK000004",
        1,
        RefundAnswer::Refused(RefundRefusal::ExceedsPaid),
    )
    .await;
    assert_eq!(world.takings(), Money::ZERO);
    for fen in [0, -1] {
        let answer = world.channel.refund(&refund("TK000005", fen)).await;
        assert!(
            matches!(answer, RefundAnswer::ConfigError(_)),
            "{fen}: {answer:?}"
        );
    }
    let paid = world.channel.query(ATTEMPT).await;
    assert!(
        matches!(paid, GatewayAnswer::Success(_)),
        "a refund leaves it paid: {paid:?}"
    );

    let query = |no: &str| RefundQuery {
        attempt_no: ATTEMPT.to_owned(),
        refund_no: no.to_owned(),
    };
    assert_eq!(world.channel.query_refund(&query("TK000001")).await, first);
    let none = world.channel.query_refund(&query("TK000002")).await;
    assert_eq!(none, RefundAnswer::Unknown(UnknownCause::NotFound));
}

#[tokio::test(start_paused = true)]
async fn the_second_of_two_payments_can_be_returned() {
    let world = World::new();
    let token = world.show_qr(ATTEMPT).await;
    world.act(&token, PhoneAction::PayTwice).unwrap();
    let second = world.deliver_due().genuine.remove(1).paid.channel_txn_no;
    let of = |channel_txn_no: &str, no: &str| RefundRequest {
        channel_txn_no: Some(channel_txn_no.to_owned()),
        ..refund(no, 30_000)
    };
    let answer = world.channel.refund(&of(&second, "TK000001")).await;
    assert!(
        matches!(answer, RefundAnswer::Succeeded { .. }),
        "{answer:?}"
    );
    let more = world.channel.refund(&of(&second, "TK000002")).await;
    assert_eq!(more, RefundAnswer::Refused(RefundRefusal::ExceedsPaid));
    let other = world.channel.refund(&of("42000", "TK000003")).await;
    assert_eq!(other, RefundAnswer::Refused(RefundRefusal::NotPaid));
    assert_eq!(world.takings(), Money::from_yuan(300));
}
