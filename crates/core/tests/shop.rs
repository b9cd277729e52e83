//! A shop to test in: rules of domain §3.4 and §3.5, one till, one cashier, one manager.

use std::sync::Arc;

use qiantai_core::attempt::{AttemptState, Channel, GatewayOutcome, PayMethod};
use qiantai_core::brand::Brand;
use qiantai_core::decide::{Change, Decision, Device, Outcome, RefusalCode, State, decide};
use qiantai_core::ids::{
    ActionId, AttemptId, CouponTemplateId, DeviceId, MemberId, OpId, OrderId, PackageId,
    PromotionId, ShiftId, StaffId, StoreId, TenantId, TierId,
};
use qiantai_core::ledger::{CaseKind, LedgerAccount};
use qiantai_core::member::MemberStatus;
use qiantai_core::operation::{
    AttemptResult, AttemptStart, MemberRegister, Operation, OperationBody, RechargeCash,
    RechargeOpen, RechargeRecorded, ShiftOpen, StaffMethod, StaffProof,
};
use qiantai_core::policy::{
    ComplianceProfile, CouponTemplate, Earning, Ladder, LadderBonus, LadderRow, OfflineLimits,
    Package, PinHash, Policy, ReviewThresholds, Role, SpendOrder, Staff, Store, StoreKind, Tier,
};
use qiantai_core::quote::{CashShare, Quote, price};
use qiantai_core::recharge::{AmountChoice, OrderState, RechargeOrder};
use qiantai_core::recorded_payment::{PaymentReference, RecordedMethod};
use qiantai_core::risk_floor::RiskFloor;
use qiantai_core::{Millis, Money, Timestamp, compliance};
use uuid::Uuid;

pub const TENANT: TenantId = TenantId(Uuid::from_u128(1));
pub const STORE: StoreId = StoreId(Uuid::from_u128(2));
pub const SERVER: DeviceId = DeviceId(Uuid::from_u128(10));
pub const TILL: DeviceId = DeviceId(Uuid::from_u128(11));
pub const OTHER_TILL: DeviceId = DeviceId(Uuid::from_u128(12));
pub const CASHIER: StaffId = StaffId(Uuid::from_u128(20));
pub const MANAGER: StaffId = StaffId(Uuid::from_u128(21));
/// Of [`with_second`].
pub const SECOND: StaffId = StaffId(Uuid::from_u128(24));
pub const AUDITOR: StaffId = StaffId(Uuid::from_u128(22));
pub const SHIFT: ShiftId = ShiftId(Uuid::from_u128(30));
pub const OTHER_SHIFT: ShiftId = ShiftId(Uuid::from_u128(31));
pub const MEMBER: MemberId = MemberId(Uuid::from_u128(40));
pub const PLAIN: TierId = TierId(Uuid::from_u128(50));
pub const SILVER: TierId = TierId(Uuid::from_u128(51));
pub const GOLD: TierId = TierId(Uuid::from_u128(52));
pub const DIAMOND: TierId = TierId(Uuid::from_u128(53));
pub const PACKAGE: PackageId = PackageId(Uuid::from_u128(60));
pub const LADDER: PromotionId = PromotionId(Uuid::from_u128(70));
pub const COUPON: CouponTemplateId = CouponTemplateId(Uuid::from_u128(80));

/// 2026-11-21 14:00 in China.
pub const NOON: Timestamp = Timestamp::from_ms(1_795_240_800_000);

pub fn yuan(yuan: i64) -> Money {
    Money::from_yuan(yuan)
}

pub fn amount(amount: i64) -> AmountChoice {
    AmountChoice::Amount(yuan(amount))
}

/// Rules without a legal cap; review above 5000.
pub fn policy() -> Policy {
    let minutes = Millis::minutes;
    Policy {
        version: 1,
        effective_from: Timestamp::from_ms(0),
        tenant: TENANT,
        store: store(),
        staff: vec![
            person(CASHIER, Role::Cashier),
            person(MANAGER, Role::Manager),
            person(AUDITOR, Role::Auditor),
        ],
        packages: vec![Package {
            id: PACKAGE,
            version: 1,
            name: "充300送50".into(),
            pay: yuan(300),
            bonus: yuan(50),
            coupons: vec![(COUPON, 2)],
            extra_points: 10,
            on_sale: None,
        }],
        fixed_amounts: vec![yuan(100), yuan(200), yuan(500)],
        custom_amount: true,
        ladders: vec![ladder()],
        tiers: tiers(),
        coupon_templates: vec![CouponTemplate {
            id: COUPON,
            name: "体验券".into(),
            face: yuan(20),
            threshold: yuan(100),
            valid_days: 30,
        }],
        spend_order: SpendOrder::Proportional,
        bonus_cap_bp: 5_000,
        bonus_valid_days: Some(180),
        earning: Earning {
            growth_per_yuan: 1,
            points_per_yuan: 1,
            recharge_rate_bp: 10_000,
        },
        compliance: compliance::open(),
        review: ReviewThresholds {
            single_pay: yuan(5_000),
            day_sum: yuan(5_000),
            new_member_cash: yuan(3_000),
        },
        offline: OfflineLimits {
            cash_per_order: yuan(1_000),
            cash_per_terminal: yuan(5_000),
            risk_floor: RiskFloor::default(),
        },
        channels: vec![Channel::Wechat, Channel::Alipay, Channel::Cash],
        merchant_account: None,
        quote_valid: minutes(15),
        order_valid: minutes(15),
        qr_valid: minutes(5),
    }
}

/// The shop with a second manager, who works here or did.
pub fn with_second(active: bool) -> Policy {
    let mut rules = policy();
    let known = rules.staff.iter().find(|person| person.id == MANAGER);
    let mut second = known.expect("a manager").clone();
    (second.id, second.active) = (SECOND, active);
    rules.staff.push(second);
    rules
}

/// The same rules without limits and triggers, for tests that are about something else.
pub fn policy_without_limits() -> Policy {
    let far = yuan(9_000_000);
    Policy {
        compliance: ComplianceProfile {
            name: "none".into(),
            limits: Vec::new(),
        },
        review: ReviewThresholds {
            single_pay: far,
            day_sum: far,
            new_member_cash: far,
        },
        ..policy()
    }
}

fn store() -> Store {
    Store {
        id: STORE,
        code: "00001".into(),
        name: "天河店".into(),
        kind: StoreKind::Salon,
        address: "天河路 1 号".into(),
        phone: "02088886666".into(),
        complaint_phone: "12315".into(),
        cut_off_minutes: 240,
        refund_rule: "按优惠比例退".into(),
        brand: Brand::default(),
    }
}

fn person(id: StaffId, role: Role) -> Staff {
    Staff {
        id,
        staff_no: "01".into(),
        name: "陈静".into(),
        role,
        pin: PinHash {
            salt: [0; 16],
            hash: [0; 32],
        },
        active: true,
    }
}

/// The ladder of domain §3.4.
pub fn ladder() -> Ladder {
    let rows = [
        (300, 50),
        (500, 100),
        (1_000, 230),
        (2_000, 520),
        (3_000, 900),
        (5_000, 1_750),
    ];
    Ladder {
        id: LADDER,
        version: 1,
        name: "充值阶梯".into(),
        rows: rows
            .into_iter()
            .map(|(at, bonus)| row(at, LadderBonus::Fixed(yuan(bonus))))
            .collect(),
        dates: None,
    }
}

pub fn row(threshold: i64, bonus: LadderBonus) -> LadderRow {
    LadderRow {
        threshold: yuan(threshold),
        bonus,
        coupons: Vec::new(),
    }
}

/// The tiers of domain §3.5.
fn tiers() -> Vec<Tier> {
    let tiers = [
        (PLAIN, "普卡", 0, 10_000, 10_000),
        (SILVER, "银卡", 2_000, 9_500, 12_000),
        (GOLD, "金卡", 5_000, 9_000, 15_000),
        (DIAMOND, "钻石", 20_000, 8_500, 20_000),
    ];
    let tier = |(rank, (id, name, threshold, price_bp, points_rate_bp)): (u8, _)| Tier {
        id,
        rank,
        name: str::to_owned(name),
        threshold: yuan(threshold),
        price_bp,
        points_rate_bp,
        valid_months: 12,
        benefits: Vec::new(),
    };
    (0_u8..).zip(tiers).map(tier).collect()
}

/// The books of the shop and whoever writes into them.
pub struct Shop {
    pub state: State,
    pub now: Timestamp,
    pub log: Vec<(Operation, Timestamp, Decision)>,
    next_id: u128,
}

/// All of it, or nothing.
pub fn share(cash: bool) -> CashShare {
    match cash {
        true => CashShare::Whole,
        false => CashShare::None,
    }
}

impl Shop {
    /// One active member, registered the year before; the shift is open with a float of 500.
    pub fn open(policy: Policy) -> Shop {
        let mut shop = Shop {
            state: State::default(),
            now: NOON,
            log: Vec::new(),
            next_id: 1_000,
        };
        shop.state.policies.push(Arc::new(policy));
        for (id, code) in [(SERVER, "00"), (TILL, "01")] {
            let device = Device {
                id,
                terminal_code: code.into(),
                public_key: [0; 32],
                is_server: id == SERVER,
            };
            shop.state.devices.insert(id, device);
        }
        let opened = shop.shift_open(SHIFT, &[(yuan(100), 5)]);
        assert_eq!(shop.run(&opened).outcome, Outcome::Applied);
        shop.register(MEMBER);
        shop
    }

    pub fn register(&mut self, member: MemberId) {
        let registered_at = self.now - Millis::days(365);
        let body = MemberRegister {
            member,
            member_no: format!("M{}", member.0.as_u128()),
            home_store: STORE,
            registered_at,
        };
        let operation = self.by_server(OperationBody::MemberRegister(body));
        assert_eq!(self.run(&operation).outcome, Outcome::Applied);
    }

    /// Decides and takes over.
    pub fn run(&mut self, operation: &Operation) -> Decision {
        let decision = decide(&self.state, operation, self.now);
        self.state.record(operation, &decision);
        self.log
            .push((operation.clone(), self.now, decision.clone()));
        decision
    }

    pub fn run_body(&mut self, body: OperationBody) -> Decision {
        let operation = if body.is_server_only() {
            self.by_server(body)
        } else {
            self.by_cashier(body)
        };
        self.run(&operation)
    }

    pub fn by_cashier(&mut self, body: OperationBody) -> Operation {
        let proof = StaffProof {
            staff: CASHIER,
            method: StaffMethod::Pin,
            policy_version: 1,
        };
        self.operation(TILL, Some(proof), Some(SHIFT), body)
    }

    /// The same cashier at a second till, in a shift of its own.
    pub fn by_other_till(&mut self, body: OperationBody) -> Operation {
        let mut operation = self.by_cashier(body);
        operation.device = OTHER_TILL;
        operation.shift = Some(OTHER_SHIFT);
        operation
    }

    pub fn by_server(&mut self, body: OperationBody) -> Operation {
        self.operation(SERVER, None, None, body)
    }

    fn operation(
        &mut self,
        device: DeviceId,
        staff: Option<StaffProof>,
        shift: Option<ShiftId>,
        body: OperationBody,
    ) -> Operation {
        Operation {
            op_id: OpId(self.id()),
            action_id: ActionId(self.id()),
            tenant: TENANT,
            store: STORE,
            device,
            epoch: 1,
            device_seq: 1,
            prev_hash: [0; 32],
            staff,
            shift,
            wall_time: self.now,
            boot_id: Uuid::nil(),
            monotonic_ms: 0,
            server_anchor: None,
            cursor: None,
            offline: false,
            attachment: None,
            body,
        }
    }

    pub fn id(&mut self) -> Uuid {
        self.next_id += 1;
        Uuid::from_u128(self.next_id)
    }

    /// What the terminal shows for `choice` now.
    pub fn quote(&self, member: MemberId, choice: AmountChoice, cash: bool) -> Quote {
        let policy = self.state.policy_at(self.now).expect("the shop has rules");
        let account = &self.state.accounts[&member];
        let registered_at = self.state.members[&member].registered_at;
        let recent = &self.state.recent_orders;
        price(
            policy,
            account,
            registered_at,
            choice,
            share(cash),
            recent,
            self.now,
        )
        .expect("on sale")
    }

    pub fn open_body(&mut self, choice: AmountChoice, cash: bool) -> RechargeOpen {
        let order = OrderId(self.id());
        RechargeOpen {
            order,
            order_no: format!("CZ{}", order.0.as_u128()),
            member: MEMBER,
            choice,
            quote: self.quote(MEMBER, choice, cash),
            seller: None,
            duplicate_confirmed: false,
            cash_part: None,
        }
    }

    pub fn cash_body(&mut self, choice: AmountChoice) -> RechargeCash {
        let open = self.open_body(choice, true);
        RechargeCash {
            tendered: open.quote.pay,
            change: Money::ZERO,
            approval: None,
            open,
        }
    }

    pub fn recorded_body(
        &mut self,
        choice: AmountChoice,
        method: RecordedMethod,
        reference: &str,
    ) -> RechargeRecorded {
        RechargeRecorded {
            open: self.open_body(choice, false),
            method,
            reference: PaymentReference::parse(method, reference).expect("a reference"),
            reference_confirmed: false,
            approval: None,
            cash_part: None,
        }
    }

    pub fn shift_open(&mut self, shift: ShiftId, float: &[(Money, u32)]) -> Operation {
        let shift_no = format!("JB{}", shift.0.as_u128());
        let body = ShiftOpen {
            shift,
            shift_no,
            float: float.to_vec(),
        };
        self.by_cashier(OperationBody::ShiftOpen(body))
    }

    /// A second till of the store, with its shift open.
    pub fn open_other_till(&mut self) {
        let device = Device {
            id: OTHER_TILL,
            terminal_code: "02".into(),
            public_key: [0; 32],
            is_server: false,
        };
        self.state.devices.insert(OTHER_TILL, device);
        let body = ShiftOpen {
            shift: OTHER_SHIFT,
            shift_no: "JB2".into(),
            float: vec![(yuan(100), 5)],
        };
        let opened = self.by_other_till(OperationBody::ShiftOpen(body));
        assert_eq!(self.run(&opened).outcome, Outcome::Applied);
    }

    /// An order of `pay` yuan that waits for payment.
    pub fn pending_order(&mut self, pay: i64) -> OrderId {
        let mut body = self.open_body(amount(pay), false);
        body.duplicate_confirmed = true;
        let order = body.order;
        let decision = self.run_body(OperationBody::RechargeOpen(body));
        assert_eq!(decision.outcome, Outcome::Applied);
        order
    }

    pub fn start_body(&mut self, order: OrderId) -> AttemptStart {
        let attempt = AttemptId(self.id());
        AttemptStart {
            attempt,
            attempt_no: format!("ZF{}", attempt.0.as_u128()),
            order,
            channel: Channel::Wechat,
            method: PayMethod::Qr,
            amount: self
                .state
                .orders
                .get(&order)
                .map_or(Money::ZERO, RechargeOrder::asked),
        }
    }

    /// A QR attempt that the gateway has.
    pub fn submitted_attempt(&mut self, order: OrderId) -> AttemptId {
        let body = self.start_body(order);
        let attempt = body.attempt;
        let decision = self.run_body(OperationBody::AttemptStart(body));
        assert_eq!(decision.outcome, Outcome::Applied);
        self.answer(
            attempt,
            GatewayOutcome::QrReady {
                payload: "qr".into(),
            },
        );
        attempt
    }

    pub fn answer(&mut self, attempt: AttemptId, outcome: GatewayOutcome) -> Decision {
        self.run_body(OperationBody::AttemptResult(AttemptResult {
            attempt,
            outcome,
        }))
    }

    pub fn pays(&mut self, attempt: AttemptId, txn: &str, pay: i64) -> Decision {
        let outcome = GatewayOutcome::Success {
            channel_txn_no: txn.into(),
            amount: yuan(pay),
            paid_at: self.now,
        };
        self.answer(attempt, outcome)
    }

    pub fn set_status(&mut self, member: MemberId, status: MemberStatus) {
        self.state
            .members
            .get_mut(&member)
            .expect("a member of the shop")
            .status = status;
    }

    pub fn order_state(&self, order: OrderId) -> OrderState {
        self.state.orders[&order].state
    }

    pub fn attempt_state(&self, attempt: AttemptId) -> AttemptState {
        self.state.attempts[&attempt].state
    }

    /// Debits less credits of an account over the whole log.
    pub fn balance(&self, account: LedgerAccount) -> Money {
        let changes = self
            .log
            .iter()
            .flat_map(|(_, _, decision)| &decision.changes);
        changes
            .filter_map(|change| match change {
                Change::Posting(posting) if posting.account == account => Some(posting.amount),
                _ => None,
            })
            .sum()
    }
}

pub fn refused(decision: &Decision) -> Option<RefusalCode> {
    match &decision.outcome {
        Outcome::Refused(refusal) => {
            assert!(decision.changes.is_empty(), "a refusal wrote something");
            Some(refusal.code)
        }
        _ => None,
    }
}

pub fn cases(decision: &Decision) -> Vec<CaseKind> {
    let kinds = decision.changes.iter().filter_map(|change| match change {
        Change::Case(case) => Some(case.kind),
        _ => None,
    });
    kinds.collect()
}
