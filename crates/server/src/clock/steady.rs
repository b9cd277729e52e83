//! The time of the books, told by a machine whose clock may be wrong (docs: adr 52). It never goes
//! back, and runs on with what the machine counts since it was started, whatever its clock shows.

use std::sync::{Arc, Mutex, PoisonError};

use qiantai_core::{Millis, Timestamp};

use super::{Clock, SystemClock};

/// A clock may be set by so much and is followed: corrections from the network are smaller.
const STEP: Millis = Millis::minutes(5);

/// A clock that leapt ahead is followed once it has shown the same for so long.
const HELD: Millis = Millis::minutes(10);

/// The same, where it leapt further than [`FAR`], or than [`ABSENCE`] at the start.
const HELD_LONG: Millis = Millis::hours(24);

/// Further than this no running machine was asleep.
const FAR: Millis = Millis::days(7);

/// So long a shop may have been closed.
pub(crate) const ABSENCE: Millis = Millis::days(3 * 365);

/// By so much the time is slowed until the clock has caught up; a clock further behind is broken.
const BEHIND: Millis = Millis::days(1);

/// No books are older: 2026-01-01.
const EARLIEST: Timestamp = Timestamp::from_ms(1_767_225_600_000);

/// What a machine counts since some moment, asleep or not.
type Running = Box<dyn Fn() -> Millis + Send + Sync>;

/// A clock that is followed in small steps, and doubted in large ones.
pub struct SteadyClock {
    wall: Arc<dyn Clock>,
    running: Running,
    pace: Mutex<Pace>,
    is_believed: bool,
}

impl SteadyClock {
    /// The machine's clock.
    pub fn of_machine() -> SteadyClock {
        SteadyClock::of(Arc::new(SystemClock), running_of_machine())
    }

    /// The same; believed where somebody has looked at it and says that it is right, also where it
    /// is behind the books.
    #[must_use]
    pub fn believed_if(self, is_believed: bool) -> SteadyClock {
        SteadyClock {
            is_believed,
            ..self
        }
    }

    /// A clock beside what counts on, for tests.
    pub fn of(wall: Arc<dyn Clock>, running: Running) -> SteadyClock {
        let pace = Pace::begun(wall.now().max(EARLIEST), running());
        SteadyClock {
            wall,
            running,
            pace: Mutex::new(pace),
            is_believed: false,
        }
    }

    fn pace(&self) -> std::sync::MutexGuard<'_, Pace> {
        self.pace.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Clock for SteadyClock {
    fn now(&self) -> Timestamp {
        let mut pace = self.pace();
        let was_doubted = pace.doubt.is_some();
        // Read while nobody else reads: both counts only grow.
        let wall = self.wall.now();
        let told = pace.read(wall, (self.running)());
        let is_doubted = pace.doubt.is_some();
        drop(pace);
        match (was_doubted, is_doubted) {
            (false, true) => tracing::error!(
                clock = %wall,
                books = %told,
                "the clock of this machine leapt, or is far from the books: it is not followed \
                 yet; set it, or see the README of the packaging"
            ),
            (true, false) => {
                tracing::warn!(clock = %wall, "the clock of this machine is followed again")
            }
            _ => {}
        }
        told
    }

    fn begin_after(&self, newest: Option<Timestamp>) {
        let begins = match newest {
            Some(newest) if !self.is_believed => newest,
            // Nothing was decided that could come after it.
            None | Some(_) => return,
        };
        *self.pace() = Pace::begun(begins, (self.running)());
    }

    fn catch_up(&self, newest: Timestamp) {
        let now = self.now();
        let mut pace = self.pace();
        if !self.is_believed && newest > now.max(pace.told) {
            pace.go_on_from(newest, (self.running)());
        }
    }

    fn is_believed(&self) -> bool {
        self.is_believed
    }

    fn doubted(&self) -> Option<Millis> {
        let told = self.now();
        let is_doubted = self.pace().doubt.is_some();
        is_doubted.then(|| self.wall.now() - told)
    }
}

/// Linux stops its other counts while the machine sleeps.
#[cfg(target_os = "linux")]
fn running_of_machine() -> Running {
    use rustix::time::{ClockId, clock_gettime};
    Box::new(|| {
        let since_boot = clock_gettime(ClockId::Boottime);
        Millis(since_boot.tv_sec * 1_000 + since_boot.tv_nsec / 1_000_000)
    })
}

#[cfg(not(target_os = "linux"))]
fn running_of_machine() -> Running {
    let begun = std::time::Instant::now();
    Box::new(move || Millis(i64::try_from(begun.elapsed().as_millis()).unwrap_or(i64::MAX)))
}

/// Where the time stands.
struct Pace {
    told: Timestamp,
    /// What the machine had counted then.
    at: Millis,
    /// Half a millisecond, where the time is slowed: 1 or 0.
    half: i64,
    /// False while only the books say what time it is.
    is_confirmed: bool,
    doubt: Option<Doubt>,
}

/// The clock shows something else.
#[derive(Clone, Copy)]
struct Doubt {
    /// What the machine had counted when it began.
    since: Millis,
    /// The clock without what the machine counts: the same as long as the clock holds.
    shows: Timestamp,
}

/// What becomes of a reading.
enum Heed {
    Follow,
    Slow,
    RunOn,
}

impl Pace {
    fn begun(told: Timestamp, at: Millis) -> Pace {
        Pace {
            told,
            at,
            half: 0,
            is_confirmed: false,
            doubt: None,
        }
    }

    /// What the clock has shown until now stays believed or doubted.
    fn go_on_from(&mut self, told: Timestamp, at: Millis) {
        (self.told, self.at, self.half) = (told, at, 0);
    }

    fn read(&mut self, wall: Timestamp, running: Millis) -> Timestamp {
        let elapsed = Millis((running.0 - self.at.0).max(0));
        let run_on = self.told + elapsed;
        // Whoever is read each millisecond goes on as well.
        let halves = elapsed.0 + self.half;
        let slowed = self.told + Millis(halves / 2);
        (self.told, self.half) = match self.heed(wall, wall - run_on, running) {
            Heed::Follow => (wall, 0),
            Heed::Slow => (slowed.max(wall), halves % 2),
            Heed::RunOn => (run_on, 0),
        };
        self.at = running;
        self.told
    }

    fn heed(&mut self, wall: Timestamp, ahead: Millis, running: Millis) -> Heed {
        let at_once = if self.is_confirmed { STEP } else { ABSENCE };
        if (-STEP.0..=at_once.0).contains(&ahead.0) {
            self.is_confirmed = true;
            self.doubt = None;
            return if ahead.0 < 0 {
                Heed::Slow
            } else {
                Heed::Follow
            };
        }
        let since = self.doubted_since(wall - running, running);
        if ahead.0 < 0 {
            let is_broken = ahead.0 < -BEHIND.0;
            return if is_broken { Heed::RunOn } else { Heed::Slow };
        }
        let held = match self.is_confirmed && ahead <= FAR {
            true => HELD,
            false => HELD_LONG,
        };
        if running.0 - since.0 < held.0 {
            return Heed::RunOn;
        }
        self.is_confirmed = true;
        self.doubt = None;
        Heed::Follow
    }

    /// Since when the clock has shown this.
    fn doubted_since(&mut self, shows: Timestamp, running: Millis) -> Millis {
        let same = self
            .doubt
            .filter(|doubt| (shows - doubt.shows).0.abs() <= STEP.0);
        let doubt = same.unwrap_or(Doubt {
            since: running,
            shows,
        });
        self.doubt = Some(doubt);
        doubt.since
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-21 14:00 in China.
    const START: Timestamp = Timestamp::from_ms(1_795_240_800_000);

    /// 2099-01-01.
    const FUTURE: Timestamp = Timestamp::from_ms(4_070_908_800_000);

    const SECOND: Millis = Millis::seconds(1);
    const MINUTE: Millis = Millis::minutes(1);
    const ALMOST_HELD: Millis = Millis(HELD.0 - SECOND.0);

    /// A machine: what its clock shows, and what it counts.
    struct Machine {
        wall: Timestamp,
        running: Millis,
        pace: Pace,
    }

    impl Machine {
        /// Started while its clock shows `wall` and the books end at `newest`.
        fn started(wall: Timestamp, newest: Timestamp) -> Machine {
            let running = Millis(7_000);
            let pace = Pace::begun(newest, running);
            Machine {
                wall,
                running,
                pace,
            }
        }

        fn right() -> Machine {
            let mut machine = Machine::started(START, START - Millis::hours(14));
            assert_eq!(machine.told(), START);
            machine
        }

        fn told(&mut self) -> Timestamp {
            self.pace.read(self.wall, self.running)
        }

        /// Its clock and its count go on, and it is read every second, or every minute of hours.
        fn pass(&mut self, span: Millis) -> Timestamp {
            let end = self.running.0 + span.0;
            let beat = if span.0 > Millis::hours(1).0 {
                MINUTE
            } else {
                SECOND
            };
            while self.running.0 < end {
                self.running = Millis(self.running.0 + beat.0);
                self.wall = self.wall + beat;
                let before = self.pace.told;
                assert!(self.told() >= before, "never back");
            }
            self.pace.told
        }
    }

    #[test]
    fn a_second_in_2099_is_not_followed() {
        let mut machine = Machine::right();
        let right = machine.wall;
        machine.wall = FUTURE;
        assert_eq!(machine.told(), right);
        machine.pass(SECOND);
        assert!(machine.pace.doubt.is_some());
        machine.wall = right + SECOND;
        assert_eq!(machine.told(), right + SECOND);
        assert!(machine.pace.doubt.is_none());
    }

    #[test]
    fn a_clock_that_stays_in_2099_is_followed_after_a_day_of_being_told() {
        let mut machine = Machine::right();
        machine.wall = FUTURE;
        machine.told();
        let almost = machine.pass(Millis(HELD_LONG.0 - MINUTE.0));
        assert_eq!(almost, START + Millis(HELD_LONG.0 - MINUTE.0));
        assert_eq!(machine.pass(MINUTE), machine.wall);
    }

    #[test]
    fn a_machine_whose_clock_is_dead_goes_on_from_the_books() {
        let mut machine = Machine::started(Timestamp::from_ms(0), START);
        assert_eq!(machine.told(), START);
        // However long it shows 1970.
        let hours = Millis::hours(50);
        assert_eq!(machine.pass(hours), START + hours);
        assert!(machine.pace.doubt.is_some());
        // The network says what time it is: nothing else did, so it is followed at once.
        machine.wall = START + Millis::days(4);
        assert_eq!(machine.told(), machine.wall);
        assert!(machine.pace.doubt.is_none());
    }

    #[test]
    fn a_shop_opens_again_after_a_year_and_not_after_70() {
        let mut machine = Machine::started(START + Millis::days(400), START);
        assert_eq!(machine.told(), START + Millis::days(400));
        let mut machine = Machine::started(FUTURE, START);
        assert_eq!(machine.told(), START);
        assert_eq!(machine.pass(MINUTE), START + MINUTE);
    }

    #[test]
    fn a_machine_that_slept_is_followed() {
        let mut machine = Machine::right();
        let slept = Millis::hours(8);
        machine.running = Millis(machine.running.0 + slept.0);
        machine.wall = machine.wall + slept;
        assert_eq!(machine.told(), START + slept);
        assert!(machine.pace.doubt.is_none());
    }

    /// A virtual machine goes on from a snapshot, or one sleeps whose count sleeps as well.
    #[test]
    fn a_machine_that_was_away_is_followed_once_its_clock_has_held() {
        let mut machine = Machine::right();
        machine.wall = machine.wall + Millis::days(3);
        machine.told();
        assert_eq!(machine.pass(ALMOST_HELD), START + ALMOST_HELD);
        assert_eq!(machine.pass(SECOND), machine.wall);
        assert_eq!(machine.wall, START + Millis::days(3) + HELD);
    }

    #[test]
    fn a_clock_that_leaps_again_has_not_held() {
        let mut machine = Machine::right();
        for _ in 0..4 {
            machine.wall = machine.wall + Millis::days(1);
            machine.told();
            machine.pass(ALMOST_HELD);
        }
        assert_eq!(machine.told(), START + Millis(4 * ALMOST_HELD.0));
    }

    #[test]
    fn a_doubted_clock_is_not_believed_where_another_server_was_ahead() {
        let mut machine = Machine::right();
        machine.wall = machine.wall + Millis::days(730);
        let told = machine.told() + SECOND;
        machine.pace.go_on_from(told, machine.running);
        assert_eq!(machine.told(), told);
        assert_eq!(machine.pass(MINUTE), told + MINUTE);
    }

    #[test]
    fn a_clock_that_the_network_sets_is_followed() {
        let step = Millis::minutes(3);
        let mut machine = Machine::right();
        machine.wall = machine.wall + step;
        assert_eq!(machine.told(), START + step);
        machine.wall = machine.wall - step;
        assert_eq!(machine.told(), START + step);
        assert!(machine.pace.doubt.is_none());
        // At half the pace, until the clock has caught up.
        assert_eq!(machine.pass(step), START + step + Millis(step.0 / 2));
        assert_eq!(machine.pass(step), machine.wall);
        assert_eq!(machine.pass(step), machine.wall);
    }

    #[test]
    fn a_clock_that_was_hours_ahead_is_reached_and_one_far_behind_is_not_waited_for() {
        let mut machine = Machine::right();
        machine.wall = machine.wall - Millis::hours(8);
        machine.told();
        assert!(machine.pace.doubt.is_some());
        assert_eq!(machine.pass(Millis::hours(16)), machine.wall);
        machine.wall = machine.wall - Millis::days(2);
        let told = machine.told();
        assert_eq!(machine.pass(MINUTE), told + MINUTE);
    }

    #[test]
    fn a_slowed_time_goes_on_however_often_it_is_read() {
        let step = Millis::minutes(3);
        let mut machine = Machine::right();
        machine.wall = machine.wall - step;
        assert_eq!(machine.told(), START);
        for _ in 0..1_000 {
            machine.wall = machine.wall + Millis(1);
            machine.running = Millis(machine.running.0 + 1);
            machine.told();
        }
        assert_eq!(machine.told(), START + Millis(500));
    }

    #[test]
    fn who_looked_at_the_clock_is_believed() {
        let asked = SteadyClock::of_machine();
        let told = SteadyClock::of_machine().believed_if(true);
        asked.begin_after(Some(FUTURE));
        told.begin_after(Some(FUTURE));
        assert!(asked.now() >= FUTURE);
        assert!(asked.doubted().is_some_and(|ahead| ahead.0 < -BEHIND.0));
        assert!(told.now() < FUTURE && told.doubted().is_none());
    }

    #[test]
    fn what_others_wrote_meanwhile_is_never_gone_behind() {
        for (is_believed, is_ahead) in [(false, true), (true, false)] {
            let clock = SteadyClock::of_machine().believed_if(is_believed);
            clock.catch_up(START);
            assert!(clock.doubted().is_none(), "it is past that");
            clock.catch_up(FUTURE);
            assert_eq!(clock.now() >= FUTURE, is_ahead);
        }
    }

    #[test]
    fn this_machine_counts_on() {
        let running = running_of_machine();
        let (before, begun) = (running(), std::time::Instant::now());
        while begun.elapsed().as_millis() < 20 {
            std::thread::yield_now();
        }
        assert!((19..60_000).contains(&(running().0 - before.0)));
        assert!(
            (SystemClock.now() - SteadyClock::of_machine().now())
                .0
                .abs()
                < STEP.0
        );
    }
}
