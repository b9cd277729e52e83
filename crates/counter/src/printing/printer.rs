//! Where bytes become paper. Each target says what went wrong in the queue's words.

use std::path::{Path, PathBuf};

use super::line::Line;
use super::spooler::Spooler;
use super::usb::UsbPorts;
use super::{network, usb};
use crate::surroundings::Surroundings;
use crate::view::printer::SpoolerForm;
use crate::view::session::PrinterTarget;

/// One slip in the forms that targets take.
pub struct Slip {
    /// Names the files of a folder target and the documents of a spooler.
    pub name: String,
    /// For printers.
    pub escpos: Vec<u8>,
    /// For people.
    pub pdf: Vec<u8>,
}

/// Why a slip is not on paper.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PrinterTrouble {
    /// No connection; not a byte was sent.
    #[error("the printer does not answer")]
    Unreachable,
    /// It is there and takes not a byte.
    #[error("the printer takes nothing")]
    TakesNothing,
    /// It says that it cannot print; not a byte was sent.
    #[error("the printer cannot print: {0:?}")]
    NotReady(NotReady),
    /// It says why it stopped; part of the slip may be on paper.
    #[error("the printer stopped in the middle: {0:?}")]
    Stopped(NotReady),
    /// Connected, but the slip did not go through in time; part of it may be on paper.
    #[error("the printer stopped in the middle")]
    Interrupted,
    /// The folder cannot be written.
    #[error("the folder cannot be written")]
    Folder,
    /// This system gives no direct way to printers on USB.
    #[error("this system gives no way to USB printers")]
    UsbUnknown,
    /// No such printer is plugged in, or it is off.
    #[error("the printer is not on USB")]
    UsbGone,
    /// Several of the kind are plugged in, and none where the chosen one was.
    #[error("several such printers are on USB")]
    UsbAlike,
    /// The account that runs the program may not use it.
    #[error("the printer on USB may not be used")]
    UsbDenied,
    /// Another program has it.
    #[error("the printer on USB is in use")]
    UsbBusy,
    /// This system's spooler takes commands and no pages.
    #[error("the spooler of this system takes no pages")]
    SpoolerNoPages,
    /// The spooler's programs are not on this machine.
    #[error("no spooler is installed")]
    SpoolerMissing,
    /// The spooler does not answer.
    #[error("the spooler does not answer")]
    SpoolerSilent,
    /// The spooler did not take the document.
    #[error("the spooler refused the document")]
    SpoolerRefused,
    /// The spooler has no such queue.
    #[error("the spooler has no such queue")]
    QueueUnknown,
    /// The queue keeps documents and prints none.
    #[error("the queue is paused")]
    QueuePaused,
}

/// What a printer that answers says is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotReady {
    /// Paper.
    PaperOut,
    /// Its cover.
    CoverOpen,
    /// A fault of its own, such as a jammed cutter.
    Fault,
}

impl PrinterTrouble {
    /// Key of the sentence for the cashier.
    pub fn message_key(self) -> &'static str {
        match self {
            PrinterTrouble::Unreachable => "error.printer_unreachable",
            PrinterTrouble::TakesNothing => "error.printer_takes_nothing",
            PrinterTrouble::NotReady(cause) | PrinterTrouble::Stopped(cause) => match cause {
                NotReady::PaperOut => "error.printer_paper_out",
                NotReady::CoverOpen => "error.printer_cover_open",
                NotReady::Fault => "error.printer_fault",
            },
            PrinterTrouble::Interrupted => "error.printer_timeout",
            PrinterTrouble::Folder => "error.printer_folder",
            PrinterTrouble::UsbUnknown => "error.printer_usb_unknown",
            PrinterTrouble::UsbGone => "error.printer_usb_gone",
            PrinterTrouble::UsbAlike => "error.printer_usb_alike",
            PrinterTrouble::UsbDenied => "error.printer_usb_denied",
            PrinterTrouble::UsbBusy => "error.printer_usb_busy",
            PrinterTrouble::SpoolerNoPages => "error.printer_spooler_no_pages",
            PrinterTrouble::SpoolerMissing => "error.printer_spooler_missing",
            PrinterTrouble::SpoolerSilent => "error.printer_spooler_silent",
            PrinterTrouble::SpoolerRefused => "error.printer_spooler_refused",
            PrinterTrouble::QueueUnknown => "error.printer_queue_unknown",
            PrinterTrouble::QueuePaused => "error.printer_queue_paused",
        }
    }

    /// Whether the queue may try again by itself. After an interruption that nobody can explain a
    /// person looks at the paper first.
    pub fn is_safe_to_repeat(self) -> bool {
        !matches!(self, PrinterTrouble::Interrupted)
    }

    /// Whether part of the slip may be on paper.
    pub fn tears(self) -> bool {
        matches!(
            self,
            PrinterTrouble::Interrupted | PrinterTrouble::Stopped(_)
        )
    }
}

/// The ways to printers that the machine has.
pub struct Ways {
    /// Its spooler.
    pub spooler: Spooler,
    /// Where it shows what is on USB.
    pub usb: UsbPorts,
}

impl Ways {
    /// Those of `surroundings`.
    pub fn of(surroundings: &dyn Surroundings) -> Ways {
        Ways {
            spooler: surroundings.spooler(),
            usb: surroundings.usb(),
        }
    }
}

/// A printer that was found, and has no byte yet.
pub enum Found {
    /// It took the connection.
    Line(Line),
    /// A queue of the spooler.
    Spooler {
        /// How to speak with it.
        spooler: Spooler,
        /// The queue.
        queue: String,
        /// What it takes.
        form: SpoolerForm,
    },
    /// A folder; it is made when a slip comes.
    Folder(PathBuf),
}

/// Looks for the printer at `target`. Nothing of a slip is sent.
///
/// # Errors
/// See [`PrinterTrouble`].
pub async fn find(target: &PrinterTarget, ways: Ways) -> Result<Found, PrinterTrouble> {
    match target {
        PrinterTarget::Network { host, port } => Ok(Found::Line(network::call(host, *port).await?)),
        PrinterTarget::Usb(printer) => Ok(Found::Line(usb::open(printer, ways.usb).await?)),
        PrinterTarget::Spooler { queue, form } => {
            ways.spooler.find(queue, *form).await?;
            Ok(Found::Spooler {
                spooler: ways.spooler,
                queue: queue.clone(),
                form: *form,
            })
        }
        PrinterTarget::Folder { path } => Ok(Found::Folder(path.into())),
    }
}

impl Found {
    /// Asks the printer whether it can print, where it can be asked. Nothing of a slip is sent.
    ///
    /// # Errors
    /// See [`Line::ask`].
    pub async fn ask(&mut self) -> Result<(), PrinterTrouble> {
        match self {
            Found::Line(line) => line.ask().await,
            Found::Spooler { .. } | Found::Folder(_) => Ok(()),
        }
    }

    /// As [`Found::print`], but leaves a printer that answers without watching what it does.
    ///
    /// # Errors
    /// See [`PrinterTrouble`].
    pub async fn send(self, slip: &Slip) -> Result<(), PrinterTrouble> {
        match self {
            Found::Line(line) => line.send(&slip.escpos).await,
            Found::Spooler { .. } | Found::Folder(_) => self.print(slip).await,
        }
    }

    /// Sends `slip`. From here on part of it may be on paper.
    ///
    /// # Errors
    /// See [`PrinterTrouble`].
    pub async fn print(self, slip: &Slip) -> Result<(), PrinterTrouble> {
        match self {
            Found::Line(line) => line.print(&slip.escpos).await,
            Found::Spooler {
                spooler,
                queue,
                form,
            } => {
                let bytes = match form {
                    SpoolerForm::Escpos => &slip.escpos,
                    SpoolerForm::Pdf => &slip.pdf,
                };
                spooler.print(&queue, form, &slip.name, bytes).await
            }
            Found::Folder(path) => folder(&path, slip).await,
        }
    }
}

async fn folder(path: &Path, slip: &Slip) -> Result<(), PrinterTrouble> {
    let write = async {
        tokio::fs::create_dir_all(path).await?;
        whole(path.join(format!("{}.escpos", slip.name)), &slip.escpos).await?;
        whole(path.join(format!("{}.pdf", slip.name)), &slip.pdf).await
    };
    write.await.map_err(|error| {
        tracing::warn!(%error, "receipt folder");
        PrinterTrouble::Folder
    })
}

/// Readers of the folder see a whole file or none.
async fn whole(path: PathBuf, bytes: &[u8]) -> std::io::Result<()> {
    let part = path.with_extension("part");
    tokio::fs::write(&part, bytes).await?;
    tokio::fs::rename(&part, &path).await
}
