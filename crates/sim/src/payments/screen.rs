//! What the counter's window says of an order, by the counter's own function over the rows that the
//! ledger tells every terminal.

use qiantai_core::attempt::PaymentAttempt;
use qiantai_core::recharge::RechargeOrder;
use qiantai_counter::OrderFile;
use qiantai_counter::view::order::Stage;

use crate::halt::{Invariant, Step, must};

/// No screen offers to charge again while an attempt of the order is open: not while nobody knows
/// what became of it, whether the terminal has a line or not, or is still carrying a code.
pub fn check<'a>(
    order: &RechargeOrder,
    attempts: impl Iterator<Item = &'a PaymentAttempt>,
) -> Step {
    let mut attempts: Vec<PaymentAttempt> = attempts.cloned().collect();
    attempts.sort_by_key(|attempt| (attempt.started_at, attempt.id));
    let open = attempts.iter().find(|attempt| attempt.state.is_open());
    let Some(open) = open.cloned() else {
        return Ok(());
    };
    let mut file = OrderFile {
        order: order.clone(),
        attempts,
        member: String::new(),
        provisional: false,
        charging: false,
        cut_off: false,
        refusal: None,
        held: false,
        abnormal: None,
    };
    for (charging, cut_off) in [(false, false), (true, false), (false, true), (true, true)] {
        (file.charging, file.cut_off) = (charging, cut_off);
        let stage = file.stage();
        must(!offers_another_charge(stage), Invariant::OneCharge, || {
            format!(
                "the window shows {stage:?} while {} is {:?}",
                open.attempt_no, open.state
            )
        })?;
    }
    Ok(())
}

/// Whether the window has a button then that asks for money for the same order again.
fn offers_another_charge(stage: Stage) -> bool {
    matches!(stage, Stage::Failed | Stage::Refused | Stage::Ended)
}
