//! A decision while it is being written.

use uuid::Uuid;

use crate::clock::Timestamp;
use crate::decide::{Change, Decision, Outcome};
use crate::ids::{AttemptId, CaseId, MemberId, OrderId, RowId};
use crate::ledger::{Book, CaseKind, ExceptionCase, LedgerAccount, OutboxEvent, Posting, Topic};
use crate::money::Money;
use crate::operation::Operation;

/// Collects the rows of one decision; numbers its legs and derives its ids.
pub(super) struct Draft<'a> {
    pub(super) operation: &'a Operation,
    /// When the work was done (see [`Operation::business_time`]).
    pub(super) at: Timestamp,
    changes: Vec<Change>,
    legs: u16,
    rows: u32,
    cases: u32,
}

/// What a case speaks of.
#[derive(Clone, Copy, Default)]
pub(super) struct CaseLinks {
    pub(super) order: Option<OrderId>,
    pub(super) attempt: Option<AttemptId>,
    pub(super) member: Option<MemberId>,
}

impl<'a> Draft<'a> {
    pub(super) fn new(operation: &'a Operation, at: Timestamp) -> Draft<'a> {
        Draft {
            operation,
            at,
            changes: Vec::new(),
            legs: 0,
            rows: 0,
            cases: 0,
        }
    }

    pub(super) fn push(&mut self, change: Change) {
        self.changes.push(change);
    }

    /// Debits one account and credits another; nothing when the amount is zero.
    pub(super) fn transfer(
        &mut self,
        book: Book,
        debit: LedgerAccount,
        credit: LedgerAccount,
        amount: Money,
    ) {
        if amount.is_zero() {
            return;
        }
        for (account, amount) in [(debit, amount), (credit, -amount)] {
            self.push(Change::Posting(Posting {
                leg: self.legs,
                book,
                account,
                amount,
            }));
            self.legs += 1;
        }
    }

    /// Opens a case and tells other systems. `amount` is money that waits for a decision.
    pub(super) fn case(&mut self, kind: CaseKind, links: CaseLinks, amount: Money) {
        let id = CaseId(self.operation.op_id.derive("case", self.cases));
        self.cases += 1;
        self.push(Change::Case(ExceptionCase {
            id,
            kind,
            order: links.order,
            attempt: links.attempt,
            member: links.member,
            device: Some(self.operation.device),
            amount,
            opened_at: self.at,
        }));
        self.event(Topic::CaseOpened, id.0);
    }

    pub(super) fn event(&mut self, topic: Topic, subject: Uuid) {
        let id = self.row_id();
        self.push(Change::Outbox(OutboxEvent {
            id,
            topic,
            subject,
            at: self.at,
        }));
    }

    pub(super) fn row_id(&mut self) -> RowId {
        let id = RowId(self.operation.op_id.derive("row", self.rows));
        self.rows += 1;
        id
    }

    pub(super) fn into_changes(self) -> Vec<Change> {
        self.changes
    }

    pub(super) fn applied(self) -> Decision {
        Decision {
            outcome: Outcome::Applied,
            changes: self.changes,
        }
    }
}

/// Applied, with nothing to write.
pub(super) fn unchanged() -> Decision {
    Decision {
        outcome: Outcome::Applied,
        changes: Vec::new(),
    }
}

/// A fact without money of its own whose action was used for something else.
pub(super) fn reused_fact(operation: &Operation, now: Timestamp) -> Vec<Change> {
    let mut draft = Draft::new(operation, operation.business_time(now));
    draft.case(CaseKind::ActionReused, CaseLinks::default(), Money::ZERO);
    draft.into_changes()
}
