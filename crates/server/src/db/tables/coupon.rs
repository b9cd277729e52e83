//! Table `coupon`.

use qiantai_core::ids::{CouponId, CouponTemplateId, MemberId, OrderId, TenantId};
use qiantai_core::ledger::Coupon;

use crate::db::LedgerError;
use crate::db::codes::Code;
use crate::db::record::Kind::{Bytes, Int, Text};
use crate::db::record::{Record, Value, values};
use crate::db::table::{OnConflict, Question, Table, When};

pub(in crate::db) static TABLE: Table = Table::new(
    "coupon",
    &[
        ("coupon_id", Bytes),
        ("template_id", Bytes),
        ("member_id", Bytes),
        ("order_id", Bytes),
        ("state", Text),
        ("expires_ms", Int),
        ("issued_ms", Int),
    ],
    1,
    OnConflict::Replace(&["state"], When::Always),
);

pub(in crate::db) fn row(coupon: &Coupon) -> Vec<Value> {
    values![
        coupon.id.0,
        coupon.template.0,
        coupon.member.0,
        coupon.order.0,
        coupon.state.code(),
        coupon.expires_at,
        coupon.issued_at,
    ]
}

pub(in crate::db) fn usable(tenant: TenantId, members: &[MemberId]) -> Question {
    Question::of_members(
        "SELECT * FROM coupon
         WHERE tenant_id = ?1 AND member_id IN (?2) AND state IN ('issued', 'locked')
         ORDER BY coupon_id",
        tenant,
        members,
    )
}

pub(in crate::db) fn read(row: &Record) -> Result<Coupon, LedgerError> {
    Ok(Coupon {
        id: CouponId(row.id("coupon_id")?),
        template: CouponTemplateId(row.id("template_id")?),
        member: MemberId(row.id("member_id")?),
        order: OrderId(row.id("order_id")?),
        state: row.code("state")?,
        expires_at: row.at("expires_ms")?,
        issued_at: row.at("issued_ms")?,
    })
}
