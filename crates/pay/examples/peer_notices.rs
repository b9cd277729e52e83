//! Says what the channels make of notices that independent kits signed: JSON lines on standard input,
//! each with the channel, the file of its settings, headers and body (base64); a line for each.

use std::collections::BTreeMap;
use std::error::Error;
use std::io::{BufRead, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use http::{HeaderMap, HeaderName, HeaderValue};
use qiantai_pay::transport::{HttpTransport, NetworkTransport, Patience};
use qiantai_pay::{Notice, NoticeError, Registry, SystemSurroundings};
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Deserialize)]
struct Line {
    channel: String,
    settings: PathBuf,
    headers: BTreeMap<String, String>,
    body: String,
}

#[tokio::main]
async fn main() -> ExitCode {
    match judge_all().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "{error}");
            ExitCode::FAILURE
        }
    }
}

async fn judge_all() -> Result<(), Box<dyn Error>> {
    let mut out = std::io::stdout();
    for line in std::io::stdin().lock().lines() {
        let line: Line = serde_json::from_str(&line?)?;
        writeln!(out, "{}", judged(&line).await?)?;
    }
    Ok(())
}

async fn judged(line: &Line) -> Result<Value, Box<dyn Error>> {
    let settings = serde_json::from_slice(&std::fs::read(&line.settings)?)?;
    let transport: Arc<dyn HttpTransport> = Arc::new(NetworkTransport::new(Patience::default())?);
    let surroundings = Arc::new(SystemSurroundings);
    let mut registry = Registry::new();
    registry.open(&line.channel, settings, transport, surroundings)?;
    let channel = registry.get(&line.channel).ok_or("it was just opened")?;
    let mut headers = HeaderMap::new();
    for (name, value) in &line.headers {
        headers.insert(name.parse::<HeaderName>()?, HeaderValue::from_str(value)?);
    }
    let body = BASE64.decode(&line.body)?;
    let mut found = channel.parse_notice(&headers, &body);
    if matches!(found, Err(NoticeError::UnknownKey(_))) {
        // In certificate mode the first call fetches the keys.
        channel.query("ZF20261122000000000001").await;
        found = channel.parse_notice(&headers, &body);
    }
    Ok(match found {
        Ok(Notice::Payment(payment)) => json!({
            "notice": "payment",
            "number": payment.attempt_no,
            "amount_fen": payment.paid.amount.fen(),
        }),
        Ok(Notice::Refund(refund)) => json!({
            "notice": "refund",
            "number": refund.attempt_no,
            "refund_number": refund.refund_no,
        }),
        Ok(other) => json!({"notice": "other", "what": format!("{other:?}")}),
        Err(error) => json!({"notice": "refused", "why": error.to_string()}),
    })
}
