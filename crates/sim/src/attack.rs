//! Terminals without a network that spend one member's stored value all at once.

use std::panic::{AssertUnwindSafe, catch_unwind};

use qiantai_core::ids::MemberId;
use qiantai_core::ledger::{CaseKind, ExceptionCase};
use qiantai_core::risk_floor::RiskFloor;
use qiantai_core::{Millis, Money};
use qiantai_server::db::Ledger;
use rand::RngExt;

use crate::halt::{Halt, Invariant, Step, must};
use crate::plan::{Fault, Misfortune, Plan};
use crate::run::{disk, words};
use crate::time::START;
use crate::world::{Happening, World};

/// When the lines of all terminals are cut, after the morning on which they opened.
const CUT_AT: Millis = Millis::hours(2);

/// For how long.
const CUT_FOR: Millis = Millis::hours(6);

/// What became of the member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attacked {
    /// Balance before the lines were cut.
    pub balance: Money,
    /// What terminals held of it then.
    pub held: Money,
    /// What was spent of leases.
    pub leased: Money,
    /// What was spent beyond them.
    pub beyond: Money,
    /// What of that nobody let pass but the risk floor.
    pub risked: Money,
    /// Balance once everything has come together.
    pub left: Money,
    /// Debt then.
    pub debt: Money,
}

/// `terminals` lose their lines and then take `payments` each of one member's stored value: all that
/// they hold, and each payment with up to so much `beyond` it, which the `floor` or a manager's PIN lets
/// pass. Then everything comes together and is audited.
///
/// # Errors
/// What should have held did not, or the simulator itself cannot go on.
pub fn attack(
    seed: u64,
    terminals: usize,
    payments: u32,
    beyond: Money,
    floor: RiskFloor,
) -> Result<Attacked, String> {
    let attacked = || live(seed, terminals, payments, (beyond, floor));
    let lived = catch_unwind(AssertUnwindSafe(attacked));
    match lived {
        Ok(Ok(attacked)) => Ok(attacked),
        Ok(Err(Halt::Violated(invariant, detail))) => Err(format!("{invariant}: {detail}")),
        Ok(Err(Halt::Broken(error))) => Err(error.to_string()),
        Err(panic) => Err(words(panic.as_ref())),
    }
}

fn live(
    seed: u64,
    terminals: usize,
    payments: u32,
    (beyond, floor): (Money, RiskFloor),
) -> Step<Attacked> {
    let cut = |till| Fault {
        number: till,
        at: START + CUT_AT,
        span: CUT_FOR,
        misfortune: Misfortune::Cut { till },
    };
    let plan = Plan {
        seed,
        days: 1,
        terminals,
        faults: (0..terminals).map(cut).collect(),
        floor,
        bug: None,
    };
    let folder = tempfile::Builder::new()
        .prefix("qiantai-attack")
        .tempdir_in(disk())?;
    let mut world = World::new(plan, folder.path())?;
    for till in world.seats.clone() {
        world.at(START, Happening::TillUp { till });
    }
    // Leases are asked for within a minute; nothing else happens until the lines are cut.
    for minute in 0..CUT_AT.0 / Millis::minutes(1).0 {
        world.run_until(START + Millis::minutes(minute), |_| false)?;
    }
    world.run_until(START + CUT_AT + Millis::minutes(1), |_| false)?;
    let (member, held) = richest(&world)?;
    let balance = balance_of(&world, member)?.0;
    let (mut leased, mut passed, mut risked) = (Money::ZERO, Money::ZERO, Money::ZERO);
    for payment in 0..payments {
        for seat in 0..terminals {
            let till = world.seats[seat];
            let may = world.tills[till].may_spend(member)?;
            let part = match payment + 1 == payments {
                true => may,
                false => Money::from_fen(world.day.random_range(0..=may.fen())),
            };
            let amount = part + beyond;
            if !amount.is_positive() {
                continue;
            }
            let Some(fact) = world.tills[till].pay(member, amount)? else {
                let detail = format!("a payment of {amount} was not written");
                return Err(Halt::Violated(Invariant::KeepsWorking, detail));
            };
            leased += amount - fact.beyond;
            passed += fact.beyond;
            if !fact.is_approved {
                risked += fact.beyond;
            }
            world.oracle.did(fact);
            world.check_shown(till)?;
            world.poll(till)?;
        }
    }
    world.come_together()?;
    world.audit()?;
    let (left, debt) = balance_of(&world, member)?;
    let told = broken_limits(&world)?;
    must(told == 0, Invariant::FloorKept, || {
        format!("{told} payments are told to pass a floor that their terminals kept to")
    })?;
    Ok(Attacked {
        balance,
        held,
        leased,
        beyond: passed,
        risked,
        left,
        debt,
    })
}

/// The member of whom terminals hold most.
fn richest(world: &World) -> Step<(MemberId, Money)> {
    let mut best = (world.members[0], Money::ZERO);
    for member in &world.members {
        let mut held = Money::ZERO;
        for till in &world.tills {
            held += till.may_spend(*member)?;
        }
        if held > best.1 {
            best = (*member, held);
        }
    }
    must(best.1.is_positive(), Invariant::KeepsWorking, || {
        "no terminal holds any lease".to_owned()
    })?;
    Ok(best)
}

/// How many payments the server says broke a limit.
fn broken_limits(world: &World) -> Step<usize> {
    let ledger = world.authority.ledger().expect("the server is on");
    let cases = ledger.cases(world.authority.tenant(), u32::MAX)?;
    let is_broken = |case: &&ExceptionCase| case.kind == CaseKind::LimitPassed;
    Ok(cases.iter().filter(is_broken).count())
}

/// Balance and debt.
fn balance_of(world: &World, member: MemberId) -> Step<(Money, Money)> {
    let ledger = world.authority.ledger().expect("the server is on");
    let account = ledger.account(world.authority.tenant(), member)?;
    let account = account.expect("the member has an account");
    Ok((account.principal + account.bonus, account.debt))
}
