//! A terminal as the server sees it: it signs, pushes and asks.

use axum::body::Body;
use ed25519_dalek::SigningKey;
use http::{Request, StatusCode};
use http_body_util::BodyExt;
use qiantai_core::attempt::{Channel, PayMethod, PaymentAttempt};
use qiantai_core::ids::{
    ActionId, AttemptId, DeviceId, MemberId, OpId, OrderId, ShiftId, StaffId, StoreId, TenantId,
};
use qiantai_core::operation::{
    AttemptStart, Cursor, Operation, OperationBody, RechargeCash, RechargeOpen, RechargeRecorded,
    ShiftOpen, StaffMethod, StaffProof,
};
use qiantai_core::order_no::{OrderNo, Prefix};
use qiantai_core::quote::Quote;
use qiantai_core::recharge::{AmountChoice, RechargeOrder};
use qiantai_core::recorded_payment::{PaymentReference, RecordedMethod};
use qiantai_core::{Money, Timestamp};
use qiantai_server::Clock;
use qiantai_wire::api::{
    JoinAnswer, OpResultDto, PushAnswer, PushRequest, PushedProfile, QuoteAnswer, QuoteRequest,
};
use qiantai_wire::call::{CALL_HEADER, CHALLENGE_PARAM, Call, Challenge};
use qiantai_wire::feed::OutcomeDto;
use qiantai_wire::text::Base64;
use qiantai_wire::{ApiError, SignedOperation};
use serde::de::DeserializeOwned;
use uuid::Uuid;

use crate::harness::{START, Shop};

/// A terminal: its key, its chain, its shift.
#[derive(Clone)]
pub struct Till {
    pub key: SigningKey,
    pub join: JoinAnswer,
    pub seq: u64,
    pub prev: [u8; 32],
    pub shift: ShiftId,
    pub cashier: StaffId,
    pub wall: Timestamp,
    numbers: u32,
}

impl Till {
    /// A terminal that has joined and opened its shift.
    pub async fn open(shop: &Shop) -> Till {
        Till::with_key(shop, [3; 32], "01").await
    }

    pub async fn with_key(shop: &Shop, seed: [u8; 32], code: &str) -> Till {
        let key = SigningKey::from_bytes(&seed);
        let public = key.verifying_key().to_bytes();
        let join = shop
            .server
            .enrol_local(shop.seeded.tenant, public, code)
            .await
            .unwrap();
        let mut till = Till::joined(key, join, shop.policy.staff[0].id, START);
        let body = OperationBody::ShiftOpen(ShiftOpen {
            shift: till.shift,
            shift_no: till.number(Prefix::Shift),
            float: vec![(Money::from_yuan(100), 5)],
        });
        let opened = till.sign(body);
        assert_eq!(
            till.push(shop, &[opened]).await.results[0].outcome,
            OutcomeDto::Applied
        );
        till
    }

    /// A terminal that has joined a server elsewhere.
    pub fn joined(key: SigningKey, join: JoinAnswer, cashier: StaffId, wall: Timestamp) -> Till {
        Till {
            key,
            join,
            seq: 0,
            prev: [0; 32],
            shift: ShiftId(Uuid::now_v7()),
            cashier,
            wall,
            numbers: 0,
        }
    }

    pub fn number(&mut self, prefix: Prefix) -> String {
        self.numbers += 1;
        OrderNo::new(
            prefix,
            self.wall,
            "00201",
            &self.join.terminal_code,
            self.numbers,
        )
        .unwrap()
        .to_string()
    }

    /// The next operation of this device's chain.
    pub fn sign(&mut self, body: OperationBody) -> SignedOperation {
        self.sign_action(body, ActionId(Uuid::now_v7()))
    }

    pub fn sign_action(&mut self, body: OperationBody, action: ActionId) -> SignedOperation {
        let operation = self.operation(body, action);
        let signed = SignedOperation::sign(&operation, &self.key);
        self.seq += 1;
        self.prev = signed.hash();
        signed
    }

    /// What would be signed next.
    pub fn operation(&self, body: OperationBody, action_id: ActionId) -> Operation {
        Operation {
            op_id: OpId(Uuid::now_v7()),
            action_id,
            tenant: TenantId(self.join.tenant),
            store: StoreId(self.join.store),
            device: DeviceId(self.join.device),
            epoch: 1,
            device_seq: self.seq + 1,
            prev_hash: self.prev,
            staff: Some(StaffProof {
                staff: self.cashier,
                method: StaffMethod::Pin,
                policy_version: 1,
            }),
            shift: Some(self.shift),
            wall_time: self.wall,
            boot_id: Uuid::from_u128(9),
            monotonic_ms: 1,
            server_anchor: None,
            cursor: Some(Cursor {
                timeline: self.join.timeline,
                server_seq: 0,
            }),
            offline: false,
            attachment: None,
            body,
        }
    }

    pub fn request(&self, method: &str, path: &str, body: Vec<u8>) -> Request<Body> {
        Request::builder()
            .method(method)
            .uri(path)
            .header("authorization", format!("Bearer {}", self.join.token))
            .header("content-type", "application/json")
            .body(Body::from(body))
            .unwrap()
    }

    /// The same call with this terminal's signature, over a challenge that it asks for; as it is where
    /// none is wanted.
    pub async fn signed(&self, shop: &Shop, request: Request<Body>) -> Request<Body> {
        let (mut parts, body) = request.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        let method = parts.method.as_str();
        let path = parts.uri.path();
        if let Some(challenge) = self.challenge(shop, method, path).await {
            let call = Call {
                method,
                path,
                body: &body,
                device: self.join.device,
                challenge,
            };
            let signature = call.sign(&self.key).parse().unwrap();
            parts.headers.insert(CALL_HEADER, signature);
        }
        Request::from_parts(parts, Body::from(body))
    }

    pub async fn challenge(&self, shop: &Shop, method: &str, path: &str) -> Option<Challenge> {
        let asked = self.request(method, path, Vec::new());
        let (_, answer) = shop.send(asked).await;
        let refused: ApiError = serde_json::from_slice(&answer).ok()?;
        Challenge::read(refused.params.get(CHALLENGE_PARAM)?)
    }

    /// A call that must succeed.
    pub async fn call<T: DeserializeOwned>(
        &self,
        shop: &Shop,
        method: &str,
        path: &str,
        body: Vec<u8>,
    ) -> T {
        let (status, answer) = shop.send(self.request(method, path, body)).await;
        let text = String::from_utf8_lossy(&answer);
        assert_eq!(status, StatusCode::OK, "{method} {path}: {text}");
        serde_json::from_slice(&answer).unwrap()
    }

    pub async fn push(&self, shop: &Shop, operations: &[SignedOperation]) -> PushAnswer {
        self.call(shop, "POST", "/v1/operations", push_body(operations))
            .await
    }

    /// Signs and pushes one body that must be answered.
    pub async fn act(&mut self, shop: &Shop, body: OperationBody) -> OpResultDto {
        self.wall = Clock::now(shop.time.as_ref());
        let signed = self.sign(body);
        let mut answer = self.push(shop, &[signed]).await;
        assert_eq!(answer.halt, None);
        answer.results.pop().unwrap()
    }

    pub async fn quote(
        &self,
        shop: &Shop,
        member: MemberId,
        choice: AmountChoice,
        cash: bool,
    ) -> Quote {
        let request = QuoteRequest {
            member: member.0,
            choice: choice.into(),
            cash,
        };
        let body = serde_json::to_vec(&request).unwrap();
        match self.call(shop, "POST", "/v1/quotes", body).await {
            QuoteAnswer::Quoted { quote } => quote.into(),
            QuoteAnswer::Refused { refusal } => panic!("no price: {refusal:?}"),
        }
    }

    /// What the cashier would send for a top-up of `yuan`.
    pub async fn recharge(&mut self, shop: &Shop, member: MemberId, yuan: i64) -> RechargeOpen {
        let choice = AmountChoice::Amount(Money::from_yuan(yuan));
        self.recharge_of(shop, member, choice).await
    }

    pub async fn recharge_of(
        &mut self,
        shop: &Shop,
        member: MemberId,
        choice: AmountChoice,
    ) -> RechargeOpen {
        let quote = self.quote(shop, member, choice, false).await;
        RechargeOpen {
            order: OrderId(Uuid::now_v7()),
            order_no: self.number(Prefix::Recharge),
            member,
            choice,
            quote,
            seller: None,
            duplicate_confirmed: true,
            cash_part: None,
        }
    }

    pub async fn cash(&mut self, shop: &Shop, member: MemberId, yuan: i64) -> RechargeCash {
        let open = self.recharge(shop, member, yuan).await;
        let tendered = open.quote.pay;
        RechargeCash {
            open,
            tendered,
            change: Money::ZERO,
            approval: None,
        }
    }

    /// A payment that the cashier recorded under `reference`.
    pub async fn recorded(
        &mut self,
        shop: &Shop,
        member: MemberId,
        yuan: i64,
        (method, reference): (RecordedMethod, &str),
    ) -> RechargeRecorded {
        RechargeRecorded {
            open: self.recharge(shop, member, yuan).await,
            method,
            reference: PaymentReference::parse(method, reference).unwrap(),
            reference_confirmed: false,
            approval: None,
            cash_part: None,
        }
    }

    pub fn start_of(&mut self, open: &RechargeOpen) -> AttemptStart {
        AttemptStart {
            attempt: AttemptId(Uuid::now_v7()),
            attempt_no: self.number(Prefix::Attempt),
            order: open.order,
            channel: Channel::Wechat,
            method: PayMethod::Qr,
            amount: open.quote.pay - open.cash_part.unwrap_or(Money::ZERO),
        }
    }

    /// An order of `yuan` with an attempt whose QR code is shown.
    pub async fn show_qr(
        &mut self,
        shop: &Shop,
        member: MemberId,
        yuan: i64,
    ) -> (RechargeOrder, PaymentAttempt) {
        let choice = AmountChoice::Amount(Money::from_yuan(yuan));
        self.show_qr_of(shop, member, choice).await
    }

    pub async fn show_qr_of(
        &mut self,
        shop: &Shop,
        member: MemberId,
        choice: AmountChoice,
    ) -> (RechargeOrder, PaymentAttempt) {
        let open = self.recharge_of(shop, member, choice).await;
        let opened = self
            .act(shop, OperationBody::RechargeOpen(open.clone()))
            .await;
        assert_eq!(opened.outcome, OutcomeDto::Applied);
        let attempt = self.start_attempt(shop, &open).await;
        shop.server.settle_due().await.unwrap();
        (shop.order(open.order), shop.attempt(attempt))
    }

    pub async fn start_attempt(&mut self, shop: &Shop, open: &RechargeOpen) -> AttemptId {
        let start = self.start_of(open);
        let id = start.attempt;
        let started = self.act(shop, OperationBody::AttemptStart(start)).await;
        assert_eq!(started.outcome, OutcomeDto::Applied);
        id
    }
}

pub fn push_body(operations: &[SignedOperation]) -> Vec<u8> {
    push_body_with(operations, Vec::new())
}

pub fn push_body_with(operations: &[SignedOperation], profiles: Vec<PushedProfile>) -> Vec<u8> {
    let request = PushRequest {
        operations: operations
            .iter()
            .map(|signed| Base64(signed.bytes.clone()))
            .collect(),
        attachments: Vec::new(),
        profiles,
    };
    serde_json::to_vec(&request).unwrap()
}
