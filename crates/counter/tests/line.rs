//! The line between a terminal and the server, which can be cut.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use axum::body::Body;
use bytes::Bytes;
use futures::{StreamExt, stream};
use http::{Request, Response};
use qiantai_server::Server;
use qiantai_sync::Transport;
use qiantai_sync::transport::{ByteStream, InProcessTransport, TransportError};
use qiantai_wire::api::{OpResultDto, PushAnswer, PushHalt, PushRequest};
use qiantai_wire::feed::{CursorDto, OutcomeDto};
use qiantai_wire::text::Hex;
use qiantai_wire::{ApiError, ErrorCode};
use tokio::runtime::Handle;
use tokio::sync::watch;

/// How the line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weather {
    /// Everything goes through.
    Fair,
    /// Nothing goes through.
    Cut,
    /// The server does what it is asked, and no answer comes back.
    LosesAnswers,
    /// The server does what it is asked, and its answers wait for other weather.
    HoldsAnswers,
}

impl Weather {
    fn carries_requests(self) -> bool {
        matches!(self, Weather::Fair | Weather::HoldsAnswers)
    }
}

/// What somebody between the terminal and the server says in the server's place.
#[derive(Clone, Debug)]
pub enum Verdict {
    /// Every request is refused.
    Error(ErrorCode),
    /// Every operation is taken over with this outcome, and posted nowhere.
    Outcome(OutcomeDto),
    /// The log of this terminal is empty there, as on a server restored from an old backup.
    Lacks,
    /// Requests whose path begins with this get no answer.
    Deaf(&'static str),
}

/// The line. The server's work runs on its own runtime, so that it ends even if the terminal
/// that asked for it dies.
pub struct Line {
    server: Arc<dyn Transport>,
    weather: watch::Sender<Weather>,
    verdict: Mutex<Option<Verdict>>,
    at_the_server: Handle,
}

impl Line {
    pub fn to(server: &Server) -> Arc<Line> {
        Arc::new(Line {
            server: Arc::new(InProcessTransport::<_, Body>::new(server.router())),
            weather: watch::Sender::new(Weather::Fair),
            verdict: Mutex::new(None),
            at_the_server: Handle::current(),
        })
    }

    pub fn set(&self, weather: Weather) {
        self.weather.send_replace(weather);
    }

    /// From now on `verdict` comes in place of the server's answer; `None` lets it speak again.
    pub fn judge(&self, verdict: Option<Verdict>) {
        *self.verdict.lock().unwrap() = verdict;
    }

    fn judged(&self, request: &Request<Bytes>) -> Option<Result<Response<Bytes>, TransportError>> {
        let verdict = self.verdict.lock().unwrap().clone()?;
        let path = request.uri().path();
        match verdict {
            Verdict::Error(code) => {
                let body = serde_json::to_vec(&ApiError::new(code)).unwrap();
                let answer = Response::builder().status(403).body(body.into());
                Some(Ok(answer.unwrap()))
            }
            Verdict::Deaf(prefix) => path
                .starts_with(prefix)
                .then_some(Err(TransportError::Interrupted)),
            Verdict::Outcome(outcome) => {
                (path == "/v1/operations").then(|| answer(&taken_with(&outcome, request.body())))
            }
            Verdict::Lacks => (path == "/v1/operations").then(|| {
                let taken = taken_with(&OutcomeDto::Applied, request.body());
                answer(&PushAnswer {
                    results: Vec::new(),
                    acked_seq: 0,
                    acked_hash: Hex([0; 32]),
                    halt: Some(PushHalt::Gap { expected_seq: 1 }),
                    ..taken
                })
            }),
        }
    }

    pub fn is(&self, weather: Weather) -> bool {
        *self.weather.borrow() == weather
    }
}

#[async_trait]
impl Transport for Line {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
        if self.is(Weather::Cut) {
            return Err(TransportError::NotSent);
        }
        if let Some(judged) = self.judged(&request) {
            return judged;
        }
        let server = Arc::clone(&self.server);
        let work = self
            .at_the_server
            .spawn(async move { server.send(request).await });
        let answer = work.await.expect("the server does not panic");
        let mut weather = self.weather.subscribe();
        let now = weather.wait_for(|now| *now != Weather::HoldsAnswers).await;
        match now.map(|now| *now) {
            Ok(Weather::Fair) => answer,
            _ => Err(TransportError::Interrupted),
        }
    }

    async fn stream(
        &self,
        request: Request<Bytes>,
    ) -> Result<Response<ByteStream>, TransportError> {
        if !self.weather.borrow().carries_requests() {
            return Err(TransportError::NotSent);
        }
        let server = Arc::clone(&self.server);
        let work = self
            .at_the_server
            .spawn(async move { server.stream(request).await });
        let answer = work.await.expect("the server does not panic")?;
        let mut weather = self.weather.subscribe();
        Ok(answer.map(|body| {
            let broken = async move {
                // A line that is gone altogether is cut, too.
                let _gone = weather.wait_for(|now| !now.carries_requests()).await;
            };
            let end = stream::iter([Err(TransportError::Interrupted)]);
            body.take_until(Box::pin(broken)).chain(end).boxed()
        }))
    }
}

fn answer(push: &PushAnswer) -> Result<Response<Bytes>, TransportError> {
    Ok(Response::new(serde_json::to_vec(push).unwrap().into()))
}

/// The answer of a server that gives every operation of `push` the same `outcome`.
fn taken_with(outcome: &OutcomeDto, push: &[u8]) -> PushAnswer {
    let push: PushRequest = serde_json::from_slice(push).unwrap();
    let heads = push
        .operations
        .iter()
        .map(|bytes| qiantai_wire::operation::decode(&bytes.0).unwrap());
    let heads: Vec<_> = heads.collect();
    let (last, operation) = heads.last().expect("a push carries operations");
    let results = heads.iter().map(|(header, _)| OpResultDto {
        op_id: header.op_id.0,
        device_seq: header.device_seq,
        server_seq: None,
        outcome: outcome.clone(),
    });
    PushAnswer {
        results: results.collect(),
        acked_seq: last.device_seq,
        acked_hash: Hex(last.hash),
        halt: None,
        server_time_ms: operation.wall_time.ms(),
        cursor: CursorDto {
            timeline: operation.cursor.unwrap().timeline,
            server_seq: 0,
        },
    }
}
