//! Rows for the screen.

use crate::document::{Align, Rule, Size};
use crate::layout::{Layout, Row};
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

/// Renders `layout` for the screen.
pub fn render(layout: &Layout) -> Preview {
    Preview {
        columns: layout.width.columns(),
        rows: layout.rows.iter().filter_map(preview_row).collect(),
    }
}

fn preview_row(row: &Row) -> Option<PreviewRow> {
    match row {
        Row::Text(cells) => {
            let texts = cells.iter().map(|cell| PreviewText {
                text: cell.span.text.clone(),
                align: cell.align,
                start: cell.start,
                end: cell.end,
                size: cell.span.size,
                bold: cell.span.bold,
            });
            Some(PreviewRow::Text(texts.collect()))
        }
        Row::Rule(rule) => Some(PreviewRow::Rule(*rule)),
        Row::Signature { label } => Some(PreviewRow::Signature {
            label: label.span.text.clone(),
        }),
        Row::Qr { modules, .. } => Some(PreviewRow::Qr {
            svg_path: modules.svg_path(),
            side: modules.side() + 2 * QUIET_ZONE,
        }),
        Row::Feed(count) => Some(PreviewRow::Feed(*count)),
        Row::Cut | Row::DrawerPulse => None,
    }
}
