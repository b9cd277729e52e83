//! `POST /v1/devices/join`.

use std::sync::Arc;

use axum::extract::State;
use axum::{Extension, Json};
use ed25519_dalek::VerifyingKey;
use qiantai_core::ids::DeviceId;
use qiantai_wire::api::{JoinAnswer, JoinRequest};
use qiantai_wire::{ApiError, ErrorCode};

use super::auth::{Origin, Stranger};
use super::failure::Failure;
use super::request::Body;
use crate::embedded::{Server, sha256};
use crate::enrolment::terminal_codes;
use crate::limits::Limiters;

/// Longest name of a terminal, in characters.
const NAME_LENGTH_MAX: usize = 40;

/// A terminal joins with a one-time invitation.
#[utoipa::path(
    post,
    path = "/v1/devices/join",
    request_body = JoinRequest,
    responses(
        (status = 200, description = "The terminal is a device of the shop", body = JoinAnswer),
        (status = "default", description = "Not joined", body = ApiError)
    )
)]
pub(super) async fn join(
    State(server): State<Server>,
    _counted: Stranger,
    Origin(address): Origin,
    limiters: Option<Extension<Arc<Limiters>>>,
    Body(request): Body<JoinRequest>,
) -> Result<Json<JoinAnswer>, Failure> {
    let name_length = request.name.chars().count();
    let is_plain = !request.name.chars().any(char::is_control);
    let code = request.terminal_code.as_deref();
    let is_code = code.is_none_or(|code| terminal_codes().any(|known| known == code));
    let is_key = VerifyingKey::from_bytes(&request.public_key.0).is_ok_and(|key| !key.is_weak());
    let is_named = is_plain && (1..=NAME_LENGTH_MAX).contains(&name_length);
    if !is_key || !is_code || !is_named {
        return Err(ErrorCode::BadRequest.into());
    }
    let (invite, key) = (&request.invite, request.public_key.0);
    let joined = server.join_from(address, invite, key, (&request.name, code));
    let joined = joined.await?;
    if let Some(Extension(limiters)) = limiters {
        let token = sha256(joined.token.as_bytes());
        limiters.remember(token, DeviceId(joined.device));
    }
    Ok(Json(joined))
}
