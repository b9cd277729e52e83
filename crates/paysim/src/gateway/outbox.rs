//! Notices on their way to merchants. What they look like is each protocol's own matter.

use std::collections::BTreeMap;

use bytes::Bytes;
use qiantai_core::clock::{Millis, Timestamp};

use super::faults::NoticeFault;
use super::order::AttemptKey;
use super::payment::Transaction;
use super::refund::Refund;

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
    /// What to send, signed. Carries an [`Acknowledgement`] as extension.
    pub request: http::Request<Bytes>,
}

/// What a merchant has to answer so that a notice is not sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Acknowledgement {
    /// Any 2xx status.
    Status,
    /// Status 200 with exactly this body.
    Body(&'static str),
    /// Status 200 with flat XML, in which this parameter has this value.
    Xml(&'static str, &'static str),
}

/// What a notice says and where it goes.
#[derive(Clone, Debug)]
pub(crate) struct NoticeDraft {
    pub key: AttemptKey,
    pub url: String,
    pub event: Event,
}

#[derive(Clone, Debug)]
pub(crate) enum Event {
    /// Money came in.
    Paid(Transaction),
    /// Money went back.
    Refunded(Box<Refund>),
}

/// One message to be written, signed and sent.
#[derive(Clone, Debug)]
pub(crate) struct Try {
    pub id: DeliveryId,
    pub notice_id: String,
    pub draft: NoticeDraft,
    pub seal: NoticeSeal,
    /// When the event happened.
    pub made_at: Timestamp,
}

/// How a notice is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoticeSeal {
    Genuine,
    /// By a key that is not the gateway's.
    Forged,
    /// By a text that says itself that it is no signature, where the protocol has that.
    Probe,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Outbox {
    waiting: BTreeMap<DeliveryId, Entry>,
    given_up: Vec<String>,
    serial: u64,
}

#[derive(Clone, Debug)]
struct Entry {
    draft: NoticeDraft,
    notice_id: String,
    made_at: Timestamp,
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
    /// Behind one of another seal.
    After(NoticeSeal),
    /// Signed with a wrong key and never repeated.
    Forgery,
}

impl Shape {
    /// The seals of one try, in the order in which they are sent.
    fn seals(self) -> Vec<NoticeSeal> {
        match self {
            Shape::Plain => vec![NoticeSeal::Genuine],
            Shape::Double => vec![NoticeSeal::Genuine, NoticeSeal::Genuine],
            Shape::After(ahead) => vec![ahead, NoticeSeal::Genuine],
            Shape::Forgery => vec![NoticeSeal::Forged],
        }
    }
}

impl Outbox {
    /// Queues a notice for `at`, or as the fault has it.
    pub fn queue(&mut self, draft: NoticeDraft, fault: Option<NoticeFault>, at: Timestamp) {
        let mut entry = self.entry(draft, Shape::Plain, at);
        match fault {
            None => {}
            Some(NoticeFault::Lose { tries }) => entry.tries_to_lose = tries,
            Some(NoticeFault::Double) => entry.shape = Shape::Double,
            Some(NoticeFault::Late { delay_ms }) => {
                let delay = Millis(i64::try_from(delay_ms).unwrap_or(i64::MAX));
                entry.next_at = Some(at + delay);
            }
            Some(NoticeFault::Forged) => entry.shape = Shape::After(NoticeSeal::Forged),
            Some(NoticeFault::Probe) => entry.shape = Shape::After(NoticeSeal::Probe),
        }
        self.waiting.insert(DeliveryId(self.serial), entry);
    }

    pub fn queue_forgery(&mut self, draft: NoticeDraft, at: Timestamp) {
        let entry = self.entry(draft, Shape::Forgery, at);
        self.waiting.insert(DeliveryId(self.serial), entry);
    }

    fn entry(&mut self, draft: NoticeDraft, shape: Shape, at: Timestamp) -> Entry {
        self.serial += 1;
        let notice_id = format!("NT{:014}{:010}", at.ms(), self.serial);
        Entry {
            draft,
            notice_id,
            made_at: at,
            tries: 0,
            tries_to_lose: 0,
            shape,
            next_at: Some(at),
        }
    }

    /// What is to be sent now.
    pub fn due(&mut self, now: Timestamp) -> Vec<Try> {
        let due: Vec<DeliveryId> = self
            .waiting
            .iter()
            .filter(|(_, entry)| entry.next_at.is_some_and(|at| now >= at))
            .map(|(id, _)| *id)
            .collect();
        let mut tries = Vec::new();
        for id in due {
            let entry = self.waiting.get_mut(&id).expect("collected from this map");
            entry.next_at = None;
            if entry.tries_to_lose > 0 {
                entry.tries_to_lose -= 1;
                self.delivered(id, false, now);
                continue;
            }
            tries.extend(entry.shape.seals().into_iter().map(|seal| Try {
                id,
                notice_id: entry.notice_id.clone(),
                draft: entry.draft.clone(),
                seal,
                made_at: entry.made_at,
            }));
            if entry.shape == Shape::Forgery {
                self.waiting.remove(&id);
            }
        }
        tries
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
        match entry.draft.key.protocol.retry_delays().get(entry.tries) {
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
