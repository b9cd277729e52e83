//! The shop's days: who does what next.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use qiantai_core::attempt::{Channel, PaymentAttempt};
use qiantai_core::ids::{AttemptId, MemberId, OrderId};
use qiantai_core::policy::{Policy, Role};
use qiantai_core::recharge::OrderState;
use qiantai_core::{Millis, Money, Timestamp};
use qiantai_paysim::Gateway;
use qiantai_paysim::gateway::{Acknowledgement, AnswerRule, NoticeRule, Operation, PhoneAction};
use qiantai_server::db::Ledger;
use qiantai_server::sample::ShopKind;
use rand::RngExt;

use super::bank::{Bank, Contracts, LineState};
use super::books::{Books, End, Heard};
use super::desk::Desk;
use super::rates::{
    self, CALLS, CASHIERS, CUSTOMERS, Customer, FOLLOWS, FUNDS_SHORT, Impatience, MISHAPS, Mishap,
    NOTICES, OUTAGE_MOST, Rate, SPOILT,
};
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

/// Before the customer has the phone out, and before a cashier acts, in seconds.
const SLOWEST_S: i64 = 240;

/// The shop with everybody in it.
pub struct Street {
    plan: PaymentPlan,
    sky: Arc<Sky>,
    authority: Authority,
    bank: Bank,
    desk: Desk,
    books: Books,
    members: Vec<MemberId>,
    policy: Arc<Policy>,
    agenda: BTreeMap<(Timestamp, u64), Event>,
    planned: u64,
    looked_at: Timestamp,
    news_at: Timestamp,
    /// Each attempt's customer.
    intents: BTreeMap<AttemptId, Customer>,
    people: Dice,
    fate: Dice,
    contracts: Contracts,
    report: PaymentReport,
}

enum Event {
    Visit,
    Phone(AttemptId),
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
        let mut office = Office::new(dice(plan.seed, "office", 0), authority.shop.store);
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
            members: books.oracle.owed.keys().copied().collect(),
            people: dice(plan.seed, "people", 0),
            fate: dice(plan.seed, "fate", 0),
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

    fn within(&mut self, least_s: i64, most_s: i64, event: Event) {
        let span = Millis(self.people.random_range(least_s * 1_000..most_s * 1_000));
        self.at(self.now() + span, event);
    }

    fn count(&mut self, name: &'static str) {
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

    fn look(&mut self) -> Step {
        self.looked_at = self.now();
        let turned = self.authority.settle()?;
        self.take(turned)
    }

    fn happen(&mut self, event: Event) -> Step {
        match event {
            Event::Visit => self.visit(),
            Event::Phone(attempt) => {
                self.phone(attempt);
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

    /// A member comes to top up.
    fn visit(&mut self) -> Step {
        let member = self.members[self.people.random_range(0..self.members.len())];
        let (choice, question) = self.desk.ask_price(member, &self.policy.fixed_amounts);
        let Some(answer) = self.call(question)? else {
            self.count("visit while the server is off");
            return Ok(());
        };
        let now = self.now();
        let Some((open, fact)) = self.desk.open_order(member, choice, &answer, now)? else {
            return Ok(());
        };
        self.do_and_push(fact)?;
        self.begin(open.order, open.quote.pay)?;
        let wishes: Vec<_> = rates::each(&CASHIERS, &mut self.people).collect();
        for (name, wish) in wishes {
            self.count(name);
            match wish {
                Impatience::ChargesAgain => self.within(1, SLOWEST_S, Event::Charge(open.order)),
                Impatience::Cancels => self.within(5, 2 * SLOWEST_S, Event::Cancel(open.order)),
                Impatience::Asks => {
                    let attempt = self.books.attempts.values();
                    let attempt = attempt.filter(|attempt| attempt.order == open.order);
                    let first = attempt.map(|attempt| attempt.id).next();
                    if let Some(attempt) = first {
                        self.within(1, 20, Event::Ask(attempt, 8));
                    }
                }
            }
        }
        Ok(())
    }

    /// Another attempt for an order, whatever became of those before.
    fn charge(&mut self, order: OrderId) -> Step {
        let Some(known) = self.books.orders.get(&order) else {
            return Ok(());
        };
        let (amount, is_waiting) = (known.quote.pay, known.state == OrderState::PendingPayment);
        let was_open = self
            .books
            .attempts
            .values()
            .any(|attempt| attempt.order == order && attempt.state.is_open());
        let before = self.books.attempts.len();
        self.begin(order, amount)?;
        let is_refused = self.books.attempts.len() == before;
        if is_waiting && was_open && is_refused {
            self.count("second charge refused while the first was open");
        }
        Ok(())
    }

    fn begin(&mut self, order: OrderId, amount: Money) -> Step {
        let channel = match self.people.random_range(0..100) {
            0..50 => Channel::Wechat,
            50..84 => Channel::Alipay,
            84..98 => Channel::Unionpay,
            // Offered by the shop's rules, and behind no gateway.
            _ => Channel::Ecny,
        };
        let now = self.now();
        let (attempt_no, fact) = self.desk.charge(order, amount, channel, now);
        self.spoil(&attempt_no);
        self.do_and_push(fact)?;
        self.look()
    }

    /// What will go wrong about an attempt.
    fn spoil(&mut self, attempt_no: &str) {
        for operation in SPOILT {
            let fault = rates::pick(&CALLS, &mut self.fate);
            let times = self.fate.random_range(1..3);
            self.spoil_answers(attempt_no, operation, fault, times);
        }
        let short: [Rate<_>; 1] = [FUNDS_SHORT];
        let fault = rates::pick(&short, &mut self.fate);
        self.spoil_answers(attempt_no, Operation::Refund, fault, 2);
        if let Some((name, fault)) = rates::pick(&NOTICES, &mut self.fate) {
            self.count(name);
            self.bank.spoil_notices(NoticeRule {
                attempt_no: Some(attempt_no.to_owned()),
                fault,
                times: None,
            });
        }
    }

    fn spoil_answers(
        &mut self,
        attempt_no: &str,
        operation: Operation,
        fault: Option<(&'static str, qiantai_paysim::gateway::AnswerFault)>,
        times: u32,
    ) {
        if let Some((name, fault)) = fault {
            self.count(name);
            self.bank.spoil(AnswerRule {
                attempt_no: Some(attempt_no.to_owned()),
                operation: Some(operation),
                fault,
                times: Some(times),
            });
        }
    }

    /// The customer acts, once there is a code to scan.
    fn phone(&mut self, attempt: AttemptId) {
        let (Some(known), Some(intent)) = (
            self.books.attempts.get(&attempt),
            self.intents.get(&attempt),
        ) else {
            return;
        };
        let Some(payload) = known.qr_payload.clone() else {
            if known.state.is_open() {
                self.within(2, 6, Event::Phone(attempt));
            }
            return;
        };
        let decline = PhoneAction::Decline {
            cause: "BALANCE_SHORT".to_owned(),
        };
        let action = match intent {
            Customer::Pays => PhoneAction::Pay,
            Customer::PaysUnnoticed => PhoneAction::PayWithoutNotice,
            Customer::IsDeclined => decline,
            Customer::IsDeclinedThenPays => {
                self.intents.insert(attempt, Customer::Pays);
                self.within(2, 40, Event::Phone(attempt));
                decline
            }
            Customer::Looks => {
                // A code that is over does not open, which is what the customer sees.
                let _closed = self.bank.scan(&payload);
                PhoneAction::Ignore
            }
            Customer::Leaves => return,
            Customer::PaysLate => PhoneAction::PayLate,
            Customer::PaysTwice => PhoneAction::PayTwice,
            Customer::PaysAmountOff => PhoneAction::PayAmountOff,
            Customer::IsImpersonated => PhoneAction::ForgeNotice,
        };
        if self.bank.act(&payload, &action).is_err() {
            self.count("code that was over");
        }
    }

    /// The cashier asks, and again while the attempt is open.
    fn ask(&mut self, attempt: AttemptId, left: u32) -> Step {
        let is_open = self
            .books
            .attempts
            .get(&attempt)
            .is_some_and(|attempt| attempt.state.is_open());
        if is_open {
            self.call(self.desk.ask(attempt))?;
            if left > 0 {
                self.within(2, 4, Event::Ask(attempt, left - 1));
            }
        }
        Ok(())
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
        }
    }

    fn do_and_push(&mut self, fact: Fact) -> Step {
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

    fn call(&mut self, request: http::Request<bytes::Bytes>) -> Step<Option<Answered>> {
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

    fn attend(&mut self, attempt: &PaymentAttempt) {
        let (name, customer) =
            rates::pick(&CUSTOMERS, &mut self.people).unwrap_or(("never scans", Customer::Leaves));
        self.count(name);
        self.intents.insert(attempt.id, customer);
        self.within(2, SLOWEST_S, Event::Phone(attempt.id));
    }

    fn server_up(&mut self) -> Step {
        if self.authority.is_up() {
            return Ok(());
        }
        self.authority.equip(self.bank.channels()?);
        self.authority.start()?;
        let head = self.authority.head()?.map(|head| head.server_seq);
        let written = self.books.oracle.log.len() as u64;
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
        let ends = self
            .books
            .audit(&ledger, self.authority.tenant(), &self.bank)?;
        let count = |(end, count): (&End, &u64)| (end.words(), *count);
        self.report.ends = ends.iter().map(count).collect();
        self.authority.replayed_digest()?;
        Ok(())
    }
}
