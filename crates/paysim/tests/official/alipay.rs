//! What only Alipay has: keys that change in both modes, certificates that are fetched, codes that
//! make no trade until they are scanned.

use qiantai_pay::{CloseAnswer, GatewayAnswer, Notice, RefundAnswer, ReverseAnswer, UnknownCause};
use qiantai_paysim::gateway::{AnswerFault, Operation, PhoneAction};
use serde_json::json;

use super::accounts::Account;
use super::desk::Desk;

const ALIPAY: [Account; 2] = [Account::AlipayKeys, Account::AlipayCertificates];

#[tokio::test(start_paused = true)]
async fn a_new_certificate_is_fetched_and_believed_by_its_root() {
    let desk = Desk::new(Account::AlipayCertificates);
    let number = desk.pay_qr().await;
    desk.spoil(Operation::Query, AnswerFault::NewKey);
    let answer = desk.channel.query(&number).await;
    assert!(matches!(answer, GatewayAnswer::Success(_)), "{answer:?}");
    let notices = desk.notices();
    assert!(
        matches!(notices[..], [Ok(Notice::Payment(_))]),
        "{notices:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_new_key_is_believed_once_it_is_in_the_settings() {
    let desk = Desk::new(Account::AlipayKeys);
    let number = desk.pay_qr().await;
    desk.spoil(Operation::Query, AnswerFault::NewKey);
    let answer = desk.channel.query(&number).await;
    assert_eq!(answer, GatewayAnswer::Unknown(UnknownCause::BadSignature));
    let keys = desk
        .simulator
        .with(|gateway, _| gateway.alipay_public_keys());
    let renewed = desk.connect(|settings| settings["alipay_public_keys"] = json!(keys));
    let answer = renewed.query(&number).await;
    assert!(matches!(answer, GatewayAnswer::Success(_)), "{answer:?}");
    let notices = desk.notices_read_by(&*renewed);
    assert!(
        matches!(notices[..], [Ok(Notice::Payment(_))]),
        "{notices:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_code_that_nobody_scanned_leaves_no_trace() {
    for account in ALIPAY {
        let desk = Desk::new(account);
        let (number, payload) = desk.show_qr().await;
        let not_found = UnknownCause::NotFound;
        let close = desk.channel.close(&number, None).await;
        assert_eq!(
            close,
            CloseAnswer::Unknown(not_found.clone()),
            "{account:?}"
        );
        let cancel = desk.channel.reverse(&number, None).await;
        assert_eq!(cancel, ReverseAnswer::Unknown(not_found), "{account:?}");
        // It can still be paid: the end of the code is the only end.
        let token = desk.scan(&payload);
        desk.act(&token, PhoneAction::Pay).unwrap();
        let answer = desk.channel.query(&number).await;
        assert!(matches!(answer, GatewayAnswer::Success(_)), "{answer:?}");

        let (number, payload) = desk.show_qr().await;
        desk.wait(331).await;
        assert_eq!(
            desk.channel.close(&number, None).await,
            CloseAnswer::Closed,
            "{account:?}"
        );
        let scanned = desk
            .simulator
            .with(|gateway, now| gateway.scan(&payload, now))
            .unwrap();
        assert!(
            desk.act(&scanned.token, PhoneAction::Pay).is_err(),
            "{account:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn yesterday_s_payment_is_not_cancelled() {
    for account in ALIPAY {
        let desk = Desk::new(account);
        let number = desk.attempt_no();
        let code = desk.show_code(false, None);
        desk.charge(&number, &code.digits).await;
        desk.wait_for_noon().await;
        let answer = desk.channel.reverse(&number, None).await;
        assert_eq!(answer, ReverseAnswer::WindowPassed, "{account:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_payment_paid_back_in_full_is_told_from_one_that_never_came() {
    for account in ALIPAY {
        let desk = Desk::new(account);
        let number = desk.pay_qr().await;
        desk.refund(&number, &desk.refund_no(), 300).await;
        let standing = desk.channel.query(&number).await;
        let is_returned = matches!(standing, GatewayAnswer::Returned(_));
        assert!(is_returned, "{account:?}: {standing:?}");
        let more = desk.refund(&number, &desk.refund_no(), 1).await;
        assert!(
            matches!(more, RefundAnswer::Refused(_)),
            "{account:?}: {more:?}"
        );
        desk.wait(10).await;
        let notices = desk.notices();
        let read = matches!(notices[..], [Ok(Notice::Payment(_)), Ok(Notice::Refund(_))]);
        assert!(read, "{account:?}: {notices:?}");
    }
}
