//! Real servers on one cluster: one writes, the others read and name it; when it is gone, another
//! takes over within seconds.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use ed25519_dalek::SigningKey;
use qiantai_core::ids::{ActionId, OrderId, TenantId};
use qiantai_core::operation::{OperationBody, ShiftOpen};
use qiantai_core::order_no::Prefix;
use qiantai_core::{Money, Timestamp};
use qiantai_server::db::Ledger;
use qiantai_server::db::postgres::{Holder, PostgresLedger};
use qiantai_server::{Clock, SystemClock};
use qiantai_wire::api::{JoinAnswer, JoinRequest, PushAnswer};
use qiantai_wire::feed::{FeedPage, OutcomeDto};
use qiantai_wire::text::Hex;
use qiantai_wire::{ApiError, ErrorCode, SignedOperation};
use uuid::Uuid;

use super::cluster::TestDatabase;
use crate::process::enrolled;
use crate::till::{Till, push_body};

/// The right to write runs out after 4 s, and is looked for every second; the rest is patience.
const HAND_OVER_MAX: Duration = Duration::from_secs(15);

struct Process {
    child: Child,
    address: String,
}

impl Process {
    fn start(database: &TestDatabase) -> Process {
        let mut child = Command::new(env!("CARGO_BIN_EXE_qiantai-server"))
            .args(["serve", "--listen", "127.0.0.1:0"])
            // It is asked again and again who writes.
            .args(["--device-requests-per-s", "1000000"])
            .env("QIANTAI_DATABASE_URL", database.url())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let address = line.trim().strip_prefix("listening on http://").unwrap();
        Process {
            address: address.to_owned(),
            child,
        }
    }

    fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        assert!(
            Command::new("kill")
                .args([name, &pid])
                .status()
                .unwrap()
                .success()
        );
    }

    fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Status and body.
    fn call(&self, method: &str, path: &str, token: &str, body: &[u8]) -> (u16, String) {
        let mut connection = TcpStream::connect(&self.address).unwrap();
        connection.set_read_timeout(Some(HAND_OVER_MAX)).unwrap();
        let head = format!(
            "{method} {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\
             authorization: Bearer {token}\r\ncontent-type: application/json\r\n\
             content-length: {}\r\n\r\n",
            body.len()
        );
        connection.write_all(head.as_bytes()).unwrap();
        connection.write_all(body).unwrap();
        let mut answer = String::new();
        connection.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        (status, body.to_owned())
    }

    fn push(&self, till: &Till, operations: &[SignedOperation]) -> Result<PushAnswer, ApiError> {
        let body = push_body(operations);
        let (status, answer) = self.call("POST", "/v1/operations", &till.join.token, &body);
        match status {
            200 => Ok(serde_json::from_str(&answer).unwrap()),
            _ => Err(serde_json::from_str(&answer).unwrap()),
        }
    }

    /// How long it took until the operation was taken here.
    fn push_until_taken(&self, till: &Till, operation: &SignedOperation) -> Duration {
        let begun = Instant::now();
        loop {
            match self.push(till, std::slice::from_ref(operation)) {
                Ok(answer) => {
                    assert_eq!(answer.results.len(), 1);
                    return begun.elapsed();
                }
                Err(error) => assert!(error.retryable, "{error:?}"),
            }
            assert!(begun.elapsed() < HAND_OVER_MAX, "nobody took over");
        }
    }

    fn feed(&self, till: &Till) -> FeedPage {
        let path = format!("/v1/feed?timeline={}&after=0", till.join.timeline);
        let (status, answer) = self.call("GET", &path, &till.join.token, &[]);
        assert_eq!(status, 200, "{answer}");
        serde_json::from_str(&answer).unwrap()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if self.child.try_wait().is_ok_and(|status| status.is_none()) {
            self.kill();
        }
    }
}

fn program(database: &TestDatabase, arguments: &[&str]) -> String {
    let done = Command::new(env!("CARGO_BIN_EXE_qiantai-server"))
        .args(arguments)
        .args(["--database-url", &database.url()])
        .output()
        .unwrap();
    assert!(
        done.status.success(),
        "{}",
        String::from_utf8_lossy(&done.stderr)
    );
    String::from_utf8(done.stdout).unwrap()
}

fn is_refused_for(answer: Result<PushAnswer, ApiError>, writer: &Process) {
    let error = answer.unwrap_err();
    assert_eq!(error.error_code(), Some(ErrorCode::WrittenElsewhere));
    assert_eq!(error.params["address"], writer.url());
    assert!(error.retryable);
}

/// What a balancer sees.
fn is_found_at(writer: &Process, reader: &Process, tenant: Uuid) {
    for path in ["/writez".to_owned(), format!("/writez?tenant={tenant}")] {
        let found = [writer, reader].map(|process| process.call("GET", &path, "", &[]).0);
        assert_eq!(found, [200, 503], "{path}");
    }
    let stranger = format!("/writez?tenant={}", Uuid::now_v7());
    for (path, status) in [(stranger.as_str(), 404), ("/writez?tenant=1", 400)] {
        let found = [writer, reader].map(|process| process.call("GET", path, "", &[]).0);
        assert_eq!(found, [status; 2], "{path}");
    }
    let (status, answer) = reader.call("GET", "/v1/health", "", &[]);
    assert_eq!(status, 200, "who reads serves as well: {answer}");
}

fn until_written_by(database: &TestDatabase, process: &Process) {
    let begun = Instant::now();
    let sql = format!(
        "SELECT count(*) FROM writer_lease WHERE address = '{}'",
        process.url()
    );
    while database.number(&sql) == 0 {
        assert!(
            begun.elapsed() < HAND_OVER_MAX,
            "nobody took the right to write"
        );
    }
}

#[test]
fn another_server_takes_over_within_seconds() {
    let database = TestDatabase::make();
    program(&database, &["init", "--sample", "salon", "--members", "3"]);
    let code = enrolled("00201", &["--database-url", &database.url()]);
    let mut first = Process::start(&database);
    until_written_by(&database, &first);
    let second = Process::start(&database);

    let key = SigningKey::from_bytes(&[3; 32]);
    let request = JoinRequest {
        invite: code.invite(),
        public_key: Hex(key.verifying_key().to_bytes()),
        name: "前台".into(),
        terminal_code: None,
    };
    let request = serde_json::to_vec(&request).unwrap();
    let (status, answer) = second.call("POST", "/v1/devices/join", "", &request);
    assert_eq!(status, 421, "{answer}");
    let (status, answer) = first.call("POST", "/v1/devices/join", "", &request);
    assert_eq!(status, 200, "{answer}");
    let join: JoinAnswer = serde_json::from_str(&answer).unwrap();
    let tenant = TenantId(join.tenant);
    let books = PostgresLedger::open(
        &database.url(),
        Holder::fresh(Uuid::now_v7(), "the test".into()),
    )
    .unwrap();
    let cashier = books.policies(tenant).unwrap()[0].staff[0].id;
    let now: Timestamp = SystemClock.now();
    let mut till = Till::joined(key, join, cashier, now);

    let shift = OperationBody::ShiftOpen(ShiftOpen {
        shift: till.shift,
        shift_no: till.number(Prefix::Shift),
        float: vec![(Money::from_yuan(100), 5)],
    });
    let opened = till.sign(shift);
    is_refused_for(second.push(&till, std::slice::from_ref(&opened)), &first);
    is_found_at(&first, &second, till.join.tenant);
    let answer = first.push(&till, std::slice::from_ref(&opened)).unwrap();
    assert_eq!(answer.results[0].outcome, OutcomeDto::Applied);
    let (here, there) = (first.feed(&till), second.feed(&till));
    assert_eq!(here.head, there.head);
    assert_eq!(here.entries.len(), there.entries.len());

    // Killed at once: nothing is given back.
    first.kill();
    let mut cancel = || {
        let order = OrderId(Uuid::now_v7());
        till.sign_action(
            OperationBody::RechargeCancel { order },
            ActionId(Uuid::now_v7()),
        )
    };
    let (cancelled, stopped, resumed, handed) = (cancel(), cancel(), cancel(), cancel());
    let took = second.push_until_taken(&till, &cancelled);
    assert!(took < HAND_OVER_MAX, "{took:?}");
    let again = second.push(&till, std::slice::from_ref(&opened)).unwrap();
    assert_eq!(
        again.results, answer.results,
        "the answer that was given stands"
    );

    // Asleep for longer than its right lasts: it wakes up and writes nothing.
    let third = Process::start(&database);
    second.signal("-STOP");
    third.push_until_taken(&till, &stopped);
    second.signal("-CONT");
    is_refused_for(second.push(&till, std::slice::from_ref(&resumed)), &third);
    is_found_at(&third, &second, till.join.tenant);
    third.push(&till, std::slice::from_ref(&resumed)).unwrap();

    // Told to stop, it gives its right back.
    third.signal("-TERM");
    let took = second.push_until_taken(&till, &handed);
    assert!(took < HAND_OVER_MAX, "{took:?}");
    assert_eq!(
        second.feed(&till).head,
        books.head(tenant).unwrap().server_seq
    );
    let device = qiantai_core::ids::DeviceId(till.join.device);
    let (_, cursor) = books.device(tenant, device).unwrap().unwrap();
    assert_eq!(cursor.last_seq, 5, "everything was taken, once");
}
