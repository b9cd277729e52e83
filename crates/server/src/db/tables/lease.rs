//! Table `lease`.

use qiantai_core::account::Draw;
use qiantai_core::ids::{DeviceId, LeaseId, MemberId, StoreId, TenantId};
use qiantai_core::lease::Lease;

use crate::db::LedgerError;
use crate::db::codes::Code;
use crate::db::record::Kind::{Bytes, Int, Text};
use crate::db::record::{Record, Value, values};
use crate::db::table::{OnConflict, Question, Table, When};

pub(in crate::db) static TABLE: Table = Table::new(
    "lease",
    &[
        ("lease_id", Bytes),
        ("member_id", Bytes),
        ("device_id", Bytes),
        ("store_id", Bytes),
        ("state", Text),
        ("granted_ms", Int),
        ("server_seq", Int),
    ],
    1,
    OnConflict::Replace(&["state"], When::Changed),
);

/// `server_seq` counts when the row is new: its first writer is the grant.
pub(in crate::db) fn row(server_seq: u64, lease: &Lease) -> Vec<Value> {
    values![
        lease.id.0,
        lease.member.0,
        lease.device.0,
        lease.store.0,
        lease.state.code(),
        lease.granted_at,
        server_seq,
    ]
}

/// Those that are not over.
pub(in crate::db) fn open_of(tenant: TenantId, members: &[MemberId]) -> Question {
    Question::of_members(
        "SELECT * FROM lease
         WHERE tenant_id = ?1 AND member_id IN (?2) AND state IN ('held', 'lost')",
        tenant,
        members,
    )
}

/// Those of all members that are not over.
pub(in crate::db) fn all_open(tenant: TenantId) -> Question {
    Question::new("SELECT * FROM lease WHERE tenant_id = ?1 AND state IN ('held', 'lost')")
        .with(tenant.0)
}

pub(in crate::db) fn read(row: &Record, lots: Vec<Draw>) -> Result<Lease, LedgerError> {
    Ok(Lease {
        id: id(row)?,
        member: MemberId(row.id("member_id")?),
        device: DeviceId(row.id("device_id")?),
        store: StoreId(row.id("store_id")?),
        state: row.code("state")?,
        lots,
        granted_at: row.at("granted_ms")?,
    })
}

pub(in crate::db) fn id(row: &Record) -> Result<LeaseId, LedgerError> {
    Ok(LeaseId(row.id("lease_id")?))
}

/// The place of the operation that granted it.
pub(in crate::db) fn server_seq(row: &Record) -> Result<u64, LedgerError> {
    row.count("server_seq")
}
