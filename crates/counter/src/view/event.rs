//! What the counter tells the window unasked.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::view::order::{OrderView, PrintJobView};
use crate::view::queue::SyncView;

/// One event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum CounterEvent {
    /// The start moved on: ask `boot_status`.
    Boot,
    /// Shop, people, shift or settings changed: ask `session`.
    Session,
    /// A payment channel began to fail or is back: ask `top_up_form`.
    Channels,
    /// A case was opened: ask `cases`.
    Cases,
    /// The sync pill changed.
    Sync {
        /// New pill.
        sync: SyncView,
    },
    /// An order changed.
    Order {
        /// As it stands.
        order: Box<OrderView>,
    },
    /// A member's balance, tier or profile changed.
    Member {
        /// Identity.
        member_id: String,
    },
    /// A print job changed.
    Print {
        /// As it stands.
        job: PrintJobView,
    },
}
