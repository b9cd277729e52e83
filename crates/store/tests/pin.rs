use argon2::{Algorithm, Argon2, Params, Version};
use qiantai_core::ids::StaffId;
use qiantai_core::policy::PinHash;
use qiantai_core::{Millis, Timestamp};
use qiantai_store::{LOCKED_FOR, PinResult, Store};
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

fn check(shelf: &Shelf, pin: &str, now: Timestamp, expected: PinResult) {
    assert_eq!(
        shelf.store.check_pin(CHEN, pin, now).unwrap(),
        expected,
        "{pin} at {now}"
    );
}

#[test]
fn five_wrong_pins_lock_for_ten_minutes_across_a_restart() {
    let mut shelf = Shelf::synced();
    publish(&shelf, 1, &[(1, "1234", true)]);
    check(&shelf, "1234", NOW, PinResult::Ok);
    for left in (1..5).rev() {
        check(&shelf, "0000", NOW, PinResult::Wrong { left });
        shelf = shelf.reopened();
    }
    let until = NOW + LOCKED_FOR;
    check(&shelf, "", NOW, PinResult::Locked { until });
    shelf = shelf.reopened();
    check(
        &shelf,
        "1234",
        NOW + Millis::minutes(9),
        PinResult::Locked { until },
    );
    check(&shelf, "1234", until, PinResult::Ok);
    check(&shelf, "0000", until, PinResult::Wrong { left: 4 });
}

#[test]
fn the_right_pin_forgives_wrong_ones() {
    let shelf = Shelf::synced();
    publish(&shelf, 1, &[(1, "1234", true)]);
    for _ in 0..3 {
        check(&shelf, "4321", NOW, PinResult::Wrong { left: 4 });
        check(&shelf, "4322", NOW, PinResult::Wrong { left: 3 });
        check(&shelf, "1234", NOW, PinResult::Ok);
    }
}

#[test]
fn a_clock_set_back_does_not_lock_for_longer_than_the_rule() {
    let shelf = Shelf::synced();
    publish(&shelf, 1, &[(1, "1234", true)]);
    for _ in 0..5 {
        shelf
            .store
            .check_pin(CHEN, "0000", NOW + Millis::days(30))
            .unwrap();
    }
    let until = NOW + LOCKED_FOR;
    check(&shelf, "1234", NOW, PinResult::Locked { until });
    check(&shelf, "1234", until, PinResult::Ok);
}

#[test]
fn pins_follow_the_newest_policy() {
    let shelf = Shelf::synced();
    publish(&shelf, 1, &[(1, "1234", true), (2, "2222", true)]);
    publish(&shelf, 3, &[(1, "7777", true), (2, "2222", false)]);
    publish(&shelf, 2, &[(1, "5555", true), (2, "2222", true)]);
    check(&shelf, "1234", NOW, PinResult::Wrong { left: 4 });
    check(&shelf, "5555", NOW, PinResult::Wrong { left: 3 });
    check(&shelf, "7777", NOW, PinResult::Ok);
    let left = shelf.store.check_pin(StaffId(id(2)), "2222", NOW).unwrap();
    assert_eq!(left, PinResult::UnknownStaff);
    let nobody = shelf.store.check_pin(StaffId(id(9)), "1234", NOW).unwrap();
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
    let result = store.check_pin(CHEN, "1234", NOW).unwrap();
    assert_eq!(result, PinResult::Wrong { left: 4 });
    drop(folder);
}
