//! The risk floor: how much a terminal may take of a member's stored value beyond its leases without
//! asking anybody (docs: sync, "Offline spending: leases"). What is not there in the end is the
//! member's debt, so these caps bound what a shop without a network can lose.

use time::Date;

use crate::account::Account;
use crate::clock::{Millis, Timestamp};
use crate::ids::{ActionId, DeviceId, MemberId};
use crate::ledger::ExceptionCase;
use crate::money::Money;
use crate::operation::{Operation, OperationBody};

/// Longest time for which a floor may hold. What a terminal did longer ago decides nothing.
pub const LONGEST: Millis = Millis::days(7);

/// Most payments of one terminal that a floor may let pass.
const COUNT_MOST: u16 = 1_000;

/// Most money of one terminal that a floor may let pass.
const DEVICE_MOST: Money = Money::from_yuan(100_000);

/// Caps of what passes the leases. Nothing passes where one of them is zero, as all are at first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RiskFloor {
    /// One payment.
    pub per_transaction: Money,
    /// One member on one business date, at one terminal.
    pub per_member_day: Money,
    /// One terminal since it last synchronised, of all members.
    pub per_device: Money,
    /// So many payments of one terminal since then.
    pub count: u16,
    /// For so long after the terminal last heard the server.
    pub hours: u16,
}

/// Something that was taken beyond the leases, and no manager let pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SpentBeyond {
    /// The intent.
    pub action: ActionId,
    /// Which terminal.
    pub device: DeviceId,
    /// Of whom.
    pub member: MemberId,
    /// When.
    pub at: Timestamp,
    /// What the terminal had last heard of the server's time; nothing when it never had.
    pub heard_at: Option<Timestamp>,
    /// What no lease pays.
    pub amount: Money,
    /// Whether the terminal itself knows that the server has still to say what became of it.
    pub is_open: bool,
}

/// What a terminal has taken beyond its leases when one more payment is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FloorUse {
    /// Of this member on this business date.
    pub member_day: Money,
    /// Of everybody since it last synchronised.
    pub device: Money,
    /// In so many payments.
    pub count: usize,
    /// Since it last heard the server; nothing when it never did.
    pub unheard: Option<Millis>,
    /// Whether the server has told of an overdraft that cuts the floor: the member owes already, or
    /// the terminal overdrew somebody and has not synchronised since.
    pub is_cut: bool,
}

/// Which cap stands in the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FloorCap {
    /// The shop has no floor.
    Off,
    /// An overdraft has cut it.
    Cut,
    /// The server was not heard for too long.
    Hours,
    /// Too many payments.
    Count,
    /// One payment.
    Transaction,
    /// The member's day.
    MemberDay,
    /// The terminal.
    Device,
}

impl FloorCap {
    /// One word for it.
    pub const fn name(self) -> &'static str {
        match self {
            FloorCap::Off => "off",
            FloorCap::Cut => "cut",
            FloorCap::Hours => "hours",
            FloorCap::Count => "count",
            FloorCap::Transaction => "transaction",
            FloorCap::MemberDay => "member_day",
            FloorCap::Device => "device",
        }
    }
}

/// How much may be taken beyond the leases now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    /// So much.
    pub most: Money,
    /// And no more because of this cap.
    pub because: FloorCap,
}

impl Room {
    /// Which cap a payment breaks that is `beyond` the leases, if one.
    pub fn refuses(self, beyond: Money) -> Option<FloorCap> {
        (beyond > self.most).then_some(self.because)
    }
}

impl RiskFloor {
    /// Whether it can be a rule: off, or every cap set, each within the next.
    pub fn is_whole(&self) -> bool {
        let rises = self.per_transaction.is_positive()
            && self.per_transaction <= self.per_member_day
            && self.per_member_day <= self.per_device
            && self.per_device <= DEVICE_MOST;
        let is_finite = (1..=COUNT_MOST).contains(&self.count)
            && self.hours > 0
            && self.lasts() == Millis::hours(i64::from(self.hours));
        *self == RiskFloor::default() || rises && is_finite
    }

    /// How much a terminal may take beyond its leases now, and which cap says so. The terminal asks
    /// before it writes, the server when the payment arrives.
    pub fn room(&self, used: &FloorUse) -> Room {
        let is_late = used.unheard.is_none_or(|unheard| unheard > self.lasts());
        let closed = [
            (FloorCap::Off, self.most_per_device().is_zero()),
            (FloorCap::Cut, used.is_cut),
            (FloorCap::Hours, is_late),
            (FloorCap::Count, used.count >= usize::from(self.count)),
        ];
        if let Some((because, _)) = closed.into_iter().find(|(_, is_closed)| *is_closed) {
            let most = Money::ZERO;
            return Room { most, because };
        }
        let left = [
            (FloorCap::Transaction, self.per_transaction),
            (FloorCap::MemberDay, self.per_member_day - used.member_day),
            (FloorCap::Device, self.per_device - used.device),
        ];
        let (because, most) = left
            .into_iter()
            .min_by_key(|(_, left)| *left)
            .expect("there are three caps");
        Room {
            most: most.max(Money::ZERO),
            because,
        }
    }

    /// The most that one terminal can take beyond its leases until it synchronises: what it may owe
    /// the shop for all members together.
    pub fn most_per_device(&self) -> Money {
        let by_count = self.per_transaction.fen().saturating_mul(self.count.into());
        let most = self.per_device.min(Money::from_fen(by_count));
        match self.per_member_day.is_positive() && self.hours > 0 {
            true => most.max(Money::ZERO),
            false => Money::ZERO,
        }
    }

    fn lasts(&self) -> Millis {
        Millis::hours(i64::from(self.hours)).min(LONGEST)
    }
}

impl SpentBeyond {
    /// What an operation takes beyond the leases that nobody approved, decided at `now`.
    pub fn of(operation: &Operation, now: Timestamp) -> Option<SpentBeyond> {
        let OperationBody::SpendOffline(body) = &operation.body else {
            return None;
        };
        let is_one = body.is_whole() && body.approval.is_none();
        let amount = body.beyond_leases();
        (is_one && amount.is_positive()).then(|| SpentBeyond {
            action: operation.action_id,
            device: operation.device,
            member: body.member,
            at: operation.business_time(now),
            heard_at: operation.server_anchor.map(|anchor| anchor.min(now)),
            amount,
            is_open: false,
        })
    }

    /// The same as its terminal sees it, which knows no better time than its own clock and what it
    /// heard last.
    pub fn at_terminal(operation: &Operation) -> Option<SpentBeyond> {
        let heard_at = operation.server_anchor.unwrap_or(operation.wall_time);
        SpentBeyond::of(operation, operation.wall_time.max(heard_at))
    }

    /// The earliest time of anything that can count beside it.
    pub fn counts_from(&self) -> Timestamp {
        let heard_at = self.heard_at.unwrap_or(self.at);
        heard_at
            .max(self.at - LONGEST)
            .min(self.at - Millis::days(1))
    }
}

impl FloorUse {
    /// What counts beside `next`, out of what is known: the member's day at this terminal, and what
    /// the terminal wrote since it last heard the server or knows to be open.
    pub fn beside<'a>(
        next: &SpentBeyond,
        known: impl IntoIterator<Item = &'a SpentBeyond>,
        cut_off_minutes: u16,
    ) -> FloorUse {
        let date = |at: Timestamp| -> Date { at.business_date(cut_off_minutes) };
        let mut used = FloorUse {
            member_day: Money::ZERO,
            device: Money::ZERO,
            count: 0,
            unheard: next.heard_at.map(|heard_at| next.at - heard_at),
            is_cut: false,
        };
        let is_other =
            |known: &&SpentBeyond| known.device == next.device && known.action != next.action;
        for known in known.into_iter().filter(is_other) {
            if known.member == next.member && date(known.at) == date(next.at) {
                used.member_day += known.amount;
            }
            if known.is_open || known.heard_at == next.heard_at {
                used.device += known.amount;
                used.count += 1;
            }
        }
        used
    }

    /// The same at the terminal, which knows what the server told of overdrafts: the member's account
    /// without what is open here, and the last overdraft of this terminal. The member's cuts the floor
    /// for the member; the terminal's cuts it until nothing is open that was written without knowing
    /// of it.
    #[must_use]
    pub fn told(
        self,
        known: &[SpentBeyond],
        account: Option<&Account>,
        overdrawn: Option<&ExceptionCase>,
    ) -> FloorUse {
        let owes = account.is_some_and(|account| account.debt.is_positive());
        let open = known.iter().filter(|spent| spent.is_open);
        let unaware_since = open.map(|spent| spent.heard_at).min();
        let overdrew = overdrawn.zip(unaware_since);
        let is_new = |(case, since): (&ExceptionCase, Option<Timestamp>)| {
            since.is_none_or(|since| case.opened_at >= since)
        };
        FloorUse {
            is_cut: self.is_cut || owes || overdrew.is_some_and(is_new),
            ..self
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::decide::empty_account;
    use crate::ids::{CaseId, TierId};
    use crate::ledger::CaseKind;

    const FLOOR: RiskFloor = RiskFloor {
        per_transaction: Money::from_yuan(50),
        per_member_day: Money::from_yuan(80),
        per_device: Money::from_yuan(200),
        count: 5,
        hours: 8,
    };

    const FRESH: FloorUse = FloorUse {
        member_day: Money::ZERO,
        device: Money::ZERO,
        count: 0,
        unheard: Some(Millis(0)),
        is_cut: false,
    };

    #[test]
    fn the_tightest_cap_says_how_much() {
        use FloorCap::{Count, Cut, Device, Hours, MemberDay, Off, Transaction};
        let yuan = Money::from_yuan;
        let with = |change: fn(&mut FloorUse)| {
            let mut used = FRESH;
            change(&mut used);
            used
        };
        let cases = [
            (FLOOR, FRESH, 50, Transaction),
            (
                FLOOR,
                with(|it| it.member_day = Money::from_yuan(40)),
                40,
                MemberDay,
            ),
            (
                FLOOR,
                with(|it| it.member_day = Money::from_yuan(90)),
                0,
                MemberDay,
            ),
            (
                FLOOR,
                with(|it| it.device = Money::from_yuan(199)),
                1,
                Device,
            ),
            (FLOOR, with(|it| it.count = 4), 50, Transaction),
            (FLOOR, with(|it| it.count = 5), 0, Count),
            (
                FLOOR,
                with(|it| it.unheard = Some(Millis::hours(8))),
                50,
                Transaction,
            ),
            (
                FLOOR,
                with(|it| it.unheard = Some(Millis(28_800_001))),
                0,
                Hours,
            ),
            (FLOOR, with(|it| it.unheard = None), 0, Hours),
            (FLOOR, with(|it| it.is_cut = true), 0, Cut),
            (RiskFloor::default(), FRESH, 0, Off),
            (RiskFloor { hours: 0, ..FLOOR }, FRESH, 0, Off),
            (RiskFloor { count: 0, ..FLOOR }, FRESH, 0, Off),
            (
                RiskFloor {
                    per_member_day: Money::ZERO,
                    ..FLOOR
                },
                FRESH,
                0,
                Off,
            ),
        ];
        for (floor, used, most, because) in cases {
            let most = yuan(most);
            let room = floor.room(&used);
            assert_eq!(room, Room { most, because }, "{floor:?} {used:?}");
            assert_eq!(room.refuses(most), None);
            assert_eq!(room.refuses(most + Money::from_fen(1)), Some(because));
        }
    }

    #[test]
    fn a_bound_is_the_least_of_what_its_caps_allow() {
        let yuan = Money::from_yuan;
        let few = RiskFloor { count: 3, ..FLOOR };
        let off = RiskFloor { hours: 0, ..FLOOR };
        for (floor, most) in [
            (FLOOR, 200),
            (few, 150),
            (off, 0),
            (RiskFloor::default(), 0),
        ] {
            assert_eq!(floor.most_per_device(), yuan(most), "{floor:?}");
        }
    }

    #[test]
    fn a_rule_is_off_or_has_every_cap_within_the_next() {
        let cases = [
            (RiskFloor::default(), true),
            (FLOOR, true),
            (
                RiskFloor {
                    hours: 168,
                    ..FLOOR
                },
                true,
            ),
            (
                RiskFloor {
                    hours: 169,
                    ..FLOOR
                },
                false,
            ),
            (RiskFloor { hours: 0, ..FLOOR }, false),
            (RiskFloor { count: 0, ..FLOOR }, false),
            (
                RiskFloor {
                    count: 1_001,
                    ..FLOOR
                },
                false,
            ),
            (
                RiskFloor {
                    per_transaction: Money::from_yuan(81),
                    ..FLOOR
                },
                false,
            ),
            (
                RiskFloor {
                    per_transaction: Money::from_yuan(-1),
                    ..FLOOR
                },
                false,
            ),
            (
                RiskFloor {
                    per_member_day: Money::from_yuan(201),
                    ..FLOOR
                },
                false,
            ),
            (
                RiskFloor {
                    per_device: Money::from_yuan(100_001),
                    ..FLOOR
                },
                false,
            ),
        ];
        for (floor, is_rule) in cases {
            assert_eq!(floor.is_whole(), is_rule, "{floor:?}");
        }
    }

    #[test]
    fn an_overdraft_cuts_the_floor_until_everything_is_synchronised() {
        let at = Timestamp::from_ms;
        let open = |heard_at| SpentBeyond {
            action: ActionId(Uuid::nil()),
            device: DeviceId(Uuid::nil()),
            member: MemberId(Uuid::nil()),
            at: at(900),
            heard_at: Some(at(heard_at)),
            amount: Money::from_yuan(1),
            is_open: true,
        };
        let done = SpentBeyond {
            is_open: false,
            ..open(100)
        };
        let case = ExceptionCase {
            id: CaseId(Uuid::nil()),
            kind: CaseKind::Overdrawn,
            order: None,
            attempt: None,
            member: None,
            device: None,
            amount: Money::ZERO,
            opened_at: at(500),
        };
        let mut owing = empty_account(MemberId(Uuid::nil()), TierId(Uuid::nil()));
        let paid = owing.clone();
        owing.debt = Money::from_fen(1);
        let cut = |known: &[SpentBeyond], account, case| FRESH.told(known, account, case).is_cut;
        assert!(cut(&[], Some(&owing), None));
        assert!(!cut(&[open(400)], Some(&paid), None));
        assert!(cut(&[open(600), open(400)], None, Some(&case)));
        assert!(!cut(&[open(600), done], None, Some(&case)));
        assert!(!cut(&[done], None, Some(&case)));
    }
}
