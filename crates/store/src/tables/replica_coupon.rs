//! Coupons as the server last told.

use qiantai_core::ids::MemberId;
use qiantai_core::ledger::Coupon;
use qiantai_wire::feed::CouponDto;
use rusqlite::{Connection, named_params};

use super::row::{from_json, to_json};
use crate::error::StoreError;
use crate::store::Store;

const TABLE: &str = "replica_coupon";

impl Store {
    /// Every coupon of a member, used and lapsed ones included.
    pub fn coupons_of(&self, member: MemberId) -> Result<Vec<Coupon>, StoreError> {
        self.read(|connection| {
            let mut statement = connection
                .prepare_cached("SELECT json FROM replica_coupon WHERE member = ?1 ORDER BY id")?;
            let mut rows = statement.query([member.0.into_bytes()])?;
            let mut coupons = Vec::new();
            while let Some(row) = rows.next()? {
                let json: String = row.get(0)?;
                coupons.push(from_json::<CouponDto>(TABLE, &json)?.into());
            }
            Ok(coupons)
        })
    }
}

pub fn upsert(
    connection: &Connection,
    coupon: &CouponDto,
    revision: i64,
) -> Result<(), StoreError> {
    connection
        .prepare_cached(
            "INSERT INTO replica_coupon (id, revision, member, json)
             VALUES (:id, :revision, :member, :json)
             ON CONFLICT (id) DO UPDATE
             SET revision = excluded.revision, member = excluded.member, json = excluded.json
             WHERE excluded.revision >= replica_coupon.revision",
        )?
        .execute(named_params! {
            ":id": coupon.id.into_bytes(),
            ":revision": revision,
            ":member": coupon.member.into_bytes(),
            ":json": to_json(TABLE, coupon)?,
        })?;
    Ok(())
}
