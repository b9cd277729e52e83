//! A split: one top-up, a part in cash and the rest by card or transfer. Both parts are one fact, so
//! nothing is ever between them.

use qiantai_core::Money;
use qiantai_core::decide::{Change, Decision, Outcome};
use qiantai_core::ledger::{CaseKind, LedgerAccount};
use qiantai_core::member::MemberStatus;
use qiantai_core::operation::{Operation, OperationBody, RechargeRecorded};
use qiantai_core::policy::LimitAction;
use qiantai_core::quote::{CashShare, LimitCause, price};
use qiantai_core::recharge::{AmountChoice, OrderState};
use qiantai_core::recorded_payment::RecordedMethod::{self, Card, Transfer};

use crate::shop::{MEMBER, NOON, PACKAGE, SHIFT, Shop, amount, cases, policy, yuan};

const FLOAT: Money = Money::from_yuan(500);

fn body(operation: &mut Operation) -> &mut RechargeRecorded {
    match &mut operation.body {
        OperationBody::RechargeRecorded(body) => body,
        other => panic!("no split: {other:?}"),
    }
}

/// Splits `choice` after `spoil` changed shop and operation.
fn split(
    method: RecordedMethod,
    choice: AmountChoice,
    cash: Money,
    spoil: impl FnOnce(&mut Shop, &mut Operation),
) -> (Shop, Decision, RechargeRecorded) {
    let mut shop = Shop::open(policy());
    let mut recorded = shop.recorded_body(choice, method, "000123");
    recorded.cash_part = Some(cash);
    let mut operation = shop.by_cashier(OperationBody::RechargeRecorded(recorded));
    spoil(&mut shop, &mut operation);
    let decision = shop.run(&operation);
    let recorded = body(&mut operation).clone();
    (shop, decision, recorded)
}

/// In the drawer beside its float, with the bank, in suspense, with the member.
fn money(shop: &Shop, method: RecordedMethod) -> [Money; 4] {
    [
        shop.balance(LedgerAccount::Drawer(SHIFT)) - FLOAT,
        shop.balance(LedgerAccount::Clearing(method.channel())),
        -shop.balance(LedgerAccount::Suspense),
        shop.state.accounts[&MEMBER].principal,
    ]
}

fn cash_moved(decision: &Decision) -> Vec<(Money, bool)> {
    let changes = decision.changes.iter();
    let moved = changes.filter_map(|change| match change {
        Change::Cash(movement) => Some((movement.amount, movement.order.is_some())),
        _ => None,
    });
    moved.collect()
}

#[test]
fn both_parts_pay_one_order_in_one_go() {
    for method in RecordedMethod::ALL {
        let package = AmountChoice::Package(PACKAGE, 1);
        let (shop, decision, body) = split(method, package, yuan(100), |_, _| {});
        assert_eq!(cases(&decision), []);
        assert_eq!(
            money(&shop, method),
            [yuan(100), yuan(200), Money::ZERO, yuan(300)]
        );
        assert_eq!(cash_moved(&decision), [(yuan(100), true)]);
        let order = &shop.state.orders[&body.open.order];
        assert_eq!(order.state, OrderState::Credited);
        let paid = order.paid.as_ref().expect("paid");
        assert_eq!((paid.channel, paid.amount), (method.channel(), yuan(300)));
        assert_eq!(paid.cash_part, Some(yuan(100)));
        assert_eq!(paid.by_channel(), yuan(200));
        assert_eq!(paid.tendered, None);
        // Bonus, points and growth look at the whole.
        let whole = shop.quote(MEMBER, package, false);
        assert_eq!(shop.state.accounts[&MEMBER].bonus, yuan(50));
        assert_eq!(shop.state.accounts[&MEMBER].points, whole.points);
        assert_eq!(shop.state.accounts[&MEMBER].growth, whole.growth);
        let lots = &shop.state.accounts[&MEMBER].lots;
        assert_eq!(lots.len(), 1, "one top-up is one lot");
    }
}

/// What was promised for how much, of it in cash; then drawer, bank, suspense, member.
#[test]
fn every_fen_lies_somewhere_whatever_the_terminal_says() {
    let none = 0;
    let table: [(&str, i64, i64, [i64; 4]); 9] = [
        ("as agreed", 30_000, 10_000, [10_000, 20_000, none, 30_000]),
        ("a fen in cash", 30_000, 1, [1, 29_999, none, 30_000]),
        ("a fen by card", 30_000, 29_999, [29_999, 1, none, 30_000]),
        (
            "all of it in cash",
            30_000,
            30_000,
            [30_000, none, none, 30_000],
        ),
        (
            "more than all",
            30_000,
            i64::MAX,
            [30_000, none, none, 30_000],
        ),
        (
            "nothing in cash",
            30_000,
            none,
            [none, 30_000, none, 30_000],
        ),
        (
            "less than nothing",
            30_000,
            i64::MIN,
            [none, 30_000, none, 30_000],
        ),
        // The choice costs 300: what came beyond waits.
        ("too much", 31_000, 10_000, [10_000, 21_000, 1_000, 30_000]),
        (
            "too much in cash",
            31_000,
            30_500,
            [30_500, 500, 1_000, 30_000],
        ),
    ];
    for (name, pay, cash, expected) in table {
        let package = AmountChoice::Package(PACKAGE, 1);
        let cash = Money::from_fen(cash);
        let (shop, decision, body) = split(Card, package, cash, |_, operation| {
            self::body(operation).open.quote.pay = Money::from_fen(pay);
        });
        assert_eq!(decision.outcome, Outcome::Applied, "{name}");
        assert_eq!(money(&shop, Card), expected.map(Money::from_fen), "{name}");
        assert_eq!(
            shop.order_state(body.open.order),
            OrderState::Credited,
            "{name}"
        );
        let moved: Money = cash_moved(&decision)
            .iter()
            .map(|(amount, _)| *amount)
            .sum();
        assert_eq!(moved.fen(), expected[0], "{name}: the drawer's own sheet");
    }
}

#[test]
fn what_waits_waits_whole_and_is_credited_whole() {
    type Spoil = fn(&mut Shop, &mut Operation);
    let table: [(&str, i64, Spoil, CaseKind); 3] = [
        ("a limit", 5_001, |_, _| {}, CaseKind::LimitPassed),
        (
            "a frozen member",
            300,
            |shop, _| shop.set_status(MEMBER, MemberStatus::Frozen),
            CaseKind::CreditBlocked,
        ),
        (
            "a transfer that another order has",
            300,
            |shop, _| {
                let first = shop.recorded_body(amount(500), Transfer, "000123");
                shop.run_body(OperationBody::RechargeRecorded(first));
            },
            CaseKind::ReferenceUsed,
        ),
    ];
    for (name, pay, spoil, kind) in table {
        let mut before = [Money::ZERO; 4];
        let (mut shop, decision, body) = split(Transfer, amount(pay), yuan(100), |shop, op| {
            spoil(shop, op);
            before = money(shop, Transfer);
        });
        let gained = |shop: &Shop| {
            let now = money(shop, Transfer);
            [0, 1, 2, 3].map(|place: usize| now[place] - before[place])
        };
        assert_eq!(cases(&decision), [kind], "{name}");
        let order = body.open.order;
        assert_eq!(shop.order_state(order), OrderState::Paid, "{name}");
        let rest = yuan(pay - 100);
        let waiting = [yuan(100), rest, yuan(pay), Money::ZERO];
        assert_eq!(gained(&shop), waiting, "{name}");
        shop.set_status(MEMBER, MemberStatus::Active);
        shop.run_body(OperationBody::CreditRetry { order });
        assert_eq!(shop.order_state(order), OrderState::Credited, "{name}");
        let credited = [yuan(100), rest, Money::ZERO, yuan(pay)];
        assert_eq!(gained(&shop), credited, "{name}");
    }
}

#[test]
fn a_split_that_is_no_order_waits_in_suspense() {
    let (shop, decision, _) = split(Card, amount(300), yuan(100), |shop, operation| {
        body(operation).open.order = shop.pending_order(200);
    });
    assert_eq!(cases(&decision), [CaseKind::Unattributed]);
    assert_eq!(cash_moved(&decision), [(yuan(100), false)]);
    assert_eq!(
        money(&shop, Card),
        [yuan(100), yuan(200), yuan(300), Money::ZERO]
    );
}

/// The second record under the action of a split of 100 in cash, and what it is told.
#[test]
fn an_action_is_one_split() {
    let table = [
        ("again", Some(100), None),
        ("another part", Some(50), Some("amount")),
        ("no part", None, Some("amount")),
    ];
    for (name, part, differs) in table {
        let (mut shop, _, mut again) = split(Card, amount(300), yuan(100), |_, _| {});
        let first = shop.log.last().expect("written").0.clone();
        again.cash_part = part.map(yuan);
        let mut second = shop.by_cashier(OperationBody::RechargeRecorded(again));
        second.action_id = first.action_id;
        let decision = shop.run(&second);
        let [drawer, bank, suspense, member] = money(&shop, Card);
        assert_eq!(member, yuan(300), "{name}: credited once");
        match differs {
            None => {
                assert_eq!(decision.outcome, Outcome::Exists, "{name}");
                assert_eq!((drawer, bank), (yuan(100), yuan(200)), "{name}");
            }
            Some(field) => {
                let expected = Outcome::ExistsWithDifferent { field };
                assert_eq!(decision.outcome, expected, "{name}");
                assert_eq!(cases(&decision), [CaseKind::ActionReused], "{name}");
                let cash = yuan(100 + part.unwrap_or(0));
                assert_eq!((drawer, drawer + bank), (cash, yuan(600)), "{name}");
                assert_eq!(suspense, yuan(300), "{name}");
            }
        }
    }
}

#[test]
fn limits_on_cash_look_at_the_part_in_cash() {
    let new_cash = (LimitCause::NewMemberCash, LimitAction::Review);
    let shop = Shop::open(policy());
    let account = &shop.state.accounts[&MEMBER];
    for (share, expected) in [
        (CashShare::None, vec![]),
        (CashShare::Part(yuan(3_000)), vec![]),
        (CashShare::Part(yuan(3_001)), vec![new_cash]),
        (CashShare::Part(yuan(-1)), vec![]),
        (CashShare::Whole, vec![new_cash]),
    ] {
        // Registered today.
        let quote = price(&policy(), account, NOON, amount(4_000), share, &[], NOON);
        let quote = quote.expect("on sale");
        let notices = quote.notices.iter();
        let found: Vec<_> = notices
            .map(|notice| (notice.cause, notice.action))
            .collect();
        assert_eq!(found, expected, "{share:?}");
        assert_eq!(quote.pay, yuan(4_000), "{share:?}: the price is the same");
    }
}
