//! Eight terminals without a network, and one member whom all of them spend.

use qiantai_core::Money;
use qiantai_sim::attack;

#[test]
fn eight_offline_terminals_overspend_nobody() {
    // What each payment may take beyond the leases, with a manager's PIN.
    for (seed, beyond) in [(1, Money::ZERO), (2, Money::from_yuan(40))] {
        let payments = 3;
        let came = attack(seed, 8, payments, beyond).unwrap();
        assert!(came.leased.is_positive(), "{came:?}");
        assert_eq!(came.leased, came.held, "all that was leased is spent");
        assert!(came.held <= came.balance, "{came:?}");
        // Each terminal's last payment passes what it holds by all of it, no payment by more.
        let most = beyond.fen() * 8;
        let within = most..=most * i64::from(payments);
        assert!(within.contains(&came.beyond.fen()), "{came:?}");
        // Nothing is lost and nothing invented; what is owed was let pass by a manager.
        let spent = came.leased + came.beyond;
        assert_eq!(came.left - came.debt, came.balance - spent, "{came:?}");
        assert!(came.debt <= came.beyond, "{came:?}");
        assert!(came.left.is_zero() || came.debt.is_zero(), "{came:?}");
    }
}
