//! `qiantai-server pay CHANNEL check`: the set-up of a channel step by step, in plain words.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::Uri;
use qiantai_core::Timestamp;
use qiantai_core::order_no::{OrderNo, Prefix};
use qiantai_pay::channels::{alipay, shouqianba, unionpay};
use qiantai_pay::credentials::{Credentials, ending_soon};
use qiantai_pay::transport::{HttpTransport, TransportError};
use qiantai_pay::{
    Channel, ConfigCause, GatewayAnswer, Registry, Surroundings, SystemSurroundings, UnknownCause,
};
use qiantai_server::gateways::GatewaySettings;
use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;

use crate::{AnyError, Ending, say};

/// Longest wait for a connection.
const CONNECT_TIME_MAX: Duration = Duration::from_secs(5);

/// Gateways refuse a clock that is further off.
const CLOCK_OFF_MAX_S: i64 = 300;

/// Clocks further off than this are told.
const CLOCK_OFF_TOLD_S: i64 = 60;

/// Why a check went no further.
struct Stopped;

type Step<T> = Result<T, Stopped>;

fn good(what: &str) -> Result<(), AnyError> {
    Ok(say(&format!("ok    {what}"))?)
}

fn note(what: &str) -> Result<(), AnyError> {
    Ok(say(&format!("note  {what}"))?)
}

fn bad<T>(what: &str, cure: &str) -> Result<Step<T>, AnyError> {
    say(&format!("BAD   {what}"))?;
    say(&format!("      {cure}"))?;
    Ok(Err(Stopped))
}

/// Goes through every step until one fails.
pub(super) async fn check(
    gateway: &GatewaySettings,
    credentials: &Credentials,
    transport: Arc<dyn HttpTransport>,
) -> Result<Ending, AnyError> {
    match steps(gateway, credentials, transport).await? {
        Ok(()) => {
            say("The channel is ready.")?;
            Ok(Ending::Well)
        }
        Err(Stopped) => Ok(Ending::Bad),
    }
}

async fn steps(
    gateway: &GatewaySettings,
    credentials: &Credentials,
    transport: Arc<dyn HttpTransport>,
) -> Result<Step<()>, AnyError> {
    let settings = match credentials.resolve(gateway.settings()) {
        Ok(settings) => settings,
        Err(error) => {
            return bad(
                &format!("the settings name something that cannot be read: {error}"),
                "Look at the path or name, and whether the server's user may read it.",
            );
        }
    };
    good("every file, variable and key that the settings name can be read")?;
    let base_url = base_url(gateway.name(), &settings);
    let mut registry = Registry::new();
    let surroundings: Arc<dyn Surroundings> = Arc::new(SystemSurroundings);
    let opened = registry.open(
        gateway.name(),
        settings,
        Arc::clone(&transport),
        Arc::clone(&surroundings),
    );
    if let Err(error) = opened {
        return bad(
            &error.to_string(),
            "Compare with docs/payments.md; keys must be the files as they were downloaded.",
        );
    }
    good("keys and certificates can be used and belong together")?;
    if let Err(Stopped) = reach(&base_url, transport.as_ref(), surroundings.now()).await? {
        return Ok(Err(Stopped));
    }
    let Some(channel) = registry.get(gateway.name()) else {
        return bad("the channel is not open", "Run this check again.");
    };
    for expiry in ending_soon(channel.expiries(), surroundings.now()) {
        let days = (expiry.at - surroundings.now()).0.div_euclid(86_400_000);
        note(&format!(
            "{} ends in {days} days; renew it",
            expiry.credential
        ))?;
    }
    ask(channel.as_ref(), surroundings.now()).await
}

/// The official address stands in the channel's own settings; here it only tells whom to reach.
fn base_url(name: &str, settings: &Value) -> String {
    let usual = match name {
        name if name == alipay::ID.0 => "https://openapi.alipay.com",
        name if name == unionpay::ID.0 => "https://gateway.95516.com",
        name if name == shouqianba::ID.0 => "https://vsi-api.shouqianba.com",
        _ => "https://api.mch.weixin.qq.com",
    };
    let said = settings.get("base_url").and_then(Value::as_str);
    said.unwrap_or(usual).to_owned()
}

/// Name, connection, TLS, clock.
async fn reach(
    base_url: &str,
    transport: &dyn HttpTransport,
    now: Timestamp,
) -> Result<Step<()>, AnyError> {
    let uri: Option<Uri> = base_url.parse().ok();
    let Some((uri, host)) = uri.and_then(|uri| Some((uri.clone(), uri.host()?.to_owned()))) else {
        return bad(
            &format!("base_url {base_url:?} is no address"),
            "It begins with https:// and has no path.",
        );
    };
    let is_plain = uri.scheme_str() == Some("http");
    let usual_port = if is_plain { 80 } else { 443 };
    let port = uri.port_u16().unwrap_or(usual_port);
    let addresses = tokio::net::lookup_host((host.as_str(), port)).await;
    let addresses: Vec<_> = addresses.map(Iterator::collect).unwrap_or_default();
    if addresses.is_empty() {
        return bad(
            &format!("the name {host} cannot be resolved (DNS)"),
            "Look at the machine's network and its name server.",
        );
    }
    let connecting = tokio::net::TcpStream::connect(addresses.as_slice());
    let connected = tokio::time::timeout(CONNECT_TIME_MAX, connecting).await;
    if !matches!(connected, Ok(Ok(_))) {
        return bad(
            &format!("{host} port {port} does not take a connection"),
            "Look at the firewall; the server must reach the gateway without a proxy.",
        );
    }
    good(&format!("{host} is found and takes connections"))?;
    let mut request = http::Request::new(Bytes::new());
    *request.uri_mut() = uri;
    let answer = match transport.send(request).await {
        Ok(answer) => answer,
        Err(TransportError::NotSent) if is_plain => {
            return bad(
                &format!("no connection to {host}"),
                "Look at the firewall; the server must reach the gateway without a proxy.",
            );
        }
        Err(TransportError::NotSent) => {
            return bad(
                &format!("no secure connection (TLS) to {host}"),
                "Its certificate is not accepted: look at the clock, at the system's root \
                 certificates, and for a device that opens TLS connections.",
            );
        }
        Err(error) => {
            return bad(
                &format!("{host} does not answer: {error}"),
                "Try again later.",
            );
        }
    };
    match is_plain {
        true => note(
            "answered, but base_url begins with http://: the way there is not encrypted, as no real \
             gateway wants it; this is for a simulated one",
        )?,
        false => good("the connection is secure and answered")?,
    }
    let date = answer.headers().get(http::header::DATE);
    let date = date.and_then(|date| OffsetDateTime::parse(date.to_str().ok()?, &Rfc2822).ok());
    if let Some(date) = date {
        let off = now.ms() / 1_000 - date.unix_timestamp();
        if off.abs() > CLOCK_OFF_MAX_S {
            return bad(
                &format!("this machine's clock is {off} seconds off the gateway's"),
                "Set the clock by NTP; the gateway refuses such requests.",
            );
        }
        match off.abs() > CLOCK_OFF_TOLD_S {
            true => note(&format!("this machine's clock is {off} seconds off"))?,
            false => good("the clock is right")?,
        }
    }
    Ok(Ok(()))
}

/// Asks about a number that nobody used: the gateway looks at merchant and signature first.
async fn ask(channel: &dyn Channel, now: Timestamp) -> Result<Step<()>, AnyError> {
    let number = OrderNo::new(Prefix::Attempt, now, "00000", "00", 0)?;
    match channel.query(&number.to_string()).await {
        GatewayAnswer::ConfigError(ConfigCause::Signature) => bad(
            "the gateway does not accept our signature",
            "The private key does not match what is registered at the gateway, or the serial \
             number, application or merchant number is another's.",
        ),
        GatewayAnswer::ConfigError(ConfigCause::Clock) => bad(
            "the gateway says that the clock is wrong",
            "Set this machine's clock by NTP.",
        ),
        GatewayAnswer::ConfigError(ConfigCause::NotPermitted) => bad(
            "the merchant may not use this product",
            "Sign the product in the merchant platform, or wait until it is approved.",
        ),
        GatewayAnswer::ConfigError(ConfigCause::MerchantBlocked) => bad(
            "the merchant may not receive money at present",
            "Look at the messages in the merchant platform.",
        ),
        GatewayAnswer::ConfigError(cause @ ConfigCause::BadRequest(_)) => bad(
            &cause.to_string(),
            "A merchant or application number is likely wrong.",
        ),
        GatewayAnswer::Unknown(UnknownCause::BadSignature) => bad(
            "the answer is not signed with a key that we hold",
            "The gateway's public key, its id or its certificate in the settings is not the one \
             in force; download it again. Beware of taking the merchant's own key for it.",
        ),
        GatewayAnswer::Unknown(
            cause @ (UnknownCause::NotSent
            | UnknownCause::Timeout
            | UnknownCause::Broken
            | UnknownCause::GatewayFault(_)
            | UnknownCause::Unreadable(_)
            | UnknownCause::Busy),
        ) => bad(
            &cause.to_string(),
            "Try again; if it stays, ask the gateway's support.",
        ),
        _ => {
            good("the gateway accepts our signature, and we accept its answer")?;
            Ok(Ok(()))
        }
    }
}
