//! `shift.open` and `receipt.reprint`.

use qiantai_core::Money;
use qiantai_core::decide::{Change, Outcome};
use qiantai_core::ids::{DeviceId, OrderId, ShiftId, StaffId};
use qiantai_core::ledger::{CaseKind, CashMovementKind, LedgerAccount, ShiftState};
use qiantai_core::operation::{OperationBody, StaffMethod, StaffProof};
use uuid::Uuid;

use crate::shop::{CASHIER, MANAGER, SHIFT, Shop, amount, cases, policy, yuan};

const OTHER: ShiftId = ShiftId(Uuid::from_u128(31));

#[test]
fn the_float_is_posted() {
    let mut shop = Shop::open(policy());
    let mut operation = shop.shift_open(OTHER, &[(yuan(100), 2), (Money::from_fen(50), 3)]);
    operation.device = DeviceId(Uuid::from_u128(12));
    let decision = shop.run(&operation);
    assert_eq!(cases(&decision), []);
    let shift = &shop.state.shifts[&OTHER];
    let float = Money::from_fen(20_150);
    assert_eq!(
        (shift.opening_float, shift.state),
        (float, ShiftState::Open)
    );
    assert_eq!(shop.balance(LedgerAccount::Drawer(OTHER)), float);
    let moved = decision.changes.iter().find_map(|change| match change {
        Change::Cash(movement) => Some((movement.kind, movement.amount)),
        _ => None,
    });
    assert_eq!(moved, Some((CashMovementKind::Float, float)));
}

#[test]
fn an_irregular_shift_opens_with_a_case() {
    let mut shop = Shop::open(policy());
    let second = shop.shift_open(OTHER, &[(yuan(100), 1)]);
    let decision = shop.run(&second);
    assert_eq!(decision.outcome, Outcome::Applied);
    assert_eq!(cases(&decision), [CaseKind::ShiftIrregular]);
    assert!(shop.state.shifts.contains_key(&OTHER));
    // The same identity twice: the float waits, the first shift stays as it was.
    let same = shop.shift_open(SHIFT, &[(yuan(100), 1)]);
    let decision = shop.run(&same);
    assert_eq!(cases(&decision), [CaseKind::ShiftIrregular]);
    assert_eq!(shop.balance(LedgerAccount::Suspense), yuan(-100));
    assert_eq!(shop.state.shifts[&SHIFT].opening_float, yuan(500));
    let mut unsigned = shop.shift_open(ShiftId(Uuid::from_u128(32)), &[]);
    unsigned.device = DeviceId(Uuid::from_u128(12));
    unsigned.staff = None;
    assert_eq!(cases(&shop.run(&unsigned)), [CaseKind::StaffIrregular]);
}

#[test]
fn a_float_that_no_drawer_holds_is_unattributed() {
    let floats: [&[(Money, u32)]; 3] = [
        &[(yuan(-1), 1)],
        &[(Money::from_fen(i64::MAX), 2)],
        &[(Money::from_fen(i64::MAX), 1), (yuan(1), 1)],
    ];
    for float in floats {
        let mut shop = Shop::open(policy());
        let mut operation = shop.shift_open(OTHER, float);
        operation.device = DeviceId(Uuid::from_u128(12));
        let decision = shop.run(&operation);
        assert_eq!(cases(&decision), [CaseKind::Unattributed], "{float:?}");
        assert!(!shop.state.shifts.contains_key(&OTHER));
    }
}

#[test]
fn copies_are_counted() {
    let mut shop = Shop::open(policy());
    let body = shop.cash_body(amount(300));
    let order = body.open.order;
    shop.run_body(OperationBody::RechargeCash(body));
    // Two tills may both call theirs the first.
    for (copy, expected) in [(1, 1), (1, 2), (2, 3)] {
        shop.run_body(OperationBody::ReceiptReprint {
            order,
            copy,
            approval: None,
        });
        assert_eq!(shop.state.orders[&order].copies, expected);
    }
    let unknown = OperationBody::ReceiptReprint {
        order: OrderId(Uuid::nil()),
        copy: 1,
        approval: None,
    };
    assert_eq!(cases(&shop.run_body(unknown)), [CaseKind::Unattributed]);
}

#[test]
fn a_copy_that_was_let_by_who_may_not_is_told_and_counted() {
    let stranger = StaffId(Uuid::from_u128(25));
    for (approver, expected) in [
        (MANAGER, &[][..]),
        (CASHIER, &[CaseKind::StaffIrregular]),
        (stranger, &[CaseKind::StaffIrregular]),
    ] {
        let mut shop = Shop::open(policy());
        let body = shop.cash_body(amount(300));
        let order = body.open.order;
        shop.run_body(OperationBody::RechargeCash(body));
        let reprint = OperationBody::ReceiptReprint {
            order,
            copy: 3,
            approval: Some(StaffProof {
                staff: approver,
                method: StaffMethod::Pin,
                policy_version: 1,
            }),
        };
        assert_eq!(cases(&shop.run_body(reprint)), expected, "{approver}");
        assert_eq!(shop.state.orders[&order].copies, 1, "{approver}");
    }
}
