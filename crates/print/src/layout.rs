//! Lines of a document into rows of columns.
//!
//! Every renderer starts from these rows, so that the PDF, the paper and the screen say the same.

use qiantai_core::Timestamp;

use crate::PrintError;
use crate::document::{Align, DOTS_PER_COLUMN, Document, Line, PaperWidth, Rule, Size, Span};
use crate::qr::{QUIET_ZONE, QrModules};
use crate::wrap::{columns_of, fits_unbroken, printable, wrap};

/// A document on its paper.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    /// The paper.
    pub width: PaperWidth,
    /// Title of the document.
    pub title: String,
    /// When the slip is printed.
    pub printed_at: Timestamp,
    /// Rows from top to bottom.
    pub rows: Vec<Row>,
}

/// One row of paper.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Row {
    /// Texts on one baseline, from left to right.
    Text(Vec<Cell>),
    /// A rule over the whole width.
    Rule(Rule),
    /// A label and, after it, a line to sign on.
    Signature {
        /// The label, at the left edge.
        label: Cell,
    },
    /// A centred QR code.
    Qr {
        /// The modules, without quiet zone.
        modules: QrModules,
        /// Edge of one module in printer dots.
        module_dots: usize,
    },
    /// Blank rows.
    Feed(u8),
    /// Cuts the paper.
    Cut,
    /// Opens the cash drawer.
    DrawerPulse,
}

/// A text that fits its field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cell {
    /// Words and style.
    pub span: Span,
    /// Where in the field.
    pub align: Align,
    /// First column of the field, in columns of normal size.
    pub start: usize,
    /// Column after the field.
    pub end: usize,
}

impl Cell {
    /// First column of the text itself.
    pub fn text_start(&self) -> usize {
        let spare = (self.end - self.start).saturating_sub(span_columns(&self.span));
        match self.align {
            Align::Left => self.start,
            Align::Center => self.start + spare / 2,
            Align::Right => self.start + spare,
        }
    }

    /// Columns of normal size the text covers.
    pub fn text_columns(&self) -> usize {
        span_columns(&self.span)
    }
}

impl Row {
    /// The row as a line of a fixed-width printer, padded with spaces on the left.
    /// `None` for rows that are not text.
    pub fn plain_text(&self, width: PaperWidth) -> Option<String> {
        match self {
            Row::Text(cells) => Some(cells.iter().fold(Padded::default(), Padded::with).line),
            Row::Rule(Rule::Light) => Some("-".repeat(width.columns())),
            Row::Rule(Rule::Heavy) => Some("=".repeat(width.columns())),
            Row::Signature { label } => {
                let line = "_".repeat(width.columns() - label.text_columns() - 1);
                Some(format!("{} {line}", label.span.text))
            }
            Row::Qr { .. } | Row::Feed(_) | Row::Cut | Row::DrawerPulse => None,
        }
    }
}

#[derive(Default)]
struct Padded {
    line: String,
    columns: usize,
}

impl Padded {
    fn with(mut self, cell: &Cell) -> Padded {
        let start = cell.text_start();
        self.line
            .extend(std::iter::repeat_n(' ', start.saturating_sub(self.columns)));
        self.line.push_str(&cell.span.text);
        self.columns = start + cell.text_columns();
        self
    }
}

/// Lays out `document` on its paper. Whatever can go wrong does so here; rendering cannot fail.
///
/// # Errors
/// A QR payload that is too long for any code, or for this paper.
pub fn layout(document: &Document) -> Result<Layout, PrintError> {
    let width = document.width;
    let mut rows = Vec::with_capacity(document.lines.len() * 2);
    for line in &document.lines {
        match line {
            Line::Text { span, align } => text(span, *align, width.columns(), &mut rows),
            Line::Columns {
                left,
                middle: None,
                right,
            } => pair(left, right, width, &mut rows),
            Line::Columns {
                left,
                middle: Some(middle),
                right,
            } => {
                triple(left, middle, right, width, &mut rows);
            }
            Line::Rule(rule) => rows.push(Row::Rule(*rule)),
            Line::Qr { payload, caption } => {
                rows.push(qr(payload, width)?);
                text(
                    &Span::plain(caption),
                    Align::Center,
                    width.columns(),
                    &mut rows,
                );
            }
            Line::Signature { label } => rows.push(signature(label, width)),
            Line::Feed(count) => rows.push(Row::Feed(*count)),
            Line::Cut => rows.push(Row::Cut),
            Line::DrawerPulse => rows.push(Row::DrawerPulse),
        }
    }
    Ok(Layout {
        width,
        title: document.title.clone(),
        printed_at: document.printed_at,
        rows,
    })
}

fn text(span: &Span, align: Align, columns: usize, rows: &mut Vec<Row>) {
    for span in pieces(span, columns) {
        rows.push(Row::Text(vec![Cell {
            span,
            align,
            start: 0,
            end: columns,
        }]));
    }
}

fn pair(left: &Span, right: &Span, width: PaperWidth, rows: &mut Vec<Row>) {
    let columns = width.columns();
    let spare = columns.saturating_sub(span_columns(left) + 1);
    let beside = spare >= columns / 2 && fits_unbroken(&right.text, spare / right.size.scale());
    if span_columns(right) > spare && !beside {
        text(left, Align::Left, columns, rows);
        text(right, Align::Right, columns, rows);
        return;
    }
    let mut lefts = pieces(left, columns).into_iter();
    for right in pieces(right, spare) {
        let start = columns - span_columns(&right);
        let mut cells = Vec::with_capacity(2);
        if let Some(span) = lefts.next() {
            cells.push(Cell {
                span,
                align: Align::Left,
                start: 0,
                end: start,
            });
        }
        cells.push(Cell {
            span: right,
            align: Align::Right,
            start,
            end: columns,
        });
        rows.push(Row::Text(cells));
    }
}

fn triple(left: &Span, middle: &Span, right: &Span, width: PaperWidth, rows: &mut Vec<Row>) {
    let columns = width.columns();
    let (label_end, middle_end) = (columns / 3, columns * 2 / 3);
    let fits = |span: &Span, field: usize| span_columns(span) < field;
    if fits(left, label_end + 1)
        && fits(middle, middle_end - label_end)
        && fits(right, columns - middle_end)
    {
        let middle_start = middle_end - span_columns(middle);
        rows.push(Row::Text(vec![
            Cell {
                span: clean(left),
                align: Align::Left,
                start: 0,
                end: middle_start,
            },
            Cell {
                span: clean(middle),
                align: Align::Right,
                start: middle_start,
                end: middle_end,
            },
            Cell {
                span: clean(right),
                align: Align::Right,
                start: middle_end,
                end: columns,
            },
        ]));
    } else {
        text(left, Align::Left, columns, rows);
        pair(middle, right, width, rows);
    }
}

fn signature(label: &str, width: PaperWidth) -> Row {
    let mut pieces = wrap(&printable(label), width.columns() / 2).into_iter();
    let span = Span::plain(pieces.next().unwrap_or_default());
    let end = columns_of(&span.text);
    Row::Signature {
        label: Cell {
            span,
            align: Align::Left,
            start: 0,
            end,
        },
    }
}

/// Edge of the largest code in dots; larger ones read no better and waste paper.
const QR_DOTS_MAX: usize = 432;
/// Edge of one module in dots: 0.75 mm at most, 0.375 mm at least to stay readable on thermal paper.
const MODULE_DOTS: std::ops::RangeInclusive<usize> = 3..=6;

fn qr(payload: &str, width: PaperWidth) -> Result<Row, PrintError> {
    let modules = QrModules::encode(payload)?;
    let side = modules.side() + 2 * QUIET_ZONE;
    let module_dots = (width.dots().min(QR_DOTS_MAX) / side).min(*MODULE_DOTS.end());
    if module_dots < *MODULE_DOTS.start() {
        return Err(PrintError::QrTooWide {
            modules: side,
            columns: width.columns(),
        });
    }
    Ok(Row::Qr {
        modules,
        module_dots,
    })
}

fn pieces(span: &Span, columns: usize) -> Vec<Span> {
    wrap(&printable(&span.text), columns / span.size.scale())
        .into_iter()
        .map(|text| Span {
            text,
            ..span.clone()
        })
        .collect()
}

fn clean(span: &Span) -> Span {
    Span {
        text: printable(&span.text),
        ..span.clone()
    }
}

fn span_columns(span: &Span) -> usize {
    columns_of(&span.text) * span.size.scale()
}

/// Columns to printer dots.
pub(crate) const fn dots(columns: usize) -> usize {
    columns * DOTS_PER_COLUMN
}

/// Height of a row of text in columns' worth of letters: the largest size on it.
pub(crate) fn row_size(cells: &[Cell]) -> Size {
    cells
        .iter()
        .map(|cell| cell.span.size)
        .max()
        .unwrap_or(Size::Normal)
}
