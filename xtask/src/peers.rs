//! `cargo xtask peers`: independent kits against the simulated gateways, as judges of what our own
//! client sends, and as the gateway of our own client. They live in `target/peers` and are installed there by their own tools; nothing
//! of them is committed.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::child::{self, cargo};
use crate::error::Error;
use crate::{python, say, tree};

/// The key of the training protocol, which no peer speaks.
const TRAINING_KEY: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

/// The scripts, with the program that runs them.
const PEERS: [(&str, Runtime); 7] = [
    ("requests_verified.py", Runtime::Python),
    ("alipay_client.py", Runtime::Python),
    ("wechatpay-axios-plugin.cjs", Runtime::Node),
    ("alipay-sdk.cjs", Runtime::Node),
    ("codes.cjs", Runtime::Node),
    // These put the gateway's clock ahead for their bills, so they come last.
    ("wechatpayv3_client.py", Runtime::Python),
    ("alipay_bill.py", Runtime::Python),
];

/// Those that stand in the gateway's place, with what they are told further. Each has a simulated
/// gateway of its own behind it, whose clock it puts ahead.
const GATEWAYS: [(&str, Runtime, &str); 4] = [
    ("alipay_gateway.py", Runtime::Python, "alipay-keys"),
    ("alipay_gateway.py", Runtime::Python, "alipay-certificates"),
    ("wechat_gateway.py", Runtime::Python, "wechat-certificates"),
    ("wechat-gateway.cjs", Runtime::Node, "wechat-key"),
];

#[derive(Clone, Copy)]
enum Runtime {
    Python,
    Node,
}

/// Installs the kits, starts the gateways, lets every peer do its part, and counts what it showed.
///
/// # Errors
/// Where something cannot be built, installed or started, or a peer shows what must not be.
pub fn peers() -> Result<(), Error> {
    let place = tree::root().join("target/peers");
    fs::create_dir_all(&place).map_err(|source| Error::file(&place, source))?;
    say::line("Building the gateways and our own client");
    let build = [
        "build",
        "--package",
        "qiantai-paysim",
        "--package",
        "qiantai-server",
        "--package",
        "qiantai-pay",
        "--bins",
        "--examples",
    ];
    child::run("peers build", &mut cargo(&build))?;
    let python = python::install(&place.join("python"), "peers/requirements.txt")?;
    install_node(&place)?;
    let accounts = place.join("accounts");
    let gateway = Gateway::start(&place, &accounts)?;
    let requests = our_requests(&place, &accounts)?;
    let mut shown = 0;
    for (script, runtime) in PEERS {
        let mut command = runtime.command(&place, &python, script);
        command.arg(&gateway.base_url).arg(&accounts).arg(&requests);
        shown += steps(script, &mut command)?;
    }
    let (server, judge) = (
        tree::built("debug", "qiantai-server")?,
        tree::built("debug/examples", "peer_notices")?,
    );
    for (script, runtime, account) in GATEWAYS {
        let accounts = place.join(format!("accounts-of-{account}"));
        let book = Gateway::start(&place, &accounts)?;
        let mut command = runtime.command(&place, &python, script);
        command.arg(&book.base_url).arg(&accounts).arg(&requests);
        command.arg(&server).arg(&judge).arg(account);
        shown += steps(&format!("{script} {account}"), &mut command)?;
    }
    say::line(format_args!("{shown} steps shown by independent kits"));
    Ok(())
}

/// Lets a peer do its part; how many steps it showed.
fn steps(name: &str, command: &mut Command) -> Result<usize, Error> {
    let output = child::run(&format!("peer {name}"), command)?;
    let steps = output.iter().filter(|line| line.starts_with("ok ")).count();
    say::line(format_args!("  {steps:>3} shown by {name}"));
    Ok(steps)
}

impl Runtime {
    fn command(self, place: &Path, python: &Path, script: &str) -> Command {
        let script = tree::root().join("peers").join(script);
        let mut command = match self {
            Runtime::Python => Command::new(python),
            Runtime::Node => Command::new("node"),
        };
        command
            .arg(script)
            .env("NODE_PATH", place.join("node/node_modules"))
            .env("PYTHONDONTWRITEBYTECODE", "1")
            // Both gateways write Beijing time without saying so.
            .env("TZ", "Asia/Shanghai");
        command
    }
}

/// Without a lock file: it would hold the addresses of a registry.
fn install_node(place: &Path) -> Result<(), Error> {
    let folder = place.join("node");
    fs::create_dir_all(&folder).map_err(|source| Error::file(&folder, source))?;
    let list = tree::root().join("peers/packages.txt");
    let packages = fs::read_to_string(&list).map_err(|source| Error::file(&list, source))?;
    let is_there = packages
        .lines()
        .all(|package| is_installed(&folder, package));
    if is_there {
        return Ok(());
    }
    let mut install = Command::new(if cfg!(windows) { "npm.cmd" } else { "npm" });
    install
        .args([
            "install",
            "--no-save",
            "--no-package-lock",
            "--no-audit",
            "--no-fund",
        ])
        .args(packages.lines())
        .current_dir(&folder);
    child::run("peers npm", &mut install).map(drop)
}

/// True when `name@version` lies there.
fn is_installed(folder: &Path, package: &str) -> bool {
    let Some((name, version)) = package.rsplit_once('@') else {
        return false;
    };
    let manifest = folder.join("node_modules").join(name).join("package.json");
    let text = fs::read_to_string(manifest).unwrap_or_default();
    let manifest: Result<serde_json::Value, _> = serde_json::from_str(&text);
    manifest.is_ok_and(|manifest| manifest["version"] == version)
}

fn our_requests(place: &Path, accounts: &Path) -> Result<PathBuf, Error> {
    let mut print = cargo(&[
        "run",
        "--quiet",
        "--package",
        "qiantai-pay",
        "--example",
        "peer_requests",
        "--",
    ]);
    print.arg(accounts);
    let lines = child::run("peers requests", &mut print)?;
    let requests: Vec<&str> = lines
        .iter()
        .map(String::as_str)
        .filter(|line| line.starts_with('{'))
        .collect();
    let path = place.join("requests.jsonl");
    fs::write(&path, requests.join("\n")).map_err(|source| Error::file(&path, source))?;
    Ok(path)
}

/// The simulated gateways as a process, ended on drop.
struct Gateway {
    child: Child,
    base_url: String,
}

impl Gateway {
    fn start(place: &Path, accounts: &Path) -> Result<Gateway, Error> {
        let key = place.join("training.key");
        fs::write(&key, TRAINING_KEY).map_err(|source| Error::file(&key, source))?;
        let program = tree::built("debug", "qiantai-paysim")?;
        let mut child = Command::new(&program)
            .args(["--listen", "127.0.0.1:0", "--key-file"])
            .arg(&key)
            .arg("--accounts")
            .arg(accounts)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|source| Error::Start {
                program: program.display().to_string(),
                source,
            })?;
        let stdout = child.stdout.take().expect("standard output is piped");
        let mut base_url = String::new();
        let read = BufReader::new(stdout).read_line(&mut base_url);
        let gateway = Gateway {
            child,
            base_url: base_url.trim().to_owned(),
        };
        match read {
            Ok(_) if gateway.base_url.starts_with("http://") => Ok(gateway),
            Ok(_) => Err(Error::unreadable("qiantai-paysim", "it told no address")),
            Err(source) => Err(Error::file(&program, source)),
        }
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
