//! The line between a terminal and the server, which can be cut.

use std::sync::Arc;

use async_trait::async_trait;
use axum::body::Body;
use bytes::Bytes;
use futures::{StreamExt, stream};
use http::{Request, Response};
use qiantai_server::Server;
use qiantai_sync::Transport;
use qiantai_sync::transport::{ByteStream, InProcessTransport, TransportError};
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
}

/// The line. The server's work runs on its own runtime, so that it ends even if the terminal
/// that asked for it dies.
pub struct Line {
    server: Arc<dyn Transport>,
    weather: watch::Sender<Weather>,
    at_the_server: Handle,
}

impl Line {
    pub fn to(server: &Server) -> Arc<Line> {
        Arc::new(Line {
            server: Arc::new(InProcessTransport::<_, Body>::new(server.router())),
            weather: watch::Sender::new(Weather::Fair),
            at_the_server: Handle::current(),
        })
    }

    pub fn set(&self, weather: Weather) {
        self.weather.send_replace(weather);
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
        let server = Arc::clone(&self.server);
        let work = self
            .at_the_server
            .spawn(async move { server.send(request).await });
        let answer = work.await.expect("the server does not panic");
        match self.is(Weather::Fair) {
            true => answer,
            false => Err(TransportError::Interrupted),
        }
    }

    async fn stream(
        &self,
        request: Request<Bytes>,
    ) -> Result<Response<ByteStream>, TransportError> {
        if !self.is(Weather::Fair) {
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
                let _gone = weather.wait_for(|now| *now != Weather::Fair).await;
            };
            let end = stream::iter([Err(TransportError::Interrupted)]);
            body.take_until(Box::pin(broken)).chain(end).boxed()
        }))
    }
}
