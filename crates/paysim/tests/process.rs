//! The real process, over real loopback sockets.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::routing::post;
use bytes::Bytes;
use qiantai_core::clock::Millis;
use qiantai_core::money::Money;
use qiantai_pay::channels::training::{TrainingChannel, TrainingConfig};
use qiantai_pay::transport::{HttpTransport, NetworkTransport, Patience};
use qiantai_pay::{
    Channel, GatewayAnswer, Notice, NoticeReceipt, PaymentNotice, QrAnswer, QrRequest, SharedKey,
    Surroundings, SystemSurroundings, UnknownCause, Wallet,
};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

use crate::world::{ATTEMPT, token_of};

const KEY: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

/// The process, ended on drop.
struct Process {
    child: Child,
    base_url: String,
}

impl Process {
    fn start() -> Process {
        let mut key_file = tempfile::NamedTempFile::new().unwrap();
        writeln!(key_file, "{KEY}").unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_qiantai-paysim"))
            .args(["--listen", "127.0.0.1:0", "--key-file"])
            .arg(key_file.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut base_url = String::new();
        let stdout = child.stdout.take().expect("standard output is a pipe");
        BufReader::new(stdout).read_line(&mut base_url).unwrap();
        Process {
            child,
            base_url: base_url.trim().to_owned(),
        }
    }

    fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have been killed by the test.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn transport() -> Arc<NetworkTransport> {
    Arc::new(NetworkTransport::new(Patience::default()).unwrap())
}

fn connect(base_url: &str) -> Arc<TrainingChannel> {
    let config = TrainingConfig {
        base_url: base_url.to_owned(),
        merchant: "1900000001".to_owned(),
        key: SharedKey::from_hex(KEY).unwrap(),
    };
    let surroundings = Arc::new(SystemSurroundings);
    Arc::new(TrainingChannel::new(config, transport(), surroundings).unwrap())
}

#[derive(Clone)]
struct Shop {
    channel: Arc<TrainingChannel>,
    notices: mpsc::UnboundedSender<PaymentNotice>,
}

async fn take_notice(
    State(shop): State<Shop>,
    headers: HeaderMap,
    body: Bytes,
) -> http::StatusCode {
    let receipt = match shop.channel.parse_notice(&headers, &body) {
        Ok(Notice::Payment(notice)) => {
            shop.notices.send(notice).unwrap();
            NoticeReceipt::Taken
        }
        Ok(_) | Err(_) => NoticeReceipt::Refused,
    };
    shop.channel.notice_response(&body, receipt).status()
}

#[tokio::test]
async fn one_payment_over_real_sockets() {
    let mut process = Process::start();
    let channel = connect(&process.base_url);
    let (sender, mut notices) = mpsc::unbounded_channel();
    let shop = Shop {
        channel: channel.clone(),
        notices: sender,
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let notify_url = format!("http://{}/notices/training", listener.local_addr().unwrap());
    let router = Router::new()
        .route("/notices/training", post(take_notice))
        .with_state(shop);
    let server = tokio::spawn(async move { axum::serve(listener, router).await });

    let request = QrRequest {
        attempt_no: ATTEMPT.to_owned(),
        amount: Money::from_yuan(300),
        subject: "储值 300".to_owned(),
        wallet: Wallet::Unionpay,
        expires_at: SystemSurroundings.now() + Millis::minutes(15),
        notify_url: Some(notify_url),
    };
    let answer = channel.create_qr(&request).await;
    let QrAnswer::Created { payload } = &answer else {
        panic!("{answer:?}")
    };
    let pay = http::Request::post(format!(
        "{}/phone/pay/{}",
        process.base_url,
        token_of(payload)
    ))
    .header(http::header::CONTENT_TYPE, "application/json")
    .body(Bytes::from_static(br#"{"action":"pay"}"#))
    .unwrap();
    assert_eq!(transport().send(pay).await.unwrap().status(), 200);
    let notice = tokio::time::timeout(Duration::from_secs(10), notices.recv());
    let notice = notice
        .await
        .expect("the notice comes at once")
        .expect("the shop is open");
    assert_eq!(notice.attempt_no, ATTEMPT);
    assert_eq!(
        channel.query(ATTEMPT).await,
        GatewayAnswer::Success(notice.paid)
    );

    process.kill();
    // On a fresh connection nothing was sent, for certain.
    let gone = GatewayAnswer::Unknown(UnknownCause::NotSent);
    assert_eq!(connect(&process.base_url).query(ATTEMPT).await, gone);
    server.abort();
}

#[test]
fn the_process_refuses_what_would_be_unsafe() {
    let check = |arguments: &[&str], key: &str, expected: &str| {
        let mut key_file = tempfile::NamedTempFile::new().unwrap();
        write!(key_file, "{key}").unwrap();
        let output = Command::new(env!("CARGO_BIN_EXE_qiantai-paysim"))
            .args(arguments)
            .arg("--key-file")
            .arg(key_file.path())
            .output()
            .unwrap();
        let errors = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success(), "{arguments:?}");
        assert!(errors.contains(expected), "{errors}");
        assert!(!errors.contains("5ec2e7"), "{errors}");
    };
    check(
        &["--listen", "0.0.0.0:0"],
        KEY,
        "can be reached by other machines",
    );
    check(
        &["--listen", "127.0.0.1:0"],
        "5ec2e7",
        "at least 32 are needed",
    );
    check(
        &["--listen", "127.0.0.1:0"],
        "5ec2e7 is no key",
        "not hexadecimal",
    );
    check(
        &["--listen", "127.0.0.1:0", "--seed", "12"],
        KEY,
        "64 hexadecimal digits",
    );
}
