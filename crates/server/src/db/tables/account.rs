//! Table `account`.

use qiantai_core::account::{Account, Lot};
use qiantai_core::ids::{MemberId, TenantId, TierId};

use crate::db::LedgerError;
use crate::db::record::Kind::{Bytes, Int};
use crate::db::record::{Record, Value, values};
use crate::db::table::{OnConflict, Question, Table, When};

/// The whole row is written at each change.
pub(in crate::db) static TABLE: Table = Table::new(
    "account",
    &[
        ("member_id", Bytes),
        ("principal_fen", Int),
        ("bonus_fen", Int),
        ("frozen_principal_fen", Int),
        ("frozen_bonus_fen", Int),
        ("debt_fen", Int),
        ("recharged_fen", Int),
        ("refunded_fen", Int),
        ("bonus_granted_fen", Int),
        ("growth", Int),
        ("points", Int),
        ("points_debt", Int),
        ("tier_id", Bytes),
        ("tier_valid_until_ms", Int),
        ("last_seq", Int),
    ],
    1,
    OnConflict::Replace(
        &[
            "principal_fen",
            "bonus_fen",
            "frozen_principal_fen",
            "frozen_bonus_fen",
            "debt_fen",
            "recharged_fen",
            "refunded_fen",
            "bonus_granted_fen",
            "growth",
            "points",
            "points_debt",
            "tier_id",
            "tier_valid_until_ms",
            "last_seq",
        ],
        When::Always,
    ),
);

pub(in crate::db) fn row(account: &Account) -> Vec<Value> {
    values![
        account.member.0,
        account.principal,
        account.bonus,
        account.frozen_principal,
        account.frozen_bonus,
        account.debt,
        account.recharged,
        account.refunded,
        account.bonus_granted,
        account.growth,
        account.points,
        account.points_debt,
        account.tier.0,
        account.tier_valid_until,
        account.last_seq,
    ]
}

/// The lots are those of this member, oldest first.
pub(in crate::db) fn read(row: &Record, lots: Vec<Lot>) -> Result<Account, LedgerError> {
    Ok(Account {
        member: member(row)?,
        principal: row.fen("principal_fen")?,
        bonus: row.fen("bonus_fen")?,
        frozen_principal: row.fen("frozen_principal_fen")?,
        frozen_bonus: row.fen("frozen_bonus_fen")?,
        debt: row.fen("debt_fen")?,
        recharged: row.fen("recharged_fen")?,
        refunded: row.fen("refunded_fen")?,
        bonus_granted: row.fen("bonus_granted_fen")?,
        growth: row.count("growth")?,
        points: row.count("points")?,
        points_debt: row.count("points_debt")?,
        tier: TierId(row.id("tier_id")?),
        tier_valid_until: row.at_opt("tier_valid_until_ms")?,
        last_seq: row.count("last_seq")?,
        lots,
    })
}

pub(in crate::db) fn member(row: &Record) -> Result<MemberId, LedgerError> {
    Ok(MemberId(row.id("member_id")?))
}

/// Those of a bucket, which is the last byte of the member's identity.
pub(in crate::db) fn of_bucket(tenant: TenantId, bucket: u8) -> Question {
    Question::new("SELECT * FROM account WHERE tenant_id = ?1 AND substr(member_id, 16, 1) = ?2")
        .with(tenant.0)
        .with(&[bucket])
}

/// Members who owe anything, counted and summed.
pub(in crate::db) fn debts(tenant: TenantId) -> Question {
    Question::new(
        "SELECT count(*) AS debtors, CAST(coalesce(sum(debt_fen), 0) AS BIGINT) AS owed_fen
         FROM account WHERE tenant_id = ?1 AND debt_fen > 0",
    )
    .with(tenant.0)
}

pub(in crate::db) fn of_members(tenant: TenantId, members: &[MemberId]) -> Question {
    let sql = "SELECT * FROM account WHERE tenant_id = ?1 AND member_id IN (?2)";
    Question::of_members(sql, tenant, members)
}
