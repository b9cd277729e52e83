//! Invented members with balances, tiers and phones.

use qiantai_core::account::Lot;
use qiantai_core::ids::{LotId, MemberId, StoreId};
use qiantai_core::member::MemberProfile;
use qiantai_core::operation::{MemberRegister, OpeningBalance};
use qiantai_core::policy::{Policy, SpendOrder, StoreKind};
use qiantai_core::{Millis, Money, Timestamp, tier};
use rand::{Rng, RngExt};

use super::names;
use super::shops::uuid_at;

/// One invented member.
pub(super) struct SampleMember {
    pub(super) register: MemberRegister,
    pub(super) profile: MemberProfile,
    /// `None` for a member without any stored value or history.
    pub(super) opening: Option<OpeningBalance>,
}

/// First digits of mobile numbers.
const PREFIXES: [&str; 24] = [
    "138", "139", "136", "137", "135", "150", "151", "152", "157", "158", "159", "188", "130",
    "131", "132", "155", "156", "186", "133", "153", "180", "189", "177", "199",
];

/// Coprime to 10⁸, so that every member of a shop gets another number.
const PHONE_STEP: u64 = 38_196_601;

/// The member of the sketches: 张伟, silver, 460 + 70 of 3 800 recharged.
const SKETCH_INDEX: usize = 0;

/// Holds the greatest balance that the screens must fit; only the `open` profile allows it.
const RICH_INDEX: usize = 1;

/// The member at `index` of a shop.
pub(super) fn member(
    index: usize,
    policy: &Policy,
    now: Timestamp,
    phone_offset: u64,
    rng: &mut impl Rng,
) -> SampleMember {
    let registered_at = now - Millis::days(rng.random_range(2..1_400));
    let id = MemberId(uuid_at(registered_at, rng));
    let (name, phone) = match index {
        SKETCH_INDEX => ("张伟".to_owned(), "13812345678".to_owned()),
        _ => (names::name(index - 1, rng), phone(index, phone_offset)),
    };
    let serial = format!("{:06}", index + 1);
    let has_card = index.is_multiple_of(3);
    let card_no = has_card.then(|| format!("{}-9{serial}", policy.store.code));
    let profile = MemberProfile {
        id,
        name,
        phone,
        card_no,
        birth_month: (!index.is_multiple_of(7)).then(|| rng.random_range(1..=12)),
        note: None,
    };
    let opening = match index {
        SKETCH_INDEX => Some(of_the_sketch(id, policy, now, rng)),
        RICH_INDEX if policy.store.kind == StoreKind::Salon => {
            Some(rich(id, policy, registered_at, rng))
        }
        _ => usual(id, policy, now, registered_at, rng),
    };
    let register = MemberRegister {
        member: id,
        member_no: format!("{}{serial}", policy.store.code),
        home_store: StoreId(policy.store.id.0),
        registered_at,
    };
    SampleMember {
        register,
        profile,
        opening,
    }
}

fn phone(index: usize, offset: u64) -> String {
    let prefix = PREFIXES[index % PREFIXES.len()];
    let number = (index as u64).wrapping_mul(PHONE_STEP).wrapping_add(offset) % 100_000_000;
    format!("{prefix}{number:08}")
}

fn of_the_sketch(
    id: MemberId,
    policy: &Policy,
    now: Timestamp,
    rng: &mut impl Rng,
) -> OpeningBalance {
    let old = lot(
        (500, 100),
        (100, 20),
        now - Millis::days(353),
        Some(12),
        now,
        rng,
    );
    let new = lot(
        (720, 100),
        (360, 50),
        now - Millis::days(22),
        Some(343),
        now,
        rng,
    );
    opening(id, policy, vec![old, new], Money::from_yuan(3_800))
}

fn rich(
    id: MemberId,
    policy: &Policy,
    credited_at: Timestamp,
    rng: &mut impl Rng,
) -> OpeningBalance {
    let principal = Money::from_fen(99_999_999);
    let lot = Lot {
        id: LotId(uuid_at(credited_at, rng)),
        order: None,
        principal_init: principal,
        principal_left: principal,
        bonus_init: Money::ZERO,
        bonus_left: Money::ZERO,
        bonus_expires_at: None,
        spend_order: SpendOrder::Proportional,
        credited_at,
    };
    opening(id, policy, vec![lot], principal)
}

/// A third have no stored value; the others one or two lots, partly spent.
fn usual(
    id: MemberId,
    policy: &Policy,
    now: Timestamp,
    registered_at: Timestamp,
    rng: &mut impl Rng,
) -> Option<OpeningBalance> {
    const BOUGHT: [(i64, i64); 6] = [
        (300, 50),
        (500, 100),
        (1_000, 230),
        (2_000, 520),
        (3_000, 900),
        (200, 0),
    ];
    if rng.random_range(0..3) == 0 {
        return None;
    }
    let mut lots = Vec::new();
    let mut bought = Money::ZERO;
    for _ in 0..rng.random_range(1..=2) {
        let (pay, bonus) = BOUGHT[rng.random_range(0..BOUGHT.len())];
        bought += Money::from_yuan(pay);
        // Tenths left, so that principal and bonus keep their ratio; two lots stay below the
        // legal 5 000 of named cards.
        let tenths = rng.random_range(1..=8);
        let age_days = rng.random_range(0..=(now - registered_at).0 / Millis::days(1).0);
        let credited_at = now - Millis::days(age_days.min(300));
        let left = (pay * tenths / 10, bonus * tenths / 10);
        lots.push(lot(
            (pay, bonus),
            left,
            credited_at,
            Some(365),
            credited_at,
            rng,
        ));
    }
    let earlier = Money::from_yuan(rng.random_range(0..40) * 100);
    Some(opening(id, policy, lots, bought + earlier))
}

fn lot(
    init_yuan: (i64, i64),
    left_yuan: (i64, i64),
    credited_at: Timestamp,
    bonus_days: Option<i64>,
    bonus_from: Timestamp,
    rng: &mut impl Rng,
) -> Lot {
    let has_bonus = init_yuan.1 > 0;
    Lot {
        id: LotId(uuid_at(credited_at, rng)),
        order: None,
        principal_init: Money::from_yuan(init_yuan.0),
        principal_left: Money::from_yuan(left_yuan.0),
        bonus_init: Money::from_yuan(init_yuan.1),
        bonus_left: Money::from_yuan(left_yuan.1),
        bonus_expires_at: bonus_days
            .filter(|_| has_bonus)
            .map(|days| bonus_from + Millis::days(days)),
        spend_order: SpendOrder::Proportional,
        credited_at,
    }
}

/// Growth, points and tier as the rules of the shop would have given them.
fn opening(
    member: MemberId,
    policy: &Policy,
    lots: Vec<Lot>,
    net_recharged: Money,
) -> OpeningBalance {
    let tier = tier::reached(&policy.tiers, net_recharged)
        .or(policy.tiers.first())
        .expect("every sample shop has tiers")
        .id;
    OpeningBalance {
        member,
        lots,
        net_recharged,
        growth: net_recharged.whole_yuan(),
        points: net_recharged.whole_yuan(),
        tier,
    }
}
