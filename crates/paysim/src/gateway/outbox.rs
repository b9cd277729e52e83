//! Notices on their way to merchants.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::{HeaderValue, Method, header};
use qiantai_core::clock::{Millis, Timestamp};
use qiantai_pay::SharedKey;
use qiantai_pay::channels::training::message::{Paid, PaidNotice};
use qiantai_pay::channels::training::signature::{Envelope, Scope};
use rand::Rng;
use rand_chacha::ChaCha20Rng;

use super::Merchant;
use super::faults::NoticeFault;

/// Waits between the tries of a notice: the schedule of WeChat Pay, about 25 hours in all.
pub const RETRY_DELAYS: [Millis; 15] = [
    Millis::seconds(15),
    Millis::seconds(15),
    Millis::seconds(30),
    Millis::minutes(3),
    Millis::minutes(10),
    Millis::minutes(20),
    Millis::minutes(30),
    Millis::minutes(30),
    Millis::minutes(30),
    Millis::hours(1),
    Millis::hours(3),
    Millis::hours(3),
    Millis::hours(3),
    Millis::hours(6),
    Millis::hours(6),
];

/// Names a notice in [`super::Gateway::delivered`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct DeliveryId(u64);

/// One try to send a notice.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// For the report.
    pub id: DeliveryId,
    /// Which attempt it speaks of.
    pub attempt_no: String,
    /// What to send, signed.
    pub request: http::Request<Bytes>,
}

/// What a notice says and where it goes.
#[derive(Clone, Debug)]
pub(super) struct NoticeDraft {
    pub merchant: String,
    pub attempt_no: String,
    pub url: String,
    pub paid: Paid,
}

#[derive(Debug, Default)]
pub(super) struct Outbox {
    waiting: BTreeMap<DeliveryId, Entry>,
    given_up: Vec<String>,
    serial: u64,
}

#[derive(Debug)]
struct Entry {
    draft: NoticeDraft,
    notice_id: String,
    tries: usize,
    tries_to_lose: u32,
    shape: Shape,
    /// `None` while a try is under way.
    next_at: Option<Timestamp>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    Plain,
    Double,
    AfterForgery,
    /// Signed with a wrong key and never repeated.
    Forgery,
}

impl Outbox {
    pub fn queue(&mut self, draft: NoticeDraft, fault: Option<NoticeFault>, now: Timestamp) {
        let mut entry = self.entry(draft, Shape::Plain, now);
        match fault {
            None => {}
            Some(NoticeFault::Lose { tries }) => entry.tries_to_lose = tries,
            Some(NoticeFault::Double) => entry.shape = Shape::Double,
            Some(NoticeFault::Late { delay_ms }) => {
                let delay = Millis(i64::try_from(delay_ms).unwrap_or(i64::MAX));
                entry.next_at = Some(now + delay);
            }
            Some(NoticeFault::Forged) => entry.shape = Shape::AfterForgery,
        }
        self.waiting.insert(DeliveryId(self.serial), entry);
    }

    pub fn queue_forgery(&mut self, draft: NoticeDraft, now: Timestamp) {
        let entry = self.entry(draft, Shape::Forgery, now);
        self.waiting.insert(DeliveryId(self.serial), entry);
    }

    fn entry(&mut self, draft: NoticeDraft, shape: Shape, now: Timestamp) -> Entry {
        self.serial += 1;
        let notice_id = format!("NT{:014}{:010}", now.ms(), self.serial);
        Entry {
            draft,
            notice_id,
            tries: 0,
            tries_to_lose: 0,
            shape,
            next_at: Some(now),
        }
    }

    pub fn due(
        &mut self,
        merchants: &BTreeMap<String, Merchant>,
        rng: &mut ChaCha20Rng,
        now: Timestamp,
    ) -> Vec<Delivery> {
        let due: Vec<DeliveryId> = self
            .waiting
            .iter()
            .filter(|(_, entry)| entry.next_at.is_some_and(|at| now >= at))
            .map(|(id, _)| *id)
            .collect();
        let mut deliveries = Vec::new();
        for id in due {
            let entry = self.waiting.get_mut(&id).expect("collected from this map");
            entry.next_at = None;
            if entry.tries_to_lose > 0 {
                entry.tries_to_lose -= 1;
                self.delivered(id, false, now);
                continue;
            }
            let key = &merchants[&entry.draft.merchant].key;
            deliveries.extend(entry.requests(key, rng, now).map(|request| Delivery {
                id,
                attempt_no: entry.draft.attempt_no.clone(),
                request,
            }));
            if entry.shape == Shape::Forgery {
                self.waiting.remove(&id);
            }
        }
        deliveries
    }

    pub fn delivered(&mut self, id: DeliveryId, acknowledged: bool, now: Timestamp) {
        let Some(entry) = self.waiting.get_mut(&id) else {
            return;
        };
        if acknowledged {
            self.waiting.remove(&id);
            return;
        }
        if entry.next_at.is_some() {
            // The twin of a doubled try failed before; one failure counts.
            return;
        }
        match RETRY_DELAYS.get(entry.tries) {
            Some(delay) => {
                entry.tries += 1;
                entry.next_at = Some(now + *delay);
            }
            None => {
                let entry = self.waiting.remove(&id).expect("it was found above");
                self.given_up.push(entry.notice_id);
            }
        }
    }

    pub fn next_at(&self) -> Option<Timestamp> {
        self.waiting
            .values()
            .filter_map(|entry| entry.next_at)
            .min()
    }

    pub fn given_up(&self) -> &[String] {
        &self.given_up
    }
}

impl Entry {
    /// The requests of one try, in the order in which they are sent.
    fn requests(
        &self,
        key: &SharedKey,
        rng: &mut ChaCha20Rng,
        now: Timestamp,
    ) -> impl Iterator<Item = http::Request<Bytes>> {
        let forgery = || {
            let mut key = vec![0; SharedKey::BYTES_MIN];
            let mut draft = self.draft.clone();
            draft.paid.channel_txn_no = format!("99{:014}{:010}", now.ms(), 0);
            key[0] = 1;
            let key = SharedKey::from_bytes(key).expect("the key has the least length");
            (draft, key)
        };
        let genuine = || (self.draft.clone(), key.clone());
        let parts = match self.shape {
            Shape::Plain => vec![genuine()],
            Shape::Double => vec![genuine(), genuine()],
            Shape::AfterForgery => vec![forgery(), genuine()],
            Shape::Forgery => vec![forgery()],
        };
        let requests: Vec<_> = parts
            .into_iter()
            .map(|(draft, key)| {
                let nonce = format!("{:016x}{:016x}", rng.next_u64(), rng.next_u64());
                signed(&self.notice_id, draft, &key, nonce, now)
            })
            .collect();
        requests.into_iter()
    }
}

fn signed(
    notice_id: &str,
    draft: NoticeDraft,
    key: &SharedKey,
    nonce: String,
    now: Timestamp,
) -> http::Request<Bytes> {
    let notice = PaidNotice {
        notice_id: notice_id.to_owned(),
        merchant: draft.merchant.clone(),
        attempt_no: draft.attempt_no,
        paid: draft.paid,
    };
    let body = serde_json::to_vec(&notice).expect("notices hold only texts and numbers");
    let envelope = Envelope {
        merchant: draft.merchant,
        signed_at: now,
        nonce,
    };
    let headers = envelope
        .seal(key, Scope::Notice, &body)
        .expect("a known merchant's number is plain text");
    let mut request = http::Request::new(Bytes::from(body));
    *request.method_mut() = Method::POST;
    *request.uri_mut() = draft
        .url
        .parse()
        .expect("the address was checked on arrival");
    *request.headers_mut() = headers;
    let json = HeaderValue::from_static("application/json");
    request.headers_mut().insert(header::CONTENT_TYPE, json);
    request
}
