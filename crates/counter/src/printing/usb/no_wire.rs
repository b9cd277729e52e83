//! For systems that give no direct way to printers on USB.

use std::path::PathBuf;

use crate::printing::line::Line;
use crate::printing::printer::PrinterTrouble;

/// There is none, even to what `device` finds.
pub async fn open(
    device: impl FnOnce() -> Result<PathBuf, PrinterTrouble> + Send + 'static,
) -> Result<Line, PrinterTrouble> {
    device().and(Err(PrinterTrouble::UsbUnknown))
}
