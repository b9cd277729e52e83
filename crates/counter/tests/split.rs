//! A top-up paid in two parts: some of it in cash, the rest by card or transfer.

use qiantai_counter::api::CounterApi;
use qiantai_counter::error::{CallError, ErrorCode, MoneyMoved};
use qiantai_counter::view::Fen;
use qiantai_counter::view::order::{Approval, OrderView, PartsView, Stage};
use qiantai_counter::view::order_list::{OrderFilter, OrderPeriod};
use qiantai_counter::view::order_page::PostingView;
use qiantai_counter::view::recorded::PayRecorded;
use qiantai_counter::view::top_up::{ChannelView, Choice, QuoteRequest, QuoteView};
use qiantai_wire::feed::OutcomeDto;

use crate::line::{Verdict, Weather};
use crate::paper::Paper;
use crate::shop::Shop;
use crate::till::{Till, key};

const PARTS: PartsView = PartsView {
    cash_fen: Fen(10_000),
    other_fen: Fen(20_000),
};

/// The price of `text` with `cash` of it in cash, and the intent that it belongs to.
pub async fn price(
    till: &Till,
    member: &str,
    (text, cash): (&str, &str),
    channel: ChannelView,
) -> Result<(String, QuoteView), CallError> {
    let intent = till.intend(member).await;
    let request = QuoteRequest {
        intent: intent.clone(),
        member_id: member.to_owned(),
        choice: Choice::Typed {
            text: text.to_owned(),
        },
        channel,
        cash_part: cash.to_owned(),
    };
    Ok((intent, till.desk.quote(request).await?))
}

/// Everything that is needed to record the split.
pub async fn split_offer(
    till: &Till,
    member: &str,
    (text, cash): (&str, &str),
    channel: ChannelView,
    reference: &str,
) -> PayRecorded {
    let (intent, quote) = price(till, member, (text, cash), channel).await.unwrap();
    PayRecorded {
        intent,
        quote_id: quote.quote_id,
        channel,
        reference: reference.to_owned(),
        reference_confirmed: false,
        duplicate_confirmed: true,
        approval: None,
    }
}

pub async fn found_under(till: &Till, channel: ChannelView) -> Vec<String> {
    let filter = OrderFilter {
        period: OrderPeriod::Today,
        from: String::new(),
        to: String::new(),
        group: None,
        channel: Some(channel),
        cashier_id: None,
        text: String::new(),
    };
    let list = till.desk.find_orders(filter).await.unwrap();
    list.lines.into_iter().map(|line| line.order.id).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn both_parts_are_one_order_one_slip_and_one_credit() {
    for (channel, name) in [
        (ChannelView::Card, "刷卡（人工登记）"),
        (ChannelView::Transfer, "转账（人工登记）"),
    ] {
        let shop = Shop::salon().await;
        let till = Till::open(&shop).await;
        let member = till.zhang_wei().await;
        let before = till.member(&member).await;
        let (_, quote) = price(&till, &member, ("300", "100"), channel)
            .await
            .unwrap();
        assert_eq!((quote.pay_fen, quote.parts), (Fen(30_000), Some(PARTS)));
        let offer = split_offer(&till, &member, ("300", "100"), channel, "000123").await;
        let order = till.desk.pay_recorded(offer.clone()).await.unwrap();
        assert_eq!(order.stage, Stage::Credited);
        assert_eq!((order.channel, order.parts), (Some(channel), Some(PARTS)));
        assert_eq!((order.tendered_fen, order.change_fen), (None, None));
        let twice = till.desk.pay_recorded(offer).await.unwrap();
        assert_eq!(twice.id, order.id, "a second click records nothing");
        check_slips(&till, &order, name).await;
        let confirmed = till.until_confirmed(&order.id).await;
        assert_eq!(confirmed.parts, Some(PARTS), "the server says the same");
        check_books(&shop, &till, &order, channel).await;
        let after = till.member(&member).await;
        assert_eq!(after.principal_fen.0 - before.principal_fen.0, 30_000);
        assert_eq!(shop.cases(), Vec::<String>::new());
    }
}

/// Both amounts stand on both slips, and the drawer opens once for the cash.
async fn check_slips(till: &Till, order: &OrderView, name: &str) {
    till.until_printed(order, 2).await;
    let slips = ["shop", "member"].map(|holder| Paper::of(&till.folder, order, holder));
    for slip in &slips {
        for words in [
            ["付款方式", "组合付款"],
            [name, "200.00"],
            ["现金", "100.00"],
            ["交易号", "000123"],
        ] {
            assert!(slip.says(&words), "{words:?}: {:#?}", slip.lines());
        }
    }
    let pulses: Vec<_> = slips.iter().map(Paper::pulses).collect();
    assert_eq!(pulses, [1, 0], "the drawer opens for its part");
}

async fn check_books(shop: &Shop, till: &Till, order: &OrderView, channel: ChannelView) {
    let page = till.desk.order_page(key(&order.id)).await.unwrap();
    assert_eq!(page.attempts, [], "no gateway was asked");
    let received: Vec<_> = page
        .postings
        .iter()
        .filter_map(|posting| match posting {
            PostingView::Received {
                channel,
                amount_fen,
            } => Some((*channel, amount_fen.0)),
            _ => None,
        })
        .collect();
    assert_eq!(received, [(channel, 20_000), (ChannelView::Cash, 10_000)]);
    for under in [channel, ChannelView::Cash] {
        assert_eq!(
            found_under(till, under).await,
            std::slice::from_ref(&order.id)
        );
    }
    assert!(found_under(till, ChannelView::Wechat).await.is_empty());
    let sum = |account: &str| -> i64 {
        let sql = "SELECT coalesce(sum(amount_fen), 0) FROM posting WHERE account = ?1";
        shop.ledger()
            .query_row(sql, [account], |row| row.get(0))
            .unwrap()
    };
    assert_eq!(sum("clearing"), 20_000);
    let sale = "SELECT amount_fen FROM cash_movement WHERE kind = 'sale'";
    let sale: i64 = shop.ledger().query_row(sale, [], |row| row.get(0)).unwrap();
    assert_eq!(sale, 10_000, "only the part in cash is in the drawer");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_part_that_is_no_part_is_said_before_any_money_is_taken() {
    let shop = Shop::salon().await;
    let till = Till::open(&shop).await;
    let member = till.zhang_wei().await;
    for (cash, expected) in [
        ("0", "amount_zero"),
        ("0.00", "amount_zero"),
        ("0.001", "amount_too_precise"),
        ("-1", "amount_negative"),
        ("abc", "amount_not_a_number"),
        ("300", "cash_part_whole"),
        ("300.01", "cash_part_whole"),
        ("99999999999999999999", "amount_too_large"),
    ] {
        let error = price(&till, &member, ("300", cash), ChannelView::Card).await;
        let error = error.expect_err(cash);
        assert_eq!(error.code, ErrorCode::InvalidInput, "{cash}");
        assert_eq!(error.message_key, format!("error.{expected}"), "{cash}");
        assert_eq!(error.params["field"], "cash_part", "{cash}");
        assert_eq!(error.money, MoneyMoved::No, "{cash}");
    }
    for (cash, parts) in [
        ("  ", None),
        ("0.01", Some((1, 29_999))),
        ("299.99", Some((29_999, 1))),
        ("１００", Some((10_000, 20_000))),
        ("一百", Some((10_000, 20_000))),
    ] {
        let (_, quote) = price(&till, &member, ("300", cash), ChannelView::Card)
            .await
            .unwrap();
        let found = quote
            .parts
            .map(|parts| (parts.cash_fen.0, parts.other_fen.0));
        assert_eq!(found, parts, "{cash:?}");
    }
    for whole in [ChannelView::Cash, ChannelView::ShopCode] {
        let error = price(&till, &member, ("300", "100"), whole).await;
        let error = error.expect_err("it pays the whole");
        assert_eq!(error.message_key, "error.split_not_offered", "{whole:?}");
    }
    till.until_synced().await;
    assert!(till.desk.orders(()).await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_between_the_parts_when_the_till_dies() {
    let shop = Shop::salon().await;
    let mut till = Till::open(&shop).await;
    let member = till.zhang_wei().await;
    // The card is charged, the cash not yet taken: nothing was written.
    let offer = split_offer(&till, &member, ("300", "100"), ChannelView::Card, "000123").await;
    till.crash().await;
    till = Till::reopen(&shop, Weather::Fair).await;
    assert!(till.desk.orders(()).await.unwrap().is_empty());
    let error = till.desk.pay_recorded(offer).await.unwrap_err();
    assert_eq!(error.code, ErrorCode::QuoteChanged);
    // The voucher is in the cashier's hand: keyed in again, it is one top-up.
    let offer = split_offer(&till, &member, ("300", "100"), ChannelView::Card, "000123").await;
    till.line.set(Weather::HoldsAnswers);
    let order = till.desk.pay_recorded(offer.clone()).await.unwrap();
    till.crash().await;
    till = Till::reopen(&shop, Weather::Fair).await;
    let again = till.desk.pay_recorded(offer).await.unwrap();
    assert_eq!((again.id, again.parts), (order.id.clone(), Some(PARTS)));
    till.until_confirmed(&order.id).await;
    till.until_printed(&order, 2).await;
    assert_eq!(shop.credits(&member).len(), 1);
    assert_eq!(shop.cases(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_server_it_takes_a_manager_and_its_cash_counts() {
    let shop = Shop::salon().await;
    let till = Till::open(&shop).await;
    let member = till.zhang_wei().await;
    till.cut(&shop).await;
    let mut offer = split_offer(&till, &member, ("1500", "900"), ChannelView::Card, "000123").await;
    let error = till.desk.pay_recorded(offer.clone()).await.unwrap_err();
    assert_eq!(error.code, ErrorCode::ApprovalNeeded);
    assert_eq!(error.message_key, "error.offline_recorded");
    offer.approval = Some(Approval {
        staff_no: "8001".into(),
        pin: "8888".into(),
    });
    let order = till.desk.pay_recorded(offer).await.unwrap();
    assert_eq!((order.stage, order.provisional), (Stage::Credited, true));
    assert!(order.approver.is_some());
    // 900 of it lies in the drawer beside what other members pay, up to 5000 in all.
    for number in 2..=5 {
        let other = till.find(&format!("0020100000{number}")).await;
        till.cash(&other, "1000").await;
    }
    let last = till.find("00201000006").await;
    let passed = till.cash_offer(&last, "200").await;
    let passed = till.pay_cash(&passed).await.unwrap_err();
    assert_eq!(passed.message_key, "error.offline_cash_cap_terminal");
    assert_eq!(passed.params["reached"], "4,900.00");
    till.mend(&shop).await;
    let confirmed = till.until_confirmed(&order.id).await;
    assert_eq!(
        confirmed.parts.map(|parts| parts.cash_fen),
        Some(Fen(90_000))
    );
    assert_eq!(shop.cases(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_server_keeps_for_a_person_still_says_both_parts() {
    let shop = Shop::salon().await;
    let till = Till::open(&shop).await;
    let member = till.zhang_wei().await;
    till.line.judge(Some(Verdict::Outcome(OutcomeDto::Held)));
    let offer = split_offer(&till, &member, ("300", "100"), ChannelView::Card, "000123").await;
    let order = till.desk.pay_recorded(offer).await.unwrap();
    let held = till.until_stage(&order.id, Stage::Abnormal).await;
    assert_eq!(
        (held.channel, held.parts),
        (Some(ChannelView::Card), Some(PARTS))
    );
    let queue = till.desk.queue(()).await.unwrap();
    assert_eq!(queue.operations[0].amount_fen, Some(Fen(30_000)));
}
