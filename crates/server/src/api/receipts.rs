//! `POST /v1/receipts`: operations of a lost terminal, from the receipts that it printed.

use axum::Json;
use axum::extract::State;
use qiantai_wire::api::{RECEIPTS_LIMIT, ReceiptsAnswer, ReceiptsRequest};
use qiantai_wire::{ApiError, ErrorCode};

use super::auth::Seated;
use super::failure::Failure;
use super::request::Body;
use crate::embedded::Server;
use crate::receipts::ReceiptsError;

/// Takes receipts of any terminal of the shop, in any order.
///
/// What is genuine and not in the books yet is posted; the answer says so for each.
#[utoipa::path(
    post,
    path = "/v1/receipts",
    request_body = ReceiptsRequest,
    responses(
        (status = 200, description = "What became of each", body = ReceiptsAnswer),
        (status = "default", description = "Some may have been taken; give all again", body = ApiError)
    ),
    security(("device" = []))
)]
pub(super) async fn take(
    State(server): State<Server>,
    Seated(seat): Seated,
    Body(request): Body<ReceiptsRequest>,
) -> Result<Json<ReceiptsAnswer>, Failure> {
    if request.receipts.len() > RECEIPTS_LIMIT {
        return Err(Failure::from(ErrorCode::BadRequest).with("limit", RECEIPTS_LIMIT));
    }
    let taken = server.bring_back_receipts(Some(seat.tenant), request.receipts);
    let results = taken.await.map_err(|error| match error {
        ReceiptsError::Ledger(error) => Failure::from(error),
        ReceiptsError::Write(error) => Failure::from(error),
    })?;
    Ok(Json(ReceiptsAnswer {
        results,
        server_time_ms: server.now().ms(),
    }))
}
