//! Registration, balances from an older system, devices and rules.

use qiantai_core::account::Lot;
use qiantai_core::decide::{Change, Device, RefusalCode, State, decide};
use qiantai_core::ids::{LotId, MemberId, TierId};
use qiantai_core::ledger::LedgerAccount;
use qiantai_core::operation::{DeviceEnrol, MemberRegister, OpeningBalance, OperationBody};
use qiantai_core::policy::SpendOrder;
use qiantai_core::{Millis, Money, Timestamp};
use uuid::Uuid;

use crate::shop::{MEMBER, NOON, PLAIN, SERVER, SILVER, STORE, Shop, policy, refused, yuan};

fn lot(id: u128, principal: i64, bonus: i64) -> Lot {
    Lot {
        id: LotId(Uuid::from_u128(id)),
        order: None,
        principal_init: yuan(1_000),
        principal_left: yuan(principal),
        bonus_init: yuan(200),
        bonus_left: yuan(bonus),
        bonus_expires_at: Some(NOON + Millis::days(90)),
        spend_order: SpendOrder::Proportional,
        credited_at: NOON - Millis::days(30),
    }
}

fn opening(lots: Vec<Lot>) -> OpeningBalance {
    OpeningBalance {
        member: MEMBER,
        lots,
        net_recharged: yuan(3_800),
        growth: 3_800,
        points: 120,
        tier: SILVER,
    }
}

#[test]
fn an_older_balance_is_brought_whole() {
    let mut shop = Shop::open(policy());
    let body = opening(vec![lot(1, 400, 70), lot(2, 60, 0), lot(3, 0, 0)]);
    let decision = shop.run_body(OperationBody::OpeningBalance(body));
    assert_eq!(refused(&decision), None);
    let account = &shop.state.accounts[&MEMBER];
    assert_eq!((account.principal, account.bonus), (yuan(460), yuan(70)));
    assert_eq!(
        (account.tier, account.recharged, account.points),
        (SILVER, yuan(3_800), 120)
    );
    assert_eq!((account.last_seq, account.lots.len()), (3, 2));
    assert!(account.tier_valid_until.is_some());
    // The float of the shift is brought from outside too.
    assert_eq!(shop.balance(LedgerAccount::Opening), yuan(460 - 500));
}

#[test]
fn an_opening_that_cannot_be_is_refused() {
    let negative = Lot {
        principal_left: yuan(-1),
        ..lot(1, 0, 0)
    };
    let overfull = Lot {
        bonus_left: yuan(201),
        ..lot(1, 0, 0)
    };
    let cases = [
        (opening(vec![negative]), RefusalCode::AmountOutOfRange),
        (opening(vec![overfull]), RefusalCode::AmountOutOfRange),
        (
            opening(vec![lot(1, 1, 0), lot(1, 1, 0)]),
            RefusalCode::AmountOutOfRange,
        ),
        (
            OpeningBalance {
                points: -1,
                ..opening(vec![])
            },
            RefusalCode::AmountOutOfRange,
        ),
        (
            OpeningBalance {
                net_recharged: yuan(-1),
                ..opening(vec![])
            },
            RefusalCode::AmountOutOfRange,
        ),
        (
            OpeningBalance {
                member: MemberId(Uuid::nil()),
                ..opening(vec![])
            },
            RefusalCode::MemberUnknown,
        ),
    ];
    for (body, expected) in cases {
        let mut shop = Shop::open(policy());
        let decision = shop.run_body(OperationBody::OpeningBalance(body.clone()));
        assert_eq!(refused(&decision), Some(expected), "{body:?}");
    }
    let mut shop = Shop::open(policy());
    shop.run_body(OperationBody::OpeningBalance(opening(vec![lot(1, 1, 0)])));
    let twice = shop.run_body(OperationBody::OpeningBalance(opening(vec![lot(1, 1, 0)])));
    assert_eq!(refused(&twice), Some(RefusalCode::NumberTaken));
}

#[test]
fn an_unknown_tier_is_not_taken_over() {
    let mut shop = Shop::open(policy());
    let body = OpeningBalance {
        tier: TierId(Uuid::nil()),
        ..opening(vec![])
    };
    shop.run_body(OperationBody::OpeningBalance(body));
    assert_eq!(shop.state.accounts[&MEMBER].tier, PLAIN);
}

#[test]
fn a_member_is_registered_once_and_not_in_the_future() {
    let mut shop = Shop::open(policy());
    let member = MemberId(Uuid::from_u128(41));
    let body = MemberRegister {
        member,
        member_no: "M41".into(),
        home_store: STORE,
        registered_at: NOON + Millis::days(9),
    };
    let first = shop.run_body(OperationBody::MemberRegister(body.clone()));
    assert_eq!(refused(&first), None);
    assert_eq!(shop.state.members[&member].registered_at, NOON);
    let account = &shop.state.accounts[&member];
    assert_eq!(
        (account.principal, account.tier, account.last_seq),
        (Money::ZERO, PLAIN, 0)
    );
    let second = shop.run_body(OperationBody::MemberRegister(body));
    assert_eq!(refused(&second), Some(RefusalCode::NumberTaken));
}

#[test]
fn the_first_device_of_a_ledger_is_the_server() {
    let mut shop = Shop::open(policy());
    let enrol = |device, code: &str| {
        let body = DeviceEnrol {
            device,
            terminal_code: code.into(),
            public_key: [7; 32],
        };
        OperationBody::DeviceEnrol(body)
    };
    let own = shop.by_server(enrol(SERVER, "00"));
    let decision = decide(&State::default(), &own, NOON);
    let expected = Device {
        id: SERVER,
        terminal_code: "00".into(),
        public_key: [7; 32],
        is_server: true,
    };
    assert_eq!(decision.changes, [Change::Device(expected)]);
    let till = crate::shop::TILL;
    let usurper = shop.by_cashier(enrol(till, "00"));
    assert_eq!(refused(&shop.run(&usurper)), Some(RefusalCode::ServerOnly));
    let known = shop.by_server(enrol(till, "01"));
    assert_eq!(refused(&shop.run(&known)), Some(RefusalCode::NumberTaken));
}

#[test]
fn rules_count_upwards() {
    let mut shop = Shop::open(policy());
    for (version, expected) in [(2, None), (0, Some(RefusalCode::NumberTaken))] {
        let decision = shop.run_body(OperationBody::PolicyPublish { version });
        assert_eq!(refused(&decision), expected, "{version}");
    }
    assert_eq!(
        shop.state
            .policy_at(Timestamp::from_ms(-1))
            .map(|policy| policy.version),
        Some(1)
    );
}
