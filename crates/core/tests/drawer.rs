//! The drawer opened without a sale (docs: domain §5.1, §5.2, adr 0047).

use qiantai_core::decide::Outcome;
use qiantai_core::drawer::{DrawerOpen, DrawerReason, WORDS_MOST, is_asked_for};
use qiantai_core::ids::{ShiftId, StaffId};
use qiantai_core::ledger::CaseKind::{self, ActionReused, ShiftIrregular, StaffIrregular};
use qiantai_core::operation::{OperationBody, StaffMethod, StaffProof};
use qiantai_core::policy::Policy;
use uuid::Uuid;

use crate::shop::{AUDITOR, CASHIER, MANAGER, SECOND, SHIFT, Shop, cases, policy, with_second};

const STRANGER: StaffId = StaffId(Uuid::from_u128(25));

fn proof(staff: StaffId) -> StaffProof {
    StaffProof {
        staff,
        method: StaffMethod::Pin,
        policy_version: 1,
    }
}

pub fn opening(reason: DrawerReason, words: Option<&str>, approver: StaffId) -> OperationBody {
    OperationBody::DrawerOpen(DrawerOpen {
        reason,
        words: words.map(str::to_owned),
        approval: proof(approver),
    })
}

#[test]
fn another_manager_lets_it_or_who_works_alone_and_everything_else_is_told() {
    let no_shift = ShiftId(Uuid::from_u128(404));
    let (alone, left, two) = (policy(), with_second(false), with_second(true));
    let cases_of: [(&Policy, StaffId, StaffId, ShiftId, &[CaseKind]); 11] = [
        (&alone, CASHIER, MANAGER, SHIFT, &[]),
        (&two, MANAGER, SECOND, SHIFT, &[]),
        (&two, MANAGER, MANAGER, SHIFT, &[StaffIrregular]),
        (&alone, MANAGER, MANAGER, SHIFT, &[]),
        (&left, MANAGER, MANAGER, SHIFT, &[]),
        (&left, CASHIER, SECOND, SHIFT, &[StaffIrregular]),
        (&alone, CASHIER, CASHIER, SHIFT, &[StaffIrregular]),
        (&alone, CASHIER, STRANGER, SHIFT, &[StaffIrregular]),
        (&alone, AUDITOR, MANAGER, SHIFT, &[StaffIrregular]),
        (&alone, CASHIER, MANAGER, no_shift, &[ShiftIrregular]),
        (
            &alone,
            STRANGER,
            STRANGER,
            no_shift,
            &[ShiftIrregular, StaffIrregular],
        ),
    ];
    for (rules, by, approver, shift, expected) in cases_of {
        let mut shop = Shop::open(rules.clone());
        let mut operation = shop.by_cashier(opening(DrawerReason::Change, None, approver));
        (operation.staff, operation.shift) = (Some(proof(by)), Some(shift));
        let decision = shop.run(&operation);
        assert_eq!(decision.outcome, Outcome::Applied);
        assert_eq!(cases(&decision), expected, "{by} {approver} {shift}");
        // Nothing but the cases and the word of them.
        assert_eq!(decision.changes.len(), 2 * expected.len());
    }
}

#[test]
fn an_intent_opens_it_once() {
    let mut shop = Shop::open(policy());
    let first = shop.by_cashier(opening(DrawerReason::Count, None, MANAGER));
    shop.run(&first);
    let mut again = shop.by_cashier(opening(DrawerReason::Count, None, SECOND));
    again.action_id = first.action_id;
    assert_eq!(shop.run(&again).outcome, Outcome::Exists);
    for body in [
        opening(DrawerReason::Mistake, None, MANAGER),
        opening(DrawerReason::Other, Some("oil"), MANAGER),
    ] {
        let mut other = shop.by_cashier(body);
        other.action_id = first.action_id;
        let decision = shop.run(&other);
        let field = "choice";
        assert_eq!(decision.outcome, Outcome::ExistsWithDifferent { field });
        assert_eq!(cases(&decision), [ActionReused]);
    }
}

#[test]
fn words_stand_with_the_reason_that_has_none() {
    use DrawerReason::{Change, Other};
    let longest = "换".repeat(WORDS_MOST);
    let too_long = "换".repeat(WORDS_MOST + 1);
    for (reason, words, expected) in [
        (Change, None, true),
        (Change, Some("note"), false),
        (Other, None, false),
        (Other, Some(""), false),
        (Other, Some("oil the lock"), true),
        (Other, Some(" oil"), false),
        (Other, Some("oil\nlock"), false),
        (Other, Some(longest.as_str()), true),
        (Other, Some(too_long.as_str()), false),
    ] {
        let OperationBody::DrawerOpen(body) = opening(reason, words, MANAGER) else {
            unreachable!("made above");
        };
        assert_eq!(body.is_whole(), expected, "{reason:?} {words:?}");
    }
}

#[test]
fn a_line_asks_for_the_drawer_or_for_a_top_up() {
    for line in [
        "开钱箱",
        " 打开 钱箱　",
        "ＫＱＸ",
        "Open the drawer",
        "open drawer",
    ] {
        assert!(is_asked_for(line), "{line}");
    }
    for line in ["", "张伟 充 300", "开钱箱 充 300", "drawer zhang", "kq"] {
        assert!(!is_asked_for(line), "{line}");
    }
}
