//! The life of a QR payment against the simulated gateway.

use qiantai_core::attempt::AttemptState;
use qiantai_core::operation::OperationBody;
use qiantai_core::recharge::OrderState;
use qiantai_core::{Millis, Money};
use qiantai_pay::{CloseAnswer, GatewayAnswer, QrAnswer, UnknownCause};
use qiantai_paysim::gateway::{
    AnswerFault, AnswerRule, NoticeFault, NoticeRule, Operation, PhoneAction,
};
use qiantai_wire::api::AttemptAnswer;
use qiantai_wire::feed::OutcomeDto;

use crate::harness::Shop;
use crate::till::Till;

const MERCHANT: &str = "1900000001";

fn fault(shop: &Shop, operation: Operation, fault: AnswerFault, times: Option<u32>) {
    let rule = AnswerRule {
        attempt_no: None,
        operation: Some(operation),
        fault,
        times,
    };
    shop.simulator
        .with(|gateway, _| gateway.faults().answers.push(rule));
}

#[tokio::test]
async fn a_paid_qr_code_is_credited_by_its_notice() {
    let shop = Shop::open(3).await;
    let mut till = Till::open(&shop).await;
    let member = shop.members()[0];
    let (order, attempt) = till.show_qr(&shop, member, 1_200).await;
    assert_eq!(attempt.state, AttemptState::Submitted);
    shop.phone(&attempt, &PhoneAction::Pay);
    assert_eq!(shop.deliver_notices().await, [true]);

    let order = shop.order(order.id);
    assert_eq!(order.state, OrderState::Credited);
    let credit = order.credit.unwrap();
    assert_eq!(
        credit.principal,
        (Money::from_yuan(460), Money::from_yuan(1_660))
    );
    assert_eq!(credit.bonus, (Money::from_yuan(70), Money::from_yuan(300)));
    let tier = |id| {
        shop.policy
            .tiers
            .iter()
            .find(|tier| tier.id == id)
            .unwrap()
            .name
            .clone()
    };
    assert_eq!(
        (tier(credit.tier.0), tier(credit.tier.1)),
        ("银卡".into(), "金卡".into())
    );
    assert_eq!(shop.balance("clearing"), 120_000);
    let takings = shop.simulator.with(|gateway, _| gateway.takings(MERCHANT));
    assert_eq!(takings, Money::from_yuan(1_200));

    let path = format!("/v1/attempts/{}", attempt.id);
    let answer: AttemptAnswer = till.call(&shop, "GET", &path, Vec::new()).await;
    let settlement = qiantai_wire::SignedOperation::from(answer.settlement.unwrap().0);
    let key = ed25519_dalek::VerifyingKey::from_bytes(&till.join.server_public_key.0).unwrap();
    settlement.verify(&key).unwrap();
}

#[tokio::test]
async fn without_a_notice_the_sweep_finds_the_money() {
    let shop = Shop::open(1).await;
    let mut till = Till::open(&shop).await;
    let member = shop.members()[0];
    let (order, attempt) = till.show_qr(&shop, member, 300).await;
    shop.phone(&attempt, &PhoneAction::PayWithoutNotice);
    shop.pass(Millis::seconds(3)).await;
    assert_eq!(shop.order(order.id).state, OrderState::PendingPayment);
    shop.pass(Millis::seconds(2)).await;
    assert_eq!(shop.order(order.id).state, OrderState::Credited);
}

#[tokio::test]
async fn a_terminal_that_asks_gets_the_answer_at_once() {
    let shop = Shop::open(1).await;
    let mut till = Till::open(&shop).await;
    let member = shop.members()[0];
    let (_, attempt) = till.show_qr(&shop, member, 300).await;
    shop.phone(&attempt, &PhoneAction::PayWithoutNotice);
    let path = format!("/v1/attempts/{}/query", attempt.id);
    let answer: AttemptAnswer = till.call(&shop, "POST", &path, Vec::new()).await;
    assert_eq!(answer.order.state, OrderState::Credited.into());
}

/// What the phone does, and where order, attempt and books end.
#[tokio::test]
async fn every_phone_action_ends_well() {
    let check = async |action: PhoneAction, order_state, attempt_state, credited: i64, cases| {
        let shop = Shop::open(1).await;
        let mut till = Till::open(&shop).await;
        let member = shop.members()[0];
        let before = shop.principal(member);
        let (order, attempt) = till.show_qr(&shop, member, 300).await;
        shop.phone(&attempt, &action);
        for _ in 0..3 {
            shop.deliver_notices().await;
            shop.pass(Millis::seconds(5)).await;
        }
        shop.pass(Millis::minutes(6)).await;
        shop.pass(Millis::minutes(1)).await;
        shop.pass(Millis::minutes(10)).await;
        let (order, attempt) = (shop.order(order.id), shop.attempt(attempt.id));
        assert_eq!(
            (order.state, attempt.state),
            (order_state, attempt_state),
            "{action:?}"
        );
        let gained = shop.principal(member) - before;
        assert_eq!(gained, Money::from_yuan(credited), "{action:?}");
        assert_eq!(shop.cases(), cases, "{action:?}");
        // Whatever the gateway kept stands in clearing, and nowhere is money invented.
        let takings = shop.simulator.with(|gateway, _| gateway.takings(MERCHANT));
        assert_eq!(shop.balance("clearing"), takings.fen(), "{action:?}");
    };
    use {AttemptState as Attempt, OrderState as Order};
    let none: [&str; 0] = [];
    let decline = PhoneAction::Decline {
        cause: "BALANCE_SHORT".into(),
    };
    check(
        PhoneAction::Pay,
        Order::Credited,
        Attempt::Succeeded,
        300,
        &none[..],
    )
    .await;
    check(
        PhoneAction::PayWithoutNotice,
        Order::Credited,
        Attempt::Succeeded,
        300,
        &none,
    )
    .await;
    check(decline, Order::Closed, Attempt::Failed, 0, &none).await;
    check(
        PhoneAction::Ignore,
        Order::Closed,
        Attempt::Closed,
        0,
        &none,
    )
    .await;
    // Late for its QR code, in time for its order.
    check(
        PhoneAction::PayLate,
        Order::Credited,
        Attempt::Succeeded,
        300,
        &none,
    )
    .await;
    let twice = ["SecondPayment"];
    check(
        PhoneAction::PayTwice,
        Order::Credited,
        Attempt::Succeeded,
        300,
        &twice,
    )
    .await;
    let off = ["AmountMismatch"];
    check(
        PhoneAction::PayAmountOff,
        Order::Abnormal,
        Attempt::Succeeded,
        0,
        &off,
    )
    .await;
    check(
        PhoneAction::ForgeNotice,
        Order::Closed,
        Attempt::Closed,
        0,
        &none,
    )
    .await;
}

#[tokio::test]
async fn a_second_payment_goes_back_once() {
    let shop = Shop::open(1).await;
    let mut till = Till::open(&shop).await;
    let member = shop.members()[0];
    let (_, attempt) = till.show_qr(&shop, member, 300).await;
    fault(&shop, Operation::Refund, AnswerFault::Silent, Some(1));
    shop.phone(&attempt, &PhoneAction::PayTwice);
    assert_eq!(shop.deliver_notices().await, [true, true]);
    // The first refund is done and its answer lost; the next try asks before it repeats.
    shop.server.settle_due().await.unwrap();
    assert!(!shop.attempt(attempt.id).surplus[0].refunded);
    shop.pass(Millis::seconds(5)).await;
    let surplus = &shop.attempt(attempt.id).surplus;
    assert!(surplus.len() == 1 && surplus[0].refunded, "{surplus:?}");
    assert_eq!(shop.balance("suspense"), 0);
    assert_eq!(shop.balance("clearing"), 30_000);
    let takings = shop.simulator.with(|gateway, _| gateway.takings(MERCHANT));
    assert_eq!(takings, Money::from_yuan(300));
}

#[tokio::test]
async fn notices_may_be_forged_doubled_and_late() {
    for kind in [
        NoticeFault::Forged,
        NoticeFault::Double,
        NoticeFault::Late { delay_ms: 60_000 },
        NoticeFault::Lose { tries: 1 },
    ] {
        let shop = Shop::open(1).await;
        let mut till = Till::open(&shop).await;
        let member = shop.members()[0];
        let before = shop.principal(member);
        let (order, attempt) = till.show_qr(&shop, member, 300).await;
        let rule = NoticeRule {
            attempt_no: None,
            fault: kind,
            times: None,
        };
        shop.simulator
            .with(|gateway, _| gateway.faults().notices.push(rule));
        shop.phone(&attempt, &PhoneAction::Pay);
        for _ in 0..4 {
            shop.deliver_notices().await;
            shop.pass(Millis::seconds(30)).await;
        }
        assert_eq!(shop.order(order.id).state, OrderState::Credited, "{kind:?}");
        assert_eq!(
            shop.principal(member) - before,
            Money::from_yuan(300),
            "{kind:?}"
        );
        assert_eq!(shop.balance("clearing"), 30_000, "{kind:?}");
        assert!(shop.cases().is_empty(), "{kind:?}: {:?}", shop.cases());
    }
}

#[tokio::test]
async fn cancelling_races_with_paying_and_money_wins() {
    for pays_first in [false, true] {
        let shop = Shop::open(1).await;
        let mut till = Till::open(&shop).await;
        let member = shop.members()[0];
        let (order, attempt) = till.show_qr(&shop, member, 300).await;
        if pays_first {
            shop.phone(&attempt, &PhoneAction::PayWithoutNotice);
        }
        let cancel = OperationBody::RechargeCancel { order: order.id };
        assert_eq!(till.act(&shop, cancel).await.outcome, OutcomeDto::Applied);
        assert_eq!(
            shop.order(order.id).state,
            OrderState::PendingPayment,
            "not yet confirmed"
        );
        shop.server.settle_due().await.unwrap();
        let expected = if pays_first {
            OrderState::Credited
        } else {
            OrderState::Cancelled
        };
        assert_eq!(shop.order(order.id).state, expected);
    }
}

#[tokio::test]
async fn an_expired_attempt_is_asked_closed_and_its_order_ends() {
    let shop = Shop::open(1).await;
    let mut till = Till::open(&shop).await;
    let member = shop.members()[0];
    let (order, attempt) = till.show_qr(&shop, member, 300).await;
    shop.pass(Millis::minutes(5)).await;
    assert_eq!(shop.attempt(attempt.id).state, AttemptState::Closed);
    assert_eq!(
        shop.order(order.id).state,
        OrderState::PendingPayment,
        "another may start"
    );
    shop.pass(Millis::minutes(10)).await;
    assert_eq!(shop.order(order.id).state, OrderState::Closed);
}

#[tokio::test]
async fn no_answer_is_unknown_and_never_a_failure() {
    for kind in [
        AnswerFault::Silent,
        AnswerFault::FailAfterDone,
        AnswerFault::WrongSignature,
        AnswerFault::Garbled,
        AnswerFault::Lost,
    ] {
        let shop = Shop::open(1).await;
        let mut till = Till::open(&shop).await;
        let member = shop.members()[0];
        let (order, attempt) = till.show_qr(&shop, member, 300).await;
        shop.phone(&attempt, &PhoneAction::PayWithoutNotice);
        fault(&shop, Operation::Query, kind, Some(1));
        shop.pass(Millis::seconds(5)).await;
        assert_eq!(
            shop.attempt(attempt.id).state,
            AttemptState::Unknown,
            "{kind:?}"
        );
        assert_eq!(
            shop.order(order.id).state,
            OrderState::PendingPayment,
            "{kind:?}"
        );
        shop.pass(Millis::seconds(5)).await;
        assert_eq!(shop.order(order.id).state, OrderState::Credited, "{kind:?}");
    }
}

#[tokio::test]
async fn a_lost_answer_to_create_is_asked_again_with_the_same_number() {
    let shop = Shop::open(1).await;
    let mut till = Till::open(&shop).await;
    let member = shop.members()[0];
    fault(&shop, Operation::Create, AnswerFault::Silent, Some(1));
    let (_, attempt) = till.show_qr(&shop, member, 300).await;
    assert_eq!(attempt.state, AttemptState::Unknown);
    assert_eq!(attempt.qr_payload, None);
    shop.pass(Millis::seconds(2)).await;
    let attempt = shop.attempt(attempt.id);
    assert_eq!(attempt.state, AttemptState::Submitted);
    shop.phone(&attempt, &PhoneAction::Pay);
    assert_eq!(shop.deliver_notices().await, [true]);
    assert_eq!(shop.attempt(attempt.id).state, AttemptState::Succeeded);
}

#[tokio::test]
async fn a_restart_in_the_middle_loses_nothing() {
    let mut shop = Shop::open(1).await;
    let mut till = Till::open(&shop).await;
    let member = shop.members()[0];
    let open = till.recharge(&shop, member, 300).await;
    till.act(&shop, OperationBody::RechargeOpen(open.clone()))
        .await;
    let attempt = till.start_attempt(&shop, &open).await;
    shop.restart().await;
    shop.server.settle_due().await.unwrap();
    let shown = shop.attempt(attempt);
    assert_eq!(
        shown.state,
        AttemptState::Submitted,
        "the QR code is made after the restart"
    );
    shop.phone(&shown, &PhoneAction::PayWithoutNotice);
    shop.restart().await;
    shop.pass(Millis::seconds(5)).await;
    assert_eq!(shop.order(open.order).state, OrderState::Credited);
    shop.restart().await;
    shop.pass(Millis::minutes(30)).await;
    assert_eq!(shop.balance("clearing"), 30_000);
}

#[tokio::test]
async fn money_for_a_cancelled_order_waits_for_a_person() {
    let shop = Shop::open(1).await;
    let mut till = Till::open(&shop).await;
    let member = shop.members()[0];
    let before = shop.principal(member);
    let (order, attempt) = till.show_qr(&shop, member, 300).await;
    shop.phone(&attempt, &PhoneAction::PayLate);
    till.act(&shop, OperationBody::RechargeCancel { order: order.id })
        .await;
    shop.server.settle_due().await.unwrap();
    assert_eq!(shop.order(order.id).state, OrderState::Cancelled);
    shop.pass(Millis::seconds(5)).await;
    assert_eq!(shop.order(order.id).state, OrderState::Abnormal);
    assert_eq!(shop.cases(), ["LatePayment"]);
    assert_eq!(
        (shop.balance("suspense"), shop.balance("clearing")),
        (-30_000, 30_000)
    );
    assert_eq!(shop.principal(member), before);
}

#[tokio::test]
async fn notice_query_and_sweep_of_one_payment_credit_once() {
    let shop = Shop::open(1).await;
    let mut till = Till::open(&shop).await;
    let member = shop.members()[0];
    let before = shop.principal(member);
    let (_, attempt) = till.show_qr(&shop, member, 300).await;
    shop.phone(&attempt, &PhoneAction::Pay);
    shop.time.advance(Millis::seconds(5));
    let path = format!("/v1/attempts/{}/query", attempt.id);
    let query = async || shop.send(till.request("POST", &path, Vec::new())).await.0;
    let (notices, asked, swept) =
        tokio::join!(shop.deliver_notices(), query(), shop.server.settle_due());
    assert_eq!((notices, asked.as_u16()), (vec![true], 200));
    swept.unwrap();
    assert_eq!(shop.principal(member) - before, Money::from_yuan(300));
    assert_eq!(shop.balance("clearing"), 30_000);
    assert!(shop.cases().is_empty());
}

/// The gateway is away from the first request until its code would have ended, and then knows
/// nothing of it.
#[tokio::test]
async fn an_attempt_that_never_reached_its_gateway_ends_once_the_gateway_is_back() {
    let shop = Shop::open(1).await;
    let mut till = Till::open(&shop).await;
    let member = shop.members()[0];
    let open = till.recharge(&shop, member, 300).await;
    till.act(&shop, OperationBody::RechargeOpen(open.clone()))
        .await;
    shop.gateway.script(|script| {
        let unsent = QrAnswer::Unknown(UnknownCause::NotSent);
        script.creates.extend(vec![unsent; 90]);
        let unheard = GatewayAnswer::Unknown(UnknownCause::NotFound);
        script.queries.extend(vec![unheard; 90]);
        let unknown = CloseAnswer::Unknown(UnknownCause::NotFound);
        script.closes.extend(vec![unknown; 90]);
    });
    let id = till.start_attempt(&shop, &open).await;
    for _ in 0..29 {
        shop.pass(Millis::seconds(10)).await;
    }
    let waiting = shop.attempt(id);
    assert!(waiting.state.is_open() && waiting.qr_payload.is_none());
    for _ in 0..70 {
        shop.pass(Millis::seconds(10)).await;
    }
    assert_eq!(shop.attempt(id).state, AttemptState::Closed);
    assert_eq!(shop.order(open.order).state, OrderState::Closed);
    assert_eq!(shop.cases(), Vec::<String>::new());
}
