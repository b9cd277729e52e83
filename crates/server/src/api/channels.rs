//! `GET /v1/channels`: which channels can be paid through now.

use axum::Json;
use axum::extract::State;
use qiantai_wire::ApiError;
use qiantai_wire::api::ChannelsAnswer;

use super::auth::Seated;
use crate::embedded::Server;

/// How every channel stands. Told as the event `channels` too: first thing after `hello`, and at
/// each change.
#[utoipa::path(
    get,
    path = "/v1/channels",
    responses(
        (status = 200, description = "The channels", body = ChannelsAnswer),
        (status = "default", description = "No answer", body = ApiError)
    ),
    security(("device" = []))
)]
pub(super) async fn read(
    State(server): State<Server>,
    Seated(_seat): Seated,
) -> Json<ChannelsAnswer> {
    Json(server.0.engine.standings())
}
