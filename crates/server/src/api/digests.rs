//! `GET /v1/digests` and `GET /v1/buckets/{bucket}`: whether a replica shows what the books hold,
//! and what they hold where it does not.

use std::sync::Arc;

use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::{Extension, Json};
use qiantai_wire::api::{BucketAnswer, DIGEST_VERSION, DigestsAnswer, DigestsQuery};
use qiantai_wire::feed::{AccountDto, CursorDto};
use qiantai_wire::{ApiError, ErrorCode};

use super::auth::Seated;
use super::failure::Failure;
use super::request::read as read_books;
use crate::db::{Head, Ledger};
use crate::embedded::Server;
use crate::limits::Limiters;

/// What the accounts come to, bucket by bucket.
#[utoipa::path(
    get,
    path = "/v1/digests",
    params(DigestsQuery),
    responses(
        (status = 200, description = "The digests, as of one moment", body = DigestsAnswer),
        (status = "default", description = "No digests", body = ApiError)
    ),
    security(("device" = []))
)]
pub(super) async fn read(
    State(server): State<Server>,
    Seated(seat): Seated,
    limiters: Option<Extension<Arc<Limiters>>>,
    query: Result<Query<DigestsQuery>, QueryRejection>,
) -> Result<Json<DigestsAnswer>, Failure> {
    let Query(DigestsQuery { version }) = query.map_err(|_| ErrorCode::BadRequest)?;
    let version = match version {
        None => 1,
        Some(0) => return Err(ErrorCode::BadRequest.into()),
        Some(version) => version.min(DIGEST_VERSION),
    };
    if let Some(Extension(limiters)) = limiters {
        limiters.scan(seat.device).map_err(Failure::wait)?;
    }
    let scans = server.0.scans.acquire().await;
    let _one_of_few = scans.map_err(|_| ErrorCode::Busy)?;
    let tenant = seat.tenant;
    let digests = move |ledger: &dyn Ledger| ledger.bucket_digests(tenant, version);
    let (head, buckets) = read_books(&server, digests).await?;
    Ok(Json(DigestsAnswer {
        cursor: cursor(head),
        version,
        buckets,
    }))
}

/// Every account of a bucket, for a terminal whose digest of it is another. It is counted and
/// stands in the log: a replica that drifts has a cause.
#[utoipa::path(
    get,
    path = "/v1/buckets/{bucket}",
    params(("bucket" = u8, Path, description = "Last byte of the ids of its members")),
    responses(
        (status = 200, description = "The accounts, as of one moment", body = BucketAnswer),
        (status = "default", description = "No accounts", body = ApiError)
    ),
    security(("device" = []))
)]
pub(super) async fn bucket(
    State(server): State<Server>,
    Seated(seat): Seated,
    path: Result<Path<u8>, PathRejection>,
) -> Result<Json<BucketAnswer>, Failure> {
    let Path(bucket) = path.map_err(|_| ErrorCode::BadRequest)?;
    tracing::warn!(device = %seat.device, bucket, "a replica has drifted");
    server.0.metrics.drifted();
    let tenant = seat.tenant;
    let (head, accounts) = read_books(&server, move |ledger| ledger.bucket(tenant, bucket)).await?;
    Ok(Json(BucketAnswer {
        cursor: cursor(head),
        accounts: accounts.iter().map(AccountDto::from).collect(),
    }))
}

fn cursor(head: Head) -> CursorDto {
    CursorDto {
        timeline: head.timeline,
        server_seq: head.server_seq,
    }
}
