//! A machine whose clock is wrong: it sells on, in the time of its books.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use qiantai_core::operation::OperationBody;
use qiantai_core::policy::Policy;
use qiantai_core::{Millis, Timestamp};
use qiantai_server::sample::{self, ShopKind};
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
    started_as(shop, count, false).await;
}

/// The same; its clock may have been looked at.
async fn started_as(shop: &mut Shop, count: &Arc<Count>, is_believed: bool) {
    shop.server.stop().await;
    shop.server = beside(shop, shop.time.clone(), count, is_believed);
    shop.server.end_future().await;
}

/// A server of these books in a machine with another clock.
fn beside(shop: &Shop, wall: Arc<dyn Clock>, count: &Arc<Count>, is_believed: bool) -> Server {
    let count = Arc::clone(count);
    let running = Box::new(move || Millis(count.0.load(Ordering::SeqCst)));
    let clock = SteadyClock::of(wall, running).believed_if(is_believed);
    Server::on_ledger(shop.place.open(), Arc::new(clock), shop.channels.clone()).unwrap()
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

/// A clock that stands.
struct Standing(Timestamp);

impl Clock for Standing {
    fn now(&self) -> Timestamp {
        self.0
    }
}

#[tokio::test]
async fn who_takes_over_goes_on_where_the_one_before_ended() {
    for on in On::BOTH {
        for (is_believed, is_ahead) in [(false, true), (true, false)] {
            let mut shop = Shop::open_on(on, 2).await;
            let mut till = Till::open(&shop).await;
            let behind = shop.now();
            let wall = Arc::new(Standing(behind));
            let next = beside(&shop, wall, &Arc::default(), is_believed);
            shop.time.advance(Millis::days(3));
            let then = opens(&mut till, &shop).await;
            assert_eq!(then, behind + Millis::days(3));
            shop.server.stop().await;
            shop.server = next;
            let paid = till.cash(&shop, shop.members()[1], 300).await;
            let answer = till.act(&shop, OperationBody::RechargeCash(paid)).await;
            assert_eq!(answer.outcome, OutcomeDto::Applied);
            assert_eq!(
                newest(&shop),
                if is_ahead { then } else { behind },
                "{on:?}"
            );
            assert_eq!(shop.server.now() == then, is_ahead, "{on:?}");
        }
    }
}

/// The books of two merchants end in 2031, and nobody sells anything before the next start.
#[tokio::test]
async fn a_clock_that_was_believed_once_needs_nobodys_word_again() {
    for on in On::BOTH {
        let mut shop = Shop::open_on(on, 2).await;
        sample::seed(&shop.server, ShopKind::Gym, 1, 1)
            .await
            .unwrap();
        let count = Arc::new(Count::default());
        let (right, away) = (shop.now(), Millis::days(5 * 365));
        shop.time.advance(away);
        for tenant in shop.server.tenants().unwrap() {
            let policies = shop.server.ledger().policies(tenant.id).unwrap();
            let mut rules = Policy::clone(policies.last().unwrap());
            rules.version += 1;
            rules.effective_from = shop.now();
            rules.store.name = "未来".to_owned();
            shop.server.publish_policy(rules).await.unwrap();
        }
        shop.time.advance(Millis(-away.0));
        started(&mut shop, &count).await;
        assert_eq!(shop.server.now(), right + away, "{on:?}");
        started_as(&mut shop, &count, true).await;
        assert_eq!(shop.server.now(), right, "{on:?}");
        started(&mut shop, &count).await;
        assert_eq!(shop.server.now(), right, "{on:?}");
        for tenant in shop.server.tenants().unwrap() {
            let policies = shop.server.ledger().policies(tenant.id).unwrap();
            let newest = policies.iter().max_by_key(|rules| rules.version).unwrap();
            assert_eq!(newest.effective_from, right, "{on:?}");
            assert_eq!(newest.store.name, "未来", "{on:?}");
        }
    }
}
