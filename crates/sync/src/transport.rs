//! How requests reach the server: over HTTP, or by calling the router of a server in the same
//! process. Nothing above this folder can tell the difference.

mod following;
mod http;
mod in_process;
mod pinned;
mod trust;

pub use self::following::FollowingTransport;
pub use self::http::HttpTransport;
pub use self::in_process::InProcessTransport;
pub use self::trust::{Trust, introduce};

use ::http::{Request, Response};
use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::BoxStream;
use thiserror::Error;

/// A body that arrives bit by bit.
pub type ByteStream = BoxStream<'static, Result<Bytes, TransportError>>;

/// Largest answer that is read into memory, in bytes.
pub const ANSWER_MAX: usize = 32 << 20;

/// A way to the server. Requests carry a path and query, no host.
#[async_trait]
pub trait Transport: Send + Sync + 'static {
    /// Sends a request and waits for the whole answer, whatever its status.
    ///
    /// # Errors
    /// No answer came; see [`TransportError`] for what that says about the request.
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, TransportError>;

    /// Sends a request whose answer has no end. The stream ends with an error when the
    /// connection breaks or stays silent for too long.
    ///
    /// # Errors
    /// No answer came.
    async fn stream(&self, request: Request<Bytes>)
    -> Result<Response<ByteStream>, TransportError>;
}

/// Why no answer came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum TransportError {
    /// The request never left; the server has not seen it.
    #[error("the server cannot be reached")]
    NotSent,
    /// What answers there cannot prove that it is the server; nothing was sent to it.
    #[error("what answers at the server's address is not the server; nothing was sent")]
    Untrusted,
    /// The connection broke; the server may have done it.
    #[error("the connection broke before the answer")]
    Interrupted,
    /// No answer in time; the server may have done it.
    #[error("no answer in time")]
    Timeout,
    /// The answer is longer than [`ANSWER_MAX`].
    #[error("the answer is too long")]
    TooLong,
}
