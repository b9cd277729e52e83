//! The world: what happens next, and to whom.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use futures::channel::mpsc::UnboundedSender;
use qiantai_core::ids::MemberId;
use qiantai_core::operation::Cursor;
use qiantai_core::risk_floor::RiskFloor;
use qiantai_core::{Millis, Timestamp};
use qiantai_server::db::Ledger;
use qiantai_server::sample::ShopKind;
use qiantai_server::writer::OwnOperation;
use qiantai_store::SnapshotMark;
use qiantai_sync::TransportError;
use sha2::{Digest, Sha256};

use crate::authority::{Authority, Turned};
use crate::calls::Call;
use crate::dice::{Dice, dice};
use crate::halt::{Invariant, Step, must};
use crate::office::{Office, all_applied};
use crate::oracle::Oracle;
use crate::plan::Plan;
use crate::restoration::Backup;
use crate::sale::Deed;
use crate::till::Till;
use crate::time::{START, Sky};
use crate::view;
use crate::wire::{Answer, Wish};

/// Members of the shop when it opens.
const MEMBERS: usize = 12;

/// Events after which a run is taken to go in circles.
const EVENTS_MAX: u64 = 50_000_000;

/// The world of one run.
pub struct World {
    /// What will go wrong.
    pub plan: Plan,
    /// The time.
    pub sky: Arc<Sky>,
    /// The server.
    pub authority: Authority,
    /// Every terminal there ever was.
    pub tills: Vec<Till>,
    /// The terminal that stands at each place of the counter.
    pub seats: Vec<usize>,
    /// What must be in the books.
    pub oracle: Oracle,
    /// Head office.
    pub office: Office,
    /// Members known to everybody in the shop.
    pub members: Vec<MemberId>,
    /// Calls under way.
    pub calls: HashMap<u64, Call>,
    /// The terminals' ends of live events: terminal, its start, and where frames go in.
    pub streams: BTreeMap<u64, OpenEnd>,
    /// Faults in force, as places in the plan.
    pub active: BTreeSet<usize>,
    /// Disks that will be set back.
    pub copies: HashMap<usize, PathBuf>,
    /// Faults that began, by name.
    pub injected: BTreeMap<&'static str, u64>,
    /// Dice of the network.
    pub network: Dice,
    /// Dice of the shop's day.
    pub day: Dice,
    /// What happened, hashed.
    pub trace: Sha256,
    /// Deeds that became operations.
    pub deeds: u64,
    /// Messages carried.
    pub carried: u64,
    /// Head of the server's log as of the last write.
    pub head: u64,
    /// Timeline of the server's log.
    pub timeline: u32,
    /// Backups that will be restored.
    pub backups: HashMap<usize, Backup>,
    /// What head office will say again, because restored books lack it.
    pub say_again: Vec<OwnOperation>,
    /// Where the last audit stopped in the log.
    pub audited: u64,
    /// Whether everything is being made well for an audit.
    pub healing: bool,
    /// Whether the writer's turn is due.
    pub turn_is_due: bool,
    next_id: u64,
    queue: BinaryHeap<Reverse<(Timestamp, u64, Boxed)>>,
    /// Where disks lie.
    pub root: PathBuf,
}

/// A terminal's end of live events.
pub struct OpenEnd {
    /// Which terminal.
    pub till: usize,
    /// Which start of it.
    pub generation: u64,
    /// Where frames go in.
    pub sender: UnboundedSender<Result<Bytes, TransportError>>,
}

/// Something that will happen.
pub enum Happening {
    /// A terminal asked to be woken.
    Wake { till: usize, generation: u64 },
    /// A request reaches the server.
    Arrive { call: u64 },
    /// An answer reaches a terminal.
    Answer { call: u64, answer: Answer },
    /// A terminal waits no longer.
    Expire { call: u64 },
    /// A frame of live events reaches a terminal, or the end of them.
    Frame { stream: u64, bytes: Option<Bytes> },
    /// The writer writes.
    Turn,
    /// A cashier acts.
    Deed { till: usize, deed: Deed },
    /// Head office acts.
    Office,
    /// A fault begins.
    Begins(usize),
    /// A fault ends.
    Ends(usize),
    /// A terminal is switched on.
    TillUp { till: usize },
    /// The server is switched on.
    ServerUp,
    /// One more terminal joins the shop.
    Joins,
    /// Somebody types a code at a terminal whose server may have forgotten it.
    JoinsAgain { till: usize },
}

/// Orders nothing: time and number do.
struct Boxed(Happening);

impl PartialEq for Boxed {
    fn eq(&self, _: &Boxed) -> bool {
        true
    }
}
impl Eq for Boxed {}
impl PartialOrd for Boxed {
    fn partial_cmp(&self, other: &Boxed) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Boxed {
    fn cmp(&self, _: &Boxed) -> std::cmp::Ordering {
        std::cmp::Ordering::Equal
    }
}

impl World {
    /// The world of `plan` at the moment the shop opens for the first time.
    pub fn new(plan: Plan, root: &Path) -> Step<World> {
        let sky = Sky::new();
        let kinds = [ShopKind::Salon, ShopKind::Gym, ShopKind::Beauty];
        let kind = kinds[usize::try_from(plan.seed % 3).unwrap_or_default()];
        let folder = root.join("server");
        let (authority, tape) = Authority::open(&folder, &sky, kind, MEMBERS, plan.seed, plan.bug)?;
        let mut oracle = Oracle::new(authority.device);
        tape.iter().try_for_each(|batch| oracle.hear(batch))?;
        let members = oracle.books.owed.keys().copied().collect();
        let store = authority.shop.store;
        let head = oracle.books.log.len() as u64;
        let mut world = World {
            office: Office::new(dice(plan.seed, "office", 0), store, authority.server_key),
            network: dice(plan.seed, "network", 0),
            day: dice(plan.seed, "day", 0),
            sky,
            authority,
            tills: Vec::new(),
            seats: Vec::new(),
            oracle,
            members,
            calls: HashMap::new(),
            streams: BTreeMap::new(),
            active: BTreeSet::new(),
            copies: HashMap::new(),
            injected: BTreeMap::new(),
            trace: Sha256::new(),
            deeds: 0,
            carried: 0,
            head,
            timeline: 1,
            backups: HashMap::new(),
            say_again: Vec::new(),
            audited: 0,
            healing: false,
            turn_is_due: false,
            next_id: 0,
            queue: BinaryHeap::new(),
            root: root.to_owned(),
            plan,
        };
        world.risks()?;
        for _ in 0..world.plan.terminals {
            let till = world.enrol()?;
            world.seats.push(till);
        }
        for index in 0..world.plan.faults.len() {
            let at = world.plan.faults[index].at;
            world.at(at, Happening::Begins(index));
        }
        Ok(world)
    }

    /// Gives the shop the risk floor of its plan.
    fn risks(&mut self) -> Step {
        let (floor, now) = (self.plan.floor, self.now());
        self.oracle.books.leases.may_take(floor.most_per_device());
        let Some(ledger) = self
            .authority
            .ledger()
            .filter(|_| floor != RiskFloor::default())
        else {
            return Ok(());
        };
        let Some(newest) = ledger.policies(self.authority.tenant())?.pop() else {
            return Ok(());
        };
        let operation = self.office.risk(&newest, floor, now);
        let (said, turned) = self.authority.say(vec![operation])?;
        self.take(turned)?;
        let is_said = said.as_deref().is_some_and(all_applied);
        must(is_said, Invariant::KeepsWorking, || {
            "the risk floor was not published".to_owned()
        })
    }

    /// Now, in true time.
    pub fn now(&self) -> Timestamp {
        self.sky.now()
    }

    /// Where the server's log ends.
    pub fn mark(&self) -> Cursor {
        Cursor {
            timeline: self.timeline,
            server_seq: self.head,
        }
    }

    /// A number that nothing else has.
    pub fn number(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id
    }

    /// Lets something happen at a time.
    pub fn at(&mut self, at: Timestamp, happening: Happening) {
        let number = self.number();
        self.queue.push(Reverse((at, number, Boxed(happening))));
    }

    /// Lets something happen after a while.
    pub fn after(&mut self, span: Millis, happening: Happening) {
        self.at(self.now() + span, happening);
    }

    /// Works off what happens until `end`, or until `done`.
    pub fn run_until(
        &mut self,
        end: Timestamp,
        mut done: impl FnMut(&World) -> bool,
    ) -> Step<bool> {
        while !done(self) {
            let Some(Reverse((at, _, _))) = self.queue.peek() else {
                break;
            };
            if *at > end {
                break;
            }
            let Some(Reverse((at, number, Boxed(happening)))) = self.queue.pop() else {
                break;
            };
            let is_wake = matches!(happening, Happening::Wake { .. });
            if is_wake && at > self.now() + Millis::seconds(2) && self.is_calm() {
                self.sleep_until(end);
                let later = self.now().max(at);
                self.queue.push(Reverse((later, number, Boxed(happening))));
                continue;
            }
            self.sky.set(at);
            must(number < EVENTS_MAX, Invariant::KeepsWorking, || {
                "the run goes in circles".to_owned()
            })?;
            self.happen(happening)?;
        }
        let is_done = done(self);
        if !is_done {
            self.sky.set(end);
        }
        Ok(is_done)
    }

    /// While nobody has anything to tell anybody, polls find nothing: every machine sleeps until
    /// something happens.
    fn sleep_until(&mut self, end: Timestamp) {
        let is_event = |item: &&Reverse<(Timestamp, u64, Boxed)>| match &item.0.2.0 {
            Happening::Wake { .. } => false,
            Happening::Expire { call } => self.calls.get(call).is_some_and(Call::is_awaited),
            _ => true,
        };
        let next = self
            .queue
            .iter()
            .filter(is_event)
            .map(|item| item.0.0)
            .min();
        self.sky.set(next.unwrap_or(end).min(end));
    }

    /// Whether nothing can move before the next event that is no poll.
    fn is_calm(&self) -> bool {
        let is_quiet = |(index, till): (usize, &Till)| {
            till.running.is_none()
                || self.is_cut(index)
                || till.is_settled(self.mark())
                || till.is_stopped()
                || !self.healing && self.is_stuck(till)
        };
        let nobody_waits = !self.turn_is_due && !self.calls.values().any(Call::is_awaited);
        nobody_waits && self.tills.iter().enumerate().all(is_quiet)
    }

    /// Whether only the end of a fault lets a terminal go on.
    fn is_stuck(&self, till: &Till) -> bool {
        let is_at_head = till.is_at(self.mark());
        !self.authority.is_up() || till.disk_full || is_at_head && self.authority.is_disk_full()
    }

    fn happen(&mut self, happening: Happening) -> Step {
        self.note(&happening);
        match happening {
            Happening::Wake { till, generation } => match self.is_running(till, generation) {
                true => self.poll(till),
                false => Ok(()),
            },
            Happening::Arrive { call } => self.arrive(call),
            Happening::Answer { call, answer } => self.answer(call, answer),
            Happening::Expire { call } => self.answer(call, Err(TransportError::Timeout)),
            Happening::Frame { stream, bytes } => self.frame(stream, bytes),
            Happening::Turn => self.turn(),
            Happening::Deed { till, deed } => self.deed(till, deed),
            Happening::Office => self.office_acts(),
            Happening::Begins(fault) => self.begin(fault),
            Happening::Ends(fault) => self.end(fault),
            Happening::TillUp { till } => self.till_up(till),
            Happening::ServerUp => self.server_up(),
            Happening::Joins => self.joins(),
            Happening::JoinsAgain { till } => self.joins_again(till),
        }
    }

    fn note(&mut self, happening: &Happening) {
        let (kind, whom) = match happening {
            Happening::Wake { till, .. } => (0, *till as u64),
            Happening::Arrive { call } => (1, *call),
            Happening::Answer { call, .. } => (2, *call),
            Happening::Expire { call } => (3, *call),
            Happening::Frame { stream, .. } => (4, *stream),
            Happening::Turn => (5, 0),
            Happening::Deed { till, .. } => (6, *till as u64),
            Happening::Office => (7, 0),
            Happening::Begins(fault) => (8, *fault as u64),
            Happening::Ends(fault) => (9, *fault as u64),
            Happening::TillUp { till } => (10, *till as u64),
            Happening::ServerUp => (11, 0),
            Happening::Joins => (12, 0),
            Happening::JoinsAgain { till } => (13, *till as u64),
        };
        self.trace.update(self.now().ms().to_be_bytes());
        self.trace.update([kind]);
        self.trace.update(whom.to_be_bytes());
    }

    /// Whether a terminal still runs as it did then.
    pub fn is_running(&self, till: usize, generation: u64) -> bool {
        let till = &self.tills[till];
        till.running.is_some() && till.generation == generation
    }

    /// Lets a terminal do what it can, carries its wishes, and checks what it shows.
    pub fn poll(&mut self, till: usize) -> Step {
        let before = self.tills[till].position();
        let wishes = self.tills[till].poll()?;
        if self.tills[till].has_died() {
            return self.till_down(till, Millis::minutes(1));
        }
        for wish in wishes {
            match wish {
                Wish::Call(request, sender) => self.send(till, request, sender),
                Wish::Stream(request, sender) => self.connect(till, request, sender)?,
                Wish::Wake(at) => {
                    let generation = self.tills[till].generation;
                    self.at(at, Happening::Wake { till, generation });
                }
            }
        }
        if self.tills[till].position() != before {
            self.follow_timeline(till)?;
            self.check_shown(till)?;
        }
        Ok(())
    }

    /// The writer writes; answers go out, live events are told.
    pub fn turn(&mut self) -> Step {
        self.turn_is_due = false;
        let turned = self.authority.turn();
        self.take(turned)
    }

    /// Takes what a turn of the writer brought.
    pub fn take(&mut self, turned: Turned) -> Step {
        for batch in &turned.tape {
            self.oracle.hear(batch)?;
        }
        if turned.died {
            return self.server_down(Millis::minutes(1));
        }
        for (call, answered) in turned.answers {
            self.send_back(call, answered);
        }
        if !turned.tape.is_empty() {
            self.check_head()?;
        }
        self.tell_frames();
        Ok(())
    }

    fn check_head(&mut self) -> Step {
        self.head = self.oracle.books.log.len() as u64;
        if let Some(head) = self.authority.head()? {
            must(head.server_seq == self.head, Invariant::NothingLost, || {
                format!(
                    "the log ends at {}, {} were answered",
                    head.server_seq, self.head
                )
            })?;
        }
        Ok(())
    }

    /// What a terminal shows of the members that its open operations concern, and of one more.
    pub fn check_shown(&mut self, till: usize) -> Step {
        let (device, doubtful) = {
            let till = &self.tills[till];
            (till.identity.device, till.doubtful)
        };
        let Some(running) = self.tills[till].running.as_mut().filter(|_| !doubtful) else {
            return Ok(());
        };
        let store = Arc::clone(&running.store);
        let mark = store.sync_mark()?;
        let Some(cursor) = mark.cursor else {
            return Ok(());
        };
        // Rows of two timelines lie side by side until the new one is known whole.
        let is_between = |snapshot: SnapshotMark| snapshot.at.timeline != cursor.timeline;
        if mark.snapshot.is_some_and(is_between) {
            return Ok(());
        }
        let books = self.oracle.at(cursor.timeline);
        if running.policies.len() != books.rules_at(cursor.server_seq) {
            running.policies = store.policies()?;
        }
        let open = view::open(&store)?;
        let mut members: BTreeSet<MemberId> =
            open.iter().filter_map(|open| open.row.member).collect();
        members.extend(books.touched_by(cursor.server_seq));
        for member in members {
            let till = &self.tills[till];
            let Some(running) = &till.running else {
                break;
            };
            let known = view::Known::of(&store, member)?;
            if !known.is_explained() || !self.oracle.is_shown_exactly(member, device, cursor) {
                continue;
            }
            let shown = known.shown_principal(&store, &running.policies, device, &open)?;
            let owed = self.oracle.shown(member, device, cursor);
            must(shown == owed, Invariant::OverlayExact, || {
                let (timeline, place) = (cursor.timeline, cursor.server_seq);
                format!("{device} shows {shown} of {member} at {timeline}/{place}, not {owed}")
            })?;
        }
        Ok(())
    }

    /// Adds a terminal with the disk of another.
    pub fn add_clone(&mut self, original: usize) -> Step<usize> {
        let number = self.tills.len();
        let copy = self.tills[original].copy_disk()?;
        let root = self.root.join(format!("till-{number}"));
        let dice = dice(self.plan.seed, "cashier", number as u64);
        let identity = self.tills[original].identity.clone();
        let mut till = Till::new(identity, &root, &self.sky, dice, self.plan.bug)?;
        till.put_disk(&copy)?;
        till.drawer = self.tills[original].drawer.clone();
        till.doubtful = true;
        self.tills.push(till);
        self.till_up(number)?;
        Ok(number)
    }

    /// SHA-256 over what happened and where everything ended.
    pub fn digest(&mut self) -> Step<String> {
        let mut hash = self.trace.clone();
        hash.update(self.authority.replayed_digest()?);
        for till in &self.tills {
            if let Some(running) = &till.running {
                let head = running.store.log_head()?;
                hash.update(head.device_seq.to_be_bytes());
                hash.update(head.hash);
            }
        }
        Ok(hex::encode(hash.finalize()))
    }
}

/// The moment `days` after the beginning.
pub fn day(days: u32) -> Timestamp {
    START + Millis::days(i64::from(days))
}
