//! `POST /v1/operations`: the one address at which the ledger changes.

use axum::Json;
use axum::extract::State;
use ed25519_dalek::VerifyingKey;
use qiantai_wire::api::{KEPT_PARAM, PUSH_LIMIT, PushAnswer, PushRequest};
use qiantai_wire::feed::CursorDto;
use qiantai_wire::text::Hex;
use qiantai_wire::{ApiError, ErrorCode};

use super::attached::Profiles;
use super::auth::{Known, check_standing};
use super::failure::Failure;
use super::request::{Body, read};
use crate::db::{Cursor, Head, HeldReason, Seat};
use crate::embedded::Server;
use crate::writer::{Content, Received, receive};

/// Takes operations of one device, in order.
///
/// What a device sends that is not believed is kept for review; the answer is an error then, and
/// says up to where it is kept.
#[utoipa::path(
    post,
    path = "/v1/operations",
    request_body = PushRequest,
    responses(
        (status = 200, description = "Taken as far as `results` goes", body = PushAnswer),
        (status = "default", description = "Nothing was taken", body = ApiError)
    ),
    security(("device" = []))
)]
pub(super) async fn push(
    State(server): State<Server>,
    Known(seat): Known,
    Body(request): Body<PushRequest>,
) -> Result<Json<PushAnswer>, Failure> {
    if request.operations.len() > PUSH_LIMIT {
        return Err(Failure::from(ErrorCode::BadRequest).with("limit", PUSH_LIMIT));
    }
    let desk = server
        .0
        .desks
        .get(seat.tenant)
        .ok_or(ErrorCode::Unavailable)?;
    let operations = verified(&seat, request).await?;
    let last = operations.last().map(|it| it.header.device_seq);
    let pushed = desk.writer.push(operations).await?;
    check_standing(seat.standing).map_err(|failure| match last {
        Some(kept) => failure.with(KEPT_PARAM, kept),
        None => failure,
    })?;
    let (cursor, head) = match pushed.stand {
        Some(stand) => stand,
        None => stand(&server, &seat).await?,
    };
    Ok(Json(PushAnswer {
        results: pushed.results,
        acked_seq: cursor.last_seq,
        acked_hash: Hex(cursor.last_hash),
        halt: pushed.halt,
        server_time_ms: server.now().ms(),
        cursor: CursorDto {
            timeline: head.timeline,
            server_seq: head.server_seq,
        },
    }))
}

/// Where device and log stand, for whoever pushed nothing.
async fn stand(server: &Server, seat: &Seat) -> Result<(Cursor, Head), Failure> {
    let (tenant, device) = (seat.tenant, seat.device);
    let (found, head) = read(server, move |ledger| {
        Ok((ledger.device(tenant, device)?, ledger.head(tenant)?))
    })
    .await?;
    let (_, cursor) = found.ok_or(ErrorCode::Internal)?;
    Ok((cursor, head))
}

/// Reads and verifies every operation; one that is not of this device spoils the call, for then
/// the terminal's own log is damaged and its order cannot be trusted.
async fn verified(seat: &Seat, request: PushRequest) -> Result<Vec<Received>, Failure> {
    let seat = seat.clone();
    let verify = move || {
        let key = VerifyingKey::from_bytes(&seat.public_key).map_err(|_| ErrorCode::Internal)?;
        let profiles = Profiles::of(request.profiles);
        (0_usize..)
            .zip(request.operations)
            .map(|(index, bytes)| {
                let received = verified_one(&seat, &key, bytes.0).ok_or_else(|| {
                    Failure::from(ErrorCode::OperationUnreadable).with("index", index)
                })?;
                Ok(profiles.beside(received))
            })
            .collect()
    };
    tokio::task::spawn_blocking(verify)
        .await
        .map_err(|_| ErrorCode::Internal)?
}

fn verified_one(seat: &Seat, key: &VerifyingKey, bytes: Vec<u8>) -> Option<Received> {
    let received = receive(bytes, key).ok()?;
    let header = &received.header;
    if header.device != seat.device || header.tenant != seat.tenant {
        return None;
    }
    // Signed for a store in which the device does not stand: a person must look.
    if header.store != seat.store {
        return Some(Received {
            content: Content::Unread(HeldReason::Malformed),
            ..received
        });
    }
    Some(received)
}
