//! `GET /v1/orders/{id}`.

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use qiantai_core::ids::{OrderId, TenantId};
use qiantai_wire::api::OrderAnswer;
use qiantai_wire::operation::Kind;
use qiantai_wire::text::Base64;
use qiantai_wire::{ApiError, ErrorCode};
use uuid::Uuid;

use super::auth::Seated;
use super::failure::Failure;
use super::request::{self, read as read_books};
use crate::db::{Ledger, LedgerError};
use crate::embedded::Server;

/// An order with its attempts.
#[utoipa::path(
    get,
    path = "/v1/orders/{id}",
    params(("id" = Uuid, Path, description = "The order")),
    responses(
        (status = 200, description = "The order", body = OrderAnswer),
        (status = "default", description = "No answer", body = ApiError)
    ),
    security(("device" = []))
)]
pub(super) async fn read(
    State(server): State<Server>,
    Seated(seat): Seated,
    path: Result<Path<Uuid>, PathRejection>,
) -> Result<Json<OrderAnswer>, Failure> {
    let id = OrderId(request::id(path)?);
    let tenant = seat.tenant;
    let found = read_books(&server, move |ledger| {
        let Some(order) = ledger.order(tenant, id)? else {
            return Ok(None);
        };
        let attempts = ledger.attempts_of_order(tenant, id)?;
        Ok(Some((order, attempts, settlement(ledger, tenant, id)?)))
    })
    .await?;
    let (order, attempts, settlement) = found.ok_or(ErrorCode::NotFound)?;
    Ok(Json(OrderAnswer {
        order: (&order).into(),
        attempts: attempts.iter().map(Into::into).collect(),
        settlement,
        server_time_ms: server.now().ms(),
    }))
}

/// The server's own word that credited the order: what the gateway said, or that a person let it
/// be credited later. Money that a terminal took is settled by that terminal's word.
pub(super) fn settlement(
    ledger: &dyn Ledger,
    tenant: TenantId,
    order: OrderId,
) -> Result<Option<Base64>, LedgerError> {
    let row = ledger.settlement_of(tenant, order)?;
    let own = [Kind::AttemptResult, Kind::CreditRetry].map(Kind::number);
    let row = row.filter(|row| own.contains(&row.kind));
    Ok(row.map(|row| Base64(row.bytes)))
}
