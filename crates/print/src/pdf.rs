//! Rows on a PDF page as wide as the paper and as long as the slip.

use printpdf::{
    Color, CurTransMat, DateTime, FontId, Greyscale, Line, LineJoinStyle, LinePoint, Op, PaintMode,
    PdfDocument, PdfFontHandle, PdfPage, PdfSaveOptions, Point, Pt, Rect, TextItem,
    TextRenderingMode,
};

use crate::document::{Align, PaperWidth, Rule, Size};
use crate::font::{MISSING, pdf_face};
use crate::layout::{Cell, Layout, Row, row_size};
use crate::qr::{QUIET_ZONE, QrModules, QrRun};

/// Renders `layout` as a PDF of one page. The text can be searched and copied; the file holds
/// only the glyphs it uses.
///
/// The first call parses the face, some 30 ms.
pub fn render(layout: &Layout) -> Vec<u8> {
    let mut pdf = PdfDocument::new(&layout.title);
    let seconds = layout.printed_at.ms().div_euclid(1_000);
    let printed_at = DateTime::from_unix_timestamp(seconds).unwrap_or(DateTime::epoch());
    pdf.metadata.info.creation_date = printed_at;
    pdf.metadata.info.modification_date = printed_at;
    let font = pdf.add_font(pdf_face());

    let height = 2 * MARGIN + layout.rows.iter().map(row_height).sum::<Micrometres>();
    let mut sheet = Sheet::new(layout.width, height, font);
    for row in &layout.rows {
        sheet.draw(row);
    }
    let page_width = layout.width.millimetres() * 1_000;
    let page = PdfPage::new(pt(page_width).into(), pt(height).into(), sheet.ops);
    let mut warnings = Vec::new();
    let bytes = pdf
        .with_pages(vec![page])
        .save(&PdfSaveOptions::default(), &mut warnings);
    debug_assert!(warnings.is_empty(), "face and page are ours: {warnings:?}");
    bytes
}

/// Lengths on the page; integers, so that rows add up exactly.
type Micrometres = i64;

/// Above the first and below the last row.
const MARGIN: Micrometres = 5_000;
/// One dot of a receipt printer.
const DOT: Micrometres = 125;
/// One column of a receipt printer.
const COLUMN: Micrometres = 1_500;
/// Height of the em of normal size: digits and Latin letters keep to their columns.
const EM: Micrometres = 2_700;
const EM_DOUBLE: Micrometres = 4_900;
const ROW: Micrometres = 4_100;
const ROW_DOUBLE: Micrometres = 7_400;
const ROW_RULE: Micrometres = 3_000;
const ROW_SIGNATURE: Micrometres = 5_600;
const ROW_FEED: Micrometres = 2_000;

fn row_height(row: &Row) -> Micrometres {
    match row {
        Row::Text(cells) => match row_size(cells) {
            Size::Normal => ROW,
            Size::Double => ROW_DOUBLE,
        },
        Row::Rule(_) => ROW_RULE,
        Row::Signature { .. } => ROW_SIGNATURE,
        Row::Qr {
            modules,
            module_dots,
        } => qr_edge(modules, *module_dots),
        Row::Feed(count) => ROW_FEED * Micrometres::from(*count),
        Row::Cut | Row::DrawerPulse => 0,
    }
}

fn em(size: Size) -> Micrometres {
    match size {
        Size::Normal => EM,
        Size::Double => EM_DOUBLE,
    }
}

/// A page while it is being drawn, from top to bottom.
struct Sheet {
    ops: Vec<Op>,
    font: FontId,
    /// Left edge of the first column.
    left: Micrometres,
    /// Width of all columns.
    width: Micrometres,
    height: Micrometres,
    /// Top of the next row, from the top of the page.
    top: Micrometres,
}

impl Sheet {
    fn new(paper: PaperWidth, height: Micrometres, font: FontId) -> Sheet {
        let width = columns(paper.columns());
        let left = (paper.millimetres() * 1_000 - width) / 2;
        let black = Color::Greyscale(Greyscale {
            percent: 0.0,
            icc_profile: None,
        });
        let ops = vec![
            Op::SetFillColor { col: black.clone() },
            Op::SetOutlineColor { col: black },
            Op::SetLineJoinStyle {
                join: LineJoinStyle::Round,
            },
        ];
        Sheet {
            ops,
            font,
            left,
            width,
            height,
            top: MARGIN,
        }
    }

    fn draw(&mut self, row: &Row) {
        match row {
            Row::Text(cells) => self.text(cells),
            Row::Rule(rule) => self.rule(*rule),
            Row::Signature { label } => self.signature(label),
            Row::Qr {
                modules,
                module_dots,
            } => self.qr(modules, *module_dots),
            Row::Feed(_) | Row::Cut | Row::DrawerPulse => {}
        }
        self.top += row_height(row);
    }

    fn text(&mut self, cells: &[Cell]) {
        let size = row_size(cells);
        let height = match size {
            Size::Normal => ROW,
            Size::Double => ROW_DOUBLE,
        };
        // The middle of a Chinese character lies 0.38 em above the baseline.
        let baseline = self.top + height / 2 + em(size) * 38 / 100;
        for cell in cells {
            self.cell(cell, baseline);
        }
    }

    fn cell(&mut self, cell: &Cell, baseline: Micrometres) {
        let em = em(cell.span.size);
        let text = drawable(&cell.span.text);
        let natural = text_width(&text, em);
        let field = columns(cell.end - cell.start);
        let drawn = natural.min(field);
        let start = self.left + columns(cell.start);
        let x = match cell.align {
            Align::Left => start,
            Align::Center => start + (field - drawn) / 2,
            Align::Right => start + field - drawn,
        };
        let mode = if cell.span.bold {
            TextRenderingMode::FillStroke
        } else {
            TextRenderingMode::Fill
        };
        self.ops.extend([
            Op::StartTextSection,
            Op::SetFont {
                font: PdfFontHandle::External(self.font.clone()),
                size: pt(em),
            },
            Op::SetTextRenderingMode { mode },
            Op::SetOutlineThickness {
                pt: pt(em * 3 / 100),
            },
            Op::SetHorizontalScaling {
                percent: percent(drawn, natural),
            },
            Op::SetTextCursor {
                pos: self.point(x, baseline),
            },
            Op::ShowText {
                items: vec![TextItem::Text(text)],
            },
            Op::EndTextSection,
        ]);
    }

    fn rule(&mut self, rule: Rule) {
        let thickness = match rule {
            Rule::Light => 120,
            Rule::Heavy => 350,
        };
        let y = self.top + ROW_RULE / 2;
        self.line(self.left, self.left + self.width, y, thickness);
    }

    fn signature(&mut self, label: &Cell) {
        let baseline = self.top + ROW_SIGNATURE - 1_400;
        self.cell(label, baseline);
        let start = self.left + columns(label.end + 1);
        self.line(start, self.left + self.width, baseline + 300, 120);
    }

    fn line(&mut self, from: Micrometres, to: Micrometres, y: Micrometres, width: Micrometres) {
        let points = [from, to].map(|x| LinePoint {
            p: self.point(x, y),
            bezier: false,
        });
        self.ops.extend([
            Op::SetOutlineThickness { pt: pt(width) },
            Op::DrawLine {
                line: Line {
                    points: points.to_vec(),
                    is_closed: false,
                },
            },
        ]);
    }

    fn qr(&mut self, modules: &QrModules, module_dots: usize) {
        let left = self.left + (self.width - qr_edge(modules, module_dots)) / 2;
        let corner = self.point(left, self.top);
        let module = pt(dots(module_dots)).0;
        // One module is one unit, downwards: whole numbers keep the file small.
        let down = pt(-dots(module_dots)).0;
        let matrix = CurTransMat::Raw([module, 0.0, 0.0, down, corner.x.0, corner.y.0]);
        self.ops.extend([
            Op::SaveGraphicsState,
            Op::SetTransformationMatrix { matrix },
        ]);
        self.ops.extend(modules.runs().into_iter().map(dark_bar));
        self.ops.push(Op::RestoreGraphicsState);
    }

    /// From the top left corner to the PDF's bottom left one.
    fn point(&self, x: Micrometres, y: Micrometres) -> Point {
        Point {
            x: pt(x),
            y: pt(self.height - y),
        }
    }
}

fn drawable(text: &str) -> String {
    let known = |char: char| pdf_face().lookup_glyph_index(u32::from(char)).is_some();
    text.chars()
        .map(|char| if known(char) { char } else { MISSING })
        .collect()
}

fn text_width(text: &str, em: Micrometres) -> Micrometres {
    let face = pdf_face();
    let advances = text
        .chars()
        .filter_map(|char| face.lookup_glyph_index(u32::from(char)));
    let units: i64 = advances
        .map(|glyph| i64::from(face.get_horizontal_advance(glyph)))
        .sum();
    units * em / i64::from(face.pdf_font_metrics.units_per_em)
}

/// A run of modules, in modules from the corner of the quiet zone.
fn dark_bar(run: QrRun) -> Op {
    let modules = |count: usize| Pt(count as f32);
    Op::DrawRectangle {
        rectangle: Rect {
            x: modules(run.x + QUIET_ZONE),
            y: modules(run.y + QUIET_ZONE),
            width: modules(run.length),
            height: modules(1),
            mode: Some(PaintMode::Fill),
            winding_order: None,
        },
    }
}

fn qr_edge(modules: &QrModules, module_dots: usize) -> Micrometres {
    dots(module_dots) * micrometres(modules.side() + 2 * QUIET_ZONE)
}

fn columns(count: usize) -> Micrometres {
    COLUMN * micrometres(count)
}

fn dots(count: usize) -> Micrometres {
    DOT * micrometres(count)
}

fn micrometres(count: usize) -> Micrometres {
    i64::try_from(count).expect("counts of columns, dots and modules are small")
}

#[expect(
    clippy::float_arithmetic,
    reason = "PDF coordinates are floats; no money here"
)]
fn pt(length: Micrometres) -> Pt {
    let thousandths = length * 72_000 / 25_400;
    Pt(thousandths as f32 / 1_000.0)
}

#[expect(
    clippy::float_arithmetic,
    reason = "PDF scaling is a float; no money here"
)]
fn percent(part: Micrometres, whole: Micrometres) -> f32 {
    if whole == 0 {
        100.0
    } else {
        part as f32 * 100.0 / whole as f32
    }
}
