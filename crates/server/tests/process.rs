//! The program itself, on a real socket.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

use qiantai_wire::enrol::EnrolCode;

/// Ends the process with the test.
pub struct Running(pub Child);

impl Drop for Running {
    fn drop(&mut self) {
        if self.0.try_wait().is_ok_and(|status| status.is_none()) {
            self.0.kill().expect("a running child can be killed");
            self.0.wait().expect("a killed child can be waited for");
        }
    }
}

pub const PROGRAM: &str = env!("CARGO_BIN_EXE_qiantai-server");

pub fn program() -> Command {
    Command::new(PROGRAM)
}

impl Running {
    /// Serves with these arguments on a free port; the process and its address.
    pub fn serve(arguments: &[&str]) -> (Running, String) {
        let mut command = program();
        command.args(arguments).stderr(Stdio::null());
        let (server, _, address) = Running::start(command);
        (server, address)
    }

    /// Serves at an address with these arguments; the process and its address.
    pub fn serve_at(listen: &str, arguments: &[&str]) -> (Running, String) {
        let mut command = program();
        command.args(arguments).stderr(Stdio::null());
        let (server, _, address) = Running::start_at(listen, command);
        (server, address)
    }

    /// Serves by `command` on a free port; the process, the address of its upkeep, and its own.
    pub fn start(command: Command) -> (Running, Option<String>, String) {
        Running::start_at("127.0.0.1:0", command)
    }

    fn start_at(listen: &str, mut command: Command) -> (Running, Option<String>, String) {
        if command.get_args().all(|argument| argument != "serve") {
            command.arg("serve");
        }
        command.args(["--listen", listen]).stdout(Stdio::piped());
        let mut server = Running(command.spawn().unwrap());
        let lines = BufReader::new(server.0.stdout.take().unwrap()).lines();
        let mut upkeep = None;
        for line in lines.map_while(Result::ok) {
            if let Some(address) = line.strip_prefix("upkeep on http://") {
                upkeep = Some(address.to_owned());
            }
            if let Some(url) = line.strip_prefix("listening on ") {
                let address = url.trim_start_matches("http://");
                let address = address.trim_start_matches("https://");
                return (server, upkeep, address.to_owned());
            }
        }
        panic!("the server did not start");
    }

    /// Tells it to stop, and waits until it has.
    pub fn end(mut self) {
        #[cfg(unix)]
        self.terminate();
        #[cfg(not(unix))]
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }

    /// Tells it to stop, as the service manager does.
    #[cfg(unix)]
    pub fn terminate(&self) {
        let pid = self.0.id().to_string();
        let told = Command::new("kill").args(["-TERM", &pid]).status().unwrap();
        assert!(told.success());
    }
}

/// The code that `enrol` makes for a terminal of the store.
pub fn enrolled(store: &str, arguments: &[&str]) -> EnrolCode {
    let mut enrol = program();
    enrol.args(["enrol", "--store", store]).args(arguments);
    let made = enrol.output().unwrap();
    let said = String::from_utf8(made.stdout).unwrap();
    assert!(
        made.status.success(),
        "{}",
        String::from_utf8_lossy(&made.stderr)
    );
    said.lines().next().unwrap().parse().unwrap()
}

/// One request on a connection of its own; status and body, or why there is no whole answer.
pub fn ask(
    address: &str,
    call: &str,
    token: Option<&str>,
    body: &[u8],
) -> std::io::Result<(u16, String)> {
    let mut connection = TcpStream::connect(address)?;
    let token = token.map_or(String::new(), |token| {
        format!("authorization: Bearer {token}\r\n")
    });
    let head = format!(
        "{call} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {}\r\n{token}\r\n",
        body.len()
    );
    connection.write_all(head.as_bytes())?;
    connection.write_all(body)?;
    let mut answer = String::new();
    connection.read_to_string(&mut answer)?;
    let cut = || std::io::Error::from(std::io::ErrorKind::UnexpectedEof);
    let (head, body) = answer.split_once("\r\n\r\n").ok_or_else(cut)?;
    let status = head
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok());
    Ok((status.ok_or_else(cut)?, body.to_owned()))
}

#[test]
fn init_enrol_serve_and_stop() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let init = || {
        program()
            .arg("init")
            .arg("--data")
            .arg(&data)
            .args(["--sample", "gym"])
            .args(["--members", "5"])
            .output()
            .unwrap()
    };
    let made = init();
    assert!(
        made.status.success(),
        "{}",
        String::from_utf8_lossy(&made.stderr)
    );
    assert_eq!(
        String::from_utf8_lossy(&made.stdout),
        "00101 动力健身·徐汇店 members=5\n"
    );
    let again = init();
    assert!(!again.status.success(), "a ledger is never overwritten");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(data.join("ledger.key"))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    let code = enrolled("00101", &["--data", data.to_str().unwrap()]);
    assert_eq!(code.server, "http://127.0.0.1:7810");
    assert_eq!(code.authority, None);

    let mut server = Running(
        program()
            .arg("serve")
            .arg("--data")
            .arg(&data)
            .args(["--listen", "127.0.0.1:0"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap(),
    );
    let mut line = String::new();
    BufReader::new(server.0.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    let address = line.trim().strip_prefix("listening on http://").unwrap();
    let mut connection = TcpStream::connect(address).unwrap();
    connection
        .write_all(b"GET /v1/health HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
        .unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(answer.contains("\"ready\":true"), "{answer}");
    #[cfg(unix)]
    {
        let pid = server.0.id().to_string();
        assert!(
            Command::new("kill")
                .args(["-TERM", &pid])
                .status()
                .unwrap()
                .success()
        );
        assert!(
            server.0.wait().unwrap().success(),
            "it ends by itself and well"
        );
    }
}

#[test]
fn a_folder_that_is_served_is_not_served_again() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let start = |arguments: &[&str]| {
        let mut command = program();
        command.args(arguments).arg("--data").arg(&data);
        command
    };
    let run = |arguments: &[&str]| start(arguments).output().unwrap();
    let serve = ["serve", "--listen", "127.0.0.1:0"];
    let made = run(&["init", "--sample", "gym", "--members", "5"]);
    assert!(made.status.success());
    let mut first = Running(
        start(&serve)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap(),
    );
    let mut line = String::new();
    BufReader::new(first.0.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    assert!(line.starts_with("listening"), "{line}");

    for refused in [&serve[..], &["init"]] {
        let ended = run(refused);
        let said = String::from_utf8_lossy(&ended.stderr);
        assert!(!ended.status.success(), "{refused:?}");
        assert!(said.contains("another process works in"), "{said}");
        assert!(ended.stdout.is_empty(), "it listened");
    }
    let invited = run(&["enrol"]);
    assert!(invited.status.success(), "an invitation needs no stop");

    // Killed, it gives the folder back all the same.
    first.0.kill().unwrap();
    first.0.wait().unwrap();
    let ended = run(&["init"]);
    let said = String::from_utf8_lossy(&ended.stderr);
    assert!(said.contains("holds a ledger already"), "{said}");
}

#[test]
fn a_lost_key_is_named_and_nothing_is_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    assert!(
        program()
            .arg("init")
            .arg("--data")
            .arg(&data)
            .status()
            .unwrap()
            .success()
    );
    let ledger = std::fs::read(data.join("ledger.db")).unwrap();
    std::fs::write(data.join("ledger.key"), "00".repeat(32)).unwrap();
    let wrong = program()
        .arg("serve")
        .arg("--data")
        .arg(&data)
        .output()
        .unwrap();
    assert!(!wrong.status.success());
    assert!(String::from_utf8_lossy(&wrong.stderr).contains("key"));
    std::fs::remove_file(data.join("ledger.key")).unwrap();
    let lost = program()
        .arg("serve")
        .arg("--data")
        .arg(&data)
        .output()
        .unwrap();
    assert!(!lost.status.success());
    assert!(
        std::fs::read(data.join("ledger.db")).unwrap() == ledger,
        "the ledger was touched"
    );
}

/// A newer program must not change the tables under a server of the version before.
#[test]
fn an_invitation_never_migrates() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let run = |arguments: &[&str]| {
        let mut command = program();
        command.args(arguments).arg("--data").arg(&data);
        command.output().unwrap()
    };
    let made = run(&["init", "--sample", "gym", "--members", "5"]);
    assert!(made.status.success());
    let history = |change: &str| {
        let key = std::fs::read_to_string(data.join("ledger.key")).unwrap();
        let books = rusqlite::Connection::open(data.join("ledger.db")).unwrap();
        let change = format!("PRAGMA key = \"x'{}'\"; {change}", key.trim());
        books.execute_batch(&change).unwrap();
        let count = "SELECT count(*) FROM migration";
        let count = books.query_row(count, [], |row| row.get::<_, i64>(0));
        count.unwrap()
    };
    let known = history("");
    let last = "(SELECT max(number) FROM migration)";
    let before = history(&format!("DELETE FROM migration WHERE number = {last}"));
    assert_eq!(before, known - 1);
    let refused = run(&["enrol", "--store", "00101"]);
    let said = String::from_utf8_lossy(&refused.stderr);
    assert!(!refused.status.success(), "{said}");
    assert!(
        said.contains("brings it up to date when it starts"),
        "{said}"
    );
    assert!(refused.stdout.is_empty(), "no invitation");
    assert_eq!(history(""), before, "nothing was applied");
}
