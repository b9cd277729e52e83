//! One operation of each kind, fixed to the last bit.

use ed25519_dalek::SigningKey;
use qiantai_core::account::{Draw, Lot};
use qiantai_core::attempt::{Channel, ConfigFault, DeclineCode, GatewayOutcome, PayMethod};
use qiantai_core::drawer::{DrawerOpen, DrawerReason};
use qiantai_core::ids::*;
use qiantai_core::operation::*;
use qiantai_core::policy::SpendOrder;
use qiantai_core::quote::Quote;
use qiantai_core::recharge::AmountChoice;
use qiantai_core::recorded_payment::{PaymentReference, RecordedMethod};
use qiantai_core::{Money, Timestamp};
use uuid::{Builder, Uuid};

/// 2026-11-21 14:03:12.480 in China.
pub const NOW: i64 = 1_795_240_992_480;

pub fn key() -> SigningKey {
    SigningKey::from_bytes(&[42; 32])
}

/// A UUIDv7 of `ms` with `tail` as its random part.
pub fn id(ms: i64, tail: u8) -> Uuid {
    let ms = u64::try_from(ms).unwrap();
    Builder::from_unix_timestamp_millis(ms, &[tail; 10]).into_uuid()
}

pub fn quote() -> Quote {
    Quote {
        policy_version: 12,
        quoted_at: Timestamp::from_ms(NOW - 21_400),
        pay: Money::from_yuan(300),
        bonus: Money::from_yuan(50),
        bonus_valid_days: Some(365),
        points: 450,
        growth: 300,
        coupons: vec![],
        tier: (
            TierId(id(NOW - 9_000_000, 1)),
            TierId(id(NOW - 9_000_000, 1)),
        ),
        rules: vec![],
        notices: vec![],
    }
}

pub fn recharge_open() -> RechargeOpen {
    RechargeOpen {
        order: OrderId(id(NOW, 20)),
        order_no: "CZ202611211403124800020103K7QX".into(),
        member: MemberId(id(NOW - 80_000_000, 21)),
        choice: AmountChoice::Package(PackageId(id(NOW - 70_000_000, 22)), 3),
        quote: quote(),
        seller: None,
        duplicate_confirmed: false,
        cash_part: None,
    }
}

/// 100.01 in cash, and the rest asked of a gateway.
pub fn open_in_parts() -> RechargeOpen {
    RechargeOpen {
        cash_part: Some(Money::from_fen(10_001)),
        ..recharge_open()
    }
}

/// As a terminal writes it: the action is the operation itself and the order's id.
pub fn recharge_cash() -> Operation {
    let open = recharge_open();
    let op_id = OpId(open.order.0);
    Operation {
        op_id,
        action_id: ActionId(op_id.0),
        ..terminal(OperationBody::RechargeCash(RechargeCash {
            open,
            tendered: Money::from_yuan(400),
            change: Money::from_yuan(100),
            approval: None,
        }))
    }
}

/// With the PIN of a manager, which lets it pass the cap on offline cash.
pub fn approved_cash() -> Operation {
    let mut operation = recharge_cash();
    if let OperationBody::RechargeCash(cash) = &mut operation.body {
        cash.approval = Some(manager());
    }
    operation
}

/// A card payment with the voucher number of the bank's terminal.
pub fn recharge_recorded() -> Operation {
    recorded(RecordedMethod::Card, "000123", false)
}

/// With the longest reference, everything confirmed, and a manager's PIN.
pub fn approved_transfer() -> Operation {
    recorded(
        RecordedMethod::Transfer,
        &"2026112214031248-".repeat(2)[..32],
        true,
    )
}

/// By the shop's own code, with the last places of the customer's number.
pub fn by_shop_code() -> Operation {
    recorded(RecordedMethod::ShopCode, "4KM9", true)
}

/// The same transfer, with 100.01 of it in cash.
pub fn approved_split() -> Operation {
    let mut operation = approved_transfer();
    if let OperationBody::RechargeRecorded(body) = &mut operation.body {
        body.cash_part = Some(Money::from_fen(10_001));
    }
    operation
}

fn recorded(method: RecordedMethod, reference: &str, approved: bool) -> Operation {
    let open = recharge_open();
    let op_id = OpId(open.order.0);
    Operation {
        op_id,
        action_id: ActionId(op_id.0),
        ..terminal(OperationBody::RechargeRecorded(RechargeRecorded {
            open,
            method,
            reference: PaymentReference::parse(method, reference).unwrap(),
            reference_confirmed: approved,
            approval: approved.then(manager),
            cash_part: None,
        }))
    }
}

pub fn terminal(body: OperationBody) -> Operation {
    Operation {
        op_id: OpId(id(NOW, 10)),
        action_id: ActionId(id(NOW - 3, 11)),
        tenant: TenantId(id(NOW - 90_000_000, 12)),
        store: StoreId(id(NOW - 90_000_000, 13)),
        device: DeviceId(id(NOW - 90_000_000, 14)),
        epoch: 1,
        device_seq: 4_812,
        prev_hash: [0xd7; 32],
        staff: Some(StaffProof {
            staff: StaffId(id(NOW - 90_000_000, 15)),
            method: StaffMethod::Pin,
            policy_version: 12,
        }),
        shift: Some(ShiftId(id(NOW - 20_000_000, 16))),
        wall_time: Timestamp::from_ms(NOW),
        boot_id: Uuid::from_u128(0x9a3f_c412),
        monotonic_ms: 18_264_551,
        server_anchor: Some(Timestamp::from_ms(NOW - 7_204_113)),
        cursor: Some(Cursor {
            timeline: 1,
            server_seq: 918_273,
        }),
        offline: true,
        attachment: None,
        body,
    }
}

fn server(body: OperationBody) -> Operation {
    Operation {
        staff: None,
        shift: None,
        server_anchor: None,
        cursor: None,
        offline: false,
        wall_time: Timestamp::from_ms(NOW + 2),
        ..terminal(body)
    }
}

fn result(outcome: GatewayOutcome) -> Operation {
    let attempt = AttemptId(id(NOW, 30));
    server(OperationBody::AttemptResult(AttemptResult {
        attempt,
        outcome,
    }))
}

pub fn settlement() -> Operation {
    result(GatewayOutcome::Success {
        channel_txn_no: "4200002611202611218812345678".into(),
        amount: Money::from_yuan(300),
        paid_at: Timestamp::from_ms(NOW - 900),
    })
}

/// A name and the operation that it names.
type Sample = (&'static str, Operation);

/// Every kind, and every form that a kind can take.
pub fn all() -> Vec<Sample> {
    [of_terminals(), of_leases(), of_the_server(), of_gateways()].concat()
}

fn of_terminals() -> Vec<Sample> {
    let order = OrderId(id(NOW, 20));
    let open = recharge_open();
    vec![
        (
            "shift.open",
            terminal(OperationBody::ShiftOpen(ShiftOpen {
                shift: ShiftId(id(NOW, 16)),
                shift_no: "JB202611210900000000020103A0Z9".into(),
                float: vec![(Money::from_yuan(100), 3), (Money::from_fen(50), 40)],
            })),
        ),
        (
            "recharge.open",
            terminal(OperationBody::RechargeOpen(open.clone())),
        ),
        (
            "recharge.open amount, coupons, upgrade, other seller, confirmed, odd number",
            terminal(OperationBody::RechargeOpen(RechargeOpen {
                order_no: "TEST-1".into(),
                choice: AmountChoice::Amount(Money::from_fen(30_001)),
                seller: Some(StaffId(id(NOW, 23))),
                duplicate_confirmed: true,
                quote: Quote {
                    coupons: vec![(CouponTemplateId(id(NOW, 24)), 2)],
                    tier: (TierId(id(NOW, 1)), TierId(id(NOW, 2))),
                    bonus_valid_days: None,
                    ..quote()
                },
                ..open.clone()
            })),
        ),
        (
            "recharge.open split",
            terminal(OperationBody::RechargeOpen(open_in_parts())),
        ),
        (
            "attempt.start",
            terminal(OperationBody::AttemptStart(AttemptStart {
                attempt: AttemptId(id(NOW, 30)),
                attempt_no: "ZF202611211403124800020103A0Z9".into(),
                order,
                channel: Channel::Wechat,
                method: PayMethod::Qr,
                amount: Money::from_yuan(300),
            })),
        ),
        ("recharge.cash", recharge_cash()),
        (
            "recharge.cash sold by the cashier",
            terminal(OperationBody::RechargeCash(RechargeCash {
                open: RechargeOpen {
                    seller: Some(StaffId(id(NOW - 90_000_000, 15))),
                    ..open
                },
                tendered: Money::from_yuan(300),
                change: Money::ZERO,
                approval: None,
            })),
        ),
        ("recharge.cash approved", approved_cash()),
        ("recharge.recorded", recharge_recorded()),
        ("recharge.recorded approved", approved_transfer()),
        ("recharge.recorded split, approved", approved_split()),
        ("recharge.recorded by shop code", by_shop_code()),
        (
            "recharge.cancel",
            terminal(OperationBody::RechargeCancel { order }),
        ),
        ("receipt.reprint", reprint(1, None)),
        ("receipt.reprint approved", reprint(3, Some(manager()))),
        ("drawer.open", drawer_open(DrawerReason::Change, None)),
        (
            "drawer.open for a reason of its own",
            drawer_open(DrawerReason::Other, Some("锁孔上油 hinge")),
        ),
        (
            "member.create",
            Operation {
                attachment: Some([0xa8; 32]),
                ..terminal(OperationBody::MemberCreate(MemberCreate {
                    // As a terminal writes it: the action's own id.
                    member: MemberId(id(NOW - 3, 11)),
                    member_no: "002010100001".into(),
                }))
            },
        ),
        (
            "member.create under an id of its own",
            terminal(OperationBody::MemberCreate(MemberCreate {
                member: MemberId(id(NOW - 80_000_000, 21)),
                member_no: "002010100002".into(),
            })),
        ),
    ]
}

/// Who approves.
fn manager() -> StaffProof {
    StaffProof {
        staff: StaffId(id(NOW - 90_000_000, 17)),
        method: StaffMethod::Pin,
        policy_version: 12,
    }
}

fn reprint(copy: u32, approval: Option<StaffProof>) -> Operation {
    terminal(OperationBody::ReceiptReprint {
        order: OrderId(id(NOW, 20)),
        copy,
        approval,
    })
}

fn drawer_open(reason: DrawerReason, words: Option<&str>) -> Operation {
    terminal(OperationBody::DrawerOpen(DrawerOpen {
        reason,
        words: words.map(str::to_owned),
        approval: manager(),
    }))
}

/// What terminals write of leases and from them.
fn of_leases() -> Vec<Sample> {
    vec![
        (
            "spend.offline",
            terminal(OperationBody::SpendOffline(SpendOffline {
                member: MemberId(id(NOW, 21)),
                amount: Money::from_yuan(140),
                draws: vec![lease_draw(50, 9_000), lease_draw(51, 5_000)],
                approval: None,
            })),
        ),
        (
            "spend.offline beyond its lease, approved",
            terminal(OperationBody::SpendOffline(SpendOffline {
                member: MemberId(id(NOW, 21)),
                amount: Money::from_yuan(140),
                draws: vec![lease_draw(50, 9_000)],
                approval: Some(manager()),
            })),
        ),
        (
            "spend.offline without a lease",
            terminal(OperationBody::SpendOffline(SpendOffline {
                member: MemberId(id(NOW, 21)),
                amount: Money::from_fen(1),
                draws: Vec::new(),
                approval: None,
            })),
        ),
        (
            "lease.release",
            terminal(OperationBody::LeaseRelease(named_lease())),
        ),
    ]
}

fn of_the_server() -> Vec<Sample> {
    let order = OrderId(id(NOW, 20));
    vec![
        (
            "policy.publish",
            Operation {
                attachment: Some([0xa7; 32]),
                ..server(OperationBody::PolicyPublish { version: 13 })
            },
        ),
        (
            "device.enrol",
            server(OperationBody::DeviceEnrol(DeviceEnrol {
                device: DeviceId(id(NOW, 14)),
                terminal_code: "03".into(),
                public_key: key().verifying_key().to_bytes(),
            })),
        ),
        (
            "member.register",
            server(OperationBody::MemberRegister(MemberRegister {
                member: MemberId(id(NOW, 21)),
                member_no: "M0002107".into(),
                home_store: StoreId(id(NOW, 13)),
                registered_at: Timestamp::from_ms(NOW - 5),
            })),
        ),
        (
            "opening.balance",
            server(OperationBody::OpeningBalance(opening())),
        ),
        ("order.expire", server(OperationBody::OrderExpire { order })),
        (
            "surplus.refunded",
            server(OperationBody::SurplusRefunded(SurplusRefunded {
                attempt: AttemptId(id(NOW, 30)),
                channel_txn_no: "4200002611202611218812345679".into(),
                amount: Money::from_yuan(300),
            })),
        ),
        ("credit.retry", server(OperationBody::CreditRetry { order })),
        (
            "lease.grant",
            server(OperationBody::LeaseGrant(LeaseGrant {
                member: MemberId(id(NOW, 21)),
                device: DeviceId(id(NOW - 90_000_000, 14)),
                lots: vec![
                    Draw {
                        lot: LotId(id(NOW, 40)),
                        principal: Money::from_yuan(240),
                        bonus: Money::from_yuan(40),
                    },
                    Draw {
                        lot: LotId(id(NOW, 41)),
                        principal: Money::from_yuan(20),
                        bonus: Money::ZERO,
                    },
                ],
            })),
        ),
        (
            "lease.lost",
            server(OperationBody::LeaseLost(named_lease())),
        ),
    ]
}

fn of_gateways() -> Vec<Sample> {
    vec![
        (
            "attempt.result qr_ready",
            result(GatewayOutcome::QrReady {
                payload: "weixin://x".into(),
            }),
        ),
        ("attempt.result success", settlement()),
        (
            "attempt.result declined",
            result(GatewayOutcome::Declined(DeclineCode::DailyLimit)),
        ),
        (
            "attempt.result user_paying",
            result(GatewayOutcome::UserPaying),
        ),
        ("attempt.result waiting", result(GatewayOutcome::Waiting)),
        ("attempt.result unknown", result(GatewayOutcome::Unknown)),
        ("attempt.result closed", result(GatewayOutcome::Closed)),
        (
            "attempt.result reversing",
            result(GatewayOutcome::Reversing),
        ),
        (
            "attempt.result reversed",
            result(GatewayOutcome::Reversed {
                money_returned: None,
            }),
        ),
        (
            "attempt.result reversed and returned",
            result(GatewayOutcome::Reversed {
                money_returned: Some(true),
            }),
        ),
        (
            "attempt.result returned_outside",
            result(GatewayOutcome::ReturnedOutside {
                channel_txn_no: "4200002611202611218812345681".into(),
                amount: Money::from_yuan(300),
            }),
        ),
        (
            "attempt.result config_error",
            result(GatewayOutcome::ConfigError(None)),
        ),
        (
            "attempt.result config_error with its fault",
            result(GatewayOutcome::ConfigError(Some(ConfigFault::NotPermitted))),
        ),
        (
            "attempt.result paid_elsewhere",
            result(GatewayOutcome::PaidElsewhere {
                channel_txn_no: "4200002611202611218812345680".into(),
                amount: Money::from_yuan(300),
            }),
        ),
        (
            "attempt.result reversal_unclear",
            result(GatewayOutcome::ReversalUnclear),
        ),
        (
            "attempt.result notice_unconfirmed",
            result(GatewayOutcome::NoticeUnconfirmed {
                channel_txn_no: "7895259485469125".into(),
                amount: Money::from_yuan(300),
            }),
        ),
    ]
}

fn lease_draw(tail: u8, fen: i64) -> LeaseDraw {
    LeaseDraw {
        lease: LeaseId(id(NOW - 60_000, tail)),
        amount: Money::from_fen(fen),
    }
}

fn named_lease() -> NamedLease {
    NamedLease {
        lease: LeaseId(id(NOW - 60_000, 50)),
        member: MemberId(id(NOW, 21)),
    }
}

fn opening() -> OpeningBalance {
    OpeningBalance {
        member: MemberId(id(NOW, 21)),
        lots: vec![
            Lot {
                id: LotId(id(NOW, 40)),
                order: None,
                principal_init: Money::from_yuan(460),
                principal_left: Money::from_yuan(460),
                bonus_init: Money::from_yuan(70),
                bonus_left: Money::from_fen(6_999),
                bonus_expires_at: Some(Timestamp::from_ms(NOW + 1)),
                spend_order: SpendOrder::Proportional,
                credited_at: Timestamp::from_ms(NOW - 1),
            },
            Lot {
                id: LotId(id(NOW, 41)),
                order: Some(OrderId(id(NOW, 20))),
                principal_init: Money::ZERO,
                principal_left: Money::ZERO,
                bonus_init: Money::ZERO,
                bonus_left: Money::ZERO,
                bonus_expires_at: None,
                spend_order: SpendOrder::BonusFirst,
                credited_at: Timestamp::from_ms(-1),
            },
        ],
        net_recharged: Money::from_yuan(3_800),
        growth: 3_800,
        points: -5,
        tier: TierId(id(NOW, 2)),
    }
}
