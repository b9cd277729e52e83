//! A PostgreSQL cluster of this test run: made in a temporary folder on a free port when the first
//! test asks for it, and gone with the process, however that ends.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{self, Receiver};
use std::sync::{Mutex, OnceLock};

use tokio_postgres::{Config, NoTls, Row};

/// Where distributions keep the programs, newest first.
const KNOWN_FOLDERS: [&str; 8] = [
    "/usr/lib/postgresql/18/bin",
    "/usr/lib/postgresql/17/bin",
    "/usr/lib/postgresql/16/bin",
    "/usr/lib/postgresql/15/bin",
    "/usr/pgsql-16/bin",
    "/usr/pgsql-15/bin",
    "/opt/homebrew/opt/postgresql@15/bin",
    "/usr/local/pgsql/bin",
];

/// Makes the cluster, serves until its standard input ends, and removes everything. Told `crash`,
/// the server ends without a word to anybody and recovers when it is told to `start`. With a third
/// word, the folder of a certificate and its key, connections may be encrypted.
const CARETAKER: &str = r#"
set -e
folder=$(mktemp -d /tmp/qiantai-postgres.XXXXXX)
trap 'rm -rf "$folder"' EXIT
tls=
if [ -n "$3" ]; then
    cp "$3/cert.pem" "$3/key.pem" "$folder"
    chmod 600 "$folder/key.pem"
    tls="-c ssl=on -c ssl_cert_file=$folder/cert.pem -c ssl_key_file=$folder/key.pem"
fi
"$1/initdb" --pgdata="$folder/data" --username=keeper --auth=trust --encoding=UTF8 \
    --locale=C --no-sync >"$folder/initdb.log" 2>&1 || { cat "$folder/initdb.log"; exit 1; }
serve() {
    "$1/postgres" -D "$folder/data" -p "$2" -k "$folder" -c listen_addresses=127.0.0.1 \
        -c max_connections=300 -c fsync=off $tls 2>&1 &
    server=$!
}
serve "$1" "$2"
while read -r word; do
    case "$word" in
    crash) kill -QUIT "$server"; wait "$server" || true; echo "the server has crashed" ;;
    start) serve "$1" "$2" ;;
    esac
done
kill -INT "$server" 2>/dev/null || true
wait "$server" || true
"#;

const READY: &str = "database system is ready to accept connections";

/// A cluster of a test's own, which may die.
pub struct OwnCluster {
    pub port: u16,
    /// The end of its standard input, which comes with the end of this process, tells it that
    /// nobody needs the cluster any more.
    caretaker: Child,
    lines: Receiver<String>,
}

impl OwnCluster {
    /// `tls` is a folder with `cert.pem` and `key.pem`, which anybody may read then.
    pub fn start(tls: Option<&Path>) -> OwnCluster {
        // Between finding a free port and taking it, another process may take it.
        let started = (0..5).find_map(|_| start(free_port(), tls).ok());
        started.unwrap_or_else(|| match start(free_port(), tls) {
            Ok(cluster) => cluster,
            Err(said) => panic!("the PostgreSQL cluster did not start:\n{said}"),
        })
    }

    /// Ends the server at once, in the middle of whatever it does.
    pub fn crash(mut self) -> OwnCluster {
        self.tell("crash", "the server has crashed");
        self
    }

    /// Starts it again; it recovers first.
    pub fn start_again(mut self) -> OwnCluster {
        self.tell("start", READY);
        self
    }

    fn tell(&mut self, word: &str, until: &str) {
        let ears = self.caretaker.stdin.as_mut().unwrap();
        writeln!(ears, "{word}").unwrap();
        ears.flush().unwrap();
        let heard = self.lines.iter().any(|line| line.contains(until));
        assert!(heard, "the caretaker of the cluster is gone");
    }
}

impl Drop for OwnCluster {
    fn drop(&mut self) {
        drop(self.caretaker.stdin.take());
        self.caretaker.wait().unwrap();
    }
}

/// The port of the cluster that all tests share.
fn shared_port() -> u16 {
    static CLUSTER: OnceLock<(u16, Mutex<OwnCluster>)> = OnceLock::new();
    let shared = CLUSTER.get_or_init(|| {
        let cluster = OwnCluster::start(None);
        (cluster.port, Mutex::new(cluster))
    });
    shared.0
}

fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

fn start(port: u16, tls: Option<&Path>) -> Result<OwnCluster, String> {
    if let Some(folder) = tls {
        open_to_all(folder);
    }
    let mut caretaker = caretaker();
    let mut running = caretaker
        .args(["sh", "-c", CARETAKER, "caretaker"])
        .arg(programs())
        .arg(port.to_string())
        .arg(tls.unwrap_or(Path::new("")))
        .current_dir("/tmp")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    // Somebody must always listen, or the server stops at a full pipe.
    let output = BufReader::new(running.stdout.take().unwrap()).lines();
    let (heard, lines) = mpsc::channel();
    std::thread::spawn(move || {
        for line in output.map_while(Result::ok) {
            // Nobody asks any more once the test is over.
            drop(heard.send(line));
        }
    });
    let mut said = String::new();
    for line in &lines {
        if line.contains(READY) {
            return Ok(OwnCluster {
                port,
                caretaker: running,
                lines,
            });
        }
        said.push_str(&line);
        said.push('\n');
    }
    running.wait().unwrap();
    Err(said)
}

/// The cluster may run as another user. These are no secrets.
fn open_to_all(folder: &Path) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        for (path, mode) in [
            (folder.to_owned(), 0o755),
            (folder.join("cert.pem"), 0o644),
            (folder.join("key.pem"), 0o644),
        ] {
            let permissions = std::fs::Permissions::from_mode(mode);
            std::fs::set_permissions(path, permissions).unwrap();
        }
    }
}

/// PostgreSQL refuses to run as root; its packages bring a user for it.
fn caretaker() -> Command {
    let id = Command::new("id").arg("-u").output().unwrap();
    if id.stdout.trim_ascii() == b"0" {
        let mut command = Command::new("runuser");
        command.args(["-u", "postgres", "--"]);
        command
    } else {
        Command::new("env")
    }
}

fn programs() -> PathBuf {
    let said = Command::new("pg_config").arg("--bindir").output();
    let said = said.ok().filter(|output| output.status.success());
    let said = said.map(|output| PathBuf::from(String::from_utf8(output.stdout).unwrap().trim()));
    let known = KNOWN_FOLDERS.iter().map(PathBuf::from);
    said.into_iter()
        .chain(known)
        .find(|folder| folder.join("initdb").exists())
        .expect("PostgreSQL 15 or newer is installed (Debian: apt install postgresql)")
}

/// A database of its own for one test, owned by a user without other rights.
pub struct TestDatabase {
    name: String,
    port: u16,
}

impl TestDatabase {
    pub fn make() -> TestDatabase {
        TestDatabase::make_in(shared_port())
    }

    /// One that is there already; its keeper is its user.
    pub fn existing(name: &str, port: u16) -> TestDatabase {
        let name = name.to_owned();
        TestDatabase { name, port }
    }

    /// In the cluster at this port.
    pub fn make_in(port: u16) -> TestDatabase {
        static MADE: AtomicU32 = AtomicU32::new(0);
        let number = MADE.fetch_add(1, Ordering::Relaxed);
        let name = format!("test_{number}");
        let keeper = TestDatabase::existing("postgres", port);
        keeper.execute(&format!("CREATE ROLE {name} LOGIN"));
        keeper.execute(&format!("CREATE DATABASE {name} OWNER {name}"));
        TestDatabase { name, port }
    }

    pub fn url(&self) -> String {
        let (name, port) = (&self.name, self.port);
        format!("postgres://{name}@127.0.0.1:{port}/{name}")
    }

    /// Runs statements; each call on a connection of its own.
    pub fn execute(&self, sql: &str) {
        let sql = sql.to_owned();
        on_a_connection(&self.name, self.port, move |client| async move {
            client.batch_execute(&sql).await.unwrap();
        });
    }

    /// The same in the name of the user whose database it is.
    pub fn execute_as_its_owner(&self, sql: &str) {
        self.execute(&format!("SET ROLE {}; {sql}", self.name));
    }

    pub fn query(&self, sql: &str) -> Vec<Row> {
        let sql = sql.to_owned();
        on_a_connection(&self.name, self.port, move |client| async move {
            client.query(&sql, &[]).await.unwrap()
        })
    }

    pub fn number(&self, sql: &str) -> i64 {
        self.query(sql)[0].get(0)
    }

    /// Cuts every connection and lets nobody in until [`TestDatabase::let_in`].
    pub fn shut_out(&self) {
        self.limit_connections(0);
        self.cut();
    }

    pub fn let_in(&self) {
        self.limit_connections(-1);
    }

    /// Cuts every connection, as a restart does.
    pub fn cut(&self) {
        let name = &self.name;
        self.keeper().execute(&format!(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
             WHERE usename = '{name}'"
        ));
    }

    /// How many connections its user may have; more find none.
    pub fn limit_connections(&self, limit: i32) {
        let name = &self.name;
        self.keeper()
            .execute(&format!("ALTER ROLE {name} CONNECTION LIMIT {limit}"));
    }

    fn keeper(&self) -> TestDatabase {
        TestDatabase::existing("postgres", self.port)
    }
}

/// On a thread of its own: the caller may be on an async runtime, or not.
fn on_a_connection<T: Send + 'static, F: Future<Output = T> + Send>(
    database: &str,
    port: u16,
    work: impl FnOnce(tokio_postgres::Client) -> F + Send + 'static,
) -> T {
    let mut config = Config::new();
    config
        .host("127.0.0.1")
        .port(port)
        .user("keeper")
        .dbname(database);
    let thread = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async move {
            let (client, connection) = config.connect(NoTls).await.unwrap();
            let served = tokio::spawn(connection);
            let answer = work(client).await;
            served.await.unwrap().unwrap();
            answer
        })
    });
    thread.join().unwrap()
}
