//! `GET /v1/attempts/{id}`, `POST /v1/attempts/{id}/query` and `POST /v1/attempts/{id}/charge`.

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use qiantai_core::ids::{AttemptId, TenantId};
use qiantai_pay::AuthCode;
use qiantai_wire::api::{AttemptAnswer, ChargeRequest};
use qiantai_wire::{ApiError, ErrorCode};
use uuid::Uuid;

use super::auth::Seated;
use super::failure::Failure;
use super::orders::settlement;
use super::request::{self, Body, read as read_books};
use crate::db::Seat;
use crate::embedded::Server;

/// An attempt with its order, as the ledger knows it.
#[utoipa::path(
    get,
    path = "/v1/attempts/{id}",
    params(("id" = Uuid, Path, description = "The attempt")),
    responses(
        (status = 200, description = "The attempt", body = AttemptAnswer),
        (status = "default", description = "No answer", body = ApiError)
    ),
    security(("device" = []))
)]
pub(super) async fn read(
    State(server): State<Server>,
    Seated(seat): Seated,
    path: Result<Path<Uuid>, PathRejection>,
) -> Result<Json<AttemptAnswer>, Failure> {
    let id = AttemptId(request::id(path)?);
    answer(&server, seat.tenant, id).await.map(Json)
}

/// Asks the gateway now, then answers as `GET` does. The attempt counts as watched for ten
/// seconds. Every terminal of the tenant may ask: it moves no money, and a manager looks after an
/// open payment from another till.
#[utoipa::path(
    post,
    path = "/v1/attempts/{id}/query",
    params(("id" = Uuid, Path, description = "The attempt")),
    responses(
        (status = 200, description = "The attempt after the query", body = AttemptAnswer),
        (status = "default", description = "No answer", body = ApiError)
    ),
    security(("device" = []))
)]
pub(super) async fn query(
    State(server): State<Server>,
    Seated(seat): Seated,
    path: Result<Path<Uuid>, PathRejection>,
) -> Result<Json<AttemptAnswer>, Failure> {
    let id = AttemptId(request::id(path)?);
    let tenant = seat.tenant;
    let attempt = read_books(&server, move |ledger| ledger.attempt(tenant, id)).await?;
    let attempt = attempt.ok_or(ErrorCode::NotFound)?;
    if server.0.engine.channels().of(attempt.channel).is_none() {
        return Err(ErrorCode::GatewayNotConfigured.into());
    }
    server.0.engine.query_now(tenant, id).await?;
    answer(&server, tenant, id).await.map(Json)
}

/// Charges the payment code that the customer shows, once, and answers as `GET` does when the
/// gateway has answered. Repeating it is safe. Only the terminal that opened the order may
/// (`attempt_elsewhere`).
#[utoipa::path(
    post,
    path = "/v1/attempts/{id}/charge",
    params(("id" = Uuid, Path, description = "The attempt")),
    request_body = ChargeRequest,
    responses(
        (status = 200, description = "The attempt after the charge", body = AttemptAnswer),
        (status = "default", description = "No answer", body = ApiError)
    ),
    security(("device" = []))
)]
pub(super) async fn charge(
    State(server): State<Server>,
    Seated(seat): Seated,
    path: Result<Path<Uuid>, PathRejection>,
    Body(request): Body<ChargeRequest>,
) -> Result<Json<AttemptAnswer>, Failure> {
    let id = AttemptId(request::id(path)?);
    let code = request.scanned().map(AuthCode::new);
    let code = code.ok_or(ErrorCode::PaymentCodeNotOfChannel)?;
    check_owner(&server, &seat, id).await?;
    server.0.engine.charge(seat.tenant, id, code).await?;
    answer(&server, seat.tenant, id).await.map(Json)
}

/// The customer stands at the terminal that opened the order, and shows the code there.
async fn check_owner(server: &Server, seat: &Seat, id: AttemptId) -> Result<(), Failure> {
    let tenant = seat.tenant;
    let order = read_books(server, move |ledger| match ledger.attempt(tenant, id)? {
        Some(attempt) => ledger.order(tenant, attempt.order),
        None => Ok(None),
    });
    let order = order.await?.ok_or(ErrorCode::NotFound)?;
    if order.device == seat.device {
        Ok(())
    } else {
        Err(ErrorCode::AttemptElsewhere.into())
    }
}

async fn answer(
    server: &Server,
    tenant: TenantId,
    id: AttemptId,
) -> Result<AttemptAnswer, Failure> {
    let found = read_books(server, move |ledger| {
        let Some(attempt) = ledger.attempt(tenant, id)? else {
            return Ok(None);
        };
        let Some(order) = ledger.order(tenant, attempt.order)? else {
            return Ok(None);
        };
        let settlement = settlement(ledger, tenant, order.id)?;
        Ok(Some((attempt, order, settlement)))
    })
    .await?;
    let (attempt, order, settlement) = found.ok_or(ErrorCode::NotFound)?;
    Ok(AttemptAnswer {
        attempt: (&attempt).into(),
        order: (&order).into(),
        settlement,
        server_time_ms: server.now().ms(),
    })
}
