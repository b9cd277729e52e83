//! One payment attempt at the gateway.

use std::fmt;

use qiantai_core::attempt::DeclineCode;
use qiantai_core::clock::Timestamp;
use qiantai_core::money::Money;
use qiantai_pay::channels::training::message::{
    ChargeCode, CreatePayment, Paid, PaymentAnswer, PaymentState, WalletName, decline_name,
};

use super::AttemptKey;
use super::outbox::NoticeDraft;

/// An attempt that arrived.
#[derive(Debug)]
pub(super) struct Payment {
    /// The request as it came, to recognise its repetition.
    pub content: Content,
    /// Knowing it is the right to pay.
    pub token: String,
    pub amount: Money,
    pub wallet: WalletName,
    pub stage: Stage,
    /// More than one only when it was paid twice.
    pub transactions: Vec<Transaction>,
    pub created_at: Timestamp,
}

/// The request that made an attempt.
#[derive(PartialEq, Eq)]
pub(super) enum Content {
    Qr(CreatePayment),
    Code(ChargeCode),
}

impl fmt::Debug for Content {
    // A payment code must not be printed.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Content::Qr(request) => request.fmt(f),
            Content::Code(request) => f
                .debug_struct("ChargeCode")
                .field("attempt_no", &request.attempt_no)
                .finish(),
        }
    }
}

/// Where an attempt stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    NotScanned,
    UserPaying,
    Paid,
    Failed(DeclineCode),
    Closed,
    Reversed,
}

/// Money that was received.
#[derive(Debug)]
pub(super) struct Transaction {
    pub channel_txn_no: String,
    pub amount: Money,
    pub paid_at: Timestamp,
    pub payer: String,
    /// By refunds or a reversal.
    pub returned: Money,
}

impl Payment {
    pub fn new(content: Content, token: String, now: Timestamp) -> Payment {
        let (amount_fen, wallet) = match &content {
            Content::Qr(request) => (request.amount_fen, request.wallet),
            // Replaced as soon as the code is known.
            Content::Code(request) => (request.amount_fen, WalletName::Wechat),
        };
        Payment {
            content,
            token,
            amount: Money::from_fen(amount_fen),
            wallet,
            stage: Stage::NotScanned,
            transactions: Vec::new(),
            created_at: now,
        }
    }

    pub fn is_qr(&self) -> bool {
        matches!(self.content, Content::Qr(_))
    }

    pub fn merchant(&self) -> &str {
        match &self.content {
            Content::Qr(request) => &request.merchant,
            Content::Code(request) => &request.merchant,
        }
    }

    pub fn attempt_no(&self) -> &str {
        match &self.content {
            Content::Qr(request) => &request.attempt_no,
            Content::Code(request) => &request.attempt_no,
        }
    }

    pub fn subject(&self) -> &str {
        match &self.content {
            Content::Qr(request) => &request.subject,
            Content::Code(request) => &request.subject,
        }
    }

    pub fn expires_at(&self) -> Option<Timestamp> {
        match &self.content {
            Content::Qr(request) => Some(Timestamp::from_ms(request.expires_at_ms)),
            Content::Code(_) => None,
        }
    }

    fn notify_url(&self) -> Option<&str> {
        match &self.content {
            Content::Qr(request) => request.notify_url.as_deref(),
            Content::Code(request) => request.notify_url.as_deref(),
        }
    }

    /// Closes an open QR attempt whose time has passed.
    pub fn expire(&mut self, now: Timestamp) {
        let is_open = matches!(self.stage, Stage::NotScanned | Stage::UserPaying);
        if is_open && self.expires_at().is_some_and(|end| now >= end) {
            self.stage = Stage::Closed;
        }
    }

    pub fn receive(&mut self, amount: Money, serial: u32, payer: &str, now: Timestamp) {
        let prefix = match self.wallet {
            WalletName::Wechat => "42",
            WalletName::Alipay => "22",
            WalletName::Unionpay => "62",
            WalletName::Ecny => "01",
        };
        self.stage = Stage::Paid;
        self.transactions.push(Transaction {
            channel_txn_no: format!("{prefix}{:014}{serial:010}", now.ms()),
            amount,
            paid_at: now,
            payer: payer.to_owned(),
            returned: Money::ZERO,
        });
    }

    pub fn answer(&self) -> PaymentAnswer {
        let state = match self.stage {
            Stage::NotScanned => PaymentState::NotScanned,
            Stage::UserPaying => PaymentState::UserPaying,
            Stage::Paid => PaymentState::Paid,
            Stage::Failed(_) => PaymentState::Failed,
            Stage::Closed => PaymentState::Closed,
            Stage::Reversed => PaymentState::Reversed,
        };
        let decline = match self.stage {
            Stage::Failed(cause) => Some(decline_name(cause).to_owned()),
            _ => None,
        };
        PaymentAnswer {
            merchant: self.merchant().to_owned(),
            attempt_no: self.attempt_no().to_owned(),
            state,
            payload: None,
            paid: self.transactions.first().map(Transaction::paid),
            decline,
        }
    }

    /// The notice of the newest transaction; `None` when the merchant wants none.
    pub fn notice_of_last(&self) -> Option<NoticeDraft> {
        let transaction = self.transactions.last()?;
        self.notice(transaction.paid())
    }

    /// A notice that says `paid`, true or not.
    pub fn notice(&self, paid: Paid) -> Option<NoticeDraft> {
        Some(NoticeDraft {
            merchant: self.merchant().to_owned(),
            attempt_no: self.attempt_no().to_owned(),
            url: self.notify_url()?.to_owned(),
            paid,
        })
    }
}

impl Transaction {
    fn paid(&self) -> Paid {
        Paid {
            channel_txn_no: self.channel_txn_no.clone(),
            amount_fen: self.amount.fen(),
            paid_at_ms: self.paid_at.ms(),
            payer: Some(self.payer.clone()),
        }
    }
}

/// The answer about an attempt of which only the end is known.
pub(super) fn bare_answer(key: &AttemptKey, state: PaymentState) -> PaymentAnswer {
    PaymentAnswer {
        merchant: key.0.clone(),
        attempt_no: key.1.clone(),
        state,
        payload: None,
        paid: None,
        decline: None,
    }
}
