//! Running the program as a service: settings and where they come from, probes and figures, a log
//! without secrets, and a stop in the middle of the work.

use std::io::Write;
use std::net::TcpStream;
use std::path::Path;
use std::process::Stdio;
use std::sync::mpsc;

use ed25519_dalek::SigningKey;
use qiantai_core::ids::{DeviceId, OrderId, StaffId, TenantId};
use qiantai_core::operation::OperationBody;
use qiantai_core::{Millis, Timestamp};
use qiantai_server::data_folder;
use qiantai_server::db::Archive;
use qiantai_server::db::postgres::{Holder, PostgresLedger};
use qiantai_server::db::sqlite::SqliteLedger;
use qiantai_server::verify::verify;
use qiantai_server::{Clock, INVITE_VALID, SystemClock};
use qiantai_wire::api::{HealthAnswer, JoinAnswer, JoinRequest, PushAnswer};
use qiantai_wire::text::Hex;
use uuid::Uuid;

use crate::conformance::cluster::TestDatabase;
use crate::process::{Running, ask, enrolled, program};
use crate::till::{Till, push_body};

#[test]
fn settings_say_where_they_come_from() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("server.toml");
    std::fs::write(&file, "listen = \"0.0.0.0:1\"\nlog = \"json\"\n").unwrap();
    let config = |environment: &[(&str, &str)], flags: &[&str]| {
        let mut command = program();
        command.env_clear().arg("config").args(flags);
        command.arg("--config").arg(&file);
        command.envs(environment.iter().copied());
        let ended = command.output().unwrap();
        let said = String::from_utf8_lossy(&ended.stdout).into_owned();
        (
            ended.status.code(),
            said + &String::from_utf8_lossy(&ended.stderr),
        )
    };
    let url = ("QIANTAI_DATABASE_URL", "postgres://u:hunter2@h/n");
    let (code, said) = config(&[url], &[]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("connections must be encrypted"), "{said}");
    let tls = ("QIANTAI_TLS_FOLDER", "/etc/qiantai/tls");
    let (code, said) = config(&[url, tls], &["--stop-patience-s", "7"]);
    assert_eq!(code, Some(0), "{said}");
    let check = |line: &str| assert!(said.contains(line), "{line}: {said}");
    check(&format!(
        "listen = \"0.0.0.0:1\"  # the file {}",
        file.display()
    ));
    check("stop_patience_s = \"7\"  # the flag --stop-patience-s");
    check("database_url = \"(hidden)\"  # the environment variable QIANTAI_DATABASE_URL");
    check("log_filter = \"info\"  # built in");
    check("# data is not set");
    assert!(!said.contains("hunter2"), "{said}");

    let (code, said) = config(&[("QIANTAI_LISTEN", "here")], &[]);
    assert_eq!(code, Some(1), "{said}");
    assert!(
        said.contains("environment variable QIANTAI_LISTEN"),
        "{said}"
    );
    let (code, said) = config(&[("QIANTAI_LOG", "a=b=c")], &[]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("log_filter is"), "{said}");
    std::fs::write(&file, "lisen = \"0.0.0.0:1\"\n").unwrap();
    let (code, said) = config(&[], &[]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("\"lisen\" is not known"), "{said}");
}

#[test]
fn the_settings_file_that_is_shipped_is_taken() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packaging/server.toml");
    let mut command = program();
    command.env_clear().arg("config").arg("--config").arg(file);
    let ended = command.output().unwrap();
    let said = String::from_utf8_lossy(&ended.stdout);
    assert!(ended.status.success(), "{said}");
    assert!(said.contains("data = \"/var/lib/qiantai\""), "{said}");
}

fn made(books: [&str; 2]) {
    let mut init = program();
    init.args(["init", "--sample", "gym", "--members", "5"]);
    assert!(init.args(books).output().unwrap().status.success());
}

fn invited(books: [&str; 2]) -> String {
    enrolled("00101", &books).invite()
}

fn joined(address: &str, invite: &str, seed: u8) -> Till {
    let key = SigningKey::from_bytes(&[seed; 32]);
    let request = JoinRequest {
        invite: invite.to_owned(),
        public_key: Hex(key.verifying_key().to_bytes()),
        name: "前台".into(),
        terminal_code: None,
    };
    let body = serde_json::to_vec(&request).unwrap();
    let (status, said) = ask(address, "POST /v1/devices/join", None, &body).unwrap();
    assert_eq!(status, 200, "{said}");
    let join: JoinAnswer = serde_json::from_str(&said).unwrap();
    let nobody = StaffId(Uuid::nil());
    Till::joined(key, join, nobody, Timestamp::from_ms(1_795_240_800_000))
}

/// Something that the server answers, whatever the books hold.
fn anything() -> OperationBody {
    OperationBody::RechargeCancel {
        order: OrderId(Uuid::now_v7()),
    }
}

/// Before the database is asked for anything.
#[test]
fn a_server_of_several_that_others_cannot_name_does_not_start() {
    let tls = tempfile::tempdir().unwrap();
    let mut command = program();
    command.args(["serve", "--listen", "0.0.0.0:0"]);
    command.args(["--database-url", "postgres://127.0.0.1:1/nowhere"]);
    let refused = command.arg("--tls-folder").arg(tls.path()).output();
    let refused = refused.unwrap();
    assert!(!refused.status.success());
    let said = String::from_utf8_lossy(&refused.stderr);
    assert!(said.contains("so set public_url"), "{said}");
}

#[test]
fn probes_and_figures_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let data = data.to_str().unwrap();
    made(["--data", data]);
    let mut command = program();
    command.args(["--data", data, "--upkeep-listen", "127.0.0.1:0"]);
    let (_server, upkeep, address) = Running::start(command);
    let upkeep = upkeep.unwrap();
    for path in ["/livez", "/readyz", "/writez"] {
        let (status, said) = ask(&upkeep, &format!("GET {path}"), None, &[]).unwrap();
        assert_eq!(status, 200, "{path}: {said}");
    }
    for _ in 0..3 {
        ask(&address, "GET /v1/health", None, &[]).unwrap();
    }
    ask(&address, "GET /v1/feed?timeline=1&after=0", None, &[]).unwrap();
    ask(&address, "GET /nowhere", None, &[]).unwrap();
    let (status, said) = ask(&upkeep, "GET /metrics", None, &[]).unwrap();
    assert_eq!(status, 200);
    let check = |line: &str| assert!(said.contains(line), "{line}:\n{said}");
    check("qiantai_requests_total{method=\"GET\",path=\"/v1/health\",status=\"200\"} 3");
    check("path=\"/v1/feed\",status=\"401\"} 1");
    check("path=\"other\",status=\"404\"} 1");
    check("qiantai_request_seconds_bucket{le=\"0.001\",path=\"/v1/health\"}");
    check("qiantai_ready 1");
    check("qiantai_log_head{tenant=\"");
    check("qiantai_held_operations 0");
    check("# EOF");
    let (status, _) = ask(&address, "GET /metrics", None, &[]).unwrap();
    assert_eq!(status, 404, "terminals are not told");
}

#[test]
fn a_clock_behind_the_books_is_told_and_believed_when_a_person_says_so() {
    let database = TestDatabase::make();
    let url = database.url();
    let books = ["--database-url", url.as_str()];
    made(books);
    let future = 4_070_908_800_000_i64;
    database.execute(&format!(
        "UPDATE operation SET decided_ms = {future}
         WHERE server_seq = (SELECT max(server_seq) FROM operation)"
    ));
    let doctor = program().arg("doctor").args(books).output().unwrap();
    let said = String::from_utf8_lossy(&doctor.stdout);
    assert!(said.contains("started with --believe-clock"), "{said}");
    for (flag, is_ahead) in [(None, true), (Some("--believe-clock"), false)] {
        let mut command = program();
        command.args(books).args(["--upkeep-listen", "127.0.0.1:0"]);
        command.arg("serve").args(flag).stderr(Stdio::null());
        let (_server, upkeep, address) = Running::start(command);
        let upkeep = upkeep.unwrap();
        let (_, health) = ask(&address, "GET /v1/health", None, &[]).unwrap();
        let health: HealthAnswer = serde_json::from_str(&health).unwrap();
        assert_eq!(health.server_time_ms >= future, is_ahead, "{health:?}");
        assert!(health.ready);
        let (_, figures) = ask(&upkeep, "GET /metrics", None, &[]).unwrap();
        let mut lines = figures.lines();
        let line = lines.find(|line| line.starts_with("qiantai_clock_doubted_seconds "));
        let is_doubted = line.unwrap() != "qiantai_clock_doubted_seconds 0";
        assert_eq!(is_doubted, is_ahead, "{line:?}");
    }
}

/// The server judges it, whatever time its books end at.
#[test]
fn a_code_has_the_time_of_the_server_that_runs() {
    let database = TestDatabase::make();
    let url = database.url();
    let books = ["--database-url", url.as_str()];
    made(books);
    let (_server, address) = Running::serve(&books);
    let future = 4_070_908_800_000_i64;
    database.execute(&format!("UPDATE operation SET decided_ms = {future}"));
    let address = format!("http://{address}");
    let code = enrolled("00101", &[books[0], books[1], "--address", &address]);
    let left = code.expires_at - SystemClock.now();
    assert!((Millis(0)..=INVITE_VALID).contains(&left), "{left:?}");
}

#[test]
#[cfg(unix)]
fn the_log_is_for_machines_and_holds_no_secret() {
    let database = TestDatabase::make();
    let url = database.url().replace('@', ":hunter2@");
    let books = ["--database-url", url.as_str()];
    made(books);
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log");
    let mut command = program();
    command.args(books).args(["--log", "json"]);
    command.args(["--log-filter", "trace,tokio_postgres=debug"]);
    command.stderr(Stdio::from(std::fs::File::create(&log).unwrap()));
    let (mut server, _, address) = Running::start(command);
    let invite = invited(books);
    let mut till = joined(&address, &invite, 9);
    let operation = till.sign(anything());
    let body = push_body(std::slice::from_ref(&operation));
    let token = till.join.token.clone();
    let (status, said) = ask(&address, "POST /v1/operations", Some(&token), &body).unwrap();
    assert_eq!(status, 200, "{said}");
    server.terminate();
    assert!(server.0.wait().unwrap().success());
    let written = std::fs::read_to_string(&log).unwrap();
    for line in written.lines() {
        let entry: serde_json::Value = serde_json::from_str(line).unwrap();
        assert!(
            entry["level"].is_string() && entry["timestamp"].is_string(),
            "{line}"
        );
    }
    assert!(written.contains("/v1/operations"), "requests are noted");
    for secret in [invite.as_str(), &token, "hunter2"] {
        assert!(!written.contains(secret), "{secret} is in the log");
    }
}

#[test]
#[cfg(unix)]
fn told_to_stop_it_finishes_or_refuses() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let database = TestDatabase::make();
    let url = database.url();
    for books in [["--data", data.to_str().unwrap()], ["--database-url", &url]] {
        made(books);
        let mut command = program();
        command.args(books).args(["--stop-patience-s", "1"]);
        command.stderr(Stdio::null());
        let (mut server, _, address) = Running::start(command);
        let tills: Vec<Till> = (1..=4)
            .map(|seed| joined(&address, &invited(books), seed))
            .collect();
        // A request of which only half ever comes must not keep the server.
        let mut half = TcpStream::connect(&address).unwrap();
        half.write_all(b"POST /v1/operations HTTP/1.1\r\nhost: x\r\ncontent-length: 999\r\n\r\n{")
            .unwrap();
        let (tell, told) = mpsc::channel();
        let acknowledged: Vec<(DeviceId, TenantId, u64)> = std::thread::scope(|scope| {
            let work = |mut till: Till, tell: mpsc::Sender<()>| {
                let address = address.clone();
                scope.spawn(move || {
                    let mut acked = 0;
                    loop {
                        let operation = till.sign(anything());
                        let body = push_body(std::slice::from_ref(&operation));
                        let token = Some(till.join.token.as_str());
                        match ask(&address, "POST /v1/operations", token, &body) {
                            Ok((200, said)) => {
                                let answer: PushAnswer = serde_json::from_str(&said).unwrap();
                                assert_eq!(answer.acked_seq, till.seq);
                                acked = answer.acked_seq;
                                // Nobody counts any more once enough were taken.
                                let _enough = tell.send(());
                            }
                            Ok((status, said)) => {
                                assert_eq!(status, 503, "{said}");
                                break;
                            }
                            Err(_) => break,
                        }
                    }
                    let join = &till.join;
                    (DeviceId(join.device), TenantId(join.tenant), acked)
                })
            };
            let tills: Vec<_> = tills
                .into_iter()
                .map(|till| work(till, tell.clone()))
                .collect();
            drop(tell);
            for _ in 0..40 {
                told.recv().unwrap();
            }
            server.terminate();
            tills.into_iter().map(|till| till.join().unwrap()).collect()
        });
        assert!(server.0.wait().unwrap().success(), "it ends well");
        let ledger: Box<dyn Archive> = match books[0] {
            "--data" => {
                let key = data_folder::read_key(&data).unwrap();
                let path = data_folder::ledger_path(&data);
                Box::new(SqliteLedger::open(&path, Some(key)).unwrap())
            }
            _ => {
                let holder = Holder::fresh(Uuid::now_v7(), String::new());
                Box::new(PostgresLedger::open(&url, holder).unwrap())
            }
        };
        for (device, tenant, acked) in acknowledged {
            let (_, cursor) = ledger.device(tenant, device).unwrap().unwrap();
            assert!(cursor.last_seq >= acked, "{books:?}: acknowledged and gone");
            // At most the one whose answer was cut.
            assert!(cursor.last_seq <= acked + 1, "{books:?}");
        }
        let tenant = ledger.tenants().unwrap().remove(0);
        verify(ledger.as_ref(), &tenant).unwrap();
    }
}

#[test]
fn whoever_asks_too_much_waits_and_nobody_else() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let books = ["--data", data.to_str().unwrap()];
    made(books);
    let mut command = program();
    command.args(books).args(["--device-requests-per-s", "2"]);
    command.args(["--stranger-requests-per-min", "6"]);
    let (_server, _, address) = Running::start(command);
    let (wild, quiet) = (
        joined(&address, &invited(books), 1),
        joined(&address, &invited(books), 2),
    );
    let feed = |token: &str| {
        ask(
            &address,
            "GET /v1/feed?timeline=1&after=0",
            Some(token),
            &[],
        )
    };
    let answers: Vec<_> = (0..40).map(|_| feed(&wild.join.token).unwrap()).collect();
    let refused: Vec<_> = answers
        .iter()
        .filter(|(status, _)| *status == 429)
        .collect();
    let taken = answers.iter().filter(|(status, _)| *status == 200).count();
    assert_eq!(taken + refused.len(), 40);
    assert!(taken >= 10 && refused.len() > 10, "{taken} were taken");
    let error: qiantai_wire::ApiError = serde_json::from_str(&refused[0].1).unwrap();
    assert!(
        error.retryable && error.params.contains_key("wait_s"),
        "{error:?}"
    );
    assert_eq!(feed(&quiet.join.token).unwrap().0, 200);

    // Two of the six tries of this address were the joining above.
    let strangers: Vec<_> = (0..8).map(|_| feed("nobody's").unwrap().0).collect();
    assert_eq!(strangers, [401, 401, 401, 401, 429, 429, 429, 429]);
    let (status, _) = ask(&address, "POST /v1/devices/join", None, b"{}").unwrap();
    assert_eq!(status, 429);
    assert_eq!(
        feed(&quiet.join.token).unwrap().0,
        200,
        "it shares the address"
    );
}
