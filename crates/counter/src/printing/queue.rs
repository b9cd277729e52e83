//! The task that carries slips to the printer, one after another. What cannot be printed now is
//! tried again for as long as it takes; only what a person must look at is given up.

use std::collections::HashMap;
use std::sync::{Arc, Weak};

use qiantai_core::{Millis, Timestamp};
use qiantai_print::{Glyphs, escpos, layout, pdf};
use qiantai_store::{INTERRUPTED, PrintJob, PrintState};
use qiantai_sync::SyncStatus;
use qiantai_sync::engine::Retry;
use tokio::sync::Notify;
use uuid::Uuid;

use super::printer::{self, PrinterTrouble, Slip};
use super::slip::{PRINTER, request_of};
use super::word;
use crate::counter::Counter;
use crate::error::{CallError, ErrorCode};
use crate::orders::OrderNames;
use crate::serve::{blocking, fetch_settlement};
use crate::settings;
use crate::view::event::CounterEvent;
use crate::view::order::{Holder, PrintJobView, PrintState as PrintStateView};

/// Prints queued slips for as long as the counter lives. `wake` is the counter's own.
pub async fn run(counter: Weak<Counter>, wake: Arc<Notify>) {
    let mut pauses = Pauses::default();
    loop {
        let Some(alive) = counter.upgrade() else {
            return;
        };
        let next = pauses.step(&alive).await;
        let surroundings = Arc::clone(&alive.surroundings);
        drop(alive);
        let rest = async {
            match next {
                Next::AtOnce => {}
                Next::After(span) => surroundings.sleep(span).await,
                Next::WhenWoken => std::future::pending().await,
            }
        };
        tokio::select! {
            () = rest => {}
            // A new slip, other settings, or the server is back: a reason to try at once.
            () = wake.notified() => pauses.hurry(surroundings.now()),
        }
    }
}

/// When to look at the queue again.
enum Next {
    AtOnce,
    After(Millis),
    WhenWoken,
}

/// What waits for its next try.
#[derive(Default)]
struct Pauses {
    /// The printer cannot be reached: every slip waits.
    printer: Retry,
    /// Slips that lack something of the server; those behind them do not wait.
    slips: HashMap<Uuid, Retry>,
}

impl Pauses {
    /// Prints at most one slip.
    async fn step(&mut self, counter: &Arc<Counter>) -> Next {
        match self.print_next(counter).await {
            Ok(true) => Next::AtOnce,
            Ok(false) => self.next(counter.now()),
            Err(error) => {
                tracing::error!(?error, "print queue");
                self.printer
                    .fail(counter.now(), counter.surroundings.random());
                self.next(counter.now())
            }
        }
    }

    /// False when no slip can be printed now.
    async fn print_next(&mut self, counter: &Arc<Counter>) -> Result<bool, CallError> {
        let now = counter.now();
        if !self.printer.is_due(now) {
            return Ok(false);
        }
        let resting = self.slips.iter().filter(|(_, pause)| !pause.is_due(now));
        let resting: Vec<Uuid> = resting.map(|(id, _)| *id).collect();
        let Some(job) = next_job(counter, resting).await? else {
            self.slips.retain(|_, pause| !pause.is_due(now));
            return Ok(false);
        };
        let printed = print(counter, &job).await;
        self.note(counter, job.id, &printed);
        put_back(counter, job.id, printed).await?;
        Ok(true)
    }

    fn note(&mut self, counter: &Counter, job: Uuid, printed: &Result<(), Trouble>) {
        let (now, random) = (counter.now(), counter.surroundings.random());
        match printed.as_ref().map_err(|trouble| trouble.holds_up) {
            Ok(()) => {
                self.printer = Retry::default();
                self.slips.remove(&job);
            }
            Err(HoldsUp::EverySlip) => self.printer.fail(now, random),
            Err(HoldsUp::ThisSlip) => self.slips.entry(job).or_default().fail(now, random),
            Err(HoldsUp::UntilAPersonLooked) => {
                self.slips.remove(&job);
            }
        }
    }

    fn hurry(&mut self, now: Timestamp) {
        self.printer.hurry(now);
        for pause in self.slips.values_mut() {
            pause.hurry(now);
        }
    }

    fn next(&self, now: Timestamp) -> Next {
        let due = match self.printer.is_due(now) {
            true => self.slips.values().filter_map(Retry::retry_at).min(),
            false => self.printer.retry_at(),
        };
        due.map_or(Next::WhenWoken, |at| Next::After(at - now))
    }
}

/// Why a slip was not printed.
struct Trouble {
    key: String,
    holds_up: HoldsUp,
}

/// What a trouble keeps from the paper, and for how long.
#[derive(Clone, Copy)]
enum HoldsUp {
    /// The printer is off or away: all slips, until it is back.
    EverySlip,
    /// Something of the server is missing: this slip, until it is there.
    ThisSlip,
    /// Trying again could do harm or no good.
    UntilAPersonLooked,
}

impl From<PrinterTrouble> for Trouble {
    fn from(trouble: PrinterTrouble) -> Trouble {
        Trouble {
            key: trouble.message_key().to_owned(),
            holds_up: match trouble.is_safe_to_repeat() {
                true => HoldsUp::EverySlip,
                false => HoldsUp::UntilAPersonLooked,
            },
        }
    }
}

impl From<CallError> for Trouble {
    fn from(error: CallError) -> Trouble {
        Trouble {
            holds_up: match error.retryable {
                true => HoldsUp::ThisSlip,
                false => HoldsUp::UntilAPersonLooked,
            },
            key: error.message_key,
        }
    }
}

async fn next_job(
    counter: &Arc<Counter>,
    resting: Vec<Uuid>,
) -> Result<Option<PrintJob>, CallError> {
    let counter = Arc::clone(counter);
    blocking(move || Ok(counter.store.next_print_job(PRINTER, &resting)?)).await
}

async fn print(counter: &Arc<Counter>, job: &PrintJob) -> Result<(), Trouble> {
    let order = job.order.ok_or_else(CallError::internal)?;
    let reader = Arc::clone(counter);
    let has_code = blocking(move || reader.has_receipt_code(order)).await?;
    if !has_code && matches!(counter.sync.status(), SyncStatus::Offline { .. }) {
        // Asking would only hold up the slips behind it.
        return Err(
            CallError::new(ErrorCode::ServerUnreachable, "receipt_unsigned")
                .retryable()
                .into(),
        );
    }
    fetch_settlement(counter, order).await?;
    word::hear(counter, order).await?;
    let mut at_printer = counter.at_printer.lock().await;
    let is_drawer_open = at_printer.has_opened(order);
    let (target, slip) = {
        let counter = Arc::clone(counter);
        let job = job.clone();
        blocking(move || {
            let target = settings::load(&counter.store)?.printer.target;
            Ok((target, counter.render(&job, is_drawer_open)?))
        })
        .await?
    };
    let printer = printer::find(&target).await?;
    begin(counter, job.id).await?;
    printer.print(&slip.on_paper).await?;
    if slip.opens_drawer {
        at_printer.note_opened(order, counter.now());
    }
    Ok(())
}

/// Writes down that the slip may be on paper, before that is so: a program that ends before this
/// prints the slip by itself after the next start, one that ends later asks a person.
async fn begin(counter: &Arc<Counter>, job: Uuid) -> Result<(), CallError> {
    let counter = Arc::clone(counter);
    blocking(move || {
        if !counter.store.print_begins(job, counter.now())? {
            tracing::error!(%job, "a slip that does not wait");
            return Err(CallError::internal());
        }
        counter.tell_print_or_log(job);
        Ok(())
    })
    .await
}

async fn put_back(
    counter: &Arc<Counter>,
    job: Uuid,
    printed: Result<(), Trouble>,
) -> Result<(), CallError> {
    let counter = Arc::clone(counter);
    blocking(move || {
        let now = counter.now();
        match printed {
            Ok(()) => counter.store.print_done(job, now)?,
            Err(Trouble { key, holds_up }) => {
                let again = !matches!(holds_up, HoldsUp::UntilAPersonLooked);
                counter.store.print_troubled(job, &key, again, now)?
            }
        };
        counter.tell_print_or_log(job);
        Ok(())
    })
    .await
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

/// A slip on its way to the printer.
struct Rendered {
    on_paper: Slip,
    opens_drawer: bool,
}

impl Counter {
    fn render(&self, job: &PrintJob, is_drawer_open: bool) -> Result<Rendered, CallError> {
        let order = job.order.ok_or_else(CallError::internal)?;
        let request = request_of(job)?;
        let file = self.order_file(order)?;
        let mut receipt = self.receipt(&file, job.copy, &request)?;
        receipt.open_drawer &= !is_drawer_open;
        let layout = layout(&receipt.document()).map_err(|error| {
            tracing::error!(%error, "receipt layout");
            CallError::internal()
        })?;
        let holder = match request.holder {
            Holder::Shop => "shop",
            Holder::Member => "member",
        };
        let copy = if job.copy > 0 {
            format!("-copy{}", job.copy)
        } else {
            String::new()
        };
        Ok(Rendered {
            on_paper: Slip {
                name: format!("{}-{holder}{copy}", file.order.order_no),
                escpos: escpos::render(&layout, Glyphs::Gbk),
                pdf: pdf::render(&layout),
            },
            opens_drawer: receipt.open_drawer,
        })
    }

    /// Puts a failed print back into the queue.
    pub(crate) fn retry_print(&self, id: Uuid) -> Result<(), CallError> {
        self.staff()?;
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
        job_view(&job, named)
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
pub(crate) fn job_view(
    job: &PrintJob,
    named: Option<OrderNames>,
) -> Result<PrintJobView, CallError> {
    Ok(PrintJobView {
        id: job.id.to_string(),
        order_no: named.map_or_else(String::new, |named| named.order_no),
        holder: request_of(job)?.holder,
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
    })
}
