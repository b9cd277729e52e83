//! The drawer of a cash sale: it opens at once, because the cashier makes change from it. The slip,
//! which waits for the server's word, opens it only where this did not.
//!
//! A printer keeps the pulse in its buffer while it has no paper or its cover is open, and would open
//! the drawer whenever that is put right. So it is asked first: one that says that it cannot print
//! gets no pulse, and the slip opens the drawer, within two minutes of the sale or not at all. One
//! that says nothing, as behind a spooler, gets the pulse unasked and may be late with it.

use std::collections::HashMap;
use std::sync::Arc;

use qiantai_core::Timestamp;
use qiantai_core::ids::OrderId;
use qiantai_print::escpos;
use qiantai_store::{PrintJob, PrintState};

use super::printer::{self, Slip, Ways};
use super::slip::{is_of_this_moment, request_of};
use crate::counter::Counter;
use crate::error::CallError;
use crate::serve::blocking;
use crate::settings;
use crate::show::order::OrderFile;
use crate::view::printer::SpoolerForm;
use crate::view::session::{PrinterSetting, PrinterTarget};

/// Whoever holds it speaks with the printer; nobody else does meanwhile. A pulse waits behind a
/// slip that is stuck: many printers take one connection at a time, and in others its bytes would
/// fall into the middle of the slip.
#[derive(Default)]
pub(crate) struct AtPrinter {
    /// Sales of the last minutes whose drawer was opened, and when. A start of the program forgets
    /// them; their slips then open it again, which costs the shop nothing.
    opened: HashMap<OrderId, Timestamp>,
}

impl AtPrinter {
    /// Whether the drawer was opened for `order`.
    pub(super) fn has_opened(&self, order: OrderId) -> bool {
        self.opened.contains_key(&order)
    }

    /// Notes that it was.
    pub(super) fn note_opened(&mut self, order: OrderId, now: Timestamp) {
        self.opened.retain(|_, at| is_of_this_moment(*at, now));
        self.opened.insert(order, now);
    }
}

/// Opens the drawer for `order`, if it is a cash sale of this moment and its slip has not done so.
/// A printer that is out of reach or says that it cannot print leaves it to the slip.
pub(crate) async fn open(counter: Arc<Counter>, order: OrderId) {
    if let Err(error) = open_now(&counter, order).await {
        tracing::warn!(?error, %order, "the drawer is left to the slip");
    }
}

async fn open_now(counter: &Arc<Counter>, order: OrderId) -> Result<(), CallError> {
    let mut at_printer = counter.at_printer.lock().await;
    if at_printer.has_opened(order) {
        return Ok(());
    }
    let reader = Arc::clone(counter);
    let Some(target) = blocking(move || reader.drawer_of(order)).await? else {
        return Ok(());
    };
    let pulse = Slip {
        name: String::new(),
        escpos: escpos::drawer_pulse(),
        pdf: Vec::new(),
    };
    let opened = async {
        let mut printer = printer::find(&target, Ways::of(counter.surroundings.as_ref())).await?;
        printer.ask().await?;
        printer.send(&pulse).await
    };
    match opened.await {
        Ok(()) => at_printer.note_opened(order, counter.now()),
        Err(trouble) => tracing::warn!(%trouble, %order, "the drawer is left to the slip"),
    }
    Ok(())
}

impl Counter {
    /// The printer at which the drawer of `order` is to be opened now, if any.
    fn drawer_of(&self, order: OrderId) -> Result<Option<PrinterTarget>, CallError> {
        let printer = settings::load(&self.store)?.printer;
        if !takes_a_pulse(&printer.target) {
            return Ok(None);
        }
        let file = self.order_file(order)?;
        for job in self.store.print_jobs_of(order)? {
            if job.state == PrintState::Queued && self.opens_drawer(&printer, &file, &job)? {
                return Ok(Some(printer.target));
            }
        }
        Ok(None)
    }

    fn opens_drawer(
        &self,
        printer: &PrinterSetting,
        file: &OrderFile,
        job: &PrintJob,
    ) -> Result<bool, CallError> {
        Ok(self.slip_opens_drawer(printer, file, job.copy, &request_of(job)?))
    }
}

/// A folder has no drawer, nor has an office printer; what would open one stays in the slip's file.
pub(super) fn takes_a_pulse(target: &PrinterTarget) -> bool {
    match target {
        PrinterTarget::Network { .. } | PrinterTarget::Usb(_) => true,
        PrinterTarget::Spooler { form, .. } => *form == SpoolerForm::Escpos,
        PrinterTarget::Folder { .. } => false,
    }
}
