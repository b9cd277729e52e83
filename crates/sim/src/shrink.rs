//! Making a failing run smaller: fewer days, fewer terminals, fewer faults.

use crate::halt::Violation;
use crate::plan::Plan;
use crate::run::run;
use crate::time::START;

/// The smallest plan found that still violates something, and what. At most `runs_max` runs.
#[must_use]
pub fn shrink(plan: &Plan, found: &Violation, runs_max: u32) -> (Plan, Violation) {
    let mut smallest = Smallest {
        plan: plan.clone(),
        violation: found.clone(),
        runs_left: runs_max,
    };
    let day = (found.at - START).0 / (24 * 3_600_000);
    let days = u32::try_from(day).unwrap_or(0) + 1;
    if days < plan.days {
        smallest.try_plan(Plan {
            days,
            ..plan.clone()
        });
    }
    while smallest.plan.terminals > 1 {
        let mut fewer = smallest.plan.clone();
        fewer.terminals -= 1;
        let terminals = fewer.terminals;
        fewer
            .faults
            .retain(|fault| fault.misfortune.seat().is_none_or(|till| till < terminals));
        if !smallest.try_plan(fewer) {
            break;
        }
    }
    smallest.leave_faults_out();
    (smallest.plan, smallest.violation)
}

struct Smallest {
    plan: Plan,
    violation: Violation,
    runs_left: u32,
}

impl Smallest {
    /// Takes `plan` when it still fails.
    fn try_plan(&mut self, plan: Plan) -> bool {
        if self.runs_left == 0 {
            return false;
        }
        self.runs_left -= 1;
        match run(&plan).ok().and_then(|report| report.violation) {
            Some(violation) => {
                self.plan = plan;
                self.violation = violation;
                true
            }
            None => false,
        }
    }

    /// Halves, quarters, and so on to single faults.
    fn leave_faults_out(&mut self) {
        let mut size = self.plan.faults.len();
        while size > 0 && self.runs_left > 0 {
            let mut from = 0;
            while from < self.plan.faults.len() && self.runs_left > 0 {
                let mut fewer = self.plan.clone();
                let to = (from + size).min(fewer.faults.len());
                fewer.faults.drain(from..to);
                if !self.try_plan(fewer) {
                    from = to;
                }
            }
            size /= 2;
        }
    }
}
