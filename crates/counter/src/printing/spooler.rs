//! The system's print spooler: CUPS, or that of Windows.

mod cups;
#[cfg(windows)]
mod windows;

use std::time::Duration;

use super::printer::PrinterTrouble;
use crate::view::printer::SpoolerForm;

pub use cups::Cups;

/// A spooler that is there answers within this time, and takes a slip.
const ANSWER_MAX: Duration = Duration::from_secs(20);

/// How to speak with the system's spooler.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Spooler {
    /// Linux, macOS.
    Cups(Cups),
    /// Windows.
    #[cfg(windows)]
    Windows,
}

/// A queue of the spooler.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Queue {
    /// Its name.
    pub name: String,
    /// It keeps documents and prints none.
    pub paused: bool,
}

impl Spooler {
    /// Whether it makes printing of pages its own work. Windows leaves that to programs.
    pub const TAKES_PAGES: bool = !cfg!(windows);

    /// The system's own.
    pub fn of_system() -> Spooler {
        #[cfg(windows)]
        return Spooler::Windows;
        #[cfg(not(windows))]
        Spooler::Cups(Cups::of_system())
    }

    /// The queues, by name.
    ///
    /// # Errors
    /// [`PrinterTrouble::SpoolerMissing`] or [`PrinterTrouble::SpoolerSilent`].
    pub async fn queues(&self) -> Result<Vec<Queue>, PrinterTrouble> {
        match self {
            Spooler::Cups(cups) => cups.queues().await,
            #[cfg(windows)]
            Spooler::Windows => windows::queues().await,
        }
    }

    /// Makes sure that `name` is a queue that prints what is of this form. Nothing is sent.
    ///
    /// # Errors
    /// As [`Spooler::queues`], [`PrinterTrouble::SpoolerNoPages`],
    /// [`PrinterTrouble::QueueUnknown`] or [`PrinterTrouble::QueuePaused`].
    pub async fn find(&self, name: &str, form: SpoolerForm) -> Result<(), PrinterTrouble> {
        if form == SpoolerForm::Pdf && !Spooler::TAKES_PAGES {
            return Err(PrinterTrouble::SpoolerNoPages);
        }
        let queues = self.queues().await?;
        match queues.iter().find(|queue| queue.name == name) {
            None => Err(PrinterTrouble::QueueUnknown),
            Some(Queue { paused: true, .. }) => Err(PrinterTrouble::QueuePaused),
            Some(_) => Ok(()),
        }
    }

    /// Hands a document to `queue`. What becomes of it there is the spooler's.
    ///
    /// # Errors
    /// [`PrinterTrouble::SpoolerMissing`], [`PrinterTrouble::SpoolerSilent`] or
    /// [`PrinterTrouble::SpoolerRefused`] when nothing was taken,
    /// [`PrinterTrouble::Interrupted`] when that is not known.
    pub async fn print(
        &self,
        queue: &str,
        form: SpoolerForm,
        title: &str,
        bytes: &[u8],
    ) -> Result<(), PrinterTrouble> {
        match self {
            Spooler::Cups(cups) => cups.print(queue, form, title, bytes).await,
            #[cfg(windows)]
            Spooler::Windows => windows::print(queue, title, bytes).await,
        }
    }
}
