//! The one face receipts are drawn in.

use std::sync::OnceLock;

use ab_glyph::FontRef;
use printpdf::ParsedFont;

/// Noto Sans SC, regular weight; licence in `assets/fonts/OFL.txt`.
static FACE: &[u8] = include_bytes!("../../../assets/fonts/NotoSansSC-Regular.ttf");

/// Stands for a character the face lacks: the printers' geta mark.
pub(crate) const MISSING: char = '〓';

/// The face for PDF files, parsed at first use.
pub(crate) fn pdf_face() -> &'static ParsedFont {
    static PARSED: OnceLock<ParsedFont> = OnceLock::new();
    PARSED.get_or_init(|| {
        ParsedFont::from_bytes(FACE, 0, &mut Vec::new())
            .expect("the bundled face is a valid TrueType font")
    })
}

/// The face for drawing dots.
pub(crate) fn raster_face() -> &'static FontRef<'static> {
    static PARSED: OnceLock<FontRef<'static>> = OnceLock::new();
    PARSED.get_or_init(|| {
        FontRef::try_from_slice(FACE).expect("the bundled face is a valid TrueType font")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_face_has_the_hard_names() {
        for char in "龚䶮尉迟敏单雨曾可解放㛃￥·→×〓".chars() {
            let glyph = pdf_face().lookup_glyph_index(u32::from(char));
            assert!(glyph.is_some_and(|glyph| glyph != 0), "{char}");
        }
    }
}
