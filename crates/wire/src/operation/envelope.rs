//! The fields that every operation has, whatever its body.
//!
//! Left out when implied: the action when it is the operation itself, version and epoch when 1,
//! the flag `offline` when false. Written as a difference: the wall time against the instant inside `op_id` (UUIDv7,
//! RFC 9562 §5.7), the server anchor against the wall time.

use minicbor::{Decode, Encode};
use qiantai_core::Timestamp;
use qiantai_core::ids::{ActionId, OpId};
use qiantai_core::operation::{Cursor, Hash, Operation, OperationBody, StaffMethod, StaffProof};
use uuid::Uuid;

use super::kind::version_of;
use super::value::{Bytes32, Id, ShortId};
use super::{DecodeError, Header};

const METHOD_PIN: u8 = 1;
const FIRST_VERSION: u16 = 1;
const FIRST_EPOCH: u32 = 1;

/// The signed payload. `B` is the body, or [`Skipped`] to read only what is around it.
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
#[cbor(map)]
pub struct Envelope<B> {
    #[n(0)]
    pub kind: u16,
    #[n(1)]
    pub version: Option<u16>,
    #[n(2)]
    pub op_id: Id,
    #[n(3)]
    pub action_id: Option<Id>,
    #[n(4)]
    pub tenant: Id,
    #[n(5)]
    pub store: Id,
    #[n(6)]
    pub device: Id,
    #[n(7)]
    pub epoch: Option<u32>,
    #[n(8)]
    pub device_seq: u64,
    #[n(9)]
    pub prev_hash: Bytes32,
    #[n(10)]
    pub staff: Option<Staff>,
    #[n(11)]
    pub shift: Option<Id>,
    #[n(12)]
    pub wall_after_id_ms: i64,
    #[n(13)]
    pub boot_id: ShortId,
    #[n(14)]
    pub monotonic_ms: u64,
    #[n(15)]
    pub anchor_before_wall_ms: Option<i64>,
    #[n(16)]
    pub cursor: Option<Position>,
    #[n(17)]
    pub offline: Option<True>,
    #[n(18)]
    pub attachment: Option<Bytes32>,
    // 19 was kept for the leases drawn on, which the body names with their amounts.
    #[n(20)]
    pub body: B,
}

/// Staff, method, policy version.
#[derive(Clone, Copy, Debug, PartialEq, Encode, Decode)]
#[cbor(array)]
pub struct Staff {
    #[n(0)]
    staff: Id,
    #[n(1)]
    method: u8,
    #[n(2)]
    policy_version: u32,
}

/// Timeline and server sequence.
#[derive(Clone, Copy, Debug, PartialEq, Encode, Decode)]
#[cbor(array)]
pub struct Position {
    #[n(0)]
    timeline: u32,
    #[n(1)]
    server_seq: u64,
}

/// A flag that is written only when set.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct True;

impl<C> Encode<C> for True {
    fn encode<W: minicbor::encode::Write>(
        &self,
        encoder: &mut minicbor::Encoder<W>,
        _: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        encoder.bool(true)?.ok()
    }
}

impl<'b, C> Decode<'b, C> for True {
    fn decode(
        decoder: &mut minicbor::Decoder<'b>,
        _: &mut C,
    ) -> Result<True, minicbor::decode::Error> {
        if decoder.bool()? {
            Ok(True)
        } else {
            Err(minicbor::decode::Error::message(
                "a flag is written only when set",
            ))
        }
    }
}

impl True {
    /// The flag of a condition.
    pub fn when(set: bool) -> Option<True> {
        set.then_some(True)
    }
}

/// A body that is passed over.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Skipped;

impl<'b, C> Decode<'b, C> for Skipped {
    fn decode(
        decoder: &mut minicbor::Decoder<'b>,
        _: &mut C,
    ) -> Result<Skipped, minicbor::decode::Error> {
        decoder.skip().map(|()| Skipped)
    }
}

/// What bodies need of the fields around them.
#[derive(Clone, Copy, Debug)]
pub struct Around {
    /// The action.
    pub action_id: Uuid,
    /// The staff, for operations of people.
    pub staff: Option<Uuid>,
    /// The device's clock.
    pub wall_time: Timestamp,
}

impl Around {
    /// Of an operation.
    pub fn of(operation: &Operation) -> Around {
        Around {
            action_id: operation.action_id.0,
            staff: operation.staff.map(|proof| proof.staff.0),
            wall_time: operation.wall_time,
        }
    }
}

impl<B> Envelope<B> {
    /// The fields of an operation around `body`.
    pub fn new(kind: super::Kind, operation: &Operation, body: B) -> Envelope<B> {
        let wall = operation.wall_time.ms();
        let version = version_of(&operation.body);
        Envelope {
            kind: kind.number(),
            version: (version != FIRST_VERSION).then_some(version),
            op_id: Id(operation.op_id.0),
            action_id: (operation.action_id.0 != operation.op_id.0)
                .then_some(Id(operation.action_id.0)),
            tenant: Id(operation.tenant.0),
            store: Id(operation.store.0),
            device: Id(operation.device.0),
            epoch: (operation.epoch != FIRST_EPOCH).then_some(operation.epoch),
            device_seq: operation.device_seq,
            prev_hash: Bytes32(operation.prev_hash),
            staff: operation.staff.map(Staff::from),
            shift: operation.shift.map(|shift| Id(shift.0)),
            wall_after_id_ms: wall.wrapping_sub(instant_of(operation.op_id.0)),
            boot_id: ShortId(operation.boot_id),
            monotonic_ms: operation.monotonic_ms,
            anchor_before_wall_ms: operation
                .server_anchor
                .map(|anchor| wall.wrapping_sub(anchor.ms())),
            cursor: operation.cursor.map(Position::from),
            offline: True::when(operation.offline),
            attachment: operation.attachment.map(Bytes32),
            body,
        }
    }

    /// Version of the kind.
    pub fn version(&self) -> u16 {
        self.version.unwrap_or(FIRST_VERSION)
    }

    /// Whether everything that counts up from zero can have counted so far: ledgers keep 63 bits.
    pub fn check_counts(&self) -> Result<(), DecodeError> {
        let seen = self.cursor.map(|cursor| cursor.server_seq);
        let counts = [Some(self.device_seq), Some(self.monotonic_ms), seen];
        match counts.into_iter().flatten().max() {
            Some(most) if i64::try_from(most).is_err() => {
                Err(DecodeError::Malformed(format!("nothing counts to {most}")))
            }
            _ => Ok(()),
        }
    }

    /// What a body needs.
    pub fn around(&self) -> Around {
        Around {
            action_id: self.action(),
            staff: self.staff.map(|staff| staff.staff.0),
            wall_time: Timestamp::from_ms(self.wall_ms()),
        }
    }

    /// The operation with `body`.
    pub fn into_operation(self, body: OperationBody) -> Result<Operation, DecodeError> {
        let wall = self.wall_ms();
        Ok(Operation {
            op_id: OpId(self.op_id.0),
            action_id: ActionId(self.action()),
            tenant: self.tenant.into(),
            store: self.store.into(),
            device: self.device.into(),
            epoch: self.epoch.unwrap_or(FIRST_EPOCH),
            device_seq: self.device_seq,
            prev_hash: self.prev_hash.0,
            staff: self.staff.map(StaffProof::try_from).transpose()?,
            shift: self.shift.map(Into::into),
            wall_time: Timestamp::from_ms(wall),
            boot_id: self.boot_id.0,
            monotonic_ms: self.monotonic_ms,
            server_anchor: self
                .anchor_before_wall_ms
                .map(|before| Timestamp::from_ms(wall.wrapping_sub(before))),
            cursor: self.cursor.map(Cursor::from),
            offline: self.offline.is_some(),
            attachment: self.attachment.map(|hash| hash.0),
            body,
        })
    }

    /// The header of an operation with that hash.
    pub fn into_header(self, hash: Hash) -> Header {
        Header {
            hash,
            kind: self.kind,
            version: self.version(),
            op_id: OpId(self.op_id.0),
            action_id: ActionId(self.action()),
            tenant: self.tenant.into(),
            store: self.store.into(),
            device: self.device.into(),
            epoch: self.epoch.unwrap_or(FIRST_EPOCH),
            device_seq: self.device_seq,
            prev_hash: self.prev_hash.0,
        }
    }

    fn action(&self) -> Uuid {
        self.action_id.unwrap_or(self.op_id).0
    }

    fn wall_ms(&self) -> i64 {
        instant_of(self.op_id.0).wrapping_add(self.wall_after_id_ms)
    }
}

/// The 48 bits of milliseconds that begin a UUIDv7. Any other id gives some number, which is
/// all that a difference needs.
fn instant_of(id: Uuid) -> i64 {
    let [a, b, c, d, e, f, ..] = *id.as_bytes();
    i64::from_be_bytes([0, 0, a, b, c, d, e, f])
}

impl From<StaffProof> for Staff {
    fn from(proof: StaffProof) -> Staff {
        let method = match proof.method {
            StaffMethod::Pin => METHOD_PIN,
        };
        Staff {
            staff: Id(proof.staff.0),
            method,
            policy_version: proof.policy_version,
        }
    }
}

impl TryFrom<Staff> for StaffProof {
    type Error = DecodeError;

    fn try_from(staff: Staff) -> Result<StaffProof, DecodeError> {
        let method = match staff.method {
            METHOD_PIN => StaffMethod::Pin,
            other => return Err(DecodeError::Malformed(format!("staff method {other}"))),
        };
        Ok(StaffProof {
            staff: staff.staff.into(),
            method,
            policy_version: staff.policy_version,
        })
    }
}

impl From<Cursor> for Position {
    fn from(cursor: Cursor) -> Position {
        Position {
            timeline: cursor.timeline,
            server_seq: cursor.server_seq,
        }
    }
}

impl From<Position> for Cursor {
    fn from(position: Position) -> Cursor {
        Cursor {
            timeline: position.timeline,
            server_seq: position.server_seq,
        }
    }
}
