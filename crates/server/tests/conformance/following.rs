//! A terminal that was enrolled at one of two real servers goes on by itself wherever the books are
//! written: with the engine, the transport and the authority of the real one.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use ed25519_dalek::SigningKey;
use qiantai_core::brand::Brand;
use qiantai_core::ids::{ActionId, OrderId, StaffId, TenantId};
use qiantai_core::operation::{Cursor, OperationBody, ShiftOpen};
use qiantai_core::order_no::Prefix;
use qiantai_core::policy::Role;
use qiantai_core::policy_change::PolicyChange;
use qiantai_core::{Money, Timestamp};
use qiantai_server::db::Ledger;
use qiantai_server::db::postgres::{Holder, PostgresLedger};
use qiantai_server::{Clock, SystemClock};
use qiantai_sync::engine::PollIntervals;
use qiantai_sync::transport::{FollowingTransport, HttpTransport, Trust, introduce};
use qiantai_sync::{
    Client, LocalLog, LocalLogError, LocalPosition, Surroundings, SyncHandle, SyncStatus, driver,
};
use qiantai_wire::SignedOperation;
use qiantai_wire::api::{JoinAnswer, JoinRequest, PushAnswer, PushedProfile, RulesRequest};
use qiantai_wire::feed::{FeedPage, SnapshotPage};
use qiantai_wire::text::Hex;
use uuid::Uuid;

use super::cluster::TestDatabase;
use crate::process::{Running, enrolled, program};
use crate::till::Till;

/// The right to write is looked for every second, and the engine waits longer each time; the rest is
/// patience.
const GOES_ON_WITHIN: Duration = Duration::from_secs(30);

struct Machine;

impl Surroundings for Machine {
    fn now(&self) -> Timestamp {
        SystemClock.now()
    }

    fn random(&self) -> u64 {
        7
    }
}

/// What the terminal has written, and where it stands.
#[derive(Default)]
struct Log(Mutex<(LocalPosition, BTreeMap<u64, SignedOperation>)>);

impl Log {
    fn write(&self, operation: SignedOperation) {
        let mut log = self.0.lock().unwrap();
        log.0.last_seq += 1;
        log.0.oldest_pending = Some(SystemClock.now());
        let seq = log.0.last_seq;
        log.1.insert(seq, operation);
    }

    fn stand_at(&self, timeline: u32, server_seq: u64) -> Result<(), LocalLogError> {
        self.0.lock().unwrap().0.cursor = Some(Cursor {
            timeline,
            server_seq,
        });
        Ok(())
    }
}

#[async_trait]
impl LocalLog for Log {
    async fn position(&self) -> Result<LocalPosition, LocalLogError> {
        Ok(self.0.lock().unwrap().0)
    }

    async fn operations(
        &self,
        from_seq: u64,
        limit: usize,
    ) -> Result<Vec<SignedOperation>, LocalLogError> {
        let log = self.0.lock().unwrap();
        let from_there = log.1.range(from_seq..).take(limit);
        Ok(from_there.map(|(_, operation)| operation.clone()).collect())
    }

    async fn profiles(&self, _: u64, _: usize) -> Result<Vec<PushedProfile>, LocalLogError> {
        Ok(Vec::new())
    }

    async fn apply_push(&self, answer: PushAnswer) -> Result<(), LocalLogError> {
        assert_eq!(answer.halt, None);
        let mut log = self.0.lock().unwrap();
        log.0.acked_seq = answer.acked_seq;
        log.0.oldest_pending = None;
        Ok(())
    }

    async fn apply_feed(&self, page: FeedPage) -> Result<(), LocalLogError> {
        let before = self.0.lock().unwrap().0.cursor.unwrap().server_seq;
        let last = page.entries.last().map_or(before, |entry| entry.server_seq);
        self.stand_at(page.timeline, last)
    }

    async fn apply_snapshot(
        &self,
        _: Option<Uuid>,
        page: SnapshotPage,
    ) -> Result<(), LocalLogError> {
        self.stand_at(page.timeline, page.at_seq)
    }
}

struct Servers {
    database: TestDatabase,
    tls: tempfile::TempDir,
}

impl Servers {
    /// Encrypted, under the authority that all of them share.
    fn settings(&self) -> [String; 6] {
        let folder = self.tls.path().join("tls").to_str().unwrap().to_owned();
        let [to, tls, plain] =
            ["--database-url", "--tls-folder", "--plain-http"].map(str::to_owned);
        [
            to,
            self.database.url(),
            tls,
            folder,
            plain,
            "never".to_owned(),
        ]
    }

    /// A server that listens there; its process and its address.
    fn start(&self, listen: &str) -> (Running, String) {
        Running::serve_at(listen, &self.settings().each_ref().map(String::as_str))
    }

    fn until_written_at(&self, address: &str) {
        let sql = format!("SELECT count(*) FROM writer_lease WHERE address = 'https://{address}'");
        let begun = Instant::now();
        while self.database.number(&sql) == 0 {
            assert!(begun.elapsed() < GOES_ON_WITHIN, "nobody writes");
        }
    }

    /// The way of a terminal to the server at which it is enrolled, as the program makes it, and the
    /// terminal that has joined.
    async fn enrol(&self, address: &str) -> (Client, SigningKey, JoinAnswer) {
        let place = format!("https://{address}");
        let settings = self.settings();
        let mut settings: Vec<_> = settings.iter().map(String::as_str).collect();
        settings.extend(["--address", &place]);
        let code = enrolled("00201", &settings);
        let authority = introduce(&code.server, &code.authority.unwrap()).await;
        let trust = Trust::Authority(authority.unwrap());
        let way = HttpTransport::new(&code.server, &trust).unwrap();
        let client = Client::new(Arc::new(FollowingTransport::new(way)));
        let key = SigningKey::from_bytes(&[3; 32]);
        let request = JoinRequest {
            invite: code.invite(),
            public_key: Hex(key.verifying_key().to_bytes()),
            name: "前台".into(),
            terminal_code: None,
        };
        let join = client.join(&request).await.unwrap();
        let client = client.with_token(&join.token);
        (client.signing_as(join.device, key.clone()), key, join)
    }

    fn manager_of(&self, join: &JoinAnswer) -> StaffId {
        let holder = Holder::fresh(Uuid::now_v7(), "the test".into());
        let books = PostgresLedger::open(&self.database.url(), holder).unwrap();
        let policies = books.policies(TenantId(join.tenant)).unwrap();
        let mut staff = policies[0].staff.iter();
        let manager = staff.find(|person| person.role == Role::Manager);
        manager.unwrap().id
    }
}

/// Waits until everything that the terminal wrote is in the books and it knows it.
async fn goes_on(handle: &SyncHandle, log: &Log) {
    handle.nudge();
    let mut status = handle.follow();
    let is_all_there = || log.0.lock().unwrap().0.pending() == 0;
    let synced = status.wait_for(|status| *status == SyncStatus::Synced && is_all_there());
    let in_time = tokio::time::timeout(GOES_ON_WITHIN, synced).await;
    in_time.expect("the terminal did not go on").unwrap();
}

#[test]
fn a_terminal_follows_the_writer_there_and_back() {
    let servers = Servers {
        database: TestDatabase::make(),
        tls: tempfile::tempdir().unwrap(),
    };
    let mut init = program();
    init.args(["init", "--sample", "salon", "--members", "3"]);
    let made = init.args(servers.settings()).output().unwrap();
    let said = String::from_utf8_lossy(&made.stderr);
    assert!(made.status.success(), "{said}");
    let network = tokio::runtime::Runtime::new().unwrap();
    let (home, home_address) = servers.start("127.0.0.1:0");
    servers.until_written_at(&home_address);
    let (client, key, join) = network.block_on(servers.enrol(&home_address));
    let manager = servers.manager_of(&join);
    let mut till = Till::joined(key, join, manager, SystemClock.now());
    let log = Arc::new(Log::default());
    log.stand_at(till.join.timeline, 0).unwrap();
    let shift = ShiftOpen {
        shift: till.shift,
        shift_no: till.number(Prefix::Shift),
        float: vec![(Money::from_yuan(100), 5)],
    };
    log.write(till.sign(OperationBody::ShiftOpen(shift)));
    let (handle, driver) = driver(
        Arc::clone(&log) as _,
        client.clone(),
        Arc::new(Machine),
        PollIntervals::default(),
    );
    network.spawn(driver.run());
    network.block_on(goes_on(&handle, &log));

    let mut sells = || {
        let order = OrderId(Uuid::now_v7());
        let cancelled = OperationBody::RechargeCancel { order };
        log.write(till.sign_action(cancelled, ActionId(Uuid::now_v7())));
        network.block_on(goes_on(&handle, &log));
    };
    // The other one writes, and the enrolled one comes back as one that reads.
    let (other, other_address) = servers.start("127.0.0.1:0");
    home.end();
    servers.until_written_at(&other_address);
    let (_home, _) = servers.start(&home_address);
    sells();
    let leases = network.block_on(client.leases(Vec::new()));
    leases.expect("what must be written is asked of the writer");
    // So does what a manager changes, signed anew for each server.
    let change = PolicyChange::Brand(Brand::default());
    let asked = RulesRequest {
        manager: manager.0,
        base_version: 1,
        change: (&change).into(),
    };
    network.block_on(client.change_rules(&asked)).unwrap();
    // And back.
    other.end();
    servers.until_written_at(&home_address);
    sells();
    assert_eq!(log.0.lock().unwrap().0.acked_seq, 3);
}
