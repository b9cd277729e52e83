//! A PostgreSQL cluster of this run: made in a folder on a disk, served on a free port, durable as a
//! shop's own, and gone with the process, however that ends.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;

use crate::Outcome;

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

/// Makes the cluster, serves until its standard input ends, and removes everything. Commits wait for
/// the disk, as they do where nobody asks for less; checkpoints come so rarely that they fall into
/// the rounds of neither side. Not in `/tmp`, which may be memory.
const CARETAKER: &str = r#"
set -e
folder=$(mktemp -d /var/tmp/qiantai-bench.XXXXXX)
trap 'rm -rf "$folder"' EXIT
"$1/initdb" --pgdata="$folder/data" --username=keeper --auth=trust --encoding=UTF8 \
    --locale=C >"$folder/initdb.log" 2>&1 || { cat "$folder/initdb.log"; exit 1; }
"$1/postgres" -D "$folder/data" -p "$2" -k "$folder" -c listen_addresses=127.0.0.1 \
    -c shared_buffers="$3MB" -c max_wal_size=8GB -c checkpoint_timeout=30min 2>&1 &
server=$!
cat >/dev/null
kill -INT "$server" 2>/dev/null || true
wait "$server" || true
"#;

const READY: &str = "database system is ready to accept connections";
const FAILED: &str = "FATAL:";
/// The database of `pgbench`.
const PGBENCH: &str = "pgbench";
/// Clients of `pgbench`.
const CLIENTS: &str = "8";

/// A running cluster. Its keeper may do everything in it, without a password.
pub struct Cluster {
    programs: PathBuf,
    port: String,
    /// The end of its standard input, which comes with the end of this process, tells it that
    /// nobody needs the cluster any more.
    caretaker: Child,
}

impl Cluster {
    /// Makes one with so much memory for its buffers.
    pub fn start(buffers_mib: u32) -> Outcome<Cluster> {
        let programs = programs()?;
        // Another process may take the port between finding it free and taking it.
        let started = (0..5).find_map(|_| Cluster::start_at(&programs, buffers_mib).ok());
        match started {
            Some(cluster) => Ok(cluster),
            None => Cluster::start_at(&programs, buffers_mib),
        }
    }

    fn start_at(programs: &Path, buffers_mib: u32) -> Outcome<Cluster> {
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let mut caretaker = as_no_root()?
            .args(["sh", "-c", CARETAKER, "caretaker"])
            .arg(programs)
            .args([port.to_string(), buffers_mib.to_string()])
            .current_dir("/tmp")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let output = caretaker.stdout.take().ok_or("the cluster has no output")?;
        // Whatever happens from here on, the caretaker is told to end.
        let cluster = Cluster {
            programs: programs.to_owned(),
            port: port.to_string(),
            caretaker,
        };
        let (heard, lines) = mpsc::channel();
        // Somebody must always listen, or the server stops at a full pipe.
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                // Nobody asks any more once it serves.
                drop(heard.send(line));
            }
        });
        let mut said = String::new();
        for line in lines {
            if line.contains(READY) {
                return Ok(cluster);
            }
            said.push_str(&line);
            said.push('\n');
            if line.contains(FAILED) {
                break;
            }
        }
        Err(format!("the PostgreSQL cluster did not start:\n{said}").into())
    }

    /// Makes an empty database and gives its address.
    pub fn database(&self, name: &str) -> Outcome<String> {
        self.run("createdb", &[name])?;
        Ok(format!("postgres://keeper@127.0.0.1:{}/{name}", self.port))
    }

    /// Makes the tables of `pgbench`: a hundred thousand accounts for each unit of `scale`.
    pub fn prepare_pgbench(&self, scale: u32) -> Outcome<()> {
        self.database(PGBENCH)?;
        let scale = scale.to_string();
        self.run("pgbench", &["-i", "-q", "-s", &scale, PGBENCH])
            .map(drop)
    }

    /// Transactions of TPC-B in a second, as `pgbench` counts them, prepared, by eight clients.
    pub fn pgbench(&self, seconds: u32) -> Outcome<u64> {
        let seconds = seconds.to_string();
        let told = self.run(
            "pgbench",
            &[
                "-M", "prepared", "-c", CLIENTS, "-j", "2", "-n", "-T", &seconds, PGBENCH,
            ],
        )?;
        per_second(&told).ok_or_else(|| format!("pgbench counts nothing:\n{told}").into())
    }

    fn run(&self, program: &str, arguments: &[&str]) -> Outcome<String> {
        let output = Command::new(self.programs.join(program))
            .args(["-h", "127.0.0.1", "-p", &self.port, "-U", "keeper"])
            .args(arguments)
            .stdin(Stdio::null())
            .output()?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            return Err(format!("{program} failed:\n{said}").into());
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        drop(self.caretaker.stdin.take());
        // It removes its folder before it ends; one that has ended already left nothing.
        let _gone = self.caretaker.wait();
    }
}

/// PostgreSQL refuses to run as root; its packages bring a user for it.
fn as_no_root() -> Outcome<Command> {
    let id = Command::new("id").arg("-u").output()?;
    Ok(if id.stdout.trim_ascii() == b"0" {
        let mut command = Command::new("runuser");
        command.args(["-u", "postgres", "--"]);
        command
    } else {
        Command::new("env")
    })
}

fn programs() -> Outcome<PathBuf> {
    let said = Command::new("pg_config").arg("--bindir").output();
    let said = said.ok().filter(|output| output.status.success());
    let said = said.and_then(|output| String::from_utf8(output.stdout).ok());
    let known = KNOWN_FOLDERS.iter().map(PathBuf::from);
    let found = said
        .map(|folder| PathBuf::from(folder.trim()))
        .into_iter()
        .chain(known)
        .find(|folder| folder.join("initdb").exists() && folder.join("pgbench").exists());
    found.ok_or_else(|| "install PostgreSQL 15 or newer (Debian: apt install postgresql)".into())
}

/// The whole part of `tps = 1234.567 (without initial connection time)`.
fn per_second(told: &str) -> Option<u64> {
    let line = told.lines().find_map(|line| line.strip_prefix("tps = "))?;
    line.split(['.', ' ']).next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pgbench_says_how_fast_it_was() {
        let told = "latency average = 1.7 ms\n\
                    tps = 4712.903144 (without initial connection time)\n";
        assert_eq!(per_second(told), Some(4_712));
        assert_eq!(per_second("tps = fast"), None);
        assert_eq!(per_second(""), None);
    }
}
