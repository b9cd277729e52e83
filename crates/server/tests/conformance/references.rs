//! References of recorded payments are found however old their orders are, in the same batch and in
//! an earlier one.

use qiantai_core::Millis;
use qiantai_core::operation::OperationBody;
use qiantai_core::recharge::OrderState::{self, Credited, Paid};
use qiantai_core::recorded_payment::RecordedMethod::{self, Card, ShopCode, Transfer};

use crate::harness::{On, Shop};
use crate::till::Till;

/// Records payments of 200 for the first member in one batch; how their orders stand.
async fn record(
    shop: &Shop,
    till: &mut Till,
    payments: &[(RecordedMethod, &str)],
) -> Vec<OrderState> {
    let member = shop.members()[0];
    let (mut orders, mut signed) = (Vec::new(), Vec::new());
    for payment in payments {
        let recorded = till.recorded(shop, member, 200, *payment).await;
        orders.push(recorded.open.order);
        signed.push(till.sign(OperationBody::RechargeRecorded(recorded)));
    }
    till.push(shop, &signed).await;
    let states = orders.into_iter().map(|order| shop.order(order).state);
    states.collect()
}

#[tokio::test]
async fn a_reference_is_credited_once() {
    for on in On::BOTH {
        let mut shop = Shop::open_on(on, 1).await;
        let mut till = Till::open(&shop).await;
        let before = shop.principal(shop.members()[0]);
        let first = [
            (Transfer, "AB-0001"),
            (Transfer, "AB-0001"),
            (Card, "AB-0001"),
            (ShopCode, "AB-0001"),
        ];
        let states = record(&shop, &mut till, &first).await;
        let expected = [Credited, Paid, Credited, Credited];
        assert_eq!(states, expected, "{on:?}: one batch");
        shop.restart().await;
        let second = [
            (Transfer, "AB-0001"),
            (Card, "AB-0001"),
            (ShopCode, "AB-0001"),
            (Transfer, "AB-0002"),
        ];
        let states = record(&shop, &mut till, &second).await;
        let expected = [Paid, Paid, Paid, Credited];
        assert_eq!(states, expected, "{on:?}: a later one");
        // The four that wait.
        assert_eq!(shop.cases(), ["ReferenceUsed"; 4], "{on:?}");
        let credited = shop.principal(shop.members()[0]) - before;
        assert_eq!(credited.fen(), 80_000, "{on:?}");
        shop.pass(Millis::hours(24 * 40)).await;
        till.wall = shop.now();
        let much_later = [
            (Transfer, "AB-0001"),
            (Card, "AB-0001"),
            (ShopCode, "AB-0001"),
        ];
        let states = record(&shop, &mut till, &much_later).await;
        assert_eq!(states, [Paid, Credited, Credited], "{on:?}: weeks later");
    }
}
