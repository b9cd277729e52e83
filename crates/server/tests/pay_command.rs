//! `qiantai-server pay` against the simulated gateway on a real socket.

use std::io::Write;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;

use qiantai_pay::channels::training::message::WalletName;
use qiantai_pay::{Surroundings, SystemSurroundings};
use qiantai_paysim::gateway::PhoneAction;
use qiantai_paysim::tls::{Front, HOST};
use qiantai_paysim::{Gateway, Simulator, accounts, serve};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::process::program;

/// The gateway with an account of each protocol; their settings lie in the folder.
pub struct Street {
    pub folder: TempDir,
    pub simulator: Simulator,
    /// The authorities that the command trusts, where they are not the system's.
    pub trusted: Option<PathBuf>,
}

impl Street {
    pub async fn open() -> Street {
        Street::open_behind(None).await
    }

    pub async fn open_behind(front: Option<Front>) -> Street {
        let folder = tempfile::tempdir().unwrap();
        let mut gateway = Gateway::new([7; 32]);
        let any = "127.0.0.1:0".parse().unwrap();
        let (listener, address) = serve::listen(any, false).await.unwrap();
        let base = match front {
            Some(_) => format!("https://{HOST}:{}", address.port()),
            None => format!("http://{address}"),
        };
        let now = SystemSurroundings.now();
        accounts::open_all(&mut gateway, "悦动健身", &base, folder.path(), now).unwrap();
        let simulator = Simulator::new(gateway, Arc::new(SystemSurroundings));
        let router = serve::router(simulator.clone());
        let never = std::future::pending();
        match front {
            Some(front) => drop(tokio::spawn(serve::serve_tls(
                listener, router, front, never,
            ))),
            None => drop(tokio::spawn(serve::serve(listener, router, never))),
        }
        Street {
            folder,
            simulator,
            trusted: None,
        }
    }

    /// Runs the command with one account; its exit status and what it printed.
    pub async fn run(&self, account: &str, words: &[&str], input: &str) -> (i32, String) {
        let config = self.folder.path().join(account);
        let mut command = program();
        command
            .arg("pay")
            .args(words)
            .arg("--config")
            .arg(config)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        if let Some(trusted) = &self.trusted {
            command.env("SSL_CERT_FILE", trusted);
        }
        let input = input.to_owned();
        let ended = tokio::task::spawn_blocking(move || {
            let mut child = command.spawn().unwrap();
            // A command that reads nothing may have ended.
            let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
            child.wait_with_output().unwrap()
        });
        let ended = ended.await.unwrap();
        let said = String::from_utf8(ended.stdout).unwrap();
        let log = String::from_utf8(ended.stderr).unwrap();
        assert!(!log.contains("PRIVATE KEY"), "{log}");
        (ended.status.code().unwrap(), said)
    }

    pub async fn answer(&self, account: &str, words: &[&str], input: &str) -> Value {
        let (status, said) = self.run(account, words, input).await;
        assert_eq!(status, 0, "{words:?}: {said}");
        serde_json::from_str(&said).unwrap()
    }

    pub fn edit(&self, account: &str, edit: impl FnOnce(&mut Value)) {
        let path = self.folder.path().join(account);
        let mut settings: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        edit(&mut settings);
        std::fs::write(path, settings.to_string()).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_call_prints_its_typed_answer() {
    let street = Street::open().await;
    for (file, channel) in [
        ("wechat-key.json", "wechat"),
        ("alipay-certificates.json", "alipay"),
    ] {
        let made = ["create", "--amount", "0.01"];
        let words = [&[channel], &made[..]].concat();
        let made = street.answer(file, &words, "").await;
        assert_eq!(made["result"], "created", "{channel}");
        let (number, qr) = (
            made["number"].as_str().unwrap(),
            made["qr"].as_str().unwrap(),
        );
        street.simulator.with(|gateway, now| {
            let view = gateway.scan(qr, now).unwrap();
            gateway.act(&view.token, &PhoneAction::Pay, now).unwrap();
        });
        let paid = street.answer(file, &[channel, "query", number], "").await;
        assert_eq!(
            (&paid["result"], &paid["amount_fen"]),
            (&json!("success"), &json!(1))
        );
        let late = street.answer(file, &[channel, "close", number], "").await;
        assert_eq!(late["result"], "already_paid", "{channel}");
        let words = [
            channel,
            "refund",
            number,
            "--paid",
            "0.01",
            "--refund-number",
        ];
        let refund = "TK20261121140000000002010100A1";
        let words = [&words[..], &[refund]].concat();
        let back = street.answer(file, &words, "").await;
        assert_ne!(back["result"], "refused", "{channel}");
        let words = [channel, "refund-query", number, "--refund-number", refund];
        // Alipay tells of a refund only later; the status says which of the two it was.
        let (status, said) = street.run(file, &words, "").await;
        let back: Value = serde_json::from_str(&said).unwrap();
        let is_uncertain = back["result"] == "unknown";
        assert_eq!(status == 2, is_uncertain, "{back}");
        assert_eq!(back["cause"].is_string(), is_uncertain, "{back}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_code_is_read_from_standard_input() {
    let street = Street::open().await;
    let code = street.simulator.with(|gateway, now| {
        let shown = gateway.show_code(WalletName::Wechat, true, now);
        shown.digits
    });
    let words = ["wechat", "charge", "--amount", "12.50"];
    let paying = street.answer("wechat-key.json", &words, &code).await;
    assert_eq!(paying["state"], "user_paying");
    let number = paying["number"].as_str().unwrap();
    let words = ["wechat", "reverse", number];
    // The gateway takes no reversal in the first fifteen seconds, and its words are printed.
    let (status, said) = street.run("wechat-key.json", &words, "").await;
    assert!(status == 2 && said.contains("15秒"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_check_says_in_plain_words_what_is_wrong() {
    let street = Street::open().await;
    let check = async |file: &str, channel: &str, expected: &str| {
        let (status, said) = street.run(file, &[channel, "check"], "").await;
        assert_eq!(
            status,
            if expected.contains("ready") { 0 } else { 2 },
            "{said}"
        );
        assert!(said.contains(expected), "{file}: {said}");
    };
    check("wechat-key.json", "wechat", "The channel is ready.").await;
    let (_, said) = street
        .run("wechat-key.json", &["wechat", "check"], "")
        .await;
    assert!(
        said.contains("not encrypted") && !said.contains("secure"),
        "{said}"
    );
    check("wechat-certificates.json", "wechat", "ready").await;
    check("alipay-keys.json", "alipay", "ready").await;
    check("unionpay.json", "unionpay", "ready").await;
    check("shouqianba.json", "shouqianba", "ready").await;

    let keep = "wechat-key.json";
    let sound = std::fs::read(street.folder.path().join(keep)).unwrap();
    let restore = || std::fs::write(street.folder.path().join(keep), &sound).unwrap();
    street.edit(keep, |settings| {
        settings["private_key"] = json!({"file": "nowhere.pem"})
    });
    check(keep, "wechat", "cannot be read: private_key").await;
    restore();
    street.edit(keep, |settings| {
        settings["base_url"] = json!("https://no.such.host.invalid")
    });
    check(keep, "wechat", "(DNS)").await;
    restore();
    street.edit(keep, |settings| {
        settings["base_url"] = json!("http://127.0.0.1:1")
    });
    check(keep, "wechat", "does not take a connection").await;
    restore();
    let base = "base_url";
    street.edit(keep, |settings| {
        let plain = settings[base].as_str().unwrap().replace("http:", "https:");
        settings[base] = json!(plain);
    });
    check(keep, "wechat", "(TLS)").await;
    restore();
    street.edit(keep, |settings| settings["api_v3_key"] = json!("too short"));
    check(keep, "wechat", "api_v3_key").await;
    restore();
    street.edit(keep, |settings| {
        settings["certificate"] = Value::Null;
        settings["payment_code"] = json!("off");
        settings["serial_no"] = json!("3775B6A45ACD588826D15E583A95F5DD00000000");
    });
    check(keep, "wechat", "does not accept our signature").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_said_rightly_is_refused() {
    let street = Street::open().await;
    for (words, expected) in [
        (&["paypal", "check"][..], 1),
        (&["wechat", "create", "--amount", "0"], 1),
        (&["wechat", "create", "--amount", "1.234"], 1),
        (&["wechat", "bill", "yesterday"], 1),
        (&["wechat", "gift"], 2),
    ] {
        let (status, said) = street.run("wechat-key.json", words, "").await;
        assert_eq!((status, said.as_str()), (expected, ""), "{words:?}");
    }
}
