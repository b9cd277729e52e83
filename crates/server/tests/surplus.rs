//! Money that comes a second time: found as long as it can come, and sent back once.

use qiantai_core::attempt::{AttemptState, DeclineCode};
use qiantai_core::operation::OperationBody;
use qiantai_core::recharge::OrderState;
use qiantai_core::{Millis, Money};
use qiantai_pay::{CloseAnswer, GatewayAnswer};
use qiantai_paysim::gateway::PhoneAction;

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
