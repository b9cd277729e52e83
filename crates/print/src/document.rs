//! What is to be printed, before anybody decides how.

use qiantai_core::Timestamp;

/// A slip of paper: its lines from top to bottom and the paper they go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// The paper.
    pub width: PaperWidth,
    /// Title in the properties of the PDF. Carries no personal data.
    pub title: String,
    /// When the slip is printed; the creation date of the PDF.
    pub printed_at: Timestamp,
    /// The lines from top to bottom.
    pub lines: Vec<Line>,
}

/// Width of the paper roll (docs: domain §5.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PaperWidth {
    /// 58 mm: 384 dots, 32 columns.
    Mm58,
    /// 80 mm: 576 dots, 48 columns.
    Mm80,
}

impl PaperWidth {
    /// Columns of one Latin character; a Chinese character takes two.
    pub const fn columns(self) -> usize {
        match self {
            PaperWidth::Mm58 => 32,
            PaperWidth::Mm80 => 48,
        }
    }

    /// Printable dots in a row, 8 to the millimetre.
    pub const fn dots(self) -> usize {
        self.columns() * DOTS_PER_COLUMN
    }

    /// Width of the roll in millimetres, unprintable margins included.
    pub const fn millimetres(self) -> i64 {
        match self {
            PaperWidth::Mm58 => 58,
            PaperWidth::Mm80 => 80,
        }
    }
}

/// Dots across one column of a 203 dpi receipt printer.
pub const DOTS_PER_COLUMN: usize = 12;

/// One line of a document. Texts longer than the paper is wide wrap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line {
    /// A line or paragraph.
    Text {
        /// The words.
        span: Span,
        /// Where on the paper.
        align: Align,
    },
    /// Left text, right-aligned text and, for tables, a right-aligned one between them.
    Columns {
        /// Starts at the left edge.
        left: Span,
        /// Ends at two thirds of the width.
        middle: Option<Span>,
        /// Ends at the right edge.
        right: Span,
    },
    /// A rule over the whole width.
    Rule(Rule),
    /// A QR code with a caption below.
    Qr {
        /// What the code says.
        payload: String,
        /// What it is for; empty for none.
        caption: String,
    },
    /// A label and a line to sign on.
    Signature {
        /// Who signs.
        label: String,
    },
    /// Blank lines.
    Feed(u8),
    /// Cuts the paper.
    Cut,
    /// Opens the cash drawer.
    DrawerPulse,
}

/// Words in one style.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    /// The words; control characters print as spaces.
    pub text: String,
    /// Size of the letters.
    pub size: Size,
    /// Heavier strokes.
    pub bold: bool,
}

impl Span {
    /// Words of normal size and weight.
    pub fn plain(text: impl Into<String>) -> Span {
        Span {
            text: text.into(),
            size: Size::Normal,
            bold: false,
        }
    }

    /// Words of normal size in bold.
    pub fn bold(text: impl Into<String>) -> Span {
        Span {
            text: text.into(),
            size: Size::Normal,
            bold: true,
        }
    }

    /// Bold words of double width and height.
    pub fn headline(text: impl Into<String>) -> Span {
        Span {
            text: text.into(),
            size: Size::Double,
            bold: true,
        }
    }
}

/// Horizontal place of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Align {
    /// At the left edge.
    Left,
    /// In the middle.
    Center,
    /// At the right edge.
    Right,
}

/// Size of letters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Size {
    /// One column a Latin letter, 24 dots high.
    Normal,
    /// Twice as wide and high.
    Double,
}

impl Size {
    /// How many times larger than normal.
    pub const fn scale(self) -> usize {
        match self {
            Size::Normal => 1,
            Size::Double => 2,
        }
    }
}

/// Weight of a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Rule {
    /// Between blocks.
    Light,
    /// Around what matters most.
    Heavy,
}
