//! The shop's rules as one document. It is the attachment of `policy.publish`.

use qiantai_core::brand::Brand;
use qiantai_core::clock::Millis;
use qiantai_core::ids::{StaffId, StoreId, TenantId};
use qiantai_core::merchant_account::MerchantAccount;
use qiantai_core::policy::{Ladder, Package, PinHash, Policy, Staff, Store, Tier};
use qiantai_core::{Money, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    ComplianceProfileDto, CouponTemplateDto, EarningDto, LadderDto, OfflineLimitsDto, PackageDto,
    ReviewThresholdsDto, TierDto,
};
use crate::codes::{AccentDto, ChannelDto, RoleDto, SpendOrderDto, StoreKindDto};
use crate::text::Hex;

/// Everything a decision needs to know about one store, valid from `effective_from_ms`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PolicyDto {
    /// Counts up by one with each publication.
    pub version: u32,
    /// Orders quoted at or after this instant use this version.
    pub effective_from_ms: i64,
    /// The tenant.
    pub tenant: Uuid,
    /// The store.
    pub store: StoreDto,
    /// Staff who may sign in here.
    pub staff: Vec<StaffDto>,
    /// Packages on sale.
    pub packages: Vec<PackageDto>,
    /// Amount buttons without a package, in display order.
    pub fixed_amounts_fen: Vec<i64>,
    /// Whether a free amount may be typed.
    pub custom_amount: bool,
    /// Ladder promotions.
    pub ladders: Vec<LadderDto>,
    /// Tiers by rising threshold.
    pub tiers: Vec<TierDto>,
    /// Coupon kinds.
    pub coupon_templates: Vec<CouponTemplateDto>,
    /// How principal and bonus are drawn.
    pub spend_order: SpendOrderDto,
    /// Most bonus an order may earn, in basis points of the amount paid.
    pub bonus_cap_bp: u32,
    /// Days until granted bonus expires; `None` for never.
    pub bonus_valid_days: Option<u16>,
    /// Growth and points.
    pub earning: EarningDto,
    /// Limits by law or product.
    pub compliance: ComplianceProfileDto,
    /// When an order needs a second pair of eyes.
    pub review: ReviewThresholdsDto,
    /// Bounds of work without the server.
    pub offline: OfflineLimitsDto,
    /// Payment methods in display order.
    pub channels: Vec<ChannelDto>,
    /// Where the money of the shop's own code goes; left out where it has none, so that documents
    /// which were signed before stay as they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merchant_account: Option<MerchantAccountDto>,
    /// How long a quote may be used.
    pub quote_valid_ms: i64,
    /// How long an order waits for payment.
    pub order_valid_ms: i64,
    /// How long one QR attempt is shown.
    pub qr_valid_ms: i64,
}

impl From<&Policy> for PolicyDto {
    fn from(policy: &Policy) -> PolicyDto {
        PolicyDto {
            version: policy.version,
            effective_from_ms: policy.effective_from.ms(),
            tenant: policy.tenant.0,
            store: (&policy.store).into(),
            staff: policy.staff.iter().map(StaffDto::from).collect(),
            packages: policy.packages.iter().map(PackageDto::from).collect(),
            fixed_amounts_fen: policy
                .fixed_amounts
                .iter()
                .map(|amount| amount.fen())
                .collect(),
            custom_amount: policy.custom_amount,
            ladders: policy.ladders.iter().map(LadderDto::from).collect(),
            tiers: policy.tiers.iter().map(TierDto::from).collect(),
            coupon_templates: policy.coupon_templates.iter().map(Into::into).collect(),
            spend_order: policy.spend_order.into(),
            bonus_cap_bp: policy.bonus_cap_bp,
            bonus_valid_days: policy.bonus_valid_days,
            earning: policy.earning.into(),
            compliance: (&policy.compliance).into(),
            review: policy.review.into(),
            offline: policy.offline.into(),
            channels: policy
                .channels
                .iter()
                .copied()
                .map(ChannelDto::from)
                .collect(),
            merchant_account: policy.merchant_account.as_ref().map(Into::into),
            quote_valid_ms: policy.quote_valid.0,
            order_valid_ms: policy.order_valid.0,
            qr_valid_ms: policy.qr_valid.0,
        }
    }
}

impl From<PolicyDto> for Policy {
    fn from(dto: PolicyDto) -> Policy {
        Policy {
            version: dto.version,
            effective_from: Timestamp::from_ms(dto.effective_from_ms),
            tenant: TenantId(dto.tenant),
            store: dto.store.into(),
            staff: dto.staff.into_iter().map(Staff::from).collect(),
            packages: dto.packages.into_iter().map(Package::from).collect(),
            fixed_amounts: dto
                .fixed_amounts_fen
                .into_iter()
                .map(Money::from_fen)
                .collect(),
            custom_amount: dto.custom_amount,
            ladders: dto.ladders.into_iter().map(Ladder::from).collect(),
            tiers: dto.tiers.into_iter().map(Tier::from).collect(),
            coupon_templates: dto.coupon_templates.into_iter().map(Into::into).collect(),
            spend_order: dto.spend_order.into(),
            bonus_cap_bp: dto.bonus_cap_bp,
            bonus_valid_days: dto.bonus_valid_days,
            earning: dto.earning.into(),
            compliance: dto.compliance.into(),
            review: dto.review.into(),
            offline: dto.offline.into(),
            channels: dto.channels.into_iter().map(Into::into).collect(),
            merchant_account: dto.merchant_account.map(Into::into),
            quote_valid: Millis(dto.quote_valid_ms),
            order_valid: Millis(dto.order_valid_ms),
            qr_valid: Millis(dto.qr_valid_ms),
        }
    }
}

/// A shop.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StoreDto {
    /// Identity.
    pub id: Uuid,
    /// Five digits.
    pub code: String,
    /// Name on screen and receipt.
    pub name: String,
    /// Trade of the shop.
    pub kind: StoreKindDto,
    /// Address on the receipt.
    pub address: String,
    /// Phone on the receipt.
    pub phone: String,
    /// Where members complain.
    pub complaint_phone: String,
    /// Minutes past midnight at which the business date changes.
    pub cut_off_minutes: u16,
    /// One line on refunds for the receipt.
    pub refund_rule: String,
    /// How it looks to its customers; left out where nobody chose, so that documents which were
    /// signed before stay as they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub brand: Option<BrandDto>,
}

/// A shop's colour and the name it is known by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BrandDto {
    /// Its colour.
    pub accent: AccentDto,
    /// What it is called in the street, at most 12 characters; none where that is the name of the
    /// store.
    pub short_name: Option<String>,
}

impl From<&Brand> for BrandDto {
    fn from(brand: &Brand) -> BrandDto {
        BrandDto {
            accent: brand.accent.into(),
            short_name: brand.short_name.clone(),
        }
    }
}

impl From<BrandDto> for Brand {
    fn from(dto: BrandDto) -> Brand {
        Brand {
            accent: dto.accent.into(),
            short_name: dto.short_name,
        }
    }
}

impl From<&Store> for StoreDto {
    fn from(store: &Store) -> StoreDto {
        StoreDto {
            id: store.id.0,
            code: store.code.clone(),
            name: store.name.clone(),
            kind: store.kind.into(),
            address: store.address.clone(),
            phone: store.phone.clone(),
            complaint_phone: store.complaint_phone.clone(),
            cut_off_minutes: store.cut_off_minutes,
            refund_rule: store.refund_rule.clone(),
            brand: (store.brand != Brand::default()).then(|| (&store.brand).into()),
        }
    }
}

impl From<StoreDto> for Store {
    fn from(dto: StoreDto) -> Store {
        Store {
            id: StoreId(dto.id),
            code: dto.code,
            name: dto.name,
            kind: dto.kind.into(),
            address: dto.address,
            phone: dto.phone,
            complaint_phone: dto.complaint_phone,
            cut_off_minutes: dto.cut_off_minutes,
            refund_rule: dto.refund_rule,
            brand: dto.brand.map(Brand::from).unwrap_or_default(),
        }
    }
}

/// A merchant account that a code leads to, as the acquirer's contract gives it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MerchantAccountDto {
    /// Number of the acquirer, 8 places.
    pub acquirer: String,
    /// Number of the forwarding institution, 8 places.
    pub forwarding: String,
    /// Merchant number, 15 places.
    pub merchant: String,
    /// Merchant category code, 4 digits.
    pub category: String,
    /// Name in Latin letters, at most 25.
    pub name: String,
    /// City in Latin letters, at most 15.
    pub city: String,
}

impl From<&MerchantAccount> for MerchantAccountDto {
    fn from(account: &MerchantAccount) -> MerchantAccountDto {
        MerchantAccountDto {
            acquirer: account.acquirer.clone(),
            forwarding: account.forwarding.clone(),
            merchant: account.merchant.clone(),
            category: account.category.clone(),
            name: account.name.clone(),
            city: account.city.clone(),
        }
    }
}

impl From<MerchantAccountDto> for MerchantAccount {
    fn from(dto: MerchantAccountDto) -> MerchantAccount {
        MerchantAccount {
            acquirer: dto.acquirer,
            forwarding: dto.forwarding,
            merchant: dto.merchant,
            category: dto.category,
            name: dto.name,
            city: dto.city,
        }
    }
}

/// A member of staff. The PIN hash goes to terminals of the store only, which bind it to a
/// secret of their key store on arrival.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StaffDto {
    /// Identity.
    pub id: Uuid,
    /// Short number shown at sign-in.
    pub staff_no: String,
    /// Name on screen and receipt.
    pub name: String,
    /// What the person may do.
    pub role: RoleDto,
    /// Salt of the PIN's Argon2id, hexadecimal.
    #[schema(value_type = String)]
    pub pin_salt: Hex<16>,
    /// Argon2id of the PIN, hexadecimal.
    #[schema(value_type = String)]
    pub pin_hash: Redacted,
    /// False after leaving the shop.
    pub active: bool,
}

/// A PIN hash: written in full, never shown by `Debug`.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Redacted(pub Hex<32>);

impl std::fmt::Debug for Redacted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("redacted")
    }
}

impl From<&Staff> for StaffDto {
    fn from(staff: &Staff) -> StaffDto {
        StaffDto {
            id: staff.id.0,
            staff_no: staff.staff_no.clone(),
            name: staff.name.clone(),
            role: staff.role.into(),
            pin_salt: Hex(staff.pin.salt),
            pin_hash: Redacted(Hex(staff.pin.hash)),
            active: staff.active,
        }
    }
}

impl From<StaffDto> for Staff {
    fn from(dto: StaffDto) -> Staff {
        Staff {
            id: StaffId(dto.id),
            staff_no: dto.staff_no,
            name: dto.name,
            role: dto.role.into(),
            pin: PinHash {
                salt: dto.pin_salt.0,
                hash: dto.pin_hash.0.0,
            },
            active: dto.active,
        }
    }
}
