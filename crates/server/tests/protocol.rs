//! The document suffices: a terminal that was written from `docs/protocol.md` in another language
//! works through a day with the program itself, on encrypted connections, with a training gateway
//! and a backup that is restored under it.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use qiantai_pay::channels::training::message::WalletName;
use qiantai_pay::{SharedKey, Surroundings, SystemSurroundings};
use qiantai_paysim::gateway::{Merchant, PhoneAction};
use qiantai_paysim::{Gateway, Simulator, serve};
use tempfile::TempDir;

use crate::process::{Running, program};

/// Debian's own, which has the packages that `cargo xtask test` installs.
const SYSTEM_PYTHON: &str = "/usr/bin/python3";
const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/protocol/day.py");
const MERCHANT: &str = "1900000001";
/// Fewer steps would mean that the script left something out.
const STEPS_MIN: usize = 45;

#[tokio::test(flavor = "multi_thread")]
async fn a_terminal_in_another_language_works_a_day() {
    let secret = "07".repeat(SharedKey::BYTES_MIN);
    let (simulator, gateway) = training(&secret).await;
    let day = tokio::task::spawn_blocking(move || {
        let mut shop = Shop::open(simulator, gateway, &secret);
        let shown = shop.day();
        shop.end();
        shown
    });
    let shown = day.await.unwrap();
    let steps = shown.iter().filter(|line| line.starts_with("ok ")).count();
    assert!(steps >= STEPS_MIN, "{steps} steps: {shown:#?}");
    assert_eq!(shown.last(), Some(&format!("{steps} shown")));
}

/// A server as a process, and the others whom the terminal meets.
struct Shop {
    folder: TempDir,
    simulator: Simulator,
    gateway: String,
    address: String,
    server: Option<Running>,
}

impl Shop {
    fn open(simulator: Simulator, gateway: String, secret: &str) -> Shop {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("training.key"), secret).unwrap();
        let mut shop = Shop {
            folder,
            simulator,
            gateway,
            address: "127.0.0.1:0".to_owned(),
            server: None,
        };
        shop.run(&["init", "--sample", "gym", "--members", "20"]);
        shop.serve();
        shop
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }

    /// Serves at the address of before, if there was one.
    fn serve(&mut self) {
        let (data, key) = (self.path("data"), self.path("training.key"));
        let arguments = [
            ["--data", &data],
            ["--plain-http", "never"],
            ["--training-gateway", &self.gateway],
            ["--training-key-file", &key],
            ["--training-merchant", MERCHANT],
        ];
        let (server, address) = Running::serve_at(&self.address, arguments.as_flattened());
        self.address = address;
        self.server = Some(server);
    }

    fn stop(&mut self) {
        self.server.take().unwrap().end();
    }

    /// What a command on the books printed; it must end well.
    fn run(&self, arguments: &[&str]) -> String {
        let mut command = program();
        command.args(arguments).args(["--data", &self.path("data")]);
        let ended = command.args(["--plain-http", "never"]).output().unwrap();
        let log = String::from_utf8_lossy(&ended.stderr);
        assert!(ended.status.success(), "{arguments:?}: {log}");
        String::from_utf8(ended.stdout).unwrap()
    }

    /// What the terminal saw.
    fn day(&mut self) -> Vec<String> {
        let address = format!("https://{}", self.address);
        let code = self.run(&["enrol", "--address", &address]);
        let python = match Path::new(SYSTEM_PYTHON).exists() {
            true => SYSTEM_PYTHON,
            false => "python3",
        };
        let mut command = Command::new(python);
        command
            .args([SCRIPT, code.lines().next().unwrap(), "together"])
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .env("PYTHONIOENCODING", "utf-8")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        let mut terminal = Running(command.spawn().unwrap());
        let mut hand = terminal.0.stdin.take().unwrap();
        let lines = BufReader::new(terminal.0.stdout.take().unwrap()).lines();
        let mut shown = Vec::new();
        for line in lines.map_while(Result::ok) {
            match self.answer(&line) {
                Some(answer) => writeln!(hand, "{answer}").unwrap(),
                None => shown.push(line),
            }
        }
        let ended = terminal.0.wait().unwrap();
        assert!(
            ended.success(),
            "the terminal says on standard error what is not as the document says; it needs Python \
             with cbor2 and cryptography (python3-cbor2, python3-cryptography). Until then: \
             {shown:#?}"
        );
        shown
    }

    /// What the others do at the terminal's word.
    fn answer(&mut self, asked: &str) -> Option<String> {
        let backup = self.path("backup");
        match asked {
            "customer shows" => Some(
                self.simulator
                    .with(|gateway, now| gateway.show_code(WalletName::Wechat, false, now))
                    .digits,
            ),
            "server is backed up" => {
                self.run(&["backup", "--to", &backup]);
                Some("backed up".to_owned())
            }
            "server is restored" => {
                self.stop();
                self.run(&["restore", "--from", &backup, "--replace"]);
                self.serve();
                Some("restored".to_owned())
            }
            asked => {
                let payload = asked.strip_prefix("customer scans ")?;
                self.simulator.with(|gateway, now| {
                    let view = gateway.scan(payload, now).unwrap();
                    gateway.act(&view.token, &PhoneAction::Pay, now).unwrap();
                });
                Some("paid".to_owned())
            }
        }
    }

    /// The books hold after all of it.
    fn end(mut self) {
        self.stop();
        self.run(&["verify"]);
    }
}

/// A training gateway on a socket, and where.
async fn training(secret: &str) -> (Simulator, String) {
    let mut gateway = Gateway::new([7; 32]);
    let merchant = Merchant {
        name: "动力健身".to_owned(),
        key: SharedKey::from_hex(secret).unwrap(),
    };
    gateway.add_merchant(MERCHANT, merchant);
    let surroundings: Arc<dyn Surroundings> = Arc::new(SystemSurroundings);
    let simulator = Simulator::new(gateway, surroundings);
    let any = "127.0.0.1:0".parse().unwrap();
    let (listener, address) = serve::listen(any, false).await.unwrap();
    let router = serve::router(simulator.clone());
    tokio::spawn(serve::serve(listener, router, std::future::pending()));
    (simulator, format!("http://{address}"))
}
