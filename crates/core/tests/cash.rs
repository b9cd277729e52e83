//! `recharge.cash`: facts always post.

use std::sync::Arc;

use qiantai_core::account::Account;
use qiantai_core::decide::{Change, Decision, Outcome};
use qiantai_core::ids::{MemberId, ShiftId};
use qiantai_core::ledger::{CaseKind, LedgerAccount};
use qiantai_core::member::MemberStatus;
use qiantai_core::operation::{Operation, OperationBody, RechargeCash};
use qiantai_core::policy::{LadderBonus, Policy};
use qiantai_core::recharge::{AmountChoice, OrderState};
use qiantai_core::{Millis, Money, Timestamp};
use time::macros::{date, datetime};
use uuid::Uuid;

use crate::shop::{
    AUDITOR, GOLD, MANAGER, MEMBER, NOON, PACKAGE, SHIFT, Shop, TILL, amount, cases, policy, row,
    yuan,
};

/// Takes cash for `choice` after `spoil` changed shop and operation.
fn take(
    choice: AmountChoice,
    spoil: impl FnOnce(&mut Shop, &mut Operation),
) -> (Shop, Decision, RechargeCash) {
    let mut shop = Shop::open(policy());
    let body = shop.cash_body(choice);
    let mut operation = shop.by_cashier(OperationBody::RechargeCash(body));
    spoil(&mut shop, &mut operation);
    let decision = shop.run(&operation);
    assert_eq!(
        decision.outcome,
        Outcome::Applied,
        "a fact is never refused"
    );
    let OperationBody::RechargeCash(body) = operation.body else {
        panic!("not cash")
    };
    (shop, decision, body)
}

fn cash(operation: &mut Operation) -> &mut RechargeCash {
    match &mut operation.body {
        OperationBody::RechargeCash(body) => body,
        other => panic!("not cash: {other:?}"),
    }
}

fn drawer(shop: &Shop) -> Money {
    shop.balance(LedgerAccount::Drawer(SHIFT)) - yuan(500)
}

fn suspense(shop: &Shop) -> Money {
    shop.balance(LedgerAccount::Suspense)
}

fn account(shop: &Shop) -> &Account {
    &shop.state.accounts[&MEMBER]
}

#[test]
fn cash_opens_pays_and_credits_in_one_go() {
    let package = AmountChoice::Package(PACKAGE, 1);
    let (shop, decision, body) = take(package, |_, operation| {
        cash(operation).tendered = yuan(400);
        cash(operation).change = yuan(100);
    });
    assert_eq!(cases(&decision), []);
    assert_eq!(shop.order_state(body.open.order), OrderState::Credited);
    let order = &shop.state.orders[&body.open.order];
    let paid = order.paid.as_ref().expect("paid");
    assert_eq!((paid.amount, paid.tendered), (yuan(300), Some(yuan(400))));
    assert_eq!(
        (account(&shop).principal, account(&shop).bonus),
        (yuan(300), yuan(50))
    );
    assert_eq!((drawer(&shop), suspense(&shop)), (yuan(300), Money::ZERO));
    let moved: Money = decision
        .changes
        .iter()
        .filter_map(|change| match change {
            Change::Cash(movement) => Some(movement.amount),
            _ => None,
        })
        .sum();
    assert_eq!(moved, yuan(300));
}

#[test]
fn the_drawer_says_how_much_was_paid() {
    // Tendered, change; principal, bonus, suspense.
    let cases_of_cash = [
        (300, 0, 300, 50, 0),
        (500, 200, 300, 50, 0),
        // Too little for what was chosen: priced as the amount that it is.
        (300, 100, 200, 0, 0),
        // Change not given: the choice stands, the rest can be given back.
        (500, 0, 300, 50, 200),
    ];
    for (tendered, change, principal, bonus, waiting) in cases_of_cash {
        let (shop, decision, _) = take(amount(300), |_, operation| {
            cash(operation).tendered = yuan(tendered);
            cash(operation).change = yuan(change);
        });
        let is_exact = tendered - change == 300;
        let expected: &[CaseKind] = if is_exact {
            &[]
        } else {
            &[CaseKind::QuoteDiffers]
        };
        assert_eq!(cases(&decision), expected, "{tendered} - {change}");
        let found = (
            account(&shop).principal,
            account(&shop).bonus,
            suspense(&shop),
        );
        assert_eq!(found, (yuan(principal), yuan(bonus), yuan(-waiting)));
        assert_eq!(drawer(&shop), yuan(tendered - change));
    }
}

#[test]
fn cash_that_is_no_payment_is_unattributed() {
    let cases_of_cash = [(0, 0, 0), (100, 300, -200), (i64::MAX / 100, -1, 0)];
    for (tendered, change, waiting) in cases_of_cash {
        let (shop, decision, body) = take(amount(300), |_, operation| {
            cash(operation).tendered = yuan(tendered);
            cash(operation).change = yuan(change);
        });
        assert_eq!(cases(&decision), [CaseKind::Unattributed]);
        assert!(!shop.state.orders.contains_key(&body.open.order));
        assert_eq!(
            (drawer(&shop), suspense(&shop)),
            (yuan(waiting), yuan(-waiting))
        );
    }
    let (_, decision, _) = take(amount(300), |_, operation| {
        cash(operation).tendered = Money::from_fen(i64::MAX);
        cash(operation).change = Money::from_fen(i64::MIN);
    });
    assert_eq!(cases(&decision), [CaseKind::Unattributed]);
}

#[test]
fn bonus_can_only_be_what_the_rules_say() {
    let (shop, decision, _) = take(amount(300), |_, operation| {
        cash(operation).open.quote.bonus = yuan(3_000);
    });
    assert_eq!(cases(&decision), [CaseKind::QuoteDiffers]);
    assert_eq!(account(&shop).bonus, yuan(50));
}

#[test]
fn offline_points_and_tier_are_provisional() {
    for (is_offline, expected) in [(true, vec![]), (false, vec![CaseKind::QuoteDiffers])] {
        let (shop, decision, _) = take(amount(300), |_, operation| {
            operation.offline = is_offline;
            cash(operation).open.quote.tier.1 = GOLD;
            cash(operation).open.quote.points = 999;
        });
        assert_eq!(cases(&decision), expected);
        assert_eq!(account(&shop).points, 300);
    }
}

#[test]
fn a_broken_rule_posts_with_a_case() {
    type Spoil = fn(&mut Shop, &mut Operation);
    let spoils: [(i64, Spoil, &[CaseKind]); 11] = [
        (
            300,
            |_, operation| operation.shift = None,
            &[CaseKind::ShiftIrregular],
        ),
        (
            300,
            |_, operation| operation.shift = Some(ShiftId(Uuid::from_u128(31))),
            &[CaseKind::ShiftIrregular],
        ),
        (
            300,
            |_, operation| operation.staff = None,
            &[CaseKind::StaffIrregular],
        ),
        (
            300,
            |_, operation| operation.staff.as_mut().expect("signed").staff = AUDITOR,
            &[CaseKind::StaffIrregular],
        ),
        (5_001, |_, _| {}, &[CaseKind::LimitPassed]),
        (20_001, |_, _| {}, &[CaseKind::LimitPassed]),
        (1_000, |_, operation| operation.offline = true, &[]),
        (
            1_001,
            |_, operation| operation.offline = true,
            &[CaseKind::LimitPassed],
        ),
        (
            1_001,
            |_, operation| {
                operation.offline = true;
                operation.staff.as_mut().expect("signed").staff = MANAGER;
            },
            // Nobody approves their own action.
            &[CaseKind::LimitPassed],
        ),
        (
            300,
            |shop, _| {
                shop.pending_order(300);
            },
            &[CaseKind::DuplicateSuspected],
        ),
        (
            300,
            |shop, operation| {
                shop.pending_order(300);
                cash(operation).open.duplicate_confirmed = true;
            },
            &[],
        ),
    ];
    for (pay, spoil, expected) in spoils {
        let (shop, decision, body) = take(amount(pay), spoil);
        assert_eq!(cases(&decision), expected, "{pay} {body:?}");
        assert_eq!(account(&shop).principal, yuan(pay));
        assert_eq!(shop.order_state(body.open.order), OrderState::Credited);
    }
}

#[test]
fn cash_outside_any_shift_lies_in_a_drawer_of_its_till() {
    let (shop, _, _) = take(amount(300), |_, operation| operation.shift = None);
    assert_eq!(
        shop.balance(LedgerAccount::Drawer(ShiftId(TILL.0))),
        yuan(300)
    );
}

#[test]
fn cash_for_a_member_who_cannot_be_credited_waits() {
    let (mut shop, decision, body) = take(amount(300), |shop, _| {
        shop.set_status(MEMBER, MemberStatus::Frozen);
    });
    let order = body.open.order;
    assert_eq!(cases(&decision), [CaseKind::CreditBlocked]);
    assert_eq!(
        (shop.order_state(order), suspense(&shop)),
        (OrderState::Paid, yuan(-300))
    );
    shop.set_status(MEMBER, MemberStatus::Active);
    shop.run_body(OperationBody::CreditRetry { order });
    assert_eq!(
        (shop.order_state(order), suspense(&shop)),
        (OrderState::Credited, Money::ZERO)
    );
    assert_eq!(account(&shop).principal, yuan(300));
}

#[test]
fn cash_for_a_stranger_waits_until_the_stranger_is_known() {
    let stranger = MemberId(Uuid::from_u128(41));
    let (mut shop, decision, body) = take(amount(300), |_, operation| {
        cash(operation).open.member = stranger
    });
    let order = body.open.order;
    assert_eq!(cases(&decision), [CaseKind::Unattributed]);
    assert_eq!(
        (shop.order_state(order), suspense(&shop)),
        (OrderState::Paid, yuan(-300))
    );
    shop.register(stranger);
    shop.run_body(OperationBody::CreditRetry { order });
    assert_eq!(shop.state.accounts[&stranger].principal, yuan(300));
    assert_eq!(suspense(&shop), Money::ZERO);
}

#[test]
fn an_order_under_a_taken_number_is_unattributed() {
    let mut shop = Shop::open(policy());
    let body = shop.cash_body(amount(300));
    let mut second = body.clone();
    second.open.duplicate_confirmed = true;
    shop.run_body(OperationBody::RechargeCash(body));
    let decision = shop.run_body(OperationBody::RechargeCash(second));
    assert_eq!(cases(&decision), [CaseKind::Unattributed]);
    assert_eq!(
        (account(&shop).principal, suspense(&shop)),
        (yuan(300), yuan(-300))
    );
    assert_eq!(drawer(&shop), yuan(600));
}

#[test]
fn without_rules_the_money_waits() {
    let (shop, decision, _) = take(amount(300), |shop, _| shop.state.policies.clear());
    assert_eq!(cases(&decision), [CaseKind::Unattributed]);
    assert_eq!((drawer(&shop), suspense(&shop)), (yuan(300), yuan(-300)));
}

#[test]
fn an_offline_top_up_is_priced_by_the_rules_of_its_time() {
    let newer = |from: Timestamp| {
        let mut rules = Policy {
            version: 2,
            effective_from: from,
            ..policy()
        };
        rules.ladders[0].rows = vec![row(300, LadderBonus::Fixed(yuan(10)))];
        Arc::new(rules)
    };
    let (shop, decision, _) = take(amount(300), |shop, operation| {
        operation.offline = true;
        shop.now = NOON + Millis::days(2);
        shop.state.policies.push(newer(NOON + Millis::days(1)));
    });
    assert_eq!((cases(&decision), account(&shop).bonus), (vec![], yuan(50)));
    // Rules that were replaced unheard: the promise stands, and somebody looks at it.
    let (shop, decision, _) = take(amount(300), |shop, operation| {
        operation.offline = true;
        shop.now = NOON + Millis::days(2);
        shop.state.policies.push(newer(NOON - Millis::days(1)));
    });
    assert_eq!(
        (cases(&decision), account(&shop).bonus),
        (vec![CaseKind::QuoteDiffers], yuan(50))
    );
    // Rules nobody knows: those in force at the time of the operation.
    let (shop, decision, _) = take(amount(300), |shop, operation| {
        operation.offline = true;
        cash(operation).open.quote.policy_version = 9;
        shop.now = NOON + Millis::days(2);
        shop.state.policies.push(newer(NOON - Millis::days(1)));
    });
    assert_eq!(
        (cases(&decision), account(&shop).bonus),
        (vec![CaseKind::QuoteDiffers], yuan(10))
    );
}

#[test]
fn the_claimed_time_is_bounded() {
    // Wall time and anchor relative to the opening of the shift; the time that is booked.
    let hour = Millis::hours(1).0;
    let cases_of_time = [
        (hour, Some(0), hour),
        (-hour, Some(0), 0),
        (-hour, None, 0),
        (hour, Some(2 * hour), 2 * hour),
        (9 * hour, Some(0), 5 * hour),
        (hour, Some(9 * hour), 5 * hour),
    ];
    for (wall, anchor, booked) in cases_of_time {
        let (shop, _, body) = take(amount(300), |shop, operation| {
            operation.offline = true;
            operation.wall_time = NOON + Millis(wall);
            operation.server_anchor = anchor.map(|anchor| NOON + Millis(anchor));
            shop.now = NOON + Millis(5 * hour);
        });
        let opened_at = shop.state.orders[&body.open.order].opened_at;
        assert_eq!(opened_at, NOON + Millis(booked), "{wall} {anchor:?}");
    }
}

#[test]
fn a_clock_far_off_is_told() {
    let minute = Millis::minutes(1).0;
    // Wall time and anchor relative to now, offline; the skew.
    let cases_of_clock = [
        (0, None, false, None),
        (minute, None, false, None),
        (minute + 1, None, false, Some(minute + 1)),
        (-minute - 1, None, false, Some(-minute - 1)),
        (-minute - 1, None, true, None),
        (minute + 1, None, true, Some(minute + 1)),
        (-9 * minute, Some(-2 * minute), true, Some(-7 * minute)),
        (-9 * minute, Some(-10 * minute), true, None),
    ];
    let mut shop = Shop::open(policy());
    let mut operation = shop.by_cashier(OperationBody::PolicyPublish { version: 1 });
    for (wall, anchor, offline, expected) in cases_of_clock {
        operation.wall_time = NOON + Millis(wall);
        operation.server_anchor = anchor.map(|anchor| NOON + Millis(anchor));
        operation.offline = offline;
        let found = operation.clock_skew(NOON);
        assert_eq!(found, expected.map(Millis), "{wall} {anchor:?} {offline}");
    }
}

#[test]
fn lots_stand_in_the_order_of_their_credit() {
    let mut shop = Shop::open(policy());
    shop.now = NOON + Millis::hours(3);
    for hours in [2, 1, 3] {
        let mut body = shop.cash_body(amount(100));
        body.open.duplicate_confirmed = true;
        let mut operation = shop.by_cashier(OperationBody::RechargeCash(body));
        operation.offline = true;
        operation.wall_time = NOON + Millis::hours(hours);
        shop.run(&operation);
    }
    let credited: Vec<Timestamp> = account(&shop)
        .lots
        .iter()
        .map(|lot| lot.credited_at)
        .collect();
    let expected: Vec<Timestamp> = [1, 2, 3].map(|hours| NOON + Millis::hours(hours)).into();
    assert_eq!(credited, expected);
}

/// A package whose last day ends at the cut-off: shown a minute before, paid a minute after or
/// much later.
#[test]
fn cash_that_follows_in_time_is_priced_as_it_was_shown() {
    let before_cut_off =
        Timestamp::from_ms(datetime!(2026-11-22 03:59 +8).unix_timestamp() * 1_000);
    for (minutes, bonus, expected) in [
        (2, 50, vec![]),
        (15, 50, vec![]),
        (16, 0, vec![CaseKind::QuoteDiffers]),
    ] {
        let mut rules = policy();
        rules.ladders.clear();
        rules.packages[0].on_sale = Some((date!(2026 - 11 - 01), date!(2026 - 11 - 21)));
        let mut shop = Shop::open(rules);
        shop.now = before_cut_off;
        let body = shop.cash_body(AmountChoice::Package(PACKAGE, 1));
        shop.now = before_cut_off + Millis::minutes(minutes);
        let decision = shop.run_body(OperationBody::RechargeCash(body));
        assert_eq!(cases(&decision), expected, "{minutes} min");
        assert_eq!(account(&shop).bonus, yuan(bonus), "{minutes} min");
    }
}

#[test]
fn points_first_pay_back_what_a_refund_left_owing() {
    for (owed, points, still_owed) in [(0, 300, 0), (100, 200, 0), (400, 0, 100)] {
        let (shop, _, _) = take(amount(300), |shop, _| {
            shop.state
                .accounts
                .get_mut(&MEMBER)
                .expect("known")
                .points_debt = owed;
        });
        assert_eq!(
            (account(&shop).points, account(&shop).points_debt),
            (points, still_owed)
        );
    }
}
