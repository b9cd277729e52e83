//! What Alipay signs, and what of its messages is signed.
//!
//! Requests and notices are signed as sorted pairs. Of an answer the raw bytes of one node are
//! signed, from its first brace to the matching one, in whatever character set the answer has:
//! they are found by a scanner and never written again.

use crate::crypto::{CryptoError, PrivateKey, VerifyKey};
use crate::pairs::{Charset, Pairs, PairsError};

/// Largest answer read; bills come by another way.
const ANSWER_BYTES_MAX: usize = 1024 * 1024;
/// The node of failures that the gateway reports before it knows the method.
const ERROR_NODE: &str = "error_response";

/// The text that a request's signature covers. `sign_type` is part of it.
pub fn request_text(params: &Pairs) -> String {
    params.text_to_sign(&["sign"])
}

/// Signs a request: the `sign` parameter.
pub fn sign_request(params: &Pairs, key: &PrivateKey) -> Result<String, CryptoError> {
    key.sign_sha256_base64(request_text(params).as_bytes())
}

/// A posted notice; nothing in it is believed yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedNotice {
    /// Its fields, decoded once.
    pub fields: Pairs,
    charset: Charset,
}

impl SignedNotice {
    /// Reads a form in the character set that stands in it, else the one of the header.
    pub fn read(body: &[u8], header: Option<Charset>) -> Result<SignedNotice, PairsError> {
        let stated = body
            .split(|byte| *byte == b'&')
            .find_map(|pair| pair.strip_prefix(b"charset="))
            .and_then(|label| std::str::from_utf8(label).ok())
            .and_then(Charset::of_label);
        let charset = stated.or(header).unwrap_or(Charset::Utf8);
        let fields = Pairs::from_form(body, charset)?;
        Ok(SignedNotice { fields, charset })
    }

    /// The text that the signature covers: without `sign` and `sign_type`.
    pub fn text(&self) -> String {
        self.fields.text_to_sign(&["sign", "sign_type"])
    }

    /// True when the notice is signed by `key`, over its text in its own character set.
    pub fn is_signed_by(&self, key: &VerifyKey) -> bool {
        let signature = self.fields.get("sign").unwrap_or_default();
        self.charset
            .encode(&self.text())
            .is_some_and(|text| key.verify_sha256_base64(&text, signature))
    }
}

/// An answer taken apart; nothing in it is believed yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedAnswer<'a> {
    /// The signed bytes.
    pub node: &'a [u8],
    /// True for the node of failures that may come without a signature.
    pub is_error_node: bool,
    /// The signature in base64.
    pub sign: Option<String>,
    /// Which of Alipay's certificates signed, in certificate mode.
    pub cert_sn: Option<String>,
    charset: Charset,
}

/// Why an answer cannot be taken apart.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AnswerError {
    /// Larger than any answer.
    #[error("the answer is too large")]
    TooLarge,
    /// Not one JSON object.
    #[error("the answer is no JSON object at byte {0}")]
    NotJson(usize),
    /// The same member twice: which one is signed would be a guess.
    #[error("the answer holds {0} twice")]
    Twice(String),
    /// Neither the node of the method nor that of errors.
    #[error("the answer lacks the node {0}")]
    NoNode(String),
}

impl<'a> SignedAnswer<'a> {
    /// Takes an answer apart. `node` is the method with underscores and `_response`.
    pub fn read(
        body: &'a [u8],
        charset: Charset,
        node: &str,
    ) -> Result<SignedAnswer<'a>, AnswerError> {
        if body.len() > ANSWER_BYTES_MAX {
            return Err(AnswerError::TooLarge);
        }
        let members = Scanner::new(body, charset).members()?;
        let find = |name: &str| {
            let member = members.iter().find(|(found, _)| *found == name.as_bytes());
            member.map(|(_, value)| *value)
        };
        let object = |name: &str| find(name).filter(|value| value.starts_with(b"{"));
        let (signed, is_error_node) = match object(node) {
            Some(value) => (value, false),
            None => match object(ERROR_NODE) {
                Some(value) => (value, true),
                None => return Err(AnswerError::NoNode(node.to_owned())),
            },
        };
        let text = |name: &str| serde_json::from_slice(find(name)?).ok();
        Ok(SignedAnswer {
            node: signed,
            is_error_node,
            sign: text("sign"),
            cert_sn: text("alipay_cert_sn"),
            charset,
        })
    }

    /// True when the node is signed by `key`.
    pub fn is_signed_by(&self, key: &VerifyKey) -> bool {
        let signature = self.sign.as_deref();
        signature.is_some_and(|sign| key.verify_sha256_base64(self.node, sign))
    }

    /// The node as text; `None` when it is not of the answer's character set.
    pub fn text(&self) -> Option<String> {
        self.charset.decode(self.node)
    }
}

/// The character set of an answer: what its header states, if its bytes are of that set, and
/// otherwise the one they are of. The gateway falls back to GBK without notice.
pub fn charset_of(content_type: Option<&str>, body: &[u8]) -> Charset {
    match header_charset(content_type) {
        Some(charset) if charset.decode(body).is_some() => charset,
        _ if std::str::from_utf8(body).is_ok() => Charset::Utf8,
        _ => Charset::Gbk,
    }
}

/// The character set that a `Content-Type` states.
pub fn header_charset(content_type: Option<&str>) -> Option<Charset> {
    let label = content_type?.split("charset=").nth(1)?;
    Charset::of_label(label.trim_matches([' ', '"', ';']))
}

/// Finds the members of the outermost object without changing a byte.
struct Scanner<'a> {
    body: &'a [u8],
    at: usize,
    charset: Charset,
}

type Member<'a> = (&'a [u8], &'a [u8]);

impl<'a> Scanner<'a> {
    fn new(body: &'a [u8], charset: Charset) -> Scanner<'a> {
        let at = 0;
        Scanner { body, at, charset }
    }

    /// Names with the raw bytes of their values.
    fn members(mut self) -> Result<Vec<Member<'a>>, AnswerError> {
        let mut members: Vec<Member<'a>> = Vec::new();
        self.expect(b'{')?;
        self.skip_space();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return self.ended(members);
        }
        loop {
            self.skip_space();
            let quoted = self.string()?;
            let name = &quoted[1..quoted.len() - 1];
            self.expect(b':')?;
            self.skip_space();
            let value = self.value()?;
            if members.iter().any(|(earlier, _)| *earlier == name) {
                return Err(AnswerError::Twice(
                    String::from_utf8_lossy(name).into_owned(),
                ));
            }
            members.push((name, value));
            self.skip_space();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b'}') => {
                    self.at += 1;
                    return self.ended(members);
                }
                _ => return Err(self.stuck()),
            }
        }
    }

    /// Only white space may follow the object.
    fn ended(mut self, members: Vec<Member<'a>>) -> Result<Vec<Member<'a>>, AnswerError> {
        self.skip_space();
        match self.peek() {
            None => Ok(members),
            Some(_) => Err(self.stuck()),
        }
    }

    fn value(&mut self) -> Result<&'a [u8], AnswerError> {
        match self.peek() {
            Some(b'"') => self.string(),
            Some(b'{' | b'[') => self.nested(),
            Some(_) => self.scalar(),
            None => Err(self.stuck()),
        }
    }

    /// An object or array: to the bracket that closes it, each kind by its own, outside strings.
    fn nested(&mut self) -> Result<&'a [u8], AnswerError> {
        let start = self.at;
        let mut closers = Vec::new();
        while let Some(byte) = self.peek() {
            match byte {
                b'"' => {
                    self.string()?;
                    continue;
                }
                b'{' => closers.push(b'}'),
                b'[' => closers.push(b']'),
                b'}' | b']' if closers.pop() != Some(byte) => return Err(self.stuck()),
                _ => {}
            }
            self.at += 1;
            if closers.is_empty() {
                return Ok(&self.body[start..self.at]);
            }
        }
        Err(self.stuck())
    }

    /// A number, `true`, `false` or `null`.
    fn scalar(&mut self) -> Result<&'a [u8], AnswerError> {
        let start = self.at;
        while self
            .peek()
            .is_some_and(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b))
        {
            self.at += 1;
        }
        if self.at == start {
            return Err(self.stuck());
        }
        Ok(&self.body[start..self.at])
    }

    /// A string with its quotes. The second byte of a GBK character can look like a backslash.
    fn string(&mut self) -> Result<&'a [u8], AnswerError> {
        let start = self.at;
        self.expect(b'"')?;
        while let Some(byte) = self.peek() {
            self.at += match byte {
                b'"' => {
                    self.at += 1;
                    return Ok(&self.body[start..self.at]);
                }
                b'\\' => 2,
                0x81..=0xFE if self.charset == Charset::Gbk => 2,
                _ => 1,
            };
        }
        Err(self.stuck())
    }

    fn expect(&mut self, byte: u8) -> Result<(), AnswerError> {
        self.skip_space();
        if self.peek() != Some(byte) {
            return Err(self.stuck());
        }
        self.at += 1;
        Ok(())
    }

    fn skip_space(&mut self) {
        while self.peek().is_some_and(|byte| b" \t\r\n".contains(&byte)) {
            self.at += 1;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.body.get(self.at).copied()
    }

    fn stuck(&self) -> AnswerError {
        AnswerError::NotJson(self.at)
    }
}
