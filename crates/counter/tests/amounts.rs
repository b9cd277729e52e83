//! What can be topped up, and what it brings.

use qiantai_counter::api::CounterApi;
use qiantai_counter::error::ErrorCode;
use qiantai_counter::view::Fen;
use qiantai_counter::view::member::MemberKey;
use qiantai_counter::view::top_up::{ChannelView, Choice, NoticeView, TopUpForm};
use qiantai_server::sample::ShopKind;

use crate::line::Weather;
use crate::shop::Shop;
use crate::till::Till;

async fn form(till: &Till, member: &str) -> TopUpForm {
    let key = MemberKey {
        member_id: member.to_owned(),
    };
    till.desk.top_up_form(key).await.unwrap()
}

fn typed(text: &str) -> Choice {
    Choice::Typed {
        text: text.to_owned(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_form_offers_packages_and_amounts_once_each() {
    let shop = Shop::salon().await;
    let till = Till::open(&shop).await;
    let form = form(&till, &till.zhang_wei().await).await;
    let shown: Vec<(i64, i64, Option<&str>)> = form
        .offers
        .iter()
        .map(|offer| {
            (
                offer.pay_fen.0 / 100,
                offer.bonus_fen.0 / 100,
                offer.name.as_deref(),
            )
        })
        .collect();
    assert_eq!(
        shown,
        [
            (300, 50, None),
            (500, 100, None),
            (1_000, 230, None),
            (2_000, 520, None),
            (3_000, 900, None),
        ]
    );
    let best: Vec<Fen> = form
        .offers
        .iter()
        .filter(|offer| offer.most_favourable)
        .map(|offer| offer.pay_fen)
        .collect();
    assert_eq!(
        best,
        [Fen(300_000)],
        "the highest bonus per yuan, marked once"
    );
    assert!(form.custom);
    let channels: Vec<ChannelView> = form.channels.iter().map(|offer| offer.channel).collect();
    use ChannelView::{Alipay, Card, Cash, Ecny, ShopCode, Transfer, Unionpay, Wechat};
    let order = [Wechat, Alipay, Unionpay, Cash, Ecny, Card, Transfer];
    assert_eq!(channels, order);
    assert!(
        form.channels
            .iter()
            .all(|offer| offer.available && offer.reason.is_none())
    );
    till.line.set(Weather::Cut);
    till.cut(&shop).await;
    let offline = self::form(&till, &till.zhang_wei().await).await;
    for offer in offline.channels {
        let expected = match offer.channel {
            Cash => (true, None),
            Card | Transfer | ShopCode => (true, Some("top_up.needs_manager")),
            Wechat | Alipay | Unionpay | Ecny => (false, Some("error.server_unreachable")),
        };
        let found = (offer.available, offer.reason.as_deref());
        assert_eq!(found, expected, "{:?}", offer.channel);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_price_says_what_will_be_true_afterwards() {
    let shop = Shop::salon().await;
    let till = Till::open(&shop).await;
    let member = till.zhang_wei().await;
    let form = form(&till, &member).await;
    let package = form.offers[0].choice.clone();
    assert!(matches!(package, Choice::Package { .. }), "{package:?}");
    // 张伟 holds 460 + 70, has recharged 3 800, and is silver: points × 1.2.
    let cases = [
        (package, 30_000, 5_000, 360, "银卡", "充300送50"),
        (typed("300"), 30_000, 5_000, 360, "银卡", "秋季阶梯"),
        (typed("299.99"), 29_999, 0, 358, "银卡", ""),
        (typed("1"), 100, 0, 1, "银卡", ""),
        (typed("0.01"), 1, 0, 0, "银卡", ""),
        (
            typed("1,234.50"),
            123_450,
            23_000,
            1_480,
            "金卡",
            "秋季阶梯",
        ),
        (
            typed("１２００"),
            120_000,
            23_000,
            1_440,
            "金卡",
            "秋季阶梯",
        ),
        (typed("三百"), 30_000, 5_000, 360, "银卡", "秋季阶梯"),
        (
            Choice::Amount { fen: Fen(100_000) },
            100_000,
            23_000,
            1_200,
            "银卡",
            "秋季阶梯",
        ),
        (typed("5000"), 500_000, 175_000, 6_000, "金卡", "秋季阶梯"),
    ];
    for (choice, pay, bonus, points, tier, rule) in cases {
        let name = format!("{choice:?}");
        let quote = till
            .quote(&form.intent, &member, choice, ChannelView::Cash)
            .await
            .unwrap();
        assert_eq!((quote.pay_fen.0, quote.bonus_fen.0), (pay, bonus), "{name}");
        assert_eq!(quote.principal_after_fen.0, 46_000 + pay, "{name}");
        assert_eq!(quote.bonus_after_fen.0, 7_000 + bonus, "{name}");
        assert_eq!(quote.balance_after_fen.0, 53_000 + pay + bonus, "{name}");
        assert_eq!(quote.points, points, "{name}");
        assert_eq!(
            (quote.tier_before.as_str(), quote.tier_after.as_str()),
            ("银卡", tier),
            "{name}"
        );
        assert_eq!(quote.upgrade, tier != "银卡", "{name}");
        assert_eq!(
            quote.reasons.first().map_or("", String::as_str),
            rule,
            "{name}"
        );
        assert_eq!(quote.bonus_expires_ms.is_some(), bonus > 0, "{name}");
        assert!(
            !quote.blocked && quote.notices.is_empty(),
            "{name}: {:?}",
            quote.notices
        );
        assert_eq!(quote.duplicate_of, None, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_amount_is_named() {
    let shop = Shop::salon().await;
    let till = Till::open(&shop).await;
    let member = till.zhang_wei().await;
    let intent = till.intend(&member).await;
    let cases = [
        ("", "amount_empty"),
        ("   ", "amount_empty"),
        ("0", "amount_zero"),
        ("0.00", "amount_zero"),
        ("-5", "amount_negative"),
        ("−5", "amount_negative"),
        ("0.001", "amount_too_precise"),
        ("1e9", "amount_not_a_number"),
        ("1,00", "amount_not_a_number"),
        ("3oo", "amount_not_a_number"),
        ("NaN", "amount_not_a_number"),
        ("1000000000", "amount_too_large"),
        ("99999999999999999999", "amount_too_large"),
    ];
    for (text, expected) in cases {
        let refused = till
            .quote(&intent, &member, typed(text), ChannelView::Cash)
            .await;
        let refused = refused.expect_err(text);
        assert_eq!(refused.code, ErrorCode::InvalidInput, "{text}");
        assert_eq!(refused.message_key, format!("error.{expected}"), "{text}");
    }
    let amount = |fen| Choice::Amount { fen: Fen(fen) };
    for fen in [0, -1, i64::MIN, i64::MAX] {
        let refused = till
            .quote(&intent, &member, amount(fen), ChannelView::Cash)
            .await;
        assert_eq!(
            refused.unwrap_err().message_key,
            "error.amount_out_of_range",
            "{fen}"
        );
    }
    let package = Choice::Package {
        id: "01890000-0000-7000-8000-000000000000".to_owned(),
        version: 1,
    };
    let refused = till
        .quote(&intent, &member, package, ChannelView::Cash)
        .await
        .unwrap_err();
    assert_eq!(refused.message_key, "error.package_not_on_sale");
    for (intent, member) in [("x", member.as_str()), (intent.as_str(), "x")] {
        let refused = till
            .quote(intent, member, typed("300"), ChannelView::Cash)
            .await;
        assert_eq!(refused.unwrap_err().code, ErrorCode::NotFound);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_of_law_and_shop_block_with_their_sentence() {
    // Each shop with an amount that passes a limit, whatever the method.
    let cases = [
        (ShopKind::Salon, "20000.01", "single_order"),
        (ShopKind::Salon, "5000.01", "single_pay"),
        (ShopKind::Beauty, "4600", "outstanding_principal"),
        (ShopKind::Gym, "4600", "outstanding_principal"),
        (ShopKind::Beauty, "50000", "cash_by_person"),
    ];
    for (kind, text, limit) in cases {
        let shop = Shop::open(kind).await;
        let till = Till::open(&shop).await;
        let member = till.zhang_wei().await;
        let intent = till.intend(&member).await;
        for channel in [ChannelView::Cash, ChannelView::Wechat] {
            let name = format!("{kind:?} {text} {channel:?}");
            let quote = till
                .quote(&intent, &member, typed(text), channel)
                .await
                .unwrap();
            assert!(quote.blocked, "{name}: {:?}", quote.notices);
            let key = format!("limit.{limit}");
            let reviews = |notice: &NoticeView| notice.message_key == key && notice.reviews;
            let reviewed = quote.notices.iter().any(reviews);
            assert_eq!(reviewed, limit == "single_pay", "{name}");
            let named = quote.notices.iter().any(|notice| notice.message_key == key);
            assert_eq!(
                named,
                limit != "cash_by_person" || channel == ChannelView::Cash,
                "{name}"
            );
        }
        let offer = till.cash_offer(&member, text).await;
        let refused = till.pay_cash(&offer).await.unwrap_err();
        assert_eq!(refused.code, ErrorCode::LimitBlocked, "{kind:?} {text}");
        till.until_synced().await;
        assert!(shop.credits(&member).is_empty(), "{kind:?} {text}");
    }
}

/// What no limit lets through is offered with its reason, and never recommended.
#[tokio::test(flavor = "multi_thread")]
async fn an_offer_beyond_a_limit_says_which() {
    let shop = Shop::open(ShopKind::Gym).await;
    let till = Till::open(&shop).await;
    let member = till.zhang_wei().await;
    // 460 of at most 5,000 are on the card; another 2,000 leave no room for 3,000.
    assert_eq!(limits(&till, &member).await, (Fen(300_000), vec![]));
    till.cash(&member, "2000").await;
    let card = ("limit.outstanding_principal".to_owned(), true);
    let beyond = vec![(Fen(300_000), card)];
    assert_eq!(limits(&till, &member).await, (Fen(200_000), beyond));

    // Above 5,000 in a day a review comes first, for which the counter has no place.
    let shop = Shop::salon().await;
    let till = Till::open(&shop).await;
    let member = till.zhang_wei().await;
    till.cash(&member, "2500").await;
    let review = ("limit.day_sum".to_owned(), true);
    let beyond = vec![(Fen(300_000), review)];
    assert_eq!(limits(&till, &member).await, (Fen(200_000), beyond));
}

/// The recommended amount, and each forbidden one with its limit and whether every method is.
async fn limits(till: &Till, member: &str) -> (Fen, Vec<(Fen, (String, bool))>) {
    let form = form(till, member).await;
    let mut best = form.offers.iter().filter(|offer| offer.most_favourable);
    let best = best.next().expect("one is recommended").pay_fen;
    let beyond = form.offers.iter().filter_map(|offer| {
        let limit = offer.blocked.as_ref().or(offer.blocked_in_cash.as_ref())?;
        let reason = (limit.message_key.clone(), offer.blocked.is_some());
        Some((offer.pay_fen, reason))
    });
    (best, beyond.collect())
}
