//! A slip whose first print broke off.

use crate::document::{Align, Document, Line, Span};
use crate::texts::Language;

impl Document {
    /// Says at the head that an earlier print of this slip broke off and is void. The drawer was
    /// opened by the first bytes of that one, and is not again.
    pub fn mark_torn(&mut self, language: Language) {
        self.lines.retain(|line| *line != Line::DrawerPulse);
        let (mark, note) = match language {
            Language::ZhCn => ("重打", "前一张没有打完，请作废"),
            Language::En => ("PRINTED AGAIN", "The slip before was cut off and is void"),
        };
        let centred = |span| Line::Text {
            span,
            align: Align::Center,
        };
        let head = [
            centred(Span::bold(format!("*** {mark} ***"))),
            centred(Span::plain(note)),
            Line::Feed(1),
        ];
        self.lines.splice(0..0, head);
    }
}
