//! `POST /v1/notify/{channel}`: notices of gateways. They come late, repeatedly, out of order,
//! forged, or never.

use axum::body::Body as HttpBody;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use qiantai_pay::{Notice, NoticeReceipt, PaymentNotice};
use qiantai_wire::{ApiError, ErrorCode};

use super::failure::Failure;
use super::request::{Raw, read};
use crate::embedded::Server;
use crate::engine::success;

/// Takes a notice. Only one whose signature holds is believed, and it is written before the
/// gateway is told so.
#[utoipa::path(
    post,
    path = "/v1/notify/{channel}",
    params(("channel" = String, Path, description = "Name of the gateway")),
    request_body(
        content = String,
        content_type = "application/octet-stream",
        description = "In the gateway's own form"
    ),
    responses(
        (status = "default", description = "In the gateway's own form", body = ApiError)
    )
)]
pub(super) async fn take(
    State(server): State<Server>,
    path: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
    Raw(body): Raw,
) -> Result<Response, Failure> {
    let Path(name) = path.map_err(|_| ErrorCode::BadRequest)?;
    let channels = server.0.engine.channels();
    let channel = channels.named(&name).ok_or(ErrorCode::NotFound)?;
    let receipt = match channel.parse_notice(&headers, &body) {
        Ok(Notice::Payment(notice)) => apply(&server, &name, notice).await?,
        // A refund that was accepted is asked about until it ends; its notice adds nothing.
        Ok(Notice::Refund(_) | Notice::Other(_)) => NoticeReceipt::Taken,
        Err(error) => {
            tracing::warn!(%error, channel = %name, "a notice was not believed");
            NoticeReceipt::Refused
        }
    };
    Ok(channel.notice_response(receipt).map(HttpBody::from))
}

/// An attempt that is not known here may be known later, after a backup was restored: the
/// gateway is asked to come again.
async fn apply(
    server: &Server,
    name: &str,
    notice: PaymentNotice,
) -> Result<NoticeReceipt, Failure> {
    let number = notice.attempt_no.clone();
    let found = read(server, move |ledger| ledger.attempt_of_number(&number)).await?;
    let Some((tenant, attempt)) = found else {
        tracing::warn!(channel = %name, attempt = %notice.attempt_no, "a notice without attempt");
        return Ok(NoticeReceipt::Refused);
    };
    let expected = server.0.engine.channels().of(attempt.channel);
    if expected.is_none_or(|channel| channel.id().0 != name) {
        tracing::warn!(channel = %name, attempt = %notice.attempt_no, "a notice from elsewhere");
        return Ok(NoticeReceipt::Refused);
    }
    let outcome = success(notice.paid);
    server.0.engine.hear(tenant, &attempt, outcome).await?;
    Ok(NoticeReceipt::Taken)
}
