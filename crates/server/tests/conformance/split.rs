//! A split is written whole and read whole: in the same batch, by another process, by another till's
//! feed.

use qiantai_core::ids::{ActionId, OrderId};
use qiantai_core::operation::{OperationBody, RechargeRecorded};
use qiantai_core::recharge::OrderState;
use qiantai_core::recorded_payment::RecordedMethod::{self, Card, Transfer};
use qiantai_core::{Millis, Money};
use qiantai_paysim::gateway::PhoneAction;
use qiantai_server::verify::verify;
use qiantai_wire::feed::OutcomeDto;
use uuid::Uuid;

use crate::harness::{On, Shop};
use crate::till::Till;

/// What a till opened with, in fen.
const FLOAT_FEN: i64 = 50_000;

async fn split(
    shop: &Shop,
    till: &mut Till,
    payment: (RecordedMethod, &str),
    cash: i64,
) -> RechargeRecorded {
    let member = shop.members()[0];
    let mut recorded = till.recorded(shop, member, 300, payment).await;
    recorded.cash_part = Some(Money::from_yuan(cash));
    recorded
}

/// In the drawer beside its float, by card, by transfer, in suspense.
fn money(shop: &Shop) -> [i64; 4] {
    let [drawer, suspense] = drawer_and_suspense(shop);
    [
        drawer,
        clearing(shop, "card"),
        clearing(shop, "transfer"),
        suspense,
    ]
}

fn clearing(shop: &Shop, channel: &str) -> i64 {
    shop.place.number(&format!(
        "SELECT CAST(coalesce(sum(amount_fen), 0) AS BIGINT) FROM posting
         WHERE account = 'clearing' AND channel = '{channel}' AND book = 'money'"
    ))
}

fn drawer_and_suspense(shop: &Shop) -> [i64; 2] {
    let sum = "SELECT CAST(coalesce(sum(amount_fen), 0) AS BIGINT) FROM cash_movement";
    let moved = shop.place.number(sum);
    assert_eq!(moved, shop.balance("drawer"), "the drawer and its sheet");
    [moved - FLOAT_FEN, -shop.balance("suspense")]
}

fn stands(shop: &Shop, order: OrderId) -> (OrderState, Option<(Money, Option<Money>)>) {
    let order = shop.order(order);
    let paid = order.paid.map(|paid| (paid.amount, paid.cash_part));
    (order.state, paid)
}

#[tokio::test]
async fn a_split_is_one_order_in_two_places() {
    for on in On::BOTH {
        let mut shop = Shop::open_on(on, 1).await;
        let mut till = Till::open(&shop).await;
        let before = shop.principal(shop.members()[0]);
        let card = split(&shop, &mut till, (Card, "000123"), 100).await;
        let transfer = split(&shop, &mut till, (Transfer, "AB-0001"), 50).await;
        // The same transfer once more: what waits, waits whole.
        let again = split(&shop, &mut till, (Transfer, "AB-0001"), 20).await;
        let orders = [&card, &transfer, &again].map(|recorded| recorded.open.order);
        let action = ActionId(Uuid::now_v7());
        let first = till.sign_action(OperationBody::RechargeRecorded(card.clone()), action);
        let repeated = till.sign_action(OperationBody::RechargeRecorded(card), action);
        let rest = [transfer, again].map(|body| till.sign(OperationBody::RechargeRecorded(body)));
        let [second, third] = rest;
        let answer = till.push(&shop, &[first, repeated, second, third]).await;
        let outcomes: Vec<_> = answer
            .results
            .into_iter()
            .map(|each| each.outcome)
            .collect();
        use OutcomeDto::{Applied, Exists};
        assert_eq!(outcomes, [Applied, Exists, Applied, Applied], "{on:?}");
        for process in ["the same", "another"] {
            let yuan = Money::from_yuan;
            let expected = [
                (OrderState::Credited, 100),
                (OrderState::Credited, 50),
                (OrderState::Paid, 20),
            ];
            for (order, (state, cash)) in orders.into_iter().zip(expected) {
                let expected = (state, Some((yuan(300), Some(yuan(cash)))));
                assert_eq!(stands(&shop, order), expected, "{on:?}, {process} process");
            }
            let expected = [17_000, 20_000, 53_000, 30_000];
            assert_eq!(money(&shop), expected, "{on:?}, {process} process");
            let credited = shop.principal(shop.members()[0]) - before;
            assert_eq!(credited, yuan(600), "{on:?}, {process} process");
            shop.restart().await;
        }
        let ledger = shop.place.open();
        let tenant = ledger.tenants().unwrap().remove(0);
        let found = verify(ledger.as_ref(), &tenant);
        assert!(found.is_ok(), "{on:?}: {found:?}");
    }
}

#[tokio::test]
async fn a_part_that_is_none_or_all_is_held_for_a_person() {
    for on in On::BOTH {
        let shop = Shop::open_on(on, 1).await;
        let mut till = Till::open(&shop).await;
        for cash in [0, 300, 301, -1] {
            let recorded = split(&shop, &mut till, (Card, "000123"), cash).await;
            let order = recorded.open.order;
            let held = till
                .act(&shop, OperationBody::RechargeRecorded(recorded))
                .await;
            assert_eq!(held.outcome, OutcomeDto::Held, "{on:?}: {cash}");
            let known = shop.server.ledger().order(shop.seeded.tenant, order);
            assert_eq!(known.unwrap(), None, "{on:?}: {cash}");
        }
        assert_eq!(shop.cases(), ["Held"; 4], "{on:?}");
        assert_eq!(money(&shop), [0; 4], "{on:?}");
    }
}

/// A code on the screen for what is not cash, and what the customer does with it.
async fn asked(shop: &Shop, till: &mut Till, cash: i64, does: &PhoneAction) -> OrderId {
    let mut open = till.recharge(shop, shop.members()[0], 300).await;
    open.cash_part = Some(Money::from_yuan(cash));
    let order = open.order;
    let opened = till
        .act(shop, OperationBody::RechargeOpen(open.clone()))
        .await;
    assert_eq!(opened.outcome, OutcomeDto::Applied);
    let attempt = till.start_attempt(shop, &open).await;
    shop.server.settle_due().await.unwrap();
    shop.phone(&shop.attempt(attempt), does);
    order
}

#[tokio::test]
async fn the_cash_beside_a_gateway_is_booked_with_its_success() {
    for on in On::BOTH {
        let mut shop = Shop::open_on(on, 1).await;
        let mut till = Till::open(&shop).await;
        let before = shop.principal(shop.members()[0]);
        let paid = asked(&shop, &mut till, 100, &PhoneAction::Pay).await;
        shop.deliver_notices().await;
        // Both are sent, one is kept and one goes back.
        let twice = asked(&shop, &mut till, 50, &PhoneAction::PayTwice).await;
        shop.deliver_notices().await;
        let given_up = asked(&shop, &mut till, 20, &PhoneAction::Ignore).await;
        let waiting = shop.order(given_up);
        assert_eq!(waiting.cash_part, Some(Money::from_yuan(20)), "{on:?}");
        till.act(&shop, OperationBody::RechargeCancel { order: given_up })
            .await;
        shop.pass(Millis::seconds(60)).await;
        for process in ["the same", "another"] {
            let yuan = Money::from_yuan;
            for (order, cash) in [(paid, 100), (twice, 50)] {
                let expected = (OrderState::Credited, Some((yuan(300), Some(yuan(cash)))));
                assert_eq!(stands(&shop, order), expected, "{on:?}, {process} process");
            }
            let ended = (OrderState::Cancelled, None);
            assert_eq!(stands(&shop, given_up), ended, "{on:?}, {process} process");
            let [drawer, suspense] = drawer_and_suspense(&shop);
            let found = [drawer, clearing(&shop, "wechat"), suspense];
            assert_eq!(found, [15_000, 45_000, 0], "{on:?}, {process} process");
            let credited = shop.principal(shop.members()[0]) - before;
            assert_eq!(credited, yuan(600), "{on:?}, {process} process");
            shop.restart().await;
        }
        let ledger = shop.place.open();
        let tenant = ledger.tenants().unwrap().remove(0);
        let found = verify(ledger.as_ref(), &tenant);
        assert!(found.is_ok(), "{on:?}: {found:?}");
    }
}
