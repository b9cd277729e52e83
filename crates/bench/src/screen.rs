//! What is on a display, read from the display's own memory. So a window is measured without its
//! help: by what a person in front of it would see.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

use qiantai_testkit::Display;

use crate::Outcome;

const WIDTH: u32 = 1366;
const HEIGHT: u32 = 768;
/// Of the display's rows and columns, one in so many is looked at.
const ROW_STEP: usize = 6;
const COLUMN_STEP: usize = 4;
/// So many of a thousand points may differ in two pictures of the same thing: a caret, a pointer.
const NOISE_PER_MILLE: usize = 2;

/// A display without a screen, and its memory.
pub struct Screen {
    display: Display,
    memory: File,
    layout: Layout,
}

/// Where the points are in the display's memory (an X window dump).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Layout {
    first_row: u64,
    row_bytes: usize,
    rows: usize,
}

/// The points looked at.
#[derive(Clone, PartialEq, Eq)]
pub struct Picture(Vec<[u8; 4]>);

impl Screen {
    /// Starts a display whose memory is in `folder`.
    pub fn start(folder: &Path) -> Outcome<Screen> {
        let display = Display::with_memory_in(folder, WIDTH, HEIGHT)?;
        let memory = File::open(folder.join("Xvfb_screen0"))?;
        let mut header = [0; 100];
        memory.read_exact_at(&mut header, 0)?;
        Ok(Screen {
            display,
            memory,
            layout: Layout::of(&header)?,
        })
    }

    /// Its name, for the environment variable `DISPLAY`.
    pub fn name(&self) -> &str {
        self.display.name()
    }

    /// What is on it now.
    pub fn look(&self) -> io::Result<Picture> {
        let Layout {
            first_row,
            row_bytes,
            rows,
        } = self.layout;
        let mut picture = Vec::new();
        let mut row = vec![0; row_bytes];
        let mut at = first_row;
        for _ in (0..rows).step_by(ROW_STEP) {
            self.memory.read_exact_at(&mut row, at)?;
            let (points, _) = row.as_chunks::<4>();
            picture.extend(points.iter().step_by(COLUMN_STEP));
            at += u64::try_from(row_bytes * ROW_STEP).map_err(io::Error::other)?;
        }
        Ok(Picture(picture))
    }
}

impl Layout {
    /// Reads the head of an X window dump: words of four bytes, the highest byte first.
    fn of(header: &[u8; 100]) -> Outcome<Layout> {
        let (words, _) = header.as_chunks::<4>();
        let word = |index: usize| -> usize {
            let word = u32::from_be_bytes(words[index]);
            usize::try_from(word).unwrap_or(usize::MAX)
        };
        let (head, version, rows) = (word(0), word(1), word(5));
        let (bits_per_point, row_bytes, colours) = (word(11), word(12), word(19));
        if version != 7 || bits_per_point != 32 || rows == 0 || head > 4_096 {
            return Err("the display's memory is of an unknown form".into());
        }
        let colour_bytes = 12;
        Ok(Layout {
            first_row: u64::try_from(head + colours * colour_bytes)?,
            row_bytes,
            rows,
        })
    }
}

impl Picture {
    /// Whether both show the same thing.
    pub fn is_like(&self, other: &Picture) -> bool {
        let pairs = self.0.iter().zip(&other.0);
        let differing = pairs.filter(|(one, other)| one != other).count();
        differing * 1_000 <= self.0.len() * NOISE_PER_MILLE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_head_of_a_dump_tells_where_the_points_are() {
        let mut header = [0; 100];
        for (index, word) in [
            (0, 160_u32),
            (1, 7),
            (5, 768),
            (11, 32),
            (12, 5_464),
            (19, 256),
        ] {
            header[index * 4..index * 4 + 4].copy_from_slice(&word.to_be_bytes());
        }
        let layout = Layout::of(&header).expect("it is a dump");
        let expected = Layout {
            first_row: 160 + 256 * 12,
            row_bytes: 5_464,
            rows: 768,
        };
        assert_eq!(layout, expected);
        header[7] = 6;
        Layout::of(&header).expect_err("another version");
    }

    #[test]
    fn a_caret_makes_no_other_picture() {
        let plain = Picture(vec![[0; 4]; 10_000]);
        for (changed, alike) in [(0, true), (20, true), (21, false)] {
            let mut other = plain.clone();
            other.0[..changed].fill([1; 4]);
            assert_eq!(plain.is_like(&other), alike, "{changed} points");
        }
    }
}
