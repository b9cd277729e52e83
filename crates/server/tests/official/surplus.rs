//! Second payments that go back, and the notices of their refunds.

use qiantai_core::attempt::PaymentAttempt;
use qiantai_paysim::gateway::{AnswerFault, NoticeFault, Operation, PhoneAction};

use super::desk::{Account, Desk, LineState};

/// The accounts whose gateways tell the end of a refund.
const TOLD: [Account; 4] = [
    Account::WechatV3,
    Account::WechatV2,
    Account::Alipay,
    Account::Unionpay,
];

impl Desk {
    /// A code that was paid twice, told twice, and credited once.
    async fn pay_twice(&mut self) -> PaymentAttempt {
        let attempt = self.show_qr().await;
        self.shop.phone(&attempt, &PhoneAction::PayTwice);
        assert_eq!(self.deliver().await, [true, true], "{:?}", self.account);
        self.shop.attempt(attempt.id)
    }

    fn check_returned(&self, attempt: &PaymentAttempt, is_back: bool) {
        let surplus = &self.shop.attempt(attempt.id).surplus;
        let returned: Vec<bool> = surplus.iter().map(|surplus| surplus.refunded).collect();
        assert_eq!(returned, [is_back], "{:?}", self.account);
        let suspended = if is_back { 0 } else { -30_000 };
        assert_eq!(self.shop.balance("suspense"), suspended);
    }
}

#[tokio::test]
async fn a_refund_that_was_polled_is_not_returned_again_by_its_notice() {
    for account in TOLD {
        let mut desk = Desk::open(account).await;
        let attempt = desk.pay_twice().await;
        desk.spoil_notices(NoticeFault::Double);
        for _ in 0..10 {
            desk.pass(5).await;
        }
        desk.check_returned(&attempt, true);
        assert_eq!(desk.deliver().await, [true, true], "{account:?}");
        desk.check_returned(&attempt, true);
        desk.check_money(300, 300);
        desk.check_cases(&["SecondPayment"]);
    }
}

/// No answer to the refund is ever read: its notice lets the gateway be asked long before the next
/// try would come, and is not believed alone.
#[tokio::test]
async fn a_notice_of_a_refund_lets_the_gateway_be_asked_at_once() {
    for account in TOLD {
        let mut desk = Desk::open(account).await;
        let attempt = desk.pay_twice().await;
        desk.spoil_notices(NoticeFault::Forged);
        desk.line.set(LineState::LosesAnswers);
        for _ in 0..4 {
            desk.pass(5).await;
        }
        desk.check_returned(&attempt, false);
        desk.heal();
        let sent = desk.line.sent();
        assert_eq!(desk.deliver().await, [false, true], "{account:?}");
        desk.check_returned(&attempt, false);
        desk.pass(0).await;
        desk.check_returned(&attempt, true);
        assert_eq!(desk.line.sent() - sent, 1, "{account:?}");
        desk.pass(3_600).await;
        desk.check_money(300, 300);
        desk.check_cases(&["SecondPayment"]);
    }
}

/// The customer's card is gone, and no try helps. Staff act on the gateway's platform, which tells of
/// it by a notice that may be lost.
#[tokio::test]
async fn a_refund_that_staff_must_act_on_is_asked_about_by_the_hour_and_at_its_notice() {
    for (account, is_told) in [
        (Account::WechatV3, true),
        (Account::WechatV3, false),
        (Account::WechatV2, true),
        (Account::WechatV2, false),
    ] {
        let mut desk = Desk::open(account).await;
        let attempt = desk.pay_twice().await;
        desk.spoil(Operation::Refund, AnswerFault::RefundStuck);
        for _ in 0..4 {
            desk.pass(5).await;
        }
        assert_eq!(desk.deliver().await, [true], "{account:?}");
        desk.pass(0).await;
        desk.check_returned(&attempt, false);
        let sent = desk.line.sent();
        desk.pass(50 * 60).await;
        assert_eq!(desk.line.sent(), sent, "{account:?}: within the hour");
        desk.pass(10 * 60).await;
        assert_eq!(desk.line.sent(), sent + 1, "{account:?}: one question");
        desk.check_returned(&attempt, false);
        desk.shop
            .simulator
            .with(|gateway, now| gateway.settle_stuck_refunds(now));
        if is_told {
            assert_eq!(desk.deliver().await, [true], "{account:?}");
            desk.check_returned(&attempt, false);
            desk.pass(0).await;
        } else {
            desk.pass(3_600).await;
        }
        desk.check_returned(&attempt, true);
        desk.check_money(300, 300);
        desk.check_cases(&["SecondPayment"]);
    }
}
