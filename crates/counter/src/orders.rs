//! Orders as this terminal knows them.

use qiantai_core::Millis;
use qiantai_core::attempt::{AttemptState, Channel, PaymentAttempt};
use qiantai_core::decide::RefusalCode;
use qiantai_core::ids::{ActionId, MemberId, OrderId};
use qiantai_core::ledger::CaseKind;
use qiantai_core::operation::{Operation, OperationBody, RechargeOpen, StaffProof};
use qiantai_core::recharge::{OrderState, PaidFact, RechargeOrder};
use qiantai_store::OwnOperation;
use qiantai_wire::feed::OutcomeDto;

use crate::counter::Counter;
use crate::error::{CallError, ErrorCode};
use crate::overlay::{Overlay, decode, is_over, order_of};
use crate::show::order::OrderFile;
use crate::view::order::{AbnormalCause, OrderSummary, OrderView, Stage};

/// Orders on the list of this terminal.
const LIST_MAX: u32 = 100;
/// How far back a copy of the server's books reaches at least.
const RECENT: Millis = Millis::days(6);

/// How a list names an order.
#[derive(Clone)]
pub(crate) struct OrderNames {
    /// Its number.
    pub order_no: String,
    /// Its member.
    pub member: String,
}

impl Counter {
    /// One order for the window.
    pub(crate) fn order_view(&self, id: OrderId) -> Result<OrderView, CallError> {
        self.order_view_in(&self.overlay(&[])?, id)
    }

    /// One order for the window, as `overlay` has it.
    pub(crate) fn order_view_in(
        &self,
        overlay: &Overlay,
        id: OrderId,
    ) -> Result<OrderView, CallError> {
        let file = self.order_file_in(overlay, id)?;
        let policy = self.policy_of(file.order.quote.policy_version)?;
        Ok(file.view(&policy))
    }

    /// Orders of the shop known here, open ones first, then newest first.
    pub(crate) fn orders(&self) -> Result<Vec<OrderSummary>, CallError> {
        self.staff()?;
        let overlay = self.overlay(&[])?;
        let mut orders: Vec<RechargeOrder> = self.store.latest_orders(LIST_MAX)?;
        let known: Vec<OrderId> = orders.iter().map(|order| order.id).collect();
        let own = overlay
            .state
            .orders
            .values()
            .filter(|order| !known.contains(&order.id));
        orders.extend(own.cloned());
        let mut summaries = Vec::with_capacity(orders.len());
        for order in orders {
            summaries.push(self.file_in(&overlay, order)?.summary());
        }
        summaries.extend(self.held_files()?.iter().map(OrderFile::summary));
        summaries.sort_by_key(|order| (!is_open(order.stage), -order.opened_at_ms.0));
        Ok(summaries)
    }

    /// Orders of one member, newest first.
    pub(crate) fn order_files_of(
        &self,
        member: MemberId,
        limit: u32,
    ) -> Result<Vec<OrderFile>, CallError> {
        let overlay = self.overlay(&[member])?;
        let mut orders = self.store.orders_of(member, limit)?;
        let known: Vec<OrderId> = orders.iter().map(|order| order.id).collect();
        let own = overlay.state.orders.values();
        orders.extend(
            own.filter(|order| order.member == member && !known.contains(&order.id))
                .cloned(),
        );
        orders.sort_by_key(|order| std::cmp::Reverse(order.opened_at));
        orders.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        orders
            .into_iter()
            .map(|order| self.file_in(&overlay, order))
            .collect()
    }

    /// Everything known of one order: from the overlay, the replica, or, when the server refused
    /// to open it, from the operation itself.
    pub(crate) fn order_file(&self, id: OrderId) -> Result<OrderFile, CallError> {
        self.order_file_in(&self.overlay(&[])?, id)
    }

    fn order_file_in(&self, overlay: &Overlay, id: OrderId) -> Result<OrderFile, CallError> {
        let order = match overlay.state.orders.get(&id) {
            Some(order) => Some(order.clone()),
            None => self.store.order(id)?,
        };
        match order {
            Some(order) => self.file_in(overlay, order),
            None => self.unopened_file(id),
        }
    }

    /// Number and member of an order for a list; `None` when the books no longer reach back to it.
    pub(crate) fn order_names(
        &self,
        overlay: &Overlay,
        id: OrderId,
    ) -> Result<Option<OrderNames>, CallError> {
        match self.order_file_in(overlay, id) {
            Ok(file) => Ok(Some(OrderNames {
                order_no: file.order.order_no,
                member: file.member,
            })),
            Err(error) if error.code == ErrorCode::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    pub(crate) fn file_in(
        &self,
        overlay: &Overlay,
        order: RechargeOrder,
    ) -> Result<OrderFile, CallError> {
        let order = overlay
            .state
            .orders
            .get(&order.id)
            .cloned()
            .unwrap_or(order);
        let mut attempts = overlay.attempts(order.id);
        if attempts.is_empty() {
            attempts = self.store.attempts_of(order.id)?;
        }
        let cut_off = self.is_offline() && attempts.iter().any(|attempt| !is_over(attempt));
        let charging = attempts
            .last()
            .is_some_and(|attempt| self.codes().carries(attempt.id));
        // Before the server's word on the order is here, its no to an attempt does not say why:
        // the order may wait for a reviewer.
        let refusal = match order.state {
            OrderState::PendingPayment if self.store.order(order.id)?.is_some() => {
                self.last_refusal(order.id)?
            }
            _ => None,
        };
        let abnormal = self.abnormal_cause(&order, attempts.last())?;
        Ok(OrderFile {
            member: self.member_name(order.member)?,
            provisional: overlay.is_provisional(order.id),
            attempts,
            charging,
            cut_off,
            refusal,
            abnormal,
            held: false,
            order,
        })
    }

    /// What the newest case says of the money of an abnormal order, or of one whose payment is being
    /// reversed.
    fn abnormal_cause(
        &self,
        order: &RechargeOrder,
        last: Option<&PaymentAttempt>,
    ) -> Result<Option<AbnormalCause>, CallError> {
        let is_reversing = last.is_some_and(|last| last.state == AttemptState::Reversing);
        if order.state != OrderState::Abnormal && !is_reversing {
            return Ok(None);
        }
        let cases = self.store.cases_of(order.id)?;
        Ok(cases.iter().find_map(|case| match case.kind {
            CaseKind::ReversalUnclear if is_reversing => Some(AbnormalCause::ReversalUnclear),
            _ if is_reversing => None,
            CaseKind::AmountMismatch | CaseKind::PaidElsewhere => Some(AbnormalCause::Mismatch),
            CaseKind::LatePayment => Some(AbnormalCause::Late),
            CaseKind::ReturnedOutside => Some(AbnormalCause::Returned),
            _ => None,
        }))
    }

    /// The file of an order that the server never opened: refused, or kept for a person to look
    /// at although money was taken for it.
    fn unopened_file(&self, id: OrderId) -> Result<OrderFile, CallError> {
        let not_found = || CallError::new(ErrorCode::NotFound, "order_unknown");
        let rows = self.store.operations_of_order(id)?;
        let (row, operation) = rows
            .iter()
            .filter_map(|row| Some((row, decode(row).ok()?)))
            .find(|(_, operation)| opening_of(&operation.body).is_some())
            .ok_or_else(not_found)?;
        let paid = taken(&operation);
        let is_held = paid.is_some();
        let is_recent = self.now() - row.created_at < RECENT;
        if row.outcome == Some(OutcomeDto::Applied) && !is_recent {
            // Posted long ago; a new copy of the books does not reach back so far.
            return Err(not_found());
        }
        let opening = opening_of(&operation.body).cloned().ok_or_else(not_found)?;
        let mut order = never_opened(opening, &operation).ok_or_else(not_found)?;
        if row.outcome == Some(OutcomeDto::Held) {
            // A server that cannot read the request asks nobody for money.
            order.state = OrderState::Closed;
        }
        if paid.is_some() {
            // Whatever the server makes of it, the shop has the money.
            order.state = OrderState::Abnormal;
            order.paid = paid;
        }
        Ok(OrderFile {
            member: self.member_name(order.member)?,
            provisional: false,
            attempts: Vec::new(),
            charging: false,
            cut_off: false,
            refusal: refusal_of(row),
            abnormal: None,
            held: is_held,
            order,
        })
    }

    /// Orders with money taken that the server keeps for a person to look at.
    pub(crate) fn held_files(&self) -> Result<Vec<OrderFile>, CallError> {
        let mut files = Vec::new();
        for row in self.store.latest_operations(LIST_MAX)? {
            let is_held = matches!(
                row.outcome,
                Some(OutcomeDto::Held | OutcomeDto::ExistsWithDifferent { .. })
            );
            let Some(order) = row.order.filter(|_| is_held) else {
                continue;
            };
            if self.store.order(order)?.is_none() {
                files.push(self.unopened_file(order)?);
            }
        }
        Ok(files)
    }

    /// Refusal of the latest try to be paid for `order`.
    fn last_refusal(&self, order: OrderId) -> Result<Option<RefusalCode>, CallError> {
        let rows = self.store.operations_of_order(order)?;
        let last = rows.iter().rev().find(|row| {
            decode(row)
                .is_ok_and(|operation| matches!(operation.body, OperationBody::AttemptStart(_)))
        });
        Ok(last.and_then(refusal_of))
    }

    /// The order that an intent has opened already.
    pub(crate) fn order_of_intent(&self, intent: ActionId) -> Result<Option<OrderId>, CallError> {
        let rows = self.store.operations_of_action(intent)?;
        let orders = rows.iter().filter_map(|row| decode(row).ok());
        Ok(orders
            .filter_map(|operation| order_of(&operation.body))
            .next())
    }

    pub(crate) fn member_name(&self, id: MemberId) -> Result<String, CallError> {
        let record = self.store.member(id)?;
        Ok(record
            .and_then(|record| record.profile)
            .map_or_else(|| id.to_string(), |profile| profile.name))
    }
}

pub(crate) fn is_open(stage: Stage) -> bool {
    matches!(
        stage,
        Stage::Opening
            | Stage::Review
            | Stage::Preparing
            | Stage::Waiting
            | Stage::Charging
            | Stage::UserPaying
            | Stage::Unknown
            | Stage::Reversing
            | Stage::Cancelling
            | Stage::Failed
            | Stage::Paid
            | Stage::Abnormal
    )
}

/// What an operation says about the order that it opens.
fn opening_of(body: &OperationBody) -> Option<&RechargeOpen> {
    match body {
        OperationBody::RechargeOpen(open) => Some(open),
        OperationBody::RechargeCash(cash) => Some(&cash.open),
        OperationBody::RechargeRecorded(recorded) => Some(&recorded.open),
        _ => None,
    }
}

/// The money that an operation says was taken.
fn taken(operation: &Operation) -> Option<PaidFact> {
    let paid_at = operation.wall_time;
    match &operation.body {
        OperationBody::RechargeCash(cash) => Some(PaidFact {
            channel: Channel::Cash,
            amount: cash.tendered - cash.change,
            cash_part: None,
            tendered: Some(cash.tendered),
            channel_txn_no: None,
            paid_at,
        }),
        OperationBody::RechargeRecorded(recorded) => Some(PaidFact {
            channel: recorded.method.channel(),
            amount: recorded.open.quote.pay,
            cash_part: recorded.cash_part,
            tendered: None,
            channel_txn_no: Some(recorded.reference.as_str().to_owned()),
            paid_at,
        }),
        _ => None,
    }
}

fn approval_of(body: &OperationBody) -> Option<StaffProof> {
    match body {
        OperationBody::RechargeCash(cash) => cash.approval,
        OperationBody::RechargeRecorded(recorded) => recorded.approval,
        _ => None,
    }
}

fn refusal_of(row: &OwnOperation) -> Option<RefusalCode> {
    match row.outcome.as_ref()? {
        OutcomeDto::Refused(refusal) => Some(refusal.reason.into()),
        _ => None,
    }
}

fn never_opened(open: RechargeOpen, operation: &Operation) -> Option<RechargeOrder> {
    Some(RechargeOrder {
        id: open.order,
        order_no: open.order_no,
        member: open.member,
        store: operation.store,
        device: operation.device,
        shift: operation.shift?,
        cashier: operation.staff?.staff,
        seller: open.seller,
        approver: approval_of(&operation.body).map(|proof| proof.staff),
        choice: open.choice,
        quote: open.quote,
        cash_part: open.cash_part,
        state: OrderState::Created,
        paid: None,
        credit: None,
        offline: operation.offline,
        copies: 0,
        opened_at: operation.wall_time,
        expires_at: operation.wall_time,
        changed_at: operation.wall_time,
    })
}
