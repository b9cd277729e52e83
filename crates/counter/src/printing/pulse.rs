//! The pulse of a drawer that is opened without a sale: a job of the print queue that puts nothing on
//! paper. It is sent at the moment that a person asked for it, or by a person's word again: nobody
//! may stand at the till when a printer is back (docs: adr 0047).

use std::sync::Arc;

use qiantai_core::{Millis, Timestamp};
use qiantai_print::escpos;
use qiantai_store::{INTERRUPTED, NewPrintJob, PrintJob, PrintTrouble};
use uuid::Uuid;

use super::device::DRAWER;
use super::drawer::takes_a_pulse;
use super::printer::{self, PrinterTrouble, Slip, Ways};
use super::queue::{HoldsUp, Outcome, Trouble, begin};
use super::slip::is_of_this_moment;
use crate::counter::Counter;
use crate::error::{CallError, ErrorCode};
use crate::serve::blocking;
use crate::settings;
use crate::view::session::{PrinterSetting, PrinterTarget};

/// Kind of print job for it.
const KIND: &str = "drawer_pulse";

/// It stayed shut.
const SHUT: &str = "error.drawer_shut";

/// It may have opened.
const UNSURE: &str = "error.drawer_unsure";

/// How long a manager's word for one opening lasts where the drawer stayed shut.
const AGAIN_WITHIN: Millis = Millis::minutes(10);

/// The job that opens it, named like the intent.
pub(crate) fn pulse_job(id: Uuid, now: Timestamp) -> NewPrintJob {
    NewPrintJob {
        id,
        kind: KIND.to_owned(),
        order: None,
        copy: 0,
        printer: DRAWER.to_owned(),
        document: Vec::new(),
        queued_at: now,
    }
}

/// Whether a drawer hangs on the receipt printer, and the printer can be told to open it.
pub(crate) fn has_drawer(printer: &PrinterSetting) -> bool {
    printer.drawer && takes_a_pulse(&printer.target)
}

/// Whether `job` opens the drawer and puts nothing on paper.
pub(super) fn is_pulse(job: &PrintJob) -> bool {
    job.kind == KIND
}

/// What is told of its trouble.
pub(super) fn trouble_key(trouble: &str) -> String {
    let key = match trouble {
        INTERRUPTED => UNSURE,
        key => key,
    };
    key.to_owned()
}

/// Whether a person may have it sent again without another word of a manager.
///
/// # Errors
/// Too long after it was let.
pub(super) fn check_again(job: &PrintJob, now: Timestamp) -> Result<(), CallError> {
    let age = now - job.queued_at;
    match age.0.saturating_abs() <= AGAIN_WITHIN.0 {
        true => Ok(()),
        false => Err(CallError::new(ErrorCode::WrongState, "drawer_too_late")),
    }
}

/// Opens the drawer, at once or not at all.
pub(super) async fn send(counter: &Arc<Counter>, job: &PrintJob) -> Result<Outcome, Trouble> {
    // A sale's own pulse and a slip that is stuck come first.
    let _at_printer = counter.at_printer.lock().await;
    if !is_of_this_moment(job.changed_at, counter.now()) {
        return Err(given_up(SHUT));
    }
    let target = target(counter).await.map_err(|error| {
        let key = error.message_key;
        given_up(&key)
    })?;
    let ways = Ways::of(counter.surroundings.as_ref());
    let mut printer = printer::find(&target, ways).await.map_err(stayed_shut)?;
    printer.ask().await.map_err(stayed_shut)?;
    if !begin(counter, DRAWER, job.id).await? {
        return Ok(Outcome::Withdrawn);
    }
    let pulse = Slip {
        name: String::new(),
        escpos: escpos::drawer_pulse(),
        pdf: Vec::new(),
    };
    let sent = printer.send(&pulse).await;
    sent.map_err(|trouble| match trouble.tears() {
        true => given_up(UNSURE),
        false => stayed_shut(trouble),
    })?;
    Ok(Outcome::Printed)
}

/// What an earlier run of the program left: it is offered, and not sent by itself.
pub(super) async fn settle(counter: &Arc<Counter>) -> Result<(), CallError> {
    let counter = Arc::clone(counter);
    blocking(move || {
        while let Some(job) = counter.store.next_print_job(DRAWER, &[])? {
            let shut = PrintTrouble {
                code: SHUT,
                try_again: false,
                torn: false,
            };
            let now = counter.now();
            counter.store.print_troubled(job.id, DRAWER, &shut, now)?;
            counter.tell_print_or_log(job.id);
        }
        Ok(())
    })
    .await
}

async fn target(counter: &Arc<Counter>) -> Result<PrinterTarget, CallError> {
    let counter = Arc::clone(counter);
    blocking(move || {
        let printer = settings::load(&counter.store)?.printer;
        match has_drawer(&printer) {
            true => Ok(printer.target),
            false => Err(CallError::new(ErrorCode::WrongState, "drawer_unset")),
        }
    })
    .await
}

fn stayed_shut(trouble: PrinterTrouble) -> Trouble {
    tracing::warn!(%trouble, "the drawer stayed shut");
    given_up(SHUT)
}

fn given_up(key: &str) -> Trouble {
    Trouble {
        key: key.to_owned(),
        holds_up: HoldsUp::UntilAPersonLooked,
        tears: false,
    }
}
