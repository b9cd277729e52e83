//! Changing a shop's rules at the counter.

use qiantai_core::attempt::Channel;
use qiantai_core::brand::{Accent, Brand, ShortNameError};
use qiantai_core::ids::StaffId;
use qiantai_core::member_input::NameError;
use qiantai_core::merchant_account::{AccountFault, AccountField, MerchantAccount};
use qiantai_core::policy::{PinHash, Policy, Role, Staff};
use qiantai_core::policy_change::{PEOPLE_MAX, Person, PolicyChange, ReceiptWords, Unfit};
use qiantai_core::risk_floor::RiskFloor;
use qiantai_core::{Millis, Money, Timestamp};
use uuid::Uuid;

use crate::shop::policy;

const NOW: Timestamp = Timestamp::from_ms(1_795_240_800_000);

fn person(id: u128, staff_no: &str, role: Role) -> Staff {
    Staff {
        id: StaffId(Uuid::from_u128(id)),
        staff_no: staff_no.to_owned(),
        name: format!("林{staff_no}"),
        role,
        pin: PinHash {
            salt: [1; 16],
            hash: [2; 32],
        },
        active: true,
    }
}

fn as_is(person: Staff) -> Person {
    Person {
        id: person.id,
        name: person.name,
        role: person.role,
        active: person.active,
    }
}

/// A manager, a cashier, and somebody of finance.
fn staffed() -> Policy {
    Policy {
        staff: vec![
            person(1, "8001", Role::Manager),
            person(2, "1001", Role::Cashier),
            person(3, "7001", Role::Finance),
        ],
        ..policy()
    }
}

fn words() -> ReceiptWords {
    ReceiptWords {
        address: " 杭州市  文三路 1 号".to_owned(),
        phone: "0571-8888 0000".to_owned(),
        complaint_phone: "１２３１５".to_owned(),
        refund_rule: "七日内可退".to_owned(),
    }
}

#[test]
fn a_change_is_the_next_version_and_touches_nothing_else() {
    let before = staffed();
    let changed = |change| before.changed_by(change, NOW).expect("it fits");
    let joined = changed(PolicyChange::Join(person(4, "1002", Role::Cashier)));
    assert_eq!(joined.version, before.version + 1);
    assert_eq!(joined.effective_from, NOW.max(before.effective_from));
    assert_eq!(joined.staff.len(), 4);

    let left = Person {
        active: false,
        ..as_is(person(2, "1001", Role::Cashier))
    };
    let left = changed(PolicyChange::Person(left));
    assert_eq!(left.staff.len(), 3, "who left is still named by old orders");
    assert!(!left.staff[1].active);

    let pin = PinHash {
        salt: [5; 16],
        hash: [6; 32],
    };
    let told_anew = changed(PolicyChange::Pin {
        person: before.staff[1].id,
        pin: pin.clone(),
    });
    assert_eq!(told_anew.staff[1].pin, pin);

    let told = changed(PolicyChange::Receipt(words()));
    assert_eq!(told.store.address, "杭州市 文三路 1 号");
    assert_eq!(told.store.complaint_phone, "12315");

    let methods = vec![Channel::Wechat, Channel::Cash];
    let paid = changed(PolicyChange::Methods(methods.clone()));
    assert_eq!(paid.channels, methods);

    let brand = Brand {
        accent: Accent::Rose,
        short_name: Some(" 云上  ".to_owned()),
    };
    let seen = changed(PolicyChange::Brand(brand));
    assert_eq!(seen.store.brand.accent, Accent::Rose);
    assert_eq!(seen.store.brand.short_name.as_deref(), Some("云上"));

    let floor = RiskFloor {
        per_transaction: Money::from_yuan(50),
        per_member_day: Money::from_yuan(50),
        per_device: Money::from_yuan(500),
        count: 20,
        hours: 12,
    };
    let risked = changed(PolicyChange::RiskFloor(floor));
    assert_eq!(risked.offline.risk_floor, floor);

    for next in [joined, left, told_anew, told, paid, seen, risked] {
        let unchanged = Policy {
            version: before.version,
            effective_from: before.effective_from,
            staff: before.staff.clone(),
            store: before.store.clone(),
            channels: before.channels.clone(),
            offline: before.offline,
            ..next
        };
        assert_eq!(unchanged, before);
    }
}

fn account() -> MerchantAccount {
    MerchantAccount {
        acquirer: "3112 7040".to_owned(),
        forwarding: "70002044".to_owned(),
        merchant: "600000000000001".to_owned(),
        category: "7298".to_owned(),
        name: "JIANDAN SALON".to_owned(),
        city: "GUANGZHOU".to_owned(),
    }
}

#[test]
fn the_code_comes_and_goes_with_its_account() {
    let before = staffed();
    let pays_into = |rules: &Policy, account| {
        let next = rules.changed_by(PolicyChange::Account(account), NOW);
        next.expect("it fits")
    };
    let with = pays_into(&before, Some(account()));
    let behind: Vec<Channel> = before.channels.clone();
    assert_eq!(with.channels, [behind, vec![Channel::ShopCode]].concat());
    let taken = with.merchant_account.as_ref().expect("an account");
    assert_eq!(taken.acquirer, "31127040");

    // Taken off the counter and described anew, the code stays off it.
    let off = PolicyChange::Methods(before.channels.clone());
    let off = with.changed_by(off, NOW).expect("it fits");
    let moved = MerchantAccount {
        city: "FOSHAN".to_owned(),
        ..account()
    };
    let moved = pays_into(&off, Some(moved));
    assert_eq!(moved.channels, before.channels);
    assert_eq!(moved.merchant_account.expect("an account").city, "FOSHAN");

    let without = pays_into(&with, None);
    assert_eq!(without.channels, before.channels);
    assert_eq!(without.merchant_account, None);

    let mut alone = with.clone();
    alone.channels = vec![Channel::ShopCode];
    let none_left = alone.changed_by(PolicyChange::Account(None), NOW);
    assert_eq!(none_left, Err(Unfit::Methods));
    let unread = MerchantAccount {
        name: "简单".to_owned(),
        ..account()
    };
    let refused = before.changed_by(PolicyChange::Account(Some(unread)), NOW);
    let fault = Unfit::Account(AccountField::Name, AccountFault::Character('简'));
    assert_eq!(refused, Err(fault));
    assert_eq!(fault.field(), "latin_name");
}

#[test]
fn rules_that_begin_later_are_not_brought_forward() {
    let later = Policy {
        effective_from: NOW + Millis::minutes(60),
        ..staffed()
    };
    let next = later.changed_by(PolicyChange::Receipt(words()), NOW);
    assert_eq!(next.expect("it fits").effective_from, later.effective_from);
}

#[test]
fn what_does_not_fit_changes_nothing() {
    let before = staffed();
    let check = |change, expected| {
        assert_eq!(
            before.changed_by(change, NOW).expect_err("it does not fit"),
            expected
        );
    };
    let with = |change: fn(&mut ReceiptWords)| {
        let mut changed = words();
        change(&mut changed);
        PolicyChange::Receipt(changed)
    };
    check(
        with(|it| it.address.clear()),
        Unfit::Line("address", NameError::Empty),
    );
    check(
        with(|it| it.refund_rule = "退".repeat(41)),
        Unfit::Line("refund_rule", NameError::TooLong),
    );
    check(with(|it| it.phone = "请来电".into()), Unfit::Phone("phone"));
    check(
        with(|it| it.complaint_phone.clear()),
        Unfit::Phone("complaint_phone"),
    );
    check(PolicyChange::Methods(Vec::new()), Unfit::Methods);
    let twice = vec![Channel::Cash, Channel::Cash];
    check(PolicyChange::Methods(twice), Unfit::Methods);
    let code = vec![Channel::Cash, Channel::ShopCode];
    check(PolicyChange::Methods(code), Unfit::Methods);

    let halved = RiskFloor {
        per_device: Money::from_yuan(100),
        ..RiskFloor::default()
    };
    check(PolicyChange::RiskFloor(halved), Unfit::RiskFloor);
    let long = Brand {
        short_name: Some("云".repeat(13)),
        ..Brand::default()
    };
    let too_long = Unfit::ShortName(ShortNameError::TooLong);
    check(PolicyChange::Brand(long), too_long);

    let join = |person, expected| check(PolicyChange::Join(person), expected);
    join(person(4, "1001", Role::Cashier), Unfit::StaffNo);
    join(person(4, "", Role::Cashier), Unfit::StaffNo);
    join(person(4, "12a", Role::Cashier), Unfit::StaffNo);
    join(person(4, "123456789", Role::Cashier), Unfit::StaffNo);
    join(person(4, "9001", Role::HeadOffice), Unfit::Role);
    join(person(2, "1002", Role::Cashier), Unfit::Person);
    let named = |name: &str| Staff {
        name: name.to_owned(),
        ..person(4, "1002", Role::Cashier)
    };
    join(named("🙂"), Unfit::Line("name", NameError::Emoji));
    join(named("  "), Unfit::Line("name", NameError::Empty));

    let describe = |person, expected| check(PolicyChange::Person(person), expected);
    let boss = || as_is(person(1, "8001", Role::Manager));
    let with_role = |person: Person, role| Person { role, ..person };
    describe(with_role(boss(), Role::Cashier), Unfit::NoManager);
    describe(with_role(boss(), Role::Auditor), Unfit::Role);
    let gone = Person {
        active: false,
        ..boss()
    };
    describe(gone, Unfit::NoManager);
    describe(as_is(person(9, "1009", Role::Cashier)), Unfit::Person);
    let unknown = PolicyChange::Pin {
        person: StaffId(Uuid::from_u128(9)),
        pin: before.staff[0].pin.clone(),
    };
    check(unknown, Unfit::Person);
    // A role given elsewhere is kept.
    let renamed = Person {
        name: "周岚".to_owned(),
        ..as_is(person(3, "7001", Role::Finance))
    };
    let renamed = before.changed_by(PolicyChange::Person(renamed), NOW);
    assert_eq!(renamed.expect("it fits").staff[2].name, "周岚");
}

#[test]
fn a_store_has_its_limit_of_people_at_a_time() {
    let mut full = staffed();
    for number in full.staff.len()..PEOPLE_MAX {
        let id = 100 + number as u128;
        full.staff
            .push(person(id, &format!("{}", 2_000 + number), Role::Cashier));
    }
    let one_more = || PolicyChange::Join(person(999, "3000", Role::Cashier));
    assert_eq!(full.changed_by(one_more(), NOW), Err(Unfit::TooMany));
    full.staff[5].active = false;
    assert!(full.changed_by(one_more(), NOW).is_ok());
}
