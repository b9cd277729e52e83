//! Printers: what can be chosen in the settings.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::view::session::{Language, PrinterTarget};

/// What a printer can write as text; everything else goes to it as pictures.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum PrinterGlyphs {
    /// All characters of GB18030, those of four bytes too.
    Gb18030,
    /// The two-byte characters of GBK.
    #[default]
    Gbk,
    /// Nothing: every row is a picture.
    Pictures,
}

/// The printer that slips can be sent to while the usual one is in trouble.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct SparePrinter {
    /// The device.
    pub target: PrinterTarget,
    /// Width of the paper: 58 or 80 mm.
    pub paper_mm: u16,
    /// What it can write as text.
    pub glyphs: PrinterGlyphs,
}

/// What a queue of the spooler takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum SpoolerForm {
    /// The printer's own commands, past every driver: receipt printers.
    Escpos,
    /// Pages: office printers.
    Pdf,
}

/// The queues of the system's spooler.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct FoundPrinters {
    /// The queues, by name.
    pub queues: Vec<FoundQueue>,
    /// Whether they take pages as well as commands.
    pub takes_pages: bool,
    /// Key of the sentence why there is none to choose from.
    pub trouble: Option<String>,
}

/// A queue of the spooler.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct FoundQueue {
    /// Its name.
    pub name: String,
    /// It keeps documents and prints none.
    pub paused: bool,
}

/// A receipt printer on USB.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct UsbPrinter {
    /// Maker and model, as it calls itself; nothing is looked up by it.
    pub name: String,
    /// Number of its maker, four hexadecimal digits.
    pub vendor: String,
    /// Number of its model, four hexadecimal digits.
    pub product: String,
    /// Its own number, if it has one; many have none, or one for the whole model.
    pub serial: Option<String>,
    /// Socket it was in, as the system counts them: tells apart two that are alike in all else.
    pub port: String,
}

/// The printers on USB.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct FoundUsb {
    /// Whether this system gives a direct way to them.
    pub supported: bool,
    /// Those that are plugged in, by name.
    pub printers: Vec<UsbPrinter>,
}

/// Prints a page on a printer that is not saved yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct TestPrint {
    /// The device.
    pub target: PrinterTarget,
    /// Width of the paper: 58 or 80 mm.
    pub paper_mm: u16,
    /// What it can write as text.
    pub glyphs: PrinterGlyphs,
    /// Language of the page.
    pub language: Language,
}

/// One of the printers in the settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum PrinterName {
    /// The usual one.
    Receipt,
    /// The one for trouble.
    Spare,
}

/// Sends a job to a printer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct SendPrint {
    /// Identity of the job.
    pub job_id: String,
    /// To which one.
    pub printer: PrinterName,
}
