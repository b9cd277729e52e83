//! Rows for the screen.

use crate::PrintError;
use crate::document::{Align, Document, Rule, Size};
use crate::layout::{Row, layout};
use crate::qr::QUIET_ZONE;

/// A slip as the screen shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preview {
    /// Columns of the paper; a column is half as wide as a Chinese character.
    pub columns: usize,
    /// Rows from top to bottom.
    pub rows: Vec<PreviewRow>,
}

/// One row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PreviewRow {
    /// Texts on one baseline.
    Text(Vec<PreviewText>),
    /// A rule over the whole width.
    Rule(Rule),
    /// A label, and a line to sign on that fills the row.
    Signature {
        /// The label.
        label: String,
    },
    /// A QR code, dark on light.
    Qr {
        /// SVG path of the dark modules.
        svg_path: String,
        /// Edge of the path's square view box, quiet zone inside.
        side: usize,
    },
    /// Blank rows.
    Feed(u8),
}

/// A text and its field on the row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PreviewText {
    /// The words.
    pub text: String,
    /// Where in the field.
    pub align: Align,
    /// First column of the field.
    pub start: usize,
    /// Column after the field.
    pub end: usize,
    /// Size of the letters.
    pub size: Size,
    /// Heavier strokes.
    pub bold: bool,
}

/// Renders `document` for the screen.
///
/// # Errors
/// A QR payload that does not fit the paper.
pub fn render(document: &Document) -> Result<Preview, PrintError> {
    let rows = layout(document)?
        .into_iter()
        .filter_map(preview_row)
        .collect();
    Ok(Preview {
        columns: document.width.columns(),
        rows,
    })
}

fn preview_row(row: Row) -> Option<PreviewRow> {
    match row {
        Row::Text(cells) => {
            let texts = cells.into_iter().map(|cell| PreviewText {
                text: cell.span.text,
                align: cell.align,
                start: cell.start,
                end: cell.end,
                size: cell.span.size,
                bold: cell.span.bold,
            });
            Some(PreviewRow::Text(texts.collect()))
        }
        Row::Rule(rule) => Some(PreviewRow::Rule(rule)),
        Row::Signature { label } => Some(PreviewRow::Signature {
            label: label.span.text,
        }),
        Row::Qr { modules, .. } => Some(PreviewRow::Qr {
            svg_path: modules.svg_path(),
            side: modules.side() + 2 * QUIET_ZONE,
        }),
        Row::Feed(count) => Some(PreviewRow::Feed(count)),
        Row::Cut | Row::DrawerPulse => None,
    }
}
