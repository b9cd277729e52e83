//! `member.create`: whoever registers at the counter is a member, whatever else is wrong.

use proptest::prelude::*;
use qiantai_core::Money;
use qiantai_core::decide::{Change, Outcome, decide};
use qiantai_core::ids::{MemberId, OpId, ShiftId, StaffId};
use qiantai_core::ledger::CaseKind;
use qiantai_core::operation::{MemberCreate, OperationBody};
use uuid::Uuid;

use crate::shop::{PLAIN, Shop, cases, policy};

fn create(tail: u128) -> OperationBody {
    OperationBody::MemberCreate(MemberCreate {
        member: MemberId(Uuid::from_u128(tail)),
        member_no: format!("0020101{tail:05}"),
    })
}

#[test]
fn a_new_member_has_an_empty_account_in_the_lowest_tier() {
    let mut shop = Shop::open(policy());
    let operation = shop.by_cashier(create(7));
    let decision = shop.run(&operation);
    assert_eq!(decision.outcome, Outcome::Applied);
    assert_eq!(cases(&decision), []);
    let id = MemberId(Uuid::from_u128(7));
    let member = &shop.state.members[&id];
    assert_eq!(member.member_no, "002010100007");
    assert_eq!(member.home_store, operation.store);
    let account = &shop.state.accounts[&id];
    assert_eq!(
        (account.principal, account.bonus),
        (Money::ZERO, Money::ZERO)
    );
    assert_eq!(account.tier, PLAIN);
    assert!(account.lots.is_empty());
}

#[test]
fn the_same_intent_registers_once() {
    let mut shop = Shop::open(policy());
    let first = shop.by_cashier(create(7));
    shop.run(&first);
    let mut again = shop.by_cashier(create(7));
    again.action_id = first.action_id;
    let decision = shop.run(&again);
    assert_eq!(decision.outcome, Outcome::Exists);
    assert_eq!(decision.changes, []);
}

#[test]
fn what_is_irregular_opens_a_case_and_registers_all_the_same() {
    let mut shop = Shop::open(policy());
    let mut operation = shop.by_cashier(create(7));
    if let Some(proof) = &mut operation.staff {
        proof.staff = StaffId(Uuid::from_u128(404));
    }
    operation.shift = Some(ShiftId(Uuid::from_u128(404)));
    let decision = shop.run(&operation);
    assert_eq!(decision.outcome, Outcome::Applied);
    assert_eq!(cases(&decision), [CaseKind::StaffIrregular]);
    assert!(
        shop.state
            .members
            .contains_key(&MemberId(Uuid::from_u128(7)))
    );

    // Another person under the same identity does not replace the first.
    let mut second = shop.by_cashier(create(7));
    second.op_id = OpId(Uuid::from_u128(99));
    if let OperationBody::MemberCreate(body) = &mut second.body {
        body.member_no = "other".to_owned();
    }
    let decision = shop.run(&second);
    assert_eq!(decision.outcome, Outcome::Applied);
    assert_eq!(cases(&decision), [CaseKind::Unattributed]);
    let member = &shop.state.members[&MemberId(Uuid::from_u128(7))];
    assert_eq!(member.member_no, "002010100007");
}

proptest! {
    /// In any order, with repetitions and with clocks that lie, each identity becomes one member
    /// with one empty account, and no registration is refused.
    #[test]
    fn registrations_are_never_refused_and_never_move_money(
        tails in proptest::collection::vec(1_u128..6, 1..20),
        skews in proptest::collection::vec(-9_000_000_i64..9_000_000, 20),
    ) {
        let mut shop = Shop::open(policy());
        for (tail, skew) in tails.iter().zip(&skews) {
            let mut operation = shop.by_cashier(create(*tail));
            operation.wall_time = operation.wall_time + qiantai_core::Millis(*skew);
            let now = shop.now;
            let decision = decide(&shop.state, &operation, now);
            prop_assert!(!matches!(decision.outcome, Outcome::Refused(_)));
            let moves = decision.changes.iter().any(|change| {
                matches!(change, Change::Posting(_) | Change::Journal(_) | Change::Cash(_))
            });
            prop_assert!(!moves);
            shop.state.record(&operation, &decision);
        }
        for tail in &tails {
            let id = MemberId(Uuid::from_u128(*tail));
            prop_assert!(shop.state.members.contains_key(&id));
            let account = &shop.state.accounts[&id];
            prop_assert_eq!(account.principal + account.bonus, Money::ZERO);
            prop_assert!(shop.state.members[&id].registered_at <= shop.now);
        }
    }
}
