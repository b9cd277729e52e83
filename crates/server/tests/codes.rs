//! Payment codes (付款码) charged by the server, against the simulated gateway.

use http::StatusCode;
use qiantai_core::attempt::{AttemptState, Channel, DeclineCode, PayMethod};
use qiantai_core::ids::AttemptId;
use qiantai_core::operation::OperationBody;
use qiantai_core::recharge::OrderState;
use qiantai_core::{Millis, Money};
use qiantai_pay::channels::training::message::WalletName;
use qiantai_pay::{
    ConfigCause, GatewayAnswer, PaidFact, PendingState, ReverseAnswer, UnknownCause,
};
use qiantai_paysim::gateway::{CodeView, PhoneAction};
use qiantai_server::Clock;
use qiantai_wire::api::{AttemptAnswer, ChargeRequest};
use qiantai_wire::codes::RefusalCodeDto;
use qiantai_wire::feed::OutcomeDto;
use qiantai_wire::{ApiError, ErrorCode};

use crate::gateway::Call;
use crate::harness::Shop;
use crate::till::Till;

/// A shop with an open attempt by payment code of 300 yuan.
struct Desk {
    shop: Shop,
    till: Till,
    attempt: AttemptId,
    before: Money,
}

impl Desk {
    async fn open() -> Desk {
        let shop = Shop::open(2).await;
        let till = Till::open(&shop).await;
        let before = shop.principal(shop.members()[0]);
        let attempt = AttemptId(uuid::Uuid::nil());
        let mut desk = Desk {
            shop,
            till,
            attempt,
            before,
        };
        desk.attempt = desk.start(0).await;
        desk
    }

    /// Opens an order of a member with an attempt by code.
    async fn start(&mut self, member: usize) -> AttemptId {
        let member = self.shop.members()[member];
        let open = self.till.recharge(&self.shop, member, 300).await;
        let mut start = self.till.start_of(&open);
        start.method = PayMethod::Code;
        let attempt = start.attempt;
        for body in [
            OperationBody::RechargeOpen(open),
            OperationBody::AttemptStart(start),
        ] {
            let said = self.till.act(&self.shop, body).await;
            assert_eq!(said.outcome, OutcomeDto::Applied);
        }
        attempt
    }

    /// The customer shows a code of WeChat Pay.
    fn code(&self, asks_password: bool) -> CodeView {
        self.shop
            .simulator
            .with(|gateway, now| gateway.show_code(WalletName::Wechat, asks_password, now))
    }

    async fn charge(&self, attempt: AttemptId, code: &str) -> Result<AttemptAnswer, ErrorCode> {
        let request = ChargeRequest { code: code.into() };
        let path = format!("/v1/attempts/{attempt}/charge");
        let body = serde_json::to_vec(&request).unwrap();
        let request = self.till.request("POST", &path, body);
        let (status, answer) = self.shop.send(request).await;
        if status == StatusCode::OK {
            return Ok(serde_json::from_slice(&answer).unwrap());
        }
        let error: ApiError = serde_json::from_slice(&answer).unwrap();
        Err(error.error_code().unwrap())
    }

    fn state(&self) -> AttemptState {
        self.shop.attempt(self.attempt).state
    }

    fn order_state(&self) -> OrderState {
        self.shop.order(self.shop.attempt(self.attempt).order).state
    }

    fn count(&self, call: Call) -> usize {
        self.shop.gateway.count(call)
    }

    fn gained(&self) -> Money {
        self.shop.principal(self.shop.members()[0]) - self.before
    }

    /// What the gateway kept stands in the books.
    fn check_money(&self, yuan: i64) {
        let takings = self
            .shop
            .simulator
            .with(|gateway, _| gateway.takings("1900000001"));
        assert_eq!(takings, Money::from_yuan(yuan));
        assert_eq!(self.shop.balance("clearing"), takings.fen());
    }

    async fn pass(&self, seconds: i64) {
        self.shop.pass(Millis::seconds(seconds)).await;
    }

    fn paid(&self) -> GatewayAnswer {
        GatewayAnswer::Success(PaidFact {
            channel_txn_no: "T1".into(),
            amount: Money::from_yuan(300),
            paid_at: Clock::now(self.shop.time.as_ref()),
            payer: None,
        })
    }
}

#[tokio::test]
async fn a_paid_code_is_credited_at_once_and_only_once() {
    let desk = Desk::open().await;
    let code = desk.code(false).digits;
    let answer = desk.charge(desk.attempt, &code).await.unwrap();
    assert_eq!(answer.order.state, OrderState::Credited.into());
    let again = desk.charge(desk.attempt, &format!("{code}\r\n")).await;
    assert_eq!(again.unwrap().order.state, OrderState::Credited.into());
    assert_eq!(desk.count(Call::Charge), 1);
    assert_eq!(desk.gained(), Money::from_yuan(300));
    desk.check_money(300);
    desk.pass(600).await;
    assert_eq!(desk.count(Call::Query) + desk.count(Call::Reverse), 0);
}

#[tokio::test]
async fn a_code_is_taken_for_one_attempt_and_an_attempt_takes_one_code() {
    let mut desk = Desk::open().await;
    let second = desk.start(1).await;
    let (first, other) = (desk.code(true).digits, desk.code(false).digits);
    desk.charge(desk.attempt, &first).await.unwrap();
    let cases = [
        (second, first.as_str(), ErrorCode::PaymentCodeUsed),
        (desk.attempt, &other, ErrorCode::PaymentCodeGiven),
        (
            second,
            "2800000000000000",
            ErrorCode::PaymentCodeNotOfChannel,
        ),
        (second, "6901234567892", ErrorCode::PaymentCodeNotOfChannel),
        (second, "", ErrorCode::PaymentCodeNotOfChannel),
        (AttemptId(uuid::Uuid::nil()), &other, ErrorCode::NotFound),
    ];
    for (attempt, code, expected) in cases {
        assert_eq!(
            desk.charge(attempt, code).await.err(),
            Some(expected),
            "{code}"
        );
    }
    assert_eq!(desk.count(Call::Charge), 1);
    desk.charge(second, &other).await.unwrap();
    assert_eq!(desk.shop.attempt(second).state, AttemptState::Succeeded);
}

#[tokio::test]
async fn only_an_open_code_attempt_is_charged() {
    let mut desk = Desk::open().await;
    let code = desk.code(false).digits;
    let member = desk.shop.members()[1];
    let (_, qr) = desk.till.show_qr(&desk.shop, member, 300).await;
    let refused = Some(ErrorCode::AttemptNotChargeable);
    assert_eq!(desk.charge(qr.id, &code).await.err(), refused);
    let order = desk.shop.attempt(desk.attempt).order;
    let cancel = OperationBody::RechargeCancel { order };
    desk.till.act(&desk.shop, cancel).await;
    assert_eq!(desk.charge(desk.attempt, &code).await.err(), refused);
    desk.pass(0).await;
    assert_eq!(desk.state(), AttemptState::Closed);
    assert_eq!(desk.order_state(), OrderState::Cancelled);
    assert_eq!(desk.charge(desk.attempt, &code).await.err(), refused);
    assert_eq!(desk.count(Call::Charge), 0);
}

/// Another till may look and ask, for its manager; money moves at the till of the customer only.
#[tokio::test]
async fn only_the_till_of_the_order_charges_and_gives_up() {
    let desk = Desk::open().await;
    let mut other = Till::with_key(&desk.shop, [4; 32], "02").await;
    let code = desk.code(false).digits;
    let order = desk.shop.attempt(desk.attempt).order;
    let call = |till: &Till, verb: &str, path: &str, body: Vec<u8>| {
        till.request(verb, &format!("/v1/attempts/{}{path}", desk.attempt), body)
    };
    let charge = serde_json::to_vec(&ChargeRequest { code: code.clone() }).unwrap();
    let request = call(&other, "POST", "/charge", charge);
    let (status, answer) = desk.shop.send(request).await;
    let error: ApiError = serde_json::from_slice(&answer).unwrap();
    let said = (status, error.error_code(), error.retryable);
    let elsewhere = Some(ErrorCode::AttemptElsewhere);
    assert_eq!(said, (StatusCode::FORBIDDEN, elsewhere, false));
    assert_eq!(desk.count(Call::Charge), 0);
    for (verb, path) in [("GET", ""), ("POST", "/query")] {
        let request = call(&other, verb, path, Vec::new());
        let (status, answer) = desk.shop.send(request).await;
        assert_eq!(status, StatusCode::OK, "{verb} {path}");
        let seen: AttemptAnswer = serde_json::from_slice(&answer).unwrap();
        assert_eq!(seen.attempt.id, desk.attempt.0);
    }
    let cancel = OperationBody::RechargeCancel { order };
    let refused = other.act(&desk.shop, cancel).await.outcome;
    let OutcomeDto::Refused(refusal) = refused else {
        panic!("{refused:?}");
    };
    assert_eq!(refusal.reason, RefusalCodeDto::OrderElsewhere);
    assert!(!desk.shop.attempt(desk.attempt).cancel_requested);
    desk.charge(desk.attempt, &code).await.unwrap();
    assert_eq!(desk.state(), AttemptState::Succeeded);
    desk.check_money(300);
}

#[tokio::test]
async fn an_attempt_without_its_code_ends_with_its_time() {
    let desk = Desk::open().await;
    let end = desk.shop.attempt(desk.attempt).expires_at;
    let left = end - desk.shop.now();
    desk.shop.pass(Millis(left.0 - 1)).await;
    assert_eq!(desk.state(), AttemptState::Init);
    desk.shop.pass(Millis(1)).await;
    assert_eq!(desk.state(), AttemptState::Closed);
    assert_eq!(desk.count(Call::Query), 0, "nothing was ever sent");
}

/// What the gateway answers to the charge, and what the attempt is then.
#[tokio::test]
async fn each_answer_to_a_charge_has_its_meaning() {
    let check = async |answer: GatewayAnswer, state, decline| {
        let desk = Desk::open().await;
        desk.shop
            .gateway
            .script(|script| script.charges.push_back(answer.clone()));
        let code = desk.code(false).digits;
        desk.charge(desk.attempt, &code).await.unwrap();
        assert_eq!(desk.state(), state, "{answer:?}");
        assert_eq!(desk.shop.attempt(desk.attempt).decline, decline);
        assert_eq!(desk.gained(), Money::ZERO, "{answer:?}");
        desk
    };
    use AttemptState::{Closed, Failed, Unknown, UserPaying};
    let short = DeclineCode::BalanceShort;
    let paying = GatewayAnswer::Pending(PendingState::UserPaying);
    check(GatewayAnswer::Declined(short), Failed, Some(short)).await;
    check(paying, UserPaying, None).await;
    check(GatewayAnswer::Closed, Closed, None).await;
    for cause in [
        ConfigCause::Signature,
        ConfigCause::Clock,
        ConfigCause::NotPermitted,
        ConfigCause::MerchantBlocked,
        ConfigCause::BadRequest("mchid".into()),
        ConfigCause::ForbiddenWord("name".into()),
        ConfigCause::Incomplete("no address for notices".into()),
    ] {
        let desk = check(GatewayAnswer::ConfigError(cause.clone()), Failed, None).await;
        let kept = desk.shop.attempt(desk.attempt).config_fault;
        assert_eq!(kept, Some(cause.fault()));
    }
    for cause in [
        UnknownCause::Timeout,
        UnknownCause::BadSignature,
        UnknownCause::GatewayFault(500),
        UnknownCause::Busy,
        UnknownCause::Unlisted("NEW".into()),
    ] {
        check(GatewayAnswer::Unknown(cause), Unknown, None).await;
    }
}

#[tokio::test]
async fn what_never_left_may_be_charged_again() {
    let desk = Desk::open().await;
    let unsent = GatewayAnswer::Unknown(UnknownCause::NotSent);
    desk.shop
        .gateway
        .script(|script| script.charges.push_back(unsent));
    let code = desk.code(false).digits;
    let refused = desk.charge(desk.attempt, &code).await.err();
    assert_eq!(refused, Some(ErrorCode::GatewayUnreachable));
    assert_eq!(desk.state(), AttemptState::Init);
    desk.charge(desk.attempt, &code).await.unwrap();
    assert_eq!(desk.state(), AttemptState::Succeeded);
}

#[tokio::test]
async fn a_customer_who_confirms_is_waited_for() {
    let desk = Desk::open().await;
    let code = desk.code(true);
    desk.charge(desk.attempt, &code.digits).await.unwrap();
    assert_eq!(desk.state(), AttemptState::UserPaying);
    for _ in 0..4 {
        desk.pass(5).await;
    }
    assert_eq!(
        (desk.count(Call::Query), desk.state()),
        (4, AttemptState::UserPaying)
    );
    desk.shop.simulator.with(|gateway, now| {
        gateway.act(&code.token, &PhoneAction::Pay, now).unwrap();
    });
    desk.pass(5).await;
    assert_eq!(desk.state(), AttemptState::Succeeded);
    assert_eq!(desk.gained(), Money::from_yuan(300));
    desk.check_money(300);
}

#[tokio::test]
async fn a_customer_who_does_not_confirm_is_reversed() {
    let desk = Desk::open().await;
    let code = desk.code(true);
    desk.charge(desk.attempt, &code.digits).await.unwrap();
    for _ in 0..8 {
        desk.pass(5).await;
    }
    assert_eq!(
        (desk.state(), desk.count(Call::Reverse)),
        (AttemptState::UserPaying, 0)
    );
    desk.pass(5).await;
    assert_eq!(
        (desk.state(), desk.count(Call::Reverse)),
        (AttemptState::Reversed, 1)
    );
    let calls = desk.shop.gateway.calls();
    assert!(calls.ends_with(&[Call::Query, Call::Reverse]), "{calls:?}");
    let late = desk
        .shop
        .simulator
        .with(|gateway, now| gateway.act(&code.token, &PhoneAction::Pay, now).is_err());
    assert!(late, "what was reversed cannot be paid");
    desk.pass(900).await;
    assert_eq!(desk.order_state(), OrderState::Closed);
    let queries = desk.count(Call::Query);
    assert_eq!(queries, 10, "nothing had been paid, so something may come");
    desk.pass(3_600).await;
    assert_eq!(desk.count(Call::Query), queries, "and no longer");
    desk.check_money(0);
}

#[tokio::test]
async fn an_unknown_charge_is_asked_about_then_reversed_until_that_is_answered() {
    let desk = Desk::open().await;
    let doubt = || GatewayAnswer::Unknown(UnknownCause::Timeout);
    desk.shop.gateway.script(|script| {
        script.charges.push_back(doubt());
        script.queries.extend([doubt(), doubt(), doubt(), doubt()]);
        let silence = ReverseAnswer::Unknown(UnknownCause::GatewayFault(502));
        script.reversals.extend([silence.clone(), silence]);
        script.reversals.push_back(ReverseAnswer::Reversed {
            money_returned: Some(true),
        });
    });
    let code = desk.code(false).digits;
    desk.charge(desk.attempt, &code).await.unwrap();
    let seen = async |seconds: i64| {
        desk.pass(seconds).await;
        let asked = (desk.count(Call::Query), desk.count(Call::Reverse));
        (desk.state(), asked)
    };
    use AttemptState::{Reversed, Reversing, Unknown};
    assert_eq!(seen(4).await, (Unknown, (0, 0)));
    assert_eq!(seen(1).await, (Unknown, (1, 0)));
    assert_eq!(seen(5).await, (Unknown, (2, 0)));
    assert_eq!(seen(5).await, (Unknown, (3, 0)));
    assert_eq!(
        seen(1).await,
        (Unknown, (3, 0)),
        "the gateway counts 15 s too"
    );
    assert_eq!(seen(1).await, (Reversing, (4, 1)));
    assert_eq!(seen(2).await, (Reversing, (4, 2)));
    assert_eq!(seen(4).await, (Reversed, (4, 3)));
    let second = desk.code(false).digits;
    let refused = desk.charge(desk.attempt, &second).await.err();
    assert_eq!(refused, Some(ErrorCode::PaymentCodeGiven));
}

#[tokio::test]
async fn the_last_query_credits_what_it_finds_paid() {
    let desk = Desk::open().await;
    let doubt = || GatewayAnswer::Unknown(UnknownCause::Timeout);
    let paid = desk.paid();
    desk.shop.gateway.script(|script| {
        script.charges.push_back(doubt());
        script.queries.extend([doubt(), doubt(), doubt(), paid]);
    });
    let code = desk.code(false).digits;
    desk.charge(desk.attempt, &code).await.unwrap();
    for seconds in [5, 5, 5, 2] {
        desk.pass(seconds).await;
    }
    assert_eq!(
        (desk.state(), desk.count(Call::Reverse)),
        (AttemptState::Succeeded, 0)
    );
    assert_eq!(desk.gained(), Money::from_yuan(300));
}

/// The gateway had no record of the charge, and so nothing was reversed; then the charge came.
#[tokio::test]
async fn a_charge_that_comes_after_its_reversal_is_late_money() {
    let mut desk = Desk::open().await;
    let doubt = || GatewayAnswer::Unknown(UnknownCause::Timeout);
    let missing = || GatewayAnswer::Unknown(UnknownCause::NotFound);
    let paid = desk.paid();
    desk.shop.gateway.script(|script| {
        script.charges.push_back(doubt());
        script
            .queries
            .extend([missing(), missing(), missing(), missing()]);
        let money_returned = Some(false);
        let unpaid = ReverseAnswer::Reversed { money_returned };
        script.reversals.push_back(unpaid);
    });
    let code = desk.code(false).digits;
    desk.charge(desk.attempt, &code).await.unwrap();
    for seconds in [5, 5, 5, 2] {
        desk.pass(seconds).await;
    }
    assert_eq!(desk.state(), AttemptState::Reversed);
    let reversed = desk.shop.attempt(desk.attempt);
    assert_eq!(reversed.money_returned, Some(false));
    // Nobody offers it any more, and the order is given up.
    let cancel = OperationBody::RechargeCancel {
        order: reversed.order,
    };
    desk.till.act(&desk.shop, cancel).await;
    assert_eq!(desk.order_state(), OrderState::Cancelled);
    let reversals = desk.count(Call::Reverse);
    desk.shop
        .gateway
        .script(|script| script.queries.push_back(paid));
    desk.pass(5).await;
    assert_eq!(desk.state(), AttemptState::Succeeded);
    assert_eq!(desk.order_state(), OrderState::Abnormal);
    assert_eq!(desk.shop.cases(), ["LatePayment"]);
    assert_eq!(desk.shop.balance("clearing"), 30_000);
    assert_eq!(desk.count(Call::Reverse), reversals);
}

#[tokio::test]
async fn a_refused_reversal_leaves_the_word_to_the_gateway() {
    let check = async |refusal: ReverseAnswer, word: Option<GatewayAnswer>, state, yuan| {
        let desk = Desk::open().await;
        let doubt = || GatewayAnswer::Unknown(UnknownCause::Timeout);
        let word = word.unwrap_or_else(|| desk.paid());
        desk.shop.gateway.script(|script| {
            script.charges.push_back(doubt());
            script
                .queries
                .extend([doubt(), doubt(), doubt(), doubt(), word]);
            script.reversals.push_back(refusal.clone());
        });
        let code = desk.code(false).digits;
        desk.charge(desk.attempt, &code).await.unwrap();
        for seconds in [5, 5, 5, 2] {
            desk.pass(seconds).await;
        }
        assert_eq!(
            (desk.state(), desk.gained()),
            (state, Money::from_yuan(yuan)),
            "{refusal:?}"
        );
    };
    use AttemptState::{Reversed, Succeeded};
    let passed = ReverseAnswer::WindowPassed;
    let paid = ReverseAnswer::Unknown(UnknownCause::AlreadyPaid);
    check(passed.clone(), None, Succeeded, 300).await;
    check(paid, None, Succeeded, 300).await;
    check(passed, Some(GatewayAnswer::Closed), Reversed, 0).await;
}

#[tokio::test]
async fn a_cancelled_payment_is_asked_about_and_reversed_not_too_early() {
    let mut desk = Desk::open().await;
    let code = desk.code(true);
    desk.charge(desk.attempt, &code.digits).await.unwrap();
    desk.pass(2).await;
    let order = desk.shop.attempt(desk.attempt).order;
    let cancel = OperationBody::RechargeCancel { order };
    desk.till.act(&desk.shop, cancel).await;
    desk.pass(0).await;
    assert_eq!((desk.count(Call::Query), desk.count(Call::Reverse)), (1, 0));
    desk.pass(14).await;
    assert_eq!(desk.state(), AttemptState::UserPaying);
    desk.pass(1).await;
    assert_eq!(desk.state(), AttemptState::Reversed);
    assert_eq!(desk.order_state(), OrderState::Cancelled);
}

/// The process dies after it wrote that a code goes out, with or without the gateway having it.
#[tokio::test]
async fn a_charge_that_was_under_way_is_asked_about_after_a_restart_and_never_repeated() {
    for arrives in [true, false] {
        let mut desk = Desk::open().await;
        let doubt = GatewayAnswer::Unknown(UnknownCause::Timeout);
        if !arrives {
            desk.shop
                .gateway
                .script(|script| script.charges.push_back(doubt));
        }
        let code = desk.code(false).digits;
        // Nothing about the attempt can be written from here on; the note of the charge can.
        desk.shop.place.sabotage("payment_attempt", "BEFORE");
        let died = desk.charge(desk.attempt, &code).await.err();
        assert_eq!(died, Some(ErrorCode::Internal));
        desk.shop.place.repair();
        desk.shop.restart().await;
        let attempt = desk.attempt;
        let again = desk.charge(attempt, &code).await.unwrap();
        assert_eq!(again.attempt.id, attempt.0);
        for _ in 0..5 {
            desk.pass(5).await;
        }
        desk.pass(60).await;
        assert_eq!(desk.count(Call::Charge), 1, "arrives {arrives}");
        let expected = match arrives {
            true => (AttemptState::Succeeded, 300),
            false => (AttemptState::Reversed, 0),
        };
        let (state, yuan) = expected;
        assert_eq!(
            (desk.state(), desk.gained()),
            (state, Money::from_yuan(yuan))
        );
        desk.check_money(yuan);
    }
}

#[tokio::test]
async fn no_second_attempt_while_the_first_is_open_and_no_code_in_the_books() {
    let mut desk = Desk::open().await;
    let code = desk.code(true).digits;
    desk.charge(desk.attempt, &code).await.unwrap();
    let attempt = desk.shop.attempt(desk.attempt);
    let start = qiantai_core::operation::AttemptStart {
        attempt: AttemptId(uuid::Uuid::now_v7()),
        attempt_no: desk.till.number(qiantai_core::order_no::Prefix::Attempt),
        order: attempt.order,
        channel: Channel::Wechat,
        method: PayMethod::Qr,
        amount: attempt.amount,
    };
    let said = desk
        .till
        .act(&desk.shop, OperationBody::AttemptStart(start))
        .await;
    assert_ne!(said.outcome, OutcomeDto::Applied);
    desk.shop.server.stop().await;
    let bytes = std::fs::read(desk.shop.place.file()).unwrap();
    let holds = bytes
        .windows(code.len())
        .any(|window| window == code.as_bytes());
    assert!(!holds, "the code stands in the books");
    let kept = desk.shop.place.number("SELECT count(*) FROM attempt_code");
    assert_eq!(kept, 1);
}

#[tokio::test]
async fn hostile_bodies_are_refused_without_repeating_them() {
    let desk = Desk::open().await;
    let path = format!("/v1/attempts/{}/charge", desk.attempt);
    let long = format!("{{\"code\":\"{}\"}}", "1".repeat(5 * 1024 * 1024));
    let over = format!("{{\"code\":\"{}\"}}", "1".repeat(513));
    for (body, expected) in [
        ("", 400),
        ("134567890123456789", 400),
        ("{}", 400),
        ("{\"code\":134567890123456789}", 400),
        ("{\"code\":[\"134567890123456789\"]}", 400),
        ("{\"code\":\"1345\\u00006789012345678\"}", 422),
        ("{\"code\":\"１３４５６７８９０１２３４５６７８９\"}", 422),
        (over.as_str(), 422),
        (long.as_str(), 413),
    ] {
        let request = desk.till.request("POST", &path, body.as_bytes().to_vec());
        let (status, answer) = desk.shop.send(request).await;
        assert_eq!(status.as_u16(), expected);
        let answer = String::from_utf8(answer).unwrap();
        assert!(!answer.contains("1345"), "{answer}");
    }
    let mut request = desk.till.request("POST", &path, Vec::new());
    request.headers_mut().remove("authorization");
    assert_eq!(desk.shop.send(request).await.0, StatusCode::UNAUTHORIZED);
    assert_eq!(desk.count(Call::Charge), 0);
}
