//! What is sent for one call of ours, request after request.

use std::sync::Arc;

use bytes::Bytes;
use http::StatusCode;

use crate::answer::UnknownCause;
use crate::channel::ChannelId;
use crate::transport::{HttpTransport, TransportError};

/// The requests of one call, and the only place that says [`UnknownCause::NotSent`].
///
/// On that word a payment code is charged again, so it must be true of the whole call: once a
/// request about the payment has left, none that follows can say it.
pub(super) struct Errand<'a> {
    channel: ChannelId,
    transport: &'a Arc<dyn HttpTransport>,
    has_left: bool,
}

impl<'a> Errand<'a> {
    /// Nothing has left yet. One for each call, however many requests it takes.
    pub(super) fn new(channel: ChannelId, transport: &'a Arc<dyn HttpTransport>) -> Errand<'a> {
        Errand {
            channel,
            transport,
            has_left: false,
        }
    }

    /// Sends a request about the payment. Every status is an answer.
    pub(super) async fn send(
        &mut self,
        call: &str,
        request: http::Request<Bytes>,
    ) -> Result<http::Response<Bytes>, UnknownCause> {
        let answer = self.prepare(call, request).await;
        self.has_left |= !matches!(answer, Err(UnknownCause::NotSent));
        answer
    }

    /// Sends a request that moves no money, whatever becomes of it: for a key or a certificate.
    pub(super) async fn prepare(
        &self,
        call: &str,
        request: http::Request<Bytes>,
    ) -> Result<http::Response<Bytes>, UnknownCause> {
        self.transport.send(request).await.map_err(|error| {
            tracing::warn!(channel = %self.channel, call, %error, "gateway call without an answer");
            match error {
                TransportError::NotSent => self.not_sent(),
                TransportError::Timeout => UnknownCause::Timeout,
                TransportError::Broken => UnknownCause::Broken,
            }
        })
    }

    /// What it is to this call that a request did not leave.
    pub(super) fn not_sent(&self) -> UnknownCause {
        match self.has_left {
            true => UnknownCause::Broken,
            false => UnknownCause::NotSent,
        }
    }
}

/// An answer's headers and body if its status is 200. Anything else says nothing certain about
/// money.
pub(super) fn ok(answer: http::Response<Bytes>) -> Result<http::Response<Bytes>, UnknownCause> {
    match answer.status() {
        StatusCode::OK => Ok(answer),
        StatusCode::TOO_MANY_REQUESTS => Err(UnknownCause::Busy),
        status if status.is_server_error() => Err(UnknownCause::GatewayFault(status.as_u16())),
        status => Err(UnknownCause::Unreadable(format!("status {status}"))),
    }
}
