//! What a cashier does: writes operations with the terminal's own store, key and `decide`.

use qiantai_core::Money;
use qiantai_core::decide::{State, decide};
use qiantai_core::drawer::{DrawerOpen, DrawerReason};
use qiantai_core::ids::{ActionId, MemberId, OpId, OrderId, ShiftId};
use qiantai_core::lease::draws;
use qiantai_core::operation::{
    NamedLease, Operation, OperationBody, RechargeCash, RechargeOpen, ShiftOpen, SpendOffline,
    StaffMethod, StaffProof,
};
use qiantai_core::order_no::{OrderNo, Prefix};
use qiantai_core::policy::{Policy, Role};
use qiantai_core::quote::{CashShare, price};
use qiantai_core::recharge::AmountChoice;
use qiantai_core::risk_floor::SpentBeyond;
use qiantai_store::{Commit, CommitError, LogHead, StoreError};
use qiantai_sync::SyncStatus;
use qiantai_wire::SignedOperation;
use rand::{Rng, RngExt};

use crate::bug::Bug;
use crate::dice::{chance, id};
use crate::halt::{Invariant, Step, must};
use crate::lease_book::drawn;
use crate::oracle::Fact;
use crate::till::{Identity, Running, Till};
use crate::view;

/// What the cashier remembers of the shift.
#[derive(Clone, Default)]
pub struct Drawer {
    shift: Option<ShiftId>,
    last_sale: Option<(ActionId, RechargeCash)>,
    open_order: Option<OrderId>,
    copies: u32,
    commits: u32,
}

/// Something to do at the counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    /// A top-up in cash.
    Cash,
    /// The last top-up written once more under the same intent, as after a lost screen.
    CashAgain,
    /// An order opened for payment by QR code, or the one that is open cancelled.
    Order,
    /// The last receipt once more.
    Reprint,
    /// The drawer opened for a note to be changed, with a manager's PIN.
    Drawer,
    /// A service paid from what this terminal may spend without asking, and now and then, with a
    /// manager's PIN, beyond it.
    Spend,
}

impl Till {
    /// Does `deed` with `member`; what became a fact is returned. Nothing happens while the
    /// terminal is off, does not know the member, refuses, or has no room on its disk.
    pub fn act(&mut self, deed: Deed, member: MemberId) -> Step<Vec<Fact>> {
        let mut facts = Vec::new();
        if self
            .running
            .as_ref()
            .is_none_or(|running| running.policies.is_empty())
        {
            return Ok(facts);
        }
        if self.drawer.shift.is_none() {
            facts.extend(self.open_shift()?);
        }
        facts.extend(self.release_ended()?);
        let done = match deed {
            Deed::Cash => self.cash(member)?,
            Deed::CashAgain => self.cash_again()?,
            Deed::Order => self.order(member)?,
            Deed::Reprint => self.reprint()?,
            Deed::Drawer => self.open_drawer()?,
            Deed::Spend => self.spend(member)?,
        };
        facts.extend(done);
        Ok(facts)
    }

    fn open_shift(&mut self) -> Step<Option<Fact>> {
        let shift = ShiftId(id(&mut self.dice, self.clock.shows()));
        let float = vec![(Money::from_yuan(100), self.dice.random_range(1..9))];
        let body = OperationBody::ShiftOpen(ShiftOpen {
            shift,
            shift_no: self.number(Prefix::Shift),
            float,
        });
        let action = self.intent();
        let fact = self.write(action, body)?;
        if fact.is_some() {
            self.drawer.shift = Some(shift);
        }
        Ok(fact)
    }

    fn cash(&mut self, member: MemberId) -> Step<Option<Fact>> {
        let Some(open) = self.offer(member, true)? else {
            return Ok(None);
        };
        let change = Money::from_yuan(self.dice.random_range(0..100));
        let cash = RechargeCash {
            tendered: open.quote.pay + change,
            change,
            approval: None,
            open,
        };
        let action = ActionId(cash.open.order.0);
        let fact = self.write(action, OperationBody::RechargeCash(cash.clone()))?;
        if fact.is_some() {
            self.drawer.last_sale = Some((action, cash));
        }
        Ok(fact)
    }

    fn cash_again(&mut self) -> Step<Option<Fact>> {
        match self.drawer.last_sale.clone() {
            Some((action, cash)) => self.write(action, OperationBody::RechargeCash(cash)),
            None => Ok(None),
        }
    }

    fn order(&mut self, member: MemberId) -> Step<Option<Fact>> {
        let action = self.intent();
        if let Some(order) = self.drawer.open_order.take() {
            return self.write(action, OperationBody::RechargeCancel { order });
        }
        let Some(open) = self.offer(member, false)?.filter(|_| !self.is_offline()) else {
            return Ok(None);
        };
        let order = open.order;
        let fact = self.write(action, OperationBody::RechargeOpen(open))?;
        self.drawer.open_order = fact.as_ref().map(|_| order);
        Ok(fact)
    }

    fn reprint(&mut self) -> Step<Option<Fact>> {
        let Some((_, cash)) = &self.drawer.last_sale else {
            return Ok(None);
        };
        let order = cash.open.order;
        self.drawer.copies += 1;
        let copy = self.drawer.copies;
        let action = self.intent();
        self.write(
            action,
            OperationBody::ReceiptReprint {
                order,
                copy,
                approval: None,
            },
        )
    }

    fn open_drawer(&mut self) -> Step<Option<Fact>> {
        let Some(running) = &self.running else {
            return Ok(None);
        };
        let Some(approval) = staff_of(running, self.clock.shows(), Role::Manager) else {
            return Ok(None);
        };
        let body = DrawerOpen {
            reason: DrawerReason::Change,
            words: None,
            approval,
        };
        let action = self.intent();
        self.write(action, OperationBody::DrawerOpen(body))
    }

    fn spend(&mut self, member: MemberId) -> Step<Option<Fact>> {
        let all = self.may_spend(member)?;
        let on_floor = self.has_floor();
        if !all.is_positive() && !on_floor {
            return Ok(None);
        }
        let passes = match on_floor {
            true => chance(&mut self.dice, 60),
            false => chance(&mut self.dice, 8),
        };
        let most = match passes {
            true => all.fen() + 20_000,
            false => all.fen(),
        };
        if most == 0 {
            return Ok(None);
        }
        let amount = match chance(&mut self.dice, 20) {
            true => most,
            false => self.dice.random_range(1..=most),
        };
        self.pay(member, Money::from_fen(amount))
    }

    /// Whether anything passes the leases without a manager.
    fn has_floor(&self) -> bool {
        let running = self.running.as_ref();
        let policy = running.and_then(|running| in_force(running, self.clock.shows()));
        policy.is_some_and(|policy| !policy.offline.risk_floor.most_per_device().is_zero())
    }

    /// What this terminal may spend of a member without asking.
    pub fn may_spend(&self, member: MemberId) -> Step<Money> {
        let held = match &self.running {
            Some(running) => running.store.spendable_leases(member)?,
            None => Vec::new(),
        };
        Ok(held.iter().map(|lease| lease.left).sum())
    }

    /// A payment from the leases of this terminal, beyond them on the risk floor, and beyond that with
    /// a manager's PIN.
    pub fn pay(&mut self, member: MemberId, amount: Money) -> Step<Option<Fact>> {
        let Some(running) = &self.running else {
            return Ok(None);
        };
        let held = running.store.spendable_leases(member)?;
        let held: Vec<_> = held.iter().map(|lease| (lease.id, lease.left)).collect();
        let (draws, _) = draws(&held, amount);
        let mut body = SpendOffline {
            member,
            amount,
            draws,
            approval: None,
        };
        let action = self.intent();
        body.approval = self.approval_beyond(action, &body)?;
        self.write(action, OperationBody::SpendOffline(body))
    }

    /// The manager who lets it pass what the leases and the risk floor give.
    fn approval_beyond(&self, action: ActionId, body: &SpendOffline) -> Step<Option<StaffProof>> {
        let now = self.clock.shows();
        let Some((running, policy)) = self
            .running
            .as_ref()
            .and_then(|running| Some((running, in_force(running, now)?)))
        else {
            return Ok(None);
        };
        let (store, body) = (&running.store, OperationBody::SpendOffline(body.clone()));
        let head = store.log_head()?;
        let operation = Operation {
            server_anchor: store.sync_mark()?.server_time,
            ..self.operation(running, OpId(action.0), action, &body, head, true)
        };
        let Some(next) = SpentBeyond::at_terminal(&operation) else {
            return Ok(None);
        };
        let used = store.floor_use(&next, policy.store.cut_off_minutes)?;
        let room = policy.offline.risk_floor.room(&used);
        let manager = staff_of(running, now, Role::Manager);
        Ok(manager.filter(|_| room.refuses(next.amount).is_some()))
    }

    /// Gives back what the server says has ended.
    fn release_ended(&mut self) -> Step<Vec<Fact>> {
        let ended = match &self.running {
            Some(running) => running.store.ended_leases()?,
            None => Vec::new(),
        };
        let mut facts = Vec::new();
        for lease in ended {
            let action = self.intent();
            let named = NamedLease {
                lease: lease.id,
                member: lease.member,
            };
            facts.extend(self.write(action, OperationBody::LeaseRelease(named))?);
        }
        Ok(facts)
    }

    /// The opening of an order at today's price; `None` when nothing is on sale for the member.
    fn offer(&mut self, member: MemberId, cash: bool) -> Step<Option<RechargeOpen>> {
        let now = self.clock.shows();
        let Some(running) = &self.running else {
            return Ok(None);
        };
        let state = self.state(running, member)?;
        let (Some(policy), Some(account), Some(known)) = (
            state.policy_at(now),
            state.accounts.get(&member),
            state.members.get(&member),
        ) else {
            return Ok(None);
        };
        let choice = choose(policy, &mut self.dice);
        let recent = &state.recent_orders;
        let quote = price(
            policy,
            account,
            known.registered_at,
            choice,
            match cash {
                true => CashShare::Whole,
                false => CashShare::None,
            },
            recent,
            now,
        );
        let Ok(quote) = quote else {
            return Ok(None);
        };
        Ok(Some(RechargeOpen {
            order: OrderId(id(&mut self.dice, now)),
            order_no: self.number(Prefix::Recharge),
            member,
            choice,
            quote,
            seller: None,
            duplicate_confirmed: chance(&mut self.dice, 80),
            cash_part: None,
        }))
    }

    /// What this terminal holds true about a member.
    fn state(&self, running: &Running, member: MemberId) -> Step<State> {
        let Running {
            store, policies, ..
        } = running;
        view::of_member(
            store,
            policies,
            self.identity.device,
            member,
            view::RECENT_MAX,
        )
    }

    /// Signs and commits; `None` when nothing was written. A terminal that dies after the write
    /// has written.
    fn write(&mut self, action: ActionId, body: OperationBody) -> Step<Option<Fact>> {
        let op_id = match &self.drawer.last_sale {
            Some((known, _)) if *known == action => OpId(self.intent().0),
            _ => OpId(action.0),
        };
        let (offline, key) = (self.is_offline(), self.identity.key());
        let Some(running) = &self.running else {
            return Ok(None);
        };
        let mark = running.store.sync_mark()?;
        let draft = |head: LogHead| self.operation(running, op_id, action, &body, head, offline);
        if let OperationBody::RechargeOpen(open) = &body {
            let state = self.state(running, open.member)?;
            if view::refuses(&state, &draft(running.store.log_head()?)) {
                return Ok(None);
            }
        }
        let mut shown = None;
        if let OperationBody::SpendOffline(spend) = &body {
            let state = self.state(running, spend.member)?;
            let operation = draft(running.store.log_head()?);
            if view::Known::of(&running.store, spend.member)?.is_explained() {
                shown = Some(drawn(&decide(&state, &operation, operation.wall_time).changes).0);
            }
        }
        let (mut fact, mut short) = (None, None);
        let mut write = || {
            let author = |head: LogHead| {
                let operation = Operation {
                    cursor: mark.cursor,
                    server_anchor: mark.server_time,
                    ..draft(head)
                };
                fact = Some(Fact::of(&operation, shown));
                Ok::<_, std::convert::Infallible>(Commit {
                    signed: SignedOperation::sign(&operation, &key),
                    prints: Vec::new(),
                })
            };
            match running.store.commit(author) {
                Ok(_) => true,
                Err(CommitError::Store(StoreError::LeaseShort { lease })) => {
                    short = Some(lease);
                    false
                }
                Err(_) => false,
            }
        };
        let is_told_only =
            self.bug() == Some(Bug::CommitUnwritten) && self.drawer.commits.is_multiple_of(3);
        let mut written = false;
        if is_told_only {
            let head = running.store.log_head()?;
            fact = Some(Fact::of(&draft(head), shown));
            written = true;
        } else if running.log.trap.pass(|| written = write()).is_some() {
            running.handle.nudge();
        }
        must(short.is_none(), Invariant::LeasesKept, || {
            format!("lease {short:?} gives less than the terminal was told a moment ago")
        })?;
        self.drawer.commits += 1;
        Ok(fact.filter(|_| written))
    }

    fn operation(
        &self,
        running: &Running,
        op_id: OpId,
        action_id: ActionId,
        body: &OperationBody,
        head: LogHead,
        offline: bool,
    ) -> Operation {
        let now = self.clock.shows();
        let staff = staff_of(running, now, Role::Cashier);
        Operation {
            op_id,
            action_id,
            tenant: self.identity.tenant,
            store: self.identity.store,
            device: self.identity.device,
            epoch: 1,
            device_seq: head.device_seq + 1,
            prev_hash: head.hash,
            staff,
            shift: self.drawer.shift,
            wall_time: now,
            boot_id: running.boot_id,
            monotonic_ms: u64::try_from(self.clock.sky().now().ms()).unwrap_or_default(),
            server_anchor: None,
            cursor: None,
            offline,
            attachment: None,
            body: body.clone(),
        }
    }

    fn intent(&mut self) -> ActionId {
        ActionId(id(&mut self.dice, self.clock.shows()))
    }

    fn number(&mut self, prefix: Prefix) -> String {
        let random = self.dice.next_u32() & 0xF_FFFF;
        let Identity {
            store_code, code, ..
        } = &self.identity;
        OrderNo::new(prefix, self.clock.shows(), store_code, code, random)
            .expect("sample shops have codes of five and two digits")
            .to_string()
    }

    fn is_offline(&self) -> bool {
        let status = self.running.as_ref().map(|running| running.handle.status());
        !matches!(
            status,
            Some(SyncStatus::Synced | SyncStatus::Syncing { .. })
        )
    }
}

fn staff_of(running: &Running, now: qiantai_core::Timestamp, role: Role) -> Option<StaffProof> {
    let policy = in_force(running, now)?;
    let mut staff = policy.staff.iter();
    let person = staff.find(|person| person.role == role && person.active)?;
    Some(StaffProof {
        staff: person.id,
        method: StaffMethod::Pin,
        policy_version: policy.version,
    })
}

fn in_force(running: &Running, now: qiantai_core::Timestamp) -> Option<&Policy> {
    let mut newest_first = running.policies.iter().rev();
    newest_first
        .find(|policy| policy.effective_from <= now)
        .or(running.policies.first())
        .map(std::convert::AsRef::as_ref)
}

fn choose(policy: &Policy, dice: &mut crate::dice::Dice) -> AmountChoice {
    let (packages, amounts) = (&policy.packages, &policy.fixed_amounts);
    if !packages.is_empty() && chance(dice, 40) {
        let package = &packages[dice.random_range(0..packages.len())];
        return AmountChoice::Package(package.id, package.version);
    }
    match amounts.is_empty() || chance(dice, 40) {
        true => AmountChoice::Amount(Money::from_yuan(dice.random_range(1..3_000))),
        false => AmountChoice::Amount(amounts[dice.random_range(0..amounts.len())]),
    }
}
