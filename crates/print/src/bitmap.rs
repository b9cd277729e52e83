//! Dots on paper.

use ab_glyph::{Font, Glyph, GlyphId, PxScale, ScaleFont, point};

use crate::document::{DOTS_PER_COLUMN, Size};
use crate::font::{MISSING, raster_face};
use crate::layout::{Cell, dots, row_size};
use crate::qr::{QUIET_ZONE, QrModules};
use crate::wrap::columns_of_char;

/// Black and white dots, row by row.
pub(crate) struct Bitmap {
    width: usize,
    height: usize,
    black: Vec<bool>,
}

impl Bitmap {
    fn blank(width: usize, height: usize) -> Bitmap {
        Bitmap {
            width,
            height,
            black: vec![false; width * height],
        }
    }

    /// A QR code with its quiet zone.
    pub(crate) fn of_qr(modules: &QrModules, module_dots: usize) -> Bitmap {
        let edge = (modules.side() + 2 * QUIET_ZONE) * module_dots;
        let mut bitmap = Bitmap::blank(edge, edge);
        for y in 0..edge {
            for x in 0..edge {
                let dark = modules.is_dark_with_quiet_zone(x / module_dots, y / module_dots);
                bitmap.black[y * edge + x] = dark;
            }
        }
        bitmap
    }

    /// A row of text, every character in the columns the printer would give it.
    pub(crate) fn of_text(cells: &[Cell], width: usize) -> Bitmap {
        let scale = row_size(cells).scale();
        let mut bitmap = Bitmap::blank(width, LINE_DOTS * scale);
        let baseline = BASELINE_DOTS * scale;
        for cell in cells {
            let mut x = dots(cell.text_start());
            for char in cell.span.text.chars() {
                bitmap.draw(char, cell.span.size, x, baseline);
                if cell.span.bold {
                    bitmap.draw(char, cell.span.size, x + 1, baseline);
                }
                x += dots(columns_of_char(char)) * cell.span.size.scale();
            }
        }
        bitmap
    }

    fn draw(&mut self, char: char, size: Size, x: usize, baseline: usize) {
        let cell = DOTS_PER_COLUMN * columns_of_char(char) * size.scale();
        if cell == 0 && raster_face().glyph_id(char) == GlyphId(0) {
            // A mark on the letter before, which the face lacks: the letter stands alone.
            return;
        }
        let Some(outline) = raster_face().outline_glyph(glyph(char, size, x, cell, baseline))
        else {
            return;
        };
        let bounds = outline.px_bounds();
        let (left, top) = (whole_dots(bounds.min.x), whole_dots(bounds.min.y));
        outline.draw(|dx, dy, coverage| {
            let at =
                |origin: usize, step: u32| origin + usize::try_from(step).unwrap_or(usize::MAX);
            let (x, y) = (at(left, dx), at(top, dy));
            if coverage >= INK && x < self.width && y < self.height {
                self.black[y * self.width + x] = true;
            }
        });
    }

    /// Dots in a row.
    pub(crate) fn width(&self) -> usize {
        self.width
    }

    /// Rows.
    pub(crate) fn height(&self) -> usize {
        self.height
    }

    /// Eight dots a byte, the first in the highest bit, rows padded to whole bytes.
    pub(crate) fn packed(&self) -> Vec<u8> {
        self.black
            .chunks(self.width)
            .flat_map(|row| row.chunks(8))
            .map(|eight| {
                eight.iter().enumerate().fold(0, |byte, (bit, black)| {
                    byte | (u8::from(*black) << (7 - bit))
                })
            })
            .collect()
    }
}

/// Height of a line: 24 dots of letter and 6 of space, the printers' default.
const LINE_DOTS: usize = 30;
const BASELINE_DOTS: usize = 23;
/// Share of a dot that must be covered to print it.
const INK: f32 = 0.45;

/// The glyph of `char`, an em of 24 dots at normal size, centred in its `cell`.
#[expect(
    clippy::float_arithmetic,
    reason = "glyph outlines are scaled in floats; no money here"
)]
fn glyph(char: char, size: Size, x: usize, cell: usize, baseline: usize) -> Glyph {
    let face = raster_face();
    let id = match face.glyph_id(char) {
        GlyphId(0) => face.glyph_id(MISSING),
        id => id,
    };
    let em = (2 * DOTS_PER_COLUMN * size.scale()) as f32;
    let line_heights = face.height_unscaled() / face.units_per_em().unwrap_or(1_000.0);
    let scale = PxScale::from(em * line_heights);
    let spare = cell as f32 - face.as_scaled(scale).h_advance(id);
    let left = (x as f32 + spare / 2.0).max(0.0);
    id.with_scale_and_position(scale, point(left.round(), baseline as f32))
}

fn whole_dots(coordinate: f32) -> usize {
    // Casting saturates: what would lie left of or above the paper starts at its edge.
    coordinate as usize
}
