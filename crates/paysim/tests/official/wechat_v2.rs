//! Refunds by API v2 of WeChat Pay, which other clients of a shop may use beside ours.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::Method;
use qiantai_core::money::Money;
use qiantai_pay::channels::wechat::v2::{SignType, read_xml, write_xml};
use qiantai_pay::crypto::{Certificate, PrivateKey};
use qiantai_pay::transport::ClientIdentity;
use qiantai_pay::{
    GatewayAnswer, Notice, NoticeError, RefundAnswer, RefundNotice, RefundQuery, SecretText,
};
use qiantai_paysim::gateway::{AnswerFault, NoticeFault, NoticeRule, Operation};

use super::accounts::Account;
use super::desk::Desk;

const REFUND: &str = "/secapi/pay/refund";
const QUERY: &str = "/pay/refundquery";

type Params = BTreeMap<String, String>;

impl Desk {
    fn text(&self, name: &str) -> &str {
        self.settings[name].as_str().unwrap()
    }

    fn identity(&self) -> ClientIdentity {
        let certificate = Certificate::from_pem(self.text("certificate")).unwrap();
        let key = PrivateKey::from_text(self.text("private_key")).unwrap();
        ClientIdentity::new(&certificate, &key).unwrap()
    }

    /// Posts a message of API v2; status and raw answer.
    async fn post_v2(
        &self,
        path: &str,
        fields: &[(&str, &str)],
        identity: Option<ClientIdentity>,
    ) -> (u16, Bytes) {
        let nonce = qiantai_pay::Surroundings::nonce(&*self.clock);
        let own = [
            ("appid", self.text("appid")),
            ("mch_id", self.text("mchid")),
            ("nonce_str", &nonce),
            ("sign_type", "HMAC-SHA256"),
        ];
        let fields = own.iter().chain(fields);
        let mut params: Params = fields
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let key = SecretText::new(self.text("v2_key").to_owned());
        let sign = SignType::HmacSha256.sign(&params, &key).unwrap();
        params.insert("sign".to_owned(), sign);
        let mut request = http::Request::new(Bytes::from(write_xml(&params)));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = format!("{}{path}", super::desk::BASE_URL).parse().unwrap();
        if let Some(identity) = identity {
            request.extensions_mut().insert(identity);
        }
        let answer = self.transport.send(request).await.unwrap();
        (answer.status().as_u16(), answer.into_body())
    }

    /// The same with the merchant's certificate; the answer, verified.
    async fn call_v2(&self, path: &str, fields: &[(&str, &str)]) -> Params {
        let (status, body) = self.post_v2(path, fields, Some(self.identity())).await;
        assert_eq!(status, 200);
        let answer = read_xml(&body).unwrap();
        let key = SecretText::new(self.text("v2_key").to_owned());
        let is_signed = SignType::HmacSha256.verifies(&answer, &key);
        assert_eq!(is_signed, answer["return_code"] == "SUCCESS", "{answer:?}");
        answer
    }

    /// Code and fields of an answer.
    async fn refund_v2(&self, fields: &[(&str, &str)]) -> (String, Params) {
        let answer = self.call_v2(REFUND, fields).await;
        let words = ["err_code", "return_msg"].map(|name| answer.get(name));
        let said = words.into_iter().flatten().next().unwrap();
        (said.clone(), answer)
    }
}

fn has(answer: &Params, expected: &[(&str, &str)]) {
    for (name, value) in expected {
        assert_eq!(
            answer.get(*name).map_or("", String::as_str),
            *value,
            "{name}: {answer:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_refund_by_v2_is_the_one_that_v3_sees() {
    let desk = Desk::new(Account::WechatCertificates);
    let number = desk.attempt_no();
    let code = desk.show_code(false, None);
    desk.charge(&number, &code.digits).await;
    let GatewayAnswer::Success(paid) = desk.channel.query(&number).await else {
        panic!("not paid");
    };
    let wish = [
        ("transaction_id", paid.channel_txn_no.as_str()),
        ("out_refund_no", "TK000001"),
        ("total_fee", "30000"),
        ("refund_fee", "10000"),
    ];
    let (said, answer) = desk.refund_v2(&wish).await;
    assert_eq!(said, "OK");
    has(
        &answer,
        &[
            ("out_trade_no", &number),
            ("refund_fee", "10000"),
            ("total_fee", "30000"),
        ],
    );
    assert_eq!(desk.takings(), Money::from_yuan(200));

    // Asked for again, it is not done again.
    let (_, again) = desk.refund_v2(&wish).await;
    assert_eq!(again["refund_id"], answer["refund_id"]);
    assert_eq!(desk.takings(), Money::from_yuan(200));

    let numbers = [
        ("refund_id", answer["refund_id"].as_str()),
        ("out_refund_no", "TK000001"),
        ("transaction_id", &paid.channel_txn_no),
        ("out_trade_no", &number),
    ];
    for asked in numbers {
        let told = desk.call_v2(QUERY, &[asked]).await;
        has(
            &told,
            &[("refund_count", "1"), ("refund_status_0", "PROCESSING")],
        );
    }
    desk.wait(5).await;
    let told = desk.call_v2(QUERY, &[("out_trade_no", &number)]).await;
    has(
        &told,
        &[("refund_status_0", "SUCCESS"), ("refund_fee_0", "10000")],
    );
    let query = RefundQuery {
        attempt_no: number,
        refund_no: "TK000001".to_owned(),
    };
    let by_v3 = desk.channel.query_refund(&query).await;
    let is_back = matches!(&by_v3, RefundAnswer::Succeeded { amount, .. }
        if *amount == Money::from_yuan(100));
    assert!(is_back, "{by_v3:?}");
}

#[tokio::test(start_paused = true)]
async fn refunds_by_v2_break_no_rule() {
    let desk = Desk::new(Account::WechatCertificates);
    let number = desk.pay_qr().await;
    let check = async |changed: (&str, &str), code: &str| {
        let mut wish = BTreeMap::from([
            ("out_trade_no", number.as_str()),
            ("out_refund_no", "TK000001"),
            ("total_fee", "30000"),
            ("refund_fee", "10000"),
        ]);
        wish.insert(changed.0, changed.1);
        let wish: Vec<(&str, &str)> = wish.into_iter().collect();
        let (said, answer) = desk.refund_v2(&wish).await;
        assert_eq!(said, code, "{changed:?}: {answer:?}");
    };
    check(("out_refund_no", ""), "缺少参数out_refund_no").await;
    check(("out_refund_no", "TK 1"), "PARAM_ERROR").await;
    check(("refund_fee", "100.00"), "PARAM_ERROR").await;
    check(("refund_fee", "0"), "PARAM_ERROR").await;
    check(("refund_fee_type", "USD"), "PARAM_ERROR").await;
    check(("notify_url", "http://shop.test/?to=me"), "PARAM_ERROR").await;
    check(("refund_fee", "30001"), "INVALID_REQUEST").await;
    check(("total_fee", "29999"), "REFUND_FEE_MISMATCH").await;
    check(("transaction_id", "4200000000"), "INVALID_TRANSACTIONID").await;
    desk.spoil(Operation::Refund, AnswerFault::FundsShort);
    check(("refund_desc", "顾客退款"), "NOTENOUGH").await;
    assert_eq!(desk.takings(), Money::from_yuan(300), "nothing went back");

    check(("refund_fee", "10000"), "OK").await;
    check(("refund_fee", "20000"), "REFUND_FEE_MISMATCH").await;
    check(("out_refund_no", "TK000002"), "FREQUENCY_LIMITED").await;
    desk.wait(60).await;
    check(("out_refund_no", "TK000002"), "OK").await;
    assert_eq!(desk.takings(), Money::from_yuan(100));
    let told = desk.call_v2(QUERY, &[("out_refund_no", "TK000003")]).await;
    has(&told, &[("err_code", "REFUNDNOTEXIST")]);
}

/// As everywhere with API v2, who returns money shows the merchant's own certificate.
#[tokio::test(start_paused = true)]
async fn a_refund_by_v2_wants_the_merchants_certificate() {
    let desk = Desk::new(Account::WechatCertificates);
    let number = desk.pay_qr().await;
    let wish = [
        ("out_trade_no", number.as_str()),
        ("out_refund_no", "TK000001"),
        ("total_fee", "30000"),
        ("refund_fee", "10000"),
    ];
    let stranger = Desk::new(Account::WechatKey).identity();
    for identity in [None, Some(stranger)] {
        let (status, _) = desk.post_v2(REFUND, &wish, identity).await;
        assert_eq!(status, 400);
    }
    assert_eq!(desk.takings(), Money::from_yuan(300));
    let (status, body) = desk.post_v2(QUERY, &wish[..1], None).await;
    assert_eq!(
        (status, &read_xml(&body).unwrap()["err_code"]),
        (200, &"REFUNDNOTEXIST".to_owned())
    );
}

/// The customer's card is gone: staff act on the platform, and the gateway tells both.
#[tokio::test(start_paused = true)]
async fn a_refund_that_is_stuck_is_told_and_done_by_staff() {
    let desk = Desk::new(Account::WechatKey);
    let number = desk.pay_qr().await;
    desk.notices();
    desk.spoil(Operation::Refund, AnswerFault::RefundStuck);
    assert_eq!(
        desk.refund(&number, "TK000001", 300).await,
        RefundAnswer::Accepted
    );
    let query = RefundQuery {
        attempt_no: number,
        refund_no: "TK000001".to_owned(),
    };
    desk.wait(5).await;
    assert_eq!(
        desk.channel.query_refund(&query).await,
        RefundAnswer::NeedsHandling
    );
    let told = || match &desk.notices()[..] {
        [Ok(qiantai_pay::Notice::Refund(notice))] => notice.answer.clone(),
        other => panic!("{other:?}"),
    };
    assert_eq!(told(), RefundAnswer::NeedsHandling);
    desk.simulator
        .with(|gateway, now| gateway.settle_stuck_refunds(now));
    assert!(matches!(told(), RefundAnswer::Succeeded { .. }));
    let answer = desk.channel.query_refund(&query).await;
    assert!(
        matches!(answer, RefundAnswer::Succeeded { .. }),
        "{answer:?}"
    );
}

/// Who asks by API v2 is told by API v2. Nobody signs that, so it only says what to ask about.
#[tokio::test(start_paused = true)]
async fn a_refund_by_v2_is_told_by_v2_and_only_hints() {
    let desk = Desk::new(Account::WechatCertificates);
    let number = desk.pay_qr().await;
    desk.notices();
    let fault = NoticeFault::Forged;
    desk.simulator.with(|gateway, _| {
        gateway.faults().notices.push(NoticeRule {
            attempt_no: None,
            fault,
            times: None,
        });
    });
    desk.spoil(Operation::Refund, AnswerFault::RefundStuck);
    let wish = [
        ("out_trade_no", number.as_str()),
        ("out_refund_no", "TK000001"),
        ("total_fee", "30000"),
        ("refund_fee", "10000"),
        ("notify_url", super::desk::NOTIFY_URL),
    ];
    let (said, answer) = desk.refund_v2(&wish).await;
    assert_eq!(said, "OK");
    assert!(desk.notices().is_empty(), "the money is on its way");
    desk.wait(5).await;
    let told = |status: &str| {
        let refund = RefundNotice {
            notice_id: format!("{} {status}", answer["refund_id"]),
            attempt_no: number.clone(),
            refund_no: "TK000001".to_owned(),
            answer: RefundAnswer::Accepted,
        };
        [Err(NoticeError::DoesNotDecrypt), Ok(Notice::Refund(refund))]
    };
    assert_eq!(desk.notices(), told("CHANGE"));
    desk.simulator
        .with(|gateway, now| gateway.settle_stuck_refunds(now));
    assert_eq!(desk.notices(), told("SUCCESS"));
    assert!(desk.notices().is_empty(), "each was acknowledged");
}
