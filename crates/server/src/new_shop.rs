//! Opening a shop: what its owner was asked, and what every shop begins with.

use qiantai_core::attempt::Channel;
use qiantai_core::ids::{DeviceId, PromotionId, TenantId, TierId};
use qiantai_core::merchant_account::MerchantAccount;
use qiantai_core::policy::{
    ComplianceProfile, Earning, Ladder, LadderBonus, LadderRow, OfflineLimits, Policy,
    ReviewThresholds, SpendOrder, Staff, Store, Tier,
};
use qiantai_core::risk_floor::RiskFloor;
use qiantai_core::{Millis, Money, Timestamp};
use uuid::Uuid;

use crate::data_folder::fresh_key;
use crate::embedded::{AdminError, Server};

/// Yuan on the buttons of a new shop.
const FIXED_AMOUNTS: [i64; 5] = [100, 300, 500, 1_000, 2_000];

/// Name of the ladder that a new shop may begin with.
const LADDER_NAME: &str = "充值阶梯";

/// A shop as its owner wants it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewShop {
    /// Whose books; chosen and kept by the caller, so that a repetition is the same shop.
    pub tenant: TenantId,
    /// The server's own device in these books.
    pub server_device: DeviceId,
    /// Name, trade, and what the receipt says of the store.
    pub store: Store,
    /// Limits by law.
    pub compliance: ComplianceProfile,
    /// Who works there; one of them must be a manager, or nobody could approve anything.
    pub staff: Vec<Staff>,
    /// Payment methods in the order of the screen.
    pub channels: Vec<Channel>,
    /// Where the money of the shop's own code goes, where it has one.
    pub merchant_account: Option<MerchantAccount>,
    /// Whether a larger amount earns a bonus by the usual ladder (docs: domain §3.4). Without it
    /// nothing is given away.
    pub bonus: bool,
}

impl Server {
    /// Opens `shop` with its first rules. What an interrupted call left is completed; a shop that
    /// stands is left as it is.
    ///
    /// # Errors
    /// See [`AdminError`].
    pub async fn open_shop(&self, shop: NewShop) -> Result<(), AdminError> {
        let tenant = shop.tenant;
        let tenants = self.tenants()?;
        if !tenants.iter().any(|known| known.id == tenant) {
            let name = shop.store.name.as_str();
            self.create_tenant(tenant, shop.server_device, name, fresh_key()?)?;
        }
        if self.ledger().policies(tenant)?.is_empty() {
            self.publish_policy(first_rules(shop)).await?;
        }
        Ok(())
    }
}

fn first_rules(shop: NewShop) -> Policy {
    let mut next_id = Uuid::now_v7;
    let ladders = match shop.bonus {
        true => vec![usual_ladder(LADDER_NAME, &mut next_id)],
        false => Vec::new(),
    };
    Policy {
        version: 1,
        // A clock that was fast on the day of the set-up must not keep the shop closed later.
        effective_from: Timestamp::from_ms(0),
        tenant: shop.tenant,
        store: shop.store,
        staff: shop.staff,
        packages: Vec::new(),
        fixed_amounts: FIXED_AMOUNTS.map(Money::from_yuan).into(),
        custom_amount: true,
        ladders,
        tiers: usual_tiers(&mut next_id),
        coupon_templates: Vec::new(),
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
        channels: shop.channels,
        merchant_account: shop.merchant_account,
        quote_valid: Millis::minutes(15),
        order_valid: Millis::minutes(15),
        qr_valid: Millis::minutes(5),
    }
}

/// The ladder of domain §3.4.
pub(crate) fn usual_ladder(name: &str, next_id: &mut impl FnMut() -> Uuid) -> Ladder {
    let rows = [
        (300, 50),
        (500, 100),
        (1_000, 230),
        (2_000, 520),
        (3_000, 900),
        (5_000, 1_750),
    ];
    Ladder {
        id: PromotionId(next_id()),
        version: 1,
        name: name.to_owned(),
        rows: rows
            .map(|(threshold, bonus)| LadderRow {
                threshold: Money::from_yuan(threshold),
                bonus: LadderBonus::Fixed(Money::from_yuan(bonus)),
                coupons: Vec::new(),
            })
            .into(),
        dates: None,
    }
}

/// The tiers of domain §3.5; what they promise beyond prices is for each shop to say.
pub(crate) fn usual_tiers(next_id: &mut impl FnMut() -> Uuid) -> Vec<Tier> {
    let rows = [
        ("普卡", 0, 10_000, 10_000),
        ("银卡", 2_000, 9_500, 12_000),
        ("金卡", 5_000, 9_000, 15_000),
        ("钻石", 20_000, 8_500, 20_000),
    ];
    (0_u8..)
        .zip(rows)
        .map(|(rank, (name, threshold, price_bp, points_rate_bp))| Tier {
            id: TierId(next_id()),
            rank,
            name: name.to_owned(),
            threshold: Money::from_yuan(threshold),
            price_bp,
            points_rate_bp,
            valid_months: 12,
            benefits: Vec::new(),
        })
        .collect()
}
