//! Who is led through a top-up, and what a member with little left is offered.

use qiantai_counter::api::CounterApi;
use qiantai_counter::error::ErrorCode;
use qiantai_counter::view::Fen;
use qiantai_counter::view::booked_price::BookedPrice;
use qiantai_counter::view::member::MemberKey;
use qiantai_counter::view::recorded::PayRecorded;
use qiantai_counter::view::session::{Guide, Settings};
use qiantai_counter::view::top_up::{ChannelView, Choice, TopUpForm};

use crate::line::Weather;
use crate::shop::Shop;
use crate::till::Till;

async fn guide(till: &Till, guide: Guide) -> bool {
    let settings = Settings {
        guide,
        ..till.session().await.settings
    };
    till.desk.save_settings(settings).await.unwrap().guided
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_five_top_ups_of_each_person_are_led_across_a_restart() {
    let shop = Shop::salon().await;
    let till = Till::open(&shop).await;
    let member = till.zhang_wei().await;
    for (count, yuan) in ["300", "500", "1000"].into_iter().enumerate() {
        assert!(till.session().await.guided, "{count} so far");
        till.cash(&member, yuan).await;
    }
    // An order counts when it is opened, whatever becomes of its payment.
    let order = till.show_qr(&member, "310").await;
    till.cancel(&order.id).await;
    assert!(till.session().await.guided);
    till.crash().await;

    let till = Till::reopen(&shop, Weather::Fair).await;
    assert!(till.session().await.guided, "four so far");
    let offer = till.qr_offer(&member, "320", ChannelView::Card).await;
    let by_card = PayRecorded {
        intent: offer.intent,
        quote_id: offer.quote_id,
        channel: ChannelView::Card,
        reference: "104512003377".to_owned(),
        reference_confirmed: false,
        duplicate_confirmed: true,
        approval: None,
    };
    till.desk.pay_recorded(by_card).await.unwrap();
    assert!(!till.session().await.guided, "five");
    assert!(guide(&till, Guide::Always).await);
    assert!(!guide(&till, Guide::Never).await);
    assert!(!guide(&till, Guide::First).await);
    till.sign_in_as("1002", "2345").await.unwrap();
    assert!(till.session().await.guided, "another person begins at none");
    assert!(!guide(&till, Guide::Never).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_led_before_a_locked_screen_nor_changes_how_the_shop_sells() {
    let shop = Shop::salon().await;
    let till = Till::open(&shop).await;
    let settings = till.session().await.settings;
    let locked = till.desk.sign_out(()).await.unwrap();
    assert!(!locked.guided);
    for changed in [
        Settings {
            guide: Guide::Never,
            ..settings.clone()
        },
        Settings {
            low_balance_fen: Fen(0),
            ..settings.clone()
        },
    ] {
        let refused = till.desk.save_settings(changed).await.unwrap_err();
        assert_eq!(refused.code, ErrorCode::NotSignedIn);
    }
    assert_eq!(till.session().await.settings, settings);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_low_balance_is_offered_the_last_top_up_again_or_the_smallest() {
    let shop = Shop::salon().await;
    let till = Till::open(&shop).await;
    let member = till.zhang_wei().await;
    let below = async |fen| {
        let settings = Settings {
            low_balance_fen: Fen(fen),
            ..till.session().await.settings
        };
        till.desk.save_settings(settings).await.unwrap();
        let member_id = member.clone();
        till.desk
            .top_up_form(MemberKey { member_id })
            .await
            .unwrap()
    };
    let paid = |form: &TopUpForm, choice: &Choice| {
        let offer = form.offers.iter().find(|offer| offer.choice == *choice);
        offer.unwrap().pay_fen
    };
    let balance = till.member(&member).await.available_fen.0;
    assert_eq!(below(balance).await.suggested, None, "not below itself");
    assert_eq!(below(0).await.suggested, None, "switched off");

    let form = below(balance + 1).await;
    let smallest = form.offers.iter().map(|offer| offer.pay_fen.0).min();
    let suggested = form.suggested.clone().unwrap();
    assert_eq!(Some(paid(&form, &suggested).0), smallest);

    till.cash(&member, "500").await;
    // Opened and given up: not what the member topped up last.
    let given_up = till.qr_offer(&member, "1000", ChannelView::Wechat).await;
    let order = till.desk.start_qr(given_up).await.unwrap();
    till.cancel(&order.id).await;
    let form = below(1_000_000).await;
    let suggested = form.suggested.clone().unwrap();
    assert_eq!(paid(&form, &suggested), Fen(50_000));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_price_that_the_balance_lacks_is_met_by_the_smallest_top_up() {
    let shop = Shop::salon().await;
    let till = Till::open(&shop).await;
    let member = till.zhang_wei().await;
    let balance = till.member(&member).await.available_fen.0;
    let member_id = member.clone();
    let form = till.desk.top_up_form(MemberKey { member_id });
    let form = form.await.unwrap();
    let mut steps: Vec<(i64, i64)> = form
        .offers
        .iter()
        .map(|offer| (offer.pay_fen.0, offer.pay_fen.0 + offer.bonus_fen.0))
        .collect();
    steps.sort_unstable();
    let (smallest, with_bonus) = steps[0];
    let most = steps.iter().map(|(_, adds)| *adds).max().unwrap();
    let beyond = (most + 1 + 99) / 100 * 100;
    for (lacks, expected) in [
        (-balance + 1, None),
        (0, None),
        (1, Some(smallest)),
        (with_bonus, Some(smallest)),
        (with_bonus + 1, Some(steps[1].0)),
        // Nothing on sale adds so much: what is lacking, in whole yuan.
        (most + 1, Some(beyond)),
    ] {
        let price_fen = balance + lacks;
        let request = BookedPrice {
            member_id: member.clone(),
            price: format!("{}.{:02}", price_fen / 100, price_fen % 100),
        };
        let cover = till.desk.cover_price(request).await.unwrap();
        assert_eq!(cover.price_fen, Fen(price_fen));
        assert_eq!(cover.lacks_fen, Fen(lacks.max(0)));
        assert_eq!(cover.left_fen, Fen((-lacks).max(0)));
        let pay = cover.top_up.map(|top_up| top_up.pay_fen.0);
        assert_eq!(pay, expected, "{lacks} fen are lacking");
    }
    for price in ["", "0", "-3", "abc", "0.001"] {
        let request = BookedPrice {
            member_id: member.clone(),
            price: price.to_owned(),
        };
        let refused = till.desk.cover_price(request).await.unwrap_err();
        assert_eq!(refused.code, ErrorCode::InvalidInput, "{price:?}");
    }
}
