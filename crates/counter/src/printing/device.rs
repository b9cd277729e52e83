//! The printers of the settings, by their names in the queue.

use qiantai_print::{Glyphs, PaperWidth};

use super::slip::PRINTER;
use crate::view::printer::{PrinterGlyphs, PrinterName};
use crate::view::session::{PrinterSetting, PrinterTarget};

/// Name of the spare printer in the queue.
const SPARE: &str = "spare";

/// Name of the drawer in the queue. It hangs on the usual printer, and no slip holds it up.
pub const DRAWER: &str = "drawer";

/// Every queue: the drawer, for which somebody waits, then the printers, the usual one first.
pub const PRINTERS: [&str; 3] = [DRAWER, PRINTER, SPARE];

/// A printer with its paper and its letters.
pub struct Device {
    pub target: PrinterTarget,
    pub paper_mm: u16,
    pub letters: PrinterGlyphs,
    pub is_spare: bool,
}

impl Device {
    /// The printer called `name`; the usual one when there is no spare any more.
    pub fn called(name: &str, setting: PrinterSetting) -> Device {
        match setting.spare {
            Some(spare) if name == SPARE => Device {
                target: spare.target,
                paper_mm: spare.paper_mm,
                letters: spare.glyphs,
                is_spare: true,
            },
            _ => Device {
                target: setting.target,
                paper_mm: setting.paper_mm,
                letters: setting.glyphs,
                is_spare: false,
            },
        }
    }

    /// Its paper.
    pub fn paper(&self) -> PaperWidth {
        paper(self.paper_mm)
    }

    /// What it can write as text.
    pub fn glyphs(&self) -> Glyphs {
        glyphs(self.letters)
    }
}

/// The queue of a printer.
pub fn queue_of(name: PrinterName) -> &'static str {
    match name {
        PrinterName::Receipt => PRINTER,
        PrinterName::Spare => SPARE,
    }
}

/// The printer of a queue.
pub fn name_of(queue: &str) -> PrinterName {
    if queue == SPARE {
        PrinterName::Spare
    } else {
        PrinterName::Receipt
    }
}

pub fn paper(paper_mm: u16) -> PaperWidth {
    if paper_mm == 58 {
        PaperWidth::Mm58
    } else {
        PaperWidth::Mm80
    }
}

pub fn glyphs(view: PrinterGlyphs) -> Glyphs {
    match view {
        PrinterGlyphs::Gb18030 => Glyphs::Gb18030,
        PrinterGlyphs::Gbk => Glyphs::Gbk,
        PrinterGlyphs::Pictures => Glyphs::Pictures,
    }
}
