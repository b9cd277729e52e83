//! The gateway as a state machine. Nothing here reads a clock or the system's randomness.

mod charge;
mod faults;
mod outbox;
mod payment;
mod phone;
mod refund;
mod rules;

use std::collections::BTreeMap;

use qiantai_core::clock::{Millis, Timestamp};
use qiantai_core::money::Money;
use qiantai_pay::SharedKey;
use qiantai_pay::channels::training::TrainingConfig;
use qiantai_pay::channels::training::message::{
    AttemptRef, CreatePayment, FaultCode, PaymentAnswer, PaymentState,
};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha20Rng;

pub use faults::{AnswerFault, AnswerRule, Faults, NoticeFault, NoticeRule, Operation};
pub use outbox::{Delivery, DeliveryId, RETRY_DELAYS};
pub use phone::{CodeView, PhoneAction, PhoneRefusal, PhoneState, PhoneView};

use outbox::Outbox;
use payment::{Content, Payment, Stage};
use phone::ShownCode;
use refund::Refund;

/// What a QR code says before its token.
pub const PAYLOAD_PREFIX: &str = "qiantai-training://pay/";

/// How long after the end of an attempt the money of [`PhoneAction::PayLate`] arrives.
pub const LATE_BY: Millis = Millis::seconds(3);

/// A merchant of the gateway.
#[derive(Clone, Debug)]
pub struct Merchant {
    /// What customers see.
    pub name: String,
    /// The key shared with the merchant.
    pub key: SharedKey,
}

/// Why the gateway refuses a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// For programs.
    pub code: FaultCode,
    /// For people.
    pub message: String,
}

impl Refusal {
    pub(crate) fn new(code: FaultCode, message: impl Into<String>) -> Refusal {
        Refusal {
            code,
            message: message.into(),
        }
    }
}

/// The simulated gateway.
#[derive(Debug)]
pub struct Gateway {
    merchants: BTreeMap<String, Merchant>,
    payments: BTreeMap<AttemptKey, Payment>,
    /// Attempts that were closed or reversed before they arrived; they can never be opened.
    voided: BTreeMap<AttemptKey, PaymentState>,
    tokens: BTreeMap<String, AttemptKey>,
    codes: BTreeMap<String, ShownCode>,
    refunds: BTreeMap<(String, String), Refund>,
    late_money: Vec<LateMoney>,
    outbox: Outbox,
    faults: Faults,
    payer: String,
    serial: u32,
    rng: ChaCha20Rng,
}

/// Merchant number and attempt number.
type AttemptKey = (String, String);

/// Money under way to an attempt that will be over when it arrives.
#[derive(Debug)]
struct LateMoney {
    attempt: AttemptKey,
    arrives_at: Timestamp,
}

impl Gateway {
    /// A gateway without merchants. The same seed and the same calls give the same numbers,
    /// tokens and answers; outside tests the seed must be random, because whoever knows it can
    /// guess tokens.
    pub fn new(seed: [u8; 32]) -> Gateway {
        let mut rng = ChaCha20Rng::from_seed(seed);
        let payer = format!("payer{:016x}", rng.next_u64());
        Gateway {
            merchants: BTreeMap::new(),
            payments: BTreeMap::new(),
            voided: BTreeMap::new(),
            tokens: BTreeMap::new(),
            codes: BTreeMap::new(),
            refunds: BTreeMap::new(),
            late_money: Vec::new(),
            outbox: Outbox::default(),
            faults: Faults::default(),
            payer,
            serial: 0,
            rng,
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

    /// Admits a merchant, or replaces its name and key.
    pub fn add_merchant(&mut self, number: &str, merchant: Merchant) {
        self.merchants.insert(number.to_owned(), merchant);
    }

    /// The merchant of that number.
    pub fn merchant(&self, number: &str) -> Option<&Merchant> {
        self.merchants.get(number)
    }

    /// How the gateway misbehaves; change it at any time.
    pub fn faults(&mut self) -> &mut Faults {
        &mut self.faults
    }

    /// Makes a QR payment, or finds the one made by the same request before.
    pub fn create(
        &mut self,
        request: &CreatePayment,
        now: Timestamp,
    ) -> Result<PaymentAnswer, Refusal> {
        self.advance(now);
        let key = (request.merchant.clone(), request.attempt_no.clone());
        let content = Content::Qr(request.clone());
        if !self.is_known(&key, &content)? {
            rules::check_create(request, now)?;
            let token = self.new_token();
            self.tokens.insert(token.clone(), key.clone());
            self.payments
                .insert(key.clone(), Payment::new(content, token, now));
        }
        let payment = self.payment(&key, now)?;
        match payment.stage {
            Stage::NotScanned | Stage::UserPaying => {
                let payload = format!("{PAYLOAD_PREFIX}{}", payment.token);
                Ok(PaymentAnswer {
                    payload: Some(payload),
                    ..payment.answer()
                })
            }
            Stage::Paid => Err(Refusal::new(FaultCode::AlreadyPaid, "the attempt is paid")),
            Stage::Failed(_) | Stage::Closed | Stage::Reversed => Err(Refusal::new(
                FaultCode::OrderClosed,
                "the attempt is over; use a new number",
            )),
        }
    }

    /// How an attempt stands.
    pub fn query(
        &mut self,
        request: &AttemptRef,
        now: Timestamp,
    ) -> Result<PaymentAnswer, Refusal> {
        self.advance(now);
        let key = (request.merchant.clone(), request.attempt_no.clone());
        match self.voided.get(&key) {
            Some(state) => Ok(payment::bare_answer(&key, *state)),
            None => Ok(self.payment(&key, now)?.answer()),
        }
    }

    /// Closes an unpaid QR attempt. A number that never arrived is closed for good, so that a
    /// request still under way cannot open it afterwards.
    pub fn close(
        &mut self,
        request: &AttemptRef,
        now: Timestamp,
    ) -> Result<PaymentAnswer, Refusal> {
        self.advance(now);
        let key = (request.merchant.clone(), request.attempt_no.clone());
        if !self.payments.contains_key(&key) {
            return self.void(request, PaymentState::Closed);
        }
        let payment = self.payment(&key, now)?;
        if !payment.is_qr() {
            return Err(Refusal::new(
                FaultCode::WrongKind,
                "reverse a payment-code attempt",
            ));
        }
        match payment.stage {
            Stage::Paid => return Err(Refusal::new(FaultCode::AlreadyPaid, "the attempt is paid")),
            Stage::Failed(_) => {
                return Err(Refusal::new(
                    FaultCode::OrderClosed,
                    "the attempt was declined",
                ));
            }
            Stage::NotScanned | Stage::UserPaying | Stage::Closed | Stage::Reversed => {}
        }
        let was_open = matches!(payment.stage, Stage::NotScanned | Stage::UserPaying);
        payment.stage = Stage::Closed;
        let answer = payment.answer();
        if was_open {
            for late in self
                .late_money
                .iter_mut()
                .filter(|late| late.attempt == key)
            {
                late.arrives_at = now + LATE_BY;
            }
        }
        Ok(answer)
    }

    /// What the merchant took in, less refunds and reversals: what the ledger must agree with.
    pub fn takings(&self, merchant: &str) -> Money {
        self.payments
            .iter()
            .filter(|((of, _), _)| of == merchant)
            .flat_map(|(_, payment)| &payment.transactions)
            .map(|transaction| transaction.amount - transaction.returned)
            .sum()
    }

    /// Notices to send now. Report each by [`Gateway::delivered`].
    pub fn due_notices(&mut self, now: Timestamp) -> Vec<Delivery> {
        self.advance(now);
        self.outbox.due(&self.merchants, &mut self.rng, now)
    }

    /// Records what became of a delivery; one that was not acknowledged is tried again by
    /// [`RETRY_DELAYS`].
    pub fn delivered(&mut self, id: DeliveryId, acknowledged: bool, now: Timestamp) {
        self.outbox.delivered(id, acknowledged, now);
    }

    /// When [`Gateway::due_notices`] has something to do next; `None` while nothing is planned.
    pub fn next_event_at(&self) -> Option<Timestamp> {
        let late = self.late_money.iter().map(|late| late.arrives_at);
        late.chain(self.outbox.next_at()).min()
    }

    /// Notices whose last try failed, oldest first: the merchant will have to query.
    pub fn notices_given_up(&self) -> &[String] {
        self.outbox.given_up()
    }

    pub(crate) fn new_nonce(&mut self) -> String {
        format!("{:016x}{:016x}", self.rng.next_u64(), self.rng.next_u64())
    }

    fn new_token(&mut self) -> String {
        // 128 bits: knowing the token is the only right to pay.
        self.new_nonce()
    }

    fn is_known(&self, key: &AttemptKey, content: &Content) -> Result<bool, Refusal> {
        if self.voided.contains_key(key) {
            return Err(Refusal::new(
                FaultCode::OrderClosed,
                "closed before it arrived",
            ));
        }
        match self.payments.get(key) {
            None => Ok(false),
            Some(known) if known.content == *content => Ok(true),
            Some(_) => Err(Refusal::new(
                FaultCode::AttemptNoUsed,
                "known with other content",
            )),
        }
    }

    fn void(
        &mut self,
        request: &AttemptRef,
        state: PaymentState,
    ) -> Result<PaymentAnswer, Refusal> {
        rules::check_number("attempt_no", &request.attempt_no)?;
        let key = (request.merchant.clone(), request.attempt_no.clone());
        self.voided.insert(key.clone(), state);
        Ok(payment::bare_answer(&key, state))
    }

    /// The payment as it stands at `now`.
    fn payment(&mut self, key: &AttemptKey, now: Timestamp) -> Result<&mut Payment, Refusal> {
        let payment = self
            .payments
            .get_mut(key)
            .ok_or_else(|| Refusal::new(FaultCode::AttemptNotFound, "no such attempt"))?;
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
            let amount = self.payments[&late.attempt].amount;
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
            let fault = self.faults.take_notice(&key.1);
            self.outbox.queue(draft, fault, now);
        }
    }
}
