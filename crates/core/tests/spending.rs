//! Principal and bonus of a payment from stored value (docs: domain §3.1).

use proptest::prelude::{Just, Strategy, prop_oneof, proptest};
use proptest::{prop_assert, prop_assert_eq};
use qiantai_core::account::{BalanceShort, Lot, draw};
use qiantai_core::ids::LotId;
use qiantai_core::policy::SpendOrder;
use qiantai_core::{Millis, Money, Timestamp};
use uuid::Uuid;

use crate::shop::{NOON, yuan};

fn lot(id: u128, principal: i64, bonus: i64) -> Lot {
    Lot {
        id: LotId(Uuid::from_u128(id)),
        order: None,
        principal_init: Money::from_fen(principal),
        principal_left: Money::from_fen(principal),
        bonus_init: Money::from_fen(bonus),
        bonus_left: Money::from_fen(bonus),
        bonus_expires_at: None,
        spend_order: SpendOrder::Proportional,
        credited_at: NOON,
    }
}

#[test]
fn three_hundred_and_fifty_less_one_hundred_and_forty() {
    let draws = draw(&[lot(1, 30_000, 5_000)], yuan(140), true).expect("enough");
    assert_eq!((draws[0].principal, draws[0].bonus), (yuan(120), yuan(20)));
    let rest = draw(&[lot(1, 18_000, 3_000)], yuan(210), true).expect("enough");
    assert_eq!((rest[0].principal, rest[0].bonus), (yuan(180), yuan(30)));
}

#[test]
fn each_order_of_spending() {
    let cases = [
        (SpendOrder::Proportional, true, 14_000, (12_000, 2_000)),
        (SpendOrder::BonusLast, true, 14_000, (14_000, 0)),
        (SpendOrder::BonusLast, true, 32_000, (30_000, 2_000)),
        (SpendOrder::BonusFirst, true, 14_000, (9_000, 5_000)),
        (SpendOrder::BonusFirst, true, 4_000, (0, 4_000)),
        (SpendOrder::BonusFirst, false, 14_000, (14_000, 0)),
        (SpendOrder::Proportional, false, 30_000, (30_000, 0)),
    ];
    for (spend_order, with_bonus, fen, expected) in cases {
        let lot = Lot {
            spend_order,
            ..lot(1, 30_000, 5_000)
        };
        let draws = draw(&[lot], Money::from_fen(fen), with_bonus).expect("enough");
        let drawn = (draws[0].principal.fen(), draws[0].bonus.fen());
        assert_eq!(drawn, expected, "{spend_order:?} {fen}");
    }
}

#[test]
fn lots_by_earliest_expiry_then_oldest() {
    let expires = |lot: Lot, at: Timestamp| Lot {
        bonus_expires_at: Some(at),
        ..lot
    };
    let older = Lot {
        credited_at: NOON - Millis::days(9),
        ..lot(2, 100, 0)
    };
    // Its expiry is of no account: no bonus is left.
    let spent = expires(lot(4, 100, 0), NOON);
    let lots = [
        lot(1, 100, 0),
        older,
        expires(lot(3, 100, 10), NOON + Millis::days(9)),
        spent,
        expires(lot(5, 100, 10), NOON + Millis::days(3)),
    ];
    let draws = draw(&lots, Money::from_fen(520), true).expect("enough");
    let order: Vec<u128> = draws.iter().map(|draw| draw.lot.0.as_u128()).collect();
    assert_eq!(order, [5, 3, 2, 1, 4]);
}

#[test]
fn too_little_draws_nothing() {
    let lots = [lot(1, 100, 50)];
    let short = |missing| {
        Err(BalanceShort {
            missing: Money::from_fen(missing),
        })
    };
    assert_eq!(draw(&lots, Money::from_fen(151), true), short(1));
    assert_eq!(draw(&lots, Money::from_fen(101), false), short(1));
    assert_eq!(draw(&lots, Money::ZERO, true), Ok(Vec::new()));
}

proptest! {
    /// p ≤ P and b ≤ B at every step, and the last payment empties both.
    #[test]
    fn payments_in_any_split_empty_the_lot_exactly(
        principal in 0_i64..2_000_000,
        bonus in 0_i64..1_000_000,
        payments in proptest::collection::vec(1_i64..300_000, 1..30),
        spend_order in prop_oneof![
            Just(SpendOrder::Proportional), Just(SpendOrder::BonusLast), Just(SpendOrder::BonusFirst)
        ].boxed(),
    ) {
        let mut lot = Lot { spend_order, ..lot(1, principal, bonus) };
        for payment in payments.into_iter().chain([i64::MAX]) {
            let held = lot.principal_left + lot.bonus_left;
            let amount = Money::from_fen(payment).min(held);
            let draws = draw(std::slice::from_ref(&lot), amount, true).expect("enough");
            for draw in draws {
                prop_assert_eq!(draw.principal + draw.bonus, amount);
                prop_assert!(Money::ZERO <= draw.principal && draw.principal <= lot.principal_left);
                prop_assert!(Money::ZERO <= draw.bonus && draw.bonus <= lot.bonus_left);
                lot.principal_left -= draw.principal;
                lot.bonus_left -= draw.bonus;
            }
        }
        prop_assert_eq!((lot.principal_left, lot.bonus_left), (Money::ZERO, Money::ZERO));
    }
}
