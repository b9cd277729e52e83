//! What only Shouqianba has: a terminal with a key for each day, saved before it is used.

use qiantai_core::attempt::DeclineCode;
use qiantai_core::money::Money;
use qiantai_pay::channels::training::message::WalletName;
use qiantai_pay::{
    ConfigCause, GatewayAnswer, Notice, QrAnswer, QrRequest, RefundAnswer, UnknownCause, Wallet,
};
use qiantai_paysim::gateway::{AnswerFault, Operation, PhoneAction};
use serde_json::{Value, json};

use super::accounts::Account;
use super::desk::Desk;

impl Desk {
    fn saved_key(&self) -> String {
        let path = self.settings["terminal_file"].as_str().unwrap();
        let saved: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        saved["key"].as_str().unwrap().to_owned()
    }

    /// The digits of an e-CNY wallet's payment code.
    fn show_ecny(&self) -> String {
        let shown = self
            .simulator
            .with(|gateway, now| gateway.show_code(WalletName::Ecny, false, now));
        shown.digits
    }
}

#[tokio::test(start_paused = true)]
async fn the_key_changes_each_day_and_survives_a_lost_answer() {
    let desk = Desk::new(Account::Shouqianba);
    let number = desk.pay_qr().await;
    let mut keys = vec![desk.saved_key()];
    for fault in [
        None,
        Some(AnswerFault::Silent),
        Some(AnswerFault::Lost),
        None,
    ] {
        desk.wait_for_noon().await;
        if let Some(fault) = fault {
            desk.spoil(Operation::Certificates, fault);
        }
        let answer = desk.channel.query(&number).await;
        assert!(
            matches!(answer, GatewayAnswer::Success(_)),
            "{fault:?}: {answer:?}"
        );
        keys.push(desk.saved_key());
    }
    assert_ne!(keys[0], keys[1]);
    assert_ne!(keys[1], keys[2], "the key before opened another check-in");
    assert_ne!(keys[3], keys[4]);
    // A restart goes on with what was saved.
    let restarted = desk.connect(|_| {});
    let answer = restarted.query(&number).await;
    assert!(matches!(answer, GatewayAnswer::Success(_)), "{answer:?}");
}

#[tokio::test(start_paused = true)]
async fn a_machine_that_lost_its_file_is_activated_again_under_its_number() {
    let desk = Desk::new(Account::Shouqianba);
    let number = desk.pay_qr().await;
    std::fs::remove_file(desk.settings["terminal_file"].as_str().unwrap()).unwrap();
    let reinstalled = desk.connect(|_| {});
    let answer = reinstalled.query(&number).await;
    assert!(matches!(answer, GatewayAnswer::Success(_)), "{answer:?}");
    // The program that was there before finds its key refused, and gets one anew.
    let answer = desk.channel.query(&number).await;
    assert!(matches!(answer, GatewayAnswer::Success(_)), "{answer:?}");
}

#[tokio::test(start_paused = true)]
async fn a_wrong_activation_code_is_told() {
    let desk = Desk::new(Account::Shouqianba);
    let wrong = desk.connect(|settings| settings["activation_code"] = json!("another"));
    let answer = wrong.create_qr(&desk.qr_request(&desk.attempt_no())).await;
    let is_told = matches!(answer, QrAnswer::ConfigError(ConfigCause::Incomplete(_)));
    assert!(is_told, "{answer:?}");
}

/// e-CNY comes by agreement: the contract names a `payway`, and codes begin with 01.
#[tokio::test(start_paused = true)]
async fn e_cny_is_taken_where_the_contract_carries_it() {
    let mut desk = Desk::new(Account::Shouqianba);
    let payway = desk
        .simulator
        .with(|gateway, _| gateway.add_ecny("91800001"));
    desk.channel = desk.connect(|settings| settings["ecny_payway"] = json!(payway));
    let number = desk.attempt_no();
    let request = QrRequest {
        wallet: Wallet::Ecny,
        ..desk.qr_request(&number)
    };
    let QrAnswer::Created { payload } = desk.channel.create_qr(&request).await else {
        panic!("no QR code");
    };
    desk.act(&desk.scan(&payload), PhoneAction::Pay).unwrap();
    let [Ok(Notice::Hint(hint))] = &desk.notices()[..] else {
        panic!("no notice");
    };
    assert_eq!(hint.attempt_no, number);
    let code = desk.show_ecny();
    assert!(code.starts_with("01"), "{code}");
    let charged = desk.attempt_no();
    let answer = desk.charge(&charged, &code).await;
    assert!(matches!(answer, GatewayAnswer::Success(_)), "{answer:?}");
    for number in [&number, &charged] {
        let answer = desk.channel.query(number).await;
        assert!(matches!(answer, GatewayAnswer::Success(_)), "{answer:?}");
        let refund_no = desk.refund_no();
        let back = desk.refund(number, &refund_no, 300).await;
        assert!(matches!(back, RefundAnswer::Succeeded { .. }), "{back:?}");
    }
    assert_eq!(desk.takings(), Money::ZERO);
}

#[tokio::test(start_paused = true)]
async fn e_cny_is_refused_where_the_contract_lacks_it() {
    let desk = Desk::new(Account::Shouqianba);
    let wish = |number: &str| QrRequest {
        wallet: Wallet::Ecny,
        ..desk.qr_request(number)
    };
    let without = desk.channel.create_qr(&wish(&desk.attempt_no())).await;
    assert_eq!(
        without,
        QrAnswer::ConfigError(ConfigCause::NotPermitted),
        "nothing is sent where the settings name no payway"
    );
    let hopeful = desk.connect(|settings| settings["ecny_payway"] = json!("23"));
    let refused = hopeful.create_qr(&wish(&desk.attempt_no())).await;
    let is_told = matches!(refused, QrAnswer::ConfigError(ConfigCause::BadRequest(_)));
    assert!(is_told, "{refused:?}");
    let code = desk.show_ecny();
    let answer = desk.charge(&desk.attempt_no(), &code).await;
    let expected = GatewayAnswer::Declined(DeclineCode::CodeInvalid);
    assert_eq!(answer, expected);
    let made = desk
        .simulator
        .with(|gateway, _| gateway.add_ecny("91800001"));
    assert_eq!(made, "23");
    let after = hopeful.create_qr(&wish(&desk.attempt_no())).await;
    assert!(matches!(after, QrAnswer::Created { .. }), "{after:?}");
}

/// Each payment of a code that was paid twice is found by its own number, by this terminal alone.
#[tokio::test(start_paused = true)]
async fn a_payment_is_found_by_the_number_that_its_notice_tells() {
    let desk = Desk::new(Account::Shouqianba);
    let (_, payload) = desk.show_qr().await;
    desk.act(&desk.scan(&payload), PhoneAction::PayTwice)
        .unwrap();
    let notices = desk.notices();
    let [Ok(Notice::Hint(first)), Ok(Notice::Hint(second))] = &notices[..] else {
        panic!("two hints, not {notices:?}");
    };
    assert_ne!(first.paid.channel_txn_no, second.paid.channel_txn_no);
    for notice in [first, second] {
        let found = desk.channel.confirm(notice).await;
        assert_eq!(found, GatewayAnswer::Success(notice.paid.clone()));
    }
    std::fs::remove_file(desk.settings["terminal_file"].as_str().unwrap()).unwrap();
    let other = desk.connect(|settings| settings["device_id"] = json!("another desk"));
    let found = other.confirm(second).await;
    assert_eq!(found, GatewayAnswer::Unknown(UnknownCause::NotFound));
}
