//! Table `device_token`.

use crate::db::DeviceToken;
use crate::db::record::Kind::{Bytes, Int, Text};
use crate::db::record::{Value, values};
use crate::db::table::{OnConflict, Table};

pub(in crate::db) static TABLE: Table = Table::new(
    "device_token",
    &[
        ("token_hash", Bytes),
        ("device_id", Bytes),
        ("name", Text),
        ("created_ms", Int),
    ],
    1,
    OnConflict::Fail,
);

pub(in crate::db) fn row(token: &DeviceToken) -> Vec<Value> {
    values![
        &token.token_hash,
        token.device.0,
        &token.name,
        token.created_at,
    ]
}
