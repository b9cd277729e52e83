//! A shop with one till, a gateway and a clock that only moves when told.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::Body;
use ed25519_dalek::SigningKey;
use http::{Request, Response, StatusCode};
use http_body_util::BodyExt;
use qiantai_core::attempt::{Channel, PayMethod, PaymentAttempt};
use qiantai_core::ids::{
    ActionId, AttemptId, DeviceId, MemberId, OpId, OrderId, ShiftId, StaffId, StoreId, TenantId,
};
use qiantai_core::operation::{
    AttemptStart, Operation, OperationBody, RechargeCash, RechargeOpen, ShiftOpen, StaffMethod,
    StaffProof,
};
use qiantai_core::order_no::{OrderNo, Prefix};
use qiantai_core::policy::Policy;
use qiantai_core::quote::Quote;
use qiantai_core::recharge::{AmountChoice, RechargeOrder};
use qiantai_core::{Millis, Money, Timestamp};
use qiantai_pay::Surroundings;
use qiantai_pay::channels::training::TrainingChannel;
use qiantai_paysim::gateway::PhoneAction;
use qiantai_paysim::{Gateway, RouterTransport, Simulator, serve};
use qiantai_server::db::sqlite::SqliteLedger;
use qiantai_server::sample::{self, SeededShop, ShopKind};
use qiantai_server::{Channels, Clock, Server};
use qiantai_wire::SignedOperation;
use qiantai_wire::api::{
    JoinAnswer, OpResultDto, PushAnswer, PushRequest, QuoteAnswer, QuoteRequest,
};
use qiantai_wire::feed::OutcomeDto;
use qiantai_wire::text::Base64;
use serde::de::DeserializeOwned;
use tempfile::TempDir;
use tower::ServiceExt;
use uuid::Uuid;

/// 2026-11-21 14:00 in China.
const START: Timestamp = Timestamp::from_ms(1_795_240_800_000);

/// A clock that stands still.
pub struct Time(Mutex<Timestamp>);

impl Time {
    pub fn advance(&self, span: Millis) {
        let mut now = self.0.lock().unwrap();
        *now = *now + span;
    }
}

impl Clock for Time {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }
}

impl Surroundings for Time {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }
    fn nonce(&self) -> String {
        Uuid::now_v7().simple().to_string()
    }
}

/// The shop, its server and its gateway.
pub struct Shop {
    pub folder: TempDir,
    pub time: Arc<Time>,
    pub simulator: Simulator,
    pub channels: Channels,
    pub ledger: Arc<SqliteLedger>,
    pub server: Server,
    pub seeded: SeededShop,
    pub policy: Arc<Policy>,
}

impl Shop {
    /// The salon with `members` members.
    pub async fn open(members: usize) -> Shop {
        let folder = tempfile::tempdir().unwrap();
        let time = Arc::new(Time(Mutex::new(START)));
        let (gateway, config) = Gateway::practice([7; 32], "简单美发", "http://gateway");
        let simulator = Simulator::new(gateway, Arc::clone(&time) as Arc<dyn Surroundings>);
        let transport =
            RouterTransport::new(serve::router(simulator.clone()), Duration::from_millis(100));
        let surroundings = Arc::clone(&time) as Arc<dyn Surroundings>;
        let channel = TrainingChannel::new(config, Arc::new(transport), surroundings).unwrap();
        let channels = Channels::all_through(Arc::new(channel), Some("http://server".to_owned()));
        let (ledger, server) = open_server(&folder, &time, &channels);
        let seeded = sample::seed(&server, ShopKind::Salon, members, 1)
            .await
            .unwrap();
        let policy = server
            .ledger()
            .policies(seeded.tenant)
            .unwrap()
            .pop()
            .unwrap();
        Shop {
            folder,
            time,
            simulator,
            channels,
            ledger,
            server,
            seeded,
            policy,
        }
    }

    /// Stops the server and opens the file again, as a new process would.
    pub async fn restart(&mut self) {
        self.server.stop().await;
        let (ledger, server) = open_server(&self.folder, &self.time, &self.channels);
        self.ledger = ledger;
        self.server = server;
    }

    pub fn ledger_path(&self) -> PathBuf {
        self.folder.path().join("ledger.db")
    }

    /// A second connection to the file, to look at it or to sabotage it.
    pub fn database(&self) -> rusqlite::Connection {
        rusqlite::Connection::open(self.ledger_path()).unwrap()
    }

    /// How many rows each table holds, except those that do not follow the log.
    pub fn row_counts(&self) -> HashMap<String, i64> {
        let db = self.database();
        let mut names = db
            .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name <> 'migration'")
            .unwrap();
        let names: Vec<String> = names
            .query_map([], |row| row.get(0))
            .unwrap()
            .map(Result::unwrap)
            .collect();
        let count = |name: &String| {
            db.query_row(&format!("SELECT count(*) FROM {name}"), [], |row| {
                row.get(0)
            })
            .unwrap()
        };
        names
            .iter()
            .map(|name| (name.clone(), count(name)))
            .collect()
    }

    pub async fn send(&self, request: Request<Body>) -> (StatusCode, Vec<u8>) {
        let response: Response<Body> = self.server.router().oneshot(request).await.unwrap();
        let status = response.status();
        (
            status,
            response
                .into_body()
                .collect()
                .await
                .unwrap()
                .to_bytes()
                .to_vec(),
        )
    }

    /// Moves the clock on and lets the server do what is due.
    pub async fn pass(&self, span: Millis) {
        self.time.advance(span);
        self.server.settle_due().await.unwrap();
    }

    /// Lets the gateway send its notices that are due; answers whether each was taken.
    pub async fn deliver_notices(&self) -> Vec<bool> {
        let mut taken = Vec::new();
        for delivery in self.simulator.with(Gateway::due_notices) {
            let request = delivery.request.map(Body::from);
            let (status, _) = self.send(request).await;
            taken.push(status.is_success());
            self.simulator
                .with(|gateway, now| gateway.delivered(delivery.id, status.is_success(), now));
        }
        taken
    }

    /// The customer scans the QR code and acts.
    pub fn phone(&self, attempt: &PaymentAttempt, action: &PhoneAction) {
        let payload = attempt
            .qr_payload
            .clone()
            .expect("there is a QR code to scan");
        self.simulator.with(|gateway, now| {
            let view = gateway.scan(&payload, now).unwrap();
            gateway.act(&view.token, action, now).unwrap();
        });
    }

    pub fn order(&self, id: OrderId) -> RechargeOrder {
        self.server
            .ledger()
            .order(self.seeded.tenant, id)
            .unwrap()
            .unwrap()
    }

    pub fn attempt(&self, id: AttemptId) -> PaymentAttempt {
        self.server
            .ledger()
            .attempt(self.seeded.tenant, id)
            .unwrap()
            .unwrap()
    }

    /// Members in the order of their numbers; the first is 张伟 of the sketches.
    pub fn members(&self) -> Vec<MemberId> {
        let rows = self
            .server
            .ledger()
            .member_page(self.seeded.tenant, None, 1_000)
            .unwrap();
        let mut members: Vec<_> = rows.into_iter().map(|row| row.member).collect();
        members.sort_by(|one, other| one.member_no.cmp(&other.member_no));
        members.into_iter().map(|member| member.id).collect()
    }

    pub fn principal(&self, member: MemberId) -> Money {
        let account = self
            .server
            .ledger()
            .account(self.seeded.tenant, member)
            .unwrap();
        account.unwrap().principal
    }

    /// Names of the cases that are open, newest first.
    pub fn cases(&self) -> Vec<String> {
        let cases = self.server.ledger().cases(self.seeded.tenant, 100).unwrap();
        cases
            .iter()
            .map(|case| format!("{:?}", case.kind))
            .collect()
    }

    /// Σ of postings per ledger account in fen.
    pub fn balance(&self, account: &str) -> i64 {
        self.database()
            .query_row(
                "SELECT coalesce(sum(amount_fen), 0) FROM posting
                 WHERE account = ?1 AND book = 'money'",
                [account],
                |row| row.get(0),
            )
            .unwrap()
    }
}

fn open_server(
    folder: &TempDir,
    time: &Arc<Time>,
    channels: &Channels,
) -> (Arc<SqliteLedger>, Server) {
    let ledger = Arc::new(SqliteLedger::open(&folder.path().join("ledger.db"), None).unwrap());
    let clock = Arc::clone(time) as Arc<dyn Clock>;
    let server = Server::on_ledger(ledger.clone(), clock, channels.clone()).unwrap();
    (ledger, server)
}

/// A terminal: its key, its chain, its shift.
#[derive(Clone)]
pub struct Till {
    pub key: SigningKey,
    pub join: JoinAnswer,
    pub seq: u64,
    pub prev: [u8; 32],
    pub shift: ShiftId,
    pub cashier: StaffId,
    pub wall: Timestamp,
    numbers: u32,
}

impl Till {
    /// A terminal that has joined and opened its shift.
    pub async fn open(shop: &Shop) -> Till {
        Till::with_key(shop, [3; 32], "01").await
    }

    pub async fn with_key(shop: &Shop, seed: [u8; 32], code: &str) -> Till {
        let key = SigningKey::from_bytes(&seed);
        let public = key.verifying_key().to_bytes();
        let join = shop
            .server
            .enrol_local(shop.seeded.tenant, public, code)
            .await
            .unwrap();
        let mut till = Till {
            key,
            join,
            seq: 0,
            prev: [0; 32],
            shift: ShiftId(Uuid::now_v7()),
            cashier: shop.policy.staff[0].id,
            wall: START,
            numbers: 0,
        };
        let body = OperationBody::ShiftOpen(ShiftOpen {
            shift: till.shift,
            shift_no: till.number(Prefix::Shift),
            float: vec![(Money::from_yuan(100), 5)],
        });
        let opened = till.sign(body);
        assert_eq!(
            till.push(shop, &[opened]).await.results[0].outcome,
            OutcomeDto::Applied
        );
        till
    }

    pub fn number(&mut self, prefix: Prefix) -> String {
        self.numbers += 1;
        OrderNo::new(
            prefix,
            self.wall,
            "00201",
            &self.join.terminal_code,
            self.numbers,
        )
        .unwrap()
        .to_string()
    }

    /// The next operation of this device's chain.
    pub fn sign(&mut self, body: OperationBody) -> SignedOperation {
        self.sign_action(body, ActionId(Uuid::now_v7()))
    }

    pub fn sign_action(&mut self, body: OperationBody, action: ActionId) -> SignedOperation {
        let operation = self.operation(body, action);
        let signed = SignedOperation::sign(&operation, &self.key);
        self.seq += 1;
        self.prev = signed.hash();
        signed
    }

    /// What would be signed next.
    pub fn operation(&self, body: OperationBody, action_id: ActionId) -> Operation {
        Operation {
            op_id: OpId(Uuid::now_v7()),
            action_id,
            tenant: TenantId(self.join.tenant),
            store: StoreId(self.join.store),
            device: DeviceId(self.join.device),
            epoch: 1,
            device_seq: self.seq + 1,
            prev_hash: self.prev,
            staff: Some(StaffProof {
                staff: self.cashier,
                method: StaffMethod::Pin,
                policy_version: 1,
            }),
            shift: Some(self.shift),
            wall_time: self.wall,
            boot_id: Uuid::from_u128(9),
            monotonic_ms: 1,
            server_anchor: None,
            cursor: None,
            offline: false,
            attachment: None,
            body,
        }
    }

    pub fn request(&self, method: &str, path: &str, body: Vec<u8>) -> Request<Body> {
        Request::builder()
            .method(method)
            .uri(path)
            .header("authorization", format!("Bearer {}", self.join.token))
            .header("content-type", "application/json")
            .body(Body::from(body))
            .unwrap()
    }

    /// A call that must succeed.
    pub async fn call<T: DeserializeOwned>(
        &self,
        shop: &Shop,
        method: &str,
        path: &str,
        body: Vec<u8>,
    ) -> T {
        let (status, answer) = shop.send(self.request(method, path, body)).await;
        let text = String::from_utf8_lossy(&answer);
        assert_eq!(status, StatusCode::OK, "{method} {path}: {text}");
        serde_json::from_slice(&answer).unwrap()
    }

    pub async fn push(&self, shop: &Shop, operations: &[SignedOperation]) -> PushAnswer {
        self.call(shop, "POST", "/v1/operations", push_body(operations))
            .await
    }

    /// Signs and pushes one body that must be answered.
    pub async fn act(&mut self, shop: &Shop, body: OperationBody) -> OpResultDto {
        self.wall = Clock::now(shop.time.as_ref());
        let signed = self.sign(body);
        let mut answer = self.push(shop, &[signed]).await;
        assert_eq!(answer.halt, None);
        answer.results.pop().unwrap()
    }

    pub async fn quote(
        &self,
        shop: &Shop,
        member: MemberId,
        choice: AmountChoice,
        cash: bool,
    ) -> Quote {
        let request = QuoteRequest {
            member: member.0,
            choice: choice.into(),
            cash,
        };
        let body = serde_json::to_vec(&request).unwrap();
        match self.call(shop, "POST", "/v1/quotes", body).await {
            QuoteAnswer::Quoted { quote } => quote.into(),
            QuoteAnswer::Refused { refusal } => panic!("no price: {refusal:?}"),
        }
    }

    /// What the cashier would send for a top-up of `yuan`.
    pub async fn recharge(&mut self, shop: &Shop, member: MemberId, yuan: i64) -> RechargeOpen {
        let choice = AmountChoice::Amount(Money::from_yuan(yuan));
        let quote = self.quote(shop, member, choice, false).await;
        RechargeOpen {
            order: OrderId(Uuid::now_v7()),
            order_no: self.number(Prefix::Recharge),
            member,
            choice,
            quote,
            seller: None,
            duplicate_confirmed: true,
        }
    }

    pub async fn cash(&mut self, shop: &Shop, member: MemberId, yuan: i64) -> RechargeCash {
        let open = self.recharge(shop, member, yuan).await;
        let tendered = open.quote.pay;
        RechargeCash {
            open,
            tendered,
            change: Money::ZERO,
        }
    }

    pub fn start_of(&mut self, open: &RechargeOpen) -> AttemptStart {
        AttemptStart {
            attempt: AttemptId(Uuid::now_v7()),
            attempt_no: self.number(Prefix::Attempt),
            order: open.order,
            channel: Channel::Wechat,
            method: PayMethod::Qr,
            amount: open.quote.pay,
        }
    }

    /// An order of `yuan` with an attempt whose QR code is shown.
    pub async fn show_qr(
        &mut self,
        shop: &Shop,
        member: MemberId,
        yuan: i64,
    ) -> (RechargeOrder, PaymentAttempt) {
        let open = self.recharge(shop, member, yuan).await;
        let opened = self
            .act(shop, OperationBody::RechargeOpen(open.clone()))
            .await;
        assert_eq!(opened.outcome, OutcomeDto::Applied);
        let attempt = self.start_attempt(shop, &open).await;
        shop.server.settle_due().await.unwrap();
        (shop.order(open.order), shop.attempt(attempt))
    }

    pub async fn start_attempt(&mut self, shop: &Shop, open: &RechargeOpen) -> AttemptId {
        let start = self.start_of(open);
        let id = start.attempt;
        let started = self.act(shop, OperationBody::AttemptStart(start)).await;
        assert_eq!(started.outcome, OutcomeDto::Applied);
        id
    }
}

pub fn push_body(operations: &[SignedOperation]) -> Vec<u8> {
    let request = PushRequest {
        operations: operations
            .iter()
            .map(|signed| Base64(signed.bytes.clone()))
            .collect(),
        attachments: Vec::new(),
    };
    serde_json::to_vec(&request).unwrap()
}
