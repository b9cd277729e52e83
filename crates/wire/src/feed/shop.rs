//! Terminals, shifts, coupons and exception cases.

use qiantai_core::decide::Device;
use qiantai_core::ids::{
    AttemptId, CaseId, CouponId, CouponTemplateId, DeviceId, MemberId, OrderId, ShiftId, StaffId,
    StoreId,
};
use qiantai_core::ledger::{Coupon, ExceptionCase, Shift};
use qiantai_core::{Money, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::codes::{CaseKindDto, CouponStateDto, ShiftStateDto};
use crate::text::Hex;

/// A terminal, or the server as a device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DeviceDto {
    /// Identity.
    pub id: Uuid,
    /// Two digits within the store; `00` is the server.
    pub terminal_code: String,
    /// Ed25519, hexadecimal.
    #[schema(value_type = String)]
    pub public_key: Hex<32>,
    /// True for the server's own device.
    pub is_server: bool,
}

impl From<&Device> for DeviceDto {
    fn from(device: &Device) -> DeviceDto {
        DeviceDto {
            id: device.id.0,
            terminal_code: device.terminal_code.clone(),
            public_key: Hex(device.public_key),
            is_server: device.is_server,
        }
    }
}

impl From<DeviceDto> for Device {
    fn from(dto: DeviceDto) -> Device {
        Device {
            id: DeviceId(dto.id),
            terminal_code: dto.terminal_code,
            public_key: dto.public_key.0,
            is_server: dto.is_server,
        }
    }
}

/// A cashier's shift.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ShiftDto {
    /// Identity.
    pub id: Uuid,
    /// `JB…`.
    pub shift_no: String,
    /// Where.
    pub store: Uuid,
    /// Terminal.
    pub device: Uuid,
    /// Who.
    pub cashier: Uuid,
    /// When.
    pub opened_at_ms: i64,
    /// Σ counted float.
    pub opening_float_fen: i64,
    /// Where it stands.
    pub state: ShiftStateDto,
}

impl From<&Shift> for ShiftDto {
    fn from(shift: &Shift) -> ShiftDto {
        ShiftDto {
            id: shift.id.0,
            shift_no: shift.shift_no.clone(),
            store: shift.store.0,
            device: shift.device.0,
            cashier: shift.cashier.0,
            opened_at_ms: shift.opened_at.ms(),
            opening_float_fen: shift.opening_float.fen(),
            state: shift.state.into(),
        }
    }
}

impl From<ShiftDto> for Shift {
    fn from(dto: ShiftDto) -> Shift {
        Shift {
            id: ShiftId(dto.id),
            shift_no: dto.shift_no,
            store: StoreId(dto.store),
            device: DeviceId(dto.device),
            cashier: StaffId(dto.cashier),
            opened_at: Timestamp::from_ms(dto.opened_at_ms),
            opening_float: Money::from_fen(dto.opening_float_fen),
            state: dto.state.into(),
        }
    }
}

/// One coupon of a member.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CouponDto {
    /// Identity.
    pub id: Uuid,
    /// Kind.
    pub template: Uuid,
    /// Owner.
    pub member: Uuid,
    /// Order that granted it.
    pub order: Uuid,
    /// Where it stands.
    pub state: CouponStateDto,
    /// Last instant of validity.
    pub expires_at_ms: i64,
    /// When it was issued.
    pub issued_at_ms: i64,
}

impl From<&Coupon> for CouponDto {
    fn from(coupon: &Coupon) -> CouponDto {
        CouponDto {
            id: coupon.id.0,
            template: coupon.template.0,
            member: coupon.member.0,
            order: coupon.order.0,
            state: coupon.state.into(),
            expires_at_ms: coupon.expires_at.ms(),
            issued_at_ms: coupon.issued_at.ms(),
        }
    }
}

impl From<CouponDto> for Coupon {
    fn from(dto: CouponDto) -> Coupon {
        Coupon {
            id: CouponId(dto.id),
            template: CouponTemplateId(dto.template),
            member: MemberId(dto.member),
            order: OrderId(dto.order),
            state: dto.state.into(),
            expires_at: Timestamp::from_ms(dto.expires_at_ms),
            issued_at: Timestamp::from_ms(dto.issued_at_ms),
        }
    }
}

/// 异常单: something a person must look at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CaseDto {
    /// Identity.
    pub id: Uuid,
    /// What happened.
    pub kind: CaseKindDto,
    /// The order, if any.
    pub order: Option<Uuid>,
    /// The attempt, if any.
    pub attempt: Option<Uuid>,
    /// The member, if any.
    pub member: Option<Uuid>,
    /// The device, if any.
    pub device: Option<Uuid>,
    /// Money that waits for a decision.
    pub amount_fen: i64,
    /// When it was opened.
    pub opened_at_ms: i64,
}

impl From<&ExceptionCase> for CaseDto {
    fn from(case: &ExceptionCase) -> CaseDto {
        CaseDto {
            id: case.id.0,
            kind: case.kind.into(),
            order: case.order.map(|id| id.0),
            attempt: case.attempt.map(|id| id.0),
            member: case.member.map(|id| id.0),
            device: case.device.map(|id| id.0),
            amount_fen: case.amount.fen(),
            opened_at_ms: case.opened_at.ms(),
        }
    }
}

impl From<CaseDto> for ExceptionCase {
    fn from(dto: CaseDto) -> ExceptionCase {
        ExceptionCase {
            id: CaseId(dto.id),
            kind: dto.kind.into(),
            order: dto.order.map(OrderId),
            attempt: dto.attempt.map(AttemptId),
            member: dto.member.map(MemberId),
            device: dto.device.map(DeviceId),
            amount: Money::from_fen(dto.amount_fen),
            opened_at: Timestamp::from_ms(dto.opened_at_ms),
        }
    }
}
