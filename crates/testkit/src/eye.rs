//! What a person in front of a display sees, read from the display itself.
//!
//! Not WebDriver's pictures: those show one page and not what lies over it, and wait for a frame
//! that a screen at rest may never draw.

use std::io::Cursor;
use std::path::PathBuf;
use std::process::Command;

use image::{ImageFormat, RgbImage};

use crate::fault::Fault;
use crate::process::said_by;

/// By so much a channel of a colour may differ in two pictures of the same.
const SHADE_MAX: u8 = 32;
/// So many of a thousand points may differ by more.
const NOISE_PER_MILLE: usize = 5;

/// An eye on one display.
#[derive(Debug, Clone)]
pub struct Eye(Source);

/// Where an X window dump of the present comes from.
#[derive(Debug, Clone)]
enum Source {
    /// From this file.
    Memory(PathBuf),
    /// From the server of the display of this name.
    Server(String),
}

/// A glance at a display: quick to take and to compare.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Glance(Vec<u8>);

/// A picture of a display, or of a part of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture(RgbImage);

impl Eye {
    /// An eye on the display whose memory is the file `memory`, an X window dump.
    pub fn on(memory: PathBuf) -> Eye {
        Eye(Source::Memory(memory))
    }

    /// An eye on the display called `name`, whose server is asked at each look.
    pub(crate) fn asking(name: &str) -> Eye {
        Eye(Source::Server(name.to_owned()))
    }

    /// What is to be seen now.
    ///
    /// # Errors
    /// Where the display is gone.
    pub fn look(&self) -> Result<Glance, Fault> {
        match &self.0 {
            Source::Memory(file) => std::fs::read(file)
                .map(Glance)
                .map_err(|source| Fault::file(file, source)),
            Source::Server(name) => dump_of(name).map(Glance),
        }
    }
}

fn dump_of(display: &str) -> Result<Vec<u8>, Fault> {
    said_by(Command::new("xwd").args(["-root", "-silent", "-display", display]))
}

impl Glance {
    /// As a picture.
    ///
    /// # Errors
    /// Where the display's memory is of an unknown form.
    pub fn picture(&self) -> Result<Picture, Fault> {
        picture(&self.0).ok_or_else(|| Fault::Unexpected("a display of an unknown form".into()))
    }
}

impl Picture {
    /// The part at `left` and `top`, as far as it is on the display.
    pub fn part(&self, [left, top, width, height]: [u32; 4]) -> Picture {
        Picture(image::imageops::crop_imm(&self.0, left, top, width, height).to_image())
    }

    /// How many different colours are in it: one or two where nothing is drawn yet.
    pub fn colours(&self) -> usize {
        let points = self.0.pixels().map(|point| point.0);
        points.collect::<std::collections::BTreeSet<_>>().len()
    }

    /// Whether both show the same: painters may differ by a shade, and in a few points by more.
    pub fn is_like(&self, other: &Picture) -> bool {
        if self.0.dimensions() != other.0.dimensions() {
            return false;
        }
        let pairs = self.0.pixels().zip(other.0.pixels());
        let differing = pairs.filter(|(one, other)| {
            let channels = one.0.iter().zip(other.0);
            channels.map(|(one, other)| one.abs_diff(other)).max() > Some(SHADE_MAX)
        });
        differing.count() * 1_000 <= self.0.pixels().len() * NOISE_PER_MILLE
    }

    /// Whether a phone could read a QR code in it.
    pub fn shows_a_code(&self) -> bool {
        let grey = image::imageops::grayscale(&self.0);
        let (width, height) = (grey.width() as usize, grey.height() as usize);
        let mut seen = rqrr::PreparedImage::prepare_from_greyscale(width, height, |x, y| {
            let (x, y) = (u32::try_from(x), u32::try_from(y));
            x.and_then(|x| y.map(|y| grey.get_pixel(x, y).0[0]))
                .unwrap_or_default()
        });
        seen.detect_grids().iter().any(|grid| grid.decode().is_ok())
    }

    /// As PNG.
    ///
    /// # Errors
    /// Where the picture is empty.
    pub fn png(&self) -> Result<Vec<u8>, Fault> {
        let mut out = Cursor::new(Vec::new());
        self.0
            .write_to(&mut out, ImageFormat::Png)
            .map_err(|error| Fault::Unexpected(format!("a picture: {error}")))?;
        Ok(out.into_inner())
    }
}

/// Reads an X window dump of 32-bit points, blue first; its head is words of four bytes, the
/// highest byte first.
fn picture(dump: &[u8]) -> Option<Picture> {
    let word = |index: usize| -> Option<usize> {
        let bytes = dump.get(index * 4..index * 4 + 4)?;
        usize::try_from(u32::from_be_bytes(bytes.try_into().ok()?)).ok()
    };
    let (version, width, height, bits) = (word(1)?, word(4)?, word(5)?, word(11)?);
    let (row_bytes, colours) = (word(12)?, word(19)?);
    let point_bytes = bits / 8;
    if version != 7 || ![24, 32].contains(&bits) || row_bytes < width * point_bytes {
        return None;
    }
    let points = dump.get(word(0)? + colours * 12..)?;
    let mut rgb = Vec::with_capacity(width * height * 3);
    for row in points.chunks(row_bytes).take(height) {
        for point in row.get(..width * point_bytes)?.chunks_exact(point_bytes) {
            rgb.extend([point[2], point[1], point[0]]);
        }
    }
    RgbImage::from_raw(u32::try_from(width).ok()?, u32::try_from(height).ok()?, rgb).map(Picture)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A dump of two points in one row, with one colour in its table.
    fn dump(version: u32) -> Vec<u8> {
        let mut words = [0_u32; 25];
        for (index, word) in [
            (0, 100),
            (1, version),
            (4, 2),
            (5, 1),
            (11, 32),
            (12, 8),
            (19, 1),
        ] {
            words[index] = word;
        }
        let mut dump: Vec<u8> = words.iter().flat_map(|word| word.to_be_bytes()).collect();
        dump.extend([0; 12]);
        dump.extend([3, 2, 1, 0, 6, 5, 4, 0]);
        dump
    }

    #[test]
    fn a_dump_is_a_picture() {
        let seen = picture(&dump(7)).expect("it is a dump");
        assert_eq!(seen.0.as_raw(), &[1, 2, 3, 4, 5, 6]);
        assert_eq!(seen.part([1, 0, 1, 1]).0.as_raw(), &[4, 5, 6]);
        assert_eq!(seen.colours(), 2);
        assert!(seen.is_like(&seen.clone()));
        assert!(!seen.is_like(&seen.part([1, 0, 1, 1])));
        let darker = Picture(RgbImage::from_fn(2, 1, |_, _| [40, 40, 40].into()));
        assert!(!seen.is_like(&darker));
        assert_eq!(picture(&dump(6)), None);
        assert_eq!(picture(&dump(7)[..115]), None);
    }
}
