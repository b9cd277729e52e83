//! `POST /v1/notify/{channel}`: notices of gateways. They come late, repeatedly, out of order,
//! forged, or never.

use axum::body::Body as HttpBody;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use qiantai_core::attempt::PaymentAttempt;
use qiantai_core::ids::TenantId;
use qiantai_core::number_text::is_number_text;
use qiantai_pay::{ChannelId, ElsewhereNotice, Notice, NoticeReceipt, PaymentNotice, RefundNotice};
use qiantai_wire::{ApiError, ErrorCode};

use super::auth::Gateway;
use super::failure::Failure;
use super::request::{Raw, read};
use crate::embedded::Server;

/// Takes a notice. Only one whose signature holds is believed, of a gateway whose notices name no
/// merchant only what our own query confirms, and it is written before the gateway is told so.
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
    _: Gateway,
    path: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
    Raw(body): Raw,
) -> Result<Response, Failure> {
    let Path(name) = path.map_err(|_| ErrorCode::BadRequest)?;
    let channels = server.0.engine.channels();
    let channel = channels.named(&name).ok_or(ErrorCode::NotFound)?;
    let receipt = match channel.parse_notice(&headers, &body) {
        Ok(notice) if !is_to_be_kept(&notice) => {
            tracing::warn!(channel = %name, "a notice with a number that is none");
            NoticeReceipt::Refused
        }
        Ok(Notice::Payment(notice)) => apply(&server, &name, notice).await?,
        Ok(Notice::Hint(notice)) => apply_hint(&server, channel.id(), notice).await?,
        Ok(Notice::PaidElsewhere(notice)) => apply_elsewhere(&server, &name, notice).await?,
        Ok(Notice::Refund(notice)) => apply_refund(&server, &name, notice).await?,
        Ok(Notice::Other(_)) => NoticeReceipt::Taken,
        Err(error) => {
            tracing::warn!(%error, channel = %name, "a notice was not believed");
            NoticeReceipt::Refused
        }
    };
    Ok(channel.notice_response(&body, receipt).map(HttpBody::from))
}

/// What goes into the books or is looked for there.
fn is_to_be_kept(notice: &Notice) -> bool {
    let [ours, theirs] = match notice {
        Notice::Payment(notice) | Notice::Hint(notice) => {
            [&notice.attempt_no, &notice.paid.channel_txn_no]
        }
        Notice::PaidElsewhere(notice) => [&notice.attempt_no, &notice.channel_txn_no],
        Notice::Refund(notice) => [&notice.attempt_no, &notice.refund_no],
        Notice::Other(_) => return true,
    };
    is_number_text(ours) && is_number_text(theirs)
}

async fn apply(
    server: &Server,
    name: &str,
    notice: PaymentNotice,
) -> Result<NoticeReceipt, Failure> {
    let Some((tenant, attempt)) = attempt_of(server, name, &notice.attempt_no).await? else {
        return Ok(NoticeReceipt::Refused);
    };
    let engine = &server.0.engine;
    engine.hear_paid(tenant, &attempt, notice.paid).await?;
    Ok(NoticeReceipt::Taken)
}

/// Nothing binds the notice to us, so it is kept, and the gateway is asked.
async fn apply_hint(
    server: &Server,
    from: ChannelId,
    notice: PaymentNotice,
) -> Result<NoticeReceipt, Failure> {
    let Some((tenant, attempt)) = attempt_of(server, from.0, &notice.attempt_no).await? else {
        return Ok(NoticeReceipt::Refused);
    };
    let engine = &server.0.engine;
    Ok(engine.hear_hint(tenant, from, &attempt, &notice).await?)
}

/// The gateway says that somebody else was paid, or paid back, under our number. A person looks at it; the
/// gateway need not come again.
async fn apply_elsewhere(
    server: &Server,
    name: &str,
    notice: ElsewhereNotice,
) -> Result<NoticeReceipt, Failure> {
    let Some((tenant, attempt)) = attempt_of(server, name, &notice.attempt_no).await? else {
        return Ok(NoticeReceipt::Refused);
    };
    let engine = &server.0.engine;
    engine.hear_elsewhere(tenant, &attempt, notice).await?;
    Ok(NoticeReceipt::Taken)
}

async fn apply_refund(
    server: &Server,
    name: &str,
    notice: RefundNotice,
) -> Result<NoticeReceipt, Failure> {
    let Some((tenant, attempt)) = attempt_of(server, name, &notice.attempt_no).await? else {
        return Ok(NoticeReceipt::Refused);
    };
    let engine = &server.0.engine;
    engine.hear_refund(tenant, &attempt, &notice).await?;
    Ok(NoticeReceipt::Taken)
}

/// The attempt that a notice of the gateway `name` speaks of. One that is not known here may be
/// known later, after a backup was restored: then the gateway is asked to come again.
async fn attempt_of(
    server: &Server,
    name: &str,
    attempt_no: &str,
) -> Result<Option<(TenantId, PaymentAttempt)>, Failure> {
    let number = attempt_no.to_owned();
    let found = read(server, move |ledger| ledger.attempt_of_number(&number)).await?;
    let Some((tenant, attempt)) = found else {
        tracing::warn!(channel = %name, attempt = %attempt_no, "a notice without attempt");
        return Ok(None);
    };
    let expected = server.0.engine.channels().of(attempt.channel);
    if expected.is_none_or(|channel| channel.id().0 != name) {
        tracing::warn!(channel = %name, attempt = %attempt_no, "a notice from elsewhere");
        return Ok(None);
    }
    Ok(Some((tenant, attempt)))
}
