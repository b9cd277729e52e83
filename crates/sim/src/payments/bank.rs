//! The gateways behind the shop, by their own protocols, and the line to them.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response};
use qiantai_core::attempt::Channel;
use qiantai_core::{Money, Timestamp};
use qiantai_pay::channels::training::message::WalletName;
use qiantai_pay::transport::{HttpTransport, TransportError};
use qiantai_pay::{Registry, Surroundings};
use qiantai_paysim::gateway::{
    AnswerRule, BookRefusal, CodeView, CodeWish, NoticeRule, PhoneAction, PhoneRefusal, PhoneState,
};
use qiantai_paysim::protocols::alipay::{AlipayOpening, Mode};
use qiantai_paysim::protocols::shouqianba::ShouqianbaOpening;
use qiantai_paysim::protocols::unionpay::UnionpayOpening;
use qiantai_paysim::protocols::wechat::{CodeApi, KeyMode, WechatOpening};
use qiantai_paysim::{Gateway, RouterTransport, Simulator, serve};
use qiantai_server::{Channels, Clock};
use serde_json::{Value, json};

use super::rates::CodeCustomer;
use crate::halt::Step;
use crate::time::{MachineClock, START, Sky};

/// How long the server waits for an answer, as its HTTP client does.
const PATIENCE: Duration = Duration::from_secs(10);

const BASE_URL: &str = "http://gateway.test";

/// Where gateways reach the server.
const SHOP_URL: &str = "http://shop.test";

/// Its notices do not say for which merchant they are.
const AGGREGATOR: &str = "shouqianba";

const SHOP: &str = "简单美发";

/// Keys of the gateways: the same in every run, because drawing them takes longer than a day.
const KEYS: [u8; 32] = [7; 32];

/// What the shop has signed with the gateways.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Contracts {
    /// Bare keys on both sides; UnionPay directly.
    Keys,
    /// Certificates; UnionPay through the aggregator.
    Certificates,
}

/// A name of a channel, its settings, and the wallet that it carries.
type Contract = (&'static str, Value, Channel);

type Opened = (Gateway, Vec<Contract>);

/// How the line to the gateways is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum LineState {
    /// As it should be.
    Well,
    /// No address is found, no connection made.
    Cut,
    /// Requests leave and nothing comes back.
    Silent,
}

/// The gateways and the line to them.
pub struct Bank {
    /// All gateways.
    pub simulator: Simulator,
    contracts: Vec<Contract>,
    line: Arc<Line>,
    senses: Arc<Senses>,
}

/// A payment as the gateway has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holding {
    /// The shop's number of the attempt.
    pub attempt_no: String,
    /// What the gateway keeps for the shop, with what it could not bring back to the customer.
    pub received: Money,
    /// True while a phone can still pay it.
    pub is_payable: bool,
    /// True while a refund of it waits for staff at the gateway.
    pub is_stuck: bool,
}

struct Line {
    inner: RouterTransport,
    state: AtomicU8,
    calls: AtomicU64,
    /// Attempts at whose second call it fails; true once the first was answered.
    snaps: Mutex<BTreeMap<String, bool>>,
}

impl Line {
    /// Whether it fails for this call.
    fn snaps_at(&self, request: &Request<Bytes>) -> bool {
        let mut snaps = lock(&self.snaps);
        let found = snaps.iter().find(|(attempt_no, was_answered)| {
            mentions(request, attempt_no) || (**was_answered && mentions(request, CERTIFICATE))
        });
        let Some((attempt_no, was_answered)) = found else {
            return false;
        };
        let (attempt_no, was_answered) = (attempt_no.clone(), *was_answered);
        match was_answered {
            true => snaps.remove(&attempt_no),
            false => snaps.insert(attempt_no, true),
        };
        was_answered
    }
}

/// What Alipay is asked for between a charge and its meaning, when it signs with a new key.
const CERTIFICATE: &str = "alipaycert.download";

fn mentions(request: &Request<Bytes>, text: &str) -> bool {
    let is_in = |bytes: &[u8]| {
        bytes
            .windows(text.len())
            .any(|part| part == text.as_bytes())
    };
    is_in(request.uri().to_string().as_bytes()) || is_in(request.body())
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[async_trait]
impl HttpTransport for Line {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        let state = self.state.load(Ordering::Relaxed);
        if state == LineState::Cut as u8 || self.snaps_at(&request) {
            return Err(TransportError::NotSent);
        }
        let answer = self.inner.send(request).await;
        if state == LineState::Silent as u8 {
            return Err(TransportError::Timeout);
        }
        answer
    }
}

/// The server's clock with numbers that never repeat.
struct Senses {
    clock: Arc<MachineClock>,
    nonces: AtomicU64,
}

impl Surroundings for Senses {
    fn now(&self) -> Timestamp {
        Clock::now(self.clock.as_ref())
    }
    fn nonce(&self) -> String {
        format!("{:032x}", self.nonces.fetch_add(1, Ordering::Relaxed))
    }
}

impl Bank {
    /// The gateways under `contracts`; the server's side lives by `clock` and keeps what it must
    /// keep in `folder`.
    pub fn open(
        contracts: Contracts,
        sky: &Arc<Sky>,
        clock: &Arc<MachineClock>,
        folder: &Path,
    ) -> Bank {
        static KEYS: OnceLock<Opened> = OnceLock::new();
        static CERTIFICATES: OnceLock<Opened> = OnceLock::new();
        let opened = match contracts {
            Contracts::Keys => KEYS.get_or_init(by_keys),
            Contracts::Certificates => CERTIFICATES.get_or_init(by_certificates),
        };
        let (gateway, mut contracts) = opened.clone();
        for (name, settings, _) in &mut contracts {
            if *name == AGGREGATOR {
                settings["terminal_file"] = json!(folder.join("terminal.json"));
            }
        }
        let senses = |clock: Arc<MachineClock>| {
            Arc::new(Senses {
                clock,
                nonces: AtomicU64::new(0),
            })
        };
        let simulator = Simulator::new(gateway, senses(MachineClock::new(sky)));
        let line = Line {
            inner: RouterTransport::new(serve::router(simulator.clone()), PATIENCE),
            state: AtomicU8::new(LineState::Well as u8),
            calls: AtomicU64::new(0),
            snaps: Mutex::default(),
        };
        Bank {
            simulator,
            contracts,
            line: Arc::new(line),
            senses: senses(Arc::clone(clock)),
        }
    }

    /// The server's side, as it is set up at a start.
    pub fn channels(&self) -> Step<Channels> {
        let mut registry = Registry::new();
        let mut routes = HashMap::new();
        for (name, settings, method) in &self.contracts {
            let (line, senses) = (Arc::clone(&self.line), Arc::clone(&self.senses));
            registry.open(name, settings.clone(), line, senses)?;
            routes.insert(*method, *name);
        }
        let notify_base = Some(SHOP_URL.to_owned());
        Ok(Channels::new(registry, routes, notify_base))
    }

    /// Changes the line.
    pub fn set_line(&self, state: LineState) {
        self.line.state.store(state as u8, Ordering::Relaxed);
    }

    /// Lets the line fail for the second call about an attempt.
    pub fn snap_at(&self, attempt_no: &str) {
        lock(&self.line.snaps).insert(attempt_no.to_owned(), false);
    }

    /// Calls that the server made.
    pub fn calls(&self) -> u64 {
        self.line.calls.load(Ordering::Relaxed)
    }

    /// Spoils answers.
    pub fn spoil(&self, rule: AnswerRule) {
        self.simulator
            .with(|gateway, _| gateway.faults().answers.push(rule));
    }

    /// Spoils notices.
    pub fn spoil_notices(&self, rule: NoticeRule) {
        self.simulator
            .with(|gateway, _| gateway.faults().notices.push(rule));
    }

    /// Sends the notices of an attempt as it should.
    pub fn forgive_notices(&self, attempt_no: &str) {
        let is_other = |rule: &NoticeRule| rule.attempt_no.as_deref() != Some(attempt_no);
        self.simulator
            .with(|gateway, _| gateway.faults().notices.retain(is_other));
    }

    /// The merchant's staff send on what is stuck at the gateways; how many refunds.
    pub fn settle_stuck_refunds(&self) -> usize {
        self.simulator.with(|gateway, now| {
            let stuck = gateway.stuck_refunds(now).len();
            gateway.settle_stuck_refunds(now);
            stuck
        })
    }

    /// Behaves from now on.
    pub fn heal(&self) {
        self.set_line(LineState::Well);
        lock(&self.line.snaps).clear();
        self.simulator.with(|gateway, _| {
            gateway.faults().answers.clear();
            gateway.faults().notices.clear();
        });
    }

    /// The customer shows a payment code of the wallet behind `channel`.
    pub fn show_code(
        &self,
        channel: Channel,
        wish: CodeCustomer,
    ) -> Result<CodeView, PhoneRefusal> {
        let wallet = match channel {
            Channel::Alipay => WalletName::Alipay,
            Channel::Unionpay => WalletName::Unionpay,
            _ => WalletName::Wechat,
        };
        let declines = (wish == CodeCustomer::IsDeclined).then(|| "balance_short".to_owned());
        let wish = CodeWish {
            wallet,
            asks_password: wish.asks_password(),
            declines,
        };
        self.simulator
            .with(|gateway, now| gateway.show_code_as(&wish, now))
    }

    /// The customer confirms with the password.
    pub fn confirm(&self, code: &CodeView) -> Result<(), PhoneRefusal> {
        self.simulator
            .with(|gateway, now| gateway.act(&code.token, &PhoneAction::Pay, now))
            .map(drop)
    }

    /// The customer scans a code and acts.
    pub fn act(&self, payload: &str, action: &PhoneAction) -> Result<(), PhoneRefusal> {
        self.simulator.with(|gateway, now| {
            let token = gateway.scan(payload, now)?.token;
            gateway.act(&token, action, now).map(drop)
        })
    }

    /// The merchant's staff return money on the platform.
    pub fn return_on_platform(&self, attempt_no: &str, amount: Money) -> Result<(), BookRefusal> {
        self.simulator
            .with(|gateway, now| gateway.return_on_platform(attempt_no, amount, now))
    }

    /// Everything that was ever received for an attempt, and what is left of it.
    pub fn ever_and_left(&self, attempt_no: &str) -> (Money, Money) {
        let ever = self
            .simulator
            .with(|gateway, _| gateway.ever_received(attempt_no));
        let left = self.holdings().into_iter();
        let left = left.filter(|holding| holding.attempt_no == attempt_no);
        (ever, left.map(|holding| holding.received).sum())
    }

    /// The customer scans a code.
    pub fn scan(&self, payload: &str) -> Result<(), PhoneRefusal> {
        self.simulator
            .with(|gateway, now| gateway.scan(payload, now).map(drop))
    }

    /// Every payment that ever reached a gateway.
    pub fn holdings(&self) -> Vec<Holding> {
        let (views, stuck) = self.simulator.with(|gateway, now| {
            let views = gateway.recent_payments(usize::MAX, now);
            (views, gateway.stuck_refunds(now))
        });
        let stuck_of = |attempt_no: &str| -> Money {
            let of = stuck.iter().filter(|(key, _)| key.attempt_no == attempt_no);
            of.map(|(_, amount)| *amount).sum()
        };
        let holding = |view: qiantai_paysim::gateway::PhoneView| Holding {
            received: Money::from_fen(view.received_fen) + stuck_of(&view.attempt_no),
            is_stuck: stuck_of(&view.attempt_no) > Money::ZERO,
            attempt_no: view.attempt_no,
            is_payable: matches!(view.state, PhoneState::Waiting | PhoneState::Confirming),
        };
        views.into_iter().map(holding).collect()
    }
}

fn by_keys() -> Opened {
    let mut gateway = Gateway::new(KEYS);
    let wechat = wechat(KeyMode::PublicKey, CodeApi::V3);
    let unionpay = UnionpayOpening {
        name: SHOP,
        mer_id: "777290058110048",
    };
    let contracts = vec![
        (
            "wechat",
            gateway.open_wechat(wechat, BASE_URL, START),
            Channel::Wechat,
        ),
        (
            "alipay",
            gateway.open_alipay(alipay(Mode::Keys), BASE_URL, START),
            Channel::Alipay,
        ),
        (
            "unionpay",
            gateway.open_unionpay(unionpay, BASE_URL, START),
            Channel::Unionpay,
        ),
    ];
    (gateway, contracts)
}

fn by_certificates() -> Opened {
    let mut gateway = Gateway::new(KEYS);
    let wechat = wechat(KeyMode::Certificate, CodeApi::V2);
    let shouqianba = ShouqianbaOpening {
        name: SHOP,
        vendor_sn: "91800001",
        device_id: "front-desk-1",
        // Each run puts its own in its place.
        terminal_file: Path::new("terminal.json"),
    };
    let contracts = vec![
        (
            "wechat",
            gateway.open_wechat(wechat, BASE_URL, START),
            Channel::Wechat,
        ),
        (
            "alipay",
            gateway.open_alipay(alipay(Mode::Certificates), BASE_URL, START),
            Channel::Alipay,
        ),
        (
            AGGREGATOR,
            gateway.open_shouqianba(shouqianba, BASE_URL),
            Channel::Unionpay,
        ),
    ];
    (gateway, contracts)
}

fn wechat(mode: KeyMode, codes: CodeApi) -> WechatOpening<'static> {
    WechatOpening {
        name: SHOP,
        mchid: "1900000109",
        mode,
        codes,
    }
}

fn alipay(mode: Mode) -> AlipayOpening<'static> {
    AlipayOpening {
        name: SHOP,
        app_id: "2021000000000001",
        mode,
    }
}
