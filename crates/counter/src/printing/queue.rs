//! The task that carries slips to the printer, one after another. What cannot be printed now is
//! tried again for as long as it takes; only what a person must look at is given up.

use std::collections::HashMap;
use std::sync::{Arc, Weak};

use qiantai_core::{Millis, Timestamp};
use qiantai_print::{escpos, layout, pdf};
use qiantai_store::{CANCELLED, INTERRUPTED, PrintJob, PrintState, PrintTrouble};
use qiantai_sync::SyncStatus;
use qiantai_sync::engine::Retry;
use tokio::sync::Notify;
use uuid::Uuid;

use super::device::{self, Device, PRINTERS};
use super::printer::{self, PrinterTrouble, Slip, Ways};
use super::pulse;
use super::slip::request_of;
use super::word;
use crate::counter::Counter;
use crate::error::{CallError, ErrorCode};
use crate::orders::OrderNames;
use crate::serve::{blocking, fetch_settlement};
use crate::settings;
use crate::view::event::CounterEvent;
use crate::view::order::{Holder, PrintJobView, PrintState as PrintStateView};
use crate::view::printer::PrinterName;

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
    /// Printers that cannot print: every slip for them waits.
    printers: HashMap<&'static str, Retry>,
    /// Slips that lack something of the server; those behind them do not wait.
    slips: HashMap<Uuid, Retry>,
    /// What an earlier run left for the drawer was given up.
    is_settled: bool,
}

impl Pauses {
    /// Prints at most one slip.
    async fn step(&mut self, counter: &Arc<Counter>) -> Next {
        // One moment for both: what becomes due between them would be waited for in vain.
        let now = counter.now();
        match self.print_next(counter, now).await {
            Ok(true) => Next::AtOnce,
            Ok(false) => self.next(now),
            Err(error) => {
                tracing::error!(?error, "print queue");
                let random = counter.surroundings.random();
                for printer in PRINTERS {
                    self.printers.entry(printer).or_default().fail(now, random);
                }
                self.next(now)
            }
        }
    }

    /// False when no slip can be printed now.
    async fn print_next(
        &mut self,
        counter: &Arc<Counter>,
        now: Timestamp,
    ) -> Result<bool, CallError> {
        if !self.is_settled {
            pulse::settle(counter).await?;
            self.is_settled = true;
        }
        for printer in PRINTERS {
            let pause = self.printers.get(printer);
            if pause.is_some_and(|pause| !pause.is_due(now)) {
                continue;
            }
            let resting = self.slips.iter().filter(|(_, pause)| !pause.is_due(now));
            let resting: Vec<Uuid> = resting.map(|(id, _)| *id).collect();
            let Some(job) = next_job(counter, printer, resting).await? else {
                continue;
            };
            let printed = print(counter, printer, &job).await;
            self.note(counter, printer, job.id, &printed);
            put_back(counter, printer, job.id, printed).await?;
            return Ok(true);
        }
        self.slips.retain(|_, pause| !pause.is_due(now));
        Ok(false)
    }

    fn note(
        &mut self,
        counter: &Counter,
        printer: &'static str,
        job: Uuid,
        printed: &Result<Outcome, Trouble>,
    ) {
        let (now, random) = (counter.now(), counter.surroundings.random());
        match printed.as_ref().map_err(|trouble| trouble.holds_up) {
            Ok(Outcome::Printed | Outcome::Withdrawn) => {
                self.printers.remove(printer);
                self.slips.remove(&job);
            }
            Err(HoldsUp::EverySlip) => self.printers.entry(printer).or_default().fail(now, random),
            Err(HoldsUp::ThisSlip) => self.slips.entry(job).or_default().fail(now, random),
            Err(HoldsUp::UntilAPersonLooked) => {
                self.slips.remove(&job);
            }
        }
    }

    fn hurry(&mut self, now: Timestamp) {
        for pause in self.printers.values_mut().chain(self.slips.values_mut()) {
            pause.hurry(now);
        }
    }

    /// What is due was tried; what is left of it waits for a printer.
    fn next(&self, now: Timestamp) -> Next {
        let pauses = self.printers.values().chain(self.slips.values());
        let waiting = pauses.filter(|pause| !pause.is_due(now));
        let due = waiting.filter_map(Retry::retry_at).min();
        due.map_or(Next::WhenWoken, |at| Next::After(at - now))
    }
}

/// How a try without trouble ended.
pub(super) enum Outcome {
    /// The printer took the slip.
    Printed,
    /// A person cancelled it or sent it elsewhere while its printer was being looked for.
    Withdrawn,
}

/// Why a slip was not printed.
pub(super) struct Trouble {
    pub(super) key: String,
    pub(super) holds_up: HoldsUp,
    /// Part of it may be on paper.
    pub(super) tears: bool,
}

/// What a trouble keeps from the paper, and for how long.
#[derive(Clone, Copy)]
pub(super) enum HoldsUp {
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
            tears: trouble.tears(),
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
            tears: false,
        }
    }
}

async fn next_job(
    counter: &Arc<Counter>,
    printer: &'static str,
    resting: Vec<Uuid>,
) -> Result<Option<PrintJob>, CallError> {
    let counter = Arc::clone(counter);
    blocking(move || Ok(counter.store.next_print_job(printer, &resting)?)).await
}

async fn print(
    counter: &Arc<Counter>,
    name: &'static str,
    job: &PrintJob,
) -> Result<Outcome, Trouble> {
    if pulse::is_pulse(job) {
        return pulse::send(counter, job).await;
    }
    let order = job.order.ok_or_else(CallError::internal)?;
    let reader = Arc::clone(counter);
    let lacks_settlement = blocking(move || reader.lacks_settlement(order)).await?;
    if lacks_settlement && matches!(counter.sync.status(), SyncStatus::Offline { .. }) {
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
    let (device, slip) = {
        let counter = Arc::clone(counter);
        let job = job.clone();
        blocking(move || {
            let device = Device::called(name, settings::load(&counter.store)?.printer);
            let slip = counter.render(&job, &device, is_drawer_open)?;
            Ok((device, slip))
        })
        .await?
    };
    let mut printer =
        printer::find(&device.target, Ways::of(counter.surroundings.as_ref())).await?;
    printer.ask().await?;
    if !begin(counter, name, job.id).await? {
        return Ok(Outcome::Withdrawn);
    }
    printer.print(&slip.on_paper).await?;
    if slip.opens_drawer {
        at_printer.note_opened(order, counter.now());
    }
    Ok(Outcome::Printed)
}

/// Writes down that the slip may be on paper, before that is so: a program that ends before this
/// prints the slip by itself after the next start, one that ends later asks a person. False when
/// the slip does not wait for this printer any more.
pub(super) async fn begin(
    counter: &Arc<Counter>,
    printer: &'static str,
    job: Uuid,
) -> Result<bool, CallError> {
    let counter = Arc::clone(counter);
    blocking(move || {
        let begins = counter.store.print_begins(job, printer, counter.now())?;
        counter.tell_print_or_log(job);
        Ok(begins)
    })
    .await
}

async fn put_back(
    counter: &Arc<Counter>,
    printer: &'static str,
    job: Uuid,
    printed: Result<Outcome, Trouble>,
) -> Result<(), CallError> {
    let counter = Arc::clone(counter);
    blocking(move || {
        let now = counter.now();
        match printed {
            Ok(Outcome::Printed) => counter.store.print_done(job, now)?,
            Ok(Outcome::Withdrawn) => return Ok(()),
            Err(trouble) => {
                let trouble = PrintTrouble {
                    code: &trouble.key,
                    try_again: !matches!(trouble.holds_up, HoldsUp::UntilAPersonLooked),
                    torn: trouble.tears,
                };
                counter.store.print_troubled(job, printer, &trouble, now)?
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
    fn render(
        &self,
        job: &PrintJob,
        device: &Device,
        is_drawer_open: bool,
    ) -> Result<Rendered, CallError> {
        let order = job.order.ok_or_else(CallError::internal)?;
        let request = request_of(job)?;
        let file = self.order_file(order)?;
        let mut receipt = self.receipt(&file, job.copy, &request)?;
        // The first bytes of a slip that broke off opened it; a spare printer has none.
        receipt.open_drawer &= !is_drawer_open && !job.torn && !device.is_spare;
        receipt.width = device.paper();
        let mut document = receipt.document();
        if job.torn {
            document.mark_torn(receipt.language);
        }
        let layout = layout(&document).map_err(|error| {
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
                escpos: escpos::render(&layout, device.glyphs()),
                pdf: pdf::render(&layout),
            },
            opens_drawer: receipt.open_drawer,
        })
    }

    /// Puts a failed print back into the queue of its printer.
    pub(crate) fn retry_print(&self, id: Uuid) -> Result<(), CallError> {
        self.staff()?;
        let job = self.store.print_job(id)?;
        let job = job.ok_or_else(|| CallError::new(ErrorCode::NotFound, "not_found"))?;
        if pulse::is_pulse(&job) {
            pulse::check_again(&job, self.now())?;
        }
        self.requeue(id, &job.printer)
    }

    /// Sends a print that is not on paper to another printer.
    pub(crate) fn send_print(&self, id: Uuid, to: PrinterName) -> Result<(), CallError> {
        self.staff()?;
        let has_spare = settings::load(&self.store)?.printer.spare.is_some();
        if to == PrinterName::Spare && !has_spare {
            return Err(CallError::new(ErrorCode::InvalidInput, "printer_no_spare"));
        }
        let job = self.store.print_job(id)?;
        if job.as_ref().is_some_and(pulse::is_pulse) {
            return Err(CallError::new(ErrorCode::WrongState, "drawer_unset"));
        }
        self.requeue(id, device::queue_of(to))
    }

    /// Takes a print that is not on paper out of the queue.
    pub(crate) fn cancel_print(&self, id: Uuid) -> Result<(), CallError> {
        self.staff()?;
        if !self.store.cancel_print(id, self.now())? {
            return Err(CallError::new(ErrorCode::WrongState, "order_state"));
        }
        self.tell_print(id)
    }

    fn requeue(&self, id: Uuid, printer: &str) -> Result<(), CallError> {
        if !self.store.requeue_print(id, printer, self.now())? {
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
    pub(super) fn tell_print_or_log(&self, id: Uuid) {
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
    let is_cancelled = job.trouble.as_deref() == Some(CANCELLED);
    let trouble = job.trouble.as_deref().filter(|_| !is_cancelled);
    let is_pulse = pulse::is_pulse(job);
    Ok(PrintJobView {
        id: job.id.to_string(),
        order_no: named.map_or_else(String::new, |named| named.order_no),
        holder: match is_pulse {
            true => None,
            false => Some(request_of(job)?.holder),
        },
        copy: job.copy,
        state: match job.state {
            PrintState::Queued => PrintStateView::Queued,
            PrintState::Printing => PrintStateView::Printing,
            PrintState::Printed => PrintStateView::Printed,
            PrintState::Failed if is_cancelled => PrintStateView::Cancelled,
            PrintState::Failed => PrintStateView::Failed,
        },
        printer: device::name_of(&job.printer),
        torn: job.torn && !is_pulse,
        trouble: trouble.map(match is_pulse {
            true => pulse::trouble_key,
            false => trouble_key,
        }),
        tries: job.tries,
        queued_at_ms: job.queued_at.into(),
    })
}
