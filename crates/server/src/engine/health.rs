//! Which gateways answer. One that fails time after time is down: terminals are told, it is probed,
//! and the first answer brings it back.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bytes::Bytes;
use http::HeaderMap;
use qiantai_core::number_text::is_number_text;
use qiantai_core::order_no::{OrderNo, Prefix};
use qiantai_core::{Millis, Timestamp};
use qiantai_pay::credentials::Expiry;
use qiantai_pay::{
    BillAnswer, BillRequest, Channel, ChannelId, CloseAnswer, CodeRequest, GatewayAnswer, Notice,
    NoticeError, NoticeReceipt, PaymentNotice, QrAnswer, QrRequest, RefundAnswer, RefundQuery,
    RefundRequest, ReverseAnswer, UnknownCause,
};
use tokio::sync::watch;
use uuid::Uuid;

use super::lock;
use crate::clock::Clock;

/// So many failures in a row, and the gateway is down.
const FAILURES_MAX: u32 = 3;

/// Between probes of a gateway that is down.
const PROBE_EVERY: Millis = Millis::seconds(30);

/// How a gateway stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It answers, as far as is known.
    Up,
    /// It has failed since then.
    Down(Timestamp),
}

/// How every gateway stands, by name. One that was never asked is up.
pub(crate) struct Health {
    gateways: Mutex<BTreeMap<ChannelId, Gateway>>,
    /// Counts the changes between up and down.
    changes: watch::Sender<u64>,
}

struct Gateway {
    /// In a row.
    failures: u32,
    first_failure: Timestamp,
    probed_at: Timestamp,
    /// Names its probes among the tasks.
    key: Uuid,
}

impl Gateway {
    fn is_down(&self) -> bool {
        self.failures >= FAILURES_MAX
    }
}

impl Default for Health {
    fn default() -> Health {
        Health {
            gateways: Mutex::default(),
            changes: watch::channel(0).0,
        }
    }
}

impl Health {
    pub(crate) fn of(&self, name: ChannelId) -> Standing {
        match lock(&self.gateways).get(&name) {
            Some(gateway) if gateway.is_down() => Standing::Down(gateway.first_failure),
            _ => Standing::Up,
        }
    }

    /// Told at each change between up and down.
    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// Those to be probed, with the time and the key of the task.
    pub(super) fn probes(&self) -> Vec<(ChannelId, Timestamp, Uuid)> {
        let gateways = lock(&self.gateways);
        let down = gateways.iter().filter(|(_, gateway)| gateway.is_down());
        down.map(|(name, gateway)| (*name, gateway.probed_at + PROBE_EVERY, gateway.key))
            .collect()
    }

    pub(super) fn is_probed(&self, name: ChannelId, now: Timestamp) {
        if let Some(gateway) = lock(&self.gateways).get_mut(&name) {
            gateway.probed_at = now;
        }
    }

    pub(super) fn heard(&self, name: ChannelId, failed: bool, now: Timestamp) {
        let mut gateways = lock(&self.gateways);
        let was_down = gateways.get(&name).is_some_and(Gateway::is_down);
        if !failed {
            gateways.remove(&name);
        } else {
            let gateway = gateways.entry(name).or_insert_with(|| Gateway {
                failures: 0,
                first_failure: now,
                probed_at: now,
                key: Uuid::now_v7(),
            });
            gateway.failures = gateway.failures.saturating_add(1);
            if !gateway.is_down() || !was_down {
                gateway.probed_at = now;
            }
        }
        let is_down = gateways.get(&name).is_some_and(Gateway::is_down);
        drop(gateways);
        if was_down != is_down {
            match is_down {
                true => tracing::error!(channel = %name, "the payment channel is down"),
                false => tracing::info!(channel = %name, "the payment channel is back"),
            }
            self.tell();
        }
    }

    pub(super) fn tell(&self) {
        self.changes.send_modify(|count| *count += 1);
    }
}

/// A number that no attempt has: its store does not exist.
pub(super) fn probe_number(now: Timestamp) -> Option<String> {
    let number = OrderNo::new(Prefix::Attempt, now, "00000", "00", 0).ok()?;
    Some(number.to_string())
}

/// A gateway whose answers are listened to.
pub(super) struct Heard {
    pub(super) gateway: Arc<dyn Channel>,
    pub(super) health: Arc<Health>,
    pub(super) clock: Arc<dyn Clock>,
}

impl Heard {
    fn answered(&self, failed: bool) {
        self.health
            .heard(self.gateway.id(), failed, self.clock.now());
    }
}

/// No answer, or none that can be believed. What a gateway says about one payment is an answer.
fn is_failure(cause: &UnknownCause) -> bool {
    match cause {
        UnknownCause::NotSent
        | UnknownCause::Timeout
        | UnknownCause::Broken
        | UnknownCause::BadSignature
        | UnknownCause::GatewayFault(_)
        | UnknownCause::Unreadable(_) => true,
        UnknownCause::Mismatched
        | UnknownCause::NotFound
        | UnknownCause::NotFoundOrNotScanned
        | UnknownCause::AlreadyPaid
        | UnknownCause::NumberReused
        | UnknownCause::Busy
        | UnknownCause::Unlisted(_) => false,
    }
}

/// The answer, as far as the books can keep it.
fn kept(answer: GatewayAnswer) -> GatewayAnswer {
    match answer {
        GatewayAnswer::Success(paid) | GatewayAnswer::Returned(paid)
            if !is_number_text(&paid.channel_txn_no) =>
        {
            GatewayAnswer::Unknown(UnknownCause::Unreadable("the payment's number".into()))
        }
        answer => answer,
    }
}

macro_rules! failed {
    ($answer:expr, $kind:ident) => {
        match $answer {
            $kind::Unknown(cause) => is_failure(cause),
            $kind::ConfigError(_) => true,
            _ => false,
        }
    };
}

#[async_trait]
impl Channel for Heard {
    fn id(&self) -> ChannelId {
        self.gateway.id()
    }

    async fn create_qr(&self, request: &QrRequest) -> QrAnswer {
        let answer = match self.gateway.create_qr(request).await {
            QrAnswer::Created { payload } if payload.chars().any(char::is_control) => {
                QrAnswer::Unknown(UnknownCause::Unreadable("no QR code says this".into()))
            }
            answer => answer,
        };
        self.answered(failed!(&answer, QrAnswer));
        answer
    }

    async fn charge_code(&self, request: &CodeRequest) -> GatewayAnswer {
        let answer = kept(self.gateway.charge_code(request).await);
        self.answered(failed!(&answer, GatewayAnswer));
        answer
    }

    async fn query(&self, attempt_no: &str) -> GatewayAnswer {
        let answer = kept(self.gateway.query(attempt_no).await);
        self.answered(failed!(&answer, GatewayAnswer));
        answer
    }

    async fn confirm(&self, notice: &PaymentNotice) -> GatewayAnswer {
        let answer = kept(self.gateway.confirm(notice).await);
        self.answered(failed!(&answer, GatewayAnswer));
        answer
    }

    async fn close(&self, attempt_no: &str, asked_at: Option<Timestamp>) -> CloseAnswer {
        let answer = self.gateway.close(attempt_no, asked_at).await;
        self.answered(failed!(&answer, CloseAnswer));
        answer
    }

    async fn reverse(&self, attempt_no: &str, charged_at: Option<Timestamp>) -> ReverseAnswer {
        let answer = self.gateway.reverse(attempt_no, charged_at).await;
        self.answered(failed!(&answer, ReverseAnswer));
        answer
    }

    async fn refund(&self, request: &RefundRequest) -> RefundAnswer {
        let answer = self.gateway.refund(request).await;
        self.answered(failed!(&answer, RefundAnswer));
        answer
    }

    async fn query_refund(&self, query: &RefundQuery) -> RefundAnswer {
        let answer = self.gateway.query_refund(query).await;
        self.answered(failed!(&answer, RefundAnswer));
        answer
    }

    async fn fetch_bill(&self, request: &BillRequest) -> BillAnswer {
        self.gateway.fetch_bill(request).await
    }

    fn expiries(&self) -> Vec<Expiry> {
        self.gateway.expiries()
    }

    fn parse_notice(&self, headers: &HeaderMap, body: &[u8]) -> Result<Notice, NoticeError> {
        self.gateway.parse_notice(headers, body)
    }

    fn notice_response(&self, notice: &[u8], receipt: NoticeReceipt) -> http::Response<Bytes> {
        self.gateway.notice_response(notice, receipt)
    }
}
