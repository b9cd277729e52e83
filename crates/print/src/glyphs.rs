//! Which characters a printer's own font has.

use encoding_rs::GB18030;

/// What a printer can write as text. Everything else goes to it as a picture of the row
/// (docs: domain §5.5).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Glyphs {
    /// The hanzi of GB 18030-2000, those with four-byte codes too.
    Gb18030,
    /// The two-byte characters of GBK, as code page 936 has them: what most printers can do.
    #[default]
    Gbk,
    /// Nothing: every row is a picture.
    Pictures,
}

impl Glyphs {
    /// True when the printer has a glyph for every character of `text`.
    pub fn cover(self, text: &str) -> bool {
        text.chars().all(|char| self.have(char))
    }

    fn have(self, char: char) -> bool {
        match self {
            Glyphs::Pictures => false,
            // What ends in the private use area is the printer maker's guess.
            _ if is_private(char) => false,
            _ if char.is_ascii() => true,
            Glyphs::Gbk => two_bytes(char).is_some_and(is_in_code_page_936),
            Glyphs::Gb18030 => two_bytes(char).is_some() || EXTENSION_A.contains(&char),
        }
    }
}

/// The hanzi that GB 18030-2000 added beyond two bytes. Later ones, and emoji, have codes as well
/// but hardly a printer has their glyphs.
const EXTENSION_A: std::ops::RangeInclusive<char> = '\u{3400}'..='\u{4DB5}';

fn is_private(char: char) -> bool {
    matches!(char, '\u{E000}'..='\u{F8FF}')
}

fn two_bytes(char: char) -> Option<[u8; 2]> {
    let mut buffer = [0; 4];
    let (code, _, unmappable) = GB18030.encode(char.encode_utf8(&mut buffer));
    if unmappable {
        return None;
    }
    <[u8; 2]>::try_from(code.as_ref()).ok()
}

/// Rows of GBK 1.0 without what code page 936, and with it many printers, left out: the euro,
/// ideographic description, vertical forms, and the hanzi from `FE50` on, 䶮 among them.
fn is_in_code_page_936([lead, trail]: [u8; 2]) -> bool {
    match lead {
        0x81..=0xa0 | 0xb0..=0xf7 => true,
        0xa1 | 0xa3..=0xa5 | 0xa7 => trail >= 0xa1,
        0xa2 => trail >= 0xa1 && trail != 0xe3,
        0xa6 => matches!(trail, 0xa1..=0xd8),
        0xa8 => matches!(trail, 0x40..=0x95 | 0xa1..=0xbb | 0xbd | 0xbe | 0xc0 | 0xc5..=0xe9),
        0xa9 => matches!(trail, 0x40..=0x88 | 0x96 | 0xa4..=0xef),
        0xaa..=0xaf | 0xf8..=0xfd => trail <= 0xa0,
        0xfe => trail <= 0x4f,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_set_has_what_its_printers_have() {
        let cases = [
            ("Visa 12.30", true, true),
            ("张伟 ￥300.00 · → × ——", true, true),
            ("龚尉迟镕囍", true, true),
            ("ⅷ①㈠", true, true),
            // Two bytes in GB18030, and not in code page 936.
            ("䶮", true, false),
            ("€", true, false),
            ("⿰", true, false),
            // Four bytes.
            ("㛃", true, false),
            ("㼆", true, false),
            ("\u{4DB5}", true, false),
            // Codes, and no glyphs.
            ("\u{9FA6}", false, false),
            ("𠮷", false, false),
            ("😀", false, false),
            ("\u{E5E5}", false, false),
            ("\u{E000}", false, false),
            ("ئۇ", false, false),
        ];
        for (text, gb18030, gbk) in cases {
            assert_eq!(Glyphs::Gb18030.cover(text), gb18030, "{text} in GB18030");
            assert_eq!(Glyphs::Gbk.cover(text), gbk, "{text} in GBK");
            assert!(!Glyphs::Pictures.cover(text), "{text} as text");
        }
    }
}
