//! `qiantai-server quarantine`: what was kept for review, and admitting or refusing it.

use qiantai_server::quarantine::{self, Chosen};
use qiantai_server::writer::Verdict;
use qiantai_server::{Channels, Clock, SystemClock};

use crate::cli::{Quarantine, Review};
use crate::settings::Place;
use crate::{AnyError, Ending, books, keep, say, serving};

pub(crate) async fn quarantine(asked: &Quarantine, place: Place) -> Result<Ending, AnyError> {
    match asked {
        Quarantine::List { json } => {
            let json = *json;
            keep::blocking(move || list(json, &place)).await
        }
        Quarantine::Admit(asked) => review(asked, Verdict::Admit, &place).await,
        Quarantine::Refuse(asked) => review(asked, Verdict::Refuse, &place).await,
    }
}

fn list(json: bool, place: &Place) -> Result<Ending, AnyError> {
    let opened = books::open_beside(place)?;
    let waiting = quarantine::waiting(opened.ledger.as_ref(), SystemClock.now())?;
    if json {
        say(&serde_json::to_string(&waiting)?)?;
        return Ok(Ending::Well);
    }
    for one in &waiting {
        say(&one.to_string())?;
    }
    let held = waiting.iter().filter(|one| one.held).count();
    if held > 0 {
        say(&format!("held={held}"))?;
    }
    say(&format!("waiting={}", waiting.len() - held))?;
    Ok(Ending::Well)
}

/// Says of each operation what became of it. Bad when one waits still.
async fn review(asked: &Review, verdict: Verdict, place: &Place) -> Result<Ending, AnyError> {
    let opened = books::open_to_write(place, "qiantai-server quarantine".to_owned())?;
    let server = serving(&opened, Channels::default())?;
    let chosen = Chosen {
        store: &asked.store,
        terminal: &asked.terminal,
        numbers: &asked.number,
        marks: &asked.mark,
    };
    let ledger = opened.ledger.as_ref();
    let reviewed = quarantine::review(&server, ledger, chosen, verdict, &asked.reason).await;
    server.stop().await;
    let mut all_settled = true;
    for (number, became) in reviewed? {
        say(&format!("number {number}: {became}"))?;
        all_settled &= became.is_settled();
    }
    Ok(match all_settled {
        true => Ending::Well,
        false => Ending::Bad,
    })
}
