//! What the ledger says about payments, heard batch by batch, and held against the gateways.

use std::collections::{BTreeMap, BTreeSet};

use qiantai_core::attempt::{AttemptState, Channel, PayMethod, PaymentAttempt};
use qiantai_core::decide::Change;
use qiantai_core::ids::{AttemptId, DeviceId, MemberId, OrderId, RowId};
use qiantai_core::ledger::{Book, CaseKind, LedgerAccount, Topic};
use qiantai_core::recharge::{OrderState, RechargeOrder};
use qiantai_core::{Money, Timestamp};
use qiantai_server::db::{Batch, DeliveryState, Ledger};
use sha2::{Digest, Sha256};

use super::bank::{Bank, Holding};
use super::screen;
use crate::halt::{Invariant, Step, must};
use crate::ledger::SimLedger;
use crate::oracle::Oracle;

/// The books as they were heard.
pub struct Books {
    /// What must be in them whatever happens to payments.
    pub oracle: Oracle,
    /// Every attempt as it was last written.
    pub attempts: BTreeMap<AttemptId, PaymentAttempt>,
    /// Every order as it was last written.
    pub orders: BTreeMap<OrderId, RechargeOrder>,
    /// Orders with a case, by its cause.
    cases: BTreeSet<(OrderId, u8)>,
    /// Attempts with a case that tells of a return on the platform.
    returned_outside: BTreeSet<AttemptId>,
    /// What was paid for orders that could not take it, as their cases say.
    in_doubt: BTreeMap<OrderId, Money>,
    /// Events that ask for a payment to be sent back, by attempt.
    returns: BTreeMap<AttemptId, Vec<RowId>>,
    /// What happened, hashed.
    trace: Sha256,
}

/// What a batch meant for the people in the shop.
#[derive(Default)]
pub struct Heard {
    /// Attempts that began.
    pub begun: Vec<PaymentAttempt>,
    /// Attempts that ended unpaid while their order waits on.
    pub unpaid: Vec<PaymentAttempt>,
    /// Orders that wait for a reviewer.
    pub reviews: Vec<OrderId>,
}

/// How an order ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum End {
    /// Paid and credited, and nothing came beside it.
    Credited,
    /// Credited; what came beside it was sent back.
    CreditedSurplusReturned,
    /// Credited; a person must send back what came beside it.
    CreditedSurplusCase,
    /// Nothing was paid.
    Unpaid,
    /// A case is open for a person.
    Case,
}

impl End {
    /// A few words for it.
    pub fn words(self) -> &'static str {
        match self {
            End::Credited => "credited",
            End::CreditedSurplusReturned => "credited, surplus returned",
            End::CreditedSurplusCase => "credited, surplus in an open case",
            End::Unpaid => "unpaid",
            End::Case => "in an open case",
        }
    }
}

impl Books {
    /// Books that `server` writes.
    pub fn new(server: DeviceId) -> Books {
        Books {
            oracle: Oracle::new(server),
            attempts: BTreeMap::new(),
            orders: BTreeMap::new(),
            cases: BTreeSet::new(),
            returned_outside: BTreeSet::new(),
            in_doubt: BTreeMap::new(),
            returns: BTreeMap::new(),
            trace: Sha256::new(),
        }
    }

    /// A batch was written at `now`.
    pub fn hear(&mut self, batch: &Batch, bank: &Bank, now: Timestamp) -> Step<Heard> {
        self.oracle.hear(batch)?;
        let mut heard = Heard::default();
        for change in batch.entries.iter().flat_map(|entry| &entry.changes) {
            match change {
                Change::Attempt(attempt) => self.hear_attempt(attempt, bank, now, &mut heard)?,
                Change::Order(order) => {
                    self.hear_order(order, now)?;
                    let waits = order.state == OrderState::PendingReview;
                    heard.reviews.extend(waits.then_some(order.id));
                }
                Change::Case(case) => {
                    if case.kind == CaseKind::ReturnedOutside {
                        self.returned_outside.extend(case.attempt);
                    }
                    if let Some(order) = case.order {
                        self.cases.insert((order, number(case.kind)));
                        if matches!(case.kind, CaseKind::AmountMismatch | CaseKind::LatePayment) {
                            *self.in_doubt.entry(order).or_default() += case.amount;
                        }
                    }
                }
                Change::Outbox(event) if event.topic == Topic::PaymentSurplus => {
                    let events = self.returns.entry(AttemptId(event.subject)).or_default();
                    events.push(event.id);
                }
                _ => {}
            }
        }
        self.check_screens(batch)?;
        let waits = |attempt: &PaymentAttempt| {
            let order = self.orders.get(&attempt.order);
            order.is_some_and(|order| order.state == OrderState::PendingPayment)
        };
        heard.unpaid.retain(waits);
        Ok(heard)
    }

    /// What every window shows once it has taken this batch over.
    fn check_screens(&self, batch: &Batch) -> Step {
        let changes = batch.entries.iter().flat_map(|entry| &entry.changes);
        let told: BTreeSet<OrderId> = changes
            .filter_map(|change| match change {
                Change::Attempt(attempt) => Some(attempt.order),
                Change::Order(order) => Some(order.id),
                _ => None,
            })
            .collect();
        for order in told.iter().filter_map(|id| self.orders.get(id)) {
            let attempts = self.attempts.values();
            screen::check(order, attempts.filter(|attempt| attempt.order == order.id))?;
        }
        Ok(())
    }

    fn hear_attempt(
        &mut self,
        attempt: &PaymentAttempt,
        bank: &Bank,
        now: Timestamp,
        heard: &mut Heard,
    ) -> Step {
        self.note(now, &attempt.attempt_no, &format!("{:?}", attempt.state));
        let before = self.attempts.insert(attempt.id, attempt.clone());
        match before {
            None => {
                self.check_alone(attempt, bank)?;
                heard.begun.push(attempt.clone());
            }
            Some(before) if before.state.is_open() => {
                let is_over = matches!(
                    attempt.state,
                    AttemptState::Failed | AttemptState::Closed | AttemptState::Reversed
                );
                heard.unpaid.extend(is_over.then(|| attempt.clone()));
            }
            Some(_) => {}
        }
        check_reversal(attempt, bank)
    }

    /// A second charge is asked for only when nothing can come of the first: not by the ledger's
    /// word, and not on any phone.
    fn check_alone(&self, attempt: &PaymentAttempt, bank: &Bank) -> Step {
        let others: Vec<&PaymentAttempt> = self
            .attempts
            .values()
            .filter(|other| other.order == attempt.order && other.id != attempt.id)
            .collect();
        if others.is_empty() {
            return Ok(());
        }
        let open = others.iter().find(|other| other.state.is_open());
        must(open.is_none(), Invariant::OneCharge, || {
            let state = open.map(|other| other.state);
            format!("{} began beside one that is {state:?}", attempt.attempt_no)
        })?;
        // A code that was made and whose answer was lost is on no screen: nobody can scan it.
        let was_shown =
            |other: &PaymentAttempt| other.method == PayMethod::Code || other.qr_payload.is_some();
        let holdings = bank.holdings();
        let payable = holdings.iter().find(|holding| {
            let is_same = |other: &&&PaymentAttempt| other.attempt_no == holding.attempt_no;
            holding.is_payable
                && others
                    .iter()
                    .any(|other| was_shown(other) && is_same(&other))
        });
        must(payable.is_none(), Invariant::OneCharge, || {
            format!("{} began while {payable:?}", attempt.attempt_no)
        })
    }

    fn hear_order(&mut self, order: &RechargeOrder, now: Timestamp) -> Step {
        self.note(now, &order.order_no, &format!("{:?}", order.state));
        let before = self.orders.insert(order.id, order.clone());
        let twice = before.is_some_and(|before| {
            before.credit.is_some() && order.credit.is_some() && before.credit != order.credit
        });
        must(!twice, Invariant::PostedOnce, || {
            format!("order {} was credited twice", order.order_no)
        })
    }

    fn note(&mut self, now: Timestamp, number: &str, state: &str) {
        let line = format!("{} {number} {state}\n", now.ms());
        self.trace.update(line);
    }

    /// SHA-256 of everything that happened to orders and attempts.
    pub fn digest(&self) -> String {
        hex::encode(self.trace.clone().finalize())
    }

    /// Whether a gateway may still have to say something about an attempt.
    pub fn has_open_attempts(&self) -> bool {
        let mut attempts = self.attempts.values();
        attempts.any(|attempt| attempt.state.is_open())
    }

    /// Checks what must hold once everything has been well for a while; how each order ended.
    pub fn audit(
        &self,
        ledger: &SimLedger,
        tenant: qiantai_core::ids::TenantId,
        bank: &Bank,
        paid_back: &BTreeSet<AttemptId>,
    ) -> Step<BTreeMap<End, u64>> {
        let untold = paid_back.difference(&self.returned_outside).next();
        must(untold.is_none(), Invariant::OrdersEnd, || {
            format!("nobody is told that {untold:?} was returned on the platform")
        })?;
        for attempt in self.attempts.values() {
            check_reversal(attempt, bank)?;
        }
        let holdings: BTreeMap<String, Holding> = bank
            .holdings()
            .into_iter()
            .map(|holding| (holding.attempt_no.clone(), holding))
            .collect();
        let received = |attempt: &PaymentAttempt| {
            // What is left where a part went back on the platform is for a person to find.
            if self.returned_outside.contains(&attempt.id) {
                return Money::ZERO;
            }
            let holding = holdings.get(&attempt.attempt_no);
            holding.map_or(Money::ZERO, |holding| holding.received)
        };
        self.check_channels(&received)?;
        let given_up: BTreeSet<RowId> = ledger
            .deliveries(tenant)?
            .into_iter()
            .filter(|(_, delivery)| delivery.state == DeliveryState::Dead)
            .map(|(event, _)| event)
            .collect();
        let waits = |attempt: &PaymentAttempt| {
            let holding = holdings.get(&attempt.attempt_no);
            let mut events = self.returns.get(&attempt.id).into_iter().flatten();
            holding.is_some_and(|holding| holding.is_stuck)
                || events.any(|event| given_up.contains(event))
        };
        let mut ends = BTreeMap::new();
        for order in self.orders.values() {
            let end = self.end_of(order, &received, &waits)?;
            *ends.entry(end).or_default() += 1;
        }
        self.check_drawers()?;
        self.check_suspense()?;
        self.check_members(ledger, tenant)?;
        Ok(ends)
    }

    /// What a channel kept for the shop stands in its clearing account, to the fen.
    fn check_channels(&self, received: &impl Fn(&PaymentAttempt) -> Money) -> Step {
        for channel in [
            Channel::Wechat,
            Channel::Alipay,
            Channel::Unionpay,
            Channel::Ecny,
        ] {
            let of_channel = self.attempts.values();
            let kept: Money = of_channel
                .filter(|attempt| attempt.channel == channel)
                .map(received)
                .sum();
            let posted = self.posted(LedgerAccount::Clearing(channel));
            must(
                posted == i128::from(kept.fen()),
                Invariant::GatewayAgrees,
                || format!("{channel:?} keeps {kept}, the ledger has {posted} fen"),
            )?;
        }
        Ok(())
    }

    /// Cash is in a drawer beside its float for orders that were paid, and for no other.
    fn check_drawers(&self) -> Step {
        let taken: Money = self
            .orders
            .values()
            .filter(|order| order.paid.is_some())
            .filter_map(|order| order.cash_part)
            .sum();
        let posted = self.oracle.books.posted.iter();
        let in_drawers =
            posted.filter(|((_, account), _)| matches!(account, LedgerAccount::Drawer(_)));
        let drawers: i128 = in_drawers.map(|(_, sum)| *sum).sum();
        let counted = self.oracle.books.floats + taken;
        must(
            drawers == i128::from(counted.fen()),
            Invariant::MoneyConserved,
            || format!("{drawers} fen in drawers, {counted} are counted, {taken} of it of splits"),
        )
    }

    /// What waits in suspense is what cases are open for.
    fn check_suspense(&self) -> Step {
        let surplus: Money = self
            .attempts
            .values()
            .flat_map(|attempt| &attempt.surplus)
            .filter(|surplus| !surplus.refunded)
            .map(|surplus| surplus.amount)
            .sum();
        let suspended = -self.posted(LedgerAccount::Suspense);
        let abnormal: i128 = self
            .orders
            .values()
            .filter(|order| order.state == OrderState::Abnormal)
            .filter_map(|order| self.in_doubt.get(&order.id))
            .map(|amount| i128::from(amount.fen()))
            .sum();
        must(
            suspended == abnormal + i128::from(surplus.fen()),
            Invariant::MoneyConserved,
            || format!("{suspended} fen in suspense, {abnormal} and {surplus} are in doubt"),
        )
    }

    fn posted(&self, account: LedgerAccount) -> i128 {
        let sum = self.oracle.books.posted.get(&(Book::Money, account));
        sum.copied().unwrap_or_default()
    }

    fn end_of(
        &self,
        order: &RechargeOrder,
        received: &impl Fn(&PaymentAttempt) -> Money,
        waits: &impl Fn(&PaymentAttempt) -> bool,
    ) -> Step<End> {
        let attempts: Vec<&PaymentAttempt> = self
            .attempts
            .values()
            .filter(|attempt| attempt.order == order.id)
            .collect();
        let open = attempts.iter().find(|attempt| attempt.state.is_open());
        must(open.is_none(), Invariant::OrdersEnd, || {
            let state = open.map(|attempt| (attempt.attempt_no.clone(), attempt.state));
            format!("order {} has {state:?}", order.order_no)
        })?;
        let kept: Money = attempts.iter().map(|attempt| received(attempt)).sum();
        let wrong = |why: &str| {
            let (number, state) = (&order.order_no, order.state);
            format!("order {number} is {state:?}, gateways keep {kept} for it: {why}")
        };
        let has_case = |kind| self.cases.contains(&(order.id, number(kind)));
        match order.state {
            OrderState::Credited => {
                let winners = attempts
                    .iter()
                    .filter(|attempt| attempt.paid_at.is_some() && !is_beside(attempt));
                must(winners.count() == 1, Invariant::OrdersEnd, || {
                    wrong("not one attempt paid it")
                })?;
                let end = surplus_end(&attempts, waits)?;
                let extra = match end {
                    End::CreditedSurplusCase => unreturned(&attempts),
                    _ => Money::ZERO,
                };
                must(
                    kept == order.asked() + extra,
                    Invariant::GatewayAgrees,
                    || wrong("that is not its price"),
                )?;
                let needs_case = end != End::Credited;
                must(
                    !needs_case || has_case(CaseKind::SecondPayment),
                    Invariant::OrdersEnd,
                    || wrong("nobody is told of the second payment"),
                )?;
                Ok(end)
            }
            OrderState::Cancelled | OrderState::Closed | OrderState::Rejected => {
                must(kept == Money::ZERO, Invariant::GatewayAgrees, || {
                    wrong("it ended unpaid")
                })?;
                Ok(End::Unpaid)
            }
            OrderState::Abnormal => {
                let of_return =
                    |attempt: &&PaymentAttempt| self.returned_outside.contains(&attempt.id);
                let told = has_case(CaseKind::AmountMismatch)
                    || has_case(CaseKind::LatePayment)
                    || attempts.iter().any(of_return);
                must(told, Invariant::OrdersEnd, || wrong("it has no case"))?;
                surplus_end(&attempts, waits)?;
                Ok(End::Case)
            }
            _ => {
                must(false, Invariant::OrdersEnd, || wrong("it does not end"))?;
                Ok(End::Unpaid)
            }
        }
    }

    /// Members have what they brought and what was credited, each once.
    fn check_members(&self, ledger: &SimLedger, tenant: qiantai_core::ids::TenantId) -> Step {
        let mut credited: BTreeMap<MemberId, Money> = BTreeMap::new();
        for order in self.orders.values() {
            if order.state == OrderState::Credited {
                *credited.entry(order.member).or_default() += order.quote.pay;
            }
        }
        for (member, owed) in &self.oracle.books.owed {
            let before = owed.principal.last().map_or(Money::ZERO, |(_, sum)| *sum);
            let expected = before + credited.get(member).copied().unwrap_or_default();
            let account = ledger.account(tenant, *member)?;
            let has = account.map_or(Money::ZERO, |account| account.principal);
            must(has == expected, Invariant::MoneyConserved, || {
                format!("member {member} has {has} instead of {expected}")
            })?;
        }
        Ok(())
    }
}

/// That nothing had been paid is said only where the gateway never had the money, and that it went
/// back, only where the gateway had it and keeps none of it.
fn check_reversal(attempt: &PaymentAttempt, bank: &Bank) -> Step {
    if attempt.state != AttemptState::Reversed {
        return Ok(());
    }
    let (ever, left) = bank.ever_and_left(&attempt.attempt_no);
    let is_true = match attempt.money_returned {
        Some(false) => ever == Money::ZERO,
        Some(true) => ever > Money::ZERO && left == Money::ZERO,
        None => true,
    };
    must(is_true, Invariant::GatewayAgrees, || {
        let (number, said) = (&attempt.attempt_no, attempt.money_returned);
        format!("{number} says that money returned is {said:?}; {ever} came, {left} is left")
    })
}

/// What came beside the money of an order went back, or waits for people who were told.
fn surplus_end(
    attempts: &[&PaymentAttempt],
    waits: &impl Fn(&PaymentAttempt) -> bool,
) -> Step<End> {
    let mut end = End::Credited;
    let with_surplus = attempts
        .iter()
        .filter(|attempt| !attempt.surplus.is_empty());
    for attempt in with_surplus {
        let is_returned = attempt.surplus.iter().all(|surplus| surplus.refunded);
        must(is_returned || waits(attempt), Invariant::OrdersEnd, || {
            format!("a second payment of {} stays", attempt.attempt_no)
        })?;
        end = match is_returned {
            true => end.max(End::CreditedSurplusReturned),
            false => End::CreditedSurplusCase,
        };
    }
    Ok(end)
}

/// Whether everything that came by an attempt was beside the order's money.
fn is_beside(attempt: &PaymentAttempt) -> bool {
    let main = attempt.channel_txn_no.as_ref();
    let mut surplus = attempt.surplus.iter();
    surplus.any(|surplus| Some(&surplus.channel_txn_no) == main)
}

fn unreturned(attempts: &[&PaymentAttempt]) -> Money {
    let surplus = attempts.iter().flat_map(|attempt| &attempt.surplus);
    surplus
        .filter(|surplus| !surplus.refunded)
        .map(|surplus| surplus.amount)
        .sum()
}

/// Cases of the same cause are one for these checks.
fn number(kind: CaseKind) -> u8 {
    match kind {
        CaseKind::AmountMismatch => 1,
        CaseKind::LatePayment => 2,
        CaseKind::SecondPayment => 3,
        _ => 0,
    }
}
