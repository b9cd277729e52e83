//! The decision: a pure function from what is known and what was done to what must be written.

mod administration;
mod attempt_result;
mod attempt_start;
mod digest;
mod draft;
mod drawer_open;
mod invariants;
mod leases;
mod member_create;
mod members;
mod order_end;
mod permission;
mod receipt_reprint;
mod recharge_cash;
mod recharge_open;
mod recharge_recorded;
mod recharge_taken;
mod settle;
mod shift_open;
mod spend_offline;
mod state;

pub use digest::{business_digest, differing_field, field_named};
#[cfg(test)]
pub(crate) use members::empty_account;
pub use state::{ActionRecord, Device, RecentOrder, State};

use crate::account::Account;
use crate::attempt::PaymentAttempt;
use crate::clock::Timestamp;
use crate::lease::Lease;
use crate::ledger::{
    CarePlan, CashMovement, Coupon, EarningEntry, ExceptionCase, JournalEntry, OutboxEvent,
    Posting, Shift, TierEntry,
};
use crate::member::Member;
use crate::operation::{Operation, OperationBody};
use crate::quote::Quote;
use crate::recharge::RechargeOrder;
use crate::risk_floor::SpentBeyond;

/// What must be written for one operation, all at once or not at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// The answer to whoever wrote the operation.
    pub outcome: Outcome,
    /// Rows to write, in order, whatever the outcome says: a fact whose action was reused is
    /// answered `ExistsWithDifferent` and still posts its money to suspense.
    pub changes: Vec<Change>,
}

/// The answer to an operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Done.
    Applied,
    /// The same action was applied before; the first answer stands.
    Exists,
    /// The same action with another content; `field` differs.
    ExistsWithDifferent {
        /// Name of the first differing field.
        field: &'static str,
    },
    /// Refused; nothing was written.
    Refused(Refusal),
}

/// Why a request was refused. Numbers are stable and never reused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Which rule.
    pub code: RefusalCode,
    /// The price that holds now, for a stale or changed quote.
    pub quote: Option<Box<Quote>>,
}

impl Refusal {
    /// A refusal that needs no new price.
    pub fn new(code: RefusalCode) -> Refusal {
        Refusal { code, quote: None }
    }

    /// A refusal with the price that holds now.
    pub fn with_quote(code: RefusalCode, quote: Quote) -> Refusal {
        Refusal {
            code,
            quote: Some(Box::new(quote)),
        }
    }
}

impl From<RefusalCode> for Refusal {
    fn from(code: RefusalCode) -> Refusal {
        Refusal::new(code)
    }
}

/// Stable codes of refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u16)]
pub enum RefusalCode {
    /// No such member here.
    MemberUnknown = 101,
    /// The member is frozen, merged or closed.
    MemberNotActive = 102,
    /// The amount is zero, negative or above the product's cap.
    AmountOutOfRange = 110,
    /// Free amounts are off and the amount is not on sale.
    AmountNotOnSale = 111,
    /// The package is gone, changed or not on sale today.
    PackageNotOnSale = 112,
    /// The quote is older than its validity.
    QuoteStale = 120,
    /// The server computes another price, bonus or tier.
    QuoteChanged = 121,
    /// A compliance limit blocks it.
    LimitBlocked = 130,
    /// A review is needed before payment.
    ReviewNeeded = 131,
    /// Equal member, amount and store within 120 s; confirm.
    DuplicateSuspected = 140,
    /// No such order.
    OrderUnknown = 150,
    /// The order cannot do that in its state.
    OrderState = 151,
    /// Another attempt of the order is open or unknown.
    AttemptOpen = 152,
    /// No such attempt.
    AttemptUnknown = 153,
    /// The attempt cannot do that in its state.
    AttemptState = 154,
    /// The amount differs from the order's.
    AmountDiffers = 155,
    /// The channel is not offered here.
    ChannelNotOffered = 156,
    /// The order belongs to another terminal, whose customer stands there.
    OrderElsewhere = 157,
    /// No such shift, or it is not open on this device.
    ShiftNotOpen = 160,
    /// The device has an open shift already.
    ShiftAlreadyOpen = 161,
    /// No such person, or not active.
    StaffUnknown = 170,
    /// The role may not do that.
    RoleNotAllowed = 171,
    /// Only the server writes this.
    ServerOnly = 180,
    /// An identity or number is taken by another row.
    NumberTaken = 181,
    /// A person looked at it and said that it is no word of the shop.
    ReviewRefused = 182,
    /// Rules of that version are not known.
    PolicyUnknown = 190,
    /// No such lease, or it has ended.
    LeaseUnknown = 200,
    /// The rule or the member's money does not allow that lease now.
    LeaseNotCovered = 201,
}

/// One row to write. Entities are whole rows after the change.
#[expect(
    clippy::large_enum_variant,
    reason = "changes live for one batch; whole rows keep decisions easy to read"
)]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// A terminal.
    Device(Device),
    /// Rules of this version hold from now; the document is the operation's attachment.
    PolicyPublished(u32),
    /// A member.
    Member(Member),
    /// An account with its lots.
    Account(Account),
    /// A lease.
    Lease(Lease),
    /// An order.
    Order(RechargeOrder),
    /// An attempt.
    Attempt(PaymentAttempt),
    /// A shift.
    Shift(Shift),
    /// A journal row.
    Journal(JournalEntry),
    /// A posting.
    Posting(Posting),
    /// A growth or points row.
    Earning(EarningEntry),
    /// A change of tier.
    Tier(TierEntry),
    /// A coupon.
    Coupon(Coupon),
    /// A care plan.
    CarePlan(CarePlan),
    /// Cash into or out of a drawer.
    Cash(CashMovement),
    /// An exception case.
    Case(ExceptionCase),
    /// A message for other systems.
    Outbox(OutboxEvent),
    /// What later payments of the terminal count against its risk floor. It has no row: whoever
    /// needs it again reads it from the log.
    SpentBeyond(SpentBeyond),
}

/// Decides `operation` against `state` at server time `now`. Pure: the same arguments give the
/// same decision, on the server, on a terminal (for its provisional view) and in replay.
///
/// Panics when the result would break an invariant of money (docs: domain §2.3).
pub fn decide(state: &State, operation: &Operation, now: Timestamp) -> Decision {
    let decision = match repeated(state, operation, now) {
        Some(decision) => decision,
        None => first_time(state, operation, now).unwrap_or_else(|refusal| Decision {
            outcome: Outcome::Refused(refusal),
            changes: Vec::new(),
        }),
    };
    invariants::assert_hold(state, &decision.changes);
    decision
}

/// The answer to an action that was seen before. A refusal does not count as seen for a fact:
/// what happened in the shop is posted even if asking for it was refused.
fn repeated(state: &State, operation: &Operation, now: Timestamp) -> Option<Decision> {
    let seen = state.actions.get(&operation.action_id)?;
    if operation.body.is_fact() && matches!(seen.outcome, Outcome::Refused(_)) {
        return None;
    }
    let digest = business_digest(&operation.body);
    let Some(field) = differing_field(&seen.body_digest, &digest) else {
        return Some(Decision {
            outcome: Outcome::Exists,
            changes: Vec::new(),
        });
    };
    let changes = match &operation.body {
        OperationBody::RechargeCash(cash) => recharge_cash::reused_action(operation, cash, now),
        OperationBody::RechargeRecorded(recorded) => {
            recharge_recorded::reused_action(operation, recorded, now)
        }
        OperationBody::SpendOffline(spend) => spend_offline::reused_action(operation, spend, now),
        body if body.is_fact() => draft::reused_fact(operation, now),
        _ => Vec::new(),
    };
    Some(Decision {
        outcome: Outcome::ExistsWithDifferent { field },
        changes,
    })
}

fn first_time(state: &State, operation: &Operation, now: Timestamp) -> Result<Decision, Refusal> {
    if operation.body.is_server_only() && !permission::is_server(state, operation) {
        return Err(RefusalCode::ServerOnly.into());
    }
    match &operation.body {
        OperationBody::ShiftOpen(body) => Ok(shift_open::decide(state, operation, body, now)),
        OperationBody::RechargeOpen(body) => recharge_open::decide(state, operation, body, now),
        OperationBody::AttemptStart(body) => attempt_start::decide(state, operation, body, now),
        OperationBody::RechargeCash(body) => Ok(recharge_cash::decide(state, operation, body, now)),
        OperationBody::RechargeRecorded(body) => {
            Ok(recharge_recorded::decide(state, operation, body, now))
        }
        OperationBody::RechargeCancel { order } => order_end::cancel(state, operation, *order, now),
        OperationBody::ReceiptReprint {
            order, approval, ..
        } => Ok(receipt_reprint::decide(
            state, operation, *order, *approval, now,
        )),
        OperationBody::MemberCreate(body) => member_create::decide(state, operation, body, now),
        OperationBody::PolicyPublish { version } => administration::publish_policy(state, *version),
        OperationBody::DeviceEnrol(body) => administration::enrol_device(state, body),
        OperationBody::MemberRegister(body) => members::register(state, operation, body, now),
        OperationBody::OpeningBalance(body) => members::open_balance(state, operation, body, now),
        OperationBody::AttemptResult(body) => attempt_result::decide(state, operation, body, now),
        OperationBody::OrderExpire { order } => order_end::expire(state, operation, *order, now),
        OperationBody::SurplusRefunded(body) => {
            attempt_result::surplus_refunded(state, operation, body, now)
        }
        OperationBody::CreditRetry { order } => settle::retry(state, operation, *order, now),
        OperationBody::SpendOffline(body) => Ok(spend_offline::decide(state, operation, body, now)),
        OperationBody::LeaseGrant(body) => leases::grant(state, operation, body, now),
        OperationBody::LeaseRelease(body) => Ok(leases::release(state, operation, body, now)),
        OperationBody::LeaseLost(body) => leases::lost(state, operation, body, now),
        OperationBody::DrawerOpen(body) => Ok(drawer_open::decide(state, operation, body, now)),
    }
}
