//! What people are shown.

use qiantai_core::Timestamp;

use super::{Progress, SyncEngine};

/// How the exchange with the server stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SyncStatus {
    /// Nothing is pending and the server answers.
    Synced,
    /// Operations go up, or a snapshot comes down.
    Syncing {
        /// Operations or members done.
        done: u64,
        /// Operations or members in all; 0 while unknown.
        total: u64,
    },
    /// The server does not answer. Also before its first answer after a start.
    Offline {
        /// Since when.
        since: Timestamp,
        /// Operations that wait here.
        pending: u64,
        /// When the oldest of them was written.
        oldest: Option<Timestamp>,
    },
    /// The server answers, and a person must act. Operations wait here; none is lost.
    Stopped {
        /// Why.
        reason: StopReason,
        /// Operations that wait here.
        pending: u64,
        /// When the oldest of them was written.
        oldest: Option<Timestamp>,
    },
}

/// Why the exchange stands still. It is tried again every minute all the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StopReason {
    /// The server does not know this terminal's token.
    Unauthorised,
    /// The terminal was revoked.
    Revoked,
    /// What answers at the server's address is not the server. Nothing is sent to it.
    Untrusted,
    /// The server has another history of this terminal: its disk was cloned or rolled back.
    Forked,
    /// The server was restored from so old a backup that it lacks what this terminal no longer has.
    ServerBehind,
    /// The server needs a newer version of this program.
    UpgradeNeeded,
    /// The server refuses for a reason that this version does not know.
    Rejected {
        /// Number of the error.
        code: u16,
    },
    /// The terminal's own database does not take it.
    LocalLog,
}

impl StopReason {
    /// True when only pushing is concerned and reading may go on.
    pub fn concerns_pushing(self) -> bool {
        matches!(self, StopReason::Forked | StopReason::ServerBehind)
    }
}

impl SyncEngine {
    /// How things stand.
    pub(super) fn status(&mut self) -> SyncStatus {
        let pending = self.local.pending();
        let oldest = self.local.oldest_pending;
        self.backlog = if pending == 0 {
            0
        } else {
            self.backlog.max(pending)
        };
        if !self.contact {
            let since = self.offline_since;
            return SyncStatus::Offline {
                since,
                pending,
                oldest,
            };
        }
        if let Some(stop) = self.stop.or(self.push_stop) {
            return SyncStatus::Stopped {
                reason: stop.reason,
                pending,
                oldest,
            };
        }
        if self.relearn || self.local.cursor.is_none() {
            let Progress { done, total } = self.members;
            return SyncStatus::Syncing { done, total };
        }
        if pending == 0 {
            return SyncStatus::Synced;
        }
        let total = self.backlog;
        SyncStatus::Syncing {
            done: total - pending,
            total,
        }
    }
}
