//! The set-up of a payment channel, looked at step by step up to the first that fails: what it
//! names can be read, fits together, the gateway is reached, and accepts us as we accept it.
//!
//! Nothing found here holds a key.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::Uri;
use qiantai_core::Timestamp;
use qiantai_core::order_no::{OrderNo, Prefix};
use qiantai_pay::channels::shouqianba::{ActivationFault, ShouqianbaChannel};
use qiantai_pay::channels::{alipay, shouqianba, unionpay};
use qiantai_pay::credentials::{CredentialError, ending_soon};
use qiantai_pay::set_up::{KeyStep, SetUpFault, form};
use qiantai_pay::transport::{HttpTransport, TransportError};
use qiantai_pay::{Channel, ConfigCause, GatewayAnswer, Registry, Surroundings, UnknownCause};
use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;

use crate::accounts::Terminals;

/// Longest wait for a connection.
const CONNECT_TIME_MAX: Duration = Duration::from_secs(5);

/// Gateways refuse a clock that is further off.
const CLOCK_OFF_MAX_S: i64 = 300;

/// Clocks further off than this are told.
const CLOCK_OFF_TOLD_S: i64 = 60;

/// The steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CheckStep {
    /// What needs no gateway.
    Keys(KeyStep),
    /// The gateway's name is found and takes connections.
    Reach,
    /// The connection is encrypted and answered.
    Secure,
    /// This machine's clock is the gateway's.
    Clock,
    /// The gateway has made this machine a terminal, where it has terminals.
    Activated,
    /// The gateway accepts our signature, and we accept its answer.
    Accepted,
}

impl CheckStep {
    /// Every step, in order.
    pub const ALL: [CheckStep; 10] = [
        CheckStep::Keys(KeyStep::Filled),
        CheckStep::Keys(KeyStep::OwnKey),
        CheckStep::Keys(KeyStep::OwnCertificate),
        CheckStep::Keys(KeyStep::Dates),
        CheckStep::Keys(KeyStep::GatewayKey),
        CheckStep::Reach,
        CheckStep::Secure,
        CheckStep::Clock,
        CheckStep::Activated,
        CheckStep::Accepted,
    ];
}

/// Why a step failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CheckFault {
    /// A file, variable or key that the settings name cannot be read.
    Unreadable(CredentialError),
    /// A field of the settings.
    Field(SetUpFault),
    /// Settings that a channel cannot be opened with, in its own words.
    Unusable(String),
    /// The address of the gateway is none, or its way would not be encrypted.
    Address(String),
    /// The name is not resolved.
    NoName,
    /// Nobody takes a connection at this port.
    NoConnection(u16),
    /// No encrypted connection comes about.
    NoTls,
    /// Nothing comes back.
    NoAnswer(TransportError),
    /// This machine's clock is so many seconds ahead of the gateway's.
    ClockOff(i64),
    /// This machine is no terminal of the gateway's.
    NotActivated(ActivationFault),
    /// The gateway does not accept our signature.
    SignatureRefused,
    /// The gateway says that the clock is wrong.
    ClockRefused,
    /// The merchant may not use this product.
    NotPermitted,
    /// The merchant may not receive money at present.
    MerchantBlocked,
    /// The gateway does not know what it is asked about: a number of ours is wrong. Its words.
    BadRequest(String),
    /// The answer is not signed with a key that we hold.
    AnswerUnsigned,
    /// No answer that could be used.
    NoUsableAnswer(UnknownCause),
}

/// What is good to know, and stops nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CheckRemark {
    /// The way to the gateway is not encrypted, as to a simulated one.
    Plain,
    /// This machine's clock is so many seconds ahead of the gateway's.
    ClockOff(i64),
    /// A credential ends in so many days.
    EndsSoon(String, i64),
}

/// One thing that the check found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// A step passed.
    Passed(CheckStep),
    /// To be known.
    Remark(CheckRemark),
    /// A step failed, and those after it were not tried.
    Failed(CheckStep, CheckFault),
}

/// What a check found, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CheckReport {
    /// Host of the gateway, once the settings could be read.
    pub host: Option<String>,
    /// Everything, in order.
    pub findings: Vec<Finding>,
}

impl CheckReport {
    /// Whether payments can be taken.
    pub fn is_good(&self) -> bool {
        self.fault().is_none()
    }

    /// The step that failed, and why.
    pub fn fault(&self) -> Option<(CheckStep, &CheckFault)> {
        self.findings.iter().find_map(|finding| match finding {
            Finding::Failed(step, fault) => Some((*step, fault)),
            Finding::Passed(_) | Finding::Remark(_) => None,
        })
    }

    fn passed(&mut self, step: CheckStep) {
        self.findings.push(Finding::Passed(step));
    }

    fn remark(&mut self, remark: CheckRemark) {
        self.findings.push(Finding::Remark(remark));
    }
}

/// A step that failed.
type Stopped = (CheckStep, CheckFault);

/// Goes through every step of the channel `name` until one fails. `settings` are those with every
/// text in place, or why there are none.
pub async fn check(
    name: &str,
    settings: Result<Value, CredentialError>,
    transport: Arc<dyn HttpTransport>,
    surroundings: Arc<dyn Surroundings>,
) -> CheckReport {
    check_with(name, settings, None, transport, surroundings).await
}

/// The same where the host keeps the terminals of gateways that have them.
pub(crate) async fn check_with(
    name: &str,
    settings: Result<Value, CredentialError>,
    terminal: Option<Terminals>,
    transport: Arc<dyn HttpTransport>,
    surroundings: Arc<dyn Surroundings>,
) -> CheckReport {
    let mut report = CheckReport::default();
    let around = (transport, surroundings);
    let steps = steps(name, settings, terminal, around, &mut report);
    if let Err((step, fault)) = steps.await {
        report.findings.push(Finding::Failed(step, fault));
    }
    report
}

async fn steps(
    name: &str,
    settings: Result<Value, CredentialError>,
    terminal: Option<Terminals>,
    (transport, surroundings): (Arc<dyn HttpTransport>, Arc<dyn Surroundings>),
    report: &mut CheckReport,
) -> Result<(), Stopped> {
    let filled = CheckStep::Keys(KeyStep::Filled);
    let settings = settings.map_err(|error| (filled, CheckFault::Unreadable(error)))?;
    let base_url = base_url(name, &settings);
    look_at_keys(name, &settings, surroundings.now(), report)?;
    let around = (Arc::clone(&transport), Arc::clone(&surroundings));
    let opened = open(name, settings, terminal, around);
    let opened = opened.map_err(|text| (filled, CheckFault::Unusable(text)))?;
    let channel = opened.channel();
    for step in KeyStep::ALL {
        report.passed(CheckStep::Keys(step));
    }
    reach(&base_url, transport.as_ref(), surroundings.now(), report).await?;
    for expiry in ending_soon(channel.expiries(), surroundings.now()) {
        let days = expiry.days_left(surroundings.now());
        report.remark(CheckRemark::EndsSoon(expiry.credential, days));
    }
    if let Opened::Terminal(terminal) = &opened {
        let activated = terminal.activated().await;
        activated.map_err(|fault| (CheckStep::Activated, CheckFault::NotActivated(fault)))?;
        report.passed(CheckStep::Activated);
    }
    ask(channel, surroundings.now())
        .await
        .map_err(|fault| (CheckStep::Accepted, fault))?;
    report.passed(CheckStep::Accepted);
    Ok(())
}

/// A channel that is looked at.
enum Opened {
    /// Of a gateway that has terminals.
    Terminal(Arc<ShouqianbaChannel>),
    /// Any other.
    Plain(Arc<dyn Channel>),
}

impl Opened {
    fn channel(&self) -> &dyn Channel {
        match self {
            Opened::Terminal(channel) => channel.as_ref(),
            Opened::Plain(channel) => channel.as_ref(),
        }
    }
}

fn open(
    name: &str,
    settings: Value,
    terminal: Option<Terminals>,
    (transport, surroundings): (Arc<dyn HttpTransport>, Arc<dyn Surroundings>),
) -> Result<Opened, String> {
    if name == shouqianba::ID.0 {
        let opened = shouqianba::open_with(settings, terminal, transport, surroundings);
        return opened
            .map(Opened::Terminal)
            .map_err(|error| error.to_string());
    }
    let mut registry = Registry::new();
    let opened = registry.open(name, settings, transport, surroundings);
    opened.map_err(|error| error.to_string())?;
    let channel = registry.get(name).cloned();
    channel.map(Opened::Plain).ok_or_else(|| name.to_owned())
}

/// What can be said without a gateway. Those that passed are told with the one that failed.
fn look_at_keys(
    name: &str,
    settings: &Value,
    now: Timestamp,
    report: &mut CheckReport,
) -> Result<(), Stopped> {
    let Some(form) = form(name) else {
        return Ok(());
    };
    form.examine(settings, now).map_err(|fault| {
        let failed = fault.step;
        KeyStep::ALL
            .into_iter()
            .take_while(|step| *step != failed)
            .for_each(|step| report.passed(CheckStep::Keys(step)));
        (CheckStep::Keys(failed), CheckFault::Field(fault))
    })
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
    report: &mut CheckReport,
) -> Result<(), Stopped> {
    let uri: Option<Uri> = base_url.parse().ok();
    let Some((uri, host)) = uri.and_then(|uri| Some((uri.clone(), uri.host()?.to_owned()))) else {
        let fault = CheckFault::Address(base_url.to_owned());
        return Err((CheckStep::Reach, fault));
    };
    report.host = Some(host.clone());
    let is_plain = uri.scheme_str() == Some("http");
    let port = uri.port_u16().unwrap_or(if is_plain { 80 } else { 443 });
    let addresses = tokio::net::lookup_host((host.as_str(), port)).await;
    let addresses: Vec<_> = addresses.map(Iterator::collect).unwrap_or_default();
    if addresses.is_empty() {
        return Err((CheckStep::Reach, CheckFault::NoName));
    }
    let connecting = tokio::net::TcpStream::connect(addresses.as_slice());
    let connected = tokio::time::timeout(CONNECT_TIME_MAX, connecting).await;
    if !matches!(connected, Ok(Ok(_))) {
        return Err((CheckStep::Reach, CheckFault::NoConnection(port)));
    }
    report.passed(CheckStep::Reach);
    let mut request = http::Request::new(Bytes::new());
    *request.uri_mut() = uri;
    let answer = transport.send(request).await.map_err(|error| match error {
        TransportError::NotSent if is_plain => (CheckStep::Secure, CheckFault::NoConnection(port)),
        TransportError::NotSent => (CheckStep::Secure, CheckFault::NoTls),
        other => (CheckStep::Secure, CheckFault::NoAnswer(other)),
    })?;
    match is_plain {
        true => report.remark(CheckRemark::Plain),
        false => report.passed(CheckStep::Secure),
    }
    let date = answer.headers().get(http::header::DATE);
    let date = date.and_then(|date| OffsetDateTime::parse(date.to_str().ok()?, &Rfc2822).ok());
    if let Some(date) = date {
        let off = now.ms().div_euclid(1_000) - date.unix_timestamp();
        if off.abs() > CLOCK_OFF_MAX_S {
            return Err((CheckStep::Clock, CheckFault::ClockOff(off)));
        }
        match off.abs() > CLOCK_OFF_TOLD_S {
            true => report.remark(CheckRemark::ClockOff(off)),
            false => report.passed(CheckStep::Clock),
        }
    }
    Ok(())
}

/// Asks about a number that nobody used: the gateway looks at merchant and signature first.
async fn ask(channel: &dyn Channel, now: Timestamp) -> Result<(), CheckFault> {
    let number = OrderNo::new(Prefix::Attempt, now, "00000", "00", 0)
        .map_err(|error| CheckFault::Unusable(error.to_string()))?;
    match channel.query(&number.to_string()).await {
        GatewayAnswer::ConfigError(cause) => Err(match cause {
            ConfigCause::Signature => CheckFault::SignatureRefused,
            ConfigCause::Clock => CheckFault::ClockRefused,
            ConfigCause::NotPermitted => CheckFault::NotPermitted,
            ConfigCause::MerchantBlocked => CheckFault::MerchantBlocked,
            ConfigCause::BadRequest(words) | ConfigCause::ForbiddenWord(words) => {
                CheckFault::BadRequest(words)
            }
            ConfigCause::Incomplete(words) => CheckFault::Unusable(words),
        }),
        GatewayAnswer::Unknown(UnknownCause::BadSignature) => Err(CheckFault::AnswerUnsigned),
        GatewayAnswer::Unknown(
            cause @ (UnknownCause::NotSent
            | UnknownCause::Timeout
            | UnknownCause::Broken
            | UnknownCause::GatewayFault(_)
            | UnknownCause::Unreadable(_)
            | UnknownCause::Busy),
        ) => Err(CheckFault::NoUsableAnswer(cause)),
        _ => Ok(()),
    }
}
