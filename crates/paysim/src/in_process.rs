//! Calling a router without a socket.

use std::time::Duration;

use async_trait::async_trait;
use axum::Router;
use axum::body::{Body, to_bytes};
use bytes::Bytes;
use qiantai_pay::transport::{HttpTransport, TransportError};
use tower::ServiceExt;

const ANSWER_BYTES_MAX: usize = 1024 * 1024;

/// A transport that hands each request to a router of the same process, whatever its host.
#[derive(Clone)]
pub struct RouterTransport {
    router: Router,
    patience: Duration,
}

impl RouterTransport {
    /// Waits at most `patience` for each answer.
    pub fn new(router: Router, patience: Duration) -> RouterTransport {
        RouterTransport { router, patience }
    }
}

#[async_trait]
impl HttpTransport for RouterTransport {
    async fn send(
        &self,
        request: http::Request<Bytes>,
    ) -> Result<http::Response<Bytes>, TransportError> {
        let exchange = async {
            let answer = match self.router.clone().oneshot(request.map(Body::from)).await {
                Ok(answer) => answer,
                Err(never) => match never {},
            };
            let (head, body) = answer.into_parts();
            let body = to_bytes(body, ANSWER_BYTES_MAX)
                .await
                .map_err(|_| TransportError::Broken)?;
            Ok(http::Response::from_parts(head, body))
        };
        tokio::time::timeout(self.patience, exchange)
            .await
            .unwrap_or(Err(TransportError::Timeout))
    }
}
