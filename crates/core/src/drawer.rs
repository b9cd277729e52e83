//! The cash drawer opened without a sale (docs: domain §5.1, adr 0047). No money is posted: what was
//! changed or counted is in the drawer as before.

use crate::half_width::half_width;
use crate::operation::StaffProof;

/// Words that fit a line of a list.
pub const WORDS_MOST: usize = 40;

/// Body of [`crate::operation::OperationBody::DrawerOpen`]. The shift is the operation's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DrawerOpen {
    /// What for.
    pub reason: DrawerReason,
    /// What for in words, with [`DrawerReason::Other`] alone.
    pub words: Option<String>,
    /// The manager whose PIN let it.
    pub approval: StaffProof,
}

/// What a drawer is opened for when nobody buys anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DrawerReason {
    /// A note is changed.
    Change,
    /// What is in it is counted.
    Count,
    /// Something was put in or given back wrongly.
    Mistake,
    /// What the words say.
    Other,
}

impl DrawerReason {
    /// Stable number, part of hashes that are kept for ever.
    pub const fn number(self) -> u8 {
        match self {
            DrawerReason::Change => 1,
            DrawerReason::Count => 2,
            DrawerReason::Mistake => 3,
            DrawerReason::Other => 4,
        }
    }
}

impl DrawerOpen {
    /// Whether it says what for: words where the list has none, trimmed and on one line.
    pub fn is_whole(&self) -> bool {
        match (&self.words, self.reason) {
            (Some(words), DrawerReason::Other) => {
                words.trim() == words
                    && (1..=WORDS_MOST).contains(&words.chars().count())
                    && !words.chars().any(char::is_control)
            }
            (None, DrawerReason::Change | DrawerReason::Count | DrawerReason::Mistake) => true,
            _ => false,
        }
    }
}

/// Lines of the command bar that ask for it, without spaces and in small letters.
const ASKED: [&str; 9] = [
    "开钱箱",
    "打开钱箱",
    "弹钱箱",
    "开银箱",
    "钱箱",
    "kqx",
    "opendrawer",
    "openthedrawer",
    "opencashdrawer",
];

/// Whether a line of the command bar asks for the drawer, and for nothing beside it.
pub fn is_asked_for(line: &str) -> bool {
    let line: String = line
        .chars()
        .map(half_width)
        .filter(|character| !character.is_whitespace())
        .flat_map(char::to_lowercase)
        .collect();
    ASKED.contains(&line.as_str())
}
