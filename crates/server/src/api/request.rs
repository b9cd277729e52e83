//! Reading requests, and the time they may take.

use std::time::Duration;

use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{FromRequest, Path, Query, Request};
use axum::http::StatusCode;
use axum::http::header::CONTENT_LENGTH;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use qiantai_wire::ErrorCode;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use super::BODY_BYTES_MAX;
use super::failure::Failure;
use crate::db::{Ledger, LedgerError};
use crate::embedded::Server;

/// Longest time of a request. A query waits for a gateway, which gives up before.
const REQUEST_TIME_MAX: Duration = Duration::from_secs(30);

/// A JSON body; what does not fit is `bad_request`, with the place in the text.
pub(super) struct Body<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, state: &S) -> Result<Body<T>, Failure> {
        let bytes = raw_body(request, state).await?;
        parsed(&bytes).map(Body)
    }
}

/// What a body says.
pub(super) fn parsed<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Failure> {
    serde_json::from_slice(bytes).map_err(|error| {
        Failure::from(ErrorCode::BadRequest)
            .with("line", error.line())
            .with("column", error.column())
    })
}

/// The bytes of a body.
pub(super) struct Raw(pub(super) Bytes);

impl<S: Send + Sync> FromRequest<S> for Raw {
    type Rejection = Failure;

    async fn from_request(request: Request, state: &S) -> Result<Raw, Failure> {
        raw_body(request, state).await.map(Raw)
    }
}

async fn raw_body<S: Send + Sync>(request: Request, state: &S) -> Result<Bytes, Failure> {
    // Told before it comes: nothing of it needs to be sent.
    let announced = request.headers().get(CONTENT_LENGTH);
    let announced = announced.and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    if announced.is_some_and(|length| length > BODY_BYTES_MAX) {
        return Err(ErrorCode::TooLarge.into());
    }
    Bytes::from_request(request, state)
        .await
        .map_err(|rejection| {
            if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
                Failure::from(ErrorCode::TooLarge)
            } else {
                Failure::from(ErrorCode::BadRequest)
            }
        })
}

/// The query of an address.
pub(super) fn query<T>(query: Result<Query<T>, QueryRejection>) -> Result<T, Failure> {
    match query {
        Ok(Query(query)) => Ok(query),
        Err(_) => Err(ErrorCode::BadRequest.into()),
    }
}

/// The identity in an address.
pub(super) fn id(path: Result<Path<Uuid>, PathRejection>) -> Result<Uuid, Failure> {
    match path {
        Ok(Path(id)) => Ok(id),
        Err(_) => Err(ErrorCode::BadRequest.into()),
    }
}

/// Reads the books on a blocking thread.
pub(super) async fn read<T: Send + 'static>(
    server: &Server,
    query: impl FnOnce(&dyn Ledger) -> Result<T, LedgerError> + Send + 'static,
) -> Result<T, Failure> {
    let ledger = std::sync::Arc::clone(&server.0.ledger);
    let answer = tokio::task::spawn_blocking(move || query(ledger.as_ref())).await;
    let answer = answer.map_err(|error| LedgerError::Failed(error.to_string()))?;
    Ok(answer?)
}

/// Answers `timeout` when a request takes too long.
pub(super) async fn limit_time(request: Request, next: Next) -> Response {
    match tokio::time::timeout(REQUEST_TIME_MAX, next.run(request)).await {
        Ok(response) => response,
        Err(_) => Failure::from(ErrorCode::Timeout).into_response(),
    }
}
