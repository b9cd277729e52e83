//! `qiantai-server pay` against the simulated gateway on a real socket.

use std::io::Write;
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::sync::Arc;

use qiantai_core::Millis;
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

    /// Lets the gateway's clock run on.
    fn pass(&self, span: Millis) {
        let ahead = self.simulator.put_ahead(Millis(0));
        self.simulator.put_ahead(Millis(ahead.0 + span.0));
    }

    fn start(&self, account: &str, words: &[&str]) -> Child {
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
        command.spawn().unwrap()
    }

    /// Runs the command with one account; its exit status and what it printed.
    pub async fn run(&self, account: &str, words: &[&str], input: &str) -> (i32, String) {
        let mut child = self.start(account, words);
        let input = input.to_owned();
        let ended = tokio::task::spawn_blocking(move || {
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

/// What the calls answer that differ between the channels.
struct Expected {
    /// To closing a code that nobody scanned, and its exit status.
    close: (&'static str, i32),
    /// To asking about a refund that is done.
    refund_query: (&'static str, i32),
    /// To the bill of a day without payments.
    bill: &'static str,
}

#[tokio::test(flavor = "multi_thread")]
async fn every_call_of_every_channel_prints_its_typed_answer() {
    let street = Street::open().await;
    let (closed, done) = (("closed", 0), ("succeeded", 0));
    let unknown = ("unknown", 2);
    // Alipay and UnionPay keep no record of a code before somebody scans it, Shouqianba none of
    // single refunds.
    for (file, channel, wallet, expected) in [
        (
            "wechat-key",
            "wechat",
            WalletName::Wechat,
            (closed, done, "ready"),
        ),
        (
            "wechat-certificates",
            "wechat",
            WalletName::Wechat,
            (closed, done, "ready"),
        ),
        (
            "alipay-keys",
            "alipay",
            WalletName::Alipay,
            (unknown, done, "ready"),
        ),
        (
            "alipay-certificates",
            "alipay",
            WalletName::Alipay,
            (unknown, done, "ready"),
        ),
        (
            "unionpay",
            "unionpay",
            WalletName::Unionpay,
            (unknown, done, "not_offered"),
        ),
        (
            "shouqianba",
            "shouqianba",
            WalletName::Wechat,
            (closed, unknown, "not_offered"),
        ),
    ] {
        let (close, refund_query, bill) = expected;
        let account = Account {
            street: &street,
            file: &format!("{file}.json"),
            channel,
        };
        account.checked_by_code(wallet).await;
        let expected = Expected {
            close,
            refund_query,
            bill,
        };
        account.checked_by_qr(&expected).await;
    }
}

/// One account, used from the shell.
struct Account<'a> {
    street: &'a Street,
    file: &'a str,
    channel: &'a str,
}

impl Account<'_> {
    /// One call: what it answered, which ends with this status.
    async fn call(&self, words: &[&str], input: &str, expected: (&str, i32)) -> Value {
        let words = [&[self.channel], words].concat();
        let (status, said) = self.street.run(self.file, &words, input).await;
        let answer: Value = serde_json::from_str(&said).unwrap_or_default();
        let found = (answer["result"].as_str().unwrap_or(&said), status);
        assert_eq!(found, expected, "{}: {words:?}: {answer}", self.file);
        let is_uncertain = expected.0 == "unknown";
        assert_eq!(answer["cause"].is_string(), is_uncertain, "{answer}");
        answer
    }

    /// Shows a QR code of one fen; its number and what it says.
    async fn shown(&self) -> (String, String) {
        let words = ["create", "--amount", "0.01", "--wallet"];
        let wallet = match self.channel {
            "shouqianba" => "wechat",
            own => own,
        };
        let words = [&words[..], &[wallet]].concat();
        let made = self.call(&words, "", ("created", 0)).await;
        let text = |name: &str| made[name].as_str().unwrap().to_owned();
        (text("number"), text("qr"))
    }

    async fn checked_by_code(&self, wallet: WalletName) {
        let street = self.street;
        let digits = street.simulator.with(|gateway, now| {
            let shown = gateway.show_code(wallet, false, now);
            shown.digits
        });
        let words = ["charge", "--amount", "12.50"];
        let paid = self.call(&words, &digits, ("success", 0)).await;
        assert_eq!(paid["amount_fen"], 1_250);
        let number = paid["number"].as_str().unwrap();
        // WeChat Pay takes no reversal in the first fifteen seconds.
        street.pass(Millis::seconds(16));
        let back = self.call(&["reverse", number], "", ("reversed", 0)).await;
        assert_ne!(back["money_returned"], json!(false), "{back}");
    }

    async fn checked_by_qr(&self, expected: &Expected) {
        let (number, _) = self.shown().await;
        self.call(&["close", &number], "", expected.close).await;
        let (number, qr) = self.shown().await;
        self.street.simulator.with(|gateway, now| {
            let view = gateway.scan(&qr, now).unwrap();
            gateway.act(&view.token, &PhoneAction::Pay, now).unwrap();
        });
        let paid = self.call(&["query", &number], "", ("success", 0)).await;
        assert_eq!(paid["amount_fen"], 1);
        let late = ("already_paid", 0);
        self.call(&["close", &number], "", late).await;

        let words = ["refund", &number, "--paid", "0.01"];
        let words = [self.channel].into_iter().chain(words);
        let words: Vec<&str> = words.collect();
        let back = self.street.answer(self.file, &words, "").await;
        let is_taken = back["result"] == "accepted" || back["result"] == "succeeded";
        assert!(is_taken, "{}: {back}", self.file);
        let refund = back["refund_number"].as_str().unwrap();
        self.street.pass(Millis::seconds(16));
        let words = ["refund-query", &number, "--refund-number", refund];
        self.call(&words, "", expected.refund_query).await;

        let quiet = SystemSurroundings.now().local().date() - time::Duration::days(3);
        let quiet = quiet.to_string();
        let words = ["bill", quiet.as_str()];
        let bill = self.call(&words, "", (expected.bill, 0)).await;
        if expected.bill == "ready" {
            assert_eq!(bill["lines"], json!([]));
        }
    }
}

/// Whoever breaks a call off knows the number to ask about.
#[tokio::test(flavor = "multi_thread")]
async fn a_number_that_is_made_is_told_before_the_call_goes_out() {
    let street = Street::open().await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let file = "wechat-key.json";
    street.edit(file, |settings| settings["base_url"] = json!(base));
    for (words, prefix) in [
        (&["wechat", "create", "--amount", "0.01"][..], "ZF"),
        (&["wechat", "charge", "--amount", "0.01"], "ZF"),
        (&["wechat", "refund", "ZF000001", "--paid", "0.01"], "TK"),
    ] {
        let mut child = street.start(file, words);
        let mut code = child.stdin.take().unwrap();
        code.write_all(b"130000000000000001\n").unwrap();
        // The call arrives and is not answered.
        let arrived = listener.accept().await.unwrap();
        child.kill().unwrap();
        drop(arrived);
        let ended = child.wait_with_output().unwrap();
        let told = String::from_utf8(ended.stderr).unwrap();
        let number = told.lines().find_map(|line| line.split(": ").nth(1));
        let is_whole = number.is_some_and(|number| number.starts_with(prefix));
        assert!(is_whole, "{words:?}: {told}");
        assert!(ended.stdout.is_empty(), "{words:?}");
    }
    let words = ["wechat", "create", "--amount", "0"];
    let unsaid = street.start(file, &words).wait_with_output().unwrap();
    let told = String::from_utf8(unsaid.stderr).unwrap();
    assert!(!told.contains("ZF"), "nothing goes out: {told}");
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
