//! Wrong clocks and full disks: neither sells wrongly.

use qiantai_core::{Millis, Money};
use qiantai_counter::view::event::CounterEvent;
use qiantai_counter::view::order::Stage;
use qiantai_paysim::gateway::PhoneAction;

use crate::line::Weather;
use crate::shop::Shop;
use crate::till::{Setup, Till};

const DAY: i64 = 86_400_000;

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_clock_is_shown_and_stops_no_sale() {
    for wrong_by_ms in [-400 * DAY, -1_200_000, 1_200_000, 400 * DAY] {
        let shop = Shop::salon().await;
        let setup = Setup {
            clock_wrong_by: Millis(wrong_by_ms),
            ..Setup::default()
        };
        let till = Till::start(&shop, setup).await;
        till.sign_in().await;
        till.open_shift().await;
        till.until_synced().await;
        let skew = till
            .session()
            .await
            .clock_skew_ms
            .expect("it is warned about")
            .0;
        assert!(
            (skew - wrong_by_ms).abs() < 10_000,
            "{skew} for {wrong_by_ms}"
        );
        let member = till.zhang_wei().await;
        let cash = till.cash(&member, "300").await;
        assert_eq!(cash.stage, Stage::Credited);
        let confirmed = till.until_confirmed(&cash.id).await;
        let off_ms = confirmed.credit.unwrap().credited_at_ms.0 - shop.time.now().ms();
        assert!(off_ms.abs() < 60_000, "{off_ms} for {wrong_by_ms}");
        let waiting = till.show_qr(&member, "200").await;
        shop.phone(&waiting, &PhoneAction::Pay);
        till.until_confirmed(&waiting.id).await;
        till.until_printed(&waiting, 2).await;
        assert_eq!(shop.credits(&member).len(), 2);
        assert_eq!(shop.cases(), Vec::<String>::new(), "{wrong_by_ms}");
        till.crash().await;

        // Cold, without the server: what it said before still corrects.
        let till = Till::start(
            &shop,
            Setup {
                weather: Weather::Cut,
                ..setup
            },
        )
        .await;
        till.sign_in().await;
        let offline = till.cash(&member, "100").await;
        let off_ms = offline.opened_at_ms.0 - shop.time.now().ms();
        assert!(off_ms.abs() < 60_000, "{off_ms} for {wrong_by_ms}");
        till.mend(&shop).await;
        till.until_confirmed(&offline.id).await;
        assert_eq!(shop.cases(), Vec::<String>::new(), "{wrong_by_ms}");
    }
}

/// What the server said about a wrong clock is no use once somebody has set it right.
#[tokio::test(flavor = "multi_thread")]
async fn a_correction_that_has_grown_stale_is_dropped_at_start() {
    for wrong_by_ms in [-1_200_000, 1_200_000] {
        let shop = Shop::salon().await;
        let setup = Setup {
            clock_wrong_by: Millis(wrong_by_ms),
            ..Setup::default()
        };
        let till = Till::start(&shop, setup).await;
        till.sign_in().await;
        till.open_shift().await;
        till.until_synced().await;
        till.crash().await;

        let till = Till::reopen(&shop, Weather::Cut).await;
        let member = till.zhang_wei().await;
        let order = till.cash(&member, "100").await;
        let off_ms = order.opened_at_ms.0 - shop.time.now().ms();
        assert!(off_ms.abs() < 60_000, "{off_ms} after {wrong_by_ms}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_set_right_warns_no_longer() {
    let shop = Shop::salon().await;
    let setup = Setup {
        clock_wrong_by: Millis(-1_200_000),
        ..Setup::default()
    };
    let till = Till::start(&shop, setup).await;
    assert!(till.session().await.clock_skew_ms.is_some());
    till.clock.set_wrong_by(Millis(0));
    till.until("no warning", async || {
        shop.time.advance(Millis::seconds(61));
        till.session().await.clock_skew_ms.is_none().then_some(())
    })
    .await;
    let right = Till::start(&Shop::salon().await, Setup::default()).await;
    assert_eq!(right.session().await.clock_skew_ms, None);
}

/// The shop's first day began in another year; then somebody set the clock right.
#[tokio::test(flavor = "multi_thread")]
async fn a_shop_comes_back_from_a_first_day_in_the_future() {
    let years = Millis(5 * 365 * DAY);
    let setup = Setup {
        books_here: true,
        ..Setup::default()
    };
    let mut shop = Shop::salon().await;
    shop.time.advance(years);
    let till = Till::start(&shop, setup).await;
    till.sign_in().await;
    till.open_shift().await;
    let member = till.zhang_wei().await;
    let then = till.cash(&member, "300").await;
    till.until_confirmed(&then.id).await;
    shop.change_rules(|rules| rules.store.name = "未来美发".into())
        .await;
    till.until_synced().await;
    till.crash().await;
    shop.time.advance(Millis(-years.0));

    // Nobody looked at the clock: the shop sells on in the time of its books, and is told.
    shop.restart(false).await;
    let till = Till::start(&shop, setup).await;
    till.sign_in().await;
    let skew = till.session().await.clock_skew_ms.unwrap().0;
    assert!((skew + years.0).abs() < 60_000, "{skew}");
    let order = till.cash(&member, "200").await;
    till.until_confirmed(&order.id).await;
    let ahead = order.opened_at_ms.0 - shop.time.now().ms();
    assert!((ahead - years.0).abs() < 60_000, "{ahead}");
    till.crash().await;

    for is_believed in [true, false] {
        shop.restart(is_believed).await;
        let till = Till::start(&shop, setup).await;
        till.sign_in().await;
        let session = till.session().await;
        assert_eq!(session.clock_skew_ms, None, "{is_believed}");
        assert_eq!(session.shop, "未来美发");
        let order = till.cash(&member, "100").await;
        let confirmed = till.until_confirmed(&order.id).await;
        for at_ms in [order.opened_at_ms, confirmed.credit.unwrap().credited_at_ms] {
            let off_ms = at_ms.0 - shop.time.now().ms();
            assert!(off_ms.abs() < 60_000, "{off_ms} {is_believed}");
        }
        till.crash().await;
    }
    let credited: Vec<_> = [300, 200, 100, 100].map(Money::from_yuan).to_vec();
    let mut credits = shop.credits(&member);
    credits.sort_by(|one, other| other.cmp(one));
    assert_eq!(credits, credited);
    assert_eq!(shop.cases(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_goes_wrong_while_nobody_does_anything_is_told() {
    let shop = Shop::salon().await;
    let till = Till::open(&shop).await;
    for (wrong_by_ms, is_warned) in [(1_200_000, true), (0, false)] {
        let mut events = till.desk.subscribe();
        till.clock.set_wrong_by(Millis(wrong_by_ms));
        till.until("word of the clock", async || {
            shop.time.advance(Millis::seconds(61));
            let mut came = std::iter::from_fn(|| events.try_recv().ok());
            let told = came.any(|event| matches!(event, CounterEvent::Session));
            let skew = till.session().await.clock_skew_ms;
            (told && skew.is_some() == is_warned).then_some(())
        })
        .await;
    }
}
