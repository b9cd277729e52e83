//! The three calls: read the log, ask the server, write the log.

use std::sync::Arc;

use qiantai_core::operation::Cursor;
use qiantai_wire::ErrorCode;
use qiantai_wire::api::{FEED_LIMIT, KEPT_PARAM, SNAPSHOT_LIMIT};
use qiantai_wire::feed::FeedChange;
use uuid::Uuid;

use super::{LocalLog, LocalLogError};
use crate::client::{CallFailed, Client};
use crate::engine::{Failure, Pulled, Pushed, SnapshotTaken, StopReason};
use crate::transport::TransportError;

/// What calls need.
#[derive(Clone)]
pub struct Work {
    pub log: Arc<dyn LocalLog>,
    pub client: Client,
}

impl Work {
    pub async fn push(&self, from_seq: u64, limit: usize) -> Result<Pushed, Failure> {
        let operations = self.log.operations(from_seq, limit).await.map_err(local)?;
        if operations.is_empty() {
            // The server asks for what this log no longer has.
            return Err(Failure::Stop(StopReason::Forked));
        }
        let profiles = self.log.profiles(from_seq, operations.len());
        let profiles = profiles.await.map_err(local)?;
        let answer = self
            .client
            .push(&operations, profiles)
            .await
            .map_err(push)?;
        let server_acked = answer.acked_seq;
        let halt = answer.halt.clone();
        let head = answer.cursor.into();
        self.log.apply_push(answer).await.map_err(local)?;
        let local = self.log.position().await.map_err(local)?;
        Ok(Pushed {
            local,
            server_acked,
            halt,
            head,
        })
    }

    pub async fn pull(&self, after: Cursor) -> Result<Pulled, Failure> {
        let page = self.client.feed(after, FEED_LIMIT).await.map_err(call)?;
        let head = page.head;
        self.log.apply_feed(page).await.map_err(local)?;
        let local = self.log.position().await.map_err(local)?;
        Ok(Pulled { local, head })
    }

    pub async fn snapshot(&self, after: Option<Uuid>) -> Result<SnapshotTaken, Failure> {
        let page = self
            .client
            .snapshot(after, SNAPSHOT_LIMIT)
            .await
            .map_err(call)?;
        let is_member = |row: &&FeedChange| matches!(row, FeedChange::Member(_));
        let members = page.rows.iter().filter(is_member).count() as u64;
        let member_total = page.member_total;
        let whole = page.next.is_none();
        self.log.apply_snapshot(after, page).await.map_err(local)?;
        let local = self.log.position().await.map_err(local)?;
        Ok(SnapshotTaken {
            local,
            members,
            member_total,
            whole,
        })
    }
}

fn local(error: LocalLogError) -> Failure {
    tracing::warn!(%error, "the log did not take it");
    match error {
        LocalLogError::ForeignHistory => Failure::Stop(StopReason::Forked),
        LocalLogError::ServerBehind => Failure::Stop(StopReason::ServerBehind),
        LocalLogError::OtherTimeline => Failure::TimelineChanged,
        LocalLogError::OutOfStep => Failure::OutOfStep,
        LocalLogError::Failed(_) => Failure::Stop(StopReason::LocalLog),
    }
}

fn push(failed: CallFailed) -> Failure {
    let kept = match &failed {
        CallFailed::Refused(error) => error.params.get(KEPT_PARAM),
        _ => None,
    };
    let through = kept.and_then(|seq| seq.parse().ok());
    match (call(failed), through) {
        (Failure::Stop(reason), Some(through)) => Failure::Kept { reason, through },
        (failure, _) => failure,
    }
}

fn call(failed: CallFailed) -> Failure {
    tracing::debug!(%failed, "call");
    let error = match failed {
        CallFailed::Transport(TransportError::Untrusted) => {
            return Failure::Stop(StopReason::Untrusted);
        }
        // A page that cannot be read comes from whatever stands between, not from the server.
        CallFailed::Transport(_) | CallFailed::Unreadable { .. } => return Failure::Link,
        CallFailed::Refused(error) => error,
    };
    match error.error_code() {
        Some(ErrorCode::Unauthorised) => Failure::Stop(StopReason::Unauthorised),
        Some(ErrorCode::DeviceRevoked) => Failure::Stop(StopReason::Revoked),
        Some(ErrorCode::DeviceQuarantined) => Failure::Stop(StopReason::Forked),
        Some(ErrorCode::UpgradeNeeded) => Failure::Stop(StopReason::UpgradeNeeded),
        Some(ErrorCode::TimelineChanged) => Failure::TimelineChanged,
        _ if error.retryable => Failure::Link,
        _ => Failure::Stop(StopReason::Rejected { code: error.code }),
    }
}

#[cfg(test)]
mod tests {
    use qiantai_wire::ApiError;

    use super::*;

    #[test]
    fn a_push_that_is_kept_says_how_far() {
        let check = |error: ApiError, expected| {
            assert_eq!(push(CallFailed::Refused(error)), expected);
        };
        let reason = StopReason::Forked;
        let not_believed = ApiError::new(ErrorCode::DeviceQuarantined);
        check(not_believed.clone(), Failure::Stop(reason));
        let kept = Failure::Kept {
            reason,
            through: 512,
        };
        check(not_believed.clone().with(KEPT_PARAM, 512), kept);
        check(not_believed.with(KEPT_PARAM, "all"), Failure::Stop(reason));
        let busy = ApiError::new(ErrorCode::Busy).with(KEPT_PARAM, 1);
        check(busy, Failure::Link);
    }
}
