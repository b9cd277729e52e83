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
use qiantai_server::db::postgres::{Holder, PostgresLedger};
use qiantai_server::db::sqlite::SqliteLedger;
use qiantai_server::db::{Archive, Ledger};
use qiantai_server::sample::{self, SeededShop, ShopKind};
use qiantai_server::{Channels, Clock, Server};
use tempfile::TempDir;
use tower::ServiceExt;
use uuid::Uuid;

use crate::conformance::cluster::TestDatabase;
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

/// Which database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum On {
    Sqlite,
    Postgres,
}

impl On {
    pub const BOTH: [On; 2] = [On::Sqlite, On::Postgres];
}

/// Where the books of a test lie.
pub enum Place {
    File(TempDir),
    Cluster(TestDatabase),
}

impl Place {
    pub fn make(on: On) -> Place {
        match on {
            On::Sqlite => Place::File(tempfile::tempdir().unwrap()),
            On::Postgres => Place::Cluster(TestDatabase::make()),
        }
    }

    pub fn open(&self) -> Arc<dyn Archive> {
        match self {
            Place::File(_) => Arc::new(SqliteLedger::open(&self.file(), None).unwrap()),
            Place::Cluster(database) => Arc::new(
                PostgresLedger::open(
                    &database.url(),
                    Holder::fresh(Uuid::now_v7(), "here".into()),
                )
                .unwrap(),
            ),
        }
    }

    pub fn file(&self) -> PathBuf {
        match self {
            Place::File(folder) => folder.path().join("ledger.db"),
            Place::Cluster(_) => panic!("these books are in no file"),
        }
    }

    pub fn execute(&self, sql: &str) {
        match self {
            Place::File(_) => rusqlite::Connection::open(self.file())
                .unwrap()
                .execute_batch(sql)
                .unwrap(),
            Place::Cluster(database) => database.execute(sql),
        }
    }

    pub fn number(&self, sql: &str) -> i64 {
        match self {
            Place::File(_) => rusqlite::Connection::open(self.file())
                .unwrap()
                .query_row(sql, [], |row| row.get(0))
                .unwrap(),
            Place::Cluster(database) => database.number(sql),
        }
    }

    /// Makes every write to `table` fail: before the row is touched, or after.
    pub fn sabotage(&self, table: &str, moment: &str) {
        if let Place::Cluster(database) = self {
            database.execute(&format!(
                "CREATE FUNCTION sabotage() RETURNS trigger LANGUAGE plpgsql
                     AS $$ BEGIN RAISE EXCEPTION 'sabotage'; END $$;
                 CREATE TRIGGER sabotage {moment} INSERT OR UPDATE ON {table}
                     FOR EACH ROW EXECUTE FUNCTION sabotage()"
            ));
            return;
        }
        for event in ["INSERT", "UPDATE"] {
            self.execute(&format!(
                "CREATE TRIGGER sabotage_{event} {moment} {event} ON {table}
                 BEGIN SELECT RAISE(ABORT, 'sabotage'); END;"
            ));
        }
    }

    pub fn repair(&self) {
        self.execute(match self {
            Place::File(_) => "DROP TRIGGER sabotage_INSERT; DROP TRIGGER sabotage_UPDATE;",
            Place::Cluster(_) => "DROP FUNCTION sabotage CASCADE",
        });
    }

    /// How many rows each table holds.
    pub fn row_counts(&self) -> HashMap<String, i64> {
        let names = match self {
            Place::File(_) => {
                let db = rusqlite::Connection::open(self.file()).unwrap();
                let sql = "SELECT name FROM sqlite_schema WHERE type = 'table'";
                let mut names = db.prepare(sql).unwrap();
                let names = names.query_map([], |row| row.get(0)).unwrap();
                names.collect::<Result<Vec<String>, _>>().unwrap()
            }
            Place::Cluster(database) => database
                .query("SELECT tablename::text FROM pg_tables WHERE schemaname = 'public'")
                .iter()
                .map(|row| row.get(0))
                .collect(),
        };
        let count = |name: &String| self.number(&format!("SELECT count(*) FROM {name}"));
        names
            .iter()
            .map(|name| (name.clone(), count(name)))
            .collect()
    }
}

/// The shop, its server and its gateway.
pub struct Shop {
    pub place: Place,
    pub time: Arc<Time>,
    pub simulator: Simulator,
    pub gateway: Arc<ScriptedChannel>,
    pub channels: Channels,
    pub server: Server,
    pub seeded: SeededShop,
    pub policy: Arc<Policy>,
}

impl Shop {
    /// The salon with `members` members.
    pub async fn open(members: usize) -> Shop {
        Shop::open_on(On::Sqlite, members).await
    }

    /// The same, with its books in a database of this kind.
    pub async fn open_on(on: On, members: usize) -> Shop {
        Shop::open_at(Place::make(on), members).await
    }

    /// The same, with its books there.
    pub async fn open_at(place: Place, members: usize) -> Shop {
        let time = Arc::new(Time(Mutex::new(START)));
        let (practice, config) = Gateway::practice([7; 32], "简单美发", "http://gateway");
        let simulator = Simulator::new(practice, Arc::clone(&time) as Arc<dyn Surroundings>);
        let transport = RouterTransport::new(serve::router(simulator.clone()), GATEWAY_PATIENCE);
        let surroundings = Arc::clone(&time) as Arc<dyn Surroundings>;
        let channel = TrainingChannel::new(config, Arc::new(transport), surroundings).unwrap();
        let gateway = Arc::new(ScriptedChannel::new(channel));
        let notify_base = Some("http://server".to_owned());
        let channels = Channels::all_through(gateway.clone(), notify_base);
        let server = open_server(place.open(), &time, &channels);
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
            place,
            time,
            simulator,
            gateway,
            channels,
            server,
            seeded,
            policy,
        }
    }

    /// Stops the server and opens the books again, as a new process would.
    pub async fn restart(&mut self) {
        self.server.stop().await;
        self.serve_on(self.place.open());
    }

    /// Serves from now on with these books.
    pub fn serve_on(&mut self, ledger: Arc<dyn Ledger>) {
        self.server = open_server(ledger, &self.time, &self.channels);
    }

    /// A second connection to the file, to look at it or to damage it.
    pub fn database(&self) -> rusqlite::Connection {
        rusqlite::Connection::open(self.place.file()).unwrap()
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
        self.place.number(&format!(
            "SELECT CAST(coalesce(sum(amount_fen), 0) AS BIGINT) FROM posting
             WHERE account = '{account}' AND book = 'money'"
        ))
    }
}

fn open_server(ledger: Arc<dyn Ledger>, time: &Arc<Time>, channels: &Channels) -> Server {
    let clock = Arc::clone(time) as Arc<dyn Clock>;
    Server::on_ledger(ledger, clock, channels.clone()).unwrap()
}

/// How long a test waits for what must happen: longer than anything takes on a loaded machine.
const PATIENCE: Duration = Duration::from_secs(300);

/// How long the server waits for the gateway in this process: longer than an answer takes on a
/// loaded machine. Only a gateway that was told to keep silent takes it all.
const GATEWAY_PATIENCE: Duration = Duration::from_secs(8);

/// Between two looks at what nothing tells of.
const GLANCE: Duration = Duration::from_millis(5);

/// What `work` comes to; work without end fails the test.
pub async fn within_patience<T>(what: &str, work: impl Future<Output = T>) -> T {
    let done = tokio::time::timeout(PATIENCE, work).await;
    done.unwrap_or_else(|_| panic!("{what}: not in {PATIENCE:?}"))
}

/// Lets others work until `is_so`.
pub async fn until(what: &str, is_so: impl Fn() -> bool) {
    let seen = async {
        let mut looks = tokio::time::interval(GLANCE);
        while !is_so() {
            looks.tick().await;
        }
    };
    within_patience(what, seen).await;
}
