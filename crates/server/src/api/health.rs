//! `GET /v1/health`.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use qiantai_wire::ApiError;
use qiantai_wire::api::{HealthAnswer, PROTOCOL_VERSION};

use super::auth::Passer;
use crate::embedded::Server;

/// Whether the server serves; asks its books, not only its process.
#[utoipa::path(
    get,
    path = "/v1/health",
    responses(
        (status = 200, description = "It serves", body = HealthAnswer),
        (status = 503, description = "It starts, stops, or a writer stands", body = HealthAnswer),
        (status = 429, description = "Asked too often", body = ApiError)
    )
)]
pub(super) async fn read(
    State(server): State<Server>,
    _: Passer,
) -> (StatusCode, Json<HealthAnswer>) {
    let asked = server.clone();
    let ready = tokio::task::spawn_blocking(move || asked.is_ready())
        .await
        .unwrap_or(false);
    let status = if ready {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    let answer = HealthAnswer {
        ready,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        protocol: PROTOCOL_VERSION,
        server_time_ms: server.now().ms(),
    };
    (status, Json(answer))
}
