//! Notices that name nobody. Shouqianba signs for every merchant with one key, and its notices do
//! not say for whom; for a second payment they are all that ever tells.

use qiantai_core::Millis;
use qiantai_core::attempt::{AttemptState, PaymentAttempt};
use qiantai_core::ids::RowId;
use qiantai_core::recharge::OrderState;
use qiantai_paysim::gateway::{NoticeFault, PhoneAction};
use qiantai_server::db::{Hint, HintState};
use uuid::Uuid;

use super::desk::{Account, Desk, LineState};

impl Desk {
    fn hints(&self) -> Vec<Hint> {
        let ledger = self.shop.server.ledger();
        ledger.hints(self.shop.seeded.tenant).unwrap()
    }

    fn check_hints(&self, expected: &[HintState]) {
        let states: Vec<HintState> = self.hints().iter().map(|hint| hint.state).collect();
        assert_eq!(states, expected);
    }

    /// A code that is paid twice and told twice while the gateway cannot be asked.
    async fn pay_twice_unseen(&mut self) -> PaymentAttempt {
        let attempt = self.show_qr().await;
        self.line.set(LineState::LosesRequests);
        self.shop.phone(&attempt, &PhoneAction::PayTwice);
        assert_eq!(self.deliver().await, [true, true]);
        self.check_hints(&[HintState::Open, HintState::Open]);
        attempt
    }

    async fn pass_hours(&self, hours: i64) {
        for _ in 0..hours * 6 {
            self.pass(600).await;
        }
    }
}

#[tokio::test]
async fn a_notice_that_names_nobody_credits_what_our_own_query_finds() {
    let mut desk = Desk::open(Account::Shouqianba).await;
    let attempt = desk.show_qr().await;
    desk.shop.phone(&attempt, &PhoneAction::PayTwice);
    assert_eq!(desk.deliver().await, [true, true]);
    assert_eq!(desk.order_state(attempt.id), OrderState::Credited);
    assert_eq!(desk.shop.attempt(attempt.id).surplus.len(), 1);
    desk.check_hints(&[HintState::Confirmed, HintState::Confirmed]);
    for _ in 0..10 {
        desk.pass(5).await;
    }
    desk.check_money(300, 300);
    assert_eq!(desk.shop.balance("suspense"), 0, "the second went back");
    desk.check_cases(&["SecondPayment"]);
}

/// The gateway sends a notice for ten minutes: here nobody can be asked for an hour, and the server
/// starts again in between.
#[tokio::test]
async fn a_second_payment_told_in_an_outage_goes_back_after_it() {
    let mut desk = Desk::open(Account::Shouqianba).await;
    let attempt = desk.pay_twice_unseen().await;
    desk.pass_hours(1).await;
    assert!(desk.deliver().await.is_empty(), "they do not come again");
    assert_eq!(desk.order_state(attempt.id), OrderState::PendingPayment);
    desk.shop.restart().await;
    desk.check_hints(&[HintState::Open, HintState::Open]);
    desk.heal();
    desk.pass_until(attempt.id, AttemptState::Succeeded).await;
    desk.pass(600).await;
    assert_eq!(desk.order_state(attempt.id), OrderState::Credited);
    desk.check_hints(&[HintState::Confirmed, HintState::Confirmed]);
    for _ in 0..10 {
        desk.pass(5).await;
    }
    let surplus = desk.shop.attempt(attempt.id).surplus;
    assert!(surplus.len() == 1 && surplus[0].refunded, "{surplus:?}");
    desk.check_money(300, 300);
    assert_eq!(desk.shop.balance("suspense"), 0);
    desk.check_cases(&["SecondPayment"]);
    // Settled for good.
    let sent = desk.line.sent();
    desk.pass_hours(2).await;
    assert_eq!(desk.line.sent(), sent);
}

#[tokio::test]
async fn what_stays_unclear_for_a_day_is_a_case_once() {
    let mut desk = Desk::open(Account::Shouqianba).await;
    let attempt = desk.pay_twice_unseen().await;
    desk.pass_hours(12).await;
    desk.shop.restart().await;
    desk.pass_hours(11).await;
    desk.check_cases(&[]);
    desk.pass_hours(2).await;
    desk.check_cases(&["NoticeUnconfirmed", "NoticeUnconfirmed"]);
    desk.check_hints(&[HintState::Unclear, HintState::Unclear]);
    desk.shop.restart().await;
    desk.heal();
    desk.pass_until(attempt.id, AttemptState::Succeeded).await;
    desk.pass_hours(2).await;
    assert_eq!(desk.order_state(attempt.id), OrderState::Credited);
    desk.check_cases(&["NoticeUnconfirmed", "NoticeUnconfirmed"]);
    desk.check_hints(&[HintState::Unclear, HintState::Unclear]);
}

/// A server that was off when the day ended asks once more before it calls a person.
#[tokio::test]
async fn a_day_that_ends_while_the_server_is_off_ends_with_a_last_question() {
    let mut desk = Desk::open(Account::Shouqianba).await;
    let attempt = desk.pay_twice_unseen().await;
    desk.heal();
    desk.shop.time.advance(Millis::hours(30));
    desk.shop.restart().await;
    desk.pass(0).await;
    desk.pass(600).await;
    desk.check_hints(&[HintState::Confirmed, HintState::Confirmed]);
    assert_eq!(desk.shop.attempt(attempt.id).surplus.len(), 1);
    desk.check_cases(&["SecondPayment"]);
}

#[tokio::test]
async fn a_notice_of_another_shop_s_payment_is_forgotten_after_a_day() {
    let mut desk = Desk::open(Account::Shouqianba).await;
    let attempt = desk.show_qr().await;
    let payload = desk.order_at(&*desk.elsewhere(), &attempt).await;
    desk.scan_and_act(&payload, &PhoneAction::Pay);
    assert_eq!(desk.deliver().await, [true]);
    assert!(desk.state(attempt.id).is_open());
    assert_eq!(desk.order_state(attempt.id), OrderState::PendingPayment);
    desk.pass_hours(23).await;
    desk.check_hints(&[HintState::Open]);
    desk.pass_hours(2).await;
    desk.check_hints(&[HintState::Denied]);
    assert_eq!(desk.shop.balance("clearing"), 0);
    desk.check_cases(&[]);
}

#[tokio::test]
async fn repetitions_are_one_hint_and_strangers_cannot_send_any_number() {
    let mut desk = Desk::open(Account::Shouqianba).await;
    desk.spoil_notices(NoticeFault::Double);
    let attempt = desk.show_qr().await;
    desk.line.set(LineState::LosesRequests);
    desk.shop.phone(&attempt, &PhoneAction::Pay);
    assert_eq!(desk.deliver().await, [true, true]);
    let hints = desk.hints();
    let [kept] = &hints[..] else {
        panic!("one payment: {hints:?}");
    };
    assert_eq!((kept.amount.fen(), kept.attempt), (30_000, attempt.id));

    desk.heal();
    desk.pass(600).await;
    let attempt = desk.show_qr().await;
    desk.line.set(LineState::LosesRequests);
    let ledger = desk.shop.server.ledger();
    for number in 0..16_u128 {
        let of_a_stranger = Hint {
            id: RowId(Uuid::from_u128(number)),
            attempt: attempt.id,
            channel_txn_no: format!("stranger {number}"),
            ..kept.clone()
        };
        ledger
            .save_hint(desk.shop.seeded.tenant, &of_a_stranger)
            .unwrap();
    }
    desk.shop.phone(&attempt, &PhoneAction::Pay);
    assert_eq!(desk.deliver().await, [false, false]);
    assert_eq!(desk.hints().len(), 17);
}
