//! What waits: operations and prints.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::view::order::PrintJobView;
use crate::view::{Fen, Ms};

/// The sync pill.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct SyncView {
    /// What it says.
    pub state: SyncState,
    /// Key of the sentence why it is stopped: what happened, whether money moved, what to do.
    pub stopped_key: Option<String>,
    /// Operations that the server has not confirmed.
    pub pending: u32,
    /// The oldest of them.
    pub oldest_ms: Option<Ms>,
    /// Key of the sentence why the second copy does not go on, or is no help; none while all is well.
    pub copy_key: Option<String>,
    /// Last time the server answered.
    pub last_contact_ms: Option<Ms>,
}

/// What the sync pill says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum SyncState {
    /// Everything is confirmed.
    Synced,
    /// Sending or fetching.
    Syncing,
    /// The server is out of reach.
    Offline,
    /// The server will not take this terminal's operations; a person must act.
    Stopped,
}

/// The queue, item by item.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct QueueView {
    /// Sync pill.
    pub sync: SyncView,
    /// Operations not yet confirmed, and those confirmed with trouble, oldest first.
    pub operations: Vec<QueuedOperation>,
    /// Print jobs, newest first.
    pub prints: Vec<PrintJobView>,
}

/// One operation of this terminal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct QueuedOperation {
    /// Sequence on this terminal.
    pub device_seq: i32,
    /// Message key of what was done.
    pub kind_key: String,
    /// Order number, if any.
    pub order_no: Option<String>,
    /// Member's name, if any.
    pub member: Option<String>,
    /// Amount, if any.
    pub amount_fen: Option<Fen>,
    /// Where it stands.
    pub state: OperationState,
    /// Message key of the reason, when refused or held.
    pub reason_key: Option<String>,
    /// When it was done.
    pub at_ms: Ms,
}

/// Where an operation stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum OperationState {
    /// Not sent, or no answer yet.
    Pending,
    /// Confirmed.
    Confirmed,
    /// Refused by the server; nothing moved.
    Refused,
    /// Kept by the server for a person to look at.
    Held,
}

/// Names one print job.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct JobKey {
    /// Identity.
    pub job_id: String,
}
