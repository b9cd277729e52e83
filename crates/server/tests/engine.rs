//! Looking after payments when callers leave, tasks fail and the ledger cannot write.

use qiantai_core::Millis;
use qiantai_core::attempt::{AttemptState, DeclineCode};
use qiantai_core::operation::OperationBody;
use qiantai_core::recharge::OrderState;
use qiantai_pay::{CloseAnswer, GatewayAnswer, UnknownCause};
use qiantai_paysim::gateway::PhoneAction;
use qiantai_server::Channels;
use qiantai_wire::feed::OutcomeDto;

use crate::gateway::Call;
use crate::harness::{Shop, until, within_patience};
use crate::till::Till;

#[tokio::test]
async fn a_caller_that_leaves_does_not_end_the_sweep() {
    let shop = Shop::open(1).await;
    let mut till = Till::open(&shop).await;
    let member = shop.members()[0];
    let (order, attempt) = till.show_qr(&shop, member, 300).await;
    shop.phone(&attempt, &PhoneAction::PayWithoutNotice);
    shop.gateway.keep_silent(true);
    let path = format!("/v1/attempts/{}/query", attempt.id);
    tokio::select! {
        biased;
        () = until("the gateway is asked", || shop.gateway.count(Call::Query) == 1) => {}
        _ = shop.send(till.request("POST", &path, Vec::new())) => panic!("nobody answered"),
    }
    shop.gateway.keep_silent(false);
    shop.time.advance(Millis::seconds(5));
    shop.server.start();
    let is_credited = || shop.order(order.id).state == OrderState::Credited;
    until("the sweep finds the money", is_credited).await;
    shop.server.stop().await;
}

/// A shop may offer a method for which nobody has set up a gateway.
#[tokio::test]
async fn an_attempt_without_a_gateway_fails_at_once() {
    let mut shop = Shop::open(1).await;
    shop.channels = Channels::default();
    shop.restart().await;
    let mut till = Till::open(&shop).await;
    let member = shop.members()[0];
    let (order, attempt) = till.show_qr(&shop, member, 300).await;
    assert_eq!(attempt.state, AttemptState::Failed);
    assert_eq!(order.state, OrderState::PendingPayment);
    shop.time.advance(Millis::minutes(16));
    shop.server.settle_due().await.unwrap();
    assert_eq!(shop.order(order.id).state, OrderState::Closed);
    assert_eq!(shop.gateway.count(Call::Create), 0);
}

#[tokio::test]
async fn a_task_that_panics_does_not_end_the_sweep() {
    let shop = Shop::open(1).await;
    let mut till = Till::open(&shop).await;
    let member = shop.members()[0];
    let (order, attempt) = till.show_qr(&shop, member, 300).await;
    shop.phone(&attempt, &PhoneAction::PayWithoutNotice);
    shop.gateway.script(|script| script.panics = true);
    shop.time.advance(Millis::seconds(5));
    shop.server.start();
    until("the sweep asks", || shop.gateway.count(Call::Query) == 1).await;
    shop.time.advance(Millis::seconds(5));
    let path = format!("/v1/attempts/{}/query", attempt.id);
    shop.send(till.request("POST", &path, Vec::new())).await;
    let is_credited = || shop.order(order.id).state == OrderState::Credited;
    until("the next question finds the money", is_credited).await;
    shop.server.stop().await;
}

#[tokio::test]
async fn an_order_whose_end_cannot_be_written_waits_for_its_next_try() {
    let shop = Shop::open(1).await;
    let mut till = Till::open(&shop).await;
    let member = shop.members()[0];
    let open = till.recharge(&shop, member, 300).await;
    let opened = till.act(&shop, OperationBody::RechargeOpen(open.clone()));
    assert_eq!(opened.await.outcome, OutcomeDto::Applied);
    shop.time.advance(Millis::minutes(16));
    shop.place.sabotage("recharge_order", "BEFORE");
    within_patience("one try is made", shop.server.settle_due())
        .await
        .unwrap();
    shop.place.repair();
    let check = async |span_ms, expected| {
        shop.pass(Millis(span_ms)).await;
        assert_eq!(shop.order(open.order).state, expected, "{span_ms} ms later");
    };
    check(1_999, OrderState::PendingPayment).await;
    check(1, OrderState::Closed).await;
}

#[tokio::test]
async fn a_refund_that_cannot_be_written_waits_for_its_next_try() {
    let shop = Shop::open(1).await;
    let mut till = Till::open(&shop).await;
    let member = shop.members()[0];
    let (_, attempt) = till.show_qr(&shop, member, 300).await;
    shop.phone(&attempt, &PhoneAction::PayTwice);
    assert_eq!(shop.deliver_notices().await, [true, true]);
    shop.place.sabotage("payment_surplus", "AFTER");
    within_patience("one try is made", shop.server.settle_due())
        .await
        .unwrap();
    assert_eq!(shop.gateway.count(Call::Refund), 1);
    shop.pass(Millis::seconds(2)).await;
    assert_eq!(shop.gateway.count(Call::Refund), 2);
    // The second failure is waited for twice as long.
    shop.pass(Millis::seconds(2)).await;
    assert_eq!(shop.gateway.count(Call::Refund), 2);
    shop.place.repair();
    shop.pass(Millis::seconds(2)).await;
    assert!(shop.attempt(attempt.id).surplus[0].refunded);
    assert_eq!(
        (shop.balance("suspense"), shop.balance("clearing")),
        (0, 30_000)
    );
}

#[tokio::test]
async fn a_gateway_is_asked_about_so_many_attempts_at_one_time() {
    const AT_ONCE: usize = 32;
    let shop = Shop::open(AT_ONCE + 1).await;
    let mut till = Till::open(&shop).await;
    for member in shop.members() {
        till.show_qr(&shop, member, 300).await;
    }
    shop.gateway.keep_silent(true);
    shop.time.advance(Millis::seconds(5));
    shop.server.start();
    let asked = || shop.gateway.count(Call::Query);
    until("the gateway is asked", || asked() >= AT_ONCE).await;
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert_eq!(asked(), AT_ONCE);
    shop.gateway.keep_silent(false);
    until("the last attempt has its turn", || asked() > AT_ONCE).await;
    shop.server.stop().await;
}

#[tokio::test]
async fn an_attempt_without_order_does_not_stop_the_others() {
    let shop = Shop::open(2).await;
    let mut till = Till::open(&shop).await;
    let members = shop.members();
    let (broken, _) = till.show_qr(&shop, members[0], 300).await;
    let (sound, attempt) = till.show_qr(&shop, members[1], 300).await;
    shop.phone(&attempt, &PhoneAction::PayWithoutNotice);
    let db = shop.database();
    db.pragma_update(None, "foreign_keys", false).unwrap();
    let deleted = db.execute(
        "DELETE FROM recharge_order WHERE order_id = ?1",
        [broken.id.0.as_bytes()],
    );
    assert_eq!(deleted, Ok(1));
    shop.time.advance(Millis::seconds(5));
    shop.server.settle_due().await.unwrap();
    assert_eq!(shop.order(sound.id).state, OrderState::Credited);
}

/// A wallet may let the customer try again on the code that it just declined.
#[tokio::test]
async fn a_declined_code_is_closed_before_it_counts_as_failed() {
    use Call::{Close, Create, Query};
    let declined = GatewayAnswer::Declined(DeclineCode::BalanceShort);
    let check = async |action: PhoneAction, close: Option<CloseAnswer>, calls: &[Call], end| {
        let shop = Shop::open(1).await;
        let mut till = Till::open(&shop).await;
        let member = shop.members()[0];
        let (order, attempt) = till.show_qr(&shop, member, 300).await;
        shop.phone(&attempt, &action);
        shop.gateway.script(|script| {
            script.queries.push_back(declined.clone());
            script.closes.extend(close.clone());
        });
        shop.pass(Millis::seconds(5)).await;
        assert_eq!(shop.gateway.calls(), calls, "{close:?}");
        let states = (shop.attempt(attempt.id).state, shop.order(order.id).state);
        assert_eq!(states, end, "{close:?}");
        shop
    };
    let closed = (AttemptState::Failed, OrderState::PendingPayment);
    check(PhoneAction::Ignore, None, &[Create, Query, Close], closed).await;
    let paid = (AttemptState::Succeeded, OrderState::Credited);
    let asked_again = [Create, Query, Close, Query];
    check(PhoneAction::PayWithoutNotice, None, &asked_again, paid).await;
    // Without a confirmation nobody knows; the sweep asks and closes again.
    let unknown = (AttemptState::Unknown, OrderState::PendingPayment);
    let silence = CloseAnswer::Unknown(UnknownCause::Timeout);
    let once = &[Create, Query, Close];
    let shop = check(PhoneAction::Ignore, Some(silence), once, unknown).await;
    shop.gateway
        .script(|script| script.queries.push_back(declined.clone()));
    shop.pass(Millis::seconds(5)).await;
    let tenant = shop.seeded.tenant;
    let ended = shop.server.ledger().watched_attempts(shop.now()).unwrap();
    let states: Vec<_> = ended.iter().map(|(of, one)| (*of, one.state)).collect();
    assert_eq!(states, [(tenant, AttemptState::Failed)]);
}
