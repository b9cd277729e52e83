//! A shop whose payments go to one account by that gateway's own protocol.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use axum::body::Body;
use bytes::Bytes;
use http::{Request, Response, StatusCode};
use qiantai_core::attempt::{AttemptState, Channel, PayMethod, PaymentAttempt};
use qiantai_core::ids::{AttemptId, MemberId};
use qiantai_core::operation::{OperationBody, RechargeOpen};
use qiantai_core::recharge::OrderState;
use qiantai_core::{Millis, Money};
use qiantai_pay::channels::training::message::WalletName;
use qiantai_pay::transport::{HttpTransport, TransportError};
use qiantai_pay::{Channel as PayChannel, QrAnswer, QrRequest, Registry, Surroundings, Wallet};
use qiantai_paysim::gateway::{
    Acknowledgement, AnswerFault, AnswerRule, CodeView, CodeWish, NoticeFault, NoticeRule,
    Operation, PhoneAction,
};
use qiantai_paysim::protocols::alipay::{AlipayOpening, Mode};
use qiantai_paysim::protocols::shouqianba::ShouqianbaOpening;
use qiantai_paysim::protocols::unionpay::UnionpayOpening;
use qiantai_paysim::protocols::wechat::{CodeApi, KeyMode, WechatOpening};
use qiantai_paysim::{Gateway, RouterTransport, Simulator, serve};
use qiantai_server::Channels;
use qiantai_wire::ApiError;
use qiantai_wire::api::{AttemptAnswer, ChargeRequest};
use qiantai_wire::feed::OutcomeDto;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::watch;

use crate::harness::{START, Shop};
use crate::till::Till;

const BASE_URL: &str = "http://gateway.test";

/// Nothing here waits for a gateway's silence: this only ends a test that hangs.
const PATIENCE: Duration = Duration::from_secs(60);

/// The accounts that every story is told with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Account {
    /// Native, and codes by API v3; public key.
    WechatV3,
    /// Native, and codes by API v2 (micropay, reverse); platform certificates.
    WechatV2,
    /// Face to face, by certificates.
    Alipay,
    /// The online gateway: QR codes and passive codes.
    Unionpay,
    /// The aggregator, with codes of WeChat Pay.
    Shouqianba,
}

impl Account {
    pub const ALL: [Account; 5] = [
        Account::WechatV3,
        Account::WechatV2,
        Account::Alipay,
        Account::Unionpay,
        Account::Shouqianba,
    ];

    fn channel(self) -> &'static str {
        match self {
            Account::WechatV3 | Account::WechatV2 => "wechat",
            Account::Alipay => "alipay",
            Account::Unionpay => "unionpay",
            Account::Shouqianba => "shouqianba",
        }
    }

    pub fn method(self) -> Channel {
        match self {
            Account::WechatV3 | Account::WechatV2 | Account::Shouqianba => Channel::Wechat,
            Account::Alipay => Channel::Alipay,
            Account::Unionpay => Channel::Unionpay,
        }
    }

    fn wallet(self) -> WalletName {
        match self.method() {
            Channel::Alipay => WalletName::Alipay,
            Channel::Unionpay => WalletName::Unionpay,
            _ => WalletName::Wechat,
        }
    }

    /// Payments by code are told by a notice too.
    pub fn tells_codes(self) -> bool {
        !matches!(self, Account::WechatV3 | Account::WechatV2)
    }

    /// The gateway's notices name the merchant whom they tell.
    pub fn names_us(self) -> bool {
        self != Account::Shouqianba
    }

    /// The gateway has a call that ends an unpaid code.
    pub fn closes(self) -> bool {
        self != Account::Unionpay
    }

    fn open(self, gateway: &mut Gateway) -> Value {
        let wechat = |mode, codes| WechatOpening {
            name: "简单美发",
            mchid: "1900000109",
            mode,
            codes,
        };
        match self {
            Account::WechatV3 => {
                gateway.open_wechat(wechat(KeyMode::PublicKey, CodeApi::V3), BASE_URL, START)
            }
            Account::WechatV2 => {
                gateway.open_wechat(wechat(KeyMode::Certificate, CodeApi::V2), BASE_URL, START)
            }
            Account::Alipay => {
                let opening = AlipayOpening {
                    name: "简单美发",
                    app_id: "2021000000000001",
                    mode: Mode::Certificates,
                };
                gateway.open_alipay(opening, BASE_URL, START)
            }
            Account::Unionpay => {
                let opening = UnionpayOpening {
                    name: "简单美发",
                    mer_id: "777290058110048",
                };
                gateway.open_unionpay(opening, BASE_URL, START)
            }
            Account::Shouqianba => {
                let opening = ShouqianbaOpening {
                    name: "简单美发",
                    vendor_sn: "91800001",
                    device_id: "front-desk-1",
                    // Each desk puts its own in its place.
                    terminal_file: std::path::Path::new("nowhere/terminal.json"),
                };
                gateway.open_shouqianba(opening, BASE_URL)
            }
        }
    }
}

/// Keys take a while to draw: each account is opened once and copied.
static OPENED: LazyLock<BTreeMap<Account, (Gateway, Value)>> = LazyLock::new(|| {
    let opened = |account: Account| {
        let mut gateway = Gateway::new([7; 32]);
        let settings = account.open(&mut gateway);
        (account, (gateway, settings))
    };
    Account::ALL.into_iter().map(opened).collect()
});

/// How the line to the gateway is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LineState {
    Well,
    /// Requests arrive, answers do not.
    LosesAnswers,
    /// Nothing arrives.
    LosesRequests,
    /// Answers wait until the line is in another state.
    HoldsAnswers,
    /// One request is answered; then no connection can be made.
    AnswersOnce,
    /// No connection can be made.
    Cut,
}

/// The line to the gateway, with the path of every request.
pub struct Line {
    inner: RouterTransport,
    state: watch::Sender<LineState>,
    sent: Mutex<Vec<String>>,
}

impl Line {
    pub fn set(&self, state: LineState) {
        self.state.send_replace(state);
    }

    pub fn sent(&self) -> usize {
        self.sent.lock().unwrap().len()
    }
}

#[async_trait]
impl HttpTransport for Line {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
        self.sent.lock().unwrap().push(request.uri().path().into());
        let mut state = self.state.subscribe();
        let is = *state.borrow_and_update();
        match is {
            LineState::LosesRequests => return Err(TransportError::Timeout),
            LineState::Cut => return Err(TransportError::NotSent),
            LineState::AnswersOnce => self.set(LineState::Cut),
            LineState::Well | LineState::LosesAnswers | LineState::HoldsAnswers => {}
        }
        let answer = self.inner.send(request).await;
        if is == LineState::LosesAnswers {
            return Err(TransportError::Timeout);
        }
        let released = state.wait_for(|state| *state != LineState::HoldsAnswers);
        released.await.expect("the line outlives its calls");
        answer
    }
}

/// A shop with one till and one account.
pub struct Desk {
    pub account: Account,
    pub shop: Shop,
    pub till: Till,
    pub line: Arc<Line>,
    member: MemberId,
    before: Money,
    /// What the client keeps on disk.
    folder: TempDir,
}

impl Desk {
    pub async fn open(account: Account) -> Desk {
        let (gateway, mut settings) = OPENED[&account].clone();
        let folder = TempDir::new().unwrap();
        if account == Account::Shouqianba {
            settings["terminal_file"] = json!(folder.path().join("terminal.json"));
        }
        let mut shop = Shop::open(2).await;
        let surroundings = || Arc::clone(&shop.time) as Arc<dyn Surroundings>;
        let simulator = Simulator::new(gateway, surroundings());
        let line = Arc::new(Line {
            inner: RouterTransport::new(serve::router(simulator.clone()), PATIENCE),
            state: watch::channel(LineState::Well).0,
            sent: Mutex::default(),
        });
        let mut registry = Registry::new();
        let transport = Arc::clone(&line) as Arc<dyn HttpTransport>;
        let name = account.channel();
        let channel = registry.open(name, settings, transport, surroundings());
        channel.unwrap();
        // Certificates are fetched and the terminal is activated before anything goes wrong.
        let channel = Arc::clone(registry.get(name).unwrap());
        channel.query("ZF2611211400000201010000X").await;
        shop.simulator = simulator;
        let routes = [(account.method(), name)];
        let base = Some("http://server".to_owned());
        shop.channels = Channels::new(registry, routes.into(), base);
        shop.restart().await;
        let till = Till::open(&shop).await;
        let member = shop.members()[0];
        let before = shop.principal(member);
        Desk {
            account,
            shop,
            till,
            line,
            member,
            before,
            folder,
        }
    }

    /// Opens an order of 300 yuan.
    pub async fn order(&mut self) -> RechargeOpen {
        let open = self.till.recharge(&self.shop, self.member, 300).await;
        let body = OperationBody::RechargeOpen(open.clone());
        let said = self.till.act(&self.shop, body).await;
        assert_eq!(said.outcome, OutcomeDto::Applied);
        open
    }

    /// Begins an attempt for an order; what the server says to it.
    pub async fn try_attempt(
        &mut self,
        open: &RechargeOpen,
        by: PayMethod,
    ) -> (AttemptId, OutcomeDto) {
        let mut start = self.till.start_of(open);
        (start.channel, start.method) = (self.account.method(), by);
        let attempt = start.attempt;
        let body = OperationBody::AttemptStart(start);
        let said = self.till.act(&self.shop, body).await;
        (attempt, said.outcome)
    }

    pub async fn attempt(&mut self, open: &RechargeOpen, by: PayMethod) -> AttemptId {
        let (attempt, outcome) = self.try_attempt(open, by).await;
        assert_eq!(outcome, OutcomeDto::Applied, "{:?}", self.account);
        attempt
    }

    /// An order with a QR code that is shown.
    pub async fn show_qr(&mut self) -> PaymentAttempt {
        let open = self.order().await;
        let attempt = self.attempt(&open, PayMethod::Qr).await;
        self.shop.server.settle_due().await.unwrap();
        let attempt = self.shop.attempt(attempt);
        assert!(attempt.qr_payload.is_some(), "{:?}", self.account);
        attempt
    }

    /// An order that waits for a payment code.
    pub async fn await_code(&mut self) -> AttemptId {
        let open = self.order().await;
        self.attempt(&open, PayMethod::Code).await
    }

    /// The customer shows a payment code.
    pub fn code(&self, asks_password: bool, declines: Option<&str>) -> CodeView {
        let wish = CodeWish {
            wallet: self.account.wallet(),
            asks_password,
            declines: declines.map(str::to_owned),
        };
        let shown = self
            .shop
            .simulator
            .with(|gateway, now| gateway.show_code_as(&wish, now));
        shown.unwrap()
    }

    /// The cashier scans it.
    pub async fn charge(&self, attempt: AttemptId, code: &CodeView) -> AttemptAnswer {
        let request = ChargeRequest {
            code: code.digits.as_str().into(),
        };
        let body = serde_json::to_vec(&request).unwrap();
        let path = format!("/v1/attempts/{attempt}/charge");
        let request = self.till.request("POST", &path, body);
        let (status, answer) = self.shop.send(request).await;
        if status != StatusCode::OK {
            let error: ApiError = serde_json::from_slice(&answer).unwrap();
            panic!("{:?}: {error:?}", self.account);
        }
        serde_json::from_slice(&answer).unwrap()
    }

    /// The cashier asks how it stands.
    pub async fn ask(&self, attempt: AttemptId) -> AttemptAnswer {
        let path = format!("/v1/attempts/{attempt}/query");
        self.till.call(&self.shop, "POST", &path, Vec::new()).await
    }

    pub fn act(&self, token: &str, action: &PhoneAction) -> bool {
        let acted = self
            .shop
            .simulator
            .with(|gateway, now| gateway.act(token, action, now));
        acted.is_ok()
    }

    /// Lets the gateway send its notices that are due; whether each was taken.
    pub async fn deliver(&self) -> Vec<bool> {
        let mut taken = Vec::new();
        for delivery in self.shop.simulator.with(Gateway::due_notices) {
            let wanted: Acknowledgement = *delivery.request.extensions().get().unwrap();
            let (status, body) = self.shop.send(delivery.request.map(Body::from)).await;
            let mut answer = Response::new(Bytes::from(body));
            *answer.status_mut() = status;
            let is_taken = wanted.is_met_by(&answer);
            taken.push(is_taken);
            self.shop
                .simulator
                .with(|gateway, now| gateway.delivered(delivery.id, is_taken, now));
        }
        taken
    }

    /// Another merchant of the same gateway.
    pub fn elsewhere(&self) -> Arc<dyn PayChannel> {
        let terminal_file = self.folder.path().join("elsewhere.json");
        let settings = self.shop.simulator.with(|gateway, now| match self.account {
            Account::Shouqianba => {
                let opening = ShouqianbaOpening {
                    name: "别的店",
                    vendor_sn: "91800002",
                    device_id: "another-desk",
                    terminal_file: &terminal_file,
                };
                gateway.open_shouqianba(opening, BASE_URL)
            }
            _ => {
                let opening = UnionpayOpening {
                    name: "别的店",
                    mer_id: "777290058110049",
                };
                gateway.open_unionpay(opening, BASE_URL, now)
            }
        });
        self.another_client(settings)
    }

    /// The merchant's own account, as used past our server: by its owner on the platform.
    pub fn platform(&self) -> Arc<dyn PayChannel> {
        assert_ne!(
            self.account,
            Account::Shouqianba,
            "its terminal has one key"
        );
        self.another_client(OPENED[&self.account].1.clone())
    }

    fn another_client(&self, settings: Value) -> Arc<dyn PayChannel> {
        let mut registry = Registry::new();
        let transport = Arc::clone(&self.line) as Arc<dyn HttpTransport>;
        let surroundings = Arc::clone(&self.shop.time) as Arc<dyn Surroundings>;
        let name = self.account.channel();
        let opened = registry.open(name, settings, transport, surroundings);
        Arc::clone(registry.get(opened.unwrap().0).unwrap())
    }

    /// Another merchant's order under the number of our attempt, told to our server; what its code
    /// says.
    pub async fn order_at(&self, other: &dyn PayChannel, attempt: &PaymentAttempt) -> String {
        let request = QrRequest {
            attempt_no: attempt.attempt_no.clone(),
            amount: attempt.amount,
            subject: "别的店".to_owned(),
            wallet: Wallet::of(attempt.channel).unwrap(),
            expires_at: attempt.expires_at,
            notify_url: Some(self.notify_url()),
        };
        match other.create_qr(&request).await {
            QrAnswer::Created { payload } => payload,
            other => panic!("no code: {other:?}"),
        }
    }

    /// Where our server hears the gateway.
    pub fn notify_url(&self) -> String {
        format!("http://server/v1/notify/{}", self.account.channel())
    }

    pub fn scan_and_act(&self, payload: &str, action: &PhoneAction) {
        self.shop.simulator.with(|gateway, now| {
            let view = gateway.scan(payload, now).unwrap();
            gateway.act(&view.token, action, now).unwrap();
        });
    }

    /// Spoils every answer to such a request from now on.
    pub fn spoil(&self, operation: Operation, fault: AnswerFault) {
        self.spoil_times(operation, fault, None);
    }

    /// Spoils the next answer to such a request.
    pub fn spoil_once(&self, operation: Operation, fault: AnswerFault) {
        self.spoil_times(operation, fault, Some(1));
    }

    fn spoil_times(&self, operation: Operation, fault: AnswerFault, times: Option<u32>) {
        let rule = AnswerRule {
            attempt_no: None,
            operation: Some(operation),
            fault,
            times,
        };
        self.shop
            .simulator
            .with(|gateway, _| gateway.faults().answers.push(rule));
    }

    pub fn spoil_notices(&self, fault: NoticeFault) {
        let rule = NoticeRule {
            attempt_no: None,
            fault,
            times: None,
        };
        self.shop
            .simulator
            .with(|gateway, _| gateway.faults().notices.push(rule));
    }

    pub fn heal(&self) {
        self.line.set(LineState::Well);
        self.shop
            .simulator
            .with(|gateway, _| gateway.faults().answers.clear());
    }

    pub async fn pass(&self, seconds: i64) {
        self.shop.pass(Millis::seconds(seconds)).await;
    }

    /// Lets time pass in steps until the attempt has come to `wanted`; for ten minutes at most.
    pub async fn pass_until(&self, attempt: AttemptId, wanted: AttemptState) {
        for _ in 0..300 {
            if self.state(attempt) == wanted {
                return;
            }
            self.pass(2).await;
        }
        let account = self.account;
        panic!("{account:?}: {:?}, not {wanted:?}", self.state(attempt));
    }

    pub fn state(&self, attempt: AttemptId) -> AttemptState {
        self.shop.attempt(attempt).state
    }

    pub fn order_state(&self, attempt: AttemptId) -> OrderState {
        self.shop.order(self.shop.attempt(attempt).order).state
    }

    /// What the gateway keeps stands in the books, and what was credited, on the member's account.
    pub fn check_money(&self, kept_yuan: i64, credited_yuan: i64) {
        let payments = self
            .shop
            .simulator
            .with(|gateway, now| gateway.recent_payments(usize::MAX, now));
        let kept: i64 = payments.iter().map(|payment| payment.received_fen).sum();
        let account = self.account;
        assert_eq!(kept, kept_yuan * 100, "{account:?}: at the gateway");
        assert_eq!(self.shop.balance("clearing"), kept, "{account:?}: books");
        let credited = self.shop.principal(self.member) - self.before;
        assert_eq!(credited, Money::from_yuan(credited_yuan), "{account:?}");
    }

    /// The cases open now, in alphabetical order: the books keep those of one moment in any.
    pub fn check_cases(&self, expected: &[&str]) {
        let mut cases = self.shop.cases();
        cases.sort_unstable();
        assert_eq!(cases, expected, "{:?}", self.account);
    }
}
