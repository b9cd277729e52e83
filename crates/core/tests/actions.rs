//! One action posts once; the same action with another content is told apart.

use qiantai_core::decide::{Outcome, business_digest, differing_field};
use qiantai_core::ids::{OpId, StaffId};
use qiantai_core::ledger::{CaseKind, LedgerAccount};
use qiantai_core::operation::{Operation, OperationBody, RechargeCash};
use qiantai_core::{Millis, Money};
use uuid::Uuid;

use crate::shop::{MEMBER, Shop, amount, cases, policy, refused, yuan};

/// The same action again, as a new record, after `edit`.
fn again(shop: &mut Shop, first: &Operation, edit: impl FnOnce(&mut Operation)) -> Operation {
    let mut operation = first.clone();
    operation.op_id = OpId(shop.id());
    edit(&mut operation);
    operation
}

fn cash(operation: &mut Operation) -> &mut RechargeCash {
    match &mut operation.body {
        OperationBody::RechargeCash(body) => body,
        other => panic!("not cash: {other:?}"),
    }
}

#[test]
fn what_a_repeated_try_may_see_anew() {
    let edits: [fn(&mut RechargeCash); 7] = [
        |_| {},
        |body| body.open.quote.quoted_at = body.open.quote.quoted_at + Millis::minutes(9),
        |body| body.open.quote.policy_version += 1,
        |body| body.open.quote.points += 1,
        |body| body.open.quote.tier.1 = crate::shop::GOLD,
        |body| body.open.quote.rules.clear(),
        |body| body.open.duplicate_confirmed = true,
    ];
    for edit in edits {
        let mut shop = Shop::open(policy());
        let body = shop.cash_body(amount(300));
        let first = shop.by_cashier(OperationBody::RechargeCash(body));
        shop.run(&first);
        let second = again(&mut shop, &first, |operation| edit(cash(operation)));
        let decision = shop.run(&second);
        assert_eq!(
            (decision.outcome, decision.changes.len()),
            (Outcome::Exists, 0)
        );
        assert_eq!(shop.state.accounts[&MEMBER].principal, yuan(300));
    }
}

#[test]
fn another_content_is_named_and_its_cash_waits() {
    type Edit = fn(&mut RechargeCash);
    let edits: [(Edit, &str, i64); 7] = [
        (|body| body.open.order.0 = Uuid::nil(), "id", 300),
        (|body| body.open.order_no.push('X'), "number", 300),
        (|body| body.open.member.0 = Uuid::nil(), "subject", 300),
        (|body| body.open.choice = amount(301), "choice", 300),
        (|body| body.tendered = yuan(400), "amount", 400),
        (|body| body.open.quote.bonus = yuan(1), "promise", 300),
        (
            |body| body.open.seller = Some(StaffId(Uuid::nil())),
            "rest",
            300,
        ),
    ];
    for (edit, expected, received) in edits {
        let mut shop = Shop::open(policy());
        let body = shop.cash_body(amount(300));
        let first = shop.by_cashier(OperationBody::RechargeCash(body));
        shop.run(&first);
        let second = again(&mut shop, &first, |operation| edit(cash(operation)));
        let decision = shop.run(&second);
        assert_eq!(
            decision.outcome,
            Outcome::ExistsWithDifferent { field: expected }
        );
        assert_eq!(cases(&decision), [CaseKind::ActionReused]);
        assert_eq!(shop.balance(LedgerAccount::Suspense), yuan(-received));
        assert_eq!(shop.state.accounts[&MEMBER].principal, yuan(300));
    }
}

#[test]
fn a_request_with_another_content_changes_nothing() {
    let mut shop = Shop::open(policy());
    let body = shop.open_body(amount(300), false);
    let first = shop.by_cashier(OperationBody::RechargeOpen(body));
    shop.run(&first);
    let second = again(&mut shop, &first, |operation| {
        let OperationBody::RechargeOpen(body) = &mut operation.body else {
            panic!("not an order")
        };
        body.choice = amount(500);
    });
    let decision = shop.run(&second);
    assert_eq!(
        decision.outcome,
        Outcome::ExistsWithDifferent { field: "choice" }
    );
    assert!(decision.changes.is_empty());
}

#[test]
fn cash_under_the_action_of_an_open_order_waits() {
    let mut shop = Shop::open(policy());
    let body = shop.open_body(amount(300), false);
    let request = shop.by_cashier(OperationBody::RechargeOpen(body.clone()));
    shop.run(&request);
    let cash = RechargeCash {
        open: body,
        tendered: yuan(300),
        change: Money::ZERO,
        approval: None,
    };
    let fact = again(&mut shop, &request, |operation| {
        operation.body = OperationBody::RechargeCash(cash);
    });
    let decision = shop.run(&fact);
    assert_eq!(
        decision.outcome,
        Outcome::ExistsWithDifferent { field: "kind" }
    );
    assert_eq!(shop.balance(LedgerAccount::Suspense), yuan(-300));
    assert_eq!(shop.state.accounts[&MEMBER].principal, Money::ZERO);
}

#[test]
fn a_refusal_is_final_for_requests_and_none_for_facts() {
    let mut shop = Shop::open(policy());
    let mut body = shop.open_body(amount(300), false);
    body.quote.bonus = yuan(51);
    let request = shop.by_cashier(OperationBody::RechargeOpen(body.clone()));
    assert!(refused(&shop.run(&request)).is_some());
    let repeat = again(&mut shop, &request, |_| {});
    assert_eq!(shop.run(&repeat).outcome, Outcome::Exists);
    // The cashier took cash instead, under the same intent.
    body.quote.bonus = yuan(50);
    let cash = RechargeCash {
        open: body,
        tendered: yuan(300),
        change: Money::ZERO,
        approval: None,
    };
    let fact = again(&mut shop, &request, |operation| {
        operation.body = OperationBody::RechargeCash(cash);
    });
    let decision = shop.run(&fact);
    assert_eq!(
        (&decision.outcome, cases(&decision)),
        (&Outcome::Applied, vec![])
    );
    let repeat = again(&mut shop, &fact, |_| {});
    assert_eq!(shop.run(&repeat).outcome, Outcome::Exists);
    assert_eq!(shop.state.accounts[&MEMBER].principal, yuan(300));
}

#[test]
fn reused_facts_without_money_open_a_case() {
    let mut shop = Shop::open(policy());
    let body = shop.cash_body(amount(300));
    let order = body.open.order;
    shop.run_body(OperationBody::RechargeCash(body));
    let first = shop.by_cashier(OperationBody::ReceiptReprint {
        order,
        copy: 1,
        approval: None,
    });
    shop.run(&first);
    let second = again(&mut shop, &first, |operation| {
        operation.body = OperationBody::ReceiptReprint {
            order,
            copy: 2,
            approval: None,
        };
    });
    let decision = shop.run(&second);
    assert_eq!(cases(&decision), [CaseKind::ActionReused]);
    assert_eq!(shop.state.orders[&order].copies, 1);
}

/// Digests are kept for ever: this one may never change.
#[test]
fn the_digest_is_stable() {
    let mut shop = Shop::open(policy());
    let body = OperationBody::RechargeCash(shop.cash_body(amount(300)));
    let digest = business_digest(&body);
    let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(
        hex,
        "e0374b55c2363d215b6639765dd22d3eef5fd05188cc54f3403b5ed6bf103baf"
    );
    assert_eq!(differing_field(&digest, &digest), None);
    // Tags agree and the whole does not: some group differs, nobody can say which.
    let mut other = digest;
    other[0] ^= 1;
    assert_eq!(differing_field(&digest, &other), Some("rest"));
}
