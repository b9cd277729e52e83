//! The gateway as a state machine: one book of payments, whatever protocol they came by. Nothing
//! here reads a clock or the system's randomness.

mod charge;
mod faults;
mod held_back;
mod ledger;
mod order;
mod outbox;
mod payment;
mod phone;
mod refund;

use std::collections::BTreeMap;

use qiantai_core::clock::{Millis, Timestamp};
use qiantai_core::money::Money;
use qiantai_pay::SharedKey;
use qiantai_pay::channels::training::TrainingConfig;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha20Rng;

pub use faults::{AnswerFault, AnswerRule, Faults, NoticeFault, NoticeRule, Operation, SetUpCause};
pub use order::{AttemptKey, BookRefusal, Means, NewPayment, NewRefund, Protocol};
pub use outbox::{Acknowledgement, Delivery, DeliveryId, RETRY_DELAYS};
pub use phone::{CodeView, CodeWish, PhoneAction, PhoneRefusal, PhoneState, PhoneView};

pub(crate) use ledger::{Movement, MovementKind};
pub(crate) use outbox::{Event, NoticeSeal, Try};
pub(crate) use payment::{Payment, Stage, Transaction};
pub(crate) use refund::{Refund, RefundStage};

use crate::protocols::{self, Sides};
use held_back::HeldBack;
use outbox::Outbox;
use phone::ShownCode;

/// What a QR code of the training protocol says before its token.
pub const PAYLOAD_PREFIX: &str = "qiantai-training://pay/";

/// How long after the end of an attempt the money of [`PhoneAction::PayLate`] arrives.
pub const LATE_BY: Millis = Millis::seconds(3);

/// A merchant of the training protocol.
#[derive(Clone, Debug)]
pub struct Merchant {
    /// What customers see.
    pub name: String,
    /// The key shared with the merchant.
    pub key: SharedKey,
}

/// The simulated gateway. A clone goes its own way from there.
#[derive(Clone, Debug)]
pub struct Gateway {
    /// What customers see of each merchant.
    shops: BTreeMap<(Protocol, String), String>,
    payments: BTreeMap<AttemptKey, Payment>,
    /// Attempts that were closed or reversed before they arrived; they can never be opened.
    voided: BTreeMap<AttemptKey, Stage>,
    tokens: BTreeMap<String, AttemptKey>,
    codes: BTreeMap<String, ShownCode>,
    /// By merchant and number of the refund.
    refunds: BTreeMap<AttemptKey, Refund>,
    late_money: Vec<LateMoney>,
    held_back: HeldBack,
    outbox: Outbox,
    faults: Faults,
    payer: String,
    serial: u32,
    seed: [u8; 32],
    rng: ChaCha20Rng,
    /// Accounts and keys of each protocol.
    pub(crate) sides: Sides,
}

/// Money under way to an attempt that will be over when it arrives.
#[derive(Clone, Debug)]
struct LateMoney {
    attempt: AttemptKey,
    arrives_at: Timestamp,
}

/// Whether a request did something, or found what the same request had done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Arrival {
    New,
    Repeated,
}

impl Gateway {
    /// A gateway without merchants. The same seed and the same calls give the same numbers, keys,
    /// tokens and answers; outside tests the seed must be random, because whoever knows it can
    /// guess tokens and keys.
    pub fn new(seed: [u8; 32]) -> Gateway {
        let mut rng = ChaCha20Rng::from_seed(seed);
        let payer = format!("payer{:016x}", rng.next_u64());
        Gateway {
            shops: BTreeMap::new(),
            payments: BTreeMap::new(),
            voided: BTreeMap::new(),
            tokens: BTreeMap::new(),
            codes: BTreeMap::new(),
            refunds: BTreeMap::new(),
            late_money: Vec::new(),
            held_back: HeldBack::default(),
            outbox: Outbox::default(),
            faults: Faults::default(),
            payer,
            serial: 0,
            seed,
            rng,
            sides: Sides::default(),
        }
    }

    /// A gateway with one practice merchant and a fresh key, and the settings with which a
    /// [`qiantai_pay::channels::training::TrainingChannel`] reaches it at `base_url`.
    pub fn practice(seed: [u8; 32], shop_name: &str, base_url: &str) -> (Gateway, TrainingConfig) {
        let mut gateway = Gateway::new(seed);
        let mut key = vec![0; SharedKey::BYTES_MIN];
        gateway.rng.fill_bytes(&mut key);
        let key = SharedKey::from_bytes(key).expect("the key has the least length");
        let merchant = "1900000001";
        gateway.add_merchant(
            merchant,
            Merchant {
                name: shop_name.to_owned(),
                key: key.clone(),
            },
        );
        let config = TrainingConfig {
            base_url: base_url.to_owned(),
            merchant: merchant.to_owned(),
            key,
        };
        (gateway, config)
    }

    /// Admits a merchant of the training protocol, or replaces its name and key.
    pub fn add_merchant(&mut self, number: &str, merchant: Merchant) {
        self.name_shop(Protocol::Training, number, &merchant.name);
        self.sides.training.insert(number.to_owned(), merchant);
    }

    /// The merchant of the training protocol with that number.
    pub fn merchant(&self, number: &str) -> Option<&Merchant> {
        self.sides.training.get(number)
    }

    /// How the gateway misbehaves; change it at any time.
    pub fn faults(&mut self) -> &mut Faults {
        &mut self.faults
    }

    /// What the merchant took in, less refunds and reversals: what the ledger must agree with.
    pub fn takings(&self, merchant: &str) -> Money {
        self.payments
            .iter()
            .filter(|(key, _)| key.merchant == merchant)
            .flat_map(|(_, payment)| &payment.transactions)
            .map(Transaction::left)
            .sum()
    }

    /// Notices to send now. Report each by [`Gateway::delivered`].
    pub fn due_notices(&mut self, now: Timestamp) -> Vec<Delivery> {
        self.advance(now);
        let due = self.outbox.due(now);
        due.into_iter()
            .map(|notice| Delivery {
                id: notice.id,
                attempt_no: notice.draft.key.attempt_no.clone(),
                request: protocols::notice(self, &notice, now),
            })
            .collect()
    }

    /// Records what became of a delivery; one that was not acknowledged is tried again, by
    /// [`RETRY_DELAYS`] or what else its protocol has.
    pub fn delivered(&mut self, id: DeliveryId, acknowledged: bool, now: Timestamp) {
        self.outbox.delivered(id, acknowledged, now);
    }

    /// When [`Gateway::due_notices`] has something to do next; `None` while nothing is planned.
    pub fn next_event_at(&self) -> Option<Timestamp> {
        let late = self.late_money.iter().map(|late| late.arrives_at);
        late.chain(self.outbox.next_at())
            .chain(self.held_back.next_at())
            .min()
    }

    /// Notices whose last try failed, oldest first: the merchant will have to query.
    pub fn notices_given_up(&self) -> &[String] {
        self.outbox.given_up()
    }

    /// Makes a QR payment, or finds the one made by the same request before.
    pub(crate) fn open_qr(
        &mut self,
        order: NewPayment,
        now: Timestamp,
    ) -> Result<Arrival, BookRefusal> {
        self.advance(now);
        if self.is_known(&order)? {
            return Ok(Arrival::Repeated);
        }
        let Means::Qr { wallet, .. } = order.means else {
            return Err(BookRefusal::WrongKind);
        };
        let token = self.new_token();
        let key = order.key.clone();
        self.tokens.insert(token.clone(), key.clone());
        self.payments
            .insert(key, Payment::new(order, wallet, token, now));
        Ok(Arrival::New)
    }

    /// Gives a QR payment a new code; the old one no longer opens it.
    pub(crate) fn renew_token(&mut self, key: &AttemptKey, now: Timestamp) {
        let token = self.new_token();
        if let Some(payment) = self.payments.get_mut(key) {
            self.tokens.remove(&payment.token);
            payment.token_since = now;
            payment.token.clone_from(&token);
            self.tokens.insert(token, key.clone());
        }
    }

    /// Closes an unpaid QR attempt; repeating does nothing.
    pub(crate) fn close(&mut self, key: &AttemptKey, now: Timestamp) -> Result<(), BookRefusal> {
        self.advance(now);
        let payment = self.payment(key, now)?;
        if !payment.is_qr() {
            return Err(BookRefusal::WrongKind);
        }
        match payment.stage {
            Stage::Paid => return Err(BookRefusal::AlreadyPaid),
            Stage::Failed(_) => return Err(BookRefusal::Over),
            Stage::Closed | Stage::Reversed => return Ok(()),
            Stage::NotScanned | Stage::UserPaying => payment.end(Stage::Closed, now),
        }
        for late in &mut self.late_money {
            if late.attempt == *key {
                late.arrives_at = now + LATE_BY;
            }
        }
        Ok(())
    }

    /// Gives up a number that never arrived, so that a request still under way cannot open it.
    pub(crate) fn void(&mut self, key: &AttemptKey, stage: Stage) {
        self.voided.insert(key.clone(), stage);
    }

    /// How a number stands that was given up before it arrived.
    pub(crate) fn voided(&self, key: &AttemptKey) -> Option<Stage> {
        self.voided.get(key).copied()
    }

    /// The payment as it stands at `now`.
    pub(crate) fn find(
        &mut self,
        key: &AttemptKey,
        now: Timestamp,
    ) -> Result<&Payment, BookRefusal> {
        self.advance(now);
        self.payment(key, now).map(|payment| &*payment)
    }

    /// The attempt of a merchant that the gateway's own number of a payment belongs to.
    pub(crate) fn attempt_of(
        &self,
        protocol: Protocol,
        merchant: &str,
        channel_txn_no: &str,
    ) -> Option<AttemptKey> {
        let is_it = |payment: &&Payment| {
            let key = payment.key();
            key.protocol == protocol
                && key.merchant == merchant
                && payment
                    .transactions
                    .iter()
                    .any(|each| each.channel_txn_no == channel_txn_no)
        };
        self.payments
            .values()
            .find(is_it)
            .map(|payment| payment.key().clone())
    }

    /// What customers see of a merchant.
    pub(crate) fn name_shop(&mut self, protocol: Protocol, number: &str, name: &str) {
        self.shops
            .insert((protocol, number.to_owned()), name.to_owned());
    }

    fn shop_name(&self, key: &AttemptKey) -> String {
        let shop = (key.protocol, key.merchant.clone());
        self.shops.get(&shop).cloned().unwrap_or_default()
    }

    pub(crate) fn new_nonce(&mut self) -> String {
        format!("{:016x}{:016x}", self.rng.next_u64(), self.rng.next_u64())
    }

    /// Randomness for keys, apart from that of numbers and tokens: each `stream` is its own.
    pub(crate) fn key_source(&self, stream: u64) -> ChaCha20Rng {
        let mut rng = ChaCha20Rng::from_seed(self.seed);
        rng.set_stream(stream);
        rng
    }

    fn new_token(&mut self) -> String {
        // 128 bits: knowing the token is the only right to pay.
        self.new_nonce()
    }

    fn is_known(&self, order: &NewPayment) -> Result<bool, BookRefusal> {
        if self.voided.contains_key(&order.key) {
            return Err(BookRefusal::Voided);
        }
        match self.payments.get(&order.key) {
            None => Ok(false),
            Some(known) if known.order == *order => Ok(true),
            Some(_) => Err(BookRefusal::NumberUsed),
        }
    }

    fn payment(&mut self, key: &AttemptKey, now: Timestamp) -> Result<&mut Payment, BookRefusal> {
        let payment = self.payments.get_mut(key).ok_or(BookRefusal::NotFound)?;
        payment.expire(now);
        Ok(payment)
    }

    /// Lets late money arrive.
    fn advance(&mut self, now: Timestamp) {
        while let Some(index) = self
            .late_money
            .iter()
            .position(|late| now >= late.arrives_at)
        {
            let late = self.late_money.swap_remove(index);
            let amount = self.payments[&late.attempt].amount();
            self.receive(&late.attempt, amount, true, late.arrives_at);
        }
    }

    /// Books a payment and, if wanted, queues its notice.
    fn receive(&mut self, key: &AttemptKey, amount: Money, with_notice: bool, now: Timestamp) {
        self.serial += 1;
        let payment = self
            .payments
            .get_mut(key)
            .expect("callers hold a known attempt");
        payment.receive(amount, self.serial, &self.payer, now);
        if with_notice && let Some(draft) = payment.notice_of_last() {
            let fault = self.faults.take_notice(&key.attempt_no);
            self.outbox.queue(draft, fault, now);
        }
    }
}
