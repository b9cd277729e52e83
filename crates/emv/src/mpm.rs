//! Merchant-presented codes: text of tag, length and value, closed by a CRC.
//!
//! EMVCo QR Code Specification, Merchant-Presented Mode. Lengths count characters, the CRC counts
//! UTF-8 bytes.

use crate::crc::crc16_ccitt_false;

/// Longest payload, in characters.
const CHARACTERS_MAX: usize = 512;
/// Longest value, in characters: the length has two digits.
const VALUE_CHARACTERS_MAX: usize = 99;

const FORMAT: u8 = 0;
const CRC: u8 = 63;

/// A code whose structure and CRC are right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MerchantCode {
    fields: Vec<Field>,
}

/// A code whose structure is right and whose CRC may be wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    /// All fields in their order, the CRC last.
    pub fields: Vec<Field>,
    /// Whether the CRC is that of the payload.
    pub crc_ok: bool,
}

/// One tag with its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// 0 to 99.
    pub tag: u8,
    /// The value as it stands, with templates unopened.
    pub value: String,
    /// What is in the value of a template; empty for other tags.
    pub sub: Vec<Field>,
}

/// Why a text is no merchant-presented code, or a code cannot be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MerchantCodeError {
    /// More than 512 characters.
    #[error("more than {CHARACTERS_MAX} characters")]
    TooLong,
    /// Two digits were expected at this character.
    #[error("no two digits at character {0}")]
    NotDigits(usize),
    /// The value of this tag ends after the text.
    #[error("tag {tag:02} states {stated} characters and {left} are left")]
    RunsOver {
        /// The tag.
        tag: u8,
        /// Length it states.
        stated: usize,
        /// Characters left.
        left: usize,
    },
    /// The first tag is not 00, or its value not 01.
    #[error("does not begin with 000201")]
    NoFormat,
    /// The last tag is not 63 with four hexadecimal digits.
    #[error("no CRC field at the end")]
    NoCrc,
    /// The same tag twice on one level.
    #[error("tag {0:02} stands twice")]
    Twice(u8),
    /// No account tag (02 to 51).
    #[error("no merchant account")]
    NoAccount,
    /// The value of this tag has characters or a length that the tag does not allow.
    #[error("the value of tag {0:02} is not allowed")]
    Value(u8),
    /// The CRC is another.
    #[error("the CRC is {found}, not {expected:04X}")]
    Crc {
        /// What the code says.
        found: String,
        /// What its text gives.
        expected: u16,
    },
}

impl MerchantCode {
    /// Reads a code strictly: structure and CRC.
    pub fn parse(payload: &str) -> Result<MerchantCode, MerchantCodeError> {
        let Reading { mut fields, crc_ok } = MerchantCode::read(payload)?;
        let crc = fields.pop().ok_or(MerchantCodeError::NoCrc)?;
        if crc_ok {
            Ok(MerchantCode { fields })
        } else {
            Err(MerchantCodeError::Crc {
                found: crc.value,
                expected: crc_of(payload),
            })
        }
    }

    /// Reads a code's structure and says whether its CRC is right, for people who want to know
    /// what a damaged code contains.
    pub fn read(payload: &str) -> Result<Reading, MerchantCodeError> {
        if payload.chars().count() > CHARACTERS_MAX {
            return Err(MerchantCodeError::TooLong);
        }
        let fields = fields(payload)?;
        let first = fields.first().ok_or(MerchantCodeError::NoFormat)?;
        if first.tag != FORMAT || first.value != "01" {
            return Err(MerchantCodeError::NoFormat);
        }
        let last = fields.last().ok_or(MerchantCodeError::NoCrc)?;
        let is_crc = last.value.len() == 4 && last.value.bytes().all(|b| b.is_ascii_hexdigit());
        if last.tag != CRC || !is_crc {
            return Err(MerchantCodeError::NoCrc);
        }
        let crc_ok = u16::from_str_radix(&last.value, 16) == Ok(crc_of(payload));
        check(&fields[..fields.len() - 1])?;
        Ok(Reading { fields, crc_ok })
    }

    /// Makes a code of these fields, without format and CRC, which are added.
    pub fn build(fields: Vec<Field>) -> Result<MerchantCode, MerchantCodeError> {
        let mut all = vec![Field::new(FORMAT, "01")];
        all.extend(fields);
        check(&all)?;
        let code = MerchantCode { fields: all };
        if code.to_payload().chars().count() > CHARACTERS_MAX {
            return Err(MerchantCodeError::TooLong);
        }
        Ok(code)
    }

    /// The fields, without the CRC.
    pub fn fields(&self) -> &[Field] {
        &self.fields
    }

    /// The value of a tag.
    pub fn value(&self, tag: u8) -> Option<&str> {
        value(&self.fields, tag)
    }

    /// The value of a tag inside a template.
    pub fn sub_value(&self, template: u8, tag: u8) -> Option<&str> {
        let template = self.fields.iter().find(|field| field.tag == template)?;
        value(&template.sub, tag)
    }

    /// The text of the code, with its CRC.
    pub fn to_payload(&self) -> String {
        let mut payload = text(&self.fields);
        payload.push_str("6304");
        let crc = crc16_ccitt_false(payload.as_bytes());
        payload + &format!("{crc:04X}")
    }
}

impl Field {
    /// A field with a plain value.
    pub fn new(tag: u8, value: impl Into<String>) -> Field {
        Field {
            tag,
            value: value.into(),
            sub: Vec::new(),
        }
    }

    /// A template with the fields inside it.
    pub fn template(tag: u8, sub: Vec<Field>) -> Field {
        Field {
            tag,
            value: text(&sub),
            sub,
        }
    }
}

fn value(fields: &[Field], tag: u8) -> Option<&str> {
    let field = fields.iter().find(|field| field.tag == tag)?;
    Some(&field.value)
}

const fn is_template(tag: u8) -> bool {
    matches!(tag, 26..=51 | 62 | 64 | 80..=99)
}

fn text(fields: &[Field]) -> String {
    let mut text = String::new();
    for field in fields {
        let length = field.value.chars().count();
        text.push_str(&format!("{:02}{length:02}", field.tag));
        text.push_str(&field.value);
    }
    text
}

/// The CRC over everything but the last four characters.
fn crc_of(payload: &str) -> u16 {
    let end = payload.char_indices().rev().nth(3).map_or(0, |(at, _)| at);
    crc16_ccitt_false(&payload.as_bytes()[..end])
}

fn fields(payload: &str) -> Result<Vec<Field>, MerchantCodeError> {
    let mut found = flat(payload)?;
    for field in &mut found {
        if is_template(field.tag) {
            field.sub = flat(&field.value)?;
        }
    }
    Ok(found)
}

/// The fields of one level.
fn flat(text: &str) -> Result<Vec<Field>, MerchantCodeError> {
    let characters: Vec<char> = text.chars().collect();
    let mut found: Vec<Field> = Vec::new();
    let mut at = 0;
    while at < characters.len() {
        let tag = two_digits(&characters, at)?;
        let stated = usize::from(two_digits(&characters, at + 2)?);
        let left = characters.len() - at - 4;
        if stated > left {
            return Err(MerchantCodeError::RunsOver { tag, stated, left });
        }
        if found.iter().any(|field| field.tag == tag) {
            return Err(MerchantCodeError::Twice(tag));
        }
        let value: String = characters[at + 4..at + 4 + stated].iter().collect();
        found.push(Field::new(tag, value));
        at += 4 + stated;
    }
    Ok(found)
}

fn two_digits(characters: &[char], at: usize) -> Result<u8, MerchantCodeError> {
    let digit = |at: usize| characters.get(at).and_then(|c| c.to_digit(10));
    match (digit(at), digit(at + 1)) {
        (Some(tens), Some(ones)) => {
            Ok(u8::try_from(tens * 10 + ones).expect("two digits make at most 99"))
        }
        _ => Err(MerchantCodeError::NotDigits(at)),
    }
}

/// The rules that hold for codes read and made alike. Lengths of names are not among them: codes
/// in use exceed them.
fn check(fields: &[Field]) -> Result<(), MerchantCodeError> {
    if !fields.iter().any(|field| matches!(field.tag, 2..=51)) {
        return Err(MerchantCodeError::NoAccount);
    }
    for (at, field) in fields.iter().enumerate() {
        if fields[..at].iter().any(|earlier| earlier.tag == field.tag) {
            return Err(MerchantCodeError::Twice(field.tag));
        }
        if !is_allowed(field) {
            return Err(MerchantCodeError::Value(field.tag));
        }
    }
    Ok(())
}

fn is_allowed(field: &Field) -> bool {
    let value = field.value.as_str();
    let digits = |count: usize| value.len() == count && value.bytes().all(|b| b.is_ascii_digit());
    let amount = || {
        let plain = value.bytes().all(|b| b.is_ascii_digit() || b == b'.');
        let points = value.bytes().filter(|b| *b == b'.').count();
        plain && points <= 1 && value.len() <= 13 && value.starts_with(|c: char| c.is_ascii_digit())
    };
    if field.tag > 99 || value.chars().count() > VALUE_CHARACTERS_MAX {
        return false;
    }
    match field.tag {
        FORMAT => value == "01",
        1 => value == "11" || value == "12",
        52 => digits(4),
        53 => digits(3),
        54 | 56 => amount(),
        55 => matches!(value, "01" | "02" | "03"),
        58 => value.len() == 2 && value.bytes().all(|b| b.is_ascii_alphabetic()),
        CRC => false,
        _ => true,
    }
}
