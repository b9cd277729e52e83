//! Rows that a terminal replicates. An entry of the feed carries whole rows as they stand after
//! its operation: applying it is an upsert of each, and applying it twice changes nothing.

mod account;
mod known;
mod lease;
mod limits;
mod member;
mod offers;
mod order;
mod outcome;
mod policy;
mod quote;
mod shop;

pub use account::{AccountDto, LotDto};
pub use lease::{LeaseLotDto, LeaseRowDto};
pub use limits::{
    ComplianceLimitDto, ComplianceProfileDto, EarningDto, OfflineLimitsDto, ReviewThresholdsDto,
    RiskFloorDto,
};
pub use member::{MemberDto, MemberProfileDto};
pub use offers::{
    CouponTemplateDto, DateRangeDto, LadderBonusDto, LadderDto, LadderRowDto, PackageDto, TierDto,
};
pub use order::{AmountChoiceDto, AttemptDto, CreditDto, OrderDto, PaidFactDto, SurplusDto};
pub use outcome::{NotAnAnswer, OutcomeDto, RefusalDto};
pub use policy::{BrandDto, MerchantAccountDto, PolicyDto, Redacted, StaffDto, StoreDto};
pub use quote::{CouponGrantDto, LimitCauseDto, LimitNoticeDto, QuoteDto, RuleLineDto};
pub use shop::{CaseDto, CouponDto, DeviceDto, ShiftDto};

use qiantai_core::decide::Change;
use qiantai_core::operation::Cursor;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::text::Hex;

/// One operation of the tenant's log, as a terminal sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FeedEntry {
    /// Commit order of the tenant, from 1, gapless.
    pub server_seq: u64,
    /// When the server committed it.
    pub at_ms: i64,
    /// The operation; a terminal that finds its own here drops it from its overlay in the same
    /// transaction as the rows.
    pub op_id: Uuid,
    /// Who wrote it.
    pub device: Uuid,
    /// Its place in that device's chain.
    pub device_seq: u64,
    /// The intent.
    pub action_id: Uuid,
    /// Number of its kind, see [`crate::operation::Kind`].
    pub kind: u16,
    /// The answer.
    pub outcome: OutcomeDto,
    /// Whole rows after it; empty when nothing changed or nothing concerns terminals.
    #[serde(deserialize_with = "known::rows")]
    pub changes: Vec<FeedChange>,
}

/// One whole row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "table", content = "row", rename_all = "snake_case")]
pub enum FeedChange {
    /// Rules of a store.
    Policy(Box<PolicyDto>),
    /// A member, with the profile where the terminal may know it.
    Member(MemberDto),
    /// An account with its lots.
    Account(AccountDto),
    /// A lease, of whichever terminal: what an account has frozen is explained by them.
    Lease(LeaseRowDto),
    /// An order with its rule snapshot.
    Order(Box<OrderDto>),
    /// A payment attempt.
    Attempt(AttemptDto),
    /// A shift.
    Shift(ShiftDto),
    /// A coupon.
    Coupon(CouponDto),
    /// An exception case.
    Case(CaseDto),
    /// A terminal.
    Device(DeviceDto),
}

impl FeedChange {
    /// The row of a change, or `None` where terminals do not replicate the table (journal,
    /// postings, logs) or where the row is not in the change itself (policies are the operation's
    /// attachment, profiles travel sealed).
    pub fn from_change(change: &Change) -> Option<FeedChange> {
        match change {
            Change::Device(row) => Some(FeedChange::Device(row.into())),
            Change::Member(row) => Some(FeedChange::Member(row.into())),
            Change::Account(row) => Some(FeedChange::Account(row.into())),
            Change::Lease(row) => Some(FeedChange::Lease(row.into())),
            Change::Order(row) => Some(FeedChange::Order(Box::new(row.into()))),
            Change::Attempt(row) => Some(FeedChange::Attempt(row.into())),
            Change::Shift(row) => Some(FeedChange::Shift(row.into())),
            Change::Coupon(row) => Some(FeedChange::Coupon(row.into())),
            Change::Case(row) => Some(FeedChange::Case(row.into())),
            Change::PolicyPublished(_)
            | Change::Journal(_)
            | Change::Posting(_)
            | Change::Earning(_)
            | Change::Tier(_)
            | Change::CarePlan(_)
            | Change::Cash(_)
            | Change::Outbox(_)
            | Change::SpentBeyond(_) => None,
        }
    }
}

/// A stretch of the feed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FeedPage {
    /// Changes when the server is restored from a backup; a terminal of another timeline takes
    /// a new snapshot and pushes again what the server lacks.
    pub timeline: u32,
    /// Last `server_seq` of the log.
    pub head: u64,
    /// Entries after the cursor, in order, without gaps.
    pub entries: Vec<FeedEntry>,
    /// The server's clock.
    pub server_time_ms: i64,
}

/// A part of a snapshot: everything a new terminal needs before it follows the feed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SnapshotPage {
    /// Timeline of the snapshot.
    pub timeline: u32,
    /// The feed is followed after this `server_seq`. Pages of one snapshot may carry later rows;
    /// whole rows make that harmless. The first page's value counts.
    pub at_seq: u64,
    /// Rows, members in the order of their ids. The first page begins with the policies, open
    /// shifts and orders, with their attempts, of the terminal's store, and with devices and cases.
    #[serde(deserialize_with = "known::rows")]
    pub rows: Vec<FeedChange>,
    /// Members in the whole snapshot, for the progress bar.
    pub member_total: u64,
    /// Pass as `after_member` for the next page; `None` on the last page.
    pub next: Option<Uuid>,
    /// Where the chain of the terminal that asks ends in the log up to `at_seq`: its operations up
    /// to there are in the rows. The first page's value counts; older servers say none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chain_end: Option<ChainEndDto>,
    /// The server's clock.
    pub server_time_ms: i64,
}

/// The end of a device's chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ChainEndDto {
    /// Last operation; 0 for none.
    pub device_seq: u64,
    /// Its hash; zeros when there is none.
    #[schema(value_type = String)]
    pub hash: Hex<32>,
}

/// A position in the server's log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CursorDto {
    /// Changes when the server is restored from a backup.
    pub timeline: u32,
    /// Commit order of the tenant.
    pub server_seq: u64,
}

impl From<Cursor> for CursorDto {
    fn from(cursor: Cursor) -> CursorDto {
        CursorDto {
            timeline: cursor.timeline,
            server_seq: cursor.server_seq,
        }
    }
}

impl From<CursorDto> for Cursor {
    fn from(dto: CursorDto) -> Cursor {
        Cursor {
            timeline: dto.timeline,
            server_seq: dto.server_seq,
        }
    }
}
