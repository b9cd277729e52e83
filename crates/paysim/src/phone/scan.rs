//! Reading QR codes from pictures.

use std::io::Cursor;
use std::sync::Arc;

use bytes::Bytes;
use image::{DynamicImage, ImageFormat, ImageReader, Limits};
use rqrr::PreparedImage;
use tokio::sync::Semaphore;

const PIXELS_MAX: u32 = 4096;
const MEMORY_BYTES_MAX: u64 = 128 * 1024 * 1024;
const AT_ONCE_MAX: usize = 2;

/// Reads pictures, a few at a time.
#[derive(Clone)]
pub(super) struct Scanner {
    places: Arc<Semaphore>,
}

/// Why a picture gives nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum ScanError {
    /// Not a PNG, damaged, or larger than 4096 pixels.
    #[error("this is not a picture that can be read")]
    NotAPicture,
    /// No QR code that can be read.
    #[error("there is no QR code in the picture")]
    NoCode,
    /// Reading was interrupted.
    #[error("the scanner is busy")]
    Busy,
}

impl Scanner {
    pub fn new() -> Scanner {
        Scanner {
            places: Arc::new(Semaphore::new(AT_ONCE_MAX)),
        }
    }

    /// The texts of all QR codes in the picture; at least one.
    pub async fn read_png(&self, picture: Bytes) -> Result<Vec<String>, ScanError> {
        let _place = self.places.acquire().await.map_err(|_| ScanError::Busy)?;
        // A damaged code must never take the gateway down with it: a panic in the decoder ends
        // this one task.
        tokio::task::spawn_blocking(move || codes_in(&picture))
            .await
            .map_err(|error| {
                tracing::warn!(%error, "reading a picture failed");
                ScanError::NotAPicture
            })?
    }
}

fn codes_in(picture: &[u8]) -> Result<Vec<String>, ScanError> {
    let mut reader = ImageReader::with_format(Cursor::new(picture), ImageFormat::Png);
    let mut limits = Limits::default();
    limits.max_image_width = Some(PIXELS_MAX);
    limits.max_image_height = Some(PIXELS_MAX);
    limits.max_alloc = Some(MEMORY_BYTES_MAX);
    reader.limits(limits);
    let picture = reader.decode().map_err(|_| ScanError::NotAPicture)?;
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    let levels = grey_levels(&picture);
    let mut prepared =
        PreparedImage::prepare_from_greyscale(width, height, |x, y| levels[y * width + x]);
    let texts: Vec<String> = prepared
        .detect_grids()
        .into_iter()
        .filter_map(|grid| match grid.decode() {
            Ok((_, text)) => Some(text),
            Err(error) => {
                tracing::debug!(%error, "a QR code that cannot be read");
                None
            }
        })
        .collect();
    if texts.is_empty() {
        Err(ScanError::NoCode)
    } else {
        Ok(texts)
    }
}

/// Grey levels on white paper: a transparent background must not turn black.
fn grey_levels(picture: &DynamicImage) -> Vec<u8> {
    let on_white = |level: u8, alpha: u8| {
        let (level, alpha) = (u32::from(level), u32::from(alpha));
        u8::try_from((level * alpha + 255 * (255 - alpha)) / 255).unwrap_or(u8::MAX)
    };
    picture
        .to_luma_alpha8()
        .pixels()
        .map(|pixel| on_white(pixel.0[0], pixel.0[1]))
        .collect()
}

#[cfg(test)]
mod tests {
    use fast_qr::{ECL, QRBuilder};
    use image::{ImageEncoder, codecs::png::PngEncoder};

    use super::*;

    /// A screenshot with the code somewhere on it: dark modules on `paper`, as grey and alpha.
    fn screenshot(text: &str, module_pixels: usize, paper: [u8; 2]) -> Vec<u8> {
        let code = QRBuilder::new(text).ecl(ECL::M).build().expect("text fits");
        let (width, height, left, top) = (1366, 768, 500, 150);
        let mut pixels = paper.repeat(width * height);
        let modules =
            (0..code.size * code.size).map(|index| (index % code.size, index / code.size));
        for (column, row) in modules.filter(|(column, row)| code[*row][*column].value()) {
            for y in 0..module_pixels {
                for x in 0..module_pixels {
                    let at = (top + row * module_pixels + y) * width
                        + (left + column * module_pixels + x);
                    pixels[at * 2] = 20;
                    pixels[at * 2 + 1] = 255;
                }
            }
        }
        let mut png = Vec::new();
        PngEncoder::new(&mut png)
            .write_image(&pixels, 1366, 768, image::ExtendedColorType::La8)
            .expect("the picture is well formed");
        png
    }

    #[test]
    fn a_code_is_read_from_a_screenshot() {
        let text = "qiantai-training://pay/0123456789abcdef0123456789abcdef";
        let check = |module_pixels, paper| {
            let png = screenshot(text, module_pixels, paper);
            assert_eq!(
                codes_in(&png),
                Ok(vec![text.to_owned()]),
                "{module_pixels} {paper:?}"
            );
        };
        check(4, [255, 255]);
        check(8, [255, 255]);
        check(8, [235, 255]);
        check(8, [0, 0]);
    }

    #[test]
    fn other_pictures_are_refused() {
        let check = |picture: &[u8], expected| assert_eq!(codes_in(picture), Err(expected));
        check(b"", ScanError::NotAPicture);
        check(b"no picture", ScanError::NotAPicture);
        let png = screenshot("x", 6, [255, 255]);
        check(&png[..png.len() / 2], ScanError::NotAPicture);
        let mut blank = Vec::new();
        PngEncoder::new(&mut blank)
            .write_image(
                &vec![255; 300 * 300],
                300,
                300,
                image::ExtendedColorType::L8,
            )
            .expect("the picture is well formed");
        check(&blank, ScanError::NoCode);
        let mut wide = Vec::new();
        PngEncoder::new(&mut wide)
            .write_image(&vec![255; 5000 * 2], 5000, 2, image::ExtendedColorType::L8)
            .expect("the picture is well formed");
        check(&wide, ScanError::NotAPicture);
    }
}
