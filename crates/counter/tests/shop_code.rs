//! The shop's own code: made here, scanned by the customer, recorded by hand, verified by nobody.

use qiantai_core::attempt::Channel;
use qiantai_core::ledger::LedgerAccount;
use qiantai_core::merchant_account::MerchantAccount;
use qiantai_core::operation::OperationBody;
use qiantai_core::recorded_payment::RecordedMethod;
use qiantai_counter::api::CounterApi;
use qiantai_counter::error::{CallError, ErrorCode, MoneyMoved};
use qiantai_counter::view::member::MemberKey;
use qiantai_counter::view::order::{Approval, OrderKey, OrderView, Stage};
use qiantai_counter::view::recorded::{PayRecorded, ShowShopCode};
use qiantai_counter::view::top_up::{ChannelOffer, ChannelView, Choice};
use qiantai_pay::channels::emv::MerchantCode;

use crate::paper::Paper;
use crate::shop::Shop;
use crate::till::{Till, key};

fn account() -> MerchantAccount {
    MerchantAccount {
        acquirer: "31127040".to_owned(),
        forwarding: "70002044".to_owned(),
        merchant: "600000000000001".to_owned(),
        category: "7298".to_owned(),
        name: "JIANDAN SALON".to_owned(),
        city: "GUANGZHOU".to_owned(),
    }
}

/// A salon whose counter takes payments by its own code.
async fn salon() -> (Shop, Till, String) {
    let shop = Shop::salon().await;
    shop.change_rules(|policy| {
        policy.channels.push(Channel::ShopCode);
        policy.merchant_account = Some(account());
    })
    .await;
    let till = Till::open(&shop).await;
    let member = till.zhang_wei().await;
    (shop, till, member)
}

struct Sale {
    intent: String,
    quote_id: String,
}

async fn price(till: &Till, member: &str, yuan: &str) -> Sale {
    let intent = till.intend(member).await;
    let text = yuan.to_owned();
    let choice = Choice::Typed { text };
    let quote = till
        .quote(&intent, member, choice, ChannelView::ShopCode)
        .await
        .unwrap();
    Sale {
        intent,
        quote_id: quote.quote_id,
    }
}

impl Sale {
    async fn show(&self, till: &Till, duplicate_confirmed: bool) -> Result<OrderView, CallError> {
        let request = ShowShopCode {
            intent: self.intent.clone(),
            quote_id: self.quote_id.clone(),
            duplicate_confirmed,
        };
        till.desk.shop_code(request).await
    }

    fn record(&self, reference: &str) -> PayRecorded {
        PayRecorded {
            intent: self.intent.clone(),
            quote_id: self.quote_id.clone(),
            channel: ChannelView::ShopCode,
            reference: reference.to_owned(),
            reference_confirmed: false,
            duplicate_confirmed: true,
            approval: None,
        }
    }
}

/// What a customer's app reads in the code: account, amount, reference.
fn read(view: &OrderView) -> (String, String, String) {
    let payload = &view.qr.as_ref().expect("a code").payload;
    let code = MerchantCode::parse(payload).expect("an EMVCo code");
    let value = |found: Option<&str>| found.expect("a field").to_owned();
    (
        value(code.value(15)),
        value(code.value(54)),
        value(code.sub_value(62, 5)),
    )
}

fn is_of(view: &OrderView, amount: &str) {
    let account = "3112704070002044600000000000001".to_owned();
    // The last 25 places of the number: date to the day, time, store, terminal, chance.
    let reference = view.order_no[view.order_no.len() - 25..].to_owned();
    assert_eq!(read(view), (account, amount.to_owned(), reference));
}

fn manager() -> Option<Approval> {
    Some(Approval {
        staff_no: "8001".into(),
        pin: "8888".into(),
    })
}

async fn offer(till: &Till, member: &str) -> Option<ChannelOffer> {
    let member_id = member.to_owned();
    let form = till.desk.top_up_form(MemberKey { member_id });
    let channels = form.await.unwrap().channels;
    let mut channels = channels.into_iter();
    channels.find(|offer| offer.channel == ChannelView::ShopCode)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_scanned_is_recorded_under_the_same_number_and_stays_unverified() {
    let (shop, till, member) = salon().await;
    let before = till.member(&member).await;
    let sale = price(&till, &member, "299.99").await;
    let shown = sale.show(&till, false).await.unwrap();
    assert_eq!(shown.stage, Stage::Waiting);
    is_of(&shown, "299.99");
    // Shown again it is the same code, and the customer's display may ask for it.
    let again = sale.show(&till, false).await.unwrap();
    let order_id = shown.id.clone();
    let on_display = till.desk.order(OrderKey { order_id }).await.unwrap();
    for same in [&again, &on_display] {
        assert!(same.qr == shown.qr, "one code for one payment");
        assert_eq!(same.order_no, shown.order_no);
    }
    till.until_synced().await;
    assert!(
        till.desk.orders(()).await.unwrap().is_empty(),
        "nothing yet"
    );

    let order = till.desk.pay_recorded(sale.record("4km9")).await.unwrap();
    assert_eq!((&order.id, &order.order_no), (&shown.id, &shown.order_no));
    assert_eq!(order.stage, Stage::Credited);
    assert_eq!(order.channel, Some(ChannelView::ShopCode));
    assert_eq!(order.channel_txn_no.as_deref(), Some("4KM9"));
    let twice = till.desk.pay_recorded(sale.record("4km9")).await.unwrap();
    assert_eq!(twice.id, order.id, "a second click records nothing");
    till.until_printed(&order, 2).await;
    let slip = Paper::of(&till.folder, &order, "member");
    for words in ["店码（未核验）", "4KM9"] {
        assert!(slip.says(&[words]), "{words}: {:#?}", slip.lines());
    }

    let confirmed = till.until_confirmed(&order.id).await;
    assert_eq!(confirmed.stage, Stage::Credited);
    let after = till.member(&member).await;
    assert_eq!(after.principal_fen.0 - before.principal_fen.0, 29_999);
    assert_eq!(shop.cases(), Vec::<String>::new());
    let page = till.desk.order_page(key(&order.id)).await.unwrap();
    assert_eq!(page.order.channel, Some(ChannelView::ShopCode));
    let into_clearing = LedgerAccount::Clearing(Channel::ShopCode);
    let signed =
        shop.operations()
            .into_iter()
            .find_map(|signed| match signed.operation().unwrap().body {
                OperationBody::RechargeRecorded(body) => Some(body),
                _ => None,
            });
    let signed = signed.expect("a signed operation");
    assert_eq!(signed.method, RecordedMethod::ShopCode);
    assert_eq!(signed.open.order_no, shown.order_no);
    assert_eq!(
        LedgerAccount::Clearing(signed.method.channel()),
        into_clearing,
        "apart from what a gateway verified"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_server_the_code_is_shown_and_a_manager_lets_it_be_recorded() {
    let (shop, till, member) = salon().await;
    till.until("the rules with the code", async || {
        offer(&till, &member).await
    })
    .await;
    till.cut(&shop).await;
    let offered = offer(&till, &member).await.expect("offered");
    assert!(offered.available);
    assert_eq!(offered.reason.as_deref(), Some("top_up.needs_manager"));
    let sale = price(&till, &member, "500").await;
    let shown = sale.show(&till, false).await.unwrap();
    is_of(&shown, "500.00");
    let mut record = sale.record("20261122-0001");
    let error = till.desk.pay_recorded(record.clone()).await.unwrap_err();
    assert_eq!(error.code, ErrorCode::ApprovalNeeded);
    assert_eq!(error.message_key, "error.offline_recorded");
    record.approval = manager();
    let order = till.desk.pay_recorded(record).await.unwrap();
    assert_eq!((order.stage, order.provisional), (Stage::Credited, true));
    assert_eq!(order.order_no, shown.order_no);
    till.mend(&shop).await;
    let confirmed = till.until_confirmed(&order.id).await;
    assert_eq!(confirmed.channel, Some(ChannelView::ShopCode));
    assert_eq!(shop.cases(), Vec::<String>::new());
    assert_eq!(shop.credits(&member).len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_recorded_for_a_code_that_was_not_on_the_screen() {
    let (_shop, till, member) = salon().await;
    let sale = price(&till, &member, "300").await;
    let error = till.desk.pay_recorded(sale.record("4KM9")).await;
    let error = error.expect_err("no code was shown");
    assert_eq!(error.message_key, "error.shop_code_not_shown");
    assert_eq!(error.money, MoneyMoved::No);
    // A code of another amount was shown: what the customer paid is not this.
    sale.show(&till, false).await.unwrap();
    let text = "400".to_owned();
    let choice = Choice::Typed { text };
    let other = till
        .quote(&sale.intent, &member, choice, ChannelView::ShopCode)
        .await
        .unwrap();
    let mut record = sale.record("4KM9");
    record.quote_id = other.quote_id;
    let error = till.desk.pay_recorded(record).await.unwrap_err();
    assert_eq!(error.message_key, "error.shop_code_not_shown");
    let order = till.desk.pay_recorded(sale.record("4KM9")).await.unwrap();
    assert_eq!(order.pay_fen.0, 30_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_would_stop_it_is_said_before_anybody_pays() {
    let (_shop, till, member) = salon().await;
    till.cash(&member, "300").await;
    let again = price(&till, &member, "300").await;
    let error = again.show(&till, false).await.expect_err("an equal one");
    assert_eq!(error.code, ErrorCode::DuplicateSuspected);
    again.show(&till, true).await.unwrap();
    let large = price(&till, &member, "5001").await;
    let error = large.show(&till, false).await.expect_err("a review");
    assert_eq!(error.message_key, "error.review_needed");
    let text = "100".to_owned();
    let intent = till.intend(&member).await;
    let split = till
        .desk
        .quote(qiantai_counter::view::top_up::QuoteRequest {
            intent,
            member_id: member.clone(),
            choice: Choice::Typed { text },
            channel: ChannelView::ShopCode,
            cash_part: "10".into(),
        });
    let error = split.await.expect_err("the code asks for the whole");
    assert_eq!(error.message_key, "error.split_not_offered");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_an_account_there_is_no_code() {
    let shop = Shop::salon().await;
    let till = Till::open(&shop).await;
    let member = till.zhang_wei().await;
    assert_eq!(offer(&till, &member).await, None);
    let sale = price(&till, &member, "300").await;
    let error = sale.show(&till, false).await.expect_err("not offered");
    assert_eq!(error.message_key, "error.channel_not_offered");
    shop.change_rules(|policy| policy.channels.push(Channel::ShopCode))
        .await;
    let offered = till
        .until("the method", async || offer(&till, &member).await)
        .await;
    assert!(!offered.available);
    assert_eq!(offered.reason.as_deref(), Some("error.shop_code_unset"));
    let error = sale.show(&till, false).await.expect_err("no account");
    assert_eq!(error.message_key, "error.shop_code_unset");
}

/// The server takes no rules whose code would lead nowhere.
#[tokio::test(flavor = "multi_thread")]
async fn rules_with_a_wrong_account_are_refused_field_by_field() {
    type Edit = fn(&mut MerchantAccount);
    let cases: [(Edit, &str); 6] = [
        (|it| it.acquirer.truncate(7), "Acquirer is not 8 places"),
        (|it| it.forwarding.clear(), "Forwarding is empty"),
        (|it| it.merchant.push('1'), "Merchant is not 15 places"),
        (
            |it| it.category = "7A98".into(),
            "Category is character 'A'",
        ),
        (|it| it.name = "简单".into(), "Name is character '简'"),
        (
            |it| it.city = "X".repeat(16),
            "City is more than 15 characters",
        ),
    ];
    let shop = Shop::salon().await;
    for (edit, words) in cases {
        let mut policy = (*shop.policy()).clone();
        policy.version += 1;
        let mut wrong = account();
        edit(&mut wrong);
        policy.merchant_account = Some(wrong);
        let refused = shop.server.publish_policy(policy).await;
        let said = refused.expect_err(words).to_string();
        assert_eq!(said, format!("the merchant account: {words}"));
    }
    assert_eq!(shop.policy().merchant_account, None);
}
