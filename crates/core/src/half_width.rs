//! Full-width forms, as an input method leaves them behind.

/// The ASCII character of a full-width form (U+FF01 to U+FF5E); others stay as they are.
pub fn half_width(character: char) -> char {
    match character {
        '\u{FF01}'..='\u{FF5E}' => {
            char::from_u32(u32::from(character) - 0xFEE0).unwrap_or(character)
        }
        _ => character,
    }
}
