//! A store in a folder of its own, and the rows and operations that tests put into it.

use std::path::PathBuf;

use ed25519_dalek::SigningKey;
use qiantai_core::attempt::Channel;
use qiantai_core::brand::Brand;
use qiantai_core::ids::{
    ActionId, DeviceId, MemberId, OpId, OrderId, ShiftId, StaffId, StoreId, TenantId, TierId,
};
use qiantai_core::operation::{Operation, OperationBody, RechargeCash, RechargeOpen, ShiftOpen};
use qiantai_core::policy::{
    ComplianceProfile, Earning, OfflineLimits, PinHash, Policy, ReviewThresholds, Role, SpendOrder,
    Staff, Store as Shop, StoreKind, Tier,
};
use qiantai_core::quote::Quote;
use qiantai_core::recharge::AmountChoice;
use qiantai_core::risk_floor::RiskFloor;
use qiantai_core::{Millis, Money, Timestamp};
use qiantai_store::{Commit, CommitError, Committed, LogHead, NewPrintJob, Store, StoreKeys};
use qiantai_wire::SignedOperation;
use qiantai_wire::codes::MemberStatusDto;
use qiantai_wire::feed::{
    AccountDto, FeedChange, FeedEntry, FeedPage, LotDto, MemberDto, MemberProfileDto, OutcomeDto,
    SnapshotPage,
};
use uuid::Uuid;

pub const DEVICE: DeviceId = DeviceId(Uuid::from_u128(0xd));
pub const NOW: Timestamp = Timestamp::from_ms(1_795_000_000_000);

pub struct Shelf {
    pub folder: tempfile::TempDir,
    pub store: Store,
}

pub fn keys() -> StoreKeys {
    StoreKeys {
        db_key: [7; 32],
        pin_pepper: [9; 32],
    }
}

impl Shelf {
    pub fn new() -> Shelf {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open_or_create(&folder.path().join("terminal.db"), &keys()).unwrap();
        Shelf { folder, store }
    }

    /// A store whose snapshot is whole, at `server_seq` 0 of timeline 1.
    pub fn synced() -> Shelf {
        let shelf = Shelf::new();
        shelf
            .store
            .apply_snapshot(None, &snapshot(1, 0, Vec::new(), None))
            .unwrap();
        shelf
    }

    pub fn path(&self) -> PathBuf {
        self.folder.path().join("terminal.db")
    }

    /// As after a restart of the program.
    pub fn reopened(self) -> Shelf {
        let Shelf { folder, store } = self;
        drop(store);
        let store = Store::open(&folder.path().join("terminal.db"), &keys()).unwrap();
        Shelf { folder, store }
    }
}

/// The id number `number` of a test.
pub fn id(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

pub fn signed(head: LogHead, op: u128, body: OperationBody) -> SignedOperation {
    let operation = Operation {
        op_id: OpId(id(op)),
        action_id: ActionId(id(op << 64)),
        tenant: TenantId(id(1)),
        store: StoreId(id(2)),
        device: DEVICE,
        epoch: 1,
        device_seq: head.device_seq + 1,
        prev_hash: head.hash,
        staff: None,
        shift: Some(ShiftId(id(3))),
        wall_time: NOW + Millis(i64::try_from(head.device_seq).unwrap()),
        boot_id: id(4),
        monotonic_ms: head.device_seq,
        server_anchor: None,
        cursor: None,
        offline: true,
        attachment: None,
        body,
    };
    SignedOperation::sign(&operation, &SigningKey::from_bytes(&[5; 32]))
}

pub fn shift_open() -> OperationBody {
    let shift_no = "JB2026112120595900010001ABCD12".to_owned();
    OperationBody::ShiftOpen(ShiftOpen {
        shift: ShiftId(id(3)),
        shift_no,
        float: Vec::new(),
    })
}

pub fn cash_top_up(member: MemberId, order: u128) -> OperationBody {
    let pay = Money::from_yuan(300);
    let tier = TierId(id(0x71e7));
    OperationBody::RechargeCash(RechargeCash {
        open: RechargeOpen {
            order: OrderId(id(order)),
            order_no: "CZ2026112114031248000010001ABC".to_owned(),
            member,
            choice: AmountChoice::Amount(pay),
            quote: Quote {
                policy_version: 1,
                quoted_at: NOW,
                pay,
                bonus: Money::from_yuan(50),
                bonus_valid_days: None,
                points: 300,
                growth: 300,
                coupons: Vec::new(),
                tier: (tier, tier),
                rules: Vec::new(),
                notices: Vec::new(),
            },
            seller: None,
            duplicate_confirmed: false,
            cash_part: None,
        },
        tendered: pay,
        change: Money::ZERO,
        approval: None,
    })
}

/// Appends one operation without a document.
pub fn append(store: &Store, op: u128, body: OperationBody) -> Committed {
    try_append(store, op, body, Vec::new()).unwrap()
}

pub fn try_append(
    store: &Store,
    op: u128,
    body: OperationBody,
    prints: Vec<NewPrintJob>,
) -> Result<Committed, CommitError<String>> {
    store.commit(|head| {
        Ok(Commit {
            signed: signed(head, op, body),
            prints,
        })
    })
}

pub fn receipt(job: u128, order: u128, document: Vec<u8>) -> NewPrintJob {
    NewPrintJob {
        id: id(job),
        kind: "recharge_receipt".to_owned(),
        order: Some(OrderId(id(order))),
        copy: 0,
        printer: "counter".to_owned(),
        document,
        queued_at: NOW,
    }
}

pub fn member(number: u128, name: &str, phone: &str) -> MemberDto {
    MemberDto {
        id: id(number),
        member_no: format!("M{number:06}"),
        home_store: id(2),
        status: MemberStatusDto::Active,
        registered_at_ms: NOW.ms(),
        profile: Some(MemberProfileDto {
            id: id(number),
            name: name.to_owned(),
            phone: phone.to_owned(),
            card_no: None,
            birth_month: Some(5),
            note: None,
        }),
    }
}

pub fn account(number: u128, principal_fen: i64, credited: Timestamp) -> AccountDto {
    AccountDto {
        member: id(number),
        principal_fen,
        bonus_fen: 0,
        frozen_principal_fen: 0,
        frozen_bonus_fen: 0,
        debt_fen: 0,
        recharged_fen: principal_fen,
        refunded_fen: 0,
        bonus_granted_fen: 0,
        growth: 0,
        points: 0,
        points_debt: 0,
        tier: id(0x71e7),
        tier_valid_until_ms: None,
        last_seq: 1,
        lots: vec![LotDto {
            id: id(number << 32),
            order: None,
            principal_init_fen: principal_fen,
            principal_left_fen: principal_fen,
            bonus_init_fen: 0,
            bonus_left_fen: 0,
            bonus_expires_at_ms: None,
            spend_order: SpendOrder::Proportional.into(),
            credited_at_ms: credited.ms(),
        }],
    }
}

pub fn entry(server_seq: u64, op: u128, changes: Vec<FeedChange>) -> FeedEntry {
    FeedEntry {
        server_seq,
        at_ms: NOW.ms(),
        op_id: id(op),
        device: DEVICE.0,
        device_seq: 1,
        action_id: id(op << 64),
        kind: 1,
        outcome: OutcomeDto::Applied,
        changes,
    }
}

pub fn page(timeline: u32, entries: Vec<FeedEntry>) -> FeedPage {
    let head = entries.last().map_or(0, |entry| entry.server_seq);
    FeedPage {
        timeline,
        head,
        entries,
        server_time_ms: NOW.ms(),
    }
}

pub fn snapshot(
    timeline: u32,
    at_seq: u64,
    rows: Vec<FeedChange>,
    next: Option<Uuid>,
) -> SnapshotPage {
    SnapshotPage {
        timeline,
        at_seq,
        rows,
        member_total: 0,
        next,
        chain_end: None,
        server_time_ms: NOW.ms(),
    }
}

pub fn staff(number: u128, pin: PinHash, active: bool) -> Staff {
    Staff {
        id: StaffId(id(number)),
        staff_no: format!("{number:03}"),
        name: "陈静".to_owned(),
        role: Role::Cashier,
        pin,
        active,
    }
}

pub fn policy(version: u32, effective_from: Timestamp, staff: Vec<Staff>) -> Policy {
    Policy {
        version,
        effective_from,
        tenant: TenantId(id(1)),
        store: Shop {
            id: StoreId(id(2)),
            code: "00001".to_owned(),
            name: "动力健身".to_owned(),
            kind: StoreKind::Gym,
            address: String::new(),
            phone: String::new(),
            complaint_phone: "12315".to_owned(),
            cut_off_minutes: 240,
            refund_rule: String::new(),
            brand: Brand::default(),
        },
        staff,
        packages: Vec::new(),
        fixed_amounts: vec![Money::from_yuan(300)],
        custom_amount: true,
        ladders: Vec::new(),
        tiers: vec![Tier {
            id: TierId(id(0x71e7)),
            rank: 0,
            name: "普卡".to_owned(),
            threshold: Money::ZERO,
            price_bp: 10_000,
            points_rate_bp: 10_000,
            valid_months: 12,
            benefits: Vec::new(),
        }],
        coupon_templates: Vec::new(),
        spend_order: SpendOrder::Proportional,
        bonus_cap_bp: 5_000,
        bonus_valid_days: None,
        earning: Earning {
            growth_per_yuan: 1,
            points_per_yuan: 1,
            recharge_rate_bp: 10_000,
        },
        compliance: ComplianceProfile {
            name: "open".to_owned(),
            limits: Vec::new(),
        },
        review: ReviewThresholds {
            single_pay: Money::from_yuan(5_000),
            day_sum: Money::from_yuan(5_000),
            new_member_cash: Money::from_yuan(3_000),
        },
        offline: OfflineLimits {
            cash_per_order: Money::from_yuan(1_000),
            cash_per_terminal: Money::from_yuan(5_000),
            risk_floor: RiskFloor::default(),
        },
        channels: vec![Channel::Cash],
        merchant_account: None,
        quote_valid: Millis::minutes(15),
        order_valid: Millis::minutes(15),
        qr_valid: Millis::minutes(5),
    }
}
