//! Reading and writing columns in the terms of the domain.

use std::fmt;

use qiantai_core::clock::Timestamp;
use qiantai_core::money::Money;
use rusqlite::types::Type;
use rusqlite::{Error, Row};
use uuid::Uuid;

use super::codes::Code;

/// A column does not hold what the schema promises.
#[derive(Debug)]
struct NotOfTheDomain(String);

impl fmt::Display for NotOfTheDomain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for NotOfTheDomain {}

/// A row cannot be read back; the file is damaged or was edited by hand.
pub(super) fn damaged(what: impl Into<String>) -> Error {
    Error::FromSqlConversionFailure(0, Type::Text, Box::new(NotOfTheDomain(what.into())))
}

/// Columns by name, in the terms of the domain.
pub(super) trait Columns {
    fn id(&self, column: &str) -> Result<Uuid, Error>;
    fn id_opt(&self, column: &str) -> Result<Option<Uuid>, Error>;
    fn fen(&self, column: &str) -> Result<Money, Error>;
    fn fen_opt(&self, column: &str) -> Result<Option<Money>, Error>;
    fn at(&self, column: &str) -> Result<Timestamp, Error>;
    fn at_opt(&self, column: &str) -> Result<Option<Timestamp>, Error>;
    fn code<T: Code>(&self, column: &str) -> Result<T, Error>;
    fn code_opt<T: Code>(&self, column: &str) -> Result<Option<T>, Error>;
    fn count<T: TryFrom<i64>>(&self, column: &str) -> Result<T, Error>;
}

impl Columns for Row<'_> {
    fn id(&self, column: &str) -> Result<Uuid, Error> {
        Ok(Uuid::from_bytes(self.get(column)?))
    }

    fn id_opt(&self, column: &str) -> Result<Option<Uuid>, Error> {
        Ok(self
            .get::<_, Option<[u8; 16]>>(column)?
            .map(Uuid::from_bytes))
    }

    fn fen(&self, column: &str) -> Result<Money, Error> {
        Ok(Money::from_fen(self.get(column)?))
    }

    fn fen_opt(&self, column: &str) -> Result<Option<Money>, Error> {
        Ok(self.get::<_, Option<i64>>(column)?.map(Money::from_fen))
    }

    fn at(&self, column: &str) -> Result<Timestamp, Error> {
        Ok(Timestamp::from_ms(self.get(column)?))
    }

    fn at_opt(&self, column: &str) -> Result<Option<Timestamp>, Error> {
        Ok(self.get::<_, Option<i64>>(column)?.map(Timestamp::from_ms))
    }

    fn code<T: Code>(&self, column: &str) -> Result<T, Error> {
        self.code_opt(column)?
            .ok_or_else(|| damaged(format!("{column} is empty")))
    }

    fn code_opt<T: Code>(&self, column: &str) -> Result<Option<T>, Error> {
        let Some(name) = self.get::<_, Option<String>>(column)? else {
            return Ok(None);
        };
        match T::from_code(&name) {
            Some(value) => Ok(Some(value)),
            None => Err(damaged(format!("{column} holds the unknown name {name:?}"))),
        }
    }

    fn count<T: TryFrom<i64>>(&self, column: &str) -> Result<T, Error> {
        let number: i64 = self.get(column)?;
        T::try_from(number).map_err(|_| damaged(format!("{column} holds {number}")))
    }
}

/// A sequence as SQLite stores it.
pub(super) fn int(count: u64) -> i64 {
    i64::try_from(count).expect("a sequence that counts up by one stays below 2^63")
}
