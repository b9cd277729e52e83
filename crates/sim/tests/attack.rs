//! Eight terminals without a network, and one member whom all of them spend.

use qiantai_core::Money;
use qiantai_core::risk_floor::RiskFloor;
use qiantai_sim::attack;

#[test]
fn eight_offline_terminals_overspend_nobody() {
    let yuan = Money::from_yuan;
    let floor = RiskFloor {
        per_transaction: yuan(40),
        per_member_day: yuan(80),
        per_device: yuan(80),
        count: 9,
        hours: 8,
    };
    // What each payment may take beyond the leases, on the floor or with a manager's PIN.
    for (seed, beyond, floor) in [
        (1, Money::ZERO, RiskFloor::default()),
        (2, yuan(40), RiskFloor::default()),
        (2, yuan(40), floor),
    ] {
        let payments = 3;
        let came = attack(seed, 8, payments, beyond, floor).unwrap();
        assert!(came.leased.is_positive(), "{came:?}");
        assert_eq!(came.leased, came.held, "all that was leased is spent");
        assert!(came.held <= came.balance, "{came:?}");
        // Each terminal's last payment passes what it holds by all of it, no payment by more.
        let most = beyond.fen() * 8;
        let within = most..=most * i64::from(payments);
        assert!(within.contains(&came.beyond.fen()), "{came:?}");
        // Each terminal has a payment on the floor, and none more than two.
        let risks = match floor.most_per_device().is_zero() {
            true => 0..=0,
            false => most..=2 * most,
        };
        assert!(risks.contains(&came.risked.fen()), "{came:?}");
        // Nothing is lost and nothing invented; what is owed the floor or a manager let pass.
        let spent = came.leased + came.beyond;
        assert_eq!(came.left - came.debt, came.balance - spent, "{came:?}");
        assert!(came.debt <= came.beyond, "{came:?}");
        assert!(came.left.is_zero() || came.debt.is_zero(), "{came:?}");
    }
}
