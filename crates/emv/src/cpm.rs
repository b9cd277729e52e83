//! Consumer-presented codes: base64 of BER-TLV, shown on the customer's phone.
//!
//! EMVCo QR Code Specification, Consumer-Presented Mode. The objects hold card numbers and
//! cryptograms: `Debug` shows tags and lengths only.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Longest code read, in base64 characters; scanners deliver far less.
const CHARACTERS_MAX: usize = 4096;
/// Templates stand at most this deep in each other; the format needs three levels.
const DEPTH_MAX: usize = 8;

const FORMAT: u32 = 0x85;
const FORMAT_VALUE: &[u8] = b"CPV01";
const APPLICATION: u32 = 0x61;
const APPLICATION_ID: u32 = 0x4F;
/// UnionPay's registered application provider.
const UNIONPAY: [u8; 5] = [0xA0, 0x00, 0x00, 0x03, 0x33];

/// A code as the customer's phone shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConsumerCode {
    objects: Vec<BerObject>,
}

/// One tag with its value.
#[derive(Clone, PartialEq, Eq)]
pub struct BerObject {
    /// The tag's bytes as one number, `0x9F26` for example.
    pub tag: u32,
    /// The value's bytes, with templates unopened.
    pub value: Vec<u8>,
    /// What is in the value of a template; empty for other tags.
    pub sub: Vec<BerObject>,
}

/// Why a text is no consumer-presented code. Quotes nothing of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConsumerCodeError {
    /// Longer than any code.
    #[error("too long")]
    TooLong,
    /// Not base64.
    #[error("not base64")]
    NotBase64,
    /// Does not begin with the payload format indicator `CPV01`.
    #[error("does not begin with CPV01")]
    NoFormat,
    /// Ends inside an object.
    #[error("ends inside an object")]
    Truncated,
    /// A length or tag in a form that the format does not use.
    #[error("a tag or length of a form that is not allowed")]
    Form,
    /// Templates inside templates without end.
    #[error("templates stand too deep in each other")]
    TooDeep,
}

impl ConsumerCode {
    /// A code of these objects; the payload format indicator is added.
    pub fn new(objects: Vec<BerObject>) -> ConsumerCode {
        let mut all = vec![BerObject::primitive(FORMAT, FORMAT_VALUE.to_vec())];
        all.extend(objects);
        ConsumerCode { objects: all }
    }

    /// Reads a scanned code.
    pub fn parse(payload: &str) -> Result<ConsumerCode, ConsumerCodeError> {
        if payload.len() > CHARACTERS_MAX {
            return Err(ConsumerCodeError::TooLong);
        }
        let bytes = STANDARD
            .decode(payload)
            .map_err(|_| ConsumerCodeError::NotBase64)?;
        let objects = objects(&bytes, 0)?;
        let is_format = |object: &BerObject| object.tag == FORMAT && object.value == FORMAT_VALUE;
        if !objects.first().is_some_and(is_format) {
            return Err(ConsumerCodeError::NoFormat);
        }
        Ok(ConsumerCode { objects })
    }

    /// All objects, the payload format indicator first.
    pub fn objects(&self) -> &[BerObject] {
        &self.objects
    }

    /// The identifiers of the applications that can pay, in the customer's order.
    pub fn applications(&self) -> impl Iterator<Item = &[u8]> {
        self.objects
            .iter()
            .filter(|object| object.tag == APPLICATION)
            .flat_map(|template| &template.sub)
            .filter(|object| object.tag == APPLICATION_ID)
            .map(|object| object.value.as_slice())
    }

    /// Whether the first application is one of UnionPay's.
    pub fn is_unionpay(&self) -> bool {
        let first = self.applications().next();
        first.is_some_and(|application| application.starts_with(&UNIONPAY))
    }

    /// The text of the code.
    pub fn to_payload(&self) -> String {
        STANDARD.encode(encoded(&self.objects))
    }
}

impl BerObject {
    /// An object with a plain value.
    pub fn primitive(tag: u32, value: Vec<u8>) -> BerObject {
        BerObject {
            tag,
            value,
            sub: Vec::new(),
        }
    }

    /// A template with the objects inside it.
    pub fn template(tag: u32, sub: Vec<BerObject>) -> BerObject {
        BerObject {
            tag,
            value: encoded(&sub),
            sub,
        }
    }
}

impl fmt::Debug for BerObject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:X}[{} bytes]", self.tag, self.value.len())?;
        if self.sub.is_empty() {
            return Ok(());
        }
        f.debug_list().entries(&self.sub).finish()
    }
}

fn objects(mut bytes: &[u8], depth: usize) -> Result<Vec<BerObject>, ConsumerCodeError> {
    if depth > DEPTH_MAX {
        return Err(ConsumerCodeError::TooDeep);
    }
    let mut found = Vec::new();
    while !bytes.is_empty() {
        let (tag, is_constructed, rest) = tag(bytes)?;
        let (length, rest) = length(rest)?;
        let (value, rest) = rest
            .split_at_checked(length)
            .ok_or(ConsumerCodeError::Truncated)?;
        let sub = if is_constructed {
            objects(value, depth + 1)?
        } else {
            Vec::new()
        };
        found.push(BerObject {
            tag,
            value: value.to_vec(),
            sub,
        });
        bytes = rest;
    }
    Ok(found)
}

/// A tag of one to three bytes: more follow when the low five bits of the first are all ones.
fn tag(bytes: &[u8]) -> Result<(u32, bool, &[u8]), ConsumerCodeError> {
    let (first, mut rest) = bytes.split_first().ok_or(ConsumerCodeError::Truncated)?;
    let is_constructed = first & 0x20 != 0;
    let mut tag = u32::from(*first);
    if first & 0x1F != 0x1F {
        return Ok((tag, is_constructed, rest));
    }
    for _ in 0..2 {
        let (next, after) = rest.split_first().ok_or(ConsumerCodeError::Truncated)?;
        tag = tag << 8 | u32::from(*next);
        rest = after;
        if next & 0x80 == 0 {
            return Ok((tag, is_constructed, rest));
        }
    }
    Err(ConsumerCodeError::Form)
}

/// A length below 128, or `81 xx`, or `82 xx xx`.
fn length(bytes: &[u8]) -> Result<(usize, &[u8]), ConsumerCodeError> {
    match bytes {
        [] | [0x81] | [0x82] | [0x82, _] => Err(ConsumerCodeError::Truncated),
        [short, rest @ ..] if *short < 0x80 => Ok((usize::from(*short), rest)),
        [0x81, length, rest @ ..] => Ok((usize::from(*length), rest)),
        [0x82, high, low, rest @ ..] => Ok((usize::from(u16::from_be_bytes([*high, *low])), rest)),
        _ => Err(ConsumerCodeError::Form),
    }
}

fn encoded(objects: &[BerObject]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for object in objects {
        let tag = object.tag.to_be_bytes();
        let skipped = tag.iter().take_while(|byte| **byte == 0).count().min(3);
        bytes.extend_from_slice(&tag[skipped..]);
        let length = object.value.len();
        match (u8::try_from(length), u16::try_from(length)) {
            (Ok(short), _) if short < 0x80 => bytes.push(short),
            (Ok(byte), _) => bytes.extend([0x81, byte]),
            (_, Ok(word)) => {
                bytes.push(0x82);
                bytes.extend(word.to_be_bytes());
            }
            _ => panic!("an object of a QR code is smaller than 64 KiB"),
        }
        bytes.extend_from_slice(&object.value);
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_code_is_refused_with_the_cause() {
        let bytes = |bytes: &[u8]| {
            let mut all = b"\x85\x05CPV01".to_vec();
            all.extend_from_slice(bytes);
            STANDARD.encode(all)
        };
        let deep = |levels: usize| {
            let inner = (0..levels).fold(Vec::new(), |inner, _| {
                encoded(&[BerObject::primitive(0x61, inner)])
            });
            bytes(&inner)
        };
        let cases = [
            (String::new(), ConsumerCodeError::NoFormat),
            ("hQVDUFYwMQ*=".to_owned(), ConsumerCodeError::NotBase64),
            ("A".repeat(4097), ConsumerCodeError::TooLong),
            (
                STANDARD.encode(b"\x85\x05CPV02"),
                ConsumerCodeError::NoFormat,
            ),
            (
                STANDARD.encode(b"\x85\x06CPV01"),
                ConsumerCodeError::Truncated,
            ),
            (bytes(&[0x5A]), ConsumerCodeError::Truncated),
            (bytes(&[0x9F]), ConsumerCodeError::Truncated),
            (bytes(&[0x5A, 0x81]), ConsumerCodeError::Truncated),
            (bytes(&[0x5A, 0x80, 0]), ConsumerCodeError::Form),
            (bytes(&[0x5A, 0x84, 0, 0, 0, 1, 1]), ConsumerCodeError::Form),
            (bytes(&[0x9F, 0x81, 0x81, 1, 0]), ConsumerCodeError::Form),
            (bytes(&[0x61, 2, 0x4F, 5]), ConsumerCodeError::Truncated),
            (deep(12), ConsumerCodeError::TooDeep),
        ];
        for (payload, expected) in cases {
            assert_eq!(ConsumerCode::parse(&payload), Err(expected), "{payload}");
        }
        assert!(ConsumerCode::parse(&deep(DEPTH_MAX)).is_ok());
    }

    #[test]
    fn lengths_of_every_form_are_written_as_they_are_read() {
        for length in [0, 1, 127, 128, 255, 256, 2000] {
            let code = ConsumerCode::new(vec![BerObject::primitive(0x9F10, vec![7; length])]);
            assert_eq!(
                ConsumerCode::parse(&code.to_payload()),
                Ok(code),
                "{length}"
            );
        }
    }

    #[test]
    fn card_numbers_are_hidden_in_debug_output() {
        let card = BerObject::primitive(0x5A, vec![0x62, 0x22, 0x44]);
        let code = ConsumerCode::new(vec![BerObject::template(0x62, vec![card])]);
        let shown = format!("{code:?}");
        assert!(shown.contains("5A[3 bytes]"), "{shown}");
        assert!(
            !shown.contains("98") && !shown.contains("62, 22"),
            "{shown}"
        );
    }
}
