//! A PostgreSQL cluster of this test run: made in a temporary folder on a free port when the first
//! test asks for it, and gone with the process, however that ends.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
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

/// Makes the cluster, serves until its standard input ends, and removes everything.
const CARETAKER: &str = r#"
set -e
folder=$(mktemp -d /tmp/qiantai-postgres.XXXXXX)
trap 'rm -rf "$folder"' EXIT
"$1/initdb" --pgdata="$folder/data" --username=keeper --auth=trust --encoding=UTF8 \
    --locale=C --no-sync >"$folder/initdb.log" 2>&1 || { cat "$folder/initdb.log"; exit 1; }
"$1/postgres" -D "$folder/data" -p "$2" -k "$folder" -c listen_addresses=127.0.0.1 \
    -c max_connections=300 -c fsync=off 2>&1 &
server=$!
cat >/dev/null
kill -INT "$server"
wait "$server" || true
"#;

struct Cluster {
    port: u16,
    /// The end of its standard input, which comes with the end of this process, tells it that
    /// nobody needs the cluster any more.
    _caretaker: Mutex<Child>,
}

fn cluster() -> &'static Cluster {
    static CLUSTER: OnceLock<Cluster> = OnceLock::new();
    CLUSTER.get_or_init(|| {
        // Between finding a free port and taking it, another process may take it.
        let started = (0..5).find_map(|_| start(free_port()).ok());
        started.unwrap_or_else(|| match start(free_port()) {
            Ok(cluster) => cluster,
            Err(said) => panic!("the PostgreSQL cluster did not start:\n{said}"),
        })
    })
}

fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

fn start(port: u16) -> Result<Cluster, String> {
    let mut caretaker = caretaker();
    let mut running = caretaker
        .args(["sh", "-c", CARETAKER, "caretaker"])
        .arg(programs())
        .arg(port.to_string())
        .current_dir("/tmp")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(running.stdout.take().unwrap()).lines();
    let mut said = String::new();
    for line in lines.by_ref().map_while(Result::ok) {
        if line.contains("database system is ready to accept connections") {
            // Somebody must listen, or the server stops at a full pipe.
            std::thread::spawn(move || lines.for_each(drop));
            return Ok(Cluster {
                port,
                _caretaker: Mutex::new(running),
            });
        }
        said.push_str(&line);
        said.push('\n');
    }
    running.wait().unwrap();
    Err(said)
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
}

impl TestDatabase {
    pub fn make() -> TestDatabase {
        static MADE: AtomicU32 = AtomicU32::new(0);
        let number = MADE.fetch_add(1, Ordering::Relaxed);
        let name = format!("test_{number}");
        as_keeper("postgres", &format!("CREATE ROLE {name} LOGIN"));
        as_keeper("postgres", &format!("CREATE DATABASE {name} OWNER {name}"));
        TestDatabase { name }
    }

    pub fn url(&self) -> String {
        let (name, port) = (&self.name, cluster().port);
        format!("postgres://{name}@127.0.0.1:{port}/{name}")
    }

    /// Runs statements; each call on a connection of its own.
    pub fn execute(&self, sql: &str) {
        as_keeper(&self.name, sql);
    }

    pub fn query(&self, sql: &str) -> Vec<Row> {
        let (name, sql) = (self.name.clone(), sql.to_owned());
        on_a_connection(&name, move |client| async move {
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
        as_keeper(
            "postgres",
            &format!(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
                 WHERE usename = '{name}'"
            ),
        );
    }

    /// How many connections its user may have; more find none.
    pub fn limit_connections(&self, limit: i32) {
        let name = &self.name;
        as_keeper(
            "postgres",
            &format!("ALTER ROLE {name} CONNECTION LIMIT {limit}"),
        );
    }
}

fn as_keeper(database: &str, sql: &str) {
    let sql = sql.to_owned();
    on_a_connection(database, move |client| async move {
        client.batch_execute(&sql).await.unwrap();
    });
}

/// On a thread of its own: the caller may be on an async runtime, or not.
fn on_a_connection<T: Send + 'static, F: Future<Output = T> + Send>(
    database: &str,
    work: impl FnOnce(tokio_postgres::Client) -> F + Send + 'static,
) -> T {
    let mut config = Config::new();
    config
        .host("127.0.0.1")
        .port(cluster().port)
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
