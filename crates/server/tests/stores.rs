//! Two stores of one merchant.

use std::collections::BTreeMap;

use qiantai_core::Money;
use qiantai_core::ids::{MemberId, StoreId};
use qiantai_core::operation::{OperationBody, RechargeCash};
use qiantai_core::recharge::AmountChoice;
use qiantai_wire::feed::{FeedChange, FeedPage, OutcomeDto, SnapshotPage};
use uuid::Uuid;

use crate::harness::{On, Shop};
use crate::till::Till;

/// A terminal of another store of the same merchant.
async fn of_a_second_store(shop: &Shop, first: &Till) -> Till {
    let mut policy = (*shop.policy).clone();
    policy.store.id = StoreId(Uuid::now_v7());
    policy.store.code = "00202".to_owned();
    shop.server.publish_policy(policy).await.unwrap();
    let mut second = first.clone();
    let invite = shop.server.invite("00202").unwrap().text();
    let key = ed25519_dalek::SigningKey::from_bytes(&[9; 32]);
    let public = key.verifying_key().to_bytes();
    second.join = shop.server.join(&invite, public, "二店").await.unwrap();
    assert_ne!(first.join.store, second.join.store);
    second
}

async fn snapshot(shop: &Shop, till: &Till, query: &str) -> SnapshotPage {
    let path = format!("/v1/snapshot?{query}");
    till.call(shop, "GET", &path, Vec::new()).await
}

#[tokio::test]
async fn a_terminal_hears_of_the_rules_of_its_own_store_only() {
    let shop = Shop::open(1).await;
    let first = Till::open(&shop).await;
    let second = of_a_second_store(&shop, &first).await;

    let stores = |rows: &[FeedChange]| -> Vec<Uuid> {
        let store = |row: &FeedChange| match row {
            FeedChange::Policy(policy) => Some(policy.store.id),
            _ => None,
        };
        rows.iter().filter_map(store).collect()
    };
    for till in [&first, &second] {
        let snapshot = snapshot(&shop, till, "limit=100").await;
        assert_eq!(stores(&snapshot.rows), [till.join.store]);
        let path = "/v1/feed?timeline=1&after=0";
        let feed: FeedPage = till.call(&shop, "GET", path, Vec::new()).await;
        let rows: Vec<_> = feed
            .entries
            .iter()
            .flat_map(|entry| entry.changes.clone())
            .collect();
        assert_eq!(stores(&rows), [till.join.store]);
        let seqs: Vec<u64> = feed.entries.iter().map(|entry| entry.server_seq).collect();
        let gapless: Vec<u64> = (1..=feed.head).collect();
        assert_eq!(
            seqs, gapless,
            "an entry without rows still moves the cursor"
        );
    }
}

#[tokio::test]
async fn a_snapshot_has_the_shifts_and_orders_of_its_own_store_and_the_balances_of_all() {
    let shop = Shop::open(2).await;
    let mut first = Till::open(&shop).await;
    let second = of_a_second_store(&shop, &first).await;
    let member = shop.members()[0];
    let paid = first.cash(&shop, member, 300).await;
    let order = paid.open.order.0;
    let body = OperationBody::RechargeCash(paid);
    assert_eq!(first.act(&shop, body).await.outcome, OutcomeDto::Applied);

    let own = snapshot(&shop, &first, "limit=100").await.rows;
    let others = snapshot(&shop, &second, "limit=100").await.rows;
    let is_order = |row: &&FeedChange| matches!(row, FeedChange::Order(row) if row.id == order);
    let is_shift = |row: &&FeedChange| matches!(row, FeedChange::Shift(_));
    assert_eq!(own.iter().filter(is_order).count(), 1);
    assert_eq!(own.iter().filter(is_shift).count(), 1);
    assert!(!others.iter().any(|row| is_order(&row) || is_shift(&row)));
    let accounts = |rows: &[FeedChange]| -> Vec<FeedChange> {
        let rows = rows.iter();
        let accounts = rows.filter(|row| matches!(row, FeedChange::Account(_)));
        accounts.cloned().collect()
    };
    assert_eq!(accounts(&own), accounts(&others));
    assert!(!accounts(&own).is_empty());
}

/// Its member may come to the other store meanwhile.
#[tokio::test]
async fn a_snapshot_has_what_is_under_way_in_every_store() {
    for on in On::BOTH {
        let shop = Shop::open_on(on, 2).await;
        let mut first = Till::open(&shop).await;
        let second = of_a_second_store(&shop, &first).await;
        let open = first.recharge(&shop, shop.members()[0], 300).await;
        let order = open.order.0;
        let body = OperationBody::RechargeOpen(open.clone());
        assert_eq!(first.act(&shop, body).await.outcome, OutcomeDto::Applied);
        let attempt = first.start_attempt(&shop, &open).await.0;
        for till in [&first, &second] {
            let rows = snapshot(&shop, till, "limit=100").await.rows;
            let is_there = |wanted: &dyn Fn(&FeedChange) -> bool| rows.iter().any(wanted);
            assert!(is_there(&|row| {
                matches!(row, FeedChange::Order(row) if row.id == order)
            }));
            assert!(is_there(&|row| {
                matches!(row, FeedChange::Attempt(row) if row.id == attempt)
            }));
        }
    }
}

#[tokio::test]
async fn coupons_come_with_their_members() {
    let shop = Shop::open(3).await;
    let mut till = Till::open(&shop).await;
    let mut packages = shop.policy.packages.iter();
    let package = packages.find(|package| !package.coupons.is_empty());
    let package = package.unwrap();
    let choice = AmountChoice::Package(package.id, package.version);
    let mut owners = shop.members();
    owners.truncate(2);
    for member in &owners {
        let open = till.recharge_of(&shop, *member, choice).await;
        let paid = RechargeCash {
            tendered: open.quote.pay,
            open,
            change: Money::ZERO,
            approval: None,
        };
        let body = OperationBody::RechargeCash(paid);
        assert_eq!(till.act(&shop, body).await.outcome, OutcomeDto::Applied);
    }
    let mut found = BTreeMap::new();
    let mut query = "limit=1".to_owned();
    loop {
        let page = snapshot(&shop, &till, &query).await;
        let mut rows = page.rows.iter();
        let member = rows.find_map(|row| match row {
            FeedChange::Member(row) => Some(MemberId(row.id)),
            _ => None,
        });
        for row in &page.rows {
            if let FeedChange::Coupon(coupon) = row {
                assert_eq!(Some(MemberId(coupon.member)), member);
                *found.entry(MemberId(coupon.member)).or_insert(0) += 1;
            }
        }
        let Some(next) = page.next else { break };
        query = format!("limit=1&after_member={next}");
    }
    let books = shop.server.ledger();
    let expected = owners.iter().map(|member| {
        let coupons = books.usable_coupons(shop.seeded.tenant, &[*member]);
        (*member, coupons.unwrap().len())
    });
    assert_eq!(found, expected.collect());
    assert!(found.values().all(|count| *count > 0));
}
