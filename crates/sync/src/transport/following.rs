//! To the server that writes the books. Of several on one database one writes; the others refuse
//! what must be written and name it (docs: adr 0017).

use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use futures::{StreamExt, TryStreamExt, stream};
use http::{Request, Response, StatusCode};
use qiantai_wire::{ApiError, ErrorCode};

use super::{ByteStream, HttpTransport, Transport, TransportError};

/// How many servers are asked for one request: the one that is followed, the one that it names, the
/// enrolled one, and the one that this names.
const ASKED_MAX: usize = 4;

/// Longest refusal that is read for an address, in bytes.
const REFUSAL_MAX: usize = 1 << 16;

/// Goes to the enrolled server, and from there to the one that it names as the writer, until the
/// enrolled one answers again: one lost answer is no reason to forget the only server that is there.
/// Nothing of it outlives the process: the enrolled address is the way back.
///
/// A server that is followed proves itself as the enrolled one does, and in no weaker way.
#[derive(Debug)]
pub struct FollowingTransport {
    enrolled: HttpTransport,
    way: Mutex<Way>,
}

/// Where the next request begins.
#[derive(Clone, Debug, Default)]
struct Way {
    /// The last server that answered in the enrolled one's place.
    followed: Option<HttpTransport>,
    /// It gave no answer: the enrolled one is asked before it.
    is_silent: bool,
}

/// An answer, and who writes the books if whoever gave it does not.
type Answered<B> = (Response<B>, Option<String>);

impl FollowingTransport {
    /// Begins at the enrolled server.
    pub fn new(enrolled: HttpTransport) -> FollowingTransport {
        FollowingTransport {
            enrolled,
            way: Mutex::default(),
        }
    }

    /// Asks until somebody answers who does not name another. A request is given to the next one only
    /// where the one before has not done it: it said so, or it was not reached.
    async fn ask<B, F>(
        &self,
        call: impl Fn(HttpTransport) -> F + Send,
    ) -> Result<Response<B>, TransportError>
    where
        F: Future<Output = Result<Answered<B>, TransportError>> + Send,
        B: Send,
    {
        let Way {
            followed,
            is_silent,
        } = self.way().clone();
        let first = followed.clone().filter(|_| !is_silent);
        let mut at = first.unwrap_or_else(|| self.enrolled.clone());
        let mut asked = Vec::new();
        let mut refused = None;
        let mut is_home_heard = false;
        loop {
            asked.push(at.base_url().to_owned());
            let (end, named) = match call(at.clone()).await {
                Ok((answer, None)) => {
                    self.stay_at(Some(at));
                    return Ok(answer);
                }
                Ok((answer, named)) => {
                    refused = Some(answer);
                    is_home_heard |= at.base_url() == self.enrolled.base_url();
                    (None, named)
                }
                Err(error @ (TransportError::NotSent | TransportError::Untrusted)) => {
                    (Some(error), None)
                }
                Err(error) => {
                    self.fell_silent(&at, is_home_heard);
                    return Err(error);
                }
            };
            let named = named.and_then(|address| self.named(&address));
            let known = [Some(self.enrolled.clone()), followed.clone()];
            let mut next = named.into_iter().chain(known.into_iter().flatten());
            let next = next.find(|next| !asked.iter().any(|asked| asked == next.base_url()));
            match next {
                Some(next) if asked.len() < ASKED_MAX => at = next,
                _ => {
                    if is_home_heard {
                        self.stay_at(None);
                    }
                    return match (refused, end) {
                        // Somebody was there: another try later may find the writer.
                        (Some(refusal), _) => Ok(refusal),
                        (None, end) => Err(end.unwrap_or(TransportError::NotSent)),
                    };
                }
            }
        }
    }

    /// The way to an address that a server named; `None` where nothing may be sent to it.
    fn named(&self, address: &str) -> Option<HttpTransport> {
        match self.enrolled.at(address) {
            Ok(named) => {
                tracing::info!(address, "another server writes these books");
                Some(named)
            }
            Err(error) => {
                tracing::warn!(%error, address, "not a place to follow to");
                None
            }
        }
    }

    fn way(&self) -> MutexGuard<'_, Way> {
        self.way.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn stay_at(&self, at: Option<HttpTransport>) {
        let followed = at.filter(|at| at.base_url() != self.enrolled.base_url());
        *self.way() = Way {
            followed,
            is_silent: false,
        };
    }

    /// What was asked may have been done, and is asked of nobody else; the next request begins at
    /// another one.
    fn fell_silent(&self, at: &HttpTransport, is_home_heard: bool) {
        if is_home_heard {
            return self.stay_at(None);
        }
        self.way().is_silent = at.base_url() != self.enrolled.base_url();
    }
}

#[async_trait]
impl Transport for FollowingTransport {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
        self.ask(|at| {
            let request = request.clone();
            async move {
                let answer = at.send(request).await?;
                let writer = writer(answer.status(), answer.body());
                Ok((answer, writer))
            }
        })
        .await
    }

    async fn stream(
        &self,
        request: Request<Bytes>,
    ) -> Result<Response<ByteStream>, TransportError> {
        self.ask(|at| {
            let request = request.clone();
            async move {
                let answer = at.stream(request).await?;
                if answer.status() != StatusCode::MISDIRECTED_REQUEST {
                    return Ok((answer, None));
                }
                let (head, mut chunks) = answer.into_parts();
                let mut body = BytesMut::new();
                while let Some(chunk) = chunks.try_next().await? {
                    if body.len() + chunk.len() > REFUSAL_MAX {
                        return Err(TransportError::TooLong);
                    }
                    body.extend_from_slice(&chunk);
                }
                let writer = writer(head.status, &body);
                let body = stream::once(async { Ok(body.freeze()) }).boxed();
                Ok((Response::from_parts(head, body), writer))
            }
        })
        .await
    }
}

/// Who writes the books, by the refusal of one that does not.
fn writer(status: StatusCode, body: &[u8]) -> Option<String> {
    if status != StatusCode::MISDIRECTED_REQUEST || body.len() > REFUSAL_MAX {
        return None;
    }
    let refusal: ApiError = serde_json::from_slice(body).ok()?;
    let is_elsewhere = refusal.error_code() == Some(ErrorCode::WrittenElsewhere);
    // Without an address it is still one that did nothing.
    let address = refusal.params.get("address").cloned().unwrap_or_default();
    is_elsewhere.then_some(address)
}
