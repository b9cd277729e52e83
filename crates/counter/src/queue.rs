//! What waits: the sync pill and the queue behind it.

use std::collections::HashMap;

use qiantai_core::ids::OrderId;
use qiantai_core::operation::{Operation, OperationBody};
use qiantai_store::OwnOperation;
use qiantai_sync::SyncStatus;
use qiantai_wire::feed::OutcomeDto;

use crate::counter::Counter;
use crate::error::CallError;
use crate::orders::OrderNames;
use crate::overlay::{Overlay, decode, is_shown, order_of};
use crate::printing::job_view;
use crate::show::order::HELD;
use crate::view::Fen;
use crate::view::queue::{OperationState, QueueView, QueuedOperation, SyncState, SyncView};
use crate::words;

/// Operations and prints on the queue screen.
const LIST_MAX: u32 = 100;

/// Orders named so far; many operations and slips share one.
type Names = HashMap<OrderId, Option<OrderNames>>;

impl Counter {
    /// The sync pill.
    pub(crate) fn sync_view(&self) -> Result<SyncView, CallError> {
        let pending = self.store.unacknowledged()?;
        let status = self.sync.status();
        let stopped_key = match status {
            SyncStatus::Stopped { reason, .. } => Some(format!("stop.{}", words::stop(reason))),
            _ => None,
        };
        let state = match status {
            SyncStatus::Offline { .. } => SyncState::Offline,
            SyncStatus::Stopped { .. } => SyncState::Stopped,
            SyncStatus::Synced if pending.count == 0 && !self.awaits_news()? => SyncState::Synced,
            SyncStatus::Synced | SyncStatus::Syncing { .. } => SyncState::Syncing,
        };
        Ok(SyncView {
            state,
            stopped_key,
            pending: u32::try_from(pending.count).unwrap_or(u32::MAX),
            oldest_ms: pending.oldest.map(Into::into),
            copy_key: self.copy_warning(),
            last_contact_ms: self.store.sync_mark()?.server_time.map(Into::into),
        })
    }

    /// True while something that the server took is not in its news yet: what is shown of it is
    /// still this terminal's own reckoning.
    fn awaits_news(&self) -> Result<bool, CallError> {
        let open = self.store.open_operations(None)?;
        Ok(open.iter().any(is_shown))
    }

    /// The queue, item by item.
    pub(crate) fn queue(&self) -> Result<QueueView, CallError> {
        self.staff()?;
        let acked = self.store.sync_mark()?.acked_seq;
        let overlay = self.overlay(&[])?;
        let mut names = Names::new();
        let mut operations = Vec::new();
        for row in self.store.latest_operations(LIST_MAX)?.iter().rev() {
            if state_of(row, acked).0 == OperationState::Confirmed {
                continue;
            }
            let Ok(operation) = decode(row) else {
                continue;
            };
            let named = self.named(&overlay, &mut names, order_of(&operation.body))?;
            operations.push(operation_view(row, &operation, acked, named));
        }
        let mut prints = Vec::new();
        for job in self.store.print_jobs(LIST_MAX)? {
            let named = self.named(&overlay, &mut names, job.order)?;
            prints.push(job_view(&job, named)?);
        }
        Ok(QueueView {
            sync: self.sync_view()?,
            operations,
            prints,
        })
    }

    fn named(
        &self,
        overlay: &Overlay,
        names: &mut Names,
        order: Option<OrderId>,
    ) -> Result<Option<OrderNames>, CallError> {
        let Some(order) = order else {
            return Ok(None);
        };
        if let Some(known) = names.get(&order) {
            return Ok(known.clone());
        }
        let named = self.order_names(overlay, order)?;
        names.insert(order, named.clone());
        Ok(named)
    }
}

/// One operation of this terminal for the window.
pub(crate) fn operation_view(
    row: &OwnOperation,
    operation: &Operation,
    acked: u64,
    named: Option<OrderNames>,
) -> QueuedOperation {
    let (state, reason_key) = state_of(row, acked);
    QueuedOperation {
        device_seq: i32::try_from(row.device_seq).unwrap_or(i32::MAX),
        kind_key: format!("operation.{}", words::operation(&operation.body)),
        order_no: named.as_ref().map(|named| named.order_no.clone()),
        member: named.map(|named| named.member),
        amount_fen: amount_of(&operation.body),
        state,
        reason_key,
        at_ms: row.created_at.into(),
    }
}

fn state_of(row: &OwnOperation, acked: u64) -> (OperationState, Option<String>) {
    match &row.outcome {
        None if row.device_seq > acked => (OperationState::Pending, None),
        None | Some(OutcomeDto::Applied | OutcomeDto::Exists) => (OperationState::Confirmed, None),
        Some(OutcomeDto::ExistsWithDifferent { .. }) => {
            (OperationState::Held, Some(HELD.to_owned()))
        }
        Some(OutcomeDto::Refused(refusal)) => {
            let key = words::refusal(refusal.reason.into());
            (OperationState::Refused, Some(format!("error.{key}")))
        }
        Some(OutcomeDto::Held) => (OperationState::Held, Some(HELD.to_owned())),
    }
}

fn amount_of(body: &OperationBody) -> Option<Fen> {
    match body {
        OperationBody::RechargeOpen(open) => Some(open.quote.pay.into()),
        OperationBody::RechargeCash(cash) => Some(cash.open.quote.pay.into()),
        OperationBody::RechargeRecorded(recorded) => Some(recorded.open.quote.pay.into()),
        OperationBody::AttemptStart(start) => Some(start.amount.into()),
        OperationBody::SpendOffline(spend) => Some(spend.amount.into()),
        _ => None,
    }
}
