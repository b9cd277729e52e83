//! What stands in a column, and reading columns in the terms of the domain. Both databases speak
//! in these four kinds of value.

use std::sync::Arc;

use qiantai_core::clock::Timestamp;
use qiantai_core::money::Money;
use uuid::Uuid;

use super::LedgerError;
use super::codes::Code;

/// What stands in a column.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Value {
    /// Nothing.
    Null,
    /// A count, an amount in fen, an instant in milliseconds, or a yes (1) or no (0).
    Int(i64),
    /// Words.
    Text(String),
    /// An identity, a hash, a key or a document.
    Bytes(Vec<u8>),
}

/// The kind of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// [`Value::Int`]
    Int,
    /// [`Value::Text`]
    Text,
    /// [`Value::Bytes`]
    Bytes,
}

/// A row that was read.
#[derive(Clone, Debug)]
pub struct Record {
    columns: Arc<[String]>,
    values: Vec<Value>,
}

impl Record {
    /// A row of these columns; one value for each.
    pub fn new(columns: Arc<[String]>, values: Vec<Value>) -> Record {
        Record { columns, values }
    }

    /// The values in the order of the columns.
    pub fn values(&self) -> &[Value] {
        &self.values
    }

    fn value(&self, column: &str) -> Result<&Value, LedgerError> {
        let place = self.columns.iter().position(|name| name == column);
        place
            .and_then(|place| self.values.get(place))
            .ok_or_else(|| damaged(format!("there is no column {column}")))
    }

    fn is_null(&self, column: &str) -> Result<bool, LedgerError> {
        Ok(*self.value(column)? == Value::Null)
    }

    /// A number.
    pub fn int(&self, column: &str) -> Result<i64, LedgerError> {
        match self.value(column)? {
            Value::Int(number) => Ok(*number),
            other => Err(unexpected(column, other)),
        }
    }

    /// A number of a narrower type.
    pub fn count<T: TryFrom<i64>>(&self, column: &str) -> Result<T, LedgerError> {
        let number = self.int(column)?;
        T::try_from(number).map_err(|_| damaged(format!("{column} holds {number}")))
    }

    /// A yes or no.
    pub fn flag(&self, column: &str) -> Result<bool, LedgerError> {
        Ok(self.int(column)? != 0)
    }

    /// Yes or no, where it is known.
    pub fn flag_opt(&self, column: &str) -> Result<Option<bool>, LedgerError> {
        match self.is_null(column)? {
            true => Ok(None),
            false => self.flag(column).map(Some),
        }
    }

    /// Words.
    pub fn text(&self, column: &str) -> Result<&str, LedgerError> {
        match self.value(column)? {
            Value::Text(words) => Ok(words),
            other => Err(unexpected(column, other)),
        }
    }

    /// Words or nothing.
    pub fn text_opt(&self, column: &str) -> Result<Option<&str>, LedgerError> {
        match self.is_null(column)? {
            true => Ok(None),
            false => self.text(column).map(Some),
        }
    }

    /// Bytes.
    pub fn bytes(&self, column: &str) -> Result<&[u8], LedgerError> {
        match self.value(column)? {
            Value::Bytes(bytes) => Ok(bytes),
            other => Err(unexpected(column, other)),
        }
    }

    /// Bytes or nothing.
    pub fn bytes_opt(&self, column: &str) -> Result<Option<&[u8]>, LedgerError> {
        match self.is_null(column)? {
            true => Ok(None),
            false => self.bytes(column).map(Some),
        }
    }

    /// Bytes of a fixed length.
    pub fn array<const N: usize>(&self, column: &str) -> Result<[u8; N], LedgerError> {
        let bytes = self.bytes(column)?;
        <[u8; N]>::try_from(bytes)
            .map_err(|_| damaged(format!("{column} holds {} bytes", bytes.len())))
    }

    /// Bytes of a fixed length or nothing.
    pub fn array_opt<const N: usize>(&self, column: &str) -> Result<Option<[u8; N]>, LedgerError> {
        match self.is_null(column)? {
            true => Ok(None),
            false => self.array(column).map(Some),
        }
    }

    /// An identity.
    pub fn id(&self, column: &str) -> Result<Uuid, LedgerError> {
        self.array(column).map(Uuid::from_bytes)
    }

    /// An identity or nothing.
    pub fn id_opt(&self, column: &str) -> Result<Option<Uuid>, LedgerError> {
        match self.is_null(column)? {
            true => Ok(None),
            false => self.id(column).map(Some),
        }
    }

    /// An amount.
    pub fn fen(&self, column: &str) -> Result<Money, LedgerError> {
        self.int(column).map(Money::from_fen)
    }

    /// An amount or nothing.
    pub fn fen_opt(&self, column: &str) -> Result<Option<Money>, LedgerError> {
        match self.is_null(column)? {
            true => Ok(None),
            false => self.fen(column).map(Some),
        }
    }

    /// An instant.
    pub fn at(&self, column: &str) -> Result<Timestamp, LedgerError> {
        self.int(column).map(Timestamp::from_ms)
    }

    /// An instant or nothing.
    pub fn at_opt(&self, column: &str) -> Result<Option<Timestamp>, LedgerError> {
        match self.is_null(column)? {
            true => Ok(None),
            false => self.at(column).map(Some),
        }
    }

    /// A value that is stored by name.
    pub fn code<T: Code>(&self, column: &str) -> Result<T, LedgerError> {
        let name = self.text(column)?;
        T::from_code(name)
            .ok_or_else(|| damaged(format!("{column} holds the unknown name {name:?}")))
    }

    /// A value that is stored by name, or nothing.
    pub fn code_opt<T: Code>(&self, column: &str) -> Result<Option<T>, LedgerError> {
        match self.is_null(column)? {
            true => Ok(None),
            false => self.code(column).map(Some),
        }
    }
}

/// A row cannot be read back; the database is damaged or was edited by hand.
pub fn damaged(what: impl Into<String>) -> LedgerError {
    LedgerError::Corrupt(what.into())
}

/// The value itself is not named: it may be personal.
fn unexpected(column: &str, found: &Value) -> LedgerError {
    let kind = match found {
        Value::Null => "nothing",
        Value::Int(_) => "a number",
        Value::Text(_) => "words",
        Value::Bytes(_) => "bytes",
    };
    damaged(format!("{column} holds {kind}"))
}

/// The values of a row, in the order of its table's columns.
macro_rules! values {
    ($($value:expr),* $(,)?) => { vec![$($crate::db::record::Value::from($value)),*] };
}
pub(super) use values;

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Value {
        value.map_or(Value::Null, Into::into)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Value {
        Value::Int(number)
    }
}

impl From<u64> for Value {
    fn from(count: u64) -> Value {
        let count = i64::try_from(count);
        Value::Int(count.expect("a sequence that counts up by one stays below 2^63"))
    }
}

macro_rules! narrow_numbers {
    ($($kind:ty),+) => {$(
        impl From<$kind> for Value {
            fn from(number: $kind) -> Value {
                Value::Int(i64::from(number))
            }
        }
    )+};
}
narrow_numbers!(u8, u16, u32, i32, bool);

impl From<Money> for Value {
    fn from(amount: Money) -> Value {
        Value::Int(amount.fen())
    }
}

impl From<Timestamp> for Value {
    fn from(at: Timestamp) -> Value {
        Value::Int(at.ms())
    }
}

impl From<&str> for Value {
    fn from(words: &str) -> Value {
        Value::Text(words.to_owned())
    }
}

impl From<&String> for Value {
    fn from(words: &String) -> Value {
        Value::Text(words.clone())
    }
}

impl From<String> for Value {
    fn from(words: String) -> Value {
        Value::Text(words)
    }
}

impl From<Uuid> for Value {
    fn from(id: Uuid) -> Value {
        Value::Bytes(id.as_bytes().to_vec())
    }
}

impl From<&[u8]> for Value {
    fn from(bytes: &[u8]) -> Value {
        Value::Bytes(bytes.to_vec())
    }
}

impl<const N: usize> From<&[u8; N]> for Value {
    fn from(bytes: &[u8; N]) -> Value {
        Value::Bytes(bytes.to_vec())
    }
}
