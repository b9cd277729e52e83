//! QR codes: for receipts, and for payment on the screen.

use std::io::Cursor;

use fast_qr::{ECL, QRBuilder};
use image::{GrayImage, ImageFormat, Luma};

use crate::PrintError;

/// Light modules that must surround a code (ISO/IEC 18004).
pub const QUIET_ZONE: usize = 4;

/// The modules of a QR code, without its quiet zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QrModules {
    side: usize,
    dark: Vec<bool>,
}

impl QrModules {
    /// Encodes `payload` with error correction level M.
    ///
    /// # Errors
    /// The payload is longer than a QR code can carry.
    pub fn encode(payload: &str) -> Result<QrModules, PrintError> {
        let code = QRBuilder::new(payload).ecl(ECL::M).build();
        let code = code.map_err(|_| PrintError::QrTooLong {
            bytes: payload.len(),
        })?;
        let side = code.size;
        let rows = (0..side).map(|row| &code[row]);
        let dark = rows.flatten().map(|module| module.value()).collect();
        Ok(QrModules { side, dark })
    }

    /// Modules along one edge, without the quiet zone.
    pub fn side(&self) -> usize {
        self.side
    }

    /// True when the module in column `x` of row `y` is dark.
    ///
    /// # Panics
    /// When the module is outside the code.
    pub fn is_dark(&self, x: usize, y: usize) -> bool {
        assert!(x < self.side && y < self.side, "module outside the code");
        self.dark[y * self.side + x]
    }

    /// Horizontal runs of dark modules.
    pub fn runs(&self) -> Vec<QrRun> {
        let mut runs = Vec::new();
        for (y, row) in self.dark.chunks(self.side).enumerate() {
            let mut x = 0;
            for run in row.chunk_by(|a, b| a == b) {
                if run[0] {
                    runs.push(QrRun {
                        x,
                        y,
                        length: run.len(),
                    });
                }
                x += run.len();
            }
        }
        runs
    }

    /// The code as one SVG path for a view box of `0 0 n n`, n = [`side`](Self::side) + 8:
    /// the quiet zone is inside.
    pub fn svg_path(&self) -> String {
        use std::fmt::Write as _;
        let mut path = String::new();
        for run in self.runs() {
            let (x, y) = (run.x + QUIET_ZONE, run.y + QUIET_ZONE);
            write!(path, "M{x} {y}h{0}v1h-{0}z", run.length).expect("a String takes any text");
        }
        path
    }

    /// The code as a greyscale PNG with its quiet zone, `scale` pixels a module.
    ///
    /// # Errors
    /// The image does not fit a PNG.
    pub fn png(&self, scale: u32) -> Result<Vec<u8>, PrintError> {
        let side = u32::try_from(self.side + 2 * QUIET_ZONE).expect("a code has 185 modules");
        let edge = side.checked_mul(scale).ok_or(PrintError::Png)?;
        let image = GrayImage::from_fn(edge, edge, |x, y| {
            let module = |pixel: u32| usize::try_from(pixel / scale).unwrap_or(usize::MAX);
            Luma([if self.is_dark_with_quiet_zone(module(x), module(y)) {
                0
            } else {
                255
            }])
        });
        let mut png = Cursor::new(Vec::new());
        image
            .write_to(&mut png, ImageFormat::Png)
            .map_err(|_| PrintError::Png)?;
        Ok(png.into_inner())
    }

    /// As [`is_dark`](Self::is_dark), counted from the corner of the quiet zone.
    pub(crate) fn is_dark_with_quiet_zone(&self, x: usize, y: usize) -> bool {
        let inside = QUIET_ZONE..QUIET_ZONE + self.side;
        inside.contains(&x) && inside.contains(&y) && self.is_dark(x - QUIET_ZONE, y - QUIET_ZONE)
    }
}

/// Dark modules side by side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QrRun {
    /// Column of the first module.
    pub x: usize,
    /// Row.
    pub y: usize,
    /// How many modules.
    pub length: usize,
}
