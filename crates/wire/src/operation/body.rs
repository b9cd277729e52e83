//! From an operation to its payload and back.

use minicbor::{Decode, Encode};
use qiantai_core::operation::{Operation, OperationBody, StaffProof};

use super::drawer::WireDrawerOpen;
use super::envelope::{Around, Envelope, Skipped, Staff};
use super::lease::{WireLeaseGrant, WireNamedLease, WireSpendOffline};
use super::member::WireMemberCreate;
use super::server::{
    WireAttemptResult, WireDeviceEnrol, WireMemberRegister, WireOpeningBalance, WirePolicyPublish,
    WireSurplusRefunded,
};
use super::terminal::{
    WireAttemptStart, WireOrder, WireRechargeCash, WireRechargeOpen, WireRechargeRecorded,
    WireReprint, WireShiftOpen,
};
use super::{DecodeError, Kind};

/// The payload of an operation.
pub fn encode(operation: &Operation) -> Vec<u8> {
    let around = Around::of(operation);
    match &operation.body {
        OperationBody::ShiftOpen(body) => pack(operation, WireShiftOpen::new(body)),
        OperationBody::RechargeOpen(body) => pack(operation, WireRechargeOpen::new(body, &around)),
        OperationBody::AttemptStart(body) => pack(operation, WireAttemptStart::new(body)),
        OperationBody::RechargeCash(body) => pack(operation, WireRechargeCash::new(body, &around)),
        OperationBody::RechargeRecorded(body) => {
            pack(operation, WireRechargeRecorded::new(body, &around))
        }
        OperationBody::RechargeCancel { order }
        | OperationBody::OrderExpire { order }
        | OperationBody::CreditRetry { order } => pack(
            operation,
            WireOrder {
                order: (*order).into(),
            },
        ),
        OperationBody::ReceiptReprint {
            order,
            copy,
            approval,
        } => pack(
            operation,
            WireReprint {
                order: (*order).into(),
                copy: *copy,
                approval: approval.map(Staff::from),
            },
        ),
        OperationBody::MemberCreate(body) => pack(operation, WireMemberCreate::new(body, &around)),
        OperationBody::PolicyPublish { version } => {
            pack(operation, WirePolicyPublish { version: *version })
        }
        OperationBody::DeviceEnrol(body) => pack(operation, WireDeviceEnrol::new(body)),
        OperationBody::MemberRegister(body) => pack(operation, WireMemberRegister::new(body)),
        OperationBody::OpeningBalance(body) => pack(operation, WireOpeningBalance::new(body)),
        OperationBody::AttemptResult(body) => pack(operation, WireAttemptResult::new(body)),
        OperationBody::SurplusRefunded(body) => pack(operation, WireSurplusRefunded::new(body)),
        OperationBody::SpendOffline(body) => pack(operation, WireSpendOffline::new(body)),
        OperationBody::LeaseRelease(body) | OperationBody::LeaseLost(body) => {
            pack(operation, WireNamedLease::new(body))
        }
        OperationBody::LeaseGrant(body) => pack(operation, WireLeaseGrant::new(body)),
        OperationBody::DrawerOpen(body) => pack(operation, WireDrawerOpen::new(body)),
    }
}

/// What is around the body.
pub fn peek(payload: &[u8]) -> Result<Envelope<Skipped>, DecodeError> {
    let envelope: Envelope<Skipped> =
        minicbor::decode(payload).map_err(|error| DecodeError::Malformed(error.to_string()))?;
    envelope.check_counts()?;
    Ok(envelope)
}

/// The operation of a payload in canonical form.
pub fn decode(payload: &[u8]) -> Result<Operation, DecodeError> {
    let header = peek(payload)?;
    let kind = Kind::from_number(header.kind).ok_or(DecodeError::UnknownKind(header.kind))?;
    if header.version() > kind.version() {
        return Err(DecodeError::NewerVersion {
            kind: header.kind,
            version: header.version(),
        });
    }
    let operation = read(kind, payload)?;
    if encode(&operation) != payload {
        return Err(DecodeError::NotCanonical);
    }
    Ok(operation)
}

/// A number that no enumeration here has.
pub fn unknown(what: &str, number: u16) -> DecodeError {
    DecodeError::Malformed(format!("{what} {number} is unknown"))
}

fn read(kind: Kind, payload: &[u8]) -> Result<Operation, DecodeError> {
    match kind {
        Kind::ShiftOpen => unpack(payload, |body: WireShiftOpen, _| {
            Ok(OperationBody::ShiftOpen(body.into_core()))
        }),
        Kind::RechargeOpen => unpack(payload, |body: WireRechargeOpen, around| {
            Ok(OperationBody::RechargeOpen(body.into_core(around)?))
        }),
        Kind::AttemptStart => unpack(payload, |body: WireAttemptStart, _| {
            Ok(OperationBody::AttemptStart(body.into_core()?))
        }),
        Kind::RechargeCash => unpack(payload, |body: WireRechargeCash, around| {
            Ok(OperationBody::RechargeCash(body.into_core(around)?))
        }),
        Kind::RechargeRecorded => unpack(payload, |body: WireRechargeRecorded, around| {
            Ok(OperationBody::RechargeRecorded(body.into_core(around)?))
        }),
        Kind::RechargeCancel => unpack(payload, |body: WireOrder, _| {
            Ok(OperationBody::RechargeCancel {
                order: body.order.into(),
            })
        }),
        Kind::ReceiptReprint => unpack(payload, |body: WireReprint, _| {
            Ok(OperationBody::ReceiptReprint {
                order: body.order.into(),
                copy: body.copy,
                approval: body.approval.map(StaffProof::try_from).transpose()?,
            })
        }),
        Kind::MemberCreate => unpack(payload, |body: WireMemberCreate, around| {
            Ok(OperationBody::MemberCreate(body.into_core(around)))
        }),
        Kind::PolicyPublish => unpack(payload, |body: WirePolicyPublish, _| {
            Ok(OperationBody::PolicyPublish {
                version: body.version,
            })
        }),
        Kind::DeviceEnrol => unpack(payload, |body: WireDeviceEnrol, _| {
            Ok(OperationBody::DeviceEnrol(body.into_core()))
        }),
        Kind::MemberRegister => unpack(payload, |body: WireMemberRegister, _| {
            Ok(OperationBody::MemberRegister(body.into_core()))
        }),
        Kind::OpeningBalance => unpack(payload, |body: WireOpeningBalance, _| {
            Ok(OperationBody::OpeningBalance(body.into_core()?))
        }),
        Kind::AttemptResult => unpack(payload, |body: WireAttemptResult, _| {
            Ok(OperationBody::AttemptResult(body.into_core()?))
        }),
        Kind::OrderExpire => unpack(payload, |body: WireOrder, _| {
            Ok(OperationBody::OrderExpire {
                order: body.order.into(),
            })
        }),
        Kind::SurplusRefunded => unpack(payload, |body: WireSurplusRefunded, _| {
            Ok(OperationBody::SurplusRefunded(body.into_core()))
        }),
        Kind::CreditRetry => unpack(payload, |body: WireOrder, _| {
            Ok(OperationBody::CreditRetry {
                order: body.order.into(),
            })
        }),
        Kind::SpendOffline => unpack(payload, |body: WireSpendOffline, _| {
            Ok(OperationBody::SpendOffline(body.into_core()?))
        }),
        Kind::LeaseRelease => unpack(payload, |body: WireNamedLease, _| {
            Ok(OperationBody::LeaseRelease(body.into_core()))
        }),
        Kind::DrawerOpen => unpack(payload, |body: WireDrawerOpen, _| {
            Ok(OperationBody::DrawerOpen(body.into_core()?))
        }),
        Kind::LeaseGrant => unpack(payload, |body: WireLeaseGrant, _| {
            Ok(OperationBody::LeaseGrant(body.into_core()))
        }),
        Kind::LeaseLost => unpack(payload, |body: WireNamedLease, _| {
            Ok(OperationBody::LeaseLost(body.into_core()))
        }),
    }
}

fn pack<B: Encode<()>>(operation: &Operation, body: B) -> Vec<u8> {
    let envelope = Envelope::new(Kind::of(&operation.body), operation, body);
    minicbor::to_vec(envelope).expect("writing to memory does not fail")
}

fn unpack<'b, B: Decode<'b, ()> + Clone>(
    payload: &'b [u8],
    into_body: impl FnOnce(B, &Around) -> Result<OperationBody, DecodeError>,
) -> Result<Operation, DecodeError> {
    let envelope: Envelope<B> =
        minicbor::decode(payload).map_err(|error| DecodeError::Malformed(error.to_string()))?;
    let body = into_body(envelope.body.clone(), &envelope.around())?;
    envelope.into_operation(body)
}
