//! `qiantai-server leases`: who holds what of members' money, and declaring a terminal's leases lost.

use qiantai_server::{Channels, Clock, SystemClock, leases};

use crate::cli::Leases;
use crate::settings::Place;
use crate::{AnyError, Ending, books, keep, say, serving};

pub(crate) async fn leases(asked: &Leases, place: Place) -> Result<Ending, AnyError> {
    match asked {
        Leases::Exposure { json } => {
            let json = *json;
            keep::blocking(move || exposure(json, &place)).await
        }
        Leases::Lost {
            store,
            terminal,
            reason,
        } => {
            let opened = books::open_to_write(&place, "qiantai-server leases lost".to_owned())?;
            let server = serving(&opened, Channels::default())?;
            let ledger = opened.ledger.as_ref();
            let lost = leases::declare_lost(&server, ledger, (store, terminal), reason).await;
            server.stop().await;
            let (count, sum) = lost?;
            say(&format!(
                "store {store} terminal {terminal}: leases={count} lost={sum}"
            ))?;
            Ok(Ending::Well)
        }
    }
}

fn exposure(json: bool, place: &Place) -> Result<Ending, AnyError> {
    let opened = books::open_beside(place)?;
    let exposure = leases::exposure(opened.ledger.as_ref(), SystemClock.now())?;
    match json {
        true => say(&serde_json::to_string(&exposure)?)?,
        false => say(&exposure.to_string())?,
    }
    Ok(Ending::Well)
}
