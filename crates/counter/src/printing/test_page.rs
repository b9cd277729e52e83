//! Printers before they are chosen: which queues there are, and a page that shows what one can do.

use std::sync::Arc;

use qiantai_core::Timestamp;
use qiantai_print::TestPage;

use super::printer::{self, PrinterTrouble, Slip, Ways};
use super::spooler::Spooler;
use super::{device, usb};
use crate::counter::Counter;
use crate::error::{CallError, ErrorCode};
use crate::serve::blocking;
use crate::settings;
use crate::surroundings::Surroundings;
use crate::view::printer::{FoundPrinters, FoundQueue, FoundUsb, TestPrint};
use crate::view::session::Language;

/// Whose page it is.
pub(crate) struct PageHead {
    /// Name of the shop.
    pub(crate) store: String,
    /// Two digits of the terminal.
    pub(crate) terminal: String,
}

/// The printers on USB.
pub(crate) async fn found_usb(surroundings: &dyn Surroundings) -> Result<FoundUsb, CallError> {
    let ports = surroundings.usb();
    let printers = blocking(move || ports.printers().map_err(told)).await?;
    Ok(FoundUsb {
        supported: usb::IS_SUPPORTED,
        printers,
    })
}

/// The queues of the system's spooler, or why there are none.
pub(crate) async fn found_printers(surroundings: &dyn Surroundings) -> FoundPrinters {
    let (queues, trouble) = match surroundings.spooler().queues().await {
        Ok(queues) => (queues, None),
        Err(trouble) => (Vec::new(), Some(trouble.message_key().to_owned())),
    };
    FoundPrinters {
        queues: queues
            .into_iter()
            .map(|queue| FoundQueue {
                name: queue.name,
                paused: queue.paused,
            })
            .collect(),
        takes_pages: Spooler::TAKES_PAGES,
        trouble,
    }
}

/// Prints the page at once, past the queue: a person stands beside the printer and looks.
pub(crate) async fn print_test_page(
    counter: &Arc<Counter>,
    request: TestPrint,
) -> Result<(), CallError> {
    counter.staff()?;
    let reader = Arc::clone(counter);
    let head = blocking(move || {
        Ok(PageHead {
            store: reader.session()?.shop,
            terminal: reader.terminal.code.clone(),
        })
    });
    let head = head.await?;
    let at_printer = counter.at_printer.lock().await;
    let printed = print_page(request, head, counter.surroundings.as_ref()).await;
    drop(at_printer);
    printed
}

/// Prints the page on a printer that nothing else prints on meanwhile.
pub(crate) async fn print_page(
    request: TestPrint,
    head: PageHead,
    surroundings: &dyn Surroundings,
) -> Result<(), CallError> {
    if let Some(field) = settings::wrong_device(&request.target, request.paper_mm) {
        let wrong = CallError::new(ErrorCode::InvalidInput, "settings_invalid");
        return Err(wrong.with("field", field));
    }
    let (asked, now) = (request.clone(), surroundings.now());
    let page = blocking(move || slip(&asked, head, now)).await?;
    let printed = async {
        let mut printer = printer::find(&request.target, Ways::of(surroundings)).await?;
        printer.ask().await?;
        printer.print(&page).await
    };
    printed.await.map_err(told)
}

fn told(trouble: PrinterTrouble) -> CallError {
    let mut error = CallError::new(ErrorCode::WrongState, "printer_unreachable").retryable();
    error.message_key = trouble.message_key().to_owned();
    error
}

fn slip(request: &TestPrint, head: PageHead, now: Timestamp) -> Result<Slip, CallError> {
    let page = TestPage {
        width: device::paper(request.paper_mm),
        language: match request.language {
            Language::ZhCn => qiantai_print::Language::ZhCn,
            Language::En => qiantai_print::Language::En,
        },
        glyphs: device::glyphs(request.glyphs),
        store: head.store,
        terminal: head.terminal,
        printed_at: now,
    };
    let unprintable = |error| {
        tracing::error!(%error, "test page");
        CallError::internal()
    };
    Ok(Slip {
        name: format!("test-page-{}", now.ms()),
        escpos: page.escpos().map_err(unprintable)?,
        pdf: page.pdf().map_err(unprintable)?,
    })
}
