//! Looking after payments when callers leave, tasks fail and the ledger cannot write.

use qiantai_core::Millis;
use qiantai_core::recharge::OrderState;
use qiantai_paysim::gateway::PhoneAction;

use crate::gateway::Call;
use crate::harness::{Shop, until};
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
