//! `qiantai-server terminals`: who they are, and taking one out of service.

use qiantai_server::{Clock, SystemClock, roster};

use crate::cli::Terminals;
use crate::settings::Place;
use crate::{AnyError, Ending, books, say};

pub(crate) fn terminals(asked: &Terminals, place: &Place) -> Result<Ending, AnyError> {
    let opened = books::open_beside(place)?;
    let (ledger, now) = (opened.ledger.as_ref(), SystemClock.now());
    match asked {
        Terminals::List => {
            for terminal in roster::terminals(ledger, now)? {
                say(&terminal.to_string())?;
            }
        }
        Terminals::Revoke {
            store,
            terminal,
            reason,
        } => {
            let revoked = roster::revoke(ledger, store, terminal, reason, now)?;
            say(&revoked.to_string())?;
        }
    }
    Ok(Ending::Well)
}
