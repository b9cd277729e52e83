//! A terminal's store as its synchronisation sees it, as in the counter, behind a trap; and the
//! place where bugs of the terminal are planted.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use qiantai_store::{Answer, ServerAnchor, Store, StoreError};
use qiantai_sync::{LocalLog, LocalLogError, LocalPosition};
use qiantai_wire::SignedOperation;
use qiantai_wire::api::{PushAnswer, PushedProfile};
use qiantai_wire::feed::{AccountDto, ChainEndDto, FeedChange, FeedPage, OutcomeDto, SnapshotPage};
use qiantai_wire::text::Hex;
use uuid::Uuid;

use crate::bug::Bug;
use crate::time::MachineClock;
use crate::trap::Trap;

/// The log of one run of a terminal.
pub struct TillLog {
    /// The terminal's database.
    pub store: Arc<Store>,
    /// Kills the terminal at a write.
    pub trap: Arc<Trap>,
    /// The terminal's clock.
    pub clock: Arc<MachineClock>,
    /// Who the terminal is.
    pub device: Uuid,
    /// A bug to show.
    pub bug: Option<Bug>,
    /// Where the log stood when it was last asked.
    pub last: Mutex<Option<LocalPosition>>,
    /// Accounts of the page before.
    pub before: Mutex<HashMap<Uuid, AccountDto>>,
}

impl TillLog {
    /// Writes, unless the machine dies: then nothing ever comes back from here.
    pub(crate) async fn write(
        &self,
        work: impl FnOnce(&Store) -> Result<(), StoreError>,
    ) -> Result<(), LocalLogError> {
        match self.trap.pass(|| work(&self.store)) {
            Some(outcome) => outcome.map_err(failed),
            None => std::future::pending().await,
        }
    }

    fn anchor(&self, server_time_ms: i64) -> ServerAnchor {
        ServerAnchor {
            server_time: qiantai_core::Timestamp::from_ms(server_time_ms),
            wall_time: self.clock.shows(),
        }
    }

    fn spoil_answer(&self, answer: &mut PushAnswer) -> Result<(), StoreError> {
        match self.bug {
            Some(Bug::AckWhatWasNotSent) => {
                let head = self.store.log_head()?;
                answer.acked_seq = head.device_seq;
                answer.acked_hash.0 = head.hash;
            }
            Some(Bug::EarlyOverlayDrop) => {
                for result in &mut answer.results {
                    result.server_seq = None;
                    result.outcome = OutcomeDto::Exists;
                }
            }
            Some(Bug::NeverCovered) => {
                for result in &mut answer.results {
                    result.server_seq = None;
                }
            }
            Some(Bug::AnswerOfAnother) => {
                if let [first, second, ..] = answer.results.as_mut_slice() {
                    std::mem::swap(&mut first.server_seq, &mut second.server_seq);
                    std::mem::swap(&mut first.op_id, &mut second.op_id);
                    second.outcome = OutcomeDto::Held;
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn spoil_page(&self, page: &mut FeedPage) {
        let device = self.device;
        let mut before = self.before.lock().unwrap_or_else(PoisonError::into_inner);
        for entry in &mut page.entries {
            if self.bug == Some(Bug::NeverCovered) {
                entry.op_id = Uuid::nil();
            }
            if self.bug == Some(Bug::LeaseRowsLost) && entry.device != device {
                let is_lease = |row: &FeedChange| matches!(row, FeedChange::Lease(_));
                entry.changes.retain(|row| !is_lease(row));
            }
            if self.bug == Some(Bug::PageHalfApplied) && entry.device != device {
                entry.changes.truncate(1);
            }
            for change in &mut entry.changes {
                if let FeedChange::Account(row) = change {
                    let now = row.clone();
                    let older = before.insert(row.member, now);
                    if let Some(older) = older.filter(|_| self.bug == Some(Bug::OldRowWins)) {
                        *row = older;
                    }
                }
            }
        }
    }
}

#[async_trait]
impl LocalLog for TillLog {
    async fn position(&self) -> Result<LocalPosition, LocalLogError> {
        let position = position(&self.store).map_err(failed)?;
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(position);
        Ok(position)
    }

    async fn operations(
        &self,
        from_seq: u64,
        limit: usize,
    ) -> Result<Vec<SignedOperation>, LocalLogError> {
        let limit = u32::try_from(limit).unwrap_or(u32::MAX);
        let skipped = u64::from(self.bug == Some(Bug::SkipFirstPending));
        let after = from_seq.saturating_sub(1) + skipped;
        let rows = self.store.operations_after(after, limit).map_err(failed)?;
        Ok(rows.into_iter().map(|row| row.signed).collect())
    }

    async fn profiles(
        &self,
        from_seq: u64,
        limit: usize,
    ) -> Result<Vec<PushedProfile>, LocalLogError> {
        let limit = u32::try_from(limit).unwrap_or(u32::MAX);
        let profiles = self.store.new_member_profiles(from_seq, limit);
        profiles.map_err(failed)
    }

    async fn apply_push(&self, mut answer: PushAnswer) -> Result<(), LocalLogError> {
        let anchor = self.anchor(answer.server_time_ms);
        self.spoil_answer(&mut answer).map_err(failed)?;
        let answers: Vec<Answer> = answer
            .results
            .into_iter()
            .map(|result| Answer {
                op_id: result.op_id,
                server_seq: result.server_seq,
                outcome: result.outcome,
            })
            .collect();
        let (timeline, acked_seq) = (answer.cursor.timeline, answer.acked_seq);
        let hash = answer.acked_hash.0;
        self.write(|store| store.apply_answers(timeline, acked_seq, &hash, &answers))
            .await?;
        self.write(|store| store.set_server_anchor(anchor)).await
    }

    async fn apply_feed(&self, mut page: FeedPage) -> Result<(), LocalLogError> {
        let anchor = self.anchor(page.server_time_ms);
        if self.bug.is_some() {
            self.spoil_page(&mut page);
        }
        self.write(|store| store.apply_feed(&page).map(drop))
            .await?;
        self.write(|store| store.set_server_anchor(anchor)).await
    }

    async fn apply_snapshot(
        &self,
        after: Option<Uuid>,
        mut page: SnapshotPage,
    ) -> Result<(), LocalLogError> {
        let anchor = self.anchor(page.server_time_ms);
        self.write(|store| {
            let kept = match self.bug {
                Some(Bug::NotSentAgain) => acknowledged(store)?,
                _ => None,
            };
            page.chain_end = kept.or(page.chain_end);
            store.apply_snapshot(after, &page)?;
            match kept {
                Some(end) => store.apply_answers(0, end.device_seq, &end.hash.0, &[]),
                None => Ok(()),
            }
        })
        .await?;
        self.write(|store| store.set_server_anchor(anchor)).await
    }
}

/// What the server acknowledged last.
fn acknowledged(store: &Store) -> Result<Option<ChainEndDto>, StoreError> {
    let acked = store.sync_mark()?.acked_seq;
    let rows = store.operations_after(acked.saturating_sub(1), 1)?;
    let last = rows.first().filter(|row| row.device_seq == acked);
    Ok(last.map(|row| ChainEndDto {
        device_seq: acked,
        hash: Hex(row.signed.hash()),
    }))
}

/// Where a store stands.
pub fn position(store: &Store) -> Result<LocalPosition, StoreError> {
    let mark = store.sync_mark()?;
    let pending = store.unacknowledged()?;
    Ok(LocalPosition {
        acked_seq: mark.acked_seq,
        last_seq: store.log_head()?.device_seq,
        oldest_pending: pending.oldest,
        cursor: mark.cursor,
        snapshot_next: mark.snapshot.map(|snapshot| snapshot.next),
    })
}

pub(crate) fn failed(error: StoreError) -> LocalLogError {
    match error {
        StoreError::ForeignAcknowledgement { .. } => LocalLogError::ForeignHistory,
        StoreError::OtherTimeline { .. } => LocalLogError::OtherTimeline,
        StoreError::FeedGap { .. } | StoreError::SnapshotOutOfStep => LocalLogError::OutOfStep,
        other => LocalLogError::Failed(other.to_string()),
    }
}
