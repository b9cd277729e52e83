//! Printers before they are chosen: which queues there are, and a page that shows what one can do.

use std::sync::Arc;

use qiantai_print::TestPage;

use super::device;
use super::printer::{self, PrinterTrouble, Slip};
use crate::counter::Counter;
use crate::error::{CallError, ErrorCode};
use crate::serve::blocking;
use crate::settings;
use crate::view::printer::{FoundPrinters, FoundQueue, TestPrint};
use crate::view::session::Language;

/// The queues of the system's spooler, or why there are none.
pub(crate) async fn found_printers(counter: &Arc<Counter>) -> Result<FoundPrinters, CallError> {
    counter.staff()?;
    let (queues, trouble) = match counter.surroundings.spooler().queues().await {
        Ok(queues) => (queues, None),
        Err(trouble) => (Vec::new(), Some(trouble.message_key().to_owned())),
    };
    Ok(FoundPrinters {
        queues: queues
            .into_iter()
            .map(|queue| FoundQueue {
                name: queue.name,
                paused: queue.paused,
            })
            .collect(),
        trouble,
    })
}

/// Prints the page at once, past the queue: a person stands beside the printer and looks.
pub(crate) async fn print_test_page(
    counter: &Arc<Counter>,
    request: TestPrint,
) -> Result<(), CallError> {
    counter.staff()?;
    if let Some(field) = settings::wrong_device(&request.target, request.paper_mm) {
        let wrong = CallError::new(ErrorCode::InvalidInput, "settings_invalid");
        return Err(wrong.with("field", field));
    }
    let reader = Arc::clone(counter);
    let asked = request.clone();
    let page = blocking(move || reader.test_page(&asked)).await?;
    let at_printer = counter.at_printer.lock().await;
    let printed = async {
        let mut printer = printer::find(&request.target, counter.surroundings.spooler()).await?;
        printer.ask().await?;
        printer.print(&page).await
    };
    let printed = printed.await.map_err(told);
    drop(at_printer);
    printed
}

fn told(trouble: PrinterTrouble) -> CallError {
    let mut error = CallError::new(ErrorCode::WrongState, "printer_unreachable").retryable();
    error.message_key = trouble.message_key().to_owned();
    error
}

impl Counter {
    fn test_page(&self, request: &TestPrint) -> Result<Slip, CallError> {
        let now = self.now();
        let page = TestPage {
            width: device::paper(request.paper_mm),
            language: match request.language {
                Language::ZhCn => qiantai_print::Language::ZhCn,
                Language::En => qiantai_print::Language::En,
            },
            glyphs: device::glyphs(request.glyphs),
            store: self.session()?.shop,
            terminal: self.terminal.code.clone(),
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
}
