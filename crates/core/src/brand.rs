//! How a shop looks to its customers: on every screen of every till, and so a rule of the shop.

use crate::member_input::{self, NameError};

/// Most characters of a short name: it is read from across the counter.
pub const SHORT_NAME_MAX: usize = 12;

/// A shop's colour and the name it is known by.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Brand {
    /// Its colour.
    pub accent: Accent,
    /// What it is called in the street, shown large; `None` where that is the name of the store.
    pub short_name: Option<String>,
}

/// The colours to choose from. Only these: texts in each of them and on it can be read in light and
/// dark, which is tested where they are painted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Accent {
    /// The house's own.
    #[default]
    Teal,
    /// 蓝
    Blue,
    /// 紫
    Purple,
    /// 玫红
    Rose,
    /// 红
    Red,
    /// 赭
    Ochre,
    /// 绿
    Green,
    /// 石墨
    Slate,
}

/// Why a short name is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ShortNameError {
    /// Not what can be read out and printed.
    #[error(transparent)]
    Name(#[from] NameError),
    /// More than [`SHORT_NAME_MAX`].
    #[error("more than {SHORT_NAME_MAX} characters")]
    TooLong,
}

/// A short name as it is shown; nothing typed is none.
///
/// # Errors
/// See [`ShortNameError`].
pub fn short_name(typed: &str) -> Result<Option<String>, ShortNameError> {
    match member_input::name(typed) {
        Err(NameError::Empty) => Ok(None),
        Err(NameError::TooLong) => Err(ShortNameError::TooLong),
        Err(error) => Err(error.into()),
        Ok(name) if name.chars().count() > SHORT_NAME_MAX => Err(ShortNameError::TooLong),
        Ok(name) => Ok(Some(name)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_name_is_short_and_can_be_read() {
        for (typed, expected) in [
            ("", Ok(None)),
            ("   ", Ok(None)),
            (" 云上 ", Ok(Some("云上"))),
            ("YUNSHANG  SPA", Ok(Some("YUNSHANG SPA"))),
            ("YUNSHANG SPAS", Err(ShortNameError::TooLong)),
            (
                "云上美发造型护理养生会所",
                Ok(Some("云上美发造型护理养生会所")),
            ),
            ("云上美发造型护理养生会所店", Err(ShortNameError::TooLong)),
            ("云🙂", Err(ShortNameError::Name(NameError::Emoji))),
        ] {
            let read = short_name(typed);
            assert_eq!(
                read.as_ref().map(Option::as_deref),
                expected.as_ref().copied(),
                "{typed}"
            );
        }
    }
}
