//! Leases: stored value of a member that one terminal may spend without asking (docs: sync,
//! "Offline spending: leases"). What a lease holds is counted in the account's frozen amounts, so
//! leases and available sum to the balance, whoever is offline. A lease never grows: a renewal is
//! another lease, for what is missing. It ends by its terminal's own word or by a person's, never
//! by time: clocks lie.

use crate::account::{Account, Draw, Lot};
use crate::clock::{Millis, Timestamp};
use crate::ids::{DeviceId, LeaseId, MemberId, StoreId};
use crate::money::Money;
use crate::operation::LeaseDraw;

/// Most of a member's balance that the leases of one terminal hold, in basis points.
const SHARE_BP: i64 = 3_000;

/// Most that the leases of one terminal hold of one member.
pub const LEASED_MOST: Money = Money::from_yuan(300);

/// Only for members with an entry in their 流水 not longer ago than this.
pub const SEEN_WITHIN: Millis = Millis::days(90);

/// Most open leases of one terminal for one member, and most that one payment draws on. A renewal
/// comes when less than half is left, so a few are usual.
pub const LEASES_MOST: usize = 16;

/// What one terminal may spend of one member's stored value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// Named like the operation that granted it.
    pub id: LeaseId,
    /// Whose money.
    pub member: MemberId,
    /// Which terminal may spend it.
    pub device: DeviceId,
    /// Where that stands.
    pub store: StoreId,
    /// Where the lease stands.
    pub state: LeaseState,
    /// What is left of it, for each lot that it was granted of.
    pub lots: Vec<Draw>,
    /// When it was granted, by the server's clock.
    pub granted_at: Timestamp,
}

/// Where a lease stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LeaseState {
    /// Its terminal may spend it; counted in frozen.
    Held,
    /// Nothing is left of it.
    Spent,
    /// Its terminal gave it back.
    Released,
    /// Somebody declared that its terminal will not come back. The money is the member's again;
    /// what the terminal may have spent of it nobody knows: that is exposure.
    Lost,
}

impl Lease {
    /// What is left of it; of a lost one the exposure.
    pub fn left(&self) -> Money {
        let lots = self.lots.iter();
        lots.map(|lot| lot.principal + lot.bonus).sum()
    }

    /// Principal and bonus that it takes from what is available.
    pub fn held(&self) -> (Money, Money) {
        if self.state != LeaseState::Held {
            return (Money::ZERO, Money::ZERO);
        }
        let lots = self.lots.iter();
        lots.fold((Money::ZERO, Money::ZERO), |sums, lot| {
            (sums.0 + lot.principal, sums.1 + lot.bonus)
        })
    }

    /// The lots as far as this lease holds them: what a payment from it may draw on.
    pub(crate) fn share_of(&self, lots: &[Lot]) -> Vec<Lot> {
        let held = self.lots.iter().filter_map(|held| {
            let lot = lots.iter().find(|lot| lot.id == held.lot)?;
            Some(Lot {
                principal_left: held.principal,
                bonus_left: held.bonus,
                ..lot.clone()
            })
        });
        held.collect()
    }

    /// Less of it is left by these draws.
    pub(crate) fn take(&mut self, draws: &[Draw]) {
        for draw in draws {
            if let Some(held) = self.lots.iter_mut().find(|held| held.lot == draw.lot) {
                held.principal -= draw.principal;
                held.bonus -= draw.bonus;
            }
        }
        if self.state == LeaseState::Held && self.left().is_zero() {
            self.state = LeaseState::Spent;
        }
    }

    /// `amount` of a lost lease turned up after all: so much less is unknown.
    pub(crate) fn turned_up(&mut self, amount: Money) {
        let mut rest = amount;
        for lot in &mut self.lots {
            let principal = rest.min(lot.principal);
            let bonus = (rest - principal).min(lot.bonus);
            lot.principal -= principal;
            lot.bonus -= bonus;
            rest -= principal + bonus;
        }
    }
}

/// The lots of an account less what `leases`, all of this member's, hold of them.
pub fn free_lots<'a>(account: &Account, leases: impl IntoIterator<Item = &'a Lease>) -> Vec<Lot> {
    let mut lots = account.lots.clone();
    let held = leases
        .into_iter()
        .filter(|lease| lease.state == LeaseState::Held);
    for hold in held.flat_map(|lease| &lease.lots) {
        if let Some(lot) = lots.iter_mut().find(|lot| lot.id == hold.lot) {
            lot.principal_left -= hold.principal;
            lot.bonus_left -= hold.bonus;
        }
    }
    lots
}

/// What another lease should hold for a terminal whose leases hold `held` of this account: up to
/// 30 % of the balance and ¥300, as far as it is available. Nothing while half of that is there.
pub fn renewal(account: &Account, held: Money) -> Money {
    let balance = account.principal + account.bonus;
    let target = (balance - account.debt)
        .ratio_round_half_up(SHARE_BP, 10_000)
        .min(LEASED_MOST);
    if held + held >= target {
        return Money::ZERO;
    }
    let available = balance - account.frozen_principal - account.frozen_bonus;
    (target - held).min(available)
}

/// What each of `leases` pays of `amount`, the first ones first so that they stay few, and what none
/// of them pays. Each stands with what its terminal has not spent of it.
pub fn draws(leases: &[(LeaseId, Money)], amount: Money) -> (Vec<LeaseDraw>, Money) {
    let mut rest = amount;
    let mut draws = Vec::new();
    for (lease, left) in leases {
        let drawn = rest.min(*left);
        if drawn.is_positive() && draws.len() < LEASES_MOST {
            draws.push(LeaseDraw {
                lease: *lease,
                amount: drawn,
            });
            rest -= drawn;
        }
    }
    (draws, rest)
}

/// Whether rows that came from elsewhere can be one member's: the account has frozen what `leases`,
/// all of this member's, hold, and no lot holds less than they do. Nothing can be decided on others.
pub fn fit<'a>(
    account: &Account,
    leases: impl IntoIterator<Item = &'a Lease, IntoIter: Clone>,
) -> bool {
    let leases = leases.into_iter();
    let holds = leases.clone().flat_map(|lease| match lease.state {
        LeaseState::Held => lease.lots.as_slice(),
        _ => &[],
    });
    let is_there = |hold: &Draw| {
        let is_kept = account.lots.iter().any(|lot| lot.id == hold.lot);
        is_kept || hold.principal.is_zero() && hold.bonus.is_zero()
    };
    let are_there = holds.clone().all(is_there);
    let (principal, bonus): (Money, Money) = (
        holds.clone().map(|hold| hold.principal).sum(),
        holds.map(|hold| hold.bonus).sum(),
    );
    let is_short = |lot: &Lot| lot.principal_left.is_negative() || lot.bonus_left.is_negative();
    are_there
        && (principal, bonus) == (account.frozen_principal, account.frozen_bonus)
        && !free_lots(account, leases).iter().any(is_short)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decide::empty_account;
    use crate::ids::TierId;
    use uuid::Uuid;

    #[test]
    fn a_payment_empties_the_first_lease_first() {
        let lease = |number| LeaseId(Uuid::from_u128(number));
        let few = [(1, 500), (2, 0), (3, 300)];
        let many: Vec<_> = (1..=20).map(|number| (number, 1)).collect();
        // What leases have left, the price; what is drawn, and what no lease pays.
        type Case<'a> = (&'a [(u128, i64)], i64, &'a [(u128, i64)], i64);
        let cases: [Case<'_>; 5] = [
            (&few, 400, &[(1, 400)], 0),
            (&few, 500, &[(1, 500)], 0),
            (&few, 501, &[(1, 500), (3, 1)], 0),
            (&few, 900, &[(1, 500), (3, 300)], 100),
            (&many, 20, &many[..LEASES_MOST], 4),
        ];
        for (leases, amount, drawn, rest) in cases {
            let leases: Vec<_> = leases
                .iter()
                .map(|(number, left)| (lease(*number), Money::from_fen(*left)))
                .collect();
            let (draws, beyond) = draws(&leases, Money::from_fen(amount));
            let draws: Vec<_> = draws
                .iter()
                .map(|draw| (draw.lease.0.as_u128(), draw.amount.fen()))
                .collect();
            assert_eq!((draws.as_slice(), beyond.fen()), (drawn, rest), "{amount}");
        }
    }

    #[test]
    fn a_renewal_fills_up_to_the_share() {
        let yuan = Money::from_yuan;
        // Balance, frozen in all, debt, held by this terminal; what comes.
        let cases = [
            ((1_000, 0, 0, 0), 300),
            ((500, 0, 0, 0), 150),
            ((9_000, 0, 0, 0), 300),
            ((9_000, 0, 0, 149), 151),
            ((9_000, 0, 0, 150), 0),
            ((9_000, 8_950, 0, 0), 50),
            ((9_000, 9_000, 0, 0), 0),
            ((1_000, 0, 900, 0), 30),
            ((1_000, 0, 1_000, 0), 0),
            ((1_000, 0, 2_000, 0), 0),
            ((0, 0, 0, 0), 0),
        ];
        for ((balance, frozen, debt, held), expected) in cases {
            let mut account = empty_account(MemberId(Uuid::nil()), TierId(Uuid::nil()));
            account.principal = yuan(balance);
            account.frozen_principal = yuan(frozen);
            account.debt = yuan(debt);
            let come = renewal(&account, yuan(held));
            assert_eq!(come, yuan(expected), "{balance} {frozen} {debt} {held}");
        }
    }
}
