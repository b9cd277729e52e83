//! The counter as the server sees it: it asks for prices, signs, pushes, and asks again.

use std::collections::VecDeque;

use bytes::Bytes;
use http::{Request, StatusCode};
use qiantai_core::attempt::{Channel, PayMethod};
use qiantai_core::ids::{ActionId, AttemptId, MemberId, OpId, OrderId, ShiftId, StaffId};
use qiantai_core::operation::{
    AttemptStart, Operation, OperationBody, RechargeOpen, ShiftOpen, StaffMethod, StaffProof,
};
use qiantai_core::order_no::{OrderNo, Prefix};
use qiantai_core::recharge::AmountChoice;
use qiantai_core::{Money, Timestamp};
use qiantai_wire::SignedOperation;
use qiantai_wire::api::{ChargeRequest, PushAnswer, PushRequest, QuoteAnswer, QuoteRequest};
use qiantai_wire::text::Base64;
use rand::{Rng, RngExt};
use uuid::Uuid;

use crate::authority::Answered;
use crate::dice::{Dice, chance, id};
use crate::halt::{Halt, Invariant, Step};
use crate::oracle::Fact;
use crate::till::Identity;

/// The counter of the shop.
pub struct Desk {
    identity: Identity,
    cashier: StaffId,
    rules: u32,
    boot_id: Uuid,
    shift: ShiftId,
    seq: u64,
    prev: [u8; 32],
    /// Signed and not answered.
    waiting: VecDeque<SignedOperation>,
    dice: Dice,
}

impl Desk {
    /// A counter where `cashier` works by version `rules` of the rules.
    pub fn new(identity: Identity, cashier: StaffId, rules: u32, mut dice: Dice) -> Desk {
        let now = crate::time::START;
        Desk {
            identity,
            cashier,
            rules,
            boot_id: id(&mut dice, now),
            shift: ShiftId(id(&mut dice, now)),
            seq: 0,
            prev: [0; 32],
            waiting: VecDeque::new(),
            dice,
        }
    }

    /// Opens the shift.
    pub fn open_shift(&mut self, now: Timestamp) -> Fact {
        let body = OperationBody::ShiftOpen(ShiftOpen {
            shift: self.shift,
            shift_no: self.number(Prefix::Shift, now),
            float: vec![(Money::from_yuan(100), 5)],
        });
        self.sign(body, now)
    }

    /// Asks what a top-up of a member costs, for an amount that the customer names.
    pub fn ask_price(
        &mut self,
        member: MemberId,
        fixed: &[Money],
    ) -> (AmountChoice, Request<Bytes>) {
        let amount = match fixed.is_empty() || chance(&mut self.dice, 40) {
            true => Money::from_yuan(self.dice.random_range(1..3_000)),
            false => fixed[self.dice.random_range(0..fixed.len())],
        };
        let choice = AmountChoice::Amount(amount);
        let question = QuoteRequest {
            member: member.0,
            choice: choice.into(),
            cash: false,
        };
        let body = serde_json::to_vec(&question).unwrap_or_default();
        (choice, self.request("POST", "/v1/quotes", body))
    }

    /// Opens an order at the price that was answered; `None` when there is none.
    pub fn open_order(
        &mut self,
        member: MemberId,
        choice: AmountChoice,
        answer: &Answered,
        now: Timestamp,
    ) -> Step<Option<(RechargeOpen, Fact)>> {
        let quote = match read::<QuoteAnswer>(answer)? {
            QuoteAnswer::Quoted { quote } => quote.into(),
            QuoteAnswer::Refused { .. } => return Ok(None),
        };
        let open = RechargeOpen {
            order: OrderId(id(&mut self.dice, now)),
            order_no: self.number(Prefix::Recharge, now),
            member,
            choice,
            quote,
            seller: None,
            duplicate_confirmed: true,
            cash_part: None,
        };
        let open = RechargeOpen {
            cash_part: part_in_cash(open.quote.pay),
            ..open
        };
        let fact = self.sign(OperationBody::RechargeOpen(open.clone()), now);
        Ok(Some((open, fact)))
    }

    /// Asks for the money of an order; the number of the attempt.
    pub fn charge(
        &mut self,
        order: OrderId,
        amount: Money,
        by: (Channel, PayMethod),
        now: Timestamp,
    ) -> (String, Fact) {
        let attempt_no = self.number(Prefix::Attempt, now);
        let body = OperationBody::AttemptStart(AttemptStart {
            attempt: AttemptId(id(&mut self.dice, now)),
            attempt_no: attempt_no.clone(),
            order,
            channel: by.0,
            method: by.1,
            amount,
        });
        (attempt_no, self.sign(body, now))
    }

    /// Gives an order up.
    pub fn cancel(&mut self, order: OrderId, now: Timestamp) -> Fact {
        self.sign(OperationBody::RechargeCancel { order }, now)
    }

    /// Asks the server to ask the gateway.
    pub fn ask(&self, attempt: AttemptId) -> Request<Bytes> {
        let path = format!("/v1/attempts/{attempt}/query");
        self.request("POST", &path, Vec::new())
    }

    /// Sends the digits that were scanned.
    pub fn scan(&self, attempt: AttemptId, digits: &str) -> Request<Bytes> {
        let scanned = ChargeRequest {
            code: digits.into(),
        };
        let body = serde_json::to_vec(&scanned).unwrap_or_default();
        self.request("POST", &format!("/v1/attempts/{attempt}/charge"), body)
    }

    /// Whether something is signed and not answered.
    pub fn waits(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Everything that is not answered, as one push.
    pub fn push(&self) -> Request<Bytes> {
        let bytes = |signed: &SignedOperation| Base64(signed.bytes.clone());
        let push = PushRequest {
            operations: self.waiting.iter().map(bytes).collect(),
            attachments: Vec::new(),
            profiles: Vec::new(),
        };
        let body = serde_json::to_vec(&push).unwrap_or_default();
        self.request("POST", "/v1/operations", body)
    }

    /// Takes the answer to a push.
    pub fn take(&mut self, answer: &Answered) -> Step {
        let answer: PushAnswer = read(answer)?;
        if let Some(halt) = answer.halt {
            let detail = format!("the server does not take the counter's word: {halt:?}");
            return Err(Halt::Violated(Invariant::KeepsWorking, detail));
        }
        self.waiting.drain(..answer.results.len());
        Ok(())
    }

    fn sign(&mut self, body: OperationBody, now: Timestamp) -> Fact {
        let op_id = id(&mut self.dice, now);
        let operation = Operation {
            op_id: OpId(op_id),
            action_id: ActionId(op_id),
            tenant: self.identity.tenant,
            store: self.identity.store,
            device: self.identity.device,
            epoch: 1,
            device_seq: self.seq + 1,
            prev_hash: self.prev,
            staff: Some(StaffProof {
                staff: self.cashier,
                method: StaffMethod::Pin,
                policy_version: self.rules,
            }),
            shift: Some(self.shift),
            wall_time: now,
            boot_id: self.boot_id,
            monotonic_ms: u64::try_from(now.ms()).unwrap_or_default(),
            server_anchor: None,
            cursor: None,
            offline: false,
            attachment: None,
            body,
        };
        let signed = SignedOperation::sign(&operation, &self.identity.key());
        self.seq += 1;
        self.prev = signed.hash();
        self.waiting.push_back(signed);
        Fact::of(&operation, None)
    }

    fn number(&mut self, prefix: Prefix, now: Timestamp) -> String {
        let random = self.dice.next_u32() & 0xF_FFFF;
        let Identity {
            store_code, code, ..
        } = &self.identity;
        OrderNo::new(prefix, now, store_code, code, random)
            .expect("sample shops have codes of five and two digits")
            .to_string()
    }

    fn request(&self, method: &str, path: &str, body: Vec<u8>) -> Request<Bytes> {
        Request::builder()
            .method(method)
            .uri(path)
            .header("authorization", format!("Bearer {}", self.identity.token))
            .header("content-type", "application/json")
            .body(Bytes::from(body))
            .expect("paths and tokens are plain text")
    }
}

fn read<T: serde::de::DeserializeOwned>(answer: &Answered) -> Step<T> {
    if answer.status() != StatusCode::OK {
        let text = String::from_utf8_lossy(answer.body());
        let detail = format!("{}: {text}", answer.status());
        return Err(Halt::Violated(Invariant::KeepsWorking, detail));
    }
    Ok(serde_json::from_slice(answer.body())?)
}

/// One order in four is paid in two parts; the amount says which, so that no other throw of the dice
/// changes with it.
fn part_in_cash(pay: Money) -> Option<Money> {
    let yuan = pay.whole_yuan();
    (yuan % 4 == 3).then(|| Money::from_yuan(1 + yuan / 3))
}
