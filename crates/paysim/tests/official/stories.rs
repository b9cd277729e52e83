//! The same stories for every account: what is true of any gateway.

use qiantai_core::clock::Millis;
use qiantai_core::money::Money;
use qiantai_pay::{
    BillAnswer, BillKind, BillRequest, CloseAnswer, ConfigCause, GatewayAnswer, Notice, PaidFact,
    PendingState, QrAnswer, RefundAnswer, RefundQuery, RefundRefusal, ReverseAnswer,
};
use qiantai_paysim::gateway::{PhoneAction, PhoneRefusal};

use super::accounts::Account;
use super::desk::Desk;

fn paid(answer: &GatewayAnswer) -> &PaidFact {
    match answer {
        GatewayAnswer::Success(fact) | GatewayAnswer::Returned(fact) => fact,
        other => panic!("not paid: {other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn a_qr_code_is_shown_scanned_and_paid_once() {
    for account in Account::ALL {
        let desk = Desk::new(account);
        let (number, payload) = desk.show_qr().await;
        assert_eq!(desk.channel.query(&number).await, desk.account.unscanned());
        let token = desk.scan(&payload);
        let pending = desk.channel.query(&number).await;
        assert!(matches!(pending, GatewayAnswer::Pending(_)), "{pending:?}");
        desk.act(&token, PhoneAction::Pay).unwrap();
        let answer = desk.channel.query(&number).await;
        let fact = paid(&answer);
        assert_eq!(fact.amount, Money::from_yuan(300), "{account:?}");
        // Stamps are whole seconds.
        let late = desk.now() - fact.paid_at;
        assert!(Millis(0) <= late && late < Millis::seconds(1), "{late:?}");
        let notices = desk.notices();
        let [Ok(Notice::Payment(notice) | Notice::Hint(notice))] = &notices[..] else {
            panic!("{account:?}: one notice, not {notices:?}")
        };
        assert_eq!(notice.attempt_no, number);
        assert_eq!(notice.paid.channel_txn_no, fact.channel_txn_no);
        assert_eq!(notice.paid.amount, fact.amount);
        assert!(desk.notices().is_empty(), "{account:?}: acknowledged once");
        let again = desk.channel.create_qr(&desk.qr_request(&number)).await;
        assert_eq!(
            again,
            QrAnswer::Unknown(account.ordered_when_paid()),
            "{account:?}"
        );
        assert_eq!(desk.act(&token, PhoneAction::Pay), Err(PhoneRefusal::Over));
        assert_eq!(desk.takings(), Money::from_yuan(300), "{account:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_number_serves_one_content() {
    for account in Account::ALL {
        let desk = Desk::new(account);
        let (number, _) = desk.show_qr().await;
        let mut other = desk.qr_request(&number);
        other.amount = Money::from_yuan(301);
        let answer = desk.channel.create_qr(&other).await;
        assert_eq!(
            answer,
            QrAnswer::Unknown(account.number_reused()),
            "{account:?}"
        );
        let same = desk.channel.create_qr(&desk.qr_request(&number)).await;
        desk.check_ordered_again(&same);
    }
}

#[tokio::test(start_paused = true)]
async fn a_code_without_password_is_paid_at_once() {
    for account in Account::ALL {
        let desk = Desk::new(account);
        let number = desk.attempt_no();
        let code = desk.show_code(false, None);
        let charged = desk.charge(&number, &code.digits).await;
        let fact = paid(&charged).clone();
        assert_eq!(fact.amount, Money::from_yuan(300), "{account:?}");
        assert_eq!(
            paid(&desk.channel.query(&number).await).channel_txn_no,
            fact.channel_txn_no
        );
        let other = desk.attempt_no();
        let used = desk.charge(&other, &code.digits).await;
        let refused = matches!(used, GatewayAnswer::Declined(_));
        assert!(refused, "{account:?}: a code serves once: {used:?}");
        assert_eq!(desk.takings(), Money::from_yuan(300), "{account:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_code_with_password_waits_for_the_customer() {
    for account in Account::ALL {
        let desk = Desk::new(account);
        let number = desk.attempt_no();
        let code = desk.show_code(true, None);
        let paying = GatewayAnswer::Pending(PendingState::UserPaying);
        assert_eq!(
            desk.charge(&number, &code.digits).await,
            paying,
            "{account:?}"
        );
        desk.wait(5).await;
        assert_eq!(desk.channel.query(&number).await, paying, "{account:?}");
        desk.act(&code.token, PhoneAction::Pay).unwrap();
        let answer = desk.channel.query(&number).await;
        assert_eq!(paid(&answer).amount, Money::from_yuan(300), "{account:?}");

        let number = desk.attempt_no();
        let code = desk.show_code(true, None);
        assert_eq!(
            desk.charge(&number, &code.digits).await,
            paying,
            "{account:?}"
        );
        let cause = "balance_short".to_owned();
        desk.act(&code.token, PhoneAction::Decline { cause })
            .unwrap();
        let answer = desk.channel.query(&number).await;
        assert_eq!(answer, account.failed(), "{account:?}");
        assert_eq!(desk.takings(), Money::from_yuan(300), "{account:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_decline_says_why() {
    for account in Account::ALL {
        for (cause, expected) in account.declines() {
            let desk = Desk::new(account);
            let number = desk.attempt_no();
            let code = desk.show_code(false, Some(cause));
            let answer = desk.charge(&number, &code.digits).await;
            assert_eq!(
                answer,
                GatewayAnswer::Declined(expected),
                "{account:?}: {cause}"
            );
            assert_eq!(desk.takings(), Money::ZERO, "{account:?}: {cause}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_closed_code_cannot_be_paid_and_a_paid_one_not_closed() {
    for account in Account::ALL.into_iter().filter(|account| account.closes()) {
        let desk = Desk::new(account);
        let (number, payload) = desk.show_qr().await;
        let token = desk.scan(&payload);
        let answer = desk.channel.close(&number, None).await;
        assert_eq!(answer, CloseAnswer::Closed, "{account:?}");
        let again = match account.closes_again() {
            true => CloseAnswer::Closed,
            false => CloseAnswer::AlreadyPaid,
        };
        assert_eq!(
            desk.channel.close(&number, None).await,
            again,
            "{account:?}"
        );
        assert_eq!(
            desk.channel.query(&number).await,
            GatewayAnswer::Closed,
            "{account:?}"
        );
        assert_eq!(desk.act(&token, PhoneAction::Pay), Err(PhoneRefusal::Over));
        let number = desk.pay_qr().await;
        let answer = desk.channel.close(&number, None).await;
        assert_eq!(answer, CloseAnswer::AlreadyPaid, "{account:?}");
        assert_eq!(desk.takings(), Money::from_yuan(300), "{account:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn money_that_comes_after_closing_is_told() {
    for account in Account::ALL.into_iter().filter(|account| account.closes()) {
        let desk = Desk::new(account);
        let (number, payload) = desk.show_qr().await;
        let token = desk.scan(&payload);
        desk.act(&token, PhoneAction::PayLate).unwrap();
        assert_eq!(
            desk.channel.close(&number, None).await,
            CloseAnswer::Closed,
            "{account:?}"
        );
        desk.wait(4).await;
        let answer = desk.channel.query(&number).await;
        assert_eq!(paid(&answer).amount, Money::from_yuan(300), "{account:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_reversal_undoes_paid_and_unpaid() {
    for account in Account::ALL {
        for asks_password in [true, false] {
            if asks_password && !account.reverses_unpaid() {
                continue;
            }
            let desk = Desk::new(account);
            let number = desk.attempt_no();
            let code = desk.show_code(asks_password, None);
            desk.charge(&number, &code.digits).await;
            desk.wait(16).await;
            let answer = desk.channel.reverse(&number, None).await;
            let is_undone = matches!(answer, ReverseAnswer::Reversed { .. });
            assert!(is_undone, "{account:?}: {answer:?}");
            desk.wait(16).await;
            let standing = desk.channel.query(&number).await;
            if account.tells_reversed() {
                let is_over = match standing {
                    GatewayAnswer::Returned(_) => !asks_password,
                    GatewayAnswer::Closed | GatewayAnswer::Declined(_) => true,
                    _ => false,
                };
                assert!(is_over, "{account:?}: {standing:?}");
            } else {
                let is_paid = matches!(standing, GatewayAnswer::Success(_));
                assert!(is_paid, "{account:?}: {standing:?}");
            }
            assert_eq!(desk.takings(), Money::ZERO, "{account:?}");
            let late = desk.act(&code.token, PhoneAction::Pay);
            assert_eq!(late, Err(PhoneRefusal::Over), "{account:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_payment_is_returned_in_slices_and_no_more_than_paid() {
    for account in Account::ALL {
        let desk = Desk::new(account);
        let number = desk.pay_qr().await;
        desk.wait(60).await;
        let first = desk.refund_no();
        let answer = desk.refund(&number, &first, 100).await;
        assert!(is_under_way(&answer), "{account:?}: {answer:?}");
        // The same number again moves nothing.
        let again = desk.refund(&number, &first, 100).await;
        assert!(is_under_way(&again), "{account:?}: {again:?}");
        assert_eq!(desk.takings(), Money::from_yuan(200), "{account:?}");
        desk.wait(61).await;
        desk.check_refund(&number, &first, 100).await;

        let second = desk.refund_no();
        assert!(is_under_way(&desk.refund(&number, &second, 150).await));
        desk.wait(61).await;
        desk.check_refund(&number, &second, 150).await;
        assert_eq!(desk.takings(), Money::from_yuan(50), "{account:?}");

        let third = desk.refund_no();
        let too_much = desk.refund(&number, &third, 51).await;
        let expected = RefundAnswer::Refused(RefundRefusal::ExceedsPaid);
        assert_eq!(too_much, expected, "{account:?}");
        assert_eq!(desk.takings(), Money::from_yuan(50), "{account:?}");
        let answer = desk.channel.query(&number).await;
        assert_eq!(
            paid(&answer).amount,
            Money::from_yuan(300),
            "{account:?}: it was paid"
        );

        let (unpaid, payload) = desk.show_qr().await;
        desk.scan(&payload);
        let answer = desk.refund(&unpaid, &desk.refund_no(), 300).await;
        let expected = RefundAnswer::Refused(account.unpaid());
        assert_eq!(answer, expected, "{account:?}: never paid");
        if account.closes() {
            desk.channel.close(&unpaid, None).await;
            let answer = desk.refund(&unpaid, &desk.refund_no(), 300).await;
            let is_refused = matches!(answer, RefundAnswer::Refused(_));
            assert!(is_refused, "{account:?}: closed: {answer:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_end_of_a_refund_is_told_by_a_notice() {
    for account in Account::ALL {
        let desk = Desk::new(account);
        let number = desk.pay_qr().await;
        desk.notices();
        for yuan in [100, 150] {
            desk.wait(61).await;
            let refund_no = desk.refund_no();
            desk.refund(&number, &refund_no, yuan).await;
            desk.wait(10).await;
            let notices = desk.notices();
            let read = match &notices[..] {
                [] => account
                    .tells_refund(&RefundAnswer::Accepted, yuan)
                    .is_none(),
                [Ok(Notice::Refund(told))] => {
                    assert_eq!(told.attempt_no, number, "{account:?}");
                    assert_eq!(told.refund_no, refund_no, "{account:?}");
                    account.tells_refund(&told.answer, yuan) == Some(true)
                }
                _ => false,
            };
            assert!(read, "{account:?}: {notices:?}");
        }
    }
}

fn is_under_way(answer: &RefundAnswer) -> bool {
    matches!(
        answer,
        RefundAnswer::Accepted | RefundAnswer::Succeeded { .. }
    )
}

impl Desk {
    /// The same order again gets a code, where the gateway does not refuse repetitions.
    pub fn check_ordered_again(&self, answer: &QrAnswer) {
        match self.account.ordered_again() {
            None => {
                let is_made = matches!(answer, QrAnswer::Created { .. });
                assert!(is_made, "{:?}: {answer:?}", self.account);
            }
            Some(cause) => assert_eq!(*answer, QrAnswer::Unknown(cause), "{:?}", self.account),
        }
    }

    async fn check_refund(&self, number: &str, refund_no: &str, yuan: i64) {
        if !self.account.answers_refunds() {
            return;
        }
        let query = RefundQuery {
            attempt_no: number.to_owned(),
            refund_no: refund_no.to_owned(),
        };
        match self.channel.query_refund(&query).await {
            RefundAnswer::Succeeded { amount, .. } => {
                assert_eq!(amount, Money::from_yuan(yuan), "{:?}", self.account);
            }
            other => panic!("{:?}: {other:?}", self.account),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_bill_of_a_day_is_what_the_book_says() {
    for account in Account::ALL
        .into_iter()
        .filter(|account| account.has_bills())
    {
        let desk = Desk::new(account);
        let date = desk.now().local().date();
        let first = desk.pay_qr().await;
        desk.wait(60).await;
        let refund_no = desk.refund_no();
        assert!(is_under_way(&desk.refund(&first, &refund_no, 120).await));
        let (reversed, code) = (desk.attempt_no(), desk.show_code(false, None));
        desk.charge(&reversed, &code.digits).await;
        desk.wait(16).await;
        desk.channel.reverse(&reversed, None).await;
        let (unpaid, _) = desk.show_qr().await;
        let request = BillRequest { date };
        let early = desk.channel.fetch_bill(&request).await;
        assert_eq!(early, BillAnswer::NotYet, "{account:?}");
        desk.wait_for_noon().await;
        let lines = match desk.channel.fetch_bill(&request).await {
            BillAnswer::Ready(lines) => lines,
            other => panic!("{account:?}: {other:?}"),
        };
        assert!(lines.iter().all(|line| line.attempt_no != unpaid));
        let fen = |kinds: &[BillKind]| -> i64 {
            let of_kind = lines.iter().filter(|line| kinds.contains(&line.kind));
            of_kind.map(|line| line.amount.fen()).sum()
        };
        assert_eq!(fen(&[BillKind::Payment]), 60_000, "{account:?}");
        let back = fen(&[BillKind::Refund, BillKind::Reversal]);
        assert_eq!(back, 42_000, "{account:?}");
        assert_eq!(
            Money::from_fen(60_000 - back),
            desk.takings(),
            "{account:?}"
        );
        let refund = lines
            .iter()
            .find(|line| line.refund_no.as_ref() == Some(&refund_no));
        let refund = refund.expect("the refund carries our number");
        assert_eq!(
            (refund.attempt_no.as_str(), refund.amount.fen()),
            (first.as_str(), 12_000)
        );
        let answer = desk.channel.query(&first).await;
        let payment = lines.iter().find(|line| line.attempt_no == first).unwrap();
        assert_eq!(
            payment.channel_txn_no,
            paid(&answer).channel_txn_no,
            "{account:?}"
        );
        assert_eq!(
            payment.fee.milli_fen(),
            180_000,
            "{account:?}: 0.6 % of 300 yuan"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_clock_six_minutes_off_is_told_as_such() {
    for account in Account::ALL
        .into_iter()
        .filter(|account| account.minds_the_clock())
    {
        for off in [Millis::minutes(6), Millis::minutes(-6)] {
            let desk = Desk::new(account);
            // Certificates are fetched while the clock is right.
            desk.channel.query(&desk.attempt_no()).await;
            desk.clock.put_off(off);
            let answer = desk
                .channel
                .create_qr(&desk.qr_request(&desk.attempt_no()))
                .await;
            let expected = QrAnswer::ConfigError(ConfigCause::Clock);
            assert_eq!(answer, expected, "{account:?}, off by {off:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_wrong_key_is_refused_and_makes_nothing() {
    for account in Account::ALL {
        let desk = Desk::new(account);
        let stranger = desk.connect(|settings| account.spoil_key(settings));
        let request = desk.qr_request(&desk.attempt_no());
        let answer = stranger.create_qr(&request).await;
        let expected = QrAnswer::ConfigError(ConfigCause::Signature);
        assert_eq!(answer, expected, "{account:?}");
        let made = desk
            .simulator
            .with(|gateway, now| gateway.recent_payments(9, now).len());
        assert_eq!(made, 0, "{account:?}");
    }
}
