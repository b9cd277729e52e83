//! What the shop's client makes of each protocol's gateway when it misbehaves.

use qiantai_core::money::Money;
use qiantai_pay::{
    BillAnswer, BillRequest, GatewayAnswer, Notice, NoticeError, QrAnswer, RefundAnswer,
    UnknownCause,
};
use qiantai_paysim::gateway::{AnswerFault, NoticeFault, Operation, PhoneAction, PhoneRefusal};

use super::accounts::Account;
use super::desk::Desk;

#[tokio::test(start_paused = true)]
async fn a_spoilt_answer_is_unknown_and_the_same_request_finds_what_was_done() {
    for account in Account::ALL {
        for (fault, expected) in [
            (AnswerFault::Silent, UnknownCause::Timeout),
            (AnswerFault::Lost, UnknownCause::Timeout),
            (
                AnswerFault::Delay { delay_ms: 11_000 },
                UnknownCause::Timeout,
            ),
            (AnswerFault::Cut, UnknownCause::Broken),
            (AnswerFault::FailAfterDone, UnknownCause::GatewayFault(500)),
            (AnswerFault::Busy, UnknownCause::Busy),
        ] {
            let desk = Desk::new(account);
            let number = desk.attempt_no();
            // Whatever has to be fetched first is fetched.
            desk.channel.query(&number).await;
            desk.spoil(Operation::Create, fault);
            let answer = desk.channel.create_qr(&desk.qr_request(&number)).await;
            assert_eq!(
                answer,
                QrAnswer::Unknown(expected),
                "{account:?}: {fault:?}"
            );
            let again = desk.channel.create_qr(&desk.qr_request(&number)).await;
            match fault {
                AnswerFault::Lost | AnswerFault::Busy => {
                    let is_made = matches!(again, QrAnswer::Created { .. });
                    assert!(is_made, "{account:?}: {fault:?}: {again:?}");
                }
                _ => desk.check_ordered_again(&again),
            }
            let made = desk
                .simulator
                .with(|gateway, now| gateway.recent_payments(9, now).len());
            assert_eq!(made, 1, "{account:?}: {fault:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_the_gateway_did_not_sign_is_not_believed() {
    for account in Account::ALL
        .into_iter()
        .filter(|account| account.answers_are_signed())
    {
        for fault in [AnswerFault::WrongSignature, AnswerFault::Probe] {
            let desk = Desk::new(account);
            let number = desk.pay_qr().await;
            desk.spoil(Operation::Query, fault);
            let answer = desk.channel.query(&number).await;
            let expected = GatewayAnswer::Unknown(UnknownCause::BadSignature);
            assert_eq!(answer, expected, "{account:?}: {fault:?}");
            let answer = desk.channel.query(&number).await;
            assert!(
                matches!(answer, GatewayAnswer::Success(_)),
                "{account:?}: {answer:?}"
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_nobody_can_read_is_unknown() {
    for account in Account::ALL {
        let desk = Desk::new(account);
        let number = desk.pay_qr().await;
        desk.spoil(Operation::Query, AnswerFault::Garbled);
        let answer = desk.channel.query(&number).await;
        let is_unknown = matches!(
            answer,
            GatewayAnswer::Unknown(UnknownCause::Unreadable(_) | UnknownCause::BadSignature)
        );
        assert!(is_unknown, "{account:?}: {answer:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_refund_without_an_answer_is_done_once() {
    for account in Account::ALL {
        let desk = Desk::new(account);
        let number = desk.pay_qr().await;
        let refund_no = desk.refund_no();
        desk.wait(61).await;
        desk.spoil(Operation::Refund, AnswerFault::FailAfterDone);
        let lost = desk.refund(&number, &refund_no, 100).await;
        let expected = RefundAnswer::Unknown(UnknownCause::GatewayFault(500));
        assert_eq!(lost, expected, "{account:?}");
        desk.refund(&number, &refund_no, 100).await;
        assert_eq!(desk.takings(), Money::from_yuan(200), "{account:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_merchant_without_funds_is_told_to_try_later_with_the_same_number() {
    for account in Account::ALL
        .into_iter()
        .filter(|account| account.tells_short_funds())
    {
        let desk = Desk::new(account);
        let number = desk.pay_qr().await;
        let refund_no = desk.refund_no();
        desk.spoil(Operation::Refund, AnswerFault::FundsShort);
        let answer = desk.refund(&number, &refund_no, 100).await;
        assert_eq!(answer, RefundAnswer::MerchantFundsShort, "{account:?}");
        assert_eq!(desk.takings(), Money::from_yuan(300), "{account:?}");
        desk.refund(&number, &refund_no, 100).await;
        assert_eq!(desk.takings(), Money::from_yuan(200), "{account:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn notices_come_lost_doubled_late_and_forged() {
    let check = async |account, fault, wait_s, expected: &[bool]| {
        let desk = Desk::new(account);
        desk.spoil_notice(fault);
        desk.pay_qr().await;
        let mut received = desk.notices();
        desk.wait(wait_s).await;
        received.extend(desk.notices());
        let taken: Vec<bool> = received.iter().map(Result::is_ok).collect();
        assert_eq!(taken, expected, "{account:?}: {fault:?}: {received:?}");
        let amounts = received.iter().flatten().map(|notice| match notice {
            Notice::Payment(notice) | Notice::Hint(notice) => notice.paid.amount.fen(),
            other => panic!("{account:?}: {other:?}"),
        });
        assert!(amounts.into_iter().all(|fen| fen == 30_000), "{account:?}");
    };
    for account in Account::ALL {
        let first_retry = account.first_retry_s();
        check(
            account,
            NoticeFault::Lose { tries: 1 },
            first_retry,
            &[true],
        )
        .await;
        check(account, NoticeFault::Double, 0, &[true, true]).await;
        check(account, NoticeFault::Late { delay_ms: 9_000 }, 9, &[true]).await;
        check(account, NoticeFault::Forged, 0, &[false, true]).await;
        check(account, NoticeFault::Probe, 0, &[false, true]).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_forged_notice_of_an_unpaid_order_is_refused() {
    for account in Account::ALL {
        let desk = Desk::new(account);
        let (_, payload) = desk.show_qr().await;
        let token = desk.scan(&payload);
        desk.act(&token, PhoneAction::ForgeNotice).unwrap();
        let received = desk.notices();
        let is_refused = matches!(received[..], [Err(NoticeError::WrongSignature)]);
        assert!(is_refused, "{account:?}: {received:?}");
        assert_eq!(desk.takings(), Money::ZERO, "{account:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn another_amount_than_asked_is_told_as_it_is() {
    for account in Account::ALL {
        let desk = Desk::new(account);
        let (number, payload) = desk.show_qr().await;
        let token = desk.scan(&payload);
        desk.act(&token, PhoneAction::PayAmountOff).unwrap();
        match desk.channel.query(&number).await {
            GatewayAnswer::Success(fact) => assert_eq!(fact.amount.fen(), 29_999, "{account:?}"),
            other => panic!("{account:?}: {other:?}"),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_bill_may_lack_a_line_and_can_be_damaged() {
    for account in Account::ALL
        .into_iter()
        .filter(|account| account.has_bills())
    {
        let desk = Desk::new(account);
        let date = desk.now().local().date();
        desk.pay_qr().await;
        desk.wait(1).await;
        desk.pay_qr().await;
        desk.wait_for_noon().await;
        let request = BillRequest { date };
        desk.spoil(Operation::Bill, AnswerFault::BillLineMissing);
        let lines = |answer| match answer {
            BillAnswer::Ready(lines) => lines.len(),
            other => panic!("{account:?}: {other:?}"),
        };
        assert_eq!(
            lines(desk.channel.fetch_bill(&request).await),
            1,
            "{account:?}"
        );
        assert_eq!(
            lines(desk.channel.fetch_bill(&request).await),
            2,
            "{account:?}"
        );
        let quiet = BillRequest {
            date: date.previous_day().unwrap(),
        };
        assert_eq!(
            lines(desk.channel.fetch_bill(&quiet).await),
            0,
            "{account:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_password_that_never_comes_ends_the_charge_unpaid() {
    for account in Account::ALL {
        let desk = Desk::new(account);
        let number = desk.attempt_no();
        let code = desk.show_code(true, None);
        desk.charge(&number, &code.digits).await;
        desk.wait(301).await;
        let answer = desk.channel.query(&number).await;
        let is_over = matches!(answer, GatewayAnswer::Declined(_) | GatewayAnswer::Closed);
        assert!(is_over, "{account:?}: {answer:?}");
        let late = desk.act(&code.token, PhoneAction::Pay);
        assert_eq!(late, Err(PhoneRefusal::Over), "{account:?}");
        assert_eq!(desk.takings(), Money::ZERO, "{account:?}");
    }
}
