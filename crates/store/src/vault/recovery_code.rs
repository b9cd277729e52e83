//! The recovery code: 128 random bits that a person writes on paper.

use std::fmt;
use std::str::FromStr;

use sha2::{Digest, Sha256};
use zeroize::{Zeroize, ZeroizeOnDrop};

/// Crockford's base 32: no I, L, O or U.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const BODY_LEN: usize = 26;
const CODE_LEN: usize = 28;

/// Shown once as seven groups of four, `XXXX-XXXX-…`; the last two characters are a check.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct RecoveryCode([u8; 16]);

/// Why what was typed is no recovery code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecoveryCodeError {
    /// Too short or too long.
    #[error("{found} characters instead of {CODE_LEN}")]
    Length {
        /// Letters and digits typed.
        found: usize,
    },
    /// A character that no code has.
    #[error("a code has no {0:?}")]
    Character(char),
    /// A slip of the pen: the check does not fit.
    #[error("the check characters do not fit; a character is wrong")]
    Check,
}

impl RecoveryCode {
    pub(super) fn from_bytes(bytes: [u8; 16]) -> RecoveryCode {
        RecoveryCode(bytes)
    }

    pub(super) fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Display for RecoveryCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = u128::from_be_bytes(self.0);
        let body = (0..BODY_LEN)
            .rev()
            .map(|place| (number >> (5 * place)) & 31);
        let check = check(&self.0);
        let checks = [u128::from(check >> 5), u128::from(check & 31)];
        for (index, digit) in body.chain(checks).enumerate() {
            if index > 0 && index.is_multiple_of(4) {
                f.write_str("-")?;
            }
            let symbol = ALPHABET[usize::try_from(digit).expect("five bits fit")];
            write!(f, "{}", char::from(symbol))?;
        }
        Ok(())
    }
}

impl fmt::Debug for RecoveryCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RecoveryCode(redacted)")
    }
}

impl FromStr for RecoveryCode {
    type Err = RecoveryCodeError;

    /// Takes what people type: any case, spaces, dashes and full-width letters; O for 0, I and L
    /// for 1.
    fn from_str(typed: &str) -> Result<RecoveryCode, RecoveryCodeError> {
        let digits = typed
            .chars()
            .map(half_width)
            .filter(char::is_ascii_alphanumeric)
            .map(digit)
            .collect::<Result<Vec<u16>, _>>()?;
        if digits.len() != CODE_LEN {
            return Err(RecoveryCodeError::Length {
                found: digits.len(),
            });
        }
        // The first character carries three bits only.
        if digits[0] > 7 {
            return Err(RecoveryCodeError::Check);
        }
        let number = digits[..BODY_LEN]
            .iter()
            .fold(0_u128, |sum, digit| (sum << 5) | u128::from(*digit));
        let bytes = number.to_be_bytes();
        if check(&bytes) != (digits[BODY_LEN] << 5) | digits[BODY_LEN + 1] {
            return Err(RecoveryCodeError::Check);
        }
        Ok(RecoveryCode(bytes))
    }
}

/// Ten bits.
fn check(bytes: &[u8; 16]) -> u16 {
    let digest = Sha256::digest(bytes);
    u16::from_be_bytes([digest[0], digest[1]]) >> 6
}

fn digit(symbol: char) -> Result<u16, RecoveryCodeError> {
    let upper = match symbol.to_ascii_uppercase() {
        'O' => '0',
        'I' | 'L' => '1',
        other => other,
    };
    (0_u16..)
        .zip(ALPHABET)
        .find_map(|(value, letter)| (char::from(*letter) == upper).then_some(value))
        .ok_or(RecoveryCodeError::Character(symbol))
}

/// A Chinese input method in full-width mode types `Ａ` for `A`.
fn half_width(symbol: char) -> char {
    match symbol {
        '\u{FF01}'..='\u{FF5E}' => {
            char::from_u32(u32::from(symbol) - 0xFEE0).expect("the block mirrors ASCII")
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BYTES: [u8; 16] = [
        0xfe, 0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef, 0, 1, 2, 3, 4, 5, 0x80,
    ];

    fn check_typed(typed: &str, expected: Result<[u8; 16], RecoveryCodeError>) {
        assert_eq!(
            typed.parse::<RecoveryCode>().map(|code| code.0),
            expected,
            "{typed:?}"
        );
    }

    #[test]
    fn a_code_is_read_as_people_type_it() {
        let shown = RecoveryCode(BYTES).to_string();
        assert_eq!(shown.len(), 34);
        assert_eq!(shown.split('-').count(), 7);
        check_typed(&shown, Ok(BYTES));
        check_typed(&shown.to_lowercase(), Ok(BYTES));
        check_typed(&shown.replace('-', " "), Ok(BYTES));
        check_typed(&shown.replace('-', ""), Ok(BYTES));
        check_typed(&format!("  {}\n", shown.replace('-', "—")), Ok(BYTES));
        check_typed(&shown.replace('0', "O").replace('1', "l"), Ok(BYTES));
        check_typed(&shown.replace('0', "o").replace('1', "I"), Ok(BYTES));
        let full_width: String = shown
            .chars()
            .map(|c| char::from_u32(u32::from(c) + 0xFEE0).expect("the block mirrors ASCII"))
            .collect();
        check_typed(&full_width, Ok(BYTES));
    }

    #[test]
    fn a_slip_of_the_pen_is_told() {
        let shown = RecoveryCode(BYTES).to_string();
        check_typed("", Err(RecoveryCodeError::Length { found: 0 }));
        check_typed(&shown[..33], Err(RecoveryCodeError::Length { found: 27 }));
        check_typed(
            &format!("{shown}0"),
            Err(RecoveryCodeError::Length { found: 29 }),
        );
        check_typed(
            &shown.replacen(&shown[..1], "U", 1),
            Err(RecoveryCodeError::Character('U')),
        );
        check_typed(&"Z".repeat(28), Err(RecoveryCodeError::Check));
        let mut swapped: Vec<char> = shown.chars().collect();
        swapped.swap(0, 1);
        check_typed(
            &swapped.iter().collect::<String>(),
            Err(RecoveryCodeError::Check),
        );
    }

    #[test]
    fn extreme_values_survive() {
        for bytes in [[0; 16], [0xff; 16], BYTES] {
            check_typed(&RecoveryCode(bytes).to_string(), Ok(bytes));
        }
    }
}
