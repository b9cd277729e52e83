//! Who asks: the device behind a bearer token.

use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use qiantai_core::operation::Hash;
use qiantai_wire::ErrorCode;
use qiantai_wire::api::{PROTOCOL_HEADER, PROTOCOL_VERSION};

use super::failure::Failure;
use super::request::read;
use crate::db::{DeviceStanding, Ledger, Seat};
use crate::embedded::{Server, sha256};
use crate::limits::Limiters;

/// Versions of the interface before the current one that are still served.
const OLDER_VERSIONS: u16 = 2;

/// A known device, believed or not.
pub(super) struct Known(pub(super) Seat);

/// A device that is believed.
pub(super) struct Seated(pub(super) Seat);

impl FromRequestParts<Server> for Known {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, server: &Server) -> Result<Known, Failure> {
        check_version(parts)?;
        let token = parts
            .headers
            .get(AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.strip_prefix("Bearer "));
        let Some(token) = token else {
            count_stranger(parts)?;
            return Err(ErrorCode::Unauthorised.into());
        };
        let hash = sha256(token.as_bytes());
        let seat = seat_of(server, parts, hash).await?;
        let contacts = &server.0.contacts;
        contacts.note(seat.tenant, seat.device, server.now());
        Ok(Known(seat))
    }
}

/// Who has the token. Whoever asks too much is told so before the books are asked.
async fn seat_of(server: &Server, parts: &Parts, token: Hash) -> Result<Seat, Failure> {
    let look = move |ledger: &dyn Ledger| ledger.seat_of_token(&token);
    let unknown = || Failure::from(ErrorCode::Unauthorised);
    let Some(limiters) = parts.extensions.get::<Arc<Limiters>>() else {
        return read(server, look).await?.ok_or_else(unknown);
    };
    let owner = limiters.owner(&token);
    match owner {
        Some(device) => limiters.device(device).map_err(Failure::wait)?,
        None => count_stranger(parts)?,
    }
    match (read(server, look).await?, owner) {
        (Some(seat), Some(_)) => Ok(seat),
        (Some(seat), None) => {
            limiters.remember(token, seat.device);
            limiters.device(seat.device).map_err(Failure::wait)?;
            Ok(seat)
        }
        (None, _) => {
            limiters.forget(&token);
            Err(unknown())
        }
    }
}

impl FromRequestParts<Server> for Seated {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, server: &Server) -> Result<Seated, Failure> {
        let Known(seat) = Known::from_request_parts(parts, server).await?;
        check_standing(seat.standing)?;
        Ok(Seated(seat))
    }
}

/// Somebody who shows no token yet, and has tries left.
pub(super) struct Stranger;

impl FromRequestParts<Server> for Stranger {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &Server) -> Result<Stranger, Failure> {
        count_stranger(parts).map(|()| Stranger)
    }
}

/// Whoever says to be a gateway, and has not said too much.
pub(super) struct Gateway;

impl FromRequestParts<Server> for Gateway {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &Server) -> Result<Gateway, Failure> {
        count(parts, Limiters::notice).map(|()| Gateway)
    }
}

/// Whoever asks whether the server is there, and has not asked too often.
pub(super) struct Passer;

impl FromRequestParts<Server> for Passer {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &Server) -> Result<Passer, Failure> {
        count(parts, Limiters::probe).map(|()| Passer)
    }
}

/// Where a request comes from; nowhere within this process.
pub(super) struct Origin(pub(super) Option<IpAddr>);

impl FromRequestParts<Server> for Origin {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &Server) -> Result<Origin, Infallible> {
        Ok(Origin(address(parts)))
    }
}

fn address(parts: &Parts) -> Option<IpAddr> {
    let from = parts.extensions.get::<ConnectInfo<SocketAddr>>();
    from.map(|ConnectInfo(from)| from.ip())
}

fn count_stranger(parts: &Parts) -> Result<(), Failure> {
    count(parts, Limiters::stranger)
}

/// Requests within this process have neither limits nor an address.
fn count(
    parts: &Parts,
    ask: impl FnOnce(&Limiters, IpAddr) -> Result<(), Duration>,
) -> Result<(), Failure> {
    let limiters = parts.extensions.get::<Arc<Limiters>>();
    match (limiters, address(parts)) {
        (Some(limiters), Some(from)) => ask(limiters, from).map_err(Failure::wait),
        _ => Ok(()),
    }
}

/// Refuses a device that is not believed.
pub(super) fn check_standing(standing: DeviceStanding) -> Result<(), Failure> {
    match standing {
        DeviceStanding::Active => Ok(()),
        DeviceStanding::Quarantined => Err(ErrorCode::DeviceQuarantined.into()),
        DeviceStanding::Revoked => Err(ErrorCode::DeviceRevoked.into()),
    }
}

/// A terminal that names no version speaks the first.
fn check_version(parts: &Parts) -> Result<(), Failure> {
    let Some(value) = parts.headers.get(PROTOCOL_HEADER) else {
        return Ok(());
    };
    let version: Option<u16> = value.to_str().ok().and_then(|text| text.parse().ok());
    let version = version.ok_or(ErrorCode::BadRequest)?;
    if is_served(PROTOCOL_VERSION, version) {
        Ok(())
    } else {
        Err(Failure::from(ErrorCode::UpgradeNeeded).with("version", PROTOCOL_VERSION))
    }
}

/// Whether a server of the version `own` serves a terminal of `version`. The first is 1.
fn is_served(own: u16, version: u16) -> bool {
    let oldest = own.saturating_sub(OLDER_VERSIONS).max(1);
    (oldest..=own).contains(&version)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_versions_before_the_own_are_served_and_none_after_it() {
        let check = |own: u16, versions: &[u16]| {
            let served: Vec<u16> = (0..=own + 2)
                .filter(|version| is_served(own, *version))
                .collect();
            assert_eq!(served, versions, "a server of version {own}");
        };
        check(1, &[1]);
        check(2, &[1, 2]);
        check(3, &[1, 2, 3]);
        check(4, &[2, 3, 4]);
        check(9, &[7, 8, 9]);
    }
}
