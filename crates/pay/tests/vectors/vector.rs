//! One vector, and what its kinds read from it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use qiantai_core::clock::{Millis, Timestamp};
use serde::Deserialize;
use serde_json::{Map, Value};

/// Nothing, or what differs.
pub type Outcome = Result<(), String>;

/// A kind's name, and how to run a vector of it.
pub type Kind = (&'static str, fn(&Vector) -> Outcome);

#[derive(Deserialize)]
pub struct File {
    pub format: u32,
    pub vectors: Vec<Vector>,
}

#[derive(Clone, Deserialize)]
pub struct Vector {
    pub id: String,
    pub kind: String,
    pub input: Value,
    pub expected: Value,
}

impl Vector {
    /// A text of the input; it must be there.
    pub fn text(&self, name: &str) -> Result<&str, String> {
        let value = self.input.get(name).and_then(Value::as_str);
        value.ok_or_else(|| format!("the input lacks the text {name}"))
    }

    /// The bytes behind a base64 text of the input.
    pub fn bytes(&self, name: &str) -> Result<Vec<u8>, String> {
        let text = self.text(name)?;
        BASE64
            .decode(text)
            .map_err(|error| format!("{name}: {error}"))
    }

    /// Whole seconds since 1970, as number or text.
    pub fn time(&self, name: &str) -> Result<Timestamp, String> {
        let value = self.input.get(name);
        let seconds = match value {
            Some(Value::String(text)) => text.parse().ok(),
            value => value.and_then(Value::as_i64),
        };
        let seconds = seconds.ok_or_else(|| format!("the input lacks the time {name}"))?;
        Ok(Timestamp::from_ms(0) + Millis::seconds(seconds))
    }

    /// An object of the input.
    pub fn object(&self, name: &str) -> Result<&Map<String, Value>, String> {
        let value = self.input.get(name).and_then(Value::as_object);
        value.ok_or_else(|| format!("the input lacks the object {name}"))
    }

    /// Compares one field of the known answer with what we found.
    pub fn expect(&self, name: &str, found: impl Into<Value>) -> Outcome {
        let found = found.into();
        match self.expected.get(name) {
            Some(expected) if *expected == found => Ok(()),
            Some(expected) => Err(format!("{name}: expected {expected}, found {found}")),
            None => Err(format!("the known answer lacks {name}")),
        }
    }

    /// Compares a field that not every vector has.
    pub fn expect_if_given(&self, name: &str, found: impl Into<Value>) -> Outcome {
        match self.expected.get(name) {
            Some(_) => self.expect(name, found),
            None => Ok(()),
        }
    }

    /// True where the known answer is a refusal; its words are not compared.
    pub fn is_refusal(&self) -> bool {
        self.expected.get("error").is_some()
    }

    /// A refusal must be refused, anything else accepted.
    pub fn accepted<T, E: ToString>(&self, found: Result<T, E>) -> Result<Option<T>, String> {
        match (found, self.is_refusal()) {
            (Ok(found), false) => Ok(Some(found)),
            (Err(_), true) => Ok(None),
            (Ok(_), true) => Err("accepted, and should be refused".to_owned()),
            (Err(error), false) => Err(error.to_string()),
        }
    }
}
