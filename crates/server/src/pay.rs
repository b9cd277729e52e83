//! `qiantai-server pay CHANNEL …`: one call to a merchant account from a shell, the typed answer as
//! JSON. The books are not touched.

mod check;
mod printed;

use std::io::{BufRead, Write};
use std::sync::Arc;

use clap::{Args, Subcommand};
use qiantai_core::order_no::{OrderNo, Prefix};
use qiantai_core::{Millis, Money};
use qiantai_pay::yuan::from_yuan;
use qiantai_pay::{
    AuthCode, BillRequest, Channel, CodeRequest, QrRequest, RefundQuery, RefundRequest, Registry,
    Surroundings, SystemSurroundings, Wallet,
};
use qiantai_server::gateway_check;
use qiantai_server::gateways::{GatewaySettings, transport_to};
use serde_json::{Value, json};
use time::Date;
use time::format_description::well_known::Iso8601;

use crate::key_store::credentials;
use crate::pay_tables::PayTables;
use crate::{AnyError, Ending, say};

/// Arguments of the command.
#[derive(Debug, Args)]
pub(crate) struct Pay {
    /// wechat, alipay, unionpay or shouqianba, as in `[pay.CHANNEL]` of the settings file.
    channel: String,
    #[command(subcommand)]
    call: Call,
}

#[derive(Debug, Subcommand)]
enum Call {
    /// Go through the set-up step by step and say in plain words what is wrong.
    Check,
    /// Make a QR code that a customer can pay.
    Create {
        /// Yuan, such as 0.01.
        #[arg(long)]
        amount: String,
        #[command(flatten)]
        order: Order,
        /// Minutes for which it can be paid.
        #[arg(long, default_value_t = 5)]
        minutes: u8,
    },
    /// Charge a payment code; it is read from standard input, where no list of processes shows it.
    Charge {
        /// Yuan, such as 0.01.
        #[arg(long)]
        amount: String,
        #[command(flatten)]
        order: Order,
    },
    /// Ask what became of a payment.
    Query {
        /// Our number of it.
        number: String,
    },
    /// Close a QR code that is not paid.
    Close {
        /// Our number of it.
        number: String,
    },
    /// Undo a payment by payment code, paid or not.
    Reverse {
        /// Our number of it.
        number: String,
    },
    /// Return money. After any doubt say the same refund number again: a new one pays twice.
    Refund {
        /// Our number of the payment.
        number: String,
        /// What was paid, in yuan.
        #[arg(long)]
        paid: String,
        /// What goes back, in yuan; all of it if nothing is said.
        #[arg(long)]
        amount: Option<String>,
        /// Our number of the refund; made if nothing is said.
        #[arg(long)]
        refund_number: Option<String>,
    },
    /// Ask what became of a refund.
    RefundQuery {
        /// Our number of the payment.
        number: String,
        /// Our number of the refund.
        #[arg(long)]
        refund_number: String,
    },
    /// Fetch, check and print the gateway's list of one day.
    Bill {
        /// The day in China, such as 2026-11-21.
        date: String,
    },
}

#[derive(Debug, Args)]
struct Order {
    /// Our number of the payment; made if nothing is said.
    #[arg(long)]
    number: Option<String>,
    /// What the customer sees.
    #[arg(long, default_value = "收款测试")]
    subject: String,
    /// Where the gateway posts its notice.
    #[arg(long)]
    notify_url: Option<String>,
    /// The customer's wallet, where the channel carries several: wechat, alipay, unionpay, ecny.
    #[arg(long)]
    wallet: Option<String>,
}

/// Does one call. What is uncertain or wrong ends with status 2.
pub(crate) async fn pay(asked: Pay, tables: &PayTables) -> Result<Ending, AnyError> {
    let gateway = tables.read(&asked.channel)?;
    let credentials = credentials(tables.folder());
    let transport = transport_to(gateway.name())?;
    if matches!(asked.call, Call::Check) {
        let settings = credentials.resolve(gateway.settings());
        let surroundings = Arc::new(SystemSurroundings);
        let found = gateway_check::check(gateway.name(), settings, transport, surroundings);
        return check::tell(&found.await);
    }
    let mut registry = Registry::new();
    let settings = credentials.resolve(gateway.settings())?;
    registry.open(
        gateway.name(),
        settings,
        transport,
        Arc::new(SystemSurroundings),
    )?;
    let channel = registry.get(gateway.name());
    let channel = channel.ok_or("the channel did not open")?;
    let answer = call(asked.call, &gateway, channel.as_ref()).await?;
    say(&format!("{answer:#}"))?;
    let result = answer.get("result").and_then(Value::as_str);
    Ok(match result {
        Some("unknown" | "config_error" | "damaged") => Ending::Bad,
        _ => Ending::Well,
    })
}

async fn call(
    call: Call,
    gateway: &GatewaySettings,
    channel: &dyn Channel,
) -> Result<Value, AnyError> {
    Ok(match call {
        Call::Check => json!({"result": "checked"}),
        Call::Create {
            amount,
            order,
            minutes,
        } => create(gateway, channel, &amount, order, minutes).await?,
        Call::Charge { amount, order } => charge(channel, &amount, order).await?,
        Call::Query { number } => printed::standing(&channel.query(&number).await),
        Call::Close { number } => printed::closed(&channel.close(&number, None).await),
        Call::Reverse { number } => printed::reversed(&channel.reverse(&number, None).await),
        Call::Refund {
            number,
            paid,
            amount,
            refund_number,
        } => refund(channel, number, &paid, amount, refund_number).await?,
        Call::RefundQuery {
            number,
            refund_number,
        } => {
            let query = RefundQuery {
                attempt_no: number,
                refund_no: refund_number,
            };
            printed::refunded(&channel.query_refund(&query).await)
        }
        Call::Bill { date } => {
            let date = Date::parse(&date, &Iso8601::DATE);
            let date = date.map_err(|_| "a day is written as 2026-11-21")?;
            printed::bill(&channel.fetch_bill(&BillRequest { date }).await)
        }
    })
}

async fn create(
    gateway: &GatewaySettings,
    channel: &dyn Channel,
    amount: &str,
    order: Order,
    minutes: u8,
) -> Result<Value, AnyError> {
    let request = QrRequest {
        amount: yuan(amount)?,
        subject: order.subject,
        wallet: wallet(order.wallet.as_deref().unwrap_or(gateway.name()))?,
        expires_at: SystemSurroundings.now() + Millis::minutes(i64::from(minutes)),
        notify_url: order.notify_url,
        attempt_no: number(order.number, Prefix::Attempt)?,
    };
    let answer = printed::created(&channel.create_qr(&request).await);
    Ok(numbered(answer, "number", request.attempt_no))
}

async fn charge(channel: &dyn Channel, amount: &str, order: Order) -> Result<Value, AnyError> {
    let amount = yuan(amount)?;
    let mut code = zeroize::Zeroizing::new(String::new());
    std::io::stdin().lock().read_line(&mut code)?;
    let request = CodeRequest {
        amount,
        subject: order.subject,
        auth_code: AuthCode::new(code.trim()),
        notify_url: order.notify_url,
        attempt_no: number(order.number, Prefix::Attempt)?,
    };
    let answer = printed::standing(&channel.charge_code(&request).await);
    Ok(numbered(answer, "number", request.attempt_no))
}

async fn refund(
    channel: &dyn Channel,
    attempt_no: String,
    paid: &str,
    amount: Option<String>,
    refund_number: Option<String>,
) -> Result<Value, AnyError> {
    let paid = yuan(paid)?;
    let request = RefundRequest {
        attempt_no,
        channel_txn_no: None,
        paid,
        amount: amount.as_deref().map_or(Ok(paid), yuan)?,
        reason: "测试退款".to_owned(),
        notify_url: None,
        refund_no: number(refund_number, Prefix::Refund)?,
    };
    let answer = printed::refunded(&channel.refund(&request).await);
    Ok(numbered(answer, "refund_number", request.refund_no))
}

/// The number that was used, for the calls that follow.
fn numbered(mut answer: Value, name: &str, number: String) -> Value {
    answer[name] = Value::String(number);
    answer
}

/// A number that is made here is told before anything is sent: whoever breaks the call off needs it
/// to ask what became of it.
fn number(said: Option<String>, prefix: Prefix) -> Result<String, AnyError> {
    if let Some(number) = said {
        return Ok(number);
    }
    let (random, now) = (rand::random(), SystemSurroundings.now());
    let number = OrderNo::new(prefix, now, "00000", "00", random)?.to_string();
    let of = match prefix {
        Prefix::Refund => "refund",
        _ => "payment",
    };
    writeln!(std::io::stderr(), "number of the {of}: {number}")?;
    Ok(number)
}

fn yuan(text: &str) -> Result<Money, AnyError> {
    let amount = from_yuan(text).filter(|amount| *amount > Money::ZERO);
    amount.ok_or_else(|| format!("{text:?} is no amount in yuan, such as 0.01").into())
}

fn wallet(word: &str) -> Result<Wallet, AnyError> {
    match word {
        "wechat" => Ok(Wallet::Wechat),
        "alipay" => Ok(Wallet::Alipay),
        "unionpay" => Ok(Wallet::Unionpay),
        "ecny" => Ok(Wallet::Ecny),
        _ => Err("say which wallet: --wallet wechat, alipay, unionpay or ecny".into()),
    }
}
