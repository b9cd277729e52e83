//! Who asks: the device behind a bearer token.

use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use qiantai_wire::ErrorCode;
use qiantai_wire::api::{PROTOCOL_HEADER, PROTOCOL_VERSION};

use super::failure::Failure;
use super::request::read;
use crate::db::{DeviceStanding, Seat};
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
        let seat = read(server, move |ledger| ledger.seat_of_token(&hash)).await?;
        let Some(seat) = seat else {
            count_stranger(parts)?;
            return Err(ErrorCode::Unauthorised.into());
        };
        if let Some(limiters) = parts.extensions.get::<Arc<Limiters>>() {
            limiters.device(seat.device).map_err(Failure::wait)?;
        }
        let contacts = &server.0.contacts;
        contacts.note(seat.tenant, seat.device, server.now());
        Ok(Known(seat))
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

/// Requests within this process have neither limits nor an address.
fn count_stranger(parts: &Parts) -> Result<(), Failure> {
    let limiters = parts.extensions.get::<Arc<Limiters>>();
    match (limiters, address(parts)) {
        (Some(limiters), Some(from)) => limiters.stranger(from).map_err(Failure::wait),
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
    let oldest = PROTOCOL_VERSION.saturating_sub(OLDER_VERSIONS);
    if (oldest..=PROTOCOL_VERSION).contains(&version) {
        Ok(())
    } else {
        Err(Failure::from(ErrorCode::UpgradeNeeded).with("version", PROTOCOL_VERSION))
    }
}
