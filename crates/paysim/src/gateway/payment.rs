//! One payment attempt at the gateway.

use qiantai_core::attempt::DeclineCode;
use qiantai_core::clock::{Millis, Timestamp};
use qiantai_core::money::Money;
use qiantai_pay::channels::training::message::WalletName;

use super::order::{AttemptKey, Means, NewPayment};
use super::outbox::{Event, NoticeDraft};

/// How long a wallet waits for the password of a payment code: longer than any merchant does.
const PASSWORD_WITHIN: Millis = Millis::minutes(5);

/// An attempt that arrived.
#[derive(Clone, Debug)]
pub(crate) struct Payment {
    /// The request as it came, to recognise its repetition.
    pub order: NewPayment,
    /// Knowing it is the right to pay.
    pub token: String,
    /// When the token was given out.
    pub token_since: Timestamp,
    pub wallet: WalletName,
    pub stage: Stage,
    /// True once the customer had it on the phone, also if the phone was put away again.
    pub was_scanned: bool,
    /// More than one only when it was paid twice.
    pub transactions: Vec<Transaction>,
    pub created_at: Timestamp,
    /// When it was closed, declined or reversed.
    pub ended_at: Option<Timestamp>,
}

/// Where an attempt stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    NotScanned,
    UserPaying,
    Paid,
    Failed(DeclineCode),
    Closed,
    Reversed,
}

impl Stage {
    pub fn is_open(self) -> bool {
        matches!(self, Stage::NotScanned | Stage::UserPaying)
    }
}

/// Money that was received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Transaction {
    pub channel_txn_no: String,
    pub amount: Money,
    pub paid_at: Timestamp,
    pub payer: String,
    /// By refunds or a reversal.
    pub returned: Money,
}

impl Transaction {
    pub fn left(&self) -> Money {
        self.amount - self.returned
    }
}

impl Payment {
    pub fn new(order: NewPayment, wallet: WalletName, token: String, now: Timestamp) -> Payment {
        Payment {
            order,
            token,
            token_since: now,
            wallet,
            stage: Stage::NotScanned,
            was_scanned: false,
            transactions: Vec::new(),
            created_at: now,
            ended_at: None,
        }
    }

    pub fn key(&self) -> &AttemptKey {
        &self.order.key
    }

    pub fn amount(&self) -> Money {
        self.order.amount
    }

    pub fn is_qr(&self) -> bool {
        matches!(self.order.means, Means::Qr { .. })
    }

    pub fn expires_at(&self) -> Option<Timestamp> {
        match self.order.means {
            Means::Qr { expires_at, .. } => Some(expires_at),
            Means::Code { .. } => None,
        }
    }

    /// When its QR code stops being payable.
    pub fn payable_until(&self) -> Option<Timestamp> {
        let code_ends = self.token_since + self.key().protocol.qr_habits().code_lives;
        self.expires_at().map(|end| end.min(code_ends))
    }

    /// What its QR code says.
    pub fn payload(&self) -> String {
        format!("{}{}", self.key().protocol.payload_prefix(), self.token)
    }

    /// The first payment.
    pub fn paid(&self) -> Option<&Transaction> {
        self.transactions.first()
    }

    /// What went back of all payments.
    pub fn returned(&self) -> Money {
        self.transactions.iter().map(|each| each.returned).sum()
    }

    /// True when the phone may still pay it.
    pub fn is_payable(&self, now: Timestamp) -> bool {
        self.stage.is_open() && self.payable_until().is_none_or(|end| now < end)
    }

    /// Ends an attempt whose time has passed: a QR attempt where the gateway does so by itself, a
    /// payment code whose password never came.
    pub fn expire(&mut self, now: Timestamp) {
        let Some(end) = self.expires_at() else {
            let end = self.created_at + PASSWORD_WITHIN;
            if self.stage == Stage::UserPaying && now >= end {
                self.end(Stage::Failed(DeclineCode::NotCompleted), end);
            }
            return;
        };
        let end = match self.key().protocol.qr_habits().stays_open {
            None => end,
            Some(stays_open) => self.created_at + stays_open,
        };
        if self.stage.is_open() && now >= end {
            self.end(Stage::Closed, end);
        }
    }

    /// Ends it unpaid.
    pub fn end(&mut self, stage: Stage, now: Timestamp) {
        self.stage = stage;
        self.ended_at = Some(now);
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

    /// The notice of the newest transaction; `None` when the merchant wants none, or the protocol
    /// sends none.
    pub fn notice_of_last(&self) -> Option<NoticeDraft> {
        self.notice(self.transactions.last()?.clone())
    }

    /// A notice that says so, true or not.
    pub fn notice(&self, paid: Transaction) -> Option<NoticeDraft> {
        Some(NoticeDraft {
            key: self.key().clone(),
            url: self.order.notify_url.clone()?,
            event: Event::Paid(paid),
        })
    }
}
