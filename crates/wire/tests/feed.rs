//! Rows come back as they went, through JSON.

use qiantai_core::attempt::{AttemptState, ConfigFault, DeclineCode};
use qiantai_core::attempt::{Channel, PayMethod, PaymentAttempt, Surplus};
use qiantai_core::brand::{Accent, Brand};
use qiantai_core::clock::Millis;
use qiantai_core::decide::{Change, Device, Outcome, Refusal, RefusalCode};
use qiantai_core::ids::*;
use qiantai_core::ledger::*;
use qiantai_core::member::{Member, MemberProfile, MemberStatus};
use qiantai_core::merchant_account::MerchantAccount;
use qiantai_core::policy::*;
use qiantai_core::quote::{LimitCause, LimitNotice, Quote, RuleKind, RuleLine, RuleVerdict};
use qiantai_core::recharge::{AmountChoice, Credit, OrderState, PaidFact, RechargeOrder};
use qiantai_core::risk_floor::RiskFloor;
use qiantai_core::{Money, Timestamp};
use qiantai_wire::feed::*;
use qiantai_wire::profile::{attachment_hash, decode_policy, encode_policy};
use serde::Serialize;
use serde::de::DeserializeOwned;
use time::Month;

use crate::samples::{NOW, id, quote};

fn check<Core, Dto>(value: Core)
where
    Core: PartialEq + std::fmt::Debug + From<Dto>,
    Dto: for<'a> From<&'a Core> + Serialize + DeserializeOwned,
{
    let json = serde_json::to_string(&Dto::from(&value)).unwrap();
    let back: Dto = serde_json::from_str(&json).unwrap();
    assert_eq!(Core::from(back), value, "{json}");
    assert!(
        !json.contains('.') || !json.contains("_fen\":0."),
        "no fractions: {json}"
    );
}

fn at(offset: i64) -> Timestamp {
    Timestamp::from_ms(NOW + offset)
}

#[test]
fn rows_come_back() {
    check::<_, QuoteDto>(full_quote());
    check::<_, OrderDto>(order());
    check::<_, AttemptDto>(attempt());
    check::<_, MemberDto>(member());
    check::<_, MemberProfileDto>(profile());
    check::<_, ShiftDto>(Shift {
        id: ShiftId(id(NOW, 1)),
        shift_no: "JB1".into(),
        store: StoreId(id(NOW, 2)),
        device: DeviceId(id(NOW, 3)),
        cashier: StaffId(id(NOW, 4)),
        opened_at: at(0),
        opening_float: Money::from_yuan(200),
        state: ShiftState::Open,
    });
    check::<_, CouponDto>(Coupon {
        id: CouponId(id(NOW, 1)),
        template: CouponTemplateId(id(NOW, 2)),
        member: MemberId(id(NOW, 3)),
        order: OrderId(id(NOW, 4)),
        state: CouponState::Issued,
        expires_at: at(9),
        issued_at: at(0),
    });
    check::<_, CaseDto>(ExceptionCase {
        id: CaseId(id(NOW, 1)),
        kind: CaseKind::LatePayment,
        order: Some(OrderId(id(NOW, 2))),
        attempt: None,
        member: Some(MemberId(id(NOW, 3))),
        device: None,
        amount: Money::from_yuan(300),
        opened_at: at(0),
    });
    check::<_, DeviceDto>(Device {
        id: DeviceId(id(NOW, 1)),
        terminal_code: "03".into(),
        public_key: [0xfe; 32],
        is_server: false,
    });
}

#[test]
fn a_policy_is_a_stable_document() {
    let policy = policy();
    let bytes = encode_policy(&policy);
    assert_eq!(decode_policy(&bytes).unwrap(), policy);
    assert_eq!(encode_policy(&decode_policy(&bytes).unwrap()), bytes);
    assert_ne!(attachment_hash(&bytes), attachment_hash(b""));
}

#[test]
fn nothing_personal_is_shown_by_debug() {
    let member = MemberDto::from(&member()).with_profile(&profile());
    let shown = format!("{member:?}{:?}", PolicyDto::from(&policy()));
    for secret in ["尉迟敏", "13800005678", &hex::encode([0x5a; 32])] {
        assert!(!shown.contains(secret), "{secret}");
    }
}

#[test]
fn outcomes_come_back() {
    let quote = Some(Box::new(full_quote()));
    let refusal = Refusal {
        code: RefusalCode::QuoteChanged,
        quote,
    };
    for outcome in [Outcome::Applied, Outcome::Exists, Outcome::Refused(refusal)] {
        let json = serde_json::to_string(&OutcomeDto::from(&outcome)).unwrap();
        let dto: OutcomeDto = serde_json::from_str(&json).unwrap();
        assert_eq!(Outcome::try_from(dto), Ok(outcome), "{json}");
    }
    let differs = OutcomeDto::from(&Outcome::ExistsWithDifferent { field: "pay" });
    let json = serde_json::to_string(&differs).unwrap();
    assert_eq!(json, r#"{"status":"exists_with_different","field":"pay"}"#);
    assert_eq!(Outcome::try_from(differs), Err(NotAnAnswer));
    let error = RefusalDto {
        reason: RefusalCode::LimitBlocked.into(),
        quote: None,
    }
    .to_error();
    assert_eq!(
        (error.code, error.message_key.as_str()),
        (130, "refusal.limit_blocked")
    );
}

#[test]
fn an_entry_carries_the_rows_that_terminals_keep() {
    let changes = [
        Change::Order(order()),
        Change::Posting(Posting {
            leg: 0,
            book: Book::Money,
            account: LedgerAccount::Suspense,
            amount: Money::ZERO,
        }),
        Change::Member(member()),
    ];
    let rows: Vec<_> = changes.iter().filter_map(FeedChange::from_change).collect();
    assert_eq!(rows.len(), 2);
    let page = FeedPage {
        timeline: 1,
        head: 7,
        entries: vec![FeedEntry {
            server_seq: 7,
            at_ms: NOW,
            op_id: id(NOW, 1),
            device: id(NOW, 2),
            device_seq: 3,
            action_id: id(NOW, 4),
            kind: 4,
            outcome: OutcomeDto::Applied,
            changes: rows,
        }],
        server_time_ms: NOW,
    };
    let json = serde_json::to_string(&page).unwrap();
    assert!(json.contains(r#""table":"order","row":{"id":""#), "{json}");
    assert_eq!(serde_json::from_str::<FeedPage>(&json).unwrap(), page);
}

#[test]
fn times_of_an_unknown_row_are_errors() {
    for json in [
        r#"{"table":"later","row":{}}"#,
        r#"{"table":"device","row":{"id":"x","terminal_code":"","public_key":"","is_server":true}}"#,
    ] {
        assert!(serde_json::from_str::<FeedChange>(json).is_err(), "{json}");
    }
}

fn full_quote() -> Quote {
    Quote {
        coupons: vec![(CouponTemplateId(id(NOW, 5)), 2)],
        rules: vec![RuleLine {
            kind: RuleKind::Ladder,
            promotion: Some(PromotionId(id(NOW, 6))),
            version: 4,
            name: "满 1000 送 300".into(),
            verdict: RuleVerdict::BelowThreshold,
            bonus: Money::ZERO,
        }],
        notices: vec![
            LimitNotice {
                cause: LimitCause::Compliance(LimitKind::OutstandingPrincipal),
                limit: Money::from_yuan(5_000),
                reached: Money::from_yuan(5_100),
                action: LimitAction::Block,
            },
            LimitNotice {
                cause: LimitCause::DaySum,
                limit: Money::from_yuan(1),
                reached: Money::from_yuan(2),
                action: LimitAction::Review,
            },
        ],
        ..quote()
    }
}

fn order() -> RechargeOrder {
    RechargeOrder {
        id: OrderId(id(NOW, 1)),
        order_no: "CZ1".into(),
        member: MemberId(id(NOW, 2)),
        store: StoreId(id(NOW, 3)),
        device: DeviceId(id(NOW, 4)),
        shift: ShiftId(id(NOW, 5)),
        cashier: StaffId(id(NOW, 6)),
        seller: Some(StaffId(id(NOW, 7))),
        approver: Some(StaffId(id(NOW, 77))),
        choice: AmountChoice::Package(PackageId(id(NOW, 8)), 2),
        quote: full_quote(),
        cash_part: Some(Money::from_yuan(100)),
        state: OrderState::Credited,
        paid: Some(PaidFact {
            channel: Channel::Cash,
            amount: Money::from_yuan(300),
            cash_part: Some(Money::from_yuan(100)),
            tendered: Some(Money::from_yuan(400)),
            channel_txn_no: None,
            paid_at: at(1),
        }),
        credit: Some(Credit {
            principal: (Money::from_yuan(460), Money::from_yuan(760)),
            bonus: (Money::from_yuan(70), Money::from_yuan(120)),
            points: 450,
            growth: 300,
            tier: (TierId(id(NOW, 9)), TierId(id(NOW, 10))),
            bonus_expires_at: Some(at(999)),
            credited_at: at(2),
        }),
        offline: true,
        copies: 2,
        opened_at: at(0),
        expires_at: at(900_000),
        changed_at: at(3),
    }
}

fn attempt() -> PaymentAttempt {
    PaymentAttempt {
        id: AttemptId(id(NOW, 1)),
        attempt_no: "ZF1".into(),
        order: OrderId(id(NOW, 2)),
        channel: Channel::Wechat,
        method: PayMethod::Qr,
        amount: Money::from_yuan(300),
        state: AttemptState::Succeeded,
        qr_payload: Some("weixin://x".into()),
        expires_at: at(300_000),
        channel_txn_no: Some("42".into()),
        paid_at: Some(at(5)),
        decline: Some(DeclineCode::RiskControl),
        config_fault: Some(ConfigFault::Clock),
        money_returned: Some(true),
        cancel_requested: true,
        surplus: vec![Surplus {
            channel_txn_no: "43".into(),
            amount: Money::from_yuan(300),
            refunded: true,
        }],
        started_at: at(0),
        changed_at: at(5),
    }
}

fn member() -> Member {
    Member {
        id: MemberId(id(NOW, 1)),
        member_no: "M1".into(),
        home_store: StoreId(id(NOW, 2)),
        status: MemberStatus::Frozen,
        registered_at: at(-5),
    }
}

fn profile() -> MemberProfile {
    MemberProfile {
        id: MemberId(id(NOW, 1)),
        name: "尉迟敏".into(),
        phone: "13800005678".into(),
        card_no: None,
        birth_month: Some(12),
        note: Some("怕冷".into()),
    }
}

fn policy() -> Policy {
    let date = |day| time::Date::from_calendar_date(2026, Month::November, day).unwrap();
    let coupons = vec![(CouponTemplateId(id(NOW, 5)), 2)];
    Policy {
        version: 12,
        effective_from: at(-100),
        tenant: TenantId(id(NOW, 1)),
        store: Store {
            id: StoreId(id(NOW, 2)),
            code: "00201".into(),
            name: "简单美发·天河店".into(),
            kind: StoreKind::Salon,
            address: "天河路 1 号".into(),
            phone: "020-12345678".into(),
            complaint_phone: "12315".into(),
            cut_off_minutes: 240,
            refund_rule: "七日内可退".into(),
            brand: Brand {
                accent: Accent::Rose,
                short_name: Some("云上".into()),
            },
        },
        staff: vec![Staff {
            id: StaffId(id(NOW, 3)),
            staff_no: "01".into(),
            name: "陈静".into(),
            role: Role::Cashier,
            pin: PinHash {
                salt: [1; 16],
                hash: [0x5a; 32],
            },
            active: true,
        }],
        packages: vec![Package {
            id: PackageId(id(NOW, 4)),
            version: 3,
            name: "充300送50".into(),
            pay: Money::from_yuan(300),
            bonus: Money::from_yuan(50),
            coupons: coupons.clone(),
            extra_points: 10,
            on_sale: Some((date(1), date(30))),
        }],
        fixed_amounts: vec![Money::from_yuan(100)],
        custom_amount: true,
        ladders: vec![ladder(coupons)],
        tiers: vec![Tier {
            id: TierId(id(NOW, 7)),
            rank: 1,
            name: "银卡".into(),
            threshold: Money::from_yuan(1_000),
            price_bp: 9_500,
            points_rate_bp: 12_000,
            valid_months: 12,
            benefits: vec!["9.5 折".into()],
        }],
        coupon_templates: vec![CouponTemplate {
            id: CouponTemplateId(id(NOW, 5)),
            name: "洗护券".into(),
            face: Money::from_yuan(20),
            threshold: Money::from_yuan(100),
            valid_days: 60,
        }],
        spend_order: SpendOrder::Proportional,
        bonus_cap_bp: 5_000,
        bonus_valid_days: Some(365),
        earning: Earning {
            growth_per_yuan: 1,
            points_per_yuan: 1,
            recharge_rate_bp: 10_000,
        },
        compliance: compliance(),
        review: ReviewThresholds {
            single_pay: Money::from_yuan(5_000),
            day_sum: Money::from_yuan(10_000),
            new_member_cash: Money::from_yuan(2_000),
        },
        offline: offline(),
        channels: vec![Channel::Wechat, Channel::Cash],
        merchant_account: Some(MerchantAccount {
            acquirer: "31127040".into(),
            forwarding: "70002044".into(),
            merchant: "600000000000001".into(),
            category: "7298".into(),
            name: "JIANDAN SALON".into(),
            city: "GUANGZHOU".into(),
        }),
        quote_valid: Millis::minutes(15),
        order_valid: Millis::minutes(15),
        qr_valid: Millis::minutes(5),
    }
}

fn offline() -> OfflineLimits {
    OfflineLimits {
        cash_per_order: Money::from_yuan(1_000),
        cash_per_terminal: Money::from_yuan(5_000),
        risk_floor: RiskFloor {
            per_transaction: Money::from_yuan(50),
            per_member_day: Money::from_yuan(100),
            per_device: Money::from_yuan(500),
            count: 20,
            hours: 12,
        },
    }
}

fn ladder(coupons: Vec<(CouponTemplateId, u16)>) -> Ladder {
    Ladder {
        id: PromotionId(id(NOW, 6)),
        version: 1,
        name: "阶梯".into(),
        rows: [
            LadderBonus::Fixed(Money::from_yuan(30)),
            LadderBonus::Percent(1_250),
            LadderBonus::EveryFull {
                every: Money::from_yuan(100),
                bonus: Money::from_yuan(8),
                cap: Money::from_yuan(80),
            },
        ]
        .map(|bonus| LadderRow {
            threshold: Money::from_yuan(300),
            bonus,
            coupons: coupons.clone(),
        })
        .into(),
        dates: None,
    }
}

fn compliance() -> ComplianceProfile {
    ComplianceProfile {
        name: "cn_service".into(),
        limits: vec![ComplianceLimit {
            kind: LimitKind::CashByPerson,
            amount: Money::from_yuan(50_000),
            action: LimitAction::Warn,
            effective_from: at(-9),
        }],
    }
}
