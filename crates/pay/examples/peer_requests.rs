//! Prints every request that the channels send, as JSON lines, for independent kits to verify:
//! `peer_requests FOLDER` reads the settings that `qiantai-paysim --accounts FOLDER` wrote. Nothing
//! is sent; each call meets a line that is dead.

use std::error::Error;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use qiantai_core::clock::Millis;
use qiantai_core::money::Money;
use qiantai_core::order_no::{OrderNo, Prefix};
use qiantai_pay::channels::emv::{BerObject, ConsumerCode, ShopCode, UnionpayAccount};
use qiantai_pay::transport::{HttpTransport, TransportError};
use qiantai_pay::{
    AuthCode, BillRequest, CodeRequest, QrRequest, RefundQuery, RefundRequest, Registry,
    Surroundings, SystemSurroundings, Wallet,
};
use serde_json::{Value, json};

/// Keeps requests and answers none.
#[derive(Default)]
struct DeadLine(Mutex<Vec<http::Request<Bytes>>>);

#[async_trait]
impl HttpTransport for DeadLine {
    async fn send(
        &self,
        request: http::Request<Bytes>,
    ) -> Result<http::Response<Bytes>, TransportError> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.push(request);
        Err(TransportError::NotSent)
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    let folder = std::env::args().nth(1).unwrap_or_else(|| ".".to_owned());
    match print_all(Path::new(&folder)).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "{error}");
            ExitCode::FAILURE
        }
    }
}

async fn print_all(folder: &Path) -> Result<(), Box<dyn Error>> {
    let mut out = std::io::stdout();
    for (channel, account) in [
        ("wechat", "wechat-key"),
        ("alipay", "alipay-keys"),
        ("alipay", "alipay-certificates"),
    ] {
        let text = std::fs::read_to_string(folder.join(format!("{account}.json")))?;
        for request in requests(channel, serde_json::from_str(&text)?).await? {
            writeln!(out, "{}", told(account, &request))?;
        }
    }
    writeln!(
        out,
        "{}",
        json!({"account": "emv", "merchant": shop_code()?, "consumer": consumer_code()})
    )?;
    Ok(())
}

async fn requests(
    channel: &str,
    settings: Value,
) -> Result<Vec<http::Request<Bytes>>, Box<dyn Error>> {
    let line = Arc::new(DeadLine::default());
    let mut registry = Registry::new();
    registry.open(
        channel,
        settings,
        line.clone(),
        Arc::new(SystemSurroundings),
    )?;
    let channel = registry.get(channel).ok_or("it was just opened")?;
    let now = SystemSurroundings.now();
    let number = |prefix| OrderNo::new(prefix, now, "00001", "01", 7).map(|no| no.to_string());
    let (attempt_no, refund_no) = (number(Prefix::Attempt)?, number(Prefix::Refund)?);
    let qr = QrRequest {
        attempt_no: attempt_no.clone(),
        amount: Money::from_yuan(300),
        subject: "储值 300 & \"送\" 50".to_owned(),
        wallet: Wallet::Wechat,
        expires_at: now + Millis::minutes(5),
        notify_url: Some("http://shop.example/notices".to_owned()),
    };
    channel.create_qr(&qr).await;
    let code = CodeRequest {
        attempt_no: attempt_no.clone(),
        amount: Money::from_yuan(300),
        subject: qr.subject.clone(),
        auth_code: AuthCode::new("130000000000000000"),
        notify_url: None,
    };
    channel.charge_code(&code).await;
    channel.query(&attempt_no).await;
    channel.close(&attempt_no, None).await;
    channel.reverse(&attempt_no, None).await;
    let refund = RefundRequest {
        attempt_no: attempt_no.clone(),
        channel_txn_no: None,
        refund_no: refund_no.clone(),
        paid: Money::from_yuan(300),
        amount: Money::from_yuan(100),
        reason: "顾客退款".to_owned(),
        notify_url: None,
    };
    channel.refund(&refund).await;
    let query = RefundQuery {
        attempt_no,
        refund_no,
    };
    channel.query_refund(&query).await;
    let date = (now - Millis::days(2)).local().date();
    channel.fetch_bill(&BillRequest { date }).await;
    let kept = std::mem::take(&mut *line.0.lock().unwrap_or_else(PoisonError::into_inner));
    Ok(kept)
}

fn told(account: &str, request: &http::Request<Bytes>) -> Value {
    let header = |name: &str| {
        let value = request.headers().get(name);
        value.and_then(|value| value.to_str().ok()).unwrap_or("")
    };
    json!({
        "account": account,
        "method": request.method().as_str(),
        "target": request.uri().path_and_query().map_or("", |target| target.as_str()),
        "authorization": header("authorization"),
        "body": BASE64.encode(request.body()),
    })
}

fn shop_code() -> Result<String, Box<dyn Error>> {
    let code = ShopCode {
        account: UnionpayAccount::new("01020344", "01020345", "777290058110048")?,
        category: "7298".to_owned(),
        name: "YUEDONG GYM".to_owned(),
        city: "BEIJING".to_owned(),
        chinese: Some(("悦动健身".to_owned(), "北京".to_owned())),
        amount: Money::from_fen(30_050),
        reference: "ZF202611211403124800000101ABCD".to_owned(),
        terminal: "01".to_owned(),
    };
    Ok(code.build()?.to_payload())
}

fn consumer_code() -> String {
    let identifier = vec![0xA0, 0, 0, 3, 0x33, 1, 1, 2];
    ConsumerCode::new(vec![BerObject::template(
        0x61,
        vec![
            BerObject::primitive(0x4F, identifier),
            BerObject::primitive(0x50, b"UnionPay".to_vec()),
        ],
    )])
    .to_payload()
}
