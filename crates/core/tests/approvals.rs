//! A manager's PIN beyond the cap on offline cash (docs: domain §5.2, sync, "Offline top-up").

use proptest::prelude::{Just, ProptestConfig, Strategy, any, proptest};
use proptest::{prop_assert_eq, sample};
use qiantai_core::Money;
use qiantai_core::decide::Outcome;
use qiantai_core::ids::StaffId;
use qiantai_core::ledger::CaseKind;
use qiantai_core::operation::{OperationBody, StaffMethod, StaffProof};
use qiantai_core::recharge::OrderState;
use uuid::Uuid;

use crate::shop::{AUDITOR, CASHIER, MANAGER, MEMBER, Shop, amount, cases, policy, yuan};

/// A manager who left the shop, one who stayed, and nobody of this shop.
const LEFT: StaffId = StaffId(Uuid::from_u128(23));
const OTHER_MANAGER: StaffId = StaffId(Uuid::from_u128(24));
const STRANGER: StaffId = StaffId(Uuid::from_u128(25));

/// A shop with two managers, and one who left.
fn shop() -> Shop {
    let mut rules = policy();
    let mut also = |id, active| {
        let known = rules.staff.iter().find(|person| person.id == MANAGER);
        let mut person = known.expect("a manager").clone();
        (person.id, person.active) = (id, active);
        rules.staff.push(person);
    };
    also(LEFT, false);
    also(OTHER_MANAGER, true);
    Shop::open(rules)
}

fn proof(staff: StaffId) -> StaffProof {
    StaffProof {
        staff,
        method: StaffMethod::Pin,
        policy_version: 1,
    }
}

fn staff() -> impl Strategy<Value = StaffId> {
    sample::select(vec![CASHIER, MANAGER, OTHER_MANAGER])
}

fn approver() -> impl Strategy<Value = Option<StaffId>> {
    let anybody = [CASHIER, AUDITOR, MANAGER, OTHER_MANAGER, LEFT, STRANGER];
    let anybody = sample::select(anybody.to_vec());
    proptest::prop_oneof![1 => Just(None), 3 => anybody.prop_map(Some)]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    /// The cash is posted whatever is claimed. Beyond the cap it opens no case exactly when another
    /// person, who is an active manager, approved it; and who may not approve is always told.
    #[test]
    fn only_another_active_manager_raises_the_cap(
        by in staff(),
        approved_by in approver(),
        pay in 900_i64..1_100,
        offline in any::<bool>(),
    ) {
        let mut shop = shop();
        let cap = policy().offline.cash_per_order;
        let mut body = shop.cash_body(amount(pay));
        body.approval = approved_by.map(proof);
        let order = body.open.order;
        let mut operation = shop.by_cashier(OperationBody::RechargeCash(body));
        operation.offline = offline;
        operation.staff = Some(proof(by));
        let decision = shop.run(&operation);

        let may = |id: &StaffId| [MANAGER, OTHER_MANAGER].contains(id) && *id != by;
        let approver = approved_by.filter(may);
        let mut expected = Vec::new();
        if approved_by.is_some() && approver.is_none() {
            expected.push(CaseKind::StaffIrregular);
        }
        if offline && yuan(pay) > cap && approver.is_none() {
            expected.push(CaseKind::LimitPassed);
        }
        prop_assert_eq!(decision.outcome.clone(), Outcome::Applied);
        prop_assert_eq!(cases(&decision), expected);
        prop_assert_eq!(shop.order_state(order), OrderState::Credited);
        prop_assert_eq!(shop.state.orders[&order].approver, approver);
        prop_assert_eq!(shop.state.accounts[&MEMBER].principal, yuan(pay));
    }
}

/// A lost answer, and then the same intent with a manager: one posting.
#[test]
fn an_approval_makes_no_other_action_of_it() {
    let mut shop = shop();
    let body = shop.cash_body(amount(300));
    let operation = shop.by_cashier(OperationBody::RechargeCash(body.clone()));
    assert_eq!(shop.run(&operation).outcome, Outcome::Applied);
    let mut again = body;
    again.approval = Some(proof(MANAGER));
    let mut repeat = shop.by_cashier(OperationBody::RechargeCash(again));
    repeat.action_id = operation.action_id;
    let decision = shop.run(&repeat);
    assert_eq!(decision.outcome, Outcome::Exists);
    let principal: Money = shop.state.accounts[&MEMBER].principal;
    assert_eq!(principal, yuan(300));
}
