//! The task that carries slips to the printer, one after another.

use std::sync::Arc;
use std::time::Duration;

use qiantai_print::{escpos, layout, pdf};
use qiantai_store::{INTERRUPTED, PrintJob, PrintState};
use uuid::Uuid;

use super::printer::{self, PrinterTrouble, Slip};
use super::slip::{PRINTER, SlipRequest};
use crate::counter::Counter;
use crate::error::{CallError, ErrorCode};
use crate::orders::OrderNames;
use crate::settings;
use crate::view::event::CounterEvent;
use crate::view::order::{PrintJobView, PrintState as PrintStateView};

/// After this many tries a person decides.
const TRIES_MAX: u32 = 5;
/// Pause after the first failed try; doubles with each further one.
const RETRY_PAUSE: Duration = Duration::from_secs(2);

/// Prints queued slips for as long as the program runs.
pub async fn run(counter: Arc<Counter>) {
    let mut failures = 0_u32;
    loop {
        match next(&counter).await {
            Ok(Some(true)) => failures = 0,
            Ok(Some(false)) => {
                failures = (failures + 1).min(5);
                let pause = RETRY_PAUSE * 2_u32.pow(failures - 1);
                let woken = counter.print_wake.notified();
                // Changed settings or a new slip are a reason to try at once.
                let _ = tokio::time::timeout(pause, woken).await;
            }
            Ok(None) => counter.print_wake.notified().await,
            Err(error) => {
                tracing::error!(?error, "print queue");
                tokio::time::sleep(RETRY_PAUSE).await;
            }
        }
    }
}

/// Key of the sentence for a trouble. A program that ended in the middle of a slip leaves the
/// store's own word.
fn trouble_key(trouble: &str) -> String {
    let key = match trouble {
        INTERRUPTED => PrinterTrouble::Interrupted.message_key(),
        key => key,
    };
    key.to_owned()
}

/// Prints one slip: `None` when none waits, otherwise whether it reached the printer.
async fn next(counter: &Arc<Counter>) -> Result<Option<bool>, CallError> {
    let Some(job) = counter.store.take_print_job(PRINTER, counter.now())? else {
        return Ok(None);
    };
    counter.tell_print_or_log(job.id);
    let printed = print(counter, &job).await;
    let now = counter.now();
    match &printed {
        Ok(()) => {
            counter.store.print_done(job.id, now)?;
        }
        Err(trouble) => {
            let again = trouble.repeats && job.tries < TRIES_MAX;
            counter
                .store
                .print_troubled(job.id, &trouble.key, again, now)?;
        }
    }
    counter.tell_print_or_log(job.id);
    Ok(Some(printed.is_ok()))
}

/// Why a slip was not printed.
struct Trouble {
    key: String,
    repeats: bool,
}

impl From<PrinterTrouble> for Trouble {
    fn from(trouble: PrinterTrouble) -> Trouble {
        Trouble {
            key: trouble.message_key().to_owned(),
            repeats: trouble.is_safe_to_repeat(),
        }
    }
}

impl From<CallError> for Trouble {
    fn from(error: CallError) -> Trouble {
        Trouble {
            key: error.message_key,
            repeats: error.retryable,
        }
    }
}

async fn print(counter: &Arc<Counter>, job: &PrintJob) -> Result<(), Trouble> {
    let order = job.order.ok_or_else(CallError::internal)?;
    crate::serve::fetch_settlement(counter, order).await?;
    let (target, slip) = {
        let counter = Arc::clone(counter);
        let job = job.clone();
        crate::serve::blocking(move || {
            let target = settings::load(&counter.store)?.printer.target;
            Ok((target, counter.render(&job)?))
        })
        .await?
    };
    printer::print(&target, &slip).await?;
    Ok(())
}

impl Counter {
    fn render(&self, job: &PrintJob) -> Result<Slip, CallError> {
        let order = job.order.ok_or_else(CallError::internal)?;
        let request: SlipRequest =
            serde_json::from_slice(&job.document).map_err(|error| CallError::malformed(&error))?;
        let file = self.order_file(order)?;
        let receipt = self.receipt(&file, job.copy, &request)?;
        let layout = layout(&receipt.document()).map_err(|error| {
            tracing::error!(%error, "receipt layout");
            CallError::internal()
        })?;
        let holder = match request.holder {
            super::slip::Holder::Shop => "shop",
            super::slip::Holder::Member => "member",
        };
        let copy = if job.copy > 0 {
            format!("-copy{}", job.copy)
        } else {
            String::new()
        };
        Ok(Slip {
            name: format!("{}-{holder}{copy}", file.order.order_no),
            escpos: escpos::render(&layout),
            pdf: pdf::render(&layout),
        })
    }

    /// Puts a failed print back into the queue.
    pub(crate) fn retry_print(&self, id: Uuid) -> Result<(), CallError> {
        if !self.store.requeue_print(id, PRINTER, self.now())? {
            return Err(CallError::new(ErrorCode::WrongState, "order_state"));
        }
        self.print_wake.notify_one();
        self.tell_print(id)
    }

    /// One job for the window.
    pub(crate) fn print_view(&self, id: Uuid) -> Result<PrintJobView, CallError> {
        let job = self.store.print_job(id)?;
        let job = job.ok_or_else(|| CallError::new(ErrorCode::NotFound, "not_found"))?;
        let named = match job.order {
            Some(order) => self.order_names(&self.overlay(&[])?, order)?,
            None => None,
        };
        Ok(job_view(&job, named))
    }

    /// A job that cannot be shown is printed all the same.
    fn tell_print_or_log(&self, id: Uuid) {
        if let Err(error) = self.tell_print(id) {
            tracing::error!(?error, %id, "a print job cannot be shown");
        }
    }

    fn tell_print(&self, id: Uuid) -> Result<(), CallError> {
        let job = self.print_view(id)?;
        self.tell(CounterEvent::Print { job });
        Ok(())
    }
}

/// A print job for the window.
pub(crate) fn job_view(job: &PrintJob, named: Option<OrderNames>) -> PrintJobView {
    PrintJobView {
        id: job.id.to_string(),
        order_no: named.map_or_else(String::new, |named| named.order_no),
        copy: job.copy,
        state: match job.state {
            PrintState::Queued => PrintStateView::Queued,
            PrintState::Printing => PrintStateView::Printing,
            PrintState::Printed => PrintStateView::Printed,
            PrintState::Failed => PrintStateView::Failed,
        },
        trouble: job.trouble.as_deref().map(trouble_key),
        tries: job.tries,
        queued_at_ms: job.queued_at.into(),
    }
}
