//! A server in the same process, called without a socket.

use std::convert::Infallible;
use std::fmt;
use std::marker::PhantomData;

use async_trait::async_trait;
use bytes::Bytes;
use futures::{StreamExt, TryStreamExt};
use http::{Request, Response};
use http_body::Body;
use http_body_util::{BodyExt, Limited};
use tower::{Service, ServiceExt};

use super::{ANSWER_MAX, ByteStream, Transport, TransportError};

/// Calls a service, such as an axum router, with bodies of type `B`.
pub struct InProcessTransport<S, B> {
    service: S,
    body: PhantomData<fn(B)>,
}

impl<S, B> InProcessTransport<S, B> {
    /// A transport to `service`, which is cloned for each request.
    pub fn new(service: S) -> InProcessTransport<S, B> {
        InProcessTransport {
            service,
            body: PhantomData,
        }
    }
}

impl<S, B> fmt::Debug for InProcessTransport<S, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("InProcessTransport")
    }
}

impl<S, B> InProcessTransport<S, B>
where
    S: Service<Request<B>, Error = Infallible> + Clone + Sync,
    B: From<Bytes>,
{
    async fn call(&self, request: Request<Bytes>) -> S::Response {
        match self.service.clone().oneshot(request.map(B::from)).await {
            Ok(response) => response,
        }
    }
}

#[async_trait]
impl<S, B, R> Transport for InProcessTransport<S, B>
where
    S: Service<Request<B>, Response = Response<R>, Error = Infallible>
        + Clone
        + Send
        + Sync
        + 'static,
    S::Future: Send,
    B: From<Bytes> + Send + 'static,
    R: Body<Data = Bytes> + Send + 'static,
    R::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
        let (head, body) = self.call(request).await.into_parts();
        let whole = Limited::new(body, ANSWER_MAX)
            .collect()
            .await
            .map_err(|error| {
                if error.is::<http_body_util::LengthLimitError>() {
                    TransportError::TooLong
                } else {
                    TransportError::Interrupted
                }
            })?;
        Ok(Response::from_parts(head, whole.to_bytes()))
    }

    async fn stream(
        &self,
        request: Request<Bytes>,
    ) -> Result<Response<ByteStream>, TransportError> {
        let response = self.call(request).await;
        Ok(response.map(|body| {
            body.into_data_stream()
                .map_err(|_| TransportError::Interrupted)
                .boxed()
        }))
    }
}
