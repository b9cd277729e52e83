//! Table `held_operation`: rows of the log that wait for a person or an upgrade.

use qiantai_core::ids::TenantId;

use crate::db::HeldReason;
use crate::db::codes::Code;
use crate::db::record::Kind::{Int, Text};
use crate::db::record::{Value, values};
use crate::db::table::{OnConflict, Question, Table};

pub(in crate::db) static TABLE: Table = Table::new(
    "held_operation",
    &[("server_seq", Int), ("reason", Text)],
    1,
    OnConflict::Fail,
);

pub(in crate::db) fn row(server_seq: u64, reason: HeldReason) -> Vec<Value> {
    values![server_seq, reason.code()]
}

/// Operations that wait outside their device's sequence, counted by device. What was taken or
/// refused since waits no more.
pub(in crate::db) fn quarantined(tenant: TenantId) -> Question {
    Question::new(
        "SELECT operation.device_id, count(*) AS operations FROM held_operation
         JOIN operation ON operation.tenant_id = held_operation.tenant_id
             AND operation.server_seq = held_operation.server_seq
         WHERE held_operation.tenant_id = ?1 AND operation.standing = 'quarantined'
             AND NOT EXISTS (SELECT 1 FROM operation AS later
                 WHERE later.tenant_id = operation.tenant_id AND later.hash = operation.hash
                     AND later.standing <> 'quarantined')
         GROUP BY operation.device_id",
    )
    .with(tenant.0)
}

pub(in crate::db) fn count() -> Question {
    Question::new(
        "SELECT count(*) AS rows_held FROM held_operation
         JOIN operation ON operation.tenant_id = held_operation.tenant_id
             AND operation.server_seq = held_operation.server_seq
         WHERE NOT EXISTS (SELECT 1 FROM operation AS later
             WHERE later.tenant_id = operation.tenant_id AND later.hash = operation.hash
                 AND later.server_seq > operation.server_seq)",
    )
}
