//! A shop's desk with one channel client and the gateway behind it, on tokio's paused clock.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use bytes::Bytes;
use qiantai_core::clock::{Millis, Timestamp};
use qiantai_core::money::Money;
use qiantai_core::order_no::{OrderNo, Prefix};
use qiantai_pay::channels::training::message::WalletName;
use qiantai_pay::transport::HttpTransport;
use qiantai_pay::{
    AuthCode, Channel, CodeRequest, GatewayAnswer, Notice, NoticeError, NoticeReceipt, QrAnswer,
    QrRequest, RefundAnswer, RefundRequest, Registry, Surroundings, Wallet,
};
use qiantai_paysim::gateway::{
    Acknowledgement, AnswerFault, AnswerRule, CodeView, CodeWish, NoticeFault, NoticeRule,
    Operation, PhoneAction, PhoneRefusal, PhoneView,
};
use qiantai_paysim::{Gateway, RouterTransport, Simulator, serve};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::accounts::Account;
use crate::world::START;

pub const NOTIFY_URL: &str = "http://shop.test/notices/official";
pub const BASE_URL: &str = "http://gateway.test";

/// Keys take a while to draw: each account is opened once and copied.
static OPENED: LazyLock<BTreeMap<Account, (Gateway, Value)>> = LazyLock::new(|| {
    let opened = |account: Account| {
        let mut gateway = Gateway::new([7; 32]);
        let settings = account.open(&mut gateway, START);
        (account, (gateway, settings))
    };
    Account::ALL.into_iter().map(opened).collect()
});

/// Tokio's clock, and the shop's own, which may be off.
pub struct Clock {
    started: tokio::time::Instant,
    off_ms: AtomicI64,
    nonces: AtomicU32,
}

impl Clock {
    fn new() -> Arc<Clock> {
        Arc::new(Clock {
            started: tokio::time::Instant::now(),
            off_ms: AtomicI64::new(0),
            nonces: AtomicU32::new(0),
        })
    }

    fn true_time(&self) -> Timestamp {
        START + Millis(i64::try_from(self.started.elapsed().as_millis()).unwrap())
    }

    /// Sets the shop's clock wrong.
    pub fn put_off(&self, by: Millis) {
        self.off_ms.store(by.0, Ordering::Relaxed);
    }
}

impl Surroundings for Clock {
    fn now(&self) -> Timestamp {
        self.true_time() + Millis(self.off_ms.load(Ordering::Relaxed))
    }
    fn nonce(&self) -> String {
        format!("nonce{:027}", self.nonces.fetch_add(1, Ordering::Relaxed))
    }
}

/// The gateway's clock, which is right.
struct TrueClock(Arc<Clock>);

impl Surroundings for TrueClock {
    fn now(&self) -> Timestamp {
        self.0.true_time()
    }
    fn nonce(&self) -> String {
        self.0.nonce()
    }
}

pub struct Desk {
    pub account: Account,
    pub simulator: Simulator,
    pub channel: Arc<dyn Channel>,
    pub settings: Value,
    pub clock: Arc<Clock>,
    pub transport: Arc<dyn HttpTransport>,
    numbers: AtomicU32,
    /// What the client keeps on disk.
    _folder: TempDir,
}

impl Desk {
    pub fn new(account: Account) -> Desk {
        let (gateway, mut settings) = OPENED[&account].clone();
        let folder = TempDir::new().unwrap();
        if account == Account::Shouqianba {
            settings["terminal_file"] = json!(folder.path().join("terminal.json"));
        }
        let clock = Clock::new();
        let simulator = Simulator::new(gateway, Arc::new(TrueClock(clock.clone())));
        let router = serve::router(simulator.clone());
        let transport = Arc::new(RouterTransport::new(router, Duration::from_secs(10)));
        let channel = connect(account, &settings, transport.clone(), clock.clone());
        Desk {
            account,
            simulator,
            channel,
            settings,
            clock,
            transport,
            numbers: AtomicU32::new(0),
            _folder: folder,
        }
    }

    /// A channel of other settings to the same gateway.
    pub fn connect(&self, change: impl FnOnce(&mut Value)) -> Arc<dyn Channel> {
        let mut settings = self.settings.clone();
        change(&mut settings);
        let (transport, clock) = (self.transport.clone(), self.clock.clone());
        connect(self.account, &settings, transport, clock)
    }

    pub fn now(&self) -> Timestamp {
        self.clock.true_time()
    }

    pub async fn wait(&self, seconds: u64) {
        tokio::time::advance(Duration::from_secs(seconds)).await;
    }

    /// Goes on to noon of the next day.
    pub async fn wait_for_noon(&self) {
        let local = self.now().local();
        let noon = local.date().next_day().unwrap().with_hms(12, 0, 0).unwrap();
        let span = noon.assume_offset(local.offset()) - local;
        self.wait(u64::try_from(span.whole_seconds()).unwrap())
            .await;
    }

    pub fn attempt_no(&self) -> String {
        self.number(Prefix::Attempt)
    }

    fn number(&self, prefix: Prefix) -> String {
        let serial = self.numbers.fetch_add(1, Ordering::Relaxed);
        let number = OrderNo::new(prefix, self.now(), "00001", "01", serial);
        number.unwrap().to_string()
    }

    pub fn qr_request(&self, attempt_no: &str) -> QrRequest {
        QrRequest {
            attempt_no: attempt_no.to_owned(),
            amount: Money::from_yuan(300),
            subject: "储值 300 送 50".to_owned(),
            wallet: match self.account.wallet() {
                WalletName::Wechat => Wallet::Wechat,
                WalletName::Alipay => Wallet::Alipay,
                WalletName::Unionpay => Wallet::Unionpay,
                WalletName::Ecny => Wallet::Ecny,
            },
            expires_at: START + Millis::minutes(15),
            notify_url: Some(NOTIFY_URL.to_owned()),
        }
    }

    /// Shows a QR code of 300 yuan; its number, and what it says.
    pub async fn show_qr(&self) -> (String, String) {
        let number = self.attempt_no();
        match self.channel.create_qr(&self.qr_request(&number)).await {
            QrAnswer::Created { payload } => (number, payload),
            other => panic!("{:?}: no QR code: {other:?}", self.account),
        }
    }

    /// The token of what a code says.
    pub fn scan(&self, payload: &str) -> String {
        let scanned = self
            .simulator
            .with(|gateway, now| gateway.scan(payload, now));
        scanned.unwrap().token
    }

    pub fn act(&self, token: &str, action: PhoneAction) -> Result<PhoneView, PhoneRefusal> {
        self.simulator
            .with(|gateway, now| gateway.act(token, &action, now))
    }

    /// A QR payment of 300 yuan, scanned and paid; its number.
    pub async fn pay_qr(&self) -> String {
        let (number, payload) = self.show_qr().await;
        let token = self.scan(&payload);
        self.act(&token, PhoneAction::Pay).unwrap();
        number
    }

    pub fn show_code(&self, asks_password: bool, declines: Option<&str>) -> CodeView {
        let wish = CodeWish {
            wallet: self.account.wallet(),
            asks_password,
            declines: declines.map(str::to_owned),
        };
        let shown = self
            .simulator
            .with(|gateway, now| gateway.show_code_as(&wish, now));
        shown.unwrap()
    }

    pub async fn charge(&self, attempt_no: &str, digits: &str) -> GatewayAnswer {
        let request = CodeRequest {
            attempt_no: attempt_no.to_owned(),
            amount: Money::from_yuan(300),
            subject: "储值 300 送 50".to_owned(),
            auth_code: AuthCode::new(digits),
            notify_url: Some(NOTIFY_URL.to_owned()),
        };
        self.channel.charge_code(&request).await
    }

    pub async fn refund(&self, attempt_no: &str, refund_no: &str, yuan: i64) -> RefundAnswer {
        let request = RefundRequest {
            attempt_no: attempt_no.to_owned(),
            channel_txn_no: None,
            refund_no: refund_no.to_owned(),
            paid: Money::from_yuan(300),
            amount: Money::from_yuan(yuan),
            reason: "顾客退款".to_owned(),
            notify_url: Some(NOTIFY_URL.to_owned()),
        };
        self.channel.refund(&request).await
    }

    pub fn refund_no(&self) -> String {
        self.number(Prefix::Refund)
    }

    pub fn spoil(&self, operation: Operation, fault: AnswerFault) {
        let rule = AnswerRule {
            attempt_no: None,
            operation: Some(operation),
            fault,
            times: Some(1),
        };
        self.simulator
            .with(|gateway, _| gateway.faults().answers.push(rule));
    }

    pub fn spoil_notice(&self, fault: NoticeFault) {
        let rule = NoticeRule {
            attempt_no: None,
            fault,
            times: Some(1),
        };
        self.simulator
            .with(|gateway, _| gateway.faults().notices.push(rule));
    }

    /// Delivers what is due now to the shop; what it made of each.
    pub fn notices(&self) -> Vec<Result<Notice, NoticeError>> {
        self.notices_read_by(&*self.channel)
    }

    pub fn notices_read_by(&self, channel: &dyn Channel) -> Vec<Result<Notice, NoticeError>> {
        self.simulator.with(|gateway, now| {
            let mut received = Vec::new();
            for delivery in gateway.due_notices(now) {
                let request: &http::Request<Bytes> = &delivery.request;
                assert_eq!(request.uri(), NOTIFY_URL);
                let read = channel.parse_notice(request.headers(), request.body());
                let receipt = match read {
                    Ok(_) => NoticeReceipt::Taken,
                    Err(_) => NoticeReceipt::Refused,
                };
                let wanted: Acknowledgement = *request.extensions().get().unwrap();
                let is_taken = wanted.is_met_by(&channel.notice_response(request.body(), receipt));
                assert_eq!(is_taken, read.is_ok(), "the answer says what was done");
                gateway.delivered(delivery.id, is_taken, now);
                received.push(read);
            }
            received
        })
    }

    pub fn takings(&self) -> Money {
        let payments = self
            .simulator
            .with(|gateway, now| gateway.recent_payments(usize::MAX, now));
        let fen = payments.iter().map(|payment| payment.received_fen).sum();
        Money::from_fen(fen)
    }
}

fn connect(
    account: Account,
    settings: &Value,
    transport: Arc<dyn HttpTransport>,
    clock: Arc<Clock>,
) -> Arc<dyn Channel> {
    let mut registry = Registry::new();
    let name = account.channel();
    registry
        .open(name, settings.clone(), transport, clock)
        .unwrap();
    registry.get(name).unwrap().clone()
}
