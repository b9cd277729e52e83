//! Table `lease_lot`: what is left of a lease, by lot.

use qiantai_core::account::Draw;
use qiantai_core::ids::{LeaseId, LotId, MemberId, TenantId};

use crate::db::LedgerError;
use crate::db::record::Kind::{Bytes, Int};
use crate::db::record::{Record, Value, values};
use crate::db::table::{OnConflict, Question, Table, When};

pub(in crate::db) static TABLE: Table = Table::new(
    "lease_lot",
    &[
        ("lease_id", Bytes),
        ("lot_id", Bytes),
        ("position", Int),
        ("principal_fen", Int),
        ("bonus_fen", Int),
    ],
    2,
    OnConflict::Replace(&["principal_fen", "bonus_fen"], When::Changed),
);

pub(in crate::db) fn row(lease: LeaseId, position: u32, left: &Draw) -> Vec<Value> {
    values![lease.0, left.lot.0, position, left.principal, left.bonus]
}

/// Of leases that are not over, in the order in which they were granted of the lots.
pub(in crate::db) fn open_of(tenant: TenantId, members: &[MemberId]) -> Question {
    Question::of_members(
        "SELECT lease_lot.* FROM lease_lot
         JOIN lease ON lease.tenant_id = lease_lot.tenant_id
             AND lease.lease_id = lease_lot.lease_id
         WHERE lease.tenant_id = ?1 AND lease.member_id IN (?2)
             AND lease.state IN ('held', 'lost')
         ORDER BY lease_lot.position",
        tenant,
        members,
    )
}

/// Of the leases of all members that are not over.
pub(in crate::db) fn all_open(tenant: TenantId) -> Question {
    Question::new(
        "SELECT lease_lot.* FROM lease_lot
         JOIN lease ON lease.tenant_id = lease_lot.tenant_id
             AND lease.lease_id = lease_lot.lease_id
         WHERE lease.tenant_id = ?1 AND lease.state IN ('held', 'lost')
         ORDER BY lease_lot.position",
    )
    .with(tenant.0)
}

pub(in crate::db) fn read(row: &Record) -> Result<(LeaseId, Draw), LedgerError> {
    let left = Draw {
        lot: LotId(row.id("lot_id")?),
        principal: row.fen("principal_fen")?,
        bonus: row.fen("bonus_fen")?,
    };
    Ok((LeaseId(row.id("lease_id")?), left))
}
