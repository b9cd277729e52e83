//! Money that comes a second time: found as long as it can come, and sent back once.

use qiantai_core::attempt::{AttemptState, DeclineCode};
use qiantai_core::operation::OperationBody;
use qiantai_core::recharge::OrderState;
use qiantai_core::{Millis, Money};
use qiantai_pay::{CloseAnswer, GatewayAnswer, RefundAnswer, UnknownCause};
use qiantai_paysim::gateway::{NoticeFault, NoticeRule, PhoneAction};

use crate::gateway::Call;
use crate::harness::Shop;
use crate::till::Till;

/// A gateway that says "closed" and takes the money all the same.
#[tokio::test]
async fn the_code_of_an_ended_attempt_is_watched_until_its_own_time_is_over() {
    let shop = Shop::open(1).await;
    let mut till = Till::open(&shop).await;
    let member = shop.members()[0];
    let before = shop.principal(member);
    let open = till.recharge(&shop, member, 300).await;
    till.act(&shop, OperationBody::RechargeOpen(open.clone()))
        .await;
    let first = till.start_attempt(&shop, &open).await;
    shop.server.settle_due().await.unwrap();
    let shown = shop.attempt(first);
    shop.gateway.script(|script| {
        let declined = GatewayAnswer::Declined(DeclineCode::BalanceShort);
        script.queries.push_back(declined);
        script.closes.push_back(CloseAnswer::Closed);
    });
    shop.pass(Millis::seconds(5)).await;
    assert_eq!(shop.attempt(first).state, AttemptState::Failed);

    let second = till.start_attempt(&shop, &open).await;
    shop.server.settle_due().await.unwrap();
    shop.phone(&shop.attempt(second), &PhoneAction::Pay);
    assert_eq!(shop.deliver_notices().await, [true]);
    assert_eq!(shop.order(open.order).state, OrderState::Credited);

    // Too late for the sweep's point at four minutes, in time for the code's own end.
    shop.pass(Millis::minutes(4)).await;
    shop.pass(Millis::seconds(20)).await;
    shop.phone(&shown, &PhoneAction::PayWithoutNotice);
    shop.pass(shown.expires_at - shop.now()).await;
    let found = shop.attempt(first);
    assert_eq!(found.state, AttemptState::Succeeded);
    assert!(found.surplus.len() == 1 && found.surplus[0].refunded);
    assert_eq!(shop.cases(), ["SecondPayment"]);
    assert_eq!(shop.principal(member) - before, Money::from_yuan(300));
    assert_eq!(
        (shop.balance("suspense"), shop.balance("clearing")),
        (0, 30_000)
    );
}

#[tokio::test]
async fn a_refund_that_takes_its_time_is_asked_about_and_never_given_up() {
    const POLLS: usize = 30;
    let shop = Shop::open(1).await;
    let mut till = Till::open(&shop).await;
    let member = shop.members()[0];
    let (_, attempt) = till.show_qr(&shop, member, 300).await;
    shop.phone(&attempt, &PhoneAction::PayTwice);
    assert_eq!(shop.deliver_notices().await, [true, true]);
    let accepted = vec![RefundAnswer::Accepted; POLLS];
    shop.gateway
        .script(|script| script.refunds.extend(accepted));
    let polled = || shop.gateway.count(Call::Refund) + shop.gateway.count(Call::QueryRefund);
    // The sweep's points after the payment.
    for (polls, span_s) in [
        (1, 0),
        (1, 4),
        (2, 1),
        (3, 5),
        (4, 10),
        (5, 10),
        (6, 30),
        (7, 60),
    ] {
        shop.pass(Millis::seconds(span_s)).await;
        assert_eq!(polled(), polls, "{span_s} s later");
    }
    assert_eq!(
        shop.gateway.count(Call::Refund),
        1,
        "asked for once, then asked about"
    );
    for _ in 0..POLLS {
        shop.pass(Millis::hours(1)).await;
    }
    let surplus = &shop.attempt(attempt.id).surplus;
    assert!(surplus.len() == 1 && surplus[0].refunded, "{surplus:?}");
    let takings = shop
        .simulator
        .with(|gateway, _| gateway.takings("1900000001"));
    assert_eq!(takings, Money::from_yuan(300));
}

/// Longer away than any run of quick tries.
#[tokio::test]
async fn a_refund_outlasts_a_gateway_that_is_away() {
    let shop = Shop::open(1).await;
    let mut till = Till::open(&shop).await;
    let member = shop.members()[0];
    let (_, attempt) = till.show_qr(&shop, member, 300).await;
    shop.phone(&attempt, &PhoneAction::PayTwice);
    let away = vec![RefundAnswer::Unknown(UnknownCause::NotSent); 40];
    shop.gateway.script(|script| script.refunds.extend(away));
    assert_eq!(shop.deliver_notices().await, [true, true]);
    for _ in 0..30 {
        shop.pass(Millis::minutes(1)).await;
    }
    assert!(!shop.attempt(attempt.id).surplus[0].refunded);
    shop.gateway.script(|script| script.refunds.clear());
    shop.pass(Millis::hours(1)).await;
    assert!(shop.attempt(attempt.id).surplus[0].refunded);
}

/// The notice of the first payment comes after that of the second.
#[tokio::test]
async fn an_older_notice_that_was_overtaken_is_the_surplus() {
    let shop = Shop::open(1).await;
    let mut till = Till::open(&shop).await;
    let member = shop.members()[0];
    let before = shop.principal(member);
    let (order, attempt) = till.show_qr(&shop, member, 300).await;
    let rule = NoticeRule {
        attempt_no: None,
        fault: NoticeFault::Late { delay_ms: 60_000 },
        times: Some(1),
    };
    shop.simulator
        .with(|gateway, _| gateway.faults().notices.push(rule));
    shop.phone(&attempt, &PhoneAction::Pay);
    shop.time.advance(Millis::seconds(1));
    shop.phone(&attempt, &PhoneAction::PayTwice);
    assert_eq!(shop.deliver_notices().await, [true], "the newer one");
    let credited = shop.attempt(attempt.id);
    assert_eq!(credited.state, AttemptState::Succeeded);
    assert!(credited.surplus.is_empty());
    assert_eq!(shop.order(order.id).state, OrderState::Credited);

    shop.time.advance(Millis::minutes(1));
    assert_eq!(shop.deliver_notices().await, [true], "the older one");
    shop.server.settle_due().await.unwrap();
    let after = shop.attempt(attempt.id);
    assert_eq!(after.channel_txn_no, credited.channel_txn_no);
    assert_eq!(after.paid_at, credited.paid_at);
    assert!(after.surplus.len() == 1 && after.surplus[0].refunded);
    assert!(after.surplus[0].channel_txn_no < after.channel_txn_no.unwrap());
    assert_eq!(shop.principal(member) - before, Money::from_yuan(300));
    assert_eq!(
        (shop.balance("suspense"), shop.balance("clearing")),
        (0, 30_000)
    );
}
