//! `GET /writez`.

use axum::extract::{Query, State};
use axum::http::StatusCode;
use qiantai_core::ids::TenantId;
use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

use crate::embedded::Server;

/// Whose books are meant.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Whose {
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
            body = String, content_type = "text/plain")
    )
)]
pub(crate) async fn read(
    State(server): State<Server>,
    Query(whose): Query<Whose>,
) -> (StatusCode, &'static str) {
    let tenant = whose.tenant.map(TenantId);
    let writes = tokio::task::spawn_blocking(move || server.is_writer(tenant)).await;
    match writes {
        Ok(true) => (StatusCode::OK, "writes\n"),
        _ => (StatusCode::SERVICE_UNAVAILABLE, "does not write\n"),
    }
}
