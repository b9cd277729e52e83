use argon2::{Algorithm, Argon2, Params, Version};
use qiantai_core::ids::StaffId;
use qiantai_core::policy::PinHash;
use qiantai_core::{Millis, Timestamp};
use qiantai_store::{LOCKED_FOR, Moment, PinResult, Store};
use qiantai_wire::feed::{FeedChange, PolicyDto};

use crate::fixture::{NOW, Shelf, entry, id, keys, page, policy, staff};

const CHEN: StaffId = StaffId(uuid::Uuid::from_u128(1));

/// As head office computes it.
fn hashed(pin: &str) -> PinHash {
    let params = Params::new(19 * 1024, 2, 1, Some(32)).unwrap();
    let salt = [3; 16];
    let mut hash = [0; 32];
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(pin.as_bytes(), &salt, &mut hash)
        .unwrap();
    PinHash { salt, hash }
}

fn publish(shelf: &Shelf, version: u32, people: &[(u128, &str, bool)]) {
    let people = people
        .iter()
        .map(|(number, pin, active)| staff(*number, hashed(pin), *active))
        .collect();
    let rules = PolicyDto::from(&policy(version, NOW, people));
    let row = vec![FeedChange::Policy(Box::new(rules))];
    let seq = shelf.store.sync_mark().unwrap().cursor.unwrap().server_seq + 1;
    shelf
        .store
        .apply_feed(&page(1, vec![entry(seq, 0x51, row)]))
        .unwrap();
}

/// Both clocks so long after [`NOW`], and the wall clock off by so much.
fn after(passed: Millis, wrong_by: Millis) -> Moment {
    Moment {
        wall: NOW + passed + wrong_by,
        monotonic_ms: 1_000 + u64::try_from(passed.0).unwrap(),
    }
}

const RIGHT: Millis = Millis(0);

fn start() -> Moment {
    after(Millis(0), RIGHT)
}

fn check(shelf: &Shelf, pin: &str, now: Moment, expected: PinResult) {
    assert_eq!(
        shelf.store.check_pin(CHEN, pin, now).unwrap(),
        expected,
        "{pin} at {now:?}"
    );
}

fn lock_out(shelf: &Shelf, now: Moment) {
    for left in (1..5).rev() {
        check(shelf, "0000", now, PinResult::Wrong { left });
    }
    let until = now.wall + LOCKED_FOR;
    check(shelf, "0000", now, PinResult::Locked { until });
}

/// The server tells its time with the next page of its log.
fn tell_time(shelf: &Shelf, time: Timestamp) {
    let cursor = shelf.store.sync_mark().unwrap().cursor.unwrap();
    let mut told = page(cursor.timeline, Vec::new());
    told.server_time_ms = time.ms();
    shelf.store.apply_feed(&told).unwrap();
}

#[test]
fn five_wrong_pins_lock_for_ten_minutes() {
    let mut shelf = Shelf::synced();
    publish(&shelf, 1, &[(1, "1234", true)]);
    check(&shelf, "1234", start(), PinResult::Ok);
    for left in (1..5).rev() {
        check(&shelf, "0000", start(), PinResult::Wrong { left });
        shelf = shelf.reopened();
    }
    let until = NOW + LOCKED_FOR;
    check(&shelf, "", start(), PinResult::Locked { until });
    let almost = after(Millis(LOCKED_FOR.0 - 1), RIGHT);
    check(&shelf, "1234", almost, PinResult::Locked { until });
    let free = after(LOCKED_FOR, RIGHT);
    check(&shelf, "1234", free, PinResult::Ok);
    check(&shelf, "0000", free, PinResult::Wrong { left: 4 });
}

/// How long the program was off only the wall clock knows, and anybody can set that.
#[test]
fn a_restart_ends_no_lock_out() {
    let shelf = Shelf::synced();
    publish(&shelf, 1, &[(1, "1234", true)]);
    lock_out(&shelf, start());
    let shelf = shelf.reopened();
    let next_day = after(Millis::minutes(1), Millis::days(1));
    let until = next_day.wall + LOCKED_FOR;
    let shown = shelf.store.staff_locked_until(CHEN, next_day).unwrap();
    assert_eq!(shown, Some(until));
    check(&shelf, "1234", next_day, PinResult::Locked { until });
    let free = after(Millis::minutes(11), Millis::days(1));
    assert_eq!(shelf.store.staff_locked_until(CHEN, free).unwrap(), None);
    check(&shelf, "1234", free, PinResult::Ok);
}

#[test]
fn the_wall_clock_neither_ends_nor_prolongs_a_lock_out() {
    for wrong_by in [Millis::days(30), Millis::days(-30), Millis::minutes(10)] {
        let shelf = Shelf::synced();
        publish(&shelf, 1, &[(1, "1234", true)]);
        lock_out(&shelf, start());
        let soon = after(Millis::minutes(4), wrong_by);
        let until = soon.wall + Millis::minutes(6);
        check(&shelf, "1234", soon, PinResult::Locked { until });
        check(&shelf, "1234", after(LOCKED_FOR, wrong_by), PinResult::Ok);
    }
}

#[test]
fn the_servers_clock_ends_a_lock_out_of_an_earlier_start() {
    // The wall was right, or set back before the wrong tries.
    for wrong_by in [RIGHT, Millis::days(-1)] {
        let shelf = Shelf::synced();
        publish(&shelf, 1, &[(1, "1234", true)]);
        tell_time(&shelf, NOW);
        lock_out(&shelf, after(Millis(0), wrong_by));
        let shelf = shelf.reopened();
        tell_time(&shelf, NOW + Millis(LOCKED_FOR.0 - 1));
        let locked = shelf.store.staff_locked_until(CHEN, start()).unwrap();
        assert!(locked.is_some(), "{wrong_by:?}");
        tell_time(&shelf, NOW + LOCKED_FOR);
        check(&shelf, "1234", start(), PinResult::Ok);
    }
}

#[test]
fn the_right_pin_forgives_wrong_ones() {
    let shelf = Shelf::synced();
    publish(&shelf, 1, &[(1, "1234", true)]);
    for _ in 0..3 {
        check(&shelf, "4321", start(), PinResult::Wrong { left: 4 });
        check(&shelf, "4322", start(), PinResult::Wrong { left: 3 });
        check(&shelf, "1234", start(), PinResult::Ok);
    }
}

#[test]
fn pins_follow_the_newest_policy() {
    let shelf = Shelf::synced();
    publish(&shelf, 1, &[(1, "1234", true), (2, "2222", true)]);
    publish(&shelf, 3, &[(1, "7777", true), (2, "2222", false)]);
    publish(&shelf, 2, &[(1, "5555", true), (2, "2222", true)]);
    check(&shelf, "1234", start(), PinResult::Wrong { left: 4 });
    check(&shelf, "5555", start(), PinResult::Wrong { left: 3 });
    check(&shelf, "7777", start(), PinResult::Ok);
    let left = shelf
        .store
        .check_pin(StaffId(id(2)), "2222", start())
        .unwrap();
    assert_eq!(left, PinResult::UnknownStaff);
    let nobody = shelf
        .store
        .check_pin(StaffId(id(9)), "1234", start())
        .unwrap();
    assert_eq!(nobody, PinResult::UnknownStaff);
}

#[test]
fn a_verifier_is_worth_nothing_without_the_pepper() {
    let shelf = Shelf::synced();
    publish(&shelf, 1, &[(1, "1234", true)]);
    let path = shelf.path();
    let Shelf { folder, store } = shelf;
    drop(store);
    let mut other = keys();
    other.pin_pepper = [1; 32];
    let store = Store::open(&path, &other).unwrap();
    let result = store.check_pin(CHEN, "1234", start()).unwrap();
    assert_eq!(result, PinResult::Wrong { left: 4 });
    drop(folder);
}
