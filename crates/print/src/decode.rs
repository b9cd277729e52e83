//! Reads ESC/POS back: what a printer would do with the bytes.
//!
//! Written against the command manuals, not against [`escpos`](crate::escpos), so that tests and
//! acceptance runs compare two independent readings.

use encoding_rs::GB18030;

/// What the printer did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Printed {
    /// A line of text, spaces at its ends removed; blank for a fed line.
    Line(String),
    /// A picture.
    Picture {
        /// Dots in a row.
        width: usize,
        /// Dots, row by row; true is black.
        black: Vec<bool>,
    },
    /// The paper was cut.
    Cut,
    /// The drawer was opened.
    DrawerPulse,
}

/// Bytes that are no command this reader knows, or the end in the middle of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no ESC/POS command at byte {offset}")]
pub struct DecodeError {
    /// Where it starts.
    pub offset: usize,
}

/// The lines of text in `bytes`, without blank ones.
///
/// # Errors
/// An unknown or unfinished command.
pub fn escpos_text(bytes: &[u8]) -> Result<Vec<String>, DecodeError> {
    let lines = decode(bytes)?
        .into_iter()
        .filter_map(|printed| match printed {
            Printed::Line(line) if !line.is_empty() => Some(line),
            _ => None,
        });
    Ok(lines.collect())
}

/// Everything `bytes` make a printer do.
///
/// # Errors
/// An unknown or unfinished command.
pub fn decode(bytes: &[u8]) -> Result<Vec<Printed>, DecodeError> {
    let mut printed = Vec::new();
    let mut line = Vec::new();
    let mut rest = bytes;
    while let Some((&first, after)) = rest.split_first() {
        let error = DecodeError {
            offset: bytes.len() - rest.len(),
        };
        rest = match first {
            b'\n' => {
                printed.push(close(&mut line, error)?);
                after
            }
            0x10 | 0x1b..=0x1d => command(rest, &mut printed).ok_or(error)?,
            0x00..=0x1f => return Err(error),
            0x20..=0x7f => {
                line.push(first);
                after
            }
            0x80..=0xff => {
                let length = if after.first().is_some_and(u8::is_ascii_digit) {
                    4
                } else {
                    2
                };
                let (code, after) = rest.split_at_checked(length).ok_or(error)?;
                line.extend_from_slice(code);
                after
            }
        };
    }
    if line.is_empty() {
        Ok(printed)
    } else {
        Err(DecodeError {
            offset: bytes.len(),
        })
    }
}

/// Runs the command at the start of `bytes` and returns what follows it.
fn command<'b>(bytes: &'b [u8], printed: &mut Vec<Printed>) -> Option<&'b [u8]> {
    match bytes {
        [0x1b, b'@', rest @ ..] | [0x1c, b'&' | b'.', rest @ ..] => Some(rest),
        [0x1b, b'a', 0..=2, rest @ ..]
        | [0x1b, b'E', 0..=1, rest @ ..]
        | [0x1d, b'!', _, rest @ ..] => Some(rest),
        // Questions about paper and cover: DLE EOT n at once, GS r n in its turn.
        [0x10, 0x04, 1..=4, rest @ ..] | [0x1d, b'r', 1..=2, rest @ ..] => Some(rest),
        [0x1b, b'd', count, rest @ ..] => {
            printed.extend((0..*count).map(|_| Printed::Line(String::new())));
            Some(rest)
        }
        [0x1b, b'p', 0..=1, _, _, rest @ ..] => {
            printed.push(Printed::DrawerPulse);
            Some(rest)
        }
        [0x1d, b'V', 65 | 66, _, rest @ ..] => {
            printed.push(Printed::Cut);
            Some(rest)
        }
        [0x1d, b'v', b'0', 0, x_low, x_high, y_low, y_high, rest @ ..] => {
            let width = usize::from(u16::from_le_bytes([*x_low, *x_high]));
            let height = usize::from(u16::from_le_bytes([*y_low, *y_high]));
            let (packed, rest) = rest.split_at_checked(width * height)?;
            let bits = packed
                .iter()
                .flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1));
            printed.push(Printed::Picture {
                width: width * 8,
                black: bits.map(|bit| bit == 1).collect(),
            });
            Some(rest)
        }
        _ => None,
    }
}

fn close(line: &mut Vec<u8>, error: DecodeError) -> Result<Printed, DecodeError> {
    let text = GB18030
        .decode_without_bom_handling_and_without_replacement(line)
        .ok_or(error)?;
    let text = text.trim().to_owned();
    line.clear();
    Ok(Printed::Line(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(bytes: &[u8], expected: Result<Vec<Printed>, usize>) {
        assert_eq!(
            decode(bytes).map_err(|error| error.offset),
            expected,
            "{bytes:x?}"
        );
    }

    #[test]
    fn reads_what_printers_read() {
        check(b"", Ok(vec![]));
        check(b" ab \n", Ok(vec![Printed::Line("ab".into())]));
        check(b"\xd5\xc5\n", Ok(vec![Printed::Line("张".into())]));
        check(b"\xfe\x9f\n", Ok(vec![Printed::Line("䶮".into())]));
        check(b"\x1b@\x1dVB\x00", Ok(vec![Printed::Cut]));
        check(b"\x1bp\x00\x19\xfa", Ok(vec![Printed::DrawerPulse]));
        check(
            b"\x10\x04\x02a\n\x1dr\x01",
            Ok(vec![Printed::Line("a".into())]),
        );
        let black = vec![true, false, false, false, false, false, false, true];
        check(
            b"\x1dv0\0\x01\0\x01\0\x81",
            Ok(vec![Printed::Picture { width: 8, black }]),
        );
    }

    #[test]
    fn refuses_what_is_cut_short_or_unknown() {
        check(b"ab", Err(2));
        check(b"ab\x1b", Err(2));
        check(b"\x1bZ", Err(0));
        check(b"\x07", Err(0));
        check(b"\x10\x04\x09", Err(0));
        check(b"\xd5", Err(0));
        check(b"\xff\xff\n", Err(2));
        check(b"a\x1dv0\0\x02\0\x01\0\x81", Err(1));
    }
}
