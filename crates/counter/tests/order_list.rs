//! Finding orders, and what one of them tells.

use qiantai_core::{Millis, Timestamp};
use qiantai_counter::api::CounterApi;
use qiantai_counter::error::{CallError, ErrorCode};
use qiantai_counter::view::Fen;
use qiantai_counter::view::order_list::{OrderFilter, OrderGroup, OrderList, OrderPeriod};
use qiantai_counter::view::order_page::PostingView;
use qiantai_counter::view::queue::OperationState;
use qiantai_counter::view::top_up::ChannelView;

use crate::shop::Shop;
use crate::till::{Till, key};

const CUT_OFF_MINUTES: u16 = 240;
const HALF_A_DAY: Millis = Millis::hours(12);

fn today() -> OrderFilter {
    OrderFilter {
        period: OrderPeriod::Today,
        from: String::new(),
        to: String::new(),
        group: None,
        channel: None,
        cashier_id: None,
        text: String::new(),
    }
}

fn days(from: &str, to: &str) -> OrderFilter {
    OrderFilter {
        period: OrderPeriod::Days,
        from: from.to_owned(),
        to: to.to_owned(),
        ..today()
    }
}

fn with_text(text: &str) -> OrderFilter {
    OrderFilter {
        text: text.to_owned(),
        ..today()
    }
}

async fn find(till: &Till, filter: OrderFilter) -> Result<OrderList, CallError> {
    till.desk.find_orders(filter).await
}

#[tokio::test(flavor = "multi_thread")]
async fn orders_are_found_by_what_people_know_of_them() {
    let shop = Shop::salon().await;
    let till = Till::open(&shop).await;
    let member = till.zhang_wei().await;
    let cash = till.cash(&member, "300").await;
    let waiting = till.show_qr(&member, "500").await;
    let staff = till.session().await.staff;
    let by = |at: usize| OrderFilter {
        cashier_id: Some(staff[at].id.clone()),
        ..today()
    };
    let own = staff.iter().position(|tile| tile.staff_no == "1001");
    let own = own.unwrap();
    let (paid, open) = (cash.order_no.as_str(), waiting.order_no.as_str());
    // As an input method leaves it behind.
    let wide = paid
        .chars()
        .map(|c| char::from_u32(u32::from(c) + 0xFEE0).unwrap());
    let wide: String = wide.collect();
    let cases: Vec<(&str, OrderFilter, Vec<&str>)> = vec![
        ("today", today(), vec![open, paid]),
        (
            "a week",
            OrderFilter {
                period: OrderPeriod::Week,
                ..today()
            },
            vec![open, paid],
        ),
        (
            "yesterday",
            OrderFilter {
                period: OrderPeriod::Yesterday,
                ..today()
            },
            vec![],
        ),
        ("all days", days("", ""), vec![open, paid]),
        ("long ago", days("2020-01-01", "2020-12-31"), vec![]),
        (
            "credited",
            OrderFilter {
                group: Some(OrderGroup::Credited),
                ..today()
            },
            vec![paid],
        ),
        (
            "open",
            OrderFilter {
                group: Some(OrderGroup::Open),
                ..today()
            },
            vec![open],
        ),
        (
            "unpaid",
            OrderFilter {
                group: Some(OrderGroup::Unpaid),
                ..today()
            },
            vec![],
        ),
        (
            "cash",
            OrderFilter {
                channel: Some(ChannelView::Cash),
                ..today()
            },
            vec![paid],
        ),
        ("its number", with_text(paid), vec![paid]),
        ("its number in full width", with_text(&wide), vec![paid]),
        (
            "part of a number",
            with_text(&open[20..].to_lowercase()),
            vec![open],
        ),
        ("a name", with_text(" 张伟 "), vec![open, paid]),
        ("initials", with_text("zw"), vec![open, paid]),
        ("nobody", with_text("无此人"), vec![]),
        ("the cashier", by(own), vec![open, paid]),
        ("another person", by((own + 1) % staff.len()), vec![]),
    ];
    for (name, filter, expected) in cases {
        let list = find(&till, filter).await.unwrap();
        let found: Vec<&str> = list
            .lines
            .iter()
            .map(|line| line.order.order_no.as_str())
            .collect();
        assert_eq!(found, expected, "{name}");
        let paid_ones = u32::from(expected.contains(&paid));
        adds_up(&list, expected.len(), paid_ones, &staff[own].name, name);
    }
}

/// The sum of a list with at most one credited order of 300 and 50.
fn adds_up(list: &OrderList, count: usize, credited: u32, cashier: &str, name: &str) {
    assert_eq!(usize::try_from(list.count).unwrap(), count, "{name}");
    let paid = Fen(30_000 * i64::from(credited));
    let bonus = Fen(5_000 * i64::from(credited));
    let sum = (list.credited, list.paid_fen, list.bonus_fen);
    assert_eq!(sum, (credited, paid, bonus), "{name}");
    let named = list.lines.iter().all(|line| line.cashier == cashier);
    assert!(named && !list.cut, "{name}");
}

/// A list that stays open over the end of the business day is asked for anew then.
#[tokio::test(flavor = "multi_thread")]
async fn a_list_says_how_long_its_today_lasts() {
    let shop = Shop::salon().await;
    let now = shop.time.now();
    let tomorrow = now.business_date(CUT_OFF_MINUTES).next_day().unwrap();
    let ends = Timestamp::start_of_business_day(tomorrow, CUT_OFF_MINUTES);
    shop.time.advance(ends - now);
    shop.time.advance(HALF_A_DAY);
    let till = Till::open(&shop).await;
    let member = till.zhang_wei().await;
    till.cash(&member, "300").await;
    let count_and_left = async |period| {
        let list = find(&till, OrderFilter { period, ..today() })
            .await
            .unwrap();
        (list.count, Millis(list.today_left_ms.0))
    };
    let (count, left) = count_and_left(OrderPeriod::Today).await;
    assert_eq!(count, 1);
    let took = HALF_A_DAY.0 - left.0;
    assert!((0..60_000).contains(&took), "{left:?} are left");

    shop.time.advance(left);
    let (count, left) = count_and_left(OrderPeriod::Today).await;
    assert_eq!(count, 0, "it is yesterday's now");
    let took = HALF_A_DAY.0 * 2 - left.0;
    assert!((0..60_000).contains(&took), "{left:?} are left");
    assert_eq!(count_and_left(OrderPeriod::Yesterday).await.0, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn days_that_are_none_are_named_with_their_field() {
    let shop = Shop::salon().await;
    let till = Till::open(&shop).await;
    for (filter, sentence, field) in [
        (days("2026-13-01", ""), "error.day_wrong", "from"),
        (days("", "昨天"), "error.day_wrong", "to"),
        (days("2026-11-02", "2026-11-01"), "error.day_order", "to"),
    ] {
        let refused = find(&till, filter).await.unwrap_err();
        assert_eq!(refused.message_key, sentence);
        assert_eq!(refused.params.get("field").map(String::as_str), Some(field));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_tells_why_this_price_what_was_signed_and_what_was_posted() {
    let shop = Shop::salon().await;
    let till = Till::open(&shop).await;
    let member = till.zhang_wei().await;
    let order = till.cash(&member, "1200").await;
    let order = till.until_confirmed(&order.id).await;
    let page = till.desk.order_page(key(&order.id)).await.unwrap();
    let counted: Vec<(&str, &str, i64)> = page
        .rules
        .iter()
        .filter(|rule| rule.counted)
        .map(|rule| (rule.kind_key.as_str(), rule.name.as_str(), rule.bonus_fen.0))
        .collect();
    let expected = [
        ("rule.ladder", "秋季阶梯", 23_000),
        ("rule.tier", "金卡", 0),
    ];
    assert_eq!(counted, expected);
    assert!(page.attempts.is_empty(), "cash is no attempt");
    let signed: Vec<(&str, OperationState)> = page
        .operations
        .iter()
        .map(|row| (row.kind_key.as_str(), row.state))
        .collect();
    assert_eq!(
        signed,
        [("operation.recharge_cash", OperationState::Confirmed)]
    );
    let (pay, bonus) = (Fen(120_000), Fen(23_000));
    assert_eq!(
        page.postings[..3],
        [
            PostingView::Received {
                channel: ChannelView::Cash,
                amount_fen: pay
            },
            PostingView::Principal {
                amount_fen: pay,
                before_fen: Fen(46_000),
                after_fen: Fen(166_000),
            },
            PostingView::Bonus {
                amount_fen: bonus,
                before_fen: Fen(7_000),
                after_fen: Fen(30_000),
            },
        ]
    );
    assert!(
        page.postings
            .contains(&PostingView::Points { count: 1_440 })
    );
    let risen = PostingView::Tier {
        before: "银卡".to_owned(),
        after: "金卡".to_owned(),
    };
    assert_eq!(page.postings.last(), Some(&risen));

    let waiting = till.show_qr(&member, "300").await;
    let page = till.desk.order_page(key(&waiting.id)).await.unwrap();
    assert!(page.postings.is_empty(), "nothing came in yet");
    assert_eq!(page.attempts.len(), 1);
    assert_eq!(page.attempts[0].state_key, "attempt_state.submitted");
    assert_eq!(page.attempts[0].method_key, "attempt.qr");

    till.desk.sign_out(()).await.unwrap();
    let locked = till.desk.order_page(key(&order.id)).await.unwrap_err();
    assert_eq!(locked.code, ErrorCode::NotSignedIn);
    let locked = find(&till, today()).await.unwrap_err();
    assert_eq!(locked.code, ErrorCode::NotSignedIn);
}
