//! Calls that a terminal has signed: those by which a manager changes the shop.

use axum::extract::{FromRequest, FromRequestParts, Request};
use ed25519_dalek::VerifyingKey;
use qiantai_wire::ErrorCode;
use qiantai_wire::call::{CALL_HEADER, CHALLENGE_PARAM, Call};
use serde::de::DeserializeOwned;

use super::auth::Seated;
use super::failure::Failure;
use super::request::{Raw, parsed, read as read_books};
use crate::db::Seat;
use crate::embedded::Server;

/// A JSON body that the believed device of the token has signed, over a challenge that this is the
/// end of. The token alone could be copied off a till, and the manager's identity stands in the rules.
pub(super) struct Signed<T> {
    pub(super) seat: Seat,
    pub(super) request: T,
}

impl<T: DeserializeOwned> FromRequest<Server> for Signed<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, server: &Server) -> Result<Signed<T>, Failure> {
        let (mut parts, body) = request.into_parts();
        let Seated(seat) = Seated::from_request_parts(&mut parts, server).await?;
        // Where others write nothing is begun: the terminal is told who does.
        let tenant = seat.tenant;
        read_books(server, move |ledger| ledger.may_write(tenant)).await?;
        let (method, path) = (parts.method.clone(), parts.uri.path().to_owned());
        let header = parts.headers.get(CALL_HEADER).cloned();
        let Raw(body) = Raw::from_request(Request::from_parts(parts, body), server).await?;
        let key = VerifyingKey::from_bytes(&seat.public_key);
        let key = key.map_err(|error| Failure::logged(ErrorCode::Internal, &error))?;
        let (challenges, now) = (&server.0.challenges, server.now());
        let is_signed = header.is_some_and(|header| {
            challenges.take(seat.device, now, |challenge| {
                let call = Call {
                    method: method.as_str(),
                    path: &path,
                    body: &body,
                    device: seat.device.0,
                    challenge,
                };
                call.verify(header.as_bytes(), &key).is_ok()
            })
        });
        if !is_signed {
            let challenge = challenges.make(seat.device, now);
            let challenge =
                challenge.map_err(|error| Failure::logged(ErrorCode::Internal, &error))?;
            let unsigned = Failure::from(ErrorCode::CallUnsigned);
            return Err(unsigned.with(CHALLENGE_PARAM, challenge.text()));
        }
        let request = parsed(&body)?;
        Ok(Signed { seat, request })
    }
}
