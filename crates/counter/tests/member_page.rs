//! The member page: where the balance comes from.

use qiantai_counter::api::CounterApi;
use qiantai_counter::view::member::MemberKey;
use qiantai_counter::view::member_page::{EarlierOrders, MemberPage};
use qiantai_counter::view::queue::SyncState;

use crate::line::Weather;
use crate::shop::Shop;
use crate::till::Till;

async fn page(till: &Till, member: &str) -> MemberPage {
    let member_id = member.to_owned();
    till.desk
        .member_page(MemberKey { member_id })
        .await
        .unwrap()
}

/// What the lots hold is the balance, to the fen.
fn assert_adds_up(page: &MemberPage) {
    let principal: i64 = page.lots.iter().map(|lot| lot.principal_left_fen.0).sum();
    let bonus: i64 = page.lots.iter().map(|lot| lot.bonus_left_fen.0).sum();
    assert_eq!(principal, page.member.principal_fen.0, "{page:?}");
    assert_eq!(bonus, page.member.bonus_fen.0, "{page:?}");
    for lot in &page.lots {
        assert!(lot.principal_left_fen.0 <= lot.principal_fen.0);
        assert!(lot.bonus_left_fen.0 <= lot.bonus_fen.0);
        assert!(lot.principal_left_fen.0 + lot.bonus_left_fen.0 > 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_lots_are_the_balance_before_and_after_a_top_up() {
    let shop = Shop::salon().await;
    let till = Till::open(&shop).await;
    let member = till.zhang_wei().await;
    let before = page(&till, &member).await;
    assert_adds_up(&before);
    assert_eq!(before.history.orders, []);
    assert!(before.lots.iter().all(|lot| lot.order_no.is_none()));
    let soon: i64 = before
        .lots
        .iter()
        .filter(|lot| lot.expires_soon)
        .map(|lot| lot.bonus_left_fen.0)
        .sum();
    assert_eq!(soon, before.member.expiring.clone().unwrap().amount_fen.0);

    till.line.set(Weather::Cut);
    till.until_pill(SyncState::Offline).await;
    let order = till.cash(&member, "300").await;
    let offline = page(&till, &member).await;
    assert_adds_up(&offline);
    assert_eq!(offline.lots.len(), before.lots.len() + 1);
    assert!(offline.history.orders[0].provisional);
    till.mend(&shop).await;
    till.until_confirmed(&order.id).await;
    let after = page(&till, &member).await;
    assert_adds_up(&after);
    assert_eq!(after.history.orders.len(), 1);
    assert_eq!(after.history.orders[0].order_no, order.order_no);
    let numbers: Vec<_> = after
        .lots
        .iter()
        .filter_map(|lot| lot.order_no.clone())
        .collect();
    assert_eq!(numbers, [order.order_no]);
    let coupons: u32 = after.coupons.iter().map(|coupon| coupon.count).sum();
    assert_eq!(coupons, after.member.coupons);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_history_goes_back_to_the_first_order() {
    let shop = Shop::salon().await;
    let till = Till::open(&shop).await;
    let member = till.zhang_wei().await;
    let mut made = Vec::new();
    for _ in 0..20 {
        made.push(till.cash(&member, "10").await.order_no);
    }
    assert!(!page(&till, &member).await.history.has_earlier);
    made.push(till.cash(&member, "10").await.order_no);
    let first = page(&till, &member).await.history;
    assert_eq!((first.orders.len(), first.has_earlier), (20, true));
    let earlier = EarlierOrders {
        member_id: member,
        shown: 20,
    };
    let all = till.desk.earlier_orders(earlier.clone()).await.unwrap();
    assert!(
        all.orders
            .is_sorted_by(|new, old| new.opened_at_ms.0 >= old.opened_at_ms.0)
    );
    let mut shown: Vec<_> = all.orders.into_iter().map(|order| order.order_no).collect();
    shown.sort();
    made.sort();
    assert_eq!((shown, all.has_earlier), (made, false));
    till.desk.sign_out(()).await.unwrap();
    assert!(till.desk.earlier_orders(earlier).await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_looks_on_a_locked_screen() {
    let shop = Shop::salon().await;
    let till = Till::open(&shop).await;
    let member_id = till.zhang_wei().await;
    till.desk.sign_out(()).await.unwrap();
    assert!(
        till.desk
            .member_page(MemberKey { member_id })
            .await
            .is_err()
    );
}
