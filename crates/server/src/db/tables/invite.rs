//! Table `invite`.

use qiantai_core::clock::Timestamp;
use qiantai_core::ids::{StoreId, TenantId};
use qiantai_core::operation::Hash;

use crate::db::record::Kind::{Bytes, Int};
use crate::db::record::{Record, Value, values};
use crate::db::table::{OnConflict, Question, Table};
use crate::db::{Invite, LedgerError};

pub(in crate::db) static TABLE: Table = Table::new(
    "invite",
    &[
        ("code_hash", Bytes),
        ("store_id", Bytes),
        ("expires_ms", Int),
        ("used_ms", Int),
        ("used_by", Bytes),
    ],
    1,
    OnConflict::Fail,
);

pub(in crate::db) fn row(invite: &Invite) -> Vec<Value> {
    values![
        &invite.code_hash,
        invite.store.0,
        invite.expires_at,
        None::<Timestamp>,
        invite.used_by.as_ref().map(<[u8; 32]>::as_slice),
    ]
}

/// One statement, so that two terminals cannot both use it; the same one may ask again.
pub(in crate::db) fn redeem(code: &Hash, public_key: &[u8; 32], now: Timestamp) -> Question {
    Question::new(
        "UPDATE invite SET used_ms = coalesce(used_ms, ?2), used_by = ?3
         WHERE code_hash = ?1 AND expires_ms >= ?2 AND (used_ms IS NULL OR used_by = ?3)
         RETURNING *",
    )
    .with(code)
    .with(now)
    .with(public_key)
}

pub(in crate::db) fn of_code(code: &Hash) -> Question {
    Question::new("SELECT * FROM invite WHERE code_hash = ?1").with(code)
}

pub(in crate::db) fn read(row: &Record) -> Result<Invite, LedgerError> {
    Ok(Invite {
        tenant: TenantId(row.id("tenant_id")?),
        code_hash: row.array("code_hash")?,
        store: StoreId(row.id("store_id")?),
        expires_at: row.at("expires_ms")?,
        used_by: row.array_opt("used_by")?,
    })
}
