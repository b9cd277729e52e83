//! The spooler of Windows: documents of the printer's own commands, past every driver.

use qiantai_winspool::Fault;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use super::{ANSWER_MAX, Queue};
use crate::printing::printer::PrinterTrouble;

/// The queues, by name.
pub async fn queues() -> Result<Vec<Queue>, PrinterTrouble> {
    let asked = timeout(ANSWER_MAX, spawn_blocking(qiantai_winspool::queues)).await;
    let found = match asked {
        Ok(Ok(Ok(found))) => found,
        Ok(Ok(Err(error))) => {
            tracing::warn!(%error, "the printers of Windows");
            return Err(PrinterTrouble::SpoolerSilent);
        }
        Ok(Err(_)) | Err(_) => return Err(PrinterTrouble::SpoolerSilent),
    };
    let mut queues: Vec<Queue> = found
        .into_iter()
        .map(|queue| Queue {
            name: queue.name,
            paused: queue.paused,
        })
        .collect();
    queues.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(queues)
}

/// Hands a document to `queue`.
pub async fn print(queue: &str, title: &str, bytes: &[u8]) -> Result<(), PrinterTrouble> {
    let (queue, title, bytes) = (queue.to_owned(), title.to_owned(), bytes.to_owned());
    let work = spawn_blocking(move || qiantai_winspool::print(&queue, &title, &bytes));
    match timeout(ANSWER_MAX, work).await {
        Ok(Ok(Ok(()))) => Ok(()),
        Ok(Ok(Err(Fault::Refused(error)))) => {
            tracing::warn!(%error, "Windows took no slip");
            Err(PrinterTrouble::SpoolerRefused)
        }
        Ok(Ok(Err(Fault::Broken(error)))) => {
            tracing::warn!(%error, "Windows took a part of a slip");
            Err(PrinterTrouble::Interrupted)
        }
        Ok(Err(_)) | Err(_) => Err(PrinterTrouble::Interrupted),
    }
}
