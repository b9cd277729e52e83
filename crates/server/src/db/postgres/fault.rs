//! What went wrong in PostgreSQL, in the terms on which a caller acts.

use deadpool_postgres::PoolError;
use tokio_postgres::Error;
use tokio_postgres::error::SqlState;

use crate::db::LedgerError;

/// What a failure of a statement or of its connection means.
pub(super) fn failed(error: &Error) -> LedgerError {
    let Some(said) = error.as_db_error() else {
        // A value that does not fit is a defect; anything else without an answer of the server
        // is a connection that broke.
        return match error.is_closed() || is_io(error) {
            true => LedgerError::Busy,
            false => LedgerError::Failed(with_causes(error)),
        };
    };
    // Details and hints are left out: they quote rows, which may be personal.
    let text = match said.constraint() {
        Some(constraint) => format!("{} ({constraint})", said.message()),
        None => said.message().to_owned(),
    };
    meaning(said.code(), text)
}

/// No connection could be had.
pub(super) fn no_connection(error: &PoolError) -> LedgerError {
    match error {
        PoolError::Timeout(_) | PoolError::Closed => LedgerError::Busy,
        PoolError::Backend(error) => failed(error),
        other @ (PoolError::PostCreateHook(_) | PoolError::NoRuntimeSpecified) => {
            LedgerError::Failed(other.to_string())
        }
    }
}

/// The same for whoever starts the server or asks what is wrong, in plain words.
pub(super) fn why(error: &PoolError) -> String {
    let error = match error {
        PoolError::Backend(error) => error,
        PoolError::Timeout(_) => return "it does not answer; is there a firewall between?".into(),
        other => return other.to_string(),
    };
    let Some(said) = error.as_db_error() else {
        return with_causes(error);
    };
    let advice = match said.code().code() {
        "53300" => {
            "every connection that it allows is taken: raise its max_connections or the \
             user's CONNECTION LIMIT, or lower connections= in the database URL of each server"
        }
        "28P01" | "28000" => "it refuses this user, password or machine; see its pg_hba.conf",
        "3D000" => "make the database first, with this user as its owner",
        "57P03" => "it starts, stops or recovers from a crash; try again in a moment",
        _ => return said.message().to_owned(),
    };
    format!("{}: {advice}", said.message())
}

/// An error that the server did not send; no row is in it.
fn with_causes(error: &Error) -> String {
    let mut words = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(source) = cause {
        let more = source.to_string();
        if !words.contains(&more) {
            words = format!("{words}: {more}");
        }
        cause = source.source();
    }
    words
}

fn meaning(code: &SqlState, text: String) -> LedgerError {
    match code.code() {
        "53100" => LedgerError::DiskFull,
        // Damaged pages and indexes.
        "XX001" | "XX002" => LedgerError::Corrupt(text),
        // The schema was brought up to date under a statement prepared before.
        "0A000" if text.contains("cached plan") => LedgerError::Busy,
        // Lock not available, statement or idle transaction timed out, database still starting,
        // shut down or crashed, transaction rolled back in favour of another.
        "55P03" | "57014" | "25P03" | "57P01" | "57P02" | "57P03" | "57P05" => LedgerError::Busy,
        // A table or another object of that name: somebody else has just made it.
        "42P07" | "42710" => LedgerError::Taken(text),
        // A NUL in a text, and a row too long for its index: this row is not to be had, as with any
        // constraint, and those beside it are.
        "22021" | "54000" => LedgerError::Taken(text),
        other => match other.get(..2) {
            Some("23") => LedgerError::Taken(text),
            // Connections, resources other than the disk, rolled back transactions.
            Some("08" | "53" | "40") => LedgerError::Busy,
            _ => LedgerError::Failed(format!("{text} ({other})")),
        },
    }
}

fn is_io(error: &Error) -> bool {
    let mut cause = std::error::Error::source(error);
    while let Some(source) = cause {
        if source.is::<std::io::Error>() {
            return true;
        }
        cause = source.source();
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_say_what_a_caller_can_do() {
        let check = |code: &str, expected: &str| {
            let meant = meaning(&SqlState::from_code(code), "words".into());
            let meant = format!("{meant:?}");
            assert!(meant.starts_with(expected), "{code}: {meant}");
        };
        check("23505", "Taken");
        check("23514", "Taken");
        check("23502", "Taken");
        check("42P07", "Taken");
        check("22021", "Taken");
        check("54000", "Taken");
        check("53100", "DiskFull");
        check("53300", "Busy");
        check("40001", "Busy");
        check("40P01", "Busy");
        check("57014", "Busy");
        check("57P01", "Busy");
        check("08006", "Busy");
        check("XX001", "Corrupt");
        check("42601", "Failed");
        check("42P01", "Failed");
        check("0A000", "Failed");
    }
}
