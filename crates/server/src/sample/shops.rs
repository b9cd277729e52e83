//! The three shops: rules, prices and staff.

use argon2::{Algorithm, Argon2, Params, Version};
use qiantai_core::attempt::Channel;
use qiantai_core::brand::Brand;
use qiantai_core::ids::{CouponTemplateId, PackageId, StaffId, StoreId, TenantId};
use qiantai_core::policy::{
    ComplianceLimit, ComplianceProfile, CouponTemplate, Earning, LimitAction, LimitKind,
    OfflineLimits, Package, PinHash, Policy, ReviewThresholds, Role, SpendOrder, Staff, Store,
    StoreKind, Tier,
};
use qiantai_core::risk_floor::RiskFloor;
use qiantai_core::{Millis, Money, Timestamp};
use rand::Rng;
use uuid::{Builder, Uuid};

use crate::new_shop::{usual_ladder, usual_tiers};

/// Staff numbers and PINs of the training shops; the manuals print them.
pub const TRAINING_STAFF: &[(&str, &str, Role)] = &[
    ("1001", "1234", Role::Cashier),
    ("1002", "2345", Role::Cashier),
    ("1003", "3456", Role::Cashier),
    ("8001", "8888", Role::Manager),
];

/// From 2025-03-01 00:00 in China.
const SHANGHAI_GYM_FROM: Timestamp = Timestamp::from_ms(1_740_758_400_000);

/// What tells one shop from another.
struct Shop {
    code: &'static str,
    name: &'static str,
    address: &'static str,
    phone: &'static str,
    staff: [&'static str; 4],
    ladder_name: &'static str,
    packages: Vec<Package>,
    coupon_templates: Vec<CouponTemplate>,
    compliance: ComplianceProfile,
    fixed_amounts: &'static [i64],
    silver_benefit: &'static str,
}

/// Name of the shop's owner for people who run the server.
pub(super) fn tenant_name(kind: StoreKind) -> &'static str {
    match kind {
        StoreKind::Gym => "动力健身",
        StoreKind::Salon => "简单美发",
        StoreKind::Beauty => "悦己美容",
    }
}

/// The rules of a shop of `kind`, in force since `effective_from`.
pub(super) fn policy(
    kind: StoreKind,
    tenant: TenantId,
    effective_from: Timestamp,
    rng: &mut impl Rng,
) -> Policy {
    let mut ids = Ids {
        at: effective_from,
        rng,
    };
    let shop = match kind {
        StoreKind::Gym => gym(&mut ids),
        StoreKind::Salon => salon(&mut ids),
        StoreKind::Beauty => beauty(&mut ids),
    };
    Policy {
        version: 1,
        effective_from,
        tenant,
        store: Store {
            id: StoreId(ids.next()),
            code: shop.code.to_owned(),
            name: shop.name.to_owned(),
            kind,
            address: shop.address.to_owned(),
            phone: shop.phone.to_owned(),
            complaint_phone: "12315".to_owned(),
            cut_off_minutes: 240,
            refund_rule: "七日内未消费可全额退款；其余按优惠比例退回本金，赠金同时作废。"
                .to_owned(),
            brand: Brand::default(),
        },
        staff: staff(&shop.staff, &mut ids),
        fixed_amounts: shop
            .fixed_amounts
            .iter()
            .map(|yuan| Money::from_yuan(*yuan))
            .collect(),
        packages: shop.packages,
        custom_amount: true,
        ladders: vec![usual_ladder(shop.ladder_name, &mut || ids.next())],
        tiers: tiers(shop.silver_benefit, &mut ids),
        coupon_templates: shop.coupon_templates,
        spend_order: SpendOrder::Proportional,
        bonus_cap_bp: 5_000,
        bonus_valid_days: Some(365),
        earning: Earning {
            growth_per_yuan: 1,
            points_per_yuan: 1,
            recharge_rate_bp: 10_000,
        },
        compliance: shop.compliance,
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
        channels: vec![
            Channel::Wechat,
            Channel::Alipay,
            Channel::Unionpay,
            Channel::Cash,
            Channel::Ecny,
            Channel::Card,
            Channel::Transfer,
        ],
        merchant_account: None,
        quote_valid: Millis::minutes(15),
        order_valid: Millis::minutes(15),
        qr_valid: Millis::minutes(5),
    }
}

fn salon(ids: &mut Ids<'_, impl Rng>) -> Shop {
    let wash = coupon("洗剪吹体验券", 38, 0, 60, ids);
    let care = coupon("护理抵用券", 50, 200, 90, ids);
    Shop {
        code: "00201",
        name: "简单美发·天河店",
        address: "广州市天河区体育东路 118 号",
        phone: "020-85550118",
        staff: ["陈静", "李婉婷", "何嘉琪", "王建国"],
        ladder_name: "秋季阶梯",
        packages: vec![
            package("充300送50", 300, 50, &[], ids),
            package("充500送100", 500, 100, &[(wash.id, 1)], ids),
            package(
                "充2000送520",
                2_000,
                520,
                &[(wash.id, 1), (care.id, 2)],
                ids,
            ),
        ],
        coupon_templates: vec![wash, care],
        compliance: ComplianceProfile {
            name: "open".to_owned(),
            limits: vec![limit(LimitKind::SingleOrder, 20_000, LimitAction::Block)],
        },
        fixed_amounts: &[300, 500, 1_000, 2_000, 3_000],
        silver_benefit: "生日当月免费护理一次",
    }
}

fn gym(ids: &mut Ids<'_, impl Rng>) -> Shop {
    let trial = coupon("私教体验券", 200, 0, 30, ids);
    let towel = coupon("毛巾租用券", 10, 0, 180, ids);
    Shop {
        code: "00101",
        name: "动力健身·徐汇店",
        address: "上海市徐汇区漕溪北路 88 号",
        phone: "021-64880088",
        staff: ["陈静", "赵磊", "周晓彤", "孙浩然"],
        ladder_name: "开季阶梯",
        packages: vec![
            package("充300送50", 300, 50, &[(towel.id, 5)], ids),
            package("充1000送230", 1_000, 230, &[(trial.id, 1)], ids),
            package(
                "充3000送900",
                3_000,
                900,
                &[(trial.id, 3), (towel.id, 20)],
                ids,
            ),
        ],
        coupon_templates: vec![trial, towel],
        compliance: ComplianceProfile {
            name: "shanghai_gym".to_owned(),
            limits: [
                limit(LimitKind::OutstandingPrincipal, 5_000, LimitAction::Block),
                limit(LimitKind::AllKindsTogether, 20_000, LimitAction::Block),
                limit(LimitKind::SingleOrder, 20_000, LimitAction::Block),
            ]
            .into_iter()
            .map(|limit| ComplianceLimit {
                effective_from: SHANGHAI_GYM_FROM,
                ..limit
            })
            .collect(),
        },
        fixed_amounts: &[300, 500, 1_000, 2_000, 3_000],
        silver_benefit: "每月一次体测",
    }
}

fn beauty(ids: &mut Ids<'_, impl Rng>) -> Shop {
    let facial = coupon("补水面膜券", 98, 0, 60, ids);
    Shop {
        code: "00301",
        name: "悦己美容·锦江店",
        address: "成都市锦江区红星路三段 16 号",
        phone: "028-86661616",
        staff: ["陈静", "刘诗雨", "杨若云", "吴敏"],
        ladder_name: "焕颜阶梯",
        packages: vec![
            package("充500送100", 500, 100, &[(facial.id, 1)], ids),
            package("充2000送520", 2_000, 520, &[(facial.id, 3)], ids),
        ],
        coupon_templates: vec![facial],
        compliance: ComplianceProfile {
            name: "cn_service".to_owned(),
            limits: vec![
                limit(LimitKind::OutstandingPrincipal, 5_000, LimitAction::Block),
                limit(LimitKind::SingleOrder, 20_000, LimitAction::Block),
                ComplianceLimit {
                    amount: Money::from_fen(4_999_999),
                    ..limit(LimitKind::CashByPerson, 0, LimitAction::Block)
                },
            ],
        },
        fixed_amounts: &[500, 1_000, 2_000, 3_000, 5_000],
        silver_benefit: "面部护理九五折",
    }
}

/// Fresh identities that the seed determines.
struct Ids<'a, R> {
    at: Timestamp,
    rng: &'a mut R,
}

impl<R: Rng> Ids<'_, R> {
    fn next(&mut self) -> Uuid {
        uuid_at(self.at, self.rng)
    }
}

/// A UUIDv7 of `at`.
pub(super) fn uuid_at(at: Timestamp, rng: &mut impl Rng) -> Uuid {
    let mut random = [0_u8; 10];
    rng.fill_bytes(&mut random);
    let ms = u64::try_from(at.ms()).unwrap_or_default();
    Builder::from_unix_timestamp_millis(ms, &random).into_uuid()
}

fn package(
    name: &str,
    pay: i64,
    bonus: i64,
    coupons: &[(CouponTemplateId, u16)],
    ids: &mut Ids<'_, impl Rng>,
) -> Package {
    Package {
        id: PackageId(ids.next()),
        version: 1,
        name: name.to_owned(),
        pay: Money::from_yuan(pay),
        bonus: Money::from_yuan(bonus),
        coupons: coupons.to_vec(),
        extra_points: 0,
        on_sale: None,
    }
}

fn coupon(
    name: &str,
    face: i64,
    threshold: i64,
    valid_days: u16,
    ids: &mut Ids<'_, impl Rng>,
) -> CouponTemplate {
    CouponTemplate {
        id: CouponTemplateId(ids.next()),
        name: name.to_owned(),
        face: Money::from_yuan(face),
        threshold: Money::from_yuan(threshold),
        valid_days,
    }
}

fn limit(kind: LimitKind, yuan: i64, action: LimitAction) -> ComplianceLimit {
    let effective_from = Timestamp::from_ms(0);
    ComplianceLimit {
        kind,
        amount: Money::from_yuan(yuan),
        action,
        effective_from,
    }
}

/// The usual tiers with what a sample shop promises for each.
fn tiers(silver_benefit: &str, ids: &mut Ids<'_, impl Rng>) -> Vec<Tier> {
    let mut tiers = usual_tiers(&mut || ids.next());
    let promised: [&[&str]; 4] = [
        &[],
        &[silver_benefit],
        &["专属顾问", "生日礼包"],
        &["专属顾问", "生日礼包", "优先预约"],
    ];
    for (tier, benefits) in tiers.iter_mut().zip(promised) {
        tier.benefits = benefits.iter().map(|&benefit| benefit.to_owned()).collect();
    }
    tiers
}

fn staff(names: &[&str; 4], ids: &mut Ids<'_, impl Rng>) -> Vec<Staff> {
    names
        .iter()
        .zip(TRAINING_STAFF)
        .map(|(name, &(staff_no, pin, role))| {
            let mut salt = [0_u8; 16];
            ids.rng.fill_bytes(&mut salt);
            Staff {
                id: StaffId(ids.next()),
                staff_no: staff_no.to_owned(),
                name: (*name).to_owned(),
                role,
                pin: hash_pin(pin, salt),
                active: true,
            }
        })
        .collect()
}

/// Argon2id with the parameters that [`Staff::pin`] promises.
fn hash_pin(pin: &str, salt: [u8; 16]) -> PinHash {
    let params = Params::new(19 * 1_024, 2, 1, Some(32)).expect("these parameters are in range");
    let mut hash = [0_u8; 32];
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(pin.as_bytes(), &salt, &mut hash)
        .expect("salt and output have lengths that Argon2 takes");
    PinHash { salt, hash }
}
