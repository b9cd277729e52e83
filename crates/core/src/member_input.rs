//! What is typed about a new member: a name that can be said and printed, a mobile number, a card.

use crate::half_width::half_width;

/// Longest name, in characters.
pub const NAME_CHARACTERS_MAX: usize = 40;

/// Longest card number, in characters.
pub const CARD_CHARACTERS_MAX: usize = 32;

/// Digits of a mobile number.
const PHONE_DIGITS: usize = 11;

/// What is wrong with a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum NameError {
    /// Nothing was typed.
    #[error("no name")]
    Empty,
    /// Beyond [`NAME_CHARACTERS_MAX`].
    #[error("name too long")]
    TooLong,
    /// Pictures are no name: no printer has them, and nobody can call them out.
    #[error("pictures in the name")]
    Emoji,
    /// Characters that cannot be seen, or that turn the text around them.
    #[error("invisible characters in the name")]
    Invisible,
    /// Not one letter.
    #[error("no letter in the name")]
    NoLetter,
}

/// What is wrong with a phone number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum PhoneError {
    /// Nothing was typed.
    #[error("no phone number")]
    Empty,
    /// Right as far as it goes.
    #[error("phone number too short")]
    TooShort,
    /// More digits than a mobile number has.
    #[error("phone number too long")]
    TooLong,
    /// No mobile number of the mainland begins so.
    #[error("not a mobile number")]
    NotMobile,
}

/// What is wrong with a card number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum CardError {
    /// Beyond [`CARD_CHARACTERS_MAX`].
    #[error("card number too long")]
    TooLong,
    /// Letters, digits and dashes only.
    #[error("not a card number")]
    NotANumber,
}

/// The name as it is kept: trimmed, one space between words.
///
/// # Errors
/// [`NameError`] names the first thing wrong with it.
pub fn name(typed: &str) -> Result<String, NameError> {
    let name = typed.split_whitespace().collect::<Vec<_>>().join(" ");
    if name.is_empty() {
        return Err(NameError::Empty);
    }
    if name.chars().count() > NAME_CHARACTERS_MAX {
        return Err(NameError::TooLong);
    }
    if name.chars().any(is_picture) {
        return Err(NameError::Emoji);
    }
    if name.chars().any(is_invisible) {
        return Err(NameError::Invisible);
    }
    if !name.chars().any(char::is_alphabetic) {
        return Err(NameError::NoLetter);
    }
    Ok(name)
}

/// The eleven digits of a mobile number, however they were spaced, with or without +86.
///
/// # Errors
/// [`PhoneError`] names the first thing wrong with it.
pub fn phone(typed: &str) -> Result<String, PhoneError> {
    let plain: String = typed
        .chars()
        .map(half_width)
        .filter(|character| !character.is_whitespace() && !matches!(character, '-' | '(' | ')'))
        .collect();
    let digits = plain.strip_prefix("+86").unwrap_or(&plain);
    if digits.is_empty() {
        return Err(PhoneError::Empty);
    }
    let mut first = digits.bytes();
    let begins_well = first.next() == Some(b'1')
        && first
            .next()
            .is_none_or(|second| (b'3'..=b'9').contains(&second));
    if !begins_well || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(PhoneError::NotMobile);
    }
    match digits.len() {
        PHONE_DIGITS => Ok(digits.to_owned()),
        length if length < PHONE_DIGITS => Err(PhoneError::TooShort),
        _ => Err(PhoneError::TooLong),
    }
}

/// The number on a card; `None` when there is none.
///
/// # Errors
/// [`CardError`] names the first thing wrong with it.
pub fn card_no(typed: &str) -> Result<Option<String>, CardError> {
    let plain: String = typed
        .chars()
        .map(half_width)
        .filter(|character| !character.is_whitespace())
        .collect();
    if plain.is_empty() {
        return Ok(None);
    }
    if plain.chars().count() > CARD_CHARACTERS_MAX {
        return Err(CardError::TooLong);
    }
    let is_number = |c: char| c.is_ascii_alphanumeric() || c == '-';
    match plain.chars().all(is_number) && plain.chars().any(|c| c.is_ascii_alphanumeric()) {
        true => Ok(Some(plain)),
        false => Err(CardError::NotANumber),
    }
}

/// Emoji, dingbats, flags and what joins or colours them.
fn is_picture(character: char) -> bool {
    matches!(
        character,
        '\u{2190}'..='\u{21FF}'
            | '\u{2300}'..='\u{23FF}'
            | '\u{2460}'..='\u{27BF}'
            | '\u{2900}'..='\u{2BFF}'
            | '\u{3030}'
            | '\u{303D}'
            | '\u{FE00}'..='\u{FE0F}'
            | '\u{1F000}'..='\u{1FAFF}'
            | '\u{E0000}'..='\u{E007F}'
    )
}

/// Controls, marks that change the direction of text, and characters without a shape. The joiners
/// U+200C and U+200D shape letters of some scripts and stay.
fn is_invisible(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{00AD}'
                | '\u{034F}'
                | '\u{061C}'
                | '\u{115F}'..='\u{1160}'
                | '\u{200B}'
                | '\u{200E}'..='\u{200F}'
                | '\u{202A}'..='\u{202E}'
                | '\u{2060}'..='\u{206F}'
                | '\u{3164}'
                | '\u{FEFF}'
                | '\u{FFA0}'
                | '\u{FFF0}'..='\u{FFFF}'
                | '\u{E000}'..='\u{F8FF}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_all_kinds_of_people() {
        let forty = "迪".repeat(40);
        for (typed, kept) in [
            ("张伟", "张伟"),
            ("  张伟\u{3000}", "张伟"),
            ("Anna  Müller", "Anna Müller"),
            ("迪丽热巴·阿不都热合曼", "迪丽热巴·阿不都热合曼"),
            ("龚䶮", "龚䶮"),
            ("李㛃", "李㛃"),
            ("陈𬭎", "陈𬭎"),
            ("محمد علي", "محمد علي"),
            ("می\u{200C}خواهم", "می\u{200C}خواهم"),
            ("O'Neill-Smith", "O'Neill-Smith"),
            (&forty, &forty),
        ] {
            assert_eq!(name(typed), Ok(kept.to_owned()), "{typed:?}");
        }
    }

    #[test]
    fn what_is_no_name() {
        let too_long = "迪".repeat(41);
        for (typed, wrong) in [
            ("", NameError::Empty),
            ("  \u{3000} ", NameError::Empty),
            (&too_long, NameError::TooLong),
            ("小美😀", NameError::Emoji),
            ("小美❤️", NameError::Emoji),
            ("🇨🇳", NameError::Emoji),
            ("张\u{202E}伟", NameError::Invisible),
            ("张\u{200B}伟", NameError::Invisible),
            ("张\u{0007}伟", NameError::Invisible),
            ("\u{3164}", NameError::Invisible),
            ("12345", NameError::NoLetter),
            ("· -", NameError::NoLetter),
        ] {
            assert_eq!(name(typed), Err(wrong), "{typed:?}");
        }
    }

    #[test]
    fn mobile_numbers() {
        for typed in [
            "13812345678",
            " 138 1234 5678 ",
            "138-1234-5678",
            "+86 138 1234 5678",
            "１３８１２３４５６７８",
        ] {
            assert_eq!(phone(typed), Ok("13812345678".to_owned()), "{typed:?}");
        }
        for (typed, wrong) in [
            ("", PhoneError::Empty),
            ("  ", PhoneError::Empty),
            ("1", PhoneError::TooShort),
            ("1381234567", PhoneError::TooShort),
            ("138123456789", PhoneError::TooLong),
            ("12812345678", PhoneError::NotMobile),
            ("23812345678", PhoneError::NotMobile),
            ("02012345678", PhoneError::NotMobile),
            ("1381234567a", PhoneError::NotMobile),
            ("١٣٨١٢٣٤٥٦٧٨", PhoneError::NotMobile),
        ] {
            assert_eq!(phone(typed), Err(wrong), "{typed:?}");
        }
    }

    #[test]
    fn card_numbers() {
        for (typed, kept) in [
            ("", Ok(None)),
            ("  ", Ok(None)),
            ("00201-8812", Ok(Some("00201-8812"))),
            (" ＶＩＰ０８ ", Ok(Some("VIP08"))),
            ("-", Err(CardError::NotANumber)),
            ("卡1", Err(CardError::NotANumber)),
        ] {
            assert_eq!(
                card_no(typed),
                kept.map(|it| it.map(str::to_owned)),
                "{typed:?}"
            );
        }
        assert_eq!(card_no(&"1".repeat(33)), Err(CardError::TooLong));
    }
}
