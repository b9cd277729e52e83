//! Leases and what is spent from them without asking (docs: sync, "Offline spending: leases").

use qiantai_core::Money;
use qiantai_core::account::{Account, draw};
use qiantai_core::decide::{Decision, Device, Outcome, RefusalCode, State};
use qiantai_core::ids::{DeviceId, LeaseId, LotId, MemberId};
use qiantai_core::lease::{LEASED_MOST, LEASES_MOST, Lease, LeaseState, free_lots, renewal};
use qiantai_core::ledger::{CaseKind, LedgerAccount};
use qiantai_core::member::MemberStatus;
use qiantai_core::operation::{
    LeaseDraw, LeaseGrant, NamedLease, Operation, OperationBody, SpendOffline, StaffMethod,
    StaffProof,
};
use qiantai_core::recharge::AmountChoice;
use uuid::Uuid;

use crate::books::Books;
use crate::shop::{
    MANAGER, MEMBER, PACKAGE, STORE, Shop, TILL, amount, cases, policy_without_limits, refused,
    yuan,
};

pub const OTHER: MemberId = MemberId(Uuid::from_u128(41));

/// Tills of the store; the first is the one with an open shift.
pub fn till(index: u128) -> DeviceId {
    DeviceId(Uuid::from_u128(TILL.0.as_u128() + index * 100))
}

/// A shop with so many tills, and a member with 300 and a bonus of 50.
pub fn shop(tills: u128) -> Shop {
    let mut shop = Shop::open(policy_without_limits());
    for index in 1..tills {
        let device = Device {
            id: till(index),
            terminal_code: format!("{:02}", index + 1),
            public_key: [0; 32],
            is_server: false,
        };
        shop.state.devices.insert(device.id, device);
    }
    top_up(&mut shop, AmountChoice::Package(PACKAGE, 1));
    shop
}

pub fn top_up(shop: &mut Shop, choice: AmountChoice) {
    let mut body = shop.cash_body(choice);
    body.open.duplicate_confirmed = true;
    let done = shop.run_body(OperationBody::RechargeCash(body));
    assert_eq!(done.outcome, Outcome::Applied);
}

/// What the server would grant now; nothing where the rule allows none.
pub fn offer(state: &State, device: DeviceId, member: MemberId) -> LeaseGrant {
    let leases = || state.leases.values().filter(|lease| lease.member == member);
    let own = leases().filter(|lease| lease.device == device && lease.state == LeaseState::Held);
    let account = &state.accounts[&member];
    let come = renewal(account, own.map(Lease::left).sum());
    LeaseGrant {
        member,
        device,
        lots: draw(&free_lots(account, leases()), come, true).expect("no more than is available"),
    }
}

pub fn lease(shop: &mut Shop, device: DeviceId) -> LeaseId {
    let grant = offer(&shop.state, device, MEMBER);
    let operation = shop.by_server(OperationBody::LeaseGrant(grant));
    assert_eq!(shop.run(&operation).outcome, Outcome::Applied);
    LeaseId(operation.op_id.0)
}

pub fn spending(fen: i64, draws: &[(LeaseId, i64)]) -> SpendOffline {
    let draw = |(lease, fen): &(LeaseId, i64)| LeaseDraw {
        lease: *lease,
        amount: Money::from_fen(*fen),
    };
    SpendOffline {
        member: MEMBER,
        amount: Money::from_fen(fen),
        draws: draws.iter().map(draw).collect(),
        approval: None,
    }
}

pub fn spend(shop: &mut Shop, device: DeviceId, body: SpendOffline) -> Decision {
    let mut operation = shop.by_cashier(OperationBody::SpendOffline(body));
    operation.offline = true;
    if device != TILL {
        (operation.device, operation.shift) = (device, None);
    }
    shop.run(&operation)
}

pub fn manager() -> Option<StaffProof> {
    Some(StaffProof {
        staff: MANAGER,
        method: StaffMethod::Pin,
        policy_version: 1,
    })
}

pub fn account(shop: &Shop) -> &Account {
    &shop.state.accounts[&MEMBER]
}

/// Principal, bonus, and both as far as they are held, in fen.
fn purse(shop: &Shop) -> [i64; 4] {
    let account = account(shop);
    let amounts = [
        account.principal,
        account.bonus,
        account.frozen_principal,
        account.frozen_bonus,
    ];
    amounts.map(Money::fen)
}

/// Everything that must hold after every step.
pub fn assert_sound(shop: &Shop) {
    let decisions = shop.log.iter();
    Books::of(decisions.map(|(_, _, decision)| decision.changes.as_slice()))
        .assert_agree_with(&shop.state);
    for (member, account) in &shop.state.accounts {
        let leases = || {
            let leases = shop.state.leases.values();
            leases.filter(|lease| lease.member == *member)
        };
        let held: Money = leases().map(|lease| lease.held().0 + lease.held().1).sum();
        assert_eq!(account.frozen_principal + account.frozen_bonus, held);
        let free = free_lots(account, leases());
        let available: Money = free
            .iter()
            .map(|lot| lot.principal_left + lot.bonus_left)
            .sum();
        assert_eq!(held + available, account.principal + account.bonus);
        assert!(
            free.iter()
                .all(|lot| !lot.principal_left.is_negative() && !lot.bonus_left.is_negative())
        );
        let owed = shop.balance(LedgerAccount::MemberDebt(*member));
        assert_eq!(owed, account.debt);
    }
}

#[test]
fn a_lease_holds_its_share_and_payments_draw_on_it() {
    let mut shop = shop(1);
    let lease = lease(&mut shop, TILL);
    // 30 % of 350, in the ratio of the lot.
    assert_eq!(purse(&shop), [30_000, 5_000, 9_000, 1_500]);
    let paid = spend(&mut shop, TILL, spending(7_000, &[(lease, 7_000)]));
    assert_eq!(
        (paid.outcome.clone(), cases(&paid)),
        (Outcome::Applied, vec![])
    );
    assert_eq!(purse(&shop), [24_000, 4_000, 3_000, 500]);
    assert_eq!(shop.balance(LedgerAccount::Revenue(STORE)), yuan(-60));
    let rest = spend(&mut shop, TILL, spending(3_500, &[(lease, 3_500)]));
    assert_eq!(cases(&rest), []);
    assert_eq!(shop.state.leases[&lease].state, LeaseState::Spent);
    assert_eq!(purse(&shop), [21_000, 3_500, 0, 0]);
    assert_sound(&shop);
}

type Prepare = fn(&mut Shop, LeaseId) -> (DeviceId, SpendOffline);

/// What is done with a lease; the cases; balance and debt after it, in yuan.
fn check(name: &str, prepare: Prepare, expected: &[CaseKind], balance: i64, debt: i64) {
    let mut shop = shop(2);
    let lease = lease(&mut shop, TILL);
    let (device, body) = prepare(&mut shop, lease);
    let paid = spend(&mut shop, device, body);
    assert_eq!(paid.outcome, Outcome::Applied, "{name}");
    let told = cases(&paid).into_iter();
    let told: Vec<_> = told
        .filter(|kind| *kind != CaseKind::ShiftIrregular)
        .collect();
    assert_eq!(told, expected, "{name}");
    let account = account(&shop);
    let after = (account.principal + account.bonus, account.debt);
    assert_eq!(after, (yuan(balance), yuan(debt)), "{name}");
    assert_sound(&shop);
}

#[test]
fn a_payment_is_never_refused_and_what_it_broke_is_told() {
    use CaseKind::{LeaseExceeded, LimitPassed, MemberInactive, Overdrawn};
    check(
        "beyond its lease",
        |_, lease| (TILL, spending(20_000, &[(lease, 10_500)])),
        &[LimitPassed],
        150,
        0,
    );
    check(
        "beyond it with a manager's PIN",
        |_, lease| {
            let mut body = spending(20_000, &[(lease, 10_500)]);
            body.approval = manager();
            (TILL, body)
        },
        &[],
        150,
        0,
    );
    check(
        "more than it holds",
        |_, lease| (TILL, spending(11_000, &[(lease, 11_000)])),
        &[LeaseExceeded],
        240,
        0,
    );
    check(
        "on another till's lease",
        |_, lease| (till(1), spending(5_000, &[(lease, 5_000)])),
        &[LeaseExceeded],
        300,
        0,
    );
    check(
        "on no lease that there is",
        |_, _| (TILL, spending(5_000, &[(LeaseId(Uuid::nil()), 5_000)])),
        &[LeaseExceeded],
        300,
        0,
    );
    check(
        "more than there is: other tills keep what they hold",
        |shop, _| {
            self::lease(shop, till(1));
            (TILL, spending(40_000, &[]))
        },
        &[Overdrawn, LimitPassed],
        210,
        260,
    );
    check(
        "by a member who was frozen meanwhile",
        |shop, lease| {
            shop.set_status(MEMBER, MemberStatus::Frozen);
            (TILL, spending(5_000, &[(lease, 5_000)]))
        },
        &[MemberInactive],
        300,
        0,
    );
}

#[test]
fn a_payment_on_a_lease_that_has_ended_is_paid_from_what_is_available() {
    check(
        "on a lease that was released",
        |shop, lease| {
            let member = MEMBER;
            shop.run_body(OperationBody::LeaseRelease(NamedLease { lease, member }));
            assert_eq!(purse(shop), [30_000, 5_000, 0, 0]);
            (TILL, spending(5_000, &[(lease, 5_000)]))
        },
        &[CaseKind::LeaseExceeded],
        300,
        0,
    );
    check(
        "in good faith on a lease that was declared lost",
        |shop, lease| {
            let member = MEMBER;
            shop.run_body(OperationBody::LeaseLost(NamedLease { lease, member }));
            assert_eq!(purse(shop), [30_000, 5_000, 0, 0]);
            (TILL, spending(5_000, &[(lease, 5_000)]))
        },
        &[],
        300,
        0,
    );
}

#[test]
fn what_nobody_can_place_waits_in_suspense() {
    let mut shop = shop(1);
    let stranger = SpendOffline {
        member: MemberId(Uuid::nil()),
        ..spending(5_000, &[])
    };
    let paid = spend(&mut shop, TILL, stranger);
    assert_eq!(cases(&paid), [CaseKind::Unattributed]);
    assert_eq!(shop.balance(LedgerAccount::Suspense), yuan(50));
    // Another payment under an action that was used.
    let operation = shop.by_cashier(OperationBody::SpendOffline(spending(1_000, &[])));
    shop.run(&operation);
    let mut other = operation.clone();
    other.op_id.0 = shop.id();
    other.body = OperationBody::SpendOffline(spending(2_000, &[]));
    let answer = shop.run(&other);
    assert_eq!(
        answer.outcome,
        Outcome::ExistsWithDifferent { field: "amount" }
    );
    assert_eq!(shop.balance(LedgerAccount::Suspense), yuan(70));
    // The same payment, now with a lease: it is the same payment.
    let lease = lease(&mut shop, TILL);
    let mut again = operation;
    again.op_id.0 = shop.id();
    again.body = OperationBody::SpendOffline(spending(1_000, &[(lease, 1_000)]));
    assert_eq!(shop.run(&again).outcome, Outcome::Exists);
    assert_sound(&shop);
}

#[test]
fn grants_keep_to_the_rule_and_to_the_money() {
    let mut shop = shop(2);
    let good = offer(&shop.state, TILL, MEMBER);
    let with = |change: fn(&mut LeaseGrant)| {
        let mut grant = good.clone();
        change(&mut grant);
        grant
    };
    let fen = Money::from_fen;
    let refusals = [
        (
            with(|grant| grant.member = MemberId(Uuid::nil())),
            RefusalCode::MemberUnknown,
        ),
        (
            with(|grant| grant.device = DeviceId(Uuid::nil())),
            RefusalCode::LeaseNotCovered,
        ),
        (
            with(|grant| grant.device = crate::shop::SERVER),
            RefusalCode::LeaseNotCovered,
        ),
        (
            with(|grant| grant.lots.clear()),
            RefusalCode::LeaseNotCovered,
        ),
        (
            with(|grant| grant.lots.push(grant.lots[0])),
            RefusalCode::LeaseNotCovered,
        ),
        (
            with(|grant| grant.lots[0].lot = LotId(Uuid::nil())),
            RefusalCode::LeaseNotCovered,
        ),
        (
            with(|grant| grant.lots[0].principal += Money::from_fen(1)),
            RefusalCode::LeaseNotCovered,
        ),
        (
            with(|grant| {
                grant.lots[0].bonus = Money::from_fen(-1);
                grant.lots[0].principal = Money::from_fen(100);
            }),
            RefusalCode::LeaseNotCovered,
        ),
    ];
    for (grant, code) in refusals {
        let said = format!("{grant:?}");
        let decision = shop.run_body(OperationBody::LeaseGrant(grant));
        assert_eq!(refused(&decision), Some(code), "{said}");
    }
    shop.set_status(MEMBER, MemberStatus::Frozen);
    let frozen = shop.run_body(OperationBody::LeaseGrant(good.clone()));
    assert_eq!(refused(&frozen), Some(RefusalCode::MemberNotActive));
    shop.set_status(MEMBER, MemberStatus::Active);
    // A terminal grants itself nothing.
    let by_till = shop.by_cashier(OperationBody::LeaseGrant(good.clone()));
    assert_eq!(refused(&shop.run(&by_till)), Some(RefusalCode::ServerOnly));
    let first = lease(&mut shop, TILL);
    let twice = shop.run_body(OperationBody::LeaseGrant(good));
    assert_eq!(refused(&twice), Some(RefusalCode::LeaseNotCovered));
    let unknown = NamedLease {
        lease: LeaseId(Uuid::nil()),
        member: MEMBER,
    };
    let lost = shop.run_body(OperationBody::LeaseLost(unknown));
    assert_eq!(refused(&lost), Some(RefusalCode::LeaseUnknown));
    // Nobody else gives a lease back.
    let mut release = shop.by_cashier(OperationBody::LeaseRelease(NamedLease {
        lease: first,
        member: MEMBER,
    }));
    release.device = till(1);
    let before = shop.state.clone();
    assert_eq!(shop.run(&release).changes, []);
    assert_eq!(shop.state.leases, before.leases);
    assert_eq!(account(&shop).frozen_principal, fen(9_000));
    assert_sound(&shop);
}

#[test]
fn a_renewal_is_another_lease_and_they_stay_few() {
    let mut shop = shop(1);
    top_up(&mut shop, amount(2_000));
    let mut leases = Vec::new();
    for _ in 0..40 {
        if !offer(&shop.state, TILL, MEMBER).lots.is_empty() {
            leases.push(lease(&mut shop, TILL));
        }
        let held: Money = leases.iter().map(|id| shop.state.leases[id].left()).sum();
        assert!(held <= LEASED_MOST);
        let mut open = leases
            .iter()
            .filter(|id| shop.state.leases[id].left().is_positive());
        assert!(open.clone().count() <= LEASES_MOST);
        // Always the newest: leftovers of the older ones stay.
        let newest = open.next_back().copied().expect("something is held");
        let left = shop.state.leases[&newest].left().fen();
        let spent = spend(
            &mut shop,
            TILL,
            spending((left / 2).max(1), &[(newest, (left / 2).max(1))]),
        );
        assert_eq!(cases(&spent), []);
    }
    assert_sound(&shop);
}

/// A lease that is not the member's named in a payment is not a lease of the payment's.
#[test]
fn a_lease_of_somebody_else_pays_nothing() {
    let mut shop = shop(1);
    shop.register(OTHER);
    let lease = lease(&mut shop, TILL);
    let body = SpendOffline {
        member: OTHER,
        ..spending(5_000, &[(lease, 5_000)])
    };
    let operation: Operation = shop.by_cashier(OperationBody::SpendOffline(body));
    let paid = shop.run(&operation);
    assert_eq!(cases(&paid), [CaseKind::LeaseExceeded, CaseKind::Overdrawn]);
    assert_eq!(purse(&shop), [30_000, 5_000, 9_000, 1_500]);
    assert_eq!(shop.state.accounts[&OTHER].debt, yuan(50));
    assert_sound(&shop);
}
