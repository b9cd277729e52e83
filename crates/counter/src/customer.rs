//! From what the counter's window shows to what the customer may see of it.

use qiantai_core::masking;

use crate::show::order::HELD;
use crate::view::customer::{CustomerOrder, CustomerState, CustomerView};
use crate::view::order::{OrderView, Stage};
use crate::view::session::SessionView;

/// The customer's display while `order` is on the counter's screen.
pub fn view(session: &SessionView, training: bool, order: Option<&OrderView>) -> CustomerView {
    let settings = &session.settings;
    CustomerView {
        language: settings.language,
        theme: settings.theme,
        brand: session.brand.clone(),
        shop: session.shop.clone(),
        training,
        order: order.map(customer_order),
    }
}

fn customer_order(order: &OrderView) -> CustomerOrder {
    let state = state(order);
    let done = state == CustomerState::Done;
    CustomerOrder {
        member: masking::name(&order.member),
        channel: order.channel,
        pay_fen: order.pay_fen,
        parts: order.parts,
        bonus_fen: order.bonus_fen,
        state,
        qr: order.qr.clone(),
        change_fen: order.change_fen.filter(|change| change.0 > 0),
        balance_after_fen: order
            .credit
            .as_ref()
            .filter(|_| done)
            .map(|credit| credit.balance_after_fen),
        provisional: order.provisional,
    }
}

fn state(order: &OrderView) -> CustomerState {
    // The shop has its money: nobody may be told that nothing was paid.
    let held = order.failure.as_ref();
    if held.is_some_and(|failure| failure.message_key == HELD) {
        return CustomerState::AskStaff;
    }
    match order.stage {
        Stage::Opening | Stage::Preparing => CustomerState::Preparing,
        Stage::Waiting => CustomerState::Scan,
        Stage::Charging => CustomerState::Charging,
        Stage::UserPaying => CustomerState::Confirm,
        Stage::Unknown | Stage::Reversing | Stage::Cancelling => CustomerState::Checking,
        Stage::Failed | Stage::Refused | Stage::Ended => CustomerState::NotPaid,
        Stage::Paid => CustomerState::Received,
        Stage::Credited => CustomerState::Done,
        Stage::Review | Stage::Abnormal => CustomerState::AskStaff,
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::view::order::{CreditView, Failure, QrView};
    use crate::view::top_up::ChannelView;
    use crate::view::{Fen, Ms};

    /// 欧阳娜娜 pays 300 by WeChat and gets 50.
    pub(crate) fn order(stage: Stage) -> OrderView {
        let credited = stage == Stage::Credited;
        OrderView {
            id: "018f".into(),
            order_no: "RC-1".into(),
            member_id: "018e".into(),
            member: "欧阳娜娜".into(),
            channel: Some(ChannelView::Wechat),
            parts: None,
            loose_cash: None,
            pay_fen: Fen(30_000),
            bonus_fen: Fen(5_000),
            tendered_fen: None,
            change_fen: None,
            stage,
            abnormal: None,
            by_code: false,
            qr: (stage == Stage::Waiting).then(|| QrView {
                modules: 29,
                path: "M4 4h7".into(),
                payload: "weixin://wxpay/1".into(),
            }),
            had_code: true,
            expires_at_ms: None,
            attempt_started_ms: None,
            failure: None,
            credit: credited.then(|| CreditView {
                balance_before_fen: Fen(53_000),
                balance_after_fen: Fen(88_000),
                principal_after_fen: Fen(76_000),
                bonus_after_fen: Fen(12_000),
                points: 300,
                coupons: Vec::new(),
                tier_before: "银卡".into(),
                tier_after: "银卡".into(),
                credited_at_ms: Ms(0),
            }),
            provisional: false,
            channel_txn_no: Some("4200001".into()),
            approver: None,
            released_alone: false,
            opened_at_ms: Ms(0),
            copies: 0,
        }
    }

    #[test]
    fn a_customer_is_told_what_to_do() {
        for (stage, expected) in [
            (Stage::Opening, CustomerState::Preparing),
            (Stage::Review, CustomerState::AskStaff),
            (Stage::Preparing, CustomerState::Preparing),
            (Stage::Waiting, CustomerState::Scan),
            (Stage::Charging, CustomerState::Charging),
            (Stage::UserPaying, CustomerState::Confirm),
            (Stage::Unknown, CustomerState::Checking),
            (Stage::Reversing, CustomerState::Checking),
            (Stage::Cancelling, CustomerState::Checking),
            (Stage::Failed, CustomerState::NotPaid),
            (Stage::Refused, CustomerState::NotPaid),
            (Stage::Ended, CustomerState::NotPaid),
            (Stage::Paid, CustomerState::Received),
            (Stage::Credited, CustomerState::Done),
            (Stage::Abnormal, CustomerState::AskStaff),
        ] {
            let seen = customer_order(&order(stage));
            assert_eq!(seen.state, expected, "{stage:?}");
            assert_eq!(seen.qr.is_some(), stage == Stage::Waiting, "{stage:?}");
            let balance = (stage == Stage::Credited).then_some(Fen(88_000));
            assert_eq!(seen.balance_after_fen, balance, "{stage:?}");
        }
    }

    #[test]
    fn cash_that_the_server_keeps_is_no_failed_payment() {
        let mut held = order(Stage::Refused);
        held.failure = Some(Failure {
            code: held.order_no.clone(),
            message_key: HELD.to_owned(),
        });
        assert_eq!(customer_order(&held).state, CustomerState::AskStaff);
    }

    #[test]
    fn nobody_reads_over_the_customers_shoulder() {
        let seen = serde_json::to_string(&customer_order(&order(Stage::Credited)));
        let seen = seen.expect("a view is JSON");
        assert!(seen.contains("欧阳*娜"), "{seen}");
        for hidden in ["欧阳娜娜", "018e", "RC-1", "4200001", "76000"] {
            assert!(!seen.contains(hidden), "{hidden} in {seen}");
        }
    }
}
