//! Who this terminal is, and how its operations are signed.

use std::sync::Arc;

use ed25519_dalek::SigningKey;
use qiantai_core::Timestamp;
use qiantai_core::ids::{ActionId, DeviceId, OpId, ShiftId, StoreId, TenantId};
use qiantai_core::operation::{Cursor, Operation, OperationBody, StaffProof};
use qiantai_store::LogHead;
use qiantai_wire::api::JoinAnswer;
use uuid::Uuid;

use crate::surroundings::Surroundings;

/// A joined terminal.
pub struct Terminal {
    /// Whose books.
    pub tenant: TenantId,
    /// Which store.
    pub store: StoreId,
    /// Who.
    pub device: DeviceId,
    /// Two digits within the store.
    pub code: String,
    /// Counts its key changes.
    pub epoch: u32,
    /// The server's own Ed25519 key.
    pub server_key: [u8; 32],
    key: SigningKey,
    boot_id: Uuid,
    surroundings: Arc<dyn Surroundings>,
}

#[derive(Clone)]
/// What a new operation says besides its place in the chain.
pub struct Draft {
    /// The intent.
    pub action: ActionId,
    /// Who did it.
    pub staff: Option<StaffProof>,
    /// In which shift.
    pub shift: Option<ShiftId>,
    /// Written while the server is out of reach.
    pub offline: bool,
    /// What was done.
    pub body: OperationBody,
}

/// What the log says about time and position when an operation is written.
#[derive(Clone, Copy)]
pub struct LogPosition {
    /// End of the log.
    pub head: LogHead,
    /// How far the server's log is taken over.
    pub cursor: Option<Cursor>,
    /// Last time told by the server.
    pub anchor: Option<Timestamp>,
}

impl Terminal {
    /// A terminal that has joined, with the key of its vault.
    pub fn new(
        joined: &JoinAnswer,
        seed: &[u8; 32],
        surroundings: Arc<dyn Surroundings>,
    ) -> Terminal {
        Terminal {
            tenant: TenantId(joined.tenant),
            store: StoreId(joined.store),
            device: DeviceId(joined.device),
            code: joined.terminal_code.clone(),
            epoch: joined.epoch,
            server_key: joined.server_public_key.0,
            key: SigningKey::from_bytes(seed),
            // A start is told from the last one, not from all others: a small number will do.
            boot_id: Uuid::from_u128(u128::from(surroundings.random() & 0xFFFF_FFFF)),
            surroundings,
        }
    }

    /// The key that signs.
    pub fn key(&self) -> &SigningKey {
        &self.key
    }

    /// The operation of `draft` at the end of the log.
    pub fn operation(&self, draft: Draft, at: LogPosition) -> Operation {
        let Draft {
            action,
            staff,
            shift,
            offline,
            body,
        } = draft;
        Operation {
            // The first and only record of its intent: equal ids keep the receipt's code small.
            op_id: OpId(action.0),
            action_id: action,
            tenant: self.tenant,
            store: self.store,
            device: self.device,
            epoch: self.epoch,
            device_seq: at.head.device_seq + 1,
            prev_hash: at.head.hash,
            staff,
            shift,
            wall_time: self.surroundings.now(),
            boot_id: self.boot_id,
            monotonic_ms: self.surroundings.monotonic_ms(),
            server_anchor: at.anchor,
            cursor: at.cursor,
            offline,
            attachment: None,
            body,
        }
    }
}
