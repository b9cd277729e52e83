//! Shouqianba: what each answer means, and the life of the terminal's key.

mod terminal;

use std::sync::{Arc, Mutex};

use http::{HeaderMap, HeaderValue, header};
use qiantai_core::attempt::DeclineCode;
use qiantai_core::clock::{Millis, Timestamp};
use qiantai_core::money::Money;
use qiantai_core::order_no::Prefix;
use qiantai_pay::channels::shouqianba::signature::is_signed;
use qiantai_pay::channels::shouqianba::{
    ActivationFault, ShouqianbaChannel, ShouqianbaConfig, Terminal, TerminalFile, TerminalStore,
    TerminalStoreError,
};
use qiantai_pay::transport::TransportError;
use qiantai_pay::{
    Channel, CloseAnswer, ConfigCause, GatewayAnswer, Notice, NoticeError, PaidFact, PaymentNotice,
    PendingState, QrAnswer, RefundAnswer, RefundRefusal, ReverseAnswer, SecretText, UnknownCause,
    Wallet,
};
use serde_json::{Value, json};

use crate::dialogue::{
    Answer, Dialogue, GATEWAY, OURS, attempt, code_request, number, ok, qr_request, refund_request,
    status,
};
use crate::scripted::{NOW, Still};

const TERMINAL: &str = "10298371039";

/// A store that keeps every state, and can be full.
#[derive(Default)]
struct Shelf {
    saved: Mutex<Vec<Terminal>>,
    is_full: bool,
}

impl TerminalStore for Shelf {
    fn load(&self) -> Result<Option<Terminal>, TerminalStoreError> {
        Ok(self.saved.lock().unwrap().last().cloned())
    }
    fn save(&self, terminal: &Terminal) -> Result<(), TerminalStoreError> {
        if self.is_full {
            return Err(TerminalStoreError("no space left".to_owned()));
        }
        self.saved.lock().unwrap().push(terminal.clone());
        Ok(())
    }
}

fn terminal(key: &str, previous: Option<&str>, age: Millis) -> Terminal {
    Terminal {
        sn: TERMINAL.to_owned(),
        key: SecretText::new(key),
        previous_key: previous.map(SecretText::new),
        changed_at: NOW - age,
    }
}

fn shelf(terminal: Option<Terminal>, is_full: bool) -> Arc<Shelf> {
    Arc::new(Shelf {
        saved: Mutex::new(terminal.into_iter().collect()),
        is_full,
    })
}

fn open(
    store: Arc<Shelf>,
    answers: impl IntoIterator<Item = Answer>,
) -> (ShouqianbaChannel, Arc<Dialogue>) {
    open_by(Some(GATEWAY.public_pem()), store, answers)
}

/// With the vendor's key for notices, or without, as not every merchant is given it.
fn open_by(
    notice_key: Option<String>,
    store: Arc<Shelf>,
    answers: impl IntoIterator<Item = Answer>,
) -> (ShouqianbaChannel, Arc<Dialogue>) {
    let dialogue = Dialogue::new(answers);
    let config: ShouqianbaConfig = serde_json::from_value(json!({
        "base_url": "https://gateway.test",
        "vendor_sn": "91800129",
        "vendor_key": "vendorkey",
        "app_id": "2020",
        "activation_code": "A1B2",
        "device_id": "desk-1",
        "terminal_file": "terminal.json",
        "notice_public_key": notice_key,
    }))
    .unwrap();
    let channel = ShouqianbaChannel::new(config, store, dialogue.clone(), Arc::new(Still));
    (channel.unwrap(), dialogue)
}

fn checked_in(answers: impl IntoIterator<Item = Answer>) -> (ShouqianbaChannel, Arc<Dialogue>) {
    open(
        shelf(Some(terminal("today", None, Millis(0))), false),
        answers,
    )
}

fn shouqianba(answers: impl IntoIterator<Item = Answer>) -> ShouqianbaChannel {
    checked_in(answers).0
}

fn business(result: &str, error: Option<&str>, data: Value) -> Answer {
    let mut business = json!({ "result_code": result, "data": data });
    if let Some(code) = error {
        business["error_code"] = json!(code);
    }
    ok(json!({ "result_code": "200", "biz_response": business }).to_string())
}

fn refused(code: &str) -> Answer {
    let body = json!({ "result_code": "400", "error_code": code, "error_message": "说明" });
    ok(body.to_string())
}

fn order(status: &str) -> Value {
    json!({
        "sn": "7895259485469125", "client_sn": attempt(), "order_status": status,
        "status": "SUCCESS", "sub_payway": "1", "total_amount": "30000",
        "finish_time": "1795298401000", "payer_uid": "o1",
    })
}

/// Cancelled, and told without the time of its payment.
fn factless() -> Value {
    let mut order = order("CANCELED");
    order["finish_time"] = Value::Null;
    order
}

fn qr_order(status: &str) -> Value {
    let mut order = order(status);
    order["sub_payway"] = json!("2");
    order
}

fn paid() -> PaidFact {
    PaidFact {
        channel_txn_no: "7895259485469125".to_owned(),
        amount: Money::from_yuan(300),
        paid_at: Timestamp::from_ms(1_795_298_401_000),
        payer: Some("o1".to_owned()),
    }
}

#[tokio::test]
async fn answers_to_a_payment_code() {
    use DeclineCode as D;
    use GatewayAnswer::{Closed, ConfigError, Declined, Pending, Returned, Success, Unknown};
    use UnknownCause as U;
    let unlisted = |code: &str| Unknown(U::Unlisted(code.to_owned()));
    let failed = |code| business("PAY_FAIL", Some(code), Value::Null);
    let mut broken_off = order("PAY_CANCELED");
    broken_off["status"] = json!("FAIL_IO_1");
    let mut other = order("PAID");
    other["client_sn"] = json!("ZF1");
    let cases: Vec<(Answer, GatewayAnswer)> = vec![
        (
            business("PAY_SUCCESS", None, order("PAID")),
            Success(paid()),
        ),
        (
            business("PAY_IN_PROGRESS", None, order("CREATED")),
            Pending(PendingState::UserPaying),
        ),
        (
            business("PAY_IN_PROGRESS", None, Value::Null),
            Pending(PendingState::UserPaying),
        ),
        (failed("INSUFFICIENT_FUND"), Declined(D::BalanceShort)),
        (failed("EXPIRED_BARCODE"), Declined(D::CodeExpired)),
        (failed("INVALID_BARCODE"), Declined(D::CodeInvalid)),
        (failed("BUYER_OVER_DAILY_LIMIT"), Declined(D::DailyLimit)),
        (
            failed("BUYER_OVER_TRANSACTION_LIMIT"),
            Declined(D::SingleLimit),
        ),
        (
            failed("UPAY_STORE_OVER_DAILY_LIMIT"),
            Declined(D::MerchantLimit),
        ),
        (failed("TRADE_FAILED"), Declined(D::IssuerRefused)),
        (failed("TRADE_TIMEOUT"), Declined(D::NotCompleted)),
        (failed("TRADE_HAS_SUCCESS"), Unknown(U::AlreadyPaid)),
        (failed("CLIENT_SN_CONFLICT"), Unknown(U::NumberReused)),
        (failed("BRAND_NEW"), unlisted("BRAND_NEW")),
        (
            business("PAY_FAIL", None, Value::Null),
            unlisted("PAY_FAIL"),
        ),
        (
            business("PAY_FAIL", Some("INSUFFICIENT_FUND"), order("PAY_CANCELED")),
            Declined(D::BalanceShort),
        ),
        (
            business("PAY_FAIL", None, order("PAY_CANCELED")),
            Declined(D::NotCompleted),
        ),
        (
            business("PAY_FAIL", None, broken_off),
            unlisted("PAY_CANCELED"),
        ),
        (
            business("PAY_FAIL_ERROR", None, order("PAY_ERROR")),
            unlisted("PAY_ERROR"),
        ),
        (
            business("PAY_FAIL_IN_PROGRESS", None, Value::Null),
            unlisted("PAY_FAIL_IN_PROGRESS"),
        ),
        (
            business("SUCCESS", None, order("REFUNDED")),
            Returned(paid()),
        ),
        (
            business("SUCCESS", None, order("CANCELED")),
            Returned(paid()),
        ),
        // Without the facts of the payment it says at least that nothing is owed.
        (business("SUCCESS", None, factless()), Closed),
        (
            business("SUCCESS", None, order("PARTIAL_REFUNDED")),
            Returned(paid()),
        ),
        (business("SUCCESS", None, other), Unknown(U::Mismatched)),
        (
            refused("INVALID_PARAMS"),
            ConfigError(ConfigCause::BadRequest("说明".into())),
        ),
        (refused("UPAY_ORDER_NOT_EXISTS"), Unknown(U::NotFound)),
        (
            ok(r#"{"result_code":"500"}"#),
            Unknown(U::GatewayFault(500)),
        ),
        (status(503), Unknown(U::GatewayFault(503))),
        (Err(TransportError::Timeout), Unknown(U::Timeout)),
    ];
    for (answer, expected) in cases {
        let shown = format!("{answer:?}");
        let found = shouqianba([answer])
            .charge_code(&code_request("130000000000000001"))
            .await;
        assert_eq!(found, expected, "{shown}");
    }
}

/// A charge refused for its key went out all the same.
#[tokio::test]
async fn a_charge_that_went_out_is_never_called_unsent() {
    let wrong_key = json!({ "result_code": "400", "error_code": "ILLEGAL_SIGN" });
    let unsent = || Err(TransportError::NotSent);
    for (answers, cause) in [
        (vec![unsent()], UnknownCause::NotSent),
        (
            vec![ok(wrong_key.to_string()), unsent()],
            UnknownCause::Broken,
        ),
    ] {
        let calls = answers.len();
        let (channel, dialogue) = checked_in(answers);
        let found = channel
            .charge_code(&code_request("130000000000000001"))
            .await;
        assert_eq!(found, GatewayAnswer::Unknown(cause));
        assert_eq!(dialogue.requests().len(), calls);
    }
}

#[tokio::test]
async fn requests_are_signed_by_the_terminal() {
    let created = business("PRECREATE_SUCCESS", None, json!({ "qr_code": "https://q" }));
    let (channel, dialogue) = checked_in([created]);
    let mut request = qr_request(Wallet::Wechat);
    let payload = "https://q".to_owned();
    assert_eq!(
        channel.create_qr(&request).await,
        QrAnswer::Created { payload }
    );
    let sent = &dialogue.requests()[0];
    assert_eq!(sent.uri(), "https://gateway.test/upay/v2/precreate");
    let authorization = sent.headers()[header::AUTHORIZATION].to_str().unwrap();
    assert!(is_signed(authorization, TERMINAL, sent.body(), "today"));
    assert!(is_signed(
        &authorization.to_uppercase(),
        TERMINAL,
        sent.body(),
        "today"
    ));
    assert!(!is_signed(authorization, TERMINAL, sent.body(), "tomorrow"));
    let body: Value = serde_json::from_slice(sent.body()).unwrap();
    assert_eq!(
        (&body["total_amount"], &body["payway"]),
        (&json!("30000"), &json!("3"))
    );
    assert_eq!(body["terminal_sn"], TERMINAL);
    // Off unless the contract names it.
    request.wallet = Wallet::Ecny;
    let answer = channel.create_qr(&request).await;
    assert_eq!(answer, QrAnswer::ConfigError(ConfigCause::NotPermitted));
}

#[tokio::test]
async fn a_paid_order_is_not_closed() {
    let query = |data| business("SUCCESS", None, data);
    let cancelled = |data| business("CANCEL_SUCCESS", None, data);
    let old = number(Prefix::Attempt, Millis::seconds(330));
    let missing = || business("FAIL", Some("UPAY_ORDER_NOT_EXISTS"), Value::Null);
    let cases = [
        (vec![query(qr_order("PAID"))], CloseAnswer::AlreadyPaid),
        (vec![query(qr_order("PAY_CANCELED"))], CloseAnswer::Closed),
        (
            vec![
                query(qr_order("CREATED")),
                cancelled(qr_order("PAY_CANCELED")),
            ],
            CloseAnswer::Closed,
        ),
        (
            vec![
                query(qr_order("CREATED")),
                business("CANCEL_ERROR", None, Value::Null),
            ],
            CloseAnswer::Unknown(UnknownCause::Unlisted("CANCEL_ERROR".into())),
        ),
        (
            vec![missing()],
            CloseAnswer::Unknown(UnknownCause::NotFound),
        ),
    ];
    for (answers, expected) in cases {
        let calls = answers.len();
        let (channel, dialogue) = checked_in(answers);
        assert_eq!(channel.close(&attempt(), None).await, expected);
        assert_eq!(dialogue.requests().len(), calls);
    }
    assert_eq!(
        shouqianba([missing()]).close(&old, None).await,
        CloseAnswer::Closed
    );
}

/// What the gateway has no record of is over so long after it was sent, however old its number is.
#[tokio::test]
async fn an_order_that_never_arrived_is_over_a_while_after_it_was_sent() {
    let old = number(Prefix::Attempt, Millis::hours(1));
    let missing = || business("FAIL", Some("UPAY_ORDER_NOT_EXISTS"), Value::Null);
    for (age_s, is_over) in [(329, false), (330, true)] {
        let asked_at = Some(NOW - Millis::seconds(age_s));
        let closed = shouqianba([missing()]).close(&old, asked_at).await;
        assert_eq!(closed == CloseAnswer::Closed, is_over, "{closed:?}");
    }
    for (age_s, is_over) in [(119, false), (120, true)] {
        let charged_at = Some(NOW - Millis::seconds(age_s));
        let missing = refused("UPAY_ORDER_NOT_EXISTS");
        let reversed = shouqianba([missing]).reverse(&old, charged_at).await;
        let money_returned = Some(false);
        let unpaid = ReverseAnswer::Reversed { money_returned };
        assert_eq!(reversed == unpaid, is_over, "{reversed:?}");
    }
}

/// Of another payment under the same number it says nothing.
#[tokio::test]
async fn a_hint_is_confirmed_by_its_own_payment_only() {
    for status in ["PAID", "PARTIAL_REFUNDED"] {
        for (sn, is_confirmed) in [("7895259485469125", true), ("7895259485469126", false)] {
            let notice = PaymentNotice {
                notice_id: "1".to_owned(),
                attempt_no: attempt(),
                paid: PaidFact {
                    channel_txn_no: sn.to_owned(),
                    ..paid()
                },
            };
            let answer = business("SUCCESS", None, order(status));
            let found = shouqianba([answer]).confirm(&notice).await;
            let expected = match (is_confirmed, status) {
                (false, _) => GatewayAnswer::Unknown(UnknownCause::Mismatched),
                (true, "PAID") => GatewayAnswer::Success(paid()),
                (true, _) => GatewayAnswer::Returned(paid()),
            };
            assert_eq!(found, expected, "{sn} {status}");
        }
    }
}

#[tokio::test]
async fn answers_to_reversing() {
    let reversed = |money_returned| ReverseAnswer::Reversed { money_returned };
    let query = |data| business("SUCCESS", None, data);
    let cases = [
        (
            vec![business("CANCEL_SUCCESS", None, order("CANCELED"))],
            reversed(Some(true)),
        ),
        (
            vec![business(
                "CANCEL_ABORT_SUCCESS",
                None,
                order("PAY_CANCELED"),
            )],
            reversed(Some(false)),
        ),
        (
            vec![business("CANCEL_SUCCESS", None, Value::Null)],
            reversed(None),
        ),
        (
            vec![business(
                "CANCEL_IN_PROGRESS",
                None,
                order("CANCEL_INPROGRESS"),
            )],
            ReverseAnswer::Unknown(UnknownCause::Unlisted("CANCEL_IN_PROGRESS".into())),
        ),
        (
            vec![refused("UPAY_CANCEL_ORDER_NOOP"), query(order("CANCELED"))],
            reversed(Some(true)),
        ),
        (
            vec![
                refused("UPAY_CANCEL_INVALID_ORDER_STATE"),
                query(order("REFUNDED")),
            ],
            reversed(Some(true)),
        ),
        (
            vec![
                refused("UPAY_CANCEL_INVALID_ORDER_STATE"),
                query(order("PARTIAL_REFUNDED")),
            ],
            ReverseAnswer::WindowPassed,
        ),
        (
            vec![
                refused("UPAY_CANCEL_INVALID_ORDER_STATE"),
                query(order("PAID")),
            ],
            ReverseAnswer::WindowPassed,
        ),
        (
            vec![refused("UPAY_ORDER_NOT_EXISTS")],
            ReverseAnswer::Unknown(UnknownCause::NotFound),
        ),
    ];
    for (answers, expected) in cases {
        assert_eq!(
            shouqianba(answers).reverse(&attempt(), None).await,
            expected
        );
    }
}

#[tokio::test]
async fn answers_to_refunds() {
    let request = refund_request("TK1", 180);
    let succeeded = || RefundAnswer::Succeeded {
        channel_refund_no: "TK1".to_owned(),
        amount: Money::from_yuan(180),
    };
    let failed = |code| vec![business("REFUND_FAIL", Some(code), Value::Null)];
    let cases = [
        (
            vec![business("REFUND_SUCCESS", None, order("PARTIAL_REFUNDED"))],
            succeeded(),
        ),
        (
            vec![business("REFUND_IN_PROGRESS", None, Value::Null)],
            RefundAnswer::Accepted,
        ),
        (
            vec![business("REFUND_ERROR", None, Value::Null)],
            RefundAnswer::Unknown(UnknownCause::Unlisted("REFUND_ERROR".into())),
        ),
        (
            failed("SELLER_BALANCE_NOT_ENOUGH"),
            RefundAnswer::MerchantFundsShort,
        ),
        (
            failed("REFUNDABLE_AMOUNT_NOT_ENOUGH"),
            RefundAnswer::Refused(RefundRefusal::ExceedsPaid),
        ),
        (
            failed("UPAY_REFUND_INVALID_ORDER_STATE"),
            RefundAnswer::Refused(RefundRefusal::TooLate),
        ),
        (
            failed("REFUND_REQUEST_CONFLICT"),
            RefundAnswer::Unknown(UnknownCause::NumberReused),
        ),
        (
            vec![
                refused("UPAY_REFUND_ORDER_NOOP"),
                business("SUCCESS", None, order("REFUNDED")),
            ],
            succeeded(),
        ),
    ];
    for (answers, expected) in cases {
        assert_eq!(shouqianba(answers).refund(&request).await, expected);
    }
}

#[tokio::test]
async fn waiting_for_a_scan_is_told_from_waiting_for_a_password() {
    for (data, expected) in [
        (qr_order("CREATED"), PendingState::NotScanned),
        (order("CREATED"), PendingState::UserPaying),
    ] {
        let found = shouqianba([business("SUCCESS", None, data)])
            .query(&attempt())
            .await;
        assert_eq!(found, GatewayAnswer::Pending(expected));
    }
}
