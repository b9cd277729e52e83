//! A shop with one till, a gateway and a clock that only moves when told.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::Body;
use http::{Request, Response, StatusCode};
use http_body_util::BodyExt;
use qiantai_core::attempt::PaymentAttempt;
use qiantai_core::ids::{AttemptId, MemberId, OrderId};
use qiantai_core::policy::Policy;
use qiantai_core::recharge::RechargeOrder;
use qiantai_core::{Millis, Money, Timestamp};
use qiantai_pay::Surroundings;
use qiantai_pay::channels::training::TrainingChannel;
use qiantai_paysim::gateway::PhoneAction;
use qiantai_paysim::{Gateway, RouterTransport, Simulator, serve};
use qiantai_server::db::sqlite::SqliteLedger;
use qiantai_server::sample::{self, SeededShop, ShopKind};
use qiantai_server::{Channels, Clock, Server};
use tempfile::TempDir;
use tower::ServiceExt;
use uuid::Uuid;

use crate::gateway::ScriptedChannel;

/// 2026-11-21 14:00 in China.
pub const START: Timestamp = Timestamp::from_ms(1_795_240_800_000);

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
    pub gateway: Arc<ScriptedChannel>,
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
        let (practice, config) = Gateway::practice([7; 32], "简单美发", "http://gateway");
        let simulator = Simulator::new(practice, Arc::clone(&time) as Arc<dyn Surroundings>);
        let transport =
            RouterTransport::new(serve::router(simulator.clone()), Duration::from_millis(100));
        let surroundings = Arc::clone(&time) as Arc<dyn Surroundings>;
        let channel = TrainingChannel::new(config, Arc::new(transport), surroundings).unwrap();
        let gateway = Arc::new(ScriptedChannel::new(channel));
        let notify_base = Some("http://server".to_owned());
        let channels = Channels::all_through(gateway.clone(), notify_base);
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
            gateway,
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

    /// Makes every write to `table` fail: before the row is touched, or after.
    pub fn sabotage(&self, table: &str, moment: &str) {
        for event in ["INSERT", "UPDATE"] {
            self.database()
                .execute_batch(&format!(
                    "CREATE TRIGGER sabotage_{event} {moment} {event} ON {table}
                     BEGIN SELECT RAISE(ABORT, 'sabotage'); END;"
                ))
                .unwrap();
        }
    }

    pub fn repair(&self) {
        self.database()
            .execute_batch("DROP TRIGGER sabotage_INSERT; DROP TRIGGER sabotage_UPDATE;")
            .unwrap();
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

    pub fn now(&self) -> Timestamp {
        Clock::now(self.time.as_ref())
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

/// How long a test waits for what must happen.
const PATIENCE: Duration = Duration::from_secs(10);

/// What `work` comes to; work without end fails the test.
pub async fn within_patience<T>(what: &str, work: impl Future<Output = T>) -> T {
    let done = tokio::time::timeout(PATIENCE, work).await;
    done.unwrap_or_else(|_| panic!("{what}: not in {PATIENCE:?}"))
}

/// Lets others work until `is_so`.
pub async fn until(what: &str, is_so: impl Fn() -> bool) {
    let seen = async {
        while !is_so() {
            tokio::task::yield_now().await;
        }
    };
    within_patience(what, seen).await;
}
