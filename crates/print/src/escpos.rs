//! Rows as commands of ESC/POS receipt printers, texts in GB18030 (docs: domain §5.5).

use encoding_rs::GB18030;

use crate::bitmap::Bitmap;
use crate::document::{Align, PaperWidth, Size, Span};
use crate::glyphs::Glyphs;
use crate::layout::{Cell, Layout, Row};

/// Renders `layout` as the bytes to send to the printer.
///
/// A row with a character that is not among the printer's `glyphs` goes as a picture of the row.
pub fn render(layout: &Layout, glyphs: Glyphs) -> Vec<u8> {
    let mut stream = Stream {
        bytes: Vec::new(),
        width: layout.width,
        glyphs,
    };
    stream.put(INIT);
    stream.put(CHINESE_MODE);
    for row in &layout.rows {
        stream.row(row);
    }
    stream.bytes
}

/// Opens the drawer and puts nothing on paper.
pub fn drawer_pulse() -> Vec<u8> {
    [INIT, DRAWER].concat()
}

pub(crate) const INIT: &[u8] = &[0x1b, b'@'];
pub(crate) const CHINESE_MODE: &[u8] = &[0x1c, b'&'];
/// Feeds to the knife and cuts, leaving a bridge.
pub(crate) const CUT: &[u8] = &[0x1d, b'V', 66, 0];
/// 50 ms on the first drawer's pin.
pub(crate) const DRAWER: &[u8] = &[0x1b, b'p', 0, 0x19, 0xfa];
/// `ESC a n`: place of the line.
pub(crate) const ALIGN: &[u8] = &[0x1b, b'a'];
/// `ESC E n`: bold.
pub(crate) const BOLD: &[u8] = &[0x1b, b'E'];
/// `ESC d n`: blank lines.
pub(crate) const FEED: &[u8] = &[0x1b, b'd'];
/// `GS ! n`: size, width in the high half byte, height in the low one.
pub(crate) const SIZE: &[u8] = &[0x1d, b'!'];
/// `GS v 0 m xL xH yL yH`: picture; width in bytes, height in dots.
pub(crate) const PICTURE: &[u8] = &[0x1d, b'v', b'0', 0];

struct Stream {
    bytes: Vec<u8>,
    width: PaperWidth,
    glyphs: Glyphs,
}

impl Stream {
    fn row(&mut self, row: &Row) {
        match row {
            Row::Text(cells) => self.cells(cells),
            Row::Rule(_) | Row::Signature { .. } => {
                if let Some(line) = row.plain_text(self.width) {
                    self.cells(&[Cell {
                        span: Span::plain(line),
                        align: Align::Left,
                        start: 0,
                        end: self.width.columns(),
                    }]);
                }
            }
            Row::Qr {
                modules,
                module_dots,
            } => {
                self.align(Align::Center);
                self.picture(&Bitmap::of_qr(modules, *module_dots));
                self.align(Align::Left);
            }
            Row::Feed(count) => self.command(FEED, *count),
            Row::Cut => self.put(CUT),
            Row::DrawerPulse => self.put(DRAWER),
        }
    }

    fn cells(&mut self, cells: &[Cell]) {
        if cells.iter().all(|cell| self.glyphs.cover(&cell.span.text)) {
            self.text(cells);
        } else {
            self.picture(&Bitmap::of_text(cells, self.width.dots()));
        }
    }

    fn text(&mut self, cells: &[Cell]) {
        // A text alone on its row is placed by the printer, to half a column.
        let alone = match cells {
            [cell] if cell.align != Align::Left => Some(cell.align),
            _ => None,
        };
        if let Some(align) = alone {
            self.align(align);
        }
        let mut column = 0;
        for cell in cells {
            if alone.is_none() {
                let start = cell.text_start();
                self.put(" ".repeat(start.saturating_sub(column)).as_bytes());
                column = start + cell.text_columns();
            }
            self.cell(cell);
        }
        self.put(b"\n");
        if alone.is_some() {
            self.align(Align::Left);
        }
    }

    fn cell(&mut self, cell: &Cell) {
        let double = cell.span.size == Size::Double;
        if double {
            self.command(SIZE, 0x11);
        }
        if cell.span.bold {
            self.command(BOLD, 1);
        }
        self.put(&GB18030.encode(&cell.span.text).0);
        if cell.span.bold {
            self.command(BOLD, 0);
        }
        if double {
            self.command(SIZE, 0);
        }
    }

    fn picture(&mut self, bitmap: &Bitmap) {
        self.put(PICTURE);
        for length in [bitmap.width().div_ceil(8), bitmap.height()] {
            let length = u16::try_from(length).expect("a picture is as large as the paper at most");
            self.put(&length.to_le_bytes());
        }
        self.put(&bitmap.packed());
    }

    fn align(&mut self, align: Align) {
        let place = match align {
            Align::Left => 0,
            Align::Center => 1,
            Align::Right => 2,
        };
        self.command(ALIGN, place);
    }

    fn command(&mut self, command: &[u8], argument: u8) {
        self.put(command);
        self.put(&[argument]);
    }

    fn put(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }
}
