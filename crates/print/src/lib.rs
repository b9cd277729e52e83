//! Receipts as documents, rendered to PDF, ESC/POS and preview.
//!
//! [`RechargeReceipt`] → [`Document`] → [`Layout`] → [`pdf`], [`escpos`], [`preview`]. Bytes come
//! out; printers, files and queues are elsewhere.

mod bitmap;
mod capitals;
pub mod decode;
pub mod document;
pub mod escpos;
mod font;
mod glyphs;
pub mod layout;
pub mod pdf;
pub mod preview;
pub mod qr;
pub mod recharge_receipt;
mod slip;
mod test_page;
mod texts;
mod torn;
mod wrap;

pub use capitals::{CAPITALS_FROM, capitals};
pub use document::{Document, PaperWidth};
pub use glyphs::Glyphs;
pub use layout::{Layout, layout};
pub use qr::QrModules;
pub use recharge_receipt::RechargeReceipt;
pub use test_page::TestPage;
pub use texts::Language;
pub use wrap::columns_of;

/// Why a document cannot be rendered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PrintError {
    /// No QR code carries this much.
    #[error("{bytes} bytes are too many for a QR code")]
    QrTooLong {
        /// Length of the payload.
        bytes: usize,
    },
    /// The code would be too fine to read on this paper.
    #[error("a QR code of {modules} modules is too fine for {columns} columns of paper")]
    QrTooWide {
        /// Modules along one edge, quiet zone included.
        modules: usize,
        /// Columns of the paper.
        columns: usize,
    },
    /// The image could not be written as PNG.
    #[error("the QR code does not fit a PNG of this scale")]
    Png,
}
