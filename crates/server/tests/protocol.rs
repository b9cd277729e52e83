//! The document suffices: a terminal that was written from `docs/protocol.md` in another language
//! works through a day with the program itself, on encrypted connections, with a training gateway.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use qiantai_pay::channels::training::message::WalletName;
use qiantai_pay::{SharedKey, Surroundings, SystemSurroundings};
use qiantai_paysim::gateway::{Merchant, PhoneAction};
use qiantai_paysim::{Gateway, Simulator, serve};

use crate::process::{Running, program};

/// Debian's own, which has the packages that `cargo xtask test` installs.
const SYSTEM_PYTHON: &str = "/usr/bin/python3";
const MERCHANT: &str = "1900000001";
/// Fewer steps would mean that the script left something out.
const STEPS_MIN: usize = 40;

#[tokio::test(flavor = "multi_thread")]
async fn a_terminal_in_another_language_works_a_day() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let key = folder.path().join("training.key");
    let secret = "07".repeat(SharedKey::BYTES_MIN);
    std::fs::write(&key, &secret).unwrap();
    let (simulator, gateway) = training(&secret).await;
    let books = ["--data", data.to_str().unwrap(), "--plain-http", "never"];
    let training = [
        "--training-gateway",
        &gateway,
        "--training-key-file",
        key.to_str().unwrap(),
        "--training-merchant",
        MERCHANT,
    ];
    ran(program()
        .args(["init", "--sample", "gym", "--members", "20"])
        .args(books));
    let (server, address) = Running::serve(&[&books[..], &training[..]].concat());
    let code = ran(program()
        .args(["enrol", "--address", &format!("https://{address}")])
        .args(books));
    let code = code.lines().next().unwrap().to_owned();
    let day = tokio::task::spawn_blocking(move || day(&code, &simulator));
    let shown = day.await.unwrap();
    let steps = shown.iter().filter(|line| line.starts_with("ok ")).count();
    assert!(steps >= STEPS_MIN, "{steps} steps: {shown:#?}");
    assert_eq!(shown.last(), Some(&format!("{steps} shown")));
    drop(server);
    ran(program().arg("verify").args(books));
}

/// What the terminal saw. Its customer is played here.
fn day(code: &str, simulator: &Simulator) -> Vec<String> {
    let python = match Path::new(SYSTEM_PYTHON).exists() {
        true => SYSTEM_PYTHON,
        false => "python3",
    };
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/protocol/day.py");
    let mut terminal = Running(
        Command::new(python)
            .args([script, code, "customer"])
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .env("PYTHONIOENCODING", "utf-8")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap(),
    );
    let mut hand = terminal.0.stdin.take().unwrap();
    let lines = BufReader::new(terminal.0.stdout.take().unwrap()).lines();
    let mut shown = Vec::new();
    for line in lines.map_while(Result::ok) {
        if let Some(payload) = line.strip_prefix("customer scans ") {
            simulator.with(|gateway, now| {
                let view = gateway.scan(payload, now).unwrap();
                gateway.act(&view.token, &PhoneAction::Pay, now).unwrap();
            });
        } else if line == "customer shows" {
            let code =
                simulator.with(|gateway, now| gateway.show_code(WalletName::Wechat, false, now));
            writeln!(hand, "{}", code.digits).unwrap();
        } else {
            shown.push(line);
        }
    }
    let ended = terminal.0.wait().unwrap();
    assert!(
        ended.success(),
        "the terminal says on standard error what is not as the document says; it needs Python with \
         cbor2 and cryptography (python3-cbor2, python3-cryptography). Until then: {shown:#?}"
    );
    shown
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

/// What a command printed; it must end well.
fn ran(command: &mut Command) -> String {
    let ended = command.output().unwrap();
    let log = String::from_utf8_lossy(&ended.stderr);
    assert!(ended.status.success(), "{log}");
    String::from_utf8(ended.stdout).unwrap()
}
