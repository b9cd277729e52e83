//! Orders of a terminal: charged, made, asked about, cancelled, refunded. A number serves once.

use http::Uri;
use qiantai_core::clock::{Millis, Timestamp};
use qiantai_core::money::Money;
use qiantai_pay::channels::training::message::WalletName;
use qiantai_pay::yuan::from_fen;
use serde_json::{Map, Value, json};

use super::account::ECNY_PAYWAY;
use super::answer::{Answer, Refusal, declined, failed, step};
use super::terminal::carries_ecny;
use crate::gateway::{
    Arrival, AttemptKey, BookRefusal, Gateway, Means, NewPayment, NewRefund, Payment, Protocol,
    Stage, Transaction,
};

/// Wallets that a contract carries; [`WalletName::Ecny`] comes by agreement.
const WALLETS: [WalletName; 4] = [
    WalletName::Wechat,
    WalletName::Alipay,
    WalletName::Unionpay,
    WalletName::Ecny,
];
/// How long a QR code is good for.
pub(super) const CODE_LIVES: Millis = Millis::minutes(4);
const REFUNDABLE_FOR: Millis = Millis::days(90);

/// What a call says, signed by the terminal that it names.
#[derive(Clone, Debug)]
pub(super) struct Content {
    fields: Map<String, Value>,
    terminal_sn: String,
}

impl Content {
    pub fn read(body: &[u8], terminal_sn: &str) -> Result<Content, Refusal> {
        let fields: Map<String, Value> =
            serde_json::from_slice(body).map_err(|_| Refusal::parameter("请求不是JSON对象"))?;
        let content = Content {
            fields,
            terminal_sn: terminal_sn.to_owned(),
        };
        if content.need("terminal_sn", 32)? == terminal_sn {
            Ok(content)
        } else {
            Err(Refusal::parameter("terminal_sn与签名不符"))
        }
    }

    pub fn text(&self, name: &str) -> Option<&str> {
        let text = self.fields.get(name)?.as_str()?;
        (!text.is_empty()).then_some(text)
    }

    fn need(&self, name: &str, chars_max: usize) -> Result<&str, Refusal> {
        self.text(name)
            .filter(|text| text.chars().count() <= chars_max)
            .ok_or_else(|| Refusal::parameter(format!("参数{name}缺失或过长")))
    }

    /// Fen, written as a text.
    fn amount(&self, name: &str) -> Result<Money, Refusal> {
        from_fen(self.need(name, 12)?)
            .filter(|amount| amount.is_positive())
            .ok_or_else(|| Refusal::parameter(format!("参数{name}须为以分为单位的正整数")))
    }

    fn notify_url(&self) -> Result<Option<String>, Refusal> {
        let Some(url) = self.text("notify_url") else {
            return Ok(None);
        };
        let is_good = url.parse::<Uri>().is_ok_and(|uri| {
            matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some()
        });
        is_good
            .then(|| Some(url.to_owned()))
            .ok_or_else(|| Refusal::parameter("参数notify_url错误"))
    }

    fn key(&self, number: &str) -> AttemptKey {
        AttemptKey {
            protocol: Protocol::Shouqianba,
            merchant: self.terminal_sn.clone(),
            attempt_no: number.to_owned(),
        }
    }

    fn payment(&self, means: Means) -> Result<NewPayment, Refusal> {
        self.need("operator", 32)?;
        Ok(NewPayment {
            key: self.key(self.need("client_sn", 32)?),
            amount: self.amount("total_amount")?,
            subject: self.need("subject", 64)?.to_owned(),
            means,
            notify_url: self.notify_url()?,
            rest: String::new(),
        })
    }

    /// The order that a call names, by either number.
    fn named(&self, gateway: &Gateway) -> Result<Option<AttemptKey>, Refusal> {
        match (self.text("sn"), self.text("client_sn")) {
            (Some(sn), _) => Ok(gateway.attempt_of(Protocol::Shouqianba, &self.terminal_sn, sn)),
            (None, Some(number)) => Ok(Some(self.key(number))),
            (None, None) => Err(Refusal::parameter("sn与client_sn不能同时为空")),
        }
    }
}

/// Charges a payment code.
pub(super) fn pay(
    gateway: &mut Gateway,
    content: &Content,
    now: Timestamp,
) -> Result<Answer, Refusal> {
    let auth_code = content.need("dynamic_id", 32)?.to_owned();
    let order = content.payment(Means::Code { auth_code })?;
    let key = order.key.clone();
    let wallets = wallets(gateway, content);
    match gateway.charge(order, wallets, now) {
        Ok(Arrival::New) => {}
        Ok(Arrival::Repeated) | Err(_) => return Ok(conflict("PAY_FAIL")),
    }
    let Ok(payment) = gateway.find(&key, now) else {
        return Ok(absent("PAY_FAIL"));
    };
    let order = standing(payment);
    Ok(match payment.stage {
        Stage::Failed(cause) => declined(cause, order),
        Stage::Paid => step("PAY_SUCCESS", order),
        _ => step("PAY_IN_PROGRESS", order),
    })
}

fn wallets(gateway: &Gateway, content: &Content) -> &'static [WalletName] {
    match carries_ecny(gateway, &content.terminal_sn) {
        true => &WALLETS,
        false => &WALLETS[..3],
    }
}

/// Makes a QR code of one wallet.
pub(super) fn precreate(
    gateway: &mut Gateway,
    content: &Content,
    now: Timestamp,
) -> Result<Answer, Refusal> {
    let wallet = match content.need("payway", 4)? {
        "1" | "2" => WalletName::Alipay,
        "3" => WalletName::Wechat,
        "15" | "16" | "17" => WalletName::Unionpay,
        ECNY_PAYWAY if carries_ecny(gateway, &content.terminal_sn) => WalletName::Ecny,
        _ => return Err(Refusal::parameter("payway不支持")),
    };
    let order = content.payment(Means::Qr {
        wallet,
        expires_at: now + CODE_LIVES,
    })?;
    let key = order.key.clone();
    if gateway.find(&key, now).is_ok() || gateway.open_qr(order, now).is_err() {
        return Ok(conflict("PRECREATE_FAIL"));
    }
    let Ok(payment) = gateway.find(&key, now) else {
        return Ok(absent("PRECREATE_FAIL"));
    };
    let mut order = standing(payment);
    order["qr_code"] = json!(payment.payload());
    Ok(step("PRECREATE_SUCCESS", order))
}

pub(super) fn query(
    gateway: &mut Gateway,
    content: &Content,
    now: Timestamp,
) -> Result<Answer, Refusal> {
    let key = content.named(gateway)?;
    let found = key.and_then(|key| gateway.find(&key, now).ok());
    Ok(match found {
        Some(payment) => step("SUCCESS", asked_about(payment, content.text("sn"))),
        None => absent("FAIL"),
    })
}

/// Undoes an order of the same day, paid or not.
pub(super) fn cancel(
    gateway: &mut Gateway,
    content: &Content,
    now: Timestamp,
) -> Result<Answer, Refusal> {
    let Some(key) = content.named(gateway)? else {
        return Ok(absent("CANCEL_ERROR"));
    };
    let Ok(payment) = gateway.find(&key, now) else {
        return Ok(absent("CANCEL_ERROR"));
    };
    let is_of_today = payment.created_at.local().date() == now.local().date();
    let is_unpaid_qr = payment.stage.is_open() && payment.is_qr();
    let refused = |code, message| Ok(failed("CANCEL_ERROR", code, message));
    match payment.stage {
        Stage::Closed | Stage::Reversed | Stage::Failed(_) => {
            return refused("UPAY_CANCEL_ORDER_NOOP", "订单已撤销");
        }
        Stage::Paid if payment.returned().is_positive() || !is_of_today => {
            return refused("UPAY_CANCEL_INVALID_ORDER_STATE", "订单状态不允许撤单");
        }
        Stage::Paid | Stage::NotScanned | Stage::UserPaying => {}
    }
    let undone = match is_unpaid_qr {
        true => gateway.close(&key, now),
        false => gateway.undo(&key, now),
    };
    if undone.is_err() {
        return refused("UPAY_CANCEL_INVALID_ORDER_STATE", "订单状态不允许撤单");
    }
    Ok(match gateway.find(&key, now) {
        Ok(payment) => step("CANCEL_SUCCESS", standing(payment)),
        Err(_) => absent("CANCEL_ERROR"),
    })
}

pub(super) fn refund(
    gateway: &mut Gateway,
    content: &Content,
    now: Timestamp,
) -> Result<Answer, Refusal> {
    let amount = content.amount("refund_amount")?;
    let refund_no = content.need("refund_request_no", 32)?.to_owned();
    content.need("operator", 32)?;
    let refused = |code, message| Ok(failed("REFUND_ERROR", code, message));
    let Some(key) = content.named(gateway)? else {
        return Ok(absent("REFUND_ERROR"));
    };
    let Ok(payment) = gateway.find(&key, now) else {
        return Ok(absent("REFUND_ERROR"));
    };
    if payment
        .paid()
        .is_some_and(|paid| now - paid.paid_at > REFUNDABLE_FOR)
    {
        return refused("UPAY_TCP_ORDER_NOT_REFUNDABLE", "订单已过退款期限");
    }
    let order = NewRefund {
        channel_txn_no: content.text("sn").map(str::to_owned),
        key: key.clone(),
        refund_no,
        amount,
        reason: String::new(),
        notify_url: None,
    };
    match gateway.refund(&order, Millis(0), now) {
        Ok(_) => {}
        Err(BookRefusal::RefundNumberUsed) => {
            return refused("REFUND_REQUEST_CONFLICT", "退款序列号重复");
        }
        Err(BookRefusal::RefundExceedsPaid) => {
            return refused("REFUNDABLE_AMOUNT_NOT_ENOUGH", "可退金额不足");
        }
        Err(_) => return refused("UPAY_REFUND_INVALID_ORDER_STATE", "订单状态不允许退款"),
    }
    Ok(match gateway.find(&key, now) {
        Ok(payment) => step("REFUND_SUCCESS", standing(payment)),
        Err(_) => absent("REFUND_ERROR"),
    })
}

fn conflict(result: &str) -> Answer {
    failed(result, "CLIENT_SN_CONFLICT", "client_sn在系统中已存在")
}

fn absent(result: &str) -> Answer {
    failed(result, "UPAY_ORDER_NOT_EXISTS", "订单不存在")
}

/// An order as answers state it.
fn standing(payment: &Payment) -> Value {
    let mut order = json!({
        "terminal_sn": payment.key().merchant,
        "client_sn": payment.key().attempt_no,
        "sn": sn(payment),
        "payway": payway(payment.wallet),
        "sub_payway": if payment.is_qr() { "2" } else { "1" },
        "order_status": order_status(payment),
        "status": step_status(payment),
        "total_amount": payment.amount().fen().to_string(),
        "subject": payment.order.subject,
    });
    if let Some(paid) = payment.paid() {
        order["total_amount"] = json!(paid.amount.fen().to_string());
        order["net_amount"] = json!(paid.left().fen().to_string());
        order["trade_no"] = json!(paid.channel_txn_no);
        order["payer_uid"] = json!(paid.payer);
        order["finish_time"] = json!(paid.paid_at.ms().to_string());
        order["channel_finish_time"] = json!(paid.paid_at.ms().to_string());
    }
    order
}

/// The same for who asks by the number of a payment, which need not be the order's first.
fn asked_about(payment: &Payment, sn: Option<&str>) -> Value {
    let mut later = payment.transactions.iter().skip(1);
    let Some(paid) = later.find(|paid| Some(paid.channel_txn_no.as_str()) == sn) else {
        return standing(payment);
    };
    let mut order = told(payment, paid);
    order["order_status"] = json!(match payment.stage {
        Stage::Reversed => "CANCELED",
        _ if !paid.returned.is_positive() => "PAID",
        _ if paid.left().is_positive() => "PARTIAL_REFUNDED",
        _ => "REFUNDED",
    });
    order
}

/// A payment as its notice states it, which need not be the order's first.
pub(super) fn told(payment: &Payment, paid: &Transaction) -> Value {
    let mut order = standing(payment);
    order["sn"] = json!(paid.channel_txn_no);
    order["order_status"] = json!("PAID");
    order["status"] = json!("SUCCESS");
    order["total_amount"] = json!(paid.amount.fen().to_string());
    order["payer_uid"] = json!(paid.payer);
    order["finish_time"] = json!(paid.paid_at.ms().to_string());
    order["channel_finish_time"] = json!(paid.paid_at.ms().to_string());
    order
}

fn sn(payment: &Payment) -> String {
    match payment.paid() {
        Some(paid) => paid.channel_txn_no.clone(),
        None => format!("7895{:014}", payment.created_at.ms()),
    }
}

fn payway(wallet: WalletName) -> &'static str {
    match wallet {
        WalletName::Alipay => "2",
        WalletName::Wechat => "3",
        WalletName::Unionpay => "17",
        WalletName::Ecny => ECNY_PAYWAY,
    }
}

fn order_status(payment: &Payment) -> &'static str {
    let left = payment.paid().map(Transaction::left);
    match payment.stage {
        Stage::NotScanned | Stage::UserPaying => "CREATED",
        Stage::Paid if !payment.returned().is_positive() => "PAID",
        Stage::Paid if left.is_some_and(Money::is_positive) => "PARTIAL_REFUNDED",
        Stage::Paid => "REFUNDED",
        Stage::Reversed if payment.paid().is_some() => "CANCELED",
        Stage::Failed(_) | Stage::Closed | Stage::Reversed => "PAY_CANCELED",
    }
}

fn step_status(payment: &Payment) -> &'static str {
    match payment.stage {
        Stage::NotScanned | Stage::UserPaying => "IN_PROG",
        Stage::Failed(_) | Stage::Closed => "FAIL_CANCELED",
        Stage::Paid | Stage::Reversed => "SUCCESS",
    }
}
