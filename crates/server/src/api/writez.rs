//! `GET /writez`.

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use axum::routing::{MethodRouter, get};
use qiantai_core::ids::TenantId;
use qiantai_wire::{ApiError, ErrorCode};
use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

use super::auth::Passer;
use super::failure::Failure;
use super::request::query;
use crate::embedded::Server;

/// The same for an address that terminals do not reach.
pub(crate) fn route() -> MethodRouter<Server> {
    get(read)
}

/// Whose books are meant.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Whose {
    /// A tenant; every tenant with books here if none is said.
    tenant: Option<Uuid>,
}

/// Whether this process writes the books: of several servers on one database, the one to which a
/// balancer sends terminals. Tells nothing else, and asks for no token.
#[utoipa::path(
    get,
    path = "/writez",
    params(Whose),
    responses(
        (status = 200, description = "It serves, and writes them", body = String,
            content_type = "text/plain"),
        (status = 503, description = "It does not serve, or another one writes them",
            body = String, content_type = "text/plain"),
        (status = "default", description = "No such books, or no question", body = ApiError)
    )
)]
pub(super) async fn read(
    State(server): State<Server>,
    _: Passer,
    whose: Result<Query<Whose>, QueryRejection>,
) -> Result<impl IntoResponse, impl IntoResponse> {
    let tenant = query(whose)?.tenant.map(TenantId);
    if tenant.is_some_and(|tenant| !server.has_books(tenant)) {
        return Err(Failure::from(ErrorCode::NotFound));
    }
    let writes = tokio::task::spawn_blocking(move || server.is_writer(tenant)).await;
    let writes = writes.map_err(|error| Failure::logged(ErrorCode::Internal, &error))?;
    Ok(if writes {
        (StatusCode::OK, "writes\n")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "does not write\n")
    })
}
