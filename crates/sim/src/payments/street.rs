//! The shop's days: who does what next.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use qiantai_core::ids::{AttemptId, MemberId, OrderId};
use qiantai_core::policy::{Policy, Role};
use qiantai_core::{Millis, Timestamp};
use qiantai_paysim::Gateway;
use qiantai_paysim::gateway::{Acknowledgement, CodeView};
use qiantai_server::db::Ledger;
use qiantai_server::sample::ShopKind;
use rand::RngExt;

use super::bank::{Bank, Contracts, LineState};
use super::books::{Books, End, Heard};
use super::desk::Desk;
use super::rates::{self, CodeCustomer, Customer, FOLLOWS, MISHAPS, Mishap, OUTAGE_MOST};
use super::{PaymentPlan, PaymentReport};
use crate::authority::{Answered, Authority, Turned};
use crate::dice::{Dice, dice};
use crate::halt::{Halt, Invariant, Step, must};
use crate::office::{Office, all_applied, give_token};
use crate::oracle::Fact;
use crate::plan::OPEN;
use crate::time::Sky;
use crate::trap::Side;
use crate::world::day;

/// Members of the shop.
const MEMBERS: usize = 12;

/// Between two looks at payments while one is open.
const LOOK_EVERY: Millis = Millis::seconds(5);

/// Between two looks while only late money is watched for.
const LOOK_LATE_EVERY: Millis = Millis::seconds(60);

/// How long after the last news payments are looked after.
const WATCHED_FOR: Millis = Millis::minutes(75);

/// How long everything is well before the books are audited.
const WELL_FOR: Millis = Millis::hours(2);

/// The shop with everybody in it.
pub struct Street {
    pub(super) plan: PaymentPlan,
    pub(super) sky: Arc<Sky>,
    pub(super) authority: Authority,
    pub(super) bank: Bank,
    pub(super) desk: Desk,
    pub(super) books: Books,
    pub(super) members: Vec<MemberId>,
    pub(super) policy: Arc<Policy>,
    pub(super) agenda: BTreeMap<(Timestamp, u64), Event>,
    pub(super) planned: u64,
    pub(super) looked_at: Timestamp,
    pub(super) news_at: Timestamp,
    /// Each attempt's customer.
    pub(super) intents: BTreeMap<AttemptId, Customer>,
    /// Attempts whose payment went back on the platform.
    pub(super) paid_back: BTreeSet<AttemptId>,
    /// Payment codes that customers show.
    pub(super) codes: BTreeMap<AttemptId, (CodeCustomer, CodeView)>,
    pub(super) people: Dice,
    pub(super) fate: Dice,
    /// Of requests that are long on their way, and of single calls that the line fails.
    pub(super) way: Dice,
    pub(super) contracts: Contracts,
    pub(super) report: PaymentReport,
}

/// Something that will happen.
pub enum Event {
    Visit,
    Phone(AttemptId),
    /// The cashier scans a payment code; with the tries left.
    Scan(AttemptId, u32),
    /// The customer gives the password.
    Confirm(AttemptId),
    Charge(OrderId),
    Ask(AttemptId, u32),
    Cancel(OrderId),
    Mishap(Mishap),
    LineWell,
    ServerUp,
}

impl Street {
    /// The shop on its first morning.
    pub fn open(plan: &PaymentPlan, root: &Path) -> Step<Street> {
        let sky = Sky::new();
        let folder = root.join("server");
        let kinds = [ShopKind::Salon, ShopKind::Gym, ShopKind::Beauty];
        let kind = kinds[usize::try_from(plan.seed % 3).unwrap_or_default()];
        let (mut authority, tape) =
            Authority::open(&folder, &sky, kind, MEMBERS, plan.seed, plan.bug)?;
        let contracts = match plan.seed % 2 {
            0 => Contracts::Keys,
            _ => Contracts::Certificates,
        };
        let bank = Bank::open(contracts, &sky, &authority.clock, root);
        let mut books = Books::new(authority.device);
        for batch in &tape {
            books.hear(batch, &bank, sky.now())?;
        }
        authority.equip(bank.channels()?);
        authority.die()?;
        authority.start()?;
        let now = sky.now();
        let mut office = Office::new(
            dice(plan.seed, "office", 0),
            authority.shop.store,
            authority.server_key,
        );
        let identity = office.identity(&authority.shop, 0, now);
        let (said, turned) = authority.say(vec![office.enrol(&identity, now)])?;
        must(
            said.as_deref().is_some_and(all_applied),
            Invariant::KeepsWorking,
            || "the counter was not enrolled".to_owned(),
        )?;
        let policy = {
            let ledger = authority.ledger().expect("it was just started");
            give_token(ledger.as_ref(), &identity, now)?;
            let newest = ledger.policies(authority.tenant())?.pop();
            newest.expect("a sample shop has rules")
        };
        let cashier = policy
            .staff
            .iter()
            .find(|person| person.role == Role::Cashier && person.active)
            .expect("a sample shop has a cashier")
            .id;
        let desk_dice = dice(plan.seed, "cashier", 0);
        let mut street = Street {
            desk: Desk::new(identity, cashier, policy.version, desk_dice),
            members: books.oracle.books.owed.keys().copied().collect(),
            people: dice(plan.seed, "people", 0),
            fate: dice(plan.seed, "fate", 0),
            way: dice(plan.seed, "way", 0),
            plan: plan.clone(),
            sky,
            authority,
            bank,
            books,
            policy,
            agenda: BTreeMap::new(),
            planned: 0,
            looked_at: now,
            news_at: now,
            intents: BTreeMap::new(),
            paid_back: BTreeSet::new(),
            codes: BTreeMap::new(),
            contracts,
            report: PaymentReport::default(),
        };
        street.take(turned)?;
        let fact = street.desk.open_shift(now);
        street.do_and_push(fact)?;
        Ok(street)
    }

    /// Now.
    pub fn now(&self) -> Timestamp {
        self.sky.now()
    }

    /// What the run brought so far.
    pub fn report(&self) -> PaymentReport {
        let mut report = self.report.clone();
        report.calls = self.bank.calls();
        report.orders = self.books.orders.len() as u64;
        report.attempts = self.books.attempts.len() as u64;
        report
    }

    /// Lives through every day, and audits the books on every third and the last.
    pub fn live(&mut self) -> Step {
        for today in 0..self.plan.days {
            self.plan_day(today);
            self.run_until(day(today) + OPEN)?;
            let is_last = today + 1 == self.plan.days;
            if is_last || today % 3 == 2 {
                self.audit()?;
            }
            self.run_until(day(today + 1))?;
            self.report.days += 1;
        }
        self.report.digest = self.books.digest();
        Ok(())
    }

    fn plan_day(&mut self, today: u32) {
        let morning = day(today);
        for _ in 0..self.plan.visits {
            let at = morning + Millis(self.people.random_range(0..OPEN.0));
            self.at(at, Event::Visit);
        }
        let mishaps: Vec<Mishap> = rates::each(&MISHAPS, &mut self.fate)
            .map(|(_, mishap)| mishap)
            .collect();
        for mishap in mishaps {
            let at = morning + Millis(self.fate.random_range(0..OPEN.0));
            self.at(at, Event::Mishap(mishap));
        }
    }

    fn at(&mut self, at: Timestamp, event: Event) {
        self.planned += 1;
        self.agenda.insert((at, self.planned), event);
    }

    pub(super) fn within(&mut self, least_s: i64, most_s: i64, event: Event) {
        let span = Millis(self.people.random_range(least_s * 1_000..most_s * 1_000));
        self.at(self.now() + span, event);
    }

    pub(super) fn count(&mut self, name: &'static str) {
        *self.report.happened.entry(name).or_default() += 1;
    }

    /// Works off what happens up to `end`.
    fn run_until(&mut self, end: Timestamp) -> Step {
        loop {
            let planned = self.agenda.keys().next().map(|(at, _)| *at);
            let notice = self
                .bank
                .simulator
                .with(|gateway, _| gateway.next_event_at());
            let next = [planned, notice, self.next_look()]
                .into_iter()
                .flatten()
                .min();
            let Some(next) = next.filter(|next| *next <= end) else {
                self.sky.set(end);
                return Ok(());
            };
            self.sky.set(next);
            self.deliver_notices()?;
            while let Some(due) = self.agenda.first_entry()
                && due.key().0 <= self.sky.now()
            {
                let event = due.remove();
                self.happen(event)?;
            }
            self.push()?;
            self.look()?;
        }
    }

    fn next_look(&self) -> Option<Timestamp> {
        if self.books.has_open_attempts() || self.desk.waits() {
            return Some(self.looked_at + LOOK_EVERY);
        }
        let next = self.looked_at + LOOK_LATE_EVERY;
        (next < self.news_at + WATCHED_FOR).then_some(next)
    }

    pub(super) fn look(&mut self) -> Step {
        self.looked_at = self.now();
        let turned = self.authority.settle()?;
        self.take(turned)
    }

    fn happen(&mut self, event: Event) -> Step {
        match event {
            Event::Visit => self.visit(),
            Event::Phone(attempt) => self.phone(attempt),
            Event::Scan(attempt, left) => self.scan(attempt, left),
            Event::Confirm(attempt) => {
                self.confirm(attempt);
                Ok(())
            }
            Event::Charge(order) => self.charge(order),
            Event::Ask(attempt, left) => self.ask(attempt, left),
            Event::Cancel(order) => {
                let fact = self.desk.cancel(order, self.now());
                self.do_and_push(fact)
            }
            Event::Mishap(mishap) => {
                self.befall(mishap);
                Ok(())
            }
            Event::LineWell => {
                self.bank.set_line(LineState::Well);
                Ok(())
            }
            Event::ServerUp => self.server_up(),
        }
    }

    fn befall(&mut self, mishap: Mishap) {
        let name = MISHAPS.iter().find(|(.., each)| *each == mishap);
        self.count(name.map_or("", |(_, name, _)| name));
        let span = Millis(self.fate.random_range(20_000..OUTAGE_MOST.0));
        match mishap {
            Mishap::NoLine | Mishap::NoAnswers => {
                let state = match mishap {
                    Mishap::NoLine => LineState::Cut,
                    _ => LineState::Silent,
                };
                self.bank.set_line(state);
                self.at(self.now() + span, Event::LineWell);
            }
            Mishap::ServerDies => {
                let side = match self.fate.random_range(0..2) {
                    0 => Side::Before,
                    _ => Side::After,
                };
                let writes = self.fate.random_range(1..6);
                if let Some(ledger) = self.authority.ledger() {
                    ledger.trap.set(writes, side);
                }
            }
            // Bare keys are changed by agreement; only certificates are found by themselves.
            Mishap::NewKeys if self.contracts == Contracts::Certificates => {
                self.bank.simulator.with(Gateway::renew_keys);
            }
            Mishap::NewKeys => {}
            Mishap::StaffAct => {
                for _ in 0..self.bank.settle_stuck_refunds() {
                    self.count("refund that was stuck, done by staff");
                }
            }
        }
    }

    pub(super) fn do_and_push(&mut self, fact: Fact) -> Step {
        self.books.oracle.did(fact);
        self.push()
    }

    /// Pushes what is not answered; while the server is off it waits.
    fn push(&mut self) -> Step {
        if !self.desk.waits() {
            return Ok(());
        }
        match self.call(self.desk.push())? {
            Some(answer) => self.desk.take(&answer),
            None => Ok(()),
        }
    }

    pub(super) fn call(&mut self, request: http::Request<bytes::Bytes>) -> Step<Option<Answered>> {
        let (answer, turned) = self.authority.call(request);
        self.take(turned)?;
        Ok(answer)
    }

    fn deliver_notices(&mut self) -> Step {
        for delivery in self.bank.simulator.with(Gateway::due_notices) {
            let wanted = delivery.request.extensions().get().copied();
            let wanted = wanted.unwrap_or(Acknowledgement::Status);
            let answer = self.call(delivery.request)?;
            let is_taken = answer.is_some_and(|answer| wanted.is_met_by(&answer));
            self.count(match is_taken {
                true => "notice taken",
                false => "notice not taken",
            });
            self.bank
                .simulator
                .with(|gateway, now| gateway.delivered(delivery.id, is_taken, now));
        }
        Ok(())
    }

    /// Hears what was written, and lets people act on it.
    fn take(&mut self, turned: Turned) -> Step {
        let now = self.now();
        let mut heard = Heard::default();
        for batch in &turned.tape {
            let news = self.books.hear(batch, &self.bank, now)?;
            heard.begun.extend(news.begun);
            heard.unpaid.extend(news.unpaid);
            heard.reviews.extend(news.reviews);
            self.news_at = now;
        }
        if turned.died {
            self.authority.die()?;
            let span = Millis::seconds(self.fate.random_range(1..300));
            self.at(now + span, Event::ServerUp);
        }
        heard.begun.iter().for_each(|attempt| self.attend(attempt));
        // Nobody in this shop reviews anything: what would have to wait is given up.
        for order in heard.reviews {
            self.count("order that needs a review, given up");
            self.within(1, 60, Event::Cancel(order));
        }
        for attempt in heard.unpaid {
            if self.people.random_range(0..1_000) < FOLLOWS {
                self.count("another attempt after one that ended unpaid");
                self.within(1, 30, Event::Charge(attempt.order));
            }
        }
        Ok(())
    }

    fn server_up(&mut self) -> Step {
        if self.authority.is_up() {
            return Ok(());
        }
        self.authority.equip(self.bank.channels()?);
        self.authority.start()?;
        let head = self.authority.head()?.map(|head| head.server_seq);
        let written = self.books.oracle.books.log.len() as u64;
        must(head == Some(written), Invariant::NothingLost, || {
            format!("after a crash the log ends at {head:?}, {written} were written")
        })
    }

    /// Makes everything well, waits, and holds the books against the gateways.
    fn audit(&mut self) -> Step {
        self.bank.heal();
        self.server_up()?;
        if let Some(ledger) = self.authority.ledger() {
            ledger.trap.clear();
        }
        self.news_at = self.now() + WELL_FOR;
        self.run_until(self.now() + WELL_FOR)?;
        let Some(ledger) = self.authority.ledger().map(Arc::clone) else {
            let detail = "the server does not stay up".to_owned();
            return Err(Halt::Violated(Invariant::KeepsWorking, detail));
        };
        let ends = self.books.audit(
            &ledger,
            self.authority.tenant(),
            &self.bank,
            &self.paid_back,
        )?;
        let count = |(end, count): (&End, &u64)| (end.words(), *count);
        self.report.ends = ends.iter().map(count).collect();
        self.authority.replayed_digest()?;
        Ok(())
    }
}
