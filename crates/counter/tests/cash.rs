//! A top-up in cash.

use qiantai_core::Millis;
use qiantai_counter::api::CounterApi;
use qiantai_counter::error::{ErrorCode, MoneyMoved};
use qiantai_counter::view::Fen;
use qiantai_counter::view::event::CounterEvent;
use qiantai_counter::view::order::{PayCash, Stage};
use qiantai_counter::view::top_up::{ChannelView, Choice};

use crate::paper;
use crate::shop::Shop;
use crate::till::{Setup, Till, sentence};

#[tokio::test(flavor = "multi_thread")]
async fn cash_is_credited_at_once_and_then_confirmed_as_quoted() {
    let shop = Shop::salon().await;
    let till = Till::open(&shop).await;
    let member = till.zhang_wei().await;
    let intent = till.intend(&member).await;
    let choice = Choice::Typed {
        text: "1200".to_owned(),
    };
    let quote = till
        .quote(&intent, &member, choice, ChannelView::Cash)
        .await
        .unwrap();
    assert_eq!((quote.tier_after.as_str(), quote.upgrade), ("金卡", true));
    // Nothing comes back from the server before the first look.
    till.line.set(crate::line::Weather::HoldsAnswers);
    let offer = PayCash {
        intent,
        quote_id: quote.quote_id.clone(),
        tendered: "1300".to_owned(),
        duplicate_confirmed: false,
        approval: None,
    };
    let order = till.pay_cash(&offer).await.unwrap();
    assert_eq!((order.stage, order.provisional), (Stage::Credited, true));
    assert_eq!(
        (order.tendered_fen, order.change_fen),
        (Some(Fen(130_000)), Some(Fen(10_000)))
    );
    let provisional = till.member(&member).await;
    assert_eq!(provisional.provisional_fen, Fen(143_000));
    assert!(provisional.recent[0].provisional);

    till.mend(&shop).await;
    let confirmed = till.until_confirmed(&order.id).await;
    for (name, credit) in [
        ("provisional", &order.credit),
        ("confirmed", &confirmed.credit),
    ] {
        let credit = credit.as_ref().unwrap();
        assert_eq!(credit.balance_before_fen, Fen(53_000), "{name}");
        assert_eq!(credit.balance_after_fen, quote.balance_after_fen, "{name}");
        assert_eq!(
            credit.principal_after_fen, quote.principal_after_fen,
            "{name}"
        );
        assert_eq!(credit.bonus_after_fen, quote.bonus_after_fen, "{name}");
        assert_eq!(credit.points, quote.points, "{name}");
        assert_eq!(
            (credit.tier_before.as_str(), credit.tier_after.as_str()),
            ("银卡", "金卡")
        );
    }
    let view = till.member(&member).await;
    assert_eq!(
        (view.available_fen, view.provisional_fen),
        (Fen(196_000), Fen(0))
    );
    assert_eq!(
        (view.tier.as_str(), view.recharged_fen),
        ("金卡", Fen(500_000))
    );
    assert_eq!(view.points, 3_800 + quote.points);
    assert!(!view.recent[0].provisional);
    let account = shop.account(&member);
    assert_eq!(
        (account.principal.fen(), account.bonus.fen()),
        (166_000, 30_000)
    );
    assert_eq!(shop.cases(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_double_click_tops_up_once() {
    let shop = Shop::salon().await;
    let till = Till::open(&shop).await;
    let member = till.zhang_wei().await;
    let offer = till.cash_offer(&member, "300").await;
    let clicks = futures::future::join_all((0..5).map(|_| till.pay_cash(&offer))).await;
    let first = clicks[0].as_ref().unwrap();
    for click in &clicks {
        assert_eq!(click.as_ref().unwrap().id, first.id);
    }
    till.until_confirmed(&first.id).await;
    let late = till.pay_cash(&offer).await.unwrap();
    assert_eq!(
        (late.id.as_str(), late.provisional),
        (first.id.as_str(), false)
    );
    assert_eq!(shop.credits(&member).len(), 1);
    till.until_printed(first, 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn cash_that_does_not_do_is_refused_before_it_is_taken() {
    let shop = Shop::salon().await;
    let till = Till::open(&shop).await;
    let member = till.zhang_wei().await;
    let offer = till.cash_offer(&member, "300").await;
    let cases = [
        ("299.99", "error.tendered_too_little"),
        ("0", "error.amount_zero"),
        ("-300", "error.amount_negative"),
        ("abc", "error.amount_not_a_number"),
        ("300.001", "error.amount_too_precise"),
    ];
    for (tendered, expected) in cases {
        let offer = PayCash {
            tendered: tendered.to_owned(),
            ..offer.clone()
        };
        let refused = till.pay_cash(&offer).await.expect_err(tendered);
        assert_eq!(
            (refused.message_key.as_str(), refused.money),
            (expected, MoneyMoved::No)
        );
    }
    let stranger = PayCash {
        quote_id: uuid::Uuid::nil().to_string(),
        ..offer.clone()
    };
    assert_eq!(
        sentence(till.pay_cash(&stranger).await),
        "error.quote_stale"
    );
    let other_intent = PayCash {
        intent: till.intend(&member).await,
        ..offer.clone()
    };
    assert_eq!(
        sentence(till.pay_cash(&other_intent).await),
        "error.quote_stale"
    );
    assert!(till.desk.queue(()).await.unwrap().prints.is_empty());
    let exact = PayCash {
        tendered: " ".to_owned(),
        ..offer
    };
    let order = till.pay_cash(&exact).await.unwrap();
    assert_eq!(
        (order.tendered_fen, order.change_fen),
        (Some(Fen(30_000)), Some(Fen(0)))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_price_that_changed_is_shown_again_and_not_charged() {
    let shop = Shop::salon().await;
    let till = Till::open(&shop).await;
    let member = till.zhang_wei().await;
    let offer = till.cash_offer(&member, "300").await;
    let qr = till.qr_offer(&member, "300", ChannelView::Wechat).await;
    let written = shop.taken_from(till.device().await);
    shop.change_rules(|policy| policy.ladders.clear()).await;
    till.until("the new rules", async || {
        let intent = till.intend(&member).await;
        let choice = Choice::Typed {
            text: "300".to_owned(),
        };
        let quote = till
            .quote(&intent, &member, choice, ChannelView::Cash)
            .await
            .unwrap();
        (quote.bonus_fen == Fen(0)).then_some(())
    })
    .await;
    for refused in [
        till.pay_cash(&offer).await.unwrap_err(),
        till.desk.start_qr(qr).await.unwrap_err(),
    ] {
        assert_eq!(refused.code, ErrorCode::QuoteChanged);
        assert_eq!(
            (refused.message_key.as_str(), refused.retryable),
            ("error.quote_changed", true)
        );
    }
    let queue = till.desk.queue(()).await.unwrap();
    assert!(queue.operations.is_empty() && queue.prints.is_empty());
    assert_eq!(shop.taken_from(till.device().await), written);

    let fresh = till.cash_offer(&member, "300").await;
    shop.time.advance(Millis::minutes(16));
    assert_eq!(sentence(till.pay_cash(&fresh).await), "error.quote_changed");
    let order = till.cash(&member, "300").await;
    assert_eq!(order.bonus_fen, Fen(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_equal_top_up_within_two_minutes_is_asked_about() {
    let shop = Shop::salon().await;
    let till = Till::open(&shop).await;
    let member = till.zhang_wei().await;
    let mut events = till.desk.subscribe();
    let first = till.cash(&member, "300").await;
    let mut came = std::iter::from_fn(|| events.try_recv().ok());
    assert!(
        came.any(
            |event| matches!(event, CounterEvent::Member { member_id } if member_id == member)
        ),
        "the balance beside the sale is told"
    );
    till.until_confirmed(&first.id).await;
    let intent = till.intend(&member).await;
    let choice = || Choice::Typed {
        text: "300".to_owned(),
    };
    let quote = till
        .quote(&intent, &member, choice(), ChannelView::Cash)
        .await
        .unwrap();
    assert_eq!(quote.duplicate_of, Some(first.order_no.clone()));
    let mut again = PayCash {
        intent,
        quote_id: quote.quote_id,
        tendered: String::new(),
        duplicate_confirmed: false,
        approval: None,
    };
    let asked = till.pay_cash(&again).await.unwrap_err();
    assert_eq!(asked.code, ErrorCode::DuplicateSuspected);
    let mut qr = till.qr_offer(&member, "300", ChannelView::Alipay).await;
    qr.duplicate_confirmed = false;
    let asked = till.desk.start_qr(qr).await.unwrap_err();
    assert_eq!(asked.code, ErrorCode::DuplicateSuspected);
    again.duplicate_confirmed = true;
    let second = till.pay_cash(&again).await.unwrap();
    assert_ne!(second.id, first.id);
    till.until_confirmed(&second.id).await;
    shop.time.advance(Millis::minutes(3));
    let later = till.intend(&member).await;
    let quote = till
        .quote(&later, &member, choice(), ChannelView::Cash)
        .await
        .unwrap();
    assert_eq!(quote.duplicate_of, None);
    assert_eq!(shop.credits(&member).len(), 2);
    assert_eq!(shop.cases(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_frozen_member_tops_up_nothing() {
    let shop = Shop::salon().await;
    // No operation freezes a member yet.
    let frozen = "UPDATE member SET status = 'frozen' WHERE member_no = '00201000001'";
    assert_eq!(shop.ledger().execute(frozen, []).unwrap(), 1);
    let till = Till::open(&shop).await;
    let member = till.zhang_wei().await;
    assert!(!till.member(&member).await.active);
    let offer = till.cash_offer(&member, "300").await;
    assert_eq!(
        sentence(till.pay_cash(&offer).await),
        "error.member_not_active"
    );
    let qr = till.qr_offer(&member, "300", ChannelView::Wechat).await;
    assert_eq!(
        sentence(till.desk.start_qr(qr).await),
        "error.member_not_active"
    );
    till.until_synced().await;
    assert!(shop.credits(&member).is_empty() && paper::files(&till.folder).is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_intent_after_a_restart_finds_its_order() {
    let shop = Shop::salon().await;
    let till = Till::open(&shop).await;
    let member = till.zhang_wei().await;
    let offer = till.cash_offer(&member, "300").await;
    let order = till.pay_cash(&offer).await.unwrap();
    till.crash().await;
    let till = Till::start(&shop, Setup::default()).await;
    till.sign_in().await;
    assert_eq!(till.pay_cash(&offer).await.unwrap().id, order.id);
    till.until_confirmed(&order.id).await;
    assert_eq!(shop.credits(&member).len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn beside_a_payment_without_a_result_another_is_asked_about() {
    let shop = Shop::salon().await;
    let till = Till::open(&shop).await;
    let member = till.zhang_wei().await;
    let waiting = till.show_qr(&member, "300").await;
    // Neither equal nor of the same minutes.
    shop.time.advance(Millis::minutes(3));
    let intent = till.intend(&member).await;
    let choice = Choice::Typed {
        text: "500".to_owned(),
    };
    let quote = till
        .quote(&intent, &member, choice, ChannelView::Cash)
        .await
        .unwrap();
    assert_eq!(quote.duplicate_of, None);
    assert_eq!(quote.unsettled, Some(waiting.order_no.clone()));
    let mut cash = PayCash {
        intent,
        quote_id: quote.quote_id,
        tendered: String::new(),
        duplicate_confirmed: false,
        approval: None,
    };
    let asked = sentence(till.pay_cash(&cash).await);
    assert_eq!(asked, "error.payment_unsettled");
    let mut qr = till.qr_offer(&member, "600", ChannelView::Alipay).await;
    qr.duplicate_confirmed = false;
    let asked = sentence(till.desk.start_qr(qr).await);
    assert_eq!(asked, "error.payment_unsettled");
    assert!(shop.credits(&member).is_empty());

    cash.duplicate_confirmed = true;
    till.pay_cash(&cash).await.unwrap();
    till.cancel(&waiting.id).await;
    let ended = till.until_stage(&waiting.id, Stage::Ended).await;
    assert_eq!(ended.stage, Stage::Ended);
    let mut later = till.cash_offer(&member, "700").await;
    later.duplicate_confirmed = false;
    till.pay_cash(&later).await.unwrap();
}
