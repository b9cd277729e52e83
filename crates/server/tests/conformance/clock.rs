//! A machine whose clock is wrong: it sells on, in the time of its books.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use qiantai_core::operation::OperationBody;
use qiantai_core::{Millis, Timestamp};
use qiantai_server::{Clock, Server, SteadyClock};
use qiantai_wire::feed::OutcomeDto;

use crate::harness::{On, Shop};
use crate::till::Till;

const LATER: Millis = Millis::minutes(20);
const SECOND: Millis = Millis::seconds(1);

/// What a machine counts, whatever its clock shows.
#[derive(Default)]
struct Count(AtomicI64);

/// The shop's server anew, in a machine that has the shop's clock and this count.
async fn started(shop: &mut Shop, count: &Arc<Count>) {
    shop.server.stop().await;
    let count = Arc::clone(count);
    let running = Box::new(move || Millis(count.0.load(Ordering::SeqCst)));
    let wall: Arc<dyn Clock> = shop.time.clone();
    let clock = Arc::new(SteadyClock::of(wall, running));
    shop.server = Server::on_ledger(shop.place.open(), clock, shop.channels.clone()).unwrap();
}

/// When the books were last written.
fn newest(shop: &Shop) -> Timestamp {
    let (ledger, tenant) = (shop.server.ledger(), shop.seeded.tenant);
    let head = ledger.head(tenant).unwrap().server_seq;
    ledger.log_row(tenant, head).unwrap().unwrap().decided_at
}

/// An order is opened at a price that the server has just told.
async fn opens(till: &mut Till, shop: &Shop) -> Timestamp {
    let open = till.recharge(shop, shop.members()[0], 500).await;
    let answer = till.act(shop, OperationBody::RechargeOpen(open)).await;
    assert_eq!(answer.outcome, OutcomeDto::Applied);
    newest(shop)
}

#[tokio::test]
async fn a_wrong_clock_never_blocks_selling() {
    for on in On::BOTH {
        let mut shop = Shop::open_on(on, 2).await;
        let mut till = Till::open(&shop).await;
        let count = Arc::new(Count::default());
        shop.time.advance(LATER);
        started(&mut shop, &count).await;
        let right = shop.now();
        assert_eq!(opens(&mut till, &shop).await, right, "{on:?}");

        // 2099, for a second: a price is told, and an order opened.
        let century = Millis::days(73 * 365);
        shop.time.advance(century);
        assert_eq!(opens(&mut till, &shop).await, right, "{on:?}");
        count.0.fetch_add(SECOND.0, Ordering::SeqCst);
        shop.time.advance(Millis(SECOND.0 - century.0));
        assert_eq!(opens(&mut till, &shop).await, right + SECOND, "{on:?}");

        // Started while its clock shows 1970, as one whose battery is empty.
        shop.time.advance(Millis(-shop.now().ms()));
        started(&mut shop, &count).await;
        assert_eq!(opens(&mut till, &shop).await, right + SECOND, "{on:?}");
        count.0.fetch_add(LATER.0, Ordering::SeqCst);
        let then = right + SECOND + LATER;
        assert_eq!(opens(&mut till, &shop).await, then, "{on:?}");
        // The network sets it.
        shop.time.advance((then + LATER) - Timestamp::from_ms(0));
        assert_eq!(opens(&mut till, &shop).await, then + LATER, "{on:?}");
    }
}
