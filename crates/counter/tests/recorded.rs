//! Card payments and transfers that the cashier records with the bank's reference.

use qiantai_core::operation::OperationBody;
use qiantai_counter::api::CounterApi;
use qiantai_counter::error::{CallError, ErrorCode, MoneyMoved};
use qiantai_counter::view::order::{Approval, OrderView, Stage};
use qiantai_counter::view::recorded::PayRecorded;
use qiantai_counter::view::top_up::{ChannelView, Choice};
use qiantai_wire::feed::OutcomeDto;

use crate::line::Verdict;
use crate::paper::Paper;
use crate::shop::Shop;
use crate::till::{Till, key};

async fn offer(
    till: &Till,
    member: &str,
    text: &str,
    channel: ChannelView,
    reference: &str,
) -> PayRecorded {
    let intent = till.intend(member).await;
    let choice = Choice::Typed {
        text: text.to_owned(),
    };
    let quote = till.quote(&intent, member, choice, channel).await.unwrap();
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

async fn record(till: &Till, offer: &PayRecorded) -> Result<OrderView, CallError> {
    till.desk.pay_recorded(offer.clone()).await
}

async fn refused(till: &Till, offer: &PayRecorded) -> CallError {
    let error = record(till, offer).await.expect_err("it is refused");
    assert_eq!(error.money, MoneyMoved::No);
    error
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_is_recorded_once_and_printed_as_what_it_is() {
    for (channel, name) in [
        (ChannelView::Card, "刷卡（人工登记）"),
        (ChannelView::Transfer, "转账（人工登记）"),
    ] {
        let shop = Shop::salon().await;
        let till = Till::open(&shop).await;
        let member = till.zhang_wei().await;
        let before = till.member(&member).await;
        let offer = offer(&till, &member, "300", channel, " 0001 23").await;
        let order = record(&till, &offer).await.unwrap();
        assert_eq!(order.stage, Stage::Credited);
        assert_eq!(order.channel, Some(channel));
        assert_eq!(order.channel_txn_no.as_deref(), Some("000123"));
        let twice = record(&till, &offer).await.unwrap();
        assert_eq!(twice.id, order.id, "a second click records nothing");
        till.until_printed(&order, 2).await;
        let slip = Paper::of(&till.folder, &order, "shop");
        for words in [name, "000123"] {
            assert!(slip.says(&[words]), "{words}: {:#?}", slip.lines());
        }

        let confirmed = till.until_confirmed(&order.id).await;
        assert_eq!(confirmed.stage, Stage::Credited);
        let after = till.member(&member).await;
        assert_eq!(after.principal_fen.0 - before.principal_fen.0, 30_000);
        assert_eq!(shop.cases(), Vec::<String>::new());
        let page = till.desk.order_page(key(&order.id)).await.unwrap();
        assert_eq!(page.order.channel_txn_no.as_deref(), Some("000123"));
        assert_eq!(page.attempts, [], "no gateway was asked");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_reference_is_said_and_records_nothing() {
    let shop = Shop::salon().await;
    let till = Till::open(&shop).await;
    let member = till.zhang_wei().await;
    let long = "1".repeat(33);
    for (typed, expected) in [
        ("", "reference_empty"),
        ("  ", "reference_empty"),
        ("12", "reference_too_short"),
        (long.as_str(), "reference_too_long"),
        ("1234😀", "reference_character"),
        ("1234\u{202e}5", "reference_character"),
        ("6222 0200 0000 0000 000", "reference_card_number"),
    ] {
        let offer = offer(&till, &member, "300", ChannelView::Card, typed).await;
        let error = refused(&till, &offer).await;
        assert_eq!(error.code, ErrorCode::InvalidInput, "{typed:?}");
        assert_eq!(error.message_key, format!("error.{expected}"), "{typed:?}");
    }
    let by_wallet = offer(&till, &member, "300", ChannelView::Wechat, "000123").await;
    let error = refused(&till, &by_wallet).await;
    assert_eq!(error.message_key, "error.channel_not_offered");
    till.until_synced().await;
    let recorded = shop.operations().into_iter().filter(|signed| {
        let body = signed.operation().unwrap().body;
        matches!(body, OperationBody::RechargeRecorded(_))
    });
    assert_eq!(recorded.count(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reference_used_before_is_asked_about_or_refused() {
    let shop = Shop::salon().await;
    let till = Till::open(&shop).await;
    let member = till.zhang_wei().await;
    let other = till.find("00201000003").await;
    for confirmed in [false, true] {
        // At first known from this terminal's own log alone, then from the server's.
        let (card, transfer) = match confirmed {
            false => ("000777", "AB-0001"),
            true => ("000888", "AB-0002"),
        };
        for (channel, reference, code, key) in [
            (
                ChannelView::Card,
                card,
                ErrorCode::ReferenceUsed,
                "reference_used",
            ),
            (
                ChannelView::Transfer,
                transfer,
                ErrorCode::InvalidInput,
                "reference_taken",
            ),
        ] {
            let first = offer(&till, &member, "300", channel, reference).await;
            let first = record(&till, &first).await.unwrap();
            if confirmed {
                till.until_confirmed(&first.id).await;
            }
            let mut second = offer(&till, &other, "200", channel, reference).await;
            let error = refused(&till, &second).await;
            assert_eq!(error.code, code);
            assert_eq!(error.message_key, format!("error.{key}"));
            assert_eq!(error.params["no"], first.order_no);
            second.reference_confirmed = true;
            match channel {
                ChannelView::Card => {
                    let recorded = record(&till, &second).await.unwrap();
                    till.until_confirmed(&recorded.id).await;
                }
                _ => assert_eq!(refused(&till, &second).await.code, code),
            }
        }
    }
    assert_eq!(
        shop.cases(),
        Vec::<String>::new(),
        "nothing needed a person"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_server_keeps_for_a_person_is_told_as_what_it_is() {
    for channel in [ChannelView::Card, ChannelView::Transfer] {
        let shop = Shop::salon().await;
        let till = Till::open(&shop).await;
        let member = till.zhang_wei().await;
        till.line.judge(Some(Verdict::Outcome(OutcomeDto::Held)));
        let offer = offer(&till, &member, "300", channel, "000123").await;
        let order = record(&till, &offer).await.unwrap();
        let held = till.until_stage(&order.id, Stage::Abnormal).await;
        let said = held.failure.map(|failure| failure.message_key);
        assert_eq!(said.as_deref(), Some("error.held_by_server"));
        assert_eq!(held.channel, Some(channel));
        assert_eq!(held.channel_txn_no.as_deref(), Some("000123"));
        assert_eq!((held.credit, held.provisional), (None, false));
        let queue = till.desk.queue(()).await.unwrap();
        assert_eq!(queue.operations[0].kind_key, "operation.recharge_recorded");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_server_it_takes_a_manager() {
    let shop = Shop::salon().await;
    let till = Till::open(&shop).await;
    let member = till.zhang_wei().await;
    till.cut(&shop).await;
    let mut offer = offer(&till, &member, "300", ChannelView::Card, "000123").await;
    let error = refused(&till, &offer).await;
    assert_eq!(error.code, ErrorCode::ApprovalNeeded);
    assert_eq!(error.message_key, "error.offline_recorded");
    offer.approval = Some(Approval {
        staff_no: "8001".into(),
        pin: "0000".into(),
    });
    assert_eq!(refused(&till, &offer).await.code, ErrorCode::PinWrong);
    offer.approval = Some(Approval {
        staff_no: "8001".into(),
        pin: "8888".into(),
    });
    let order = record(&till, &offer).await.unwrap();
    assert_eq!((order.stage, order.provisional), (Stage::Credited, true));
    assert!(order.approver.is_some());
    till.mend(&shop).await;
    let confirmed = till.until_confirmed(&order.id).await;
    assert_eq!(confirmed.stage, Stage::Credited);
    assert_eq!(shop.cases(), Vec::<String>::new());
}
