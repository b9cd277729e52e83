//! Writing operations: durable here before anything is shown as done.

use qiantai_core::decide::{Outcome, RefusalCode, decide};
use qiantai_core::ids::OrderId;
use qiantai_core::order_no::{OrderNo, Prefix};
use qiantai_store::{Commit, CommitError, LogHead, NewPrintJob};
use qiantai_wire::SignedOperation;

use crate::counter::Counter;
use crate::error::{CallError, ErrorCode, MoneyMoved};
use crate::overlay::Overlay;
use crate::terminal::{Draft, LogPosition};
use crate::view::event::CounterEvent;
use crate::view::order::OrderView;
use crate::words;

impl Counter {
    /// Decides `drafts` against `overlay`, and when none of them would be refused writes them
    /// with their print jobs in one transaction. The caller holds the sale lock. Returns the
    /// overlay with the drafts in it, so that what was written can be shown without reading it.
    ///
    /// # Errors
    /// The terminal itself refuses, or the disk does; then nothing was written.
    pub(crate) fn commit(
        &self,
        drafts: &[Draft],
        mut overlay: Overlay,
        prints: Vec<NewPrintJob>,
    ) -> Result<Overlay, CallError> {
        let printing = !prints.is_empty();
        let mark = self.store.sync_mark()?;
        let author = |head: LogHead| {
            let at = LogPosition {
                head,
                cursor: mark.cursor,
                anchor: mark.server_time,
            };
            let signed = self.sign(drafts, &mut overlay, at)?;
            let mut prints = Some(prints);
            let commits = signed.into_iter().map(|signed| Commit {
                signed,
                prints: prints.take().unwrap_or_default(),
            });
            Ok(commits.collect())
        };
        self.store.commit_all(author).map_err(not_written)?;
        self.count_top_ups(drafts);
        self.written();
        if printing {
            self.print_wake.notify_one();
        }
        Ok(overlay)
    }

    /// Sends what was just written on its way. It stands, whatever the pill can or cannot say
    /// about it.
    pub(crate) fn written(&self) {
        self.sync.nudge();
        self.copy.wake.notify_one();
        match self.sync_view() {
            Ok(sync) => self.tell(CounterEvent::Sync { sync }),
            Err(error) => tracing::error!(?error, "sync pill"),
        }
    }

    /// An order written before. A fault in showing it must not look like a sale that failed.
    pub(crate) fn written_order(
        &self,
        order: OrderId,
        money: MoneyMoved,
    ) -> Result<OrderView, CallError> {
        self.order_view(order)
            .map_err(|error| not_shown(order, money, &error))
    }

    /// The order just written, as [`Counter::commit`] left it in `overlay`.
    pub(crate) fn just_written(
        &self,
        overlay: &Overlay,
        order: OrderId,
        money: MoneyMoved,
    ) -> Result<OrderView, CallError> {
        self.order_view_in(overlay, order)
            .map_err(|error| not_shown(order, money, &error))
    }

    fn sign(
        &self,
        drafts: &[Draft],
        overlay: &mut Overlay,
        mut at: LogPosition,
    ) -> Result<Vec<SignedOperation>, CallError> {
        let mut signed = Vec::with_capacity(drafts.len());
        for draft in drafts {
            let operation = self.terminal.operation(draft.clone(), at);
            let decision = decide(&overlay.state, &operation, operation.wall_time);
            if let Outcome::Refused(refusal) = &decision.outcome {
                return Err(refused(refusal.code));
            }
            overlay.state.record(&operation, &decision);
            let bytes = SignedOperation::sign(&operation, self.terminal.key());
            at.head = LogHead {
                device_seq: operation.device_seq,
                hash: bytes.hash(),
            };
            signed.push(bytes);
            overlay.open.push(operation);
        }
        Ok(signed)
    }

    /// A new number (docs: domain §3.10).
    pub(crate) fn number(&self, prefix: Prefix) -> Result<String, CallError> {
        let policy = self.policy()?;
        let random = u32::try_from(self.surroundings.random() & 0xF_FFFF).unwrap_or(0);
        let code = &policy.store.code;
        let number = OrderNo::new(prefix, self.now(), code, &self.terminal.code, random);
        number.map(|number| number.to_string()).map_err(|error| {
            tracing::error!(%error, "order number");
            CallError::internal()
        })
    }
}

fn not_shown(order: OrderId, money: MoneyMoved, error: &CallError) -> CallError {
    tracing::error!(?error, %order, "a written order cannot be shown");
    let mut shown = CallError::new(ErrorCode::Internal, "recorded_not_shown");
    shown.money = money;
    shown
}

pub(crate) fn not_written(error: CommitError<CallError>) -> CallError {
    match error {
        CommitError::Author(refused) => refused,
        CommitError::Store(error) => error.into(),
        CommitError::Unreadable(error) => {
            tracing::error!(%error, "own operation unreadable");
            CallError::internal()
        }
        CommitError::Misplaced { claimed, due } => {
            tracing::error!(claimed, due, "own operation misplaced");
            CallError::internal()
        }
    }
}

/// The sentence for a refusal, with the code on which the window acts.
pub(crate) fn refused(code: RefusalCode) -> CallError {
    let acted_on = match code {
        RefusalCode::QuoteStale | RefusalCode::QuoteChanged => ErrorCode::QuoteChanged,
        RefusalCode::LimitBlocked | RefusalCode::ReviewNeeded => ErrorCode::LimitBlocked,
        RefusalCode::DuplicateSuspected => ErrorCode::DuplicateSuspected,
        RefusalCode::ShiftNotOpen => ErrorCode::NoShift,
        RefusalCode::AmountOutOfRange
        | RefusalCode::AmountNotOnSale
        | RefusalCode::PackageNotOnSale => ErrorCode::InvalidInput,
        RefusalCode::MemberUnknown | RefusalCode::OrderUnknown | RefusalCode::AttemptUnknown => {
            ErrorCode::NotFound
        }
        _ => ErrorCode::WrongState,
    };
    CallError::new(acted_on, words::refusal(code))
}
