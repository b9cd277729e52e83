//! Table `member_key`: opens a profile. Without its row the person is forgotten.

use qiantai_core::ids::MemberId;

use crate::db::record::Kind::Bytes;
use crate::db::record::{Value, values};
use crate::db::table::{OnConflict, Table, When};

pub(in crate::db) static TABLE: Table = Table::new(
    "member_key",
    &[("member_id", Bytes), ("key", Bytes)],
    1,
    OnConflict::Replace(&["key"], When::Always),
);

pub(in crate::db) fn row(member: MemberId, key: &[u8; 32]) -> Vec<Value> {
    values![member.0, key]
}
