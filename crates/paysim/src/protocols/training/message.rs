//! What the training protocol's requests ask of the book, and what it answers.

use qiantai_core::clock::{Millis, Timestamp};
use qiantai_core::money::Money;
use qiantai_pay::channels::training::message::{
    AttemptRef, ChargeCode, CreatePayment, CreateRefund, FaultCode, Paid, PaymentAnswer,
    PaymentState, RefundRef, RefundReply, WalletName, decline_name,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Refusal, rules};
use crate::gateway::{
    AttemptKey, BookRefusal, Gateway, Means, NewPayment, NewRefund, Operation, Payment, Protocol,
    Refund, Stage, Transaction,
};

pub(super) enum Message {
    Create(CreatePayment),
    Charge(ChargeCode),
    Query(AttemptRef),
    Close(AttemptRef),
    Reverse(AttemptRef),
    Refund(CreateRefund),
    QueryRefund(RefundRef),
}

const EVERY_WALLET: [WalletName; 4] = [
    WalletName::Wechat,
    WalletName::Alipay,
    WalletName::Unionpay,
    WalletName::Ecny,
];

impl Message {
    pub fn read(operation: Operation, body: &[u8]) -> Result<Message, Refusal> {
        Ok(match operation {
            Operation::Create => Message::Create(parse(body)?),
            Operation::Charge => Message::Charge(parse(body)?),
            Operation::Query => Message::Query(parse(body)?),
            Operation::Close => Message::Close(parse(body)?),
            Operation::Reverse => Message::Reverse(parse(body)?),
            Operation::Refund => Message::Refund(parse(body)?),
            Operation::QueryRefund => Message::QueryRefund(parse(body)?),
            Operation::Bill | Operation::Certificates => {
                let message = "the protocol has no such request";
                return Err(Refusal::new(FaultCode::BadRequest, message));
            }
        })
    }

    /// The message, if it names the merchant whose key signed it.
    pub fn of(self, merchant: &str) -> Result<Message, Refusal> {
        let named = match &self {
            Message::Create(request) => &request.merchant,
            Message::Charge(request) => &request.merchant,
            Message::Query(request) | Message::Close(request) | Message::Reverse(request) => {
                &request.merchant
            }
            Message::Refund(request) => &request.merchant,
            Message::QueryRefund(request) => &request.merchant,
        };
        if named == merchant {
            Ok(self)
        } else {
            let message = "the message names another merchant";
            Err(Refusal::new(FaultCode::BadRequest, message))
        }
    }

    pub fn attempt_no(&self) -> Option<&str> {
        match self {
            Message::Create(request) => Some(&request.attempt_no),
            Message::Charge(request) => Some(&request.attempt_no),
            Message::Query(request) | Message::Close(request) | Message::Reverse(request) => {
                Some(&request.attempt_no)
            }
            Message::Refund(request) => Some(&request.attempt_no),
            Message::QueryRefund(_) => None,
        }
    }

    pub fn perform(self, gateway: &mut Gateway, now: Timestamp) -> Result<Vec<u8>, Refusal> {
        match self {
            Message::Create(request) => create(gateway, request, now).map(|a| json(&a)),
            Message::Charge(request) => charge(gateway, request, now).map(|a| json(&a)),
            Message::Query(request) => query(gateway, &request, now).map(|a| json(&a)),
            Message::Close(request) => close(gateway, &request, now).map(|a| json(&a)),
            Message::Reverse(request) => reverse(gateway, &request, now).map(|a| json(&a)),
            Message::Refund(request) => refund(gateway, request, now).map(|a| json(&a)),
            Message::QueryRefund(request) => {
                let found = gateway.find_refund(&key(&request.merchant, &request.refund_no));
                found.map(|a| json(&reply(a))).map_err(refusal)
            }
        }
    }
}

fn create(
    gateway: &mut Gateway,
    request: CreatePayment,
    now: Timestamp,
) -> Result<PaymentAnswer, Refusal> {
    let key = key(&request.merchant, &request.attempt_no);
    // A repetition may come when the code's time is over already.
    if gateway.find(&key, now).is_err() && gateway.voided(&key).is_none() {
        rules::check_create(&request, now)?;
    }
    let order = NewPayment {
        key: key.clone(),
        amount: Money::from_fen(request.amount_fen),
        subject: request.subject,
        means: Means::Qr {
            wallet: request.wallet,
            expires_at: Timestamp::from_ms(request.expires_at_ms),
        },
        notify_url: request.notify_url,
        rest: String::new(),
    };
    gateway.open_qr(order, now).map_err(refusal)?;
    let payment = gateway.find(&key, now).map_err(refusal)?;
    match payment.stage {
        Stage::NotScanned | Stage::UserPaying => Ok(PaymentAnswer {
            payload: Some(payment.payload()),
            ..standing(payment)
        }),
        Stage::Paid => Err(refusal(BookRefusal::AlreadyPaid)),
        Stage::Failed(_) | Stage::Closed | Stage::Reversed => Err(refusal(BookRefusal::Over)),
    }
}

fn charge(
    gateway: &mut Gateway,
    request: ChargeCode,
    now: Timestamp,
) -> Result<PaymentAnswer, Refusal> {
    let key = key(&request.merchant, &request.attempt_no);
    if gateway.find(&key, now).is_err() && gateway.voided(&key).is_none() {
        rules::check_charge(&request)?;
    }
    let order = NewPayment {
        key: key.clone(),
        amount: Money::from_fen(request.amount_fen),
        subject: request.subject,
        means: Means::Code {
            auth_code: request.auth_code,
        },
        notify_url: request.notify_url,
        rest: String::new(),
    };
    gateway.charge(order, &EVERY_WALLET, now).map_err(refusal)?;
    gateway.find(&key, now).map(standing).map_err(refusal)
}

fn query(
    gateway: &mut Gateway,
    request: &AttemptRef,
    now: Timestamp,
) -> Result<PaymentAnswer, Refusal> {
    let key = key(&request.merchant, &request.attempt_no);
    match gateway.voided(&key) {
        Some(stage) => Ok(bare_answer(&key, stage)),
        None => gateway.find(&key, now).map(standing).map_err(refusal),
    }
}

/// A number that never arrived is closed for good.
fn close(
    gateway: &mut Gateway,
    request: &AttemptRef,
    now: Timestamp,
) -> Result<PaymentAnswer, Refusal> {
    let key = key(&request.merchant, &request.attempt_no);
    match gateway.close(&key, now) {
        Err(BookRefusal::NotFound) => {
            rules::check_number("attempt_no", &request.attempt_no)?;
            gateway.void(&key, Stage::Closed);
            Ok(bare_answer(&key, Stage::Closed))
        }
        Err(other) => Err(refusal(other)),
        Ok(()) => gateway.find(&key, now).map(standing).map_err(refusal),
    }
}

fn reverse(
    gateway: &mut Gateway,
    request: &AttemptRef,
    now: Timestamp,
) -> Result<PaymentAnswer, Refusal> {
    rules::check_number("attempt_no", &request.attempt_no)?;
    let key = key(&request.merchant, &request.attempt_no);
    gateway.reverse(&key, now).map_err(refusal)?;
    match gateway.find(&key, now) {
        Ok(payment) => Ok(standing(payment)),
        Err(_) => Ok(bare_answer(&key, Stage::Reversed)),
    }
}

fn refund(
    gateway: &mut Gateway,
    request: CreateRefund,
    now: Timestamp,
) -> Result<RefundReply, Refusal> {
    let refund_key = key(&request.merchant, &request.refund_no);
    if gateway.find_refund(&refund_key).is_err() {
        rules::check_refund(&request)?;
    }
    let order = NewRefund {
        key: key(&request.merchant, &request.attempt_no),
        channel_txn_no: request.channel_txn_no,
        refund_no: request.refund_no,
        amount: Money::from_fen(request.amount_fen),
        reason: request.reason,
        notify_url: None,
    };
    let (done, _) = gateway.refund(&order, Millis(0), now).map_err(refusal)?;
    Ok(reply(&done))
}

fn key(merchant: &str, attempt_no: &str) -> AttemptKey {
    AttemptKey {
        protocol: Protocol::Training,
        merchant: merchant.to_owned(),
        attempt_no: attempt_no.to_owned(),
    }
}

fn reply(refund: &Refund) -> RefundReply {
    RefundReply {
        merchant: refund.order.key.merchant.clone(),
        refund_no: refund.order.refund_no.clone(),
        channel_refund_no: refund.channel_refund_no.clone(),
        amount_fen: refund.order.amount.fen(),
    }
}

fn standing(payment: &Payment) -> PaymentAnswer {
    let decline = match payment.stage {
        Stage::Failed(cause) => Some(decline_name(cause).to_owned()),
        _ => None,
    };
    PaymentAnswer {
        paid: payment.paid().map(paid),
        decline,
        ..bare_answer(payment.key(), payment.stage)
    }
}

/// The answer about an attempt of which only the stage is known.
fn bare_answer(key: &AttemptKey, stage: Stage) -> PaymentAnswer {
    PaymentAnswer {
        merchant: key.merchant.clone(),
        attempt_no: key.attempt_no.clone(),
        state: match stage {
            Stage::NotScanned => PaymentState::NotScanned,
            Stage::UserPaying => PaymentState::UserPaying,
            Stage::Paid => PaymentState::Paid,
            Stage::Failed(_) => PaymentState::Failed,
            Stage::Closed => PaymentState::Closed,
            Stage::Reversed => PaymentState::Reversed,
        },
        payload: None,
        paid: None,
        decline: None,
    }
}

pub(super) fn paid(transaction: &Transaction) -> Paid {
    let payer = Some(transaction.payer.clone()).filter(|payer| !payer.is_empty());
    Paid {
        channel_txn_no: transaction.channel_txn_no.clone(),
        amount_fen: transaction.amount.fen(),
        paid_at_ms: transaction.paid_at.ms(),
        payer,
    }
}

fn refusal(cause: BookRefusal) -> Refusal {
    let code = match cause {
        BookRefusal::NumberUsed => FaultCode::AttemptNoUsed,
        BookRefusal::Voided | BookRefusal::Over => FaultCode::OrderClosed,
        BookRefusal::NotFound => FaultCode::AttemptNotFound,
        BookRefusal::WrongKind => FaultCode::WrongKind,
        BookRefusal::AlreadyPaid => FaultCode::AlreadyPaid,
        BookRefusal::NotPaid => FaultCode::NotPaid,
        BookRefusal::RefundExceedsPaid => FaultCode::RefundExceedsPaid,
        BookRefusal::RefundNumberUsed => FaultCode::RefundNoUsed,
        BookRefusal::RefundNotFound => FaultCode::RefundNotFound,
    };
    Refusal::new(code, cause.to_string())
}

fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Refusal> {
    serde_json::from_slice(body)
        .map_err(|error| Refusal::new(FaultCode::BadRequest, error.to_string()))
}

pub(super) fn json(message: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(message).expect("messages hold only texts and numbers")
}
