//! Names with values, as gateways sign, send and answer them.

use std::collections::BTreeMap;
use std::fmt;

use encoding_rs::{Encoding, GB18030, UTF_8};
use percent_encoding::percent_decode;

/// Longest text read; answers and notices are a few kilobytes.
const BYTES_MAX: usize = 256 * 1024;
/// Most pairs read.
const PAIRS_MAX: usize = 512;

/// Pairs in the byte order of their names, each name once. `Debug` shows names only: values can
/// be payment codes.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Pairs(BTreeMap<String, String>);

/// How a gateway writes text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Charset {
    /// UTF-8.
    Utf8,
    /// GBK and its superset GB18030.
    Gbk,
}

/// Why a text is not a list of pairs.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PairsError {
    /// Larger than any message.
    #[error("the message is too large")]
    TooLarge,
    /// A piece without `=`.
    #[error("a pair without =")]
    NoValue,
    /// The same name twice: which one counts would be a guess.
    #[error("{0} stands twice")]
    Twice(String),
    /// Bytes that the character set does not have.
    #[error("not text in the stated character set")]
    NotText,
}

impl Pairs {
    /// No pairs.
    pub fn new() -> Pairs {
        Pairs::default()
    }

    /// Sets a value; an earlier one of that name is replaced.
    pub fn set(&mut self, name: impl Into<String>, value: impl Into<String>) {
        self.0.insert(name.into(), value.into());
    }

    /// A value that is there and not empty.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0
            .get(name)
            .map(String::as_str)
            .filter(|value| !value.is_empty())
    }

    /// All pairs, in the byte order of their names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// What gateways sign: `name=value` joined by `&`, sorted, values as they are, without empty
    /// values and without the names in `except`.
    pub fn text_to_sign(&self, except: &[&str]) -> String {
        let mut text = String::new();
        for (name, value) in self.iter() {
            if value.is_empty() || except.contains(&name) {
                continue;
            }
            if !text.is_empty() {
                text.push('&');
            }
            text.push_str(name);
            text.push('=');
            text.push_str(value);
        }
        text
    }

    /// The body of a form post, in UTF-8.
    pub fn to_form(&self) -> String {
        form_urlencoded::Serializer::new(String::new())
            .extend_pairs(self.iter())
            .finish()
    }

    /// Reads a form post, decoding each value exactly once.
    pub fn from_form(body: &[u8], charset: Charset) -> Result<Pairs, PairsError> {
        read(body, |piece| {
            let spaced: Vec<u8> = piece
                .iter()
                .map(|byte| if *byte == b'+' { b' ' } else { *byte })
                .collect();
            let decoded: Vec<u8> = percent_decode(&spaced).collect();
            charset.decode(&decoded).ok_or(PairsError::NotText)
        })
    }

    /// Reads `name=value` joined by `&` without any encoding: each pair is split at its first
    /// `=`.
    pub fn from_plain(body: &[u8]) -> Result<Pairs, PairsError> {
        read(body, |piece| {
            Charset::Utf8.decode(piece).ok_or(PairsError::NotText)
        })
    }
}

fn read(
    body: &[u8],
    text: impl Fn(&[u8]) -> Result<String, PairsError>,
) -> Result<Pairs, PairsError> {
    if body.len() > BYTES_MAX {
        return Err(PairsError::TooLarge);
    }
    let mut pairs = Pairs::new();
    for piece in body.split(|byte| *byte == b'&').filter(|p| !p.is_empty()) {
        let equals = piece.iter().position(|byte| *byte == b'=');
        let equals = equals.ok_or(PairsError::NoValue)?;
        let name = text(&piece[..equals])?;
        let value = text(&piece[equals + 1..])?;
        if pairs.0.len() == PAIRS_MAX {
            return Err(PairsError::TooLarge);
        }
        if pairs.0.contains_key(&name) {
            return Err(PairsError::Twice(name));
        }
        pairs.0.insert(name, value);
    }
    Ok(pairs)
}

impl FromIterator<(String, String)> for Pairs {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(pairs: I) -> Pairs {
        Pairs(pairs.into_iter().collect())
    }
}

impl fmt::Debug for Pairs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl Charset {
    /// The character set of a label such as `utf-8`, `GBK` or `gb2312`.
    pub fn of_label(label: &str) -> Option<Charset> {
        let encoding = Encoding::for_label(label.trim().as_bytes())?;
        match encoding.name() {
            "UTF-8" => Some(Charset::Utf8),
            "GBK" | "gb18030" => Some(Charset::Gbk),
            _ => None,
        }
    }

    /// The bytes; `None` when a character is not of this character set.
    pub fn encode(self, text: &str) -> Option<Vec<u8>> {
        let (bytes, _, lost) = self.encoding().encode(text);
        (!lost).then(|| bytes.into_owned())
    }

    /// The text; `None` when a byte is not of this character set.
    pub fn decode(self, bytes: &[u8]) -> Option<String> {
        self.encoding()
            .decode_without_bom_handling_and_without_replacement(bytes)
            .map(std::borrow::Cow::into_owned)
    }

    fn encoding(self) -> &'static Encoding {
        match self {
            Charset::Utf8 => UTF_8,
            Charset::Gbk => GB18030,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_are_decoded_exactly_once() {
        let check = |body: &[u8], charset, expected: Result<&str, PairsError>| {
            let read = Pairs::from_form(body, charset).map(|pairs| pairs.text_to_sign(&["sign"]));
            assert_eq!(read, expected.map(str::to_owned), "{body:?}");
        };
        check(b"", Charset::Utf8, Ok(""));
        check(b"b=2&a=1&c=&sign=x", Charset::Utf8, Ok("a=1&b=2"));
        check(b"a=x+y%2Bz%2525", Charset::Utf8, Ok("a=x y+z%25"));
        check(b"a=1%&b=%zz", Charset::Utf8, Ok("a=1%&b=%zz"));
        check(b"a=%D6%D0", Charset::Gbk, Ok("a=中"));
        check(b"a=%D6%D0", Charset::Utf8, Err(PairsError::NotText));
        check(b"a", Charset::Utf8, Err(PairsError::NoValue));
        check(
            b"a=1&a=1",
            Charset::Utf8,
            Err(PairsError::Twice("a".into())),
        );
        let many: String = (0..600).map(|n| format!("{n}=1&")).collect();
        check(many.as_bytes(), Charset::Utf8, Err(PairsError::TooLarge));
        check(
            &[b'&'; BYTES_MAX + 1],
            Charset::Utf8,
            Err(PairsError::TooLarge),
        );
    }

    #[test]
    fn plain_pairs_keep_their_characters() {
        let read = Pairs::from_plain("cert=a+b==\r\n&msg=成功%20".as_bytes()).expect("reads");
        assert_eq!(read.get("cert"), Some("a+b==\r\n"));
        assert_eq!(read.get("msg"), Some("成功%20"));
        assert_eq!(Pairs::from_plain(b"\xff=1"), Err(PairsError::NotText));
    }

    #[test]
    fn what_is_written_as_a_form_is_read_back_and_hidden_in_logs() {
        let mut pairs = Pairs::new();
        pairs.set("auth_code", "130000000000000000");
        pairs.set("名", "a&b=c d%");
        let read = Pairs::from_form(pairs.to_form().as_bytes(), Charset::Utf8);
        assert_eq!(read, Ok(pairs.clone()));
        assert!(!format!("{pairs:?}").contains("1300"), "{pairs:?}");
    }
}
