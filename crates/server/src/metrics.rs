//! What a watchful machine asks: how many requests of which kind and how fast, how far the books
//! are, and whether the server serves. In the form of Prometheus. Nothing here names a person.

use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::extract::{MatchedPath, Request, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};
use qiantai_core::Millis;

use crate::api;
use crate::db::LedgerError;
use crate::embedded::Server;
use crate::engine::Standing;

/// What the answer of `/metrics` is.
const FORM: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct OfRequest {
    method: String,
    path: String,
    status: u32,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct OfPath {
    path: String,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct OfTenant {
    tenant: String,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct OfChannel {
    channel: String,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct OfCredential {
    channel: String,
    credential: String,
}

/// Counters of one server, and gauges that are read when they are asked for.
pub(crate) struct Metrics {
    registry: Registry,
    requests: Family<OfRequest, Counter>,
    seconds: Family<OfPath, Histogram, fn() -> Histogram>,
    head: Family<OfTenant, Gauge>,
    waiting: Family<OfTenant, Gauge>,
    held: Gauge,
    drifted: Counter,
    attempts: Gauge,
    streams: Gauge,
    channels: Family<OfChannel, Gauge>,
    credentials: Family<OfCredential, Gauge>,
    clock: Gauge,
    ready: Gauge,
}

/// Classes of a request's time by their upper ends in seconds.
fn by_time() -> Histogram {
    Histogram::new([0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0])
}

impl Default for Metrics {
    fn default() -> Metrics {
        let mut metrics = Metrics {
            registry: Registry::with_prefix("qiantai"),
            requests: Family::default(),
            seconds: Family::new_with_constructor(by_time),
            head: Family::default(),
            waiting: Family::default(),
            held: Gauge::default(),
            drifted: Counter::default(),
            attempts: Gauge::default(),
            streams: Gauge::default(),
            channels: Family::default(),
            credentials: Family::default(),
            clock: Gauge::default(),
            ready: Gauge::default(),
        };
        let registry = &mut metrics.registry;
        registry.register("requests", "Requests answered", metrics.requests.clone());
        registry.register_with_unit(
            "request",
            "Time from the whole head of a request to the head of its answer",
            Unit::Seconds,
            metrics.seconds.clone(),
        );
        registry.register("log_head", "Operations in the log", metrics.head.clone());
        registry.register(
            "writer_waiting",
            "Calls that wait for the writer",
            metrics.waiting.clone(),
        );
        registry.register(
            "held_operations",
            "Operations that wait for a person",
            metrics.held.clone(),
        );
        registry.register(
            "buckets_drifted",
            "Buckets of accounts that a terminal took over again because its own differed",
            metrics.drifted.clone(),
        );
        registry.register(
            "attempts_open",
            "Payment attempts whose end is not known",
            metrics.attempts.clone(),
        );
        registry.register(
            "event_streams",
            "Terminals that listen to live events",
            metrics.streams.clone(),
        );
        registry.register(
            "channel_up",
            "1 while the payment channel answers, 0 while it is down",
            metrics.channels.clone(),
        );
        registry.register(
            "credential_ends_in_days",
            "Whole days until a credential ends, from a month before; below 0 it has ended",
            metrics.credentials.clone(),
        );
        registry.register_with_unit(
            "clock_doubted",
            "How far the machine's clock is from the time that is told, where it is not followed; \
             0 while it is",
            Unit::Seconds,
            metrics.clock.clone(),
        );
        registry.register("ready", "1 while the server serves", metrics.ready.clone());
        metrics
    }
}

impl Metrics {
    /// A terminal takes a bucket of accounts over again.
    pub(crate) fn drifted(&self) {
        self.drifted.inc();
    }

    fn tell_channels(&self, server: &Server) {
        let engine = &server.0.engine;
        let channels = engine.channels();
        self.channels.clear();
        for name in channels.names() {
            let of = OfChannel {
                channel: name.to_string(),
            };
            let is_up = engine.standing_of(name) == Standing::Up;
            self.channels.get_or_create(&of).set(i64::from(is_up));
        }
        self.credentials.clear();
        let now = server.now();
        for (channel, expiry) in channels.ending_soon(now) {
            let of = OfCredential {
                channel: channel.to_string(),
                credential: expiry.credential,
            };
            let days = (expiry.at - now).0.div_euclid(Millis::days(1).0);
            self.credentials.get_or_create(&of).set(days);
        }
    }

    /// Everything, as text.
    fn told(&self, server: &Server) -> Result<String, LedgerError> {
        let shared = &server.0;
        let count = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
        for tenant in server.tenants()? {
            let of = OfTenant {
                tenant: tenant.id.to_string(),
            };
            let head = shared.ledger.head(tenant.id)?.server_seq;
            let head = i64::try_from(head).unwrap_or(i64::MAX);
            self.head.get_or_create(&of).set(head);
            if let Some(desk) = shared.desks.get(tenant.id) {
                let waiting = count(desk.writer.waiting());
                self.waiting.get_or_create(&of).set(waiting);
            }
        }
        let held = shared.ledger.held_count()?;
        self.held.set(i64::try_from(held).unwrap_or(i64::MAX));
        let watched = shared.ledger.watched_attempts(server.now())?;
        let open = watched.iter().filter(|(_, row)| row.state.is_open());
        self.attempts.set(count(open.count()));
        self.streams.set(count(shared.events.receiver_count()));
        self.tell_channels(server);
        let doubted = shared.clock.doubted().unwrap_or_default();
        self.clock.set(doubted.0 / 1_000);
        self.ready.set(i64::from(server.is_ready()));
        let mut told = String::new();
        text::encode(&mut told, &self.registry)
            .map_err(|error| LedgerError::Failed(error.to_string()))?;
        Ok(told)
    }
}

/// Counts a request and notes it in the log, by the pattern of its address: identities and
/// queries stay out of both.
pub(crate) async fn observe(
    State(server): State<Server>,
    request: Request,
    next: Next,
) -> Response {
    let begun = Instant::now();
    let method = request.method().to_string();
    let path = request.extensions().get::<MatchedPath>();
    let path = path.map_or("other", |path| path.as_str()).to_owned();
    let response = next.run(request).await;
    let status = response.status().as_u16();
    let took = begun.elapsed();
    tracing::debug!(%method, %path, status, ms = took.as_millis(), "request");
    let metrics = &server.0.metrics;
    let of_path = OfPath { path: path.clone() };
    let of_request = OfRequest {
        method,
        path,
        status: status.into(),
    };
    metrics.requests.get_or_create(&of_request).inc();
    let seconds = metrics.seconds.get_or_create(&of_path);
    seconds.observe(took.as_secs_f64());
    response
}

/// Metrics and probes, for an address that terminals do not reach: whether the process lives,
/// whether it serves, whether it writes, and figures.
pub(crate) fn upkeep(server: Server) -> Router {
    Router::new()
        .route("/livez", get(async || "lives\n"))
        .route("/readyz", get(readiness))
        .route("/writez", api::writez())
        .route("/metrics", get(figures))
        .with_state(server)
}

async fn readiness(State(server): State<Server>) -> Response {
    let ready = tokio::task::spawn_blocking(move || server.is_ready()).await;
    match ready {
        Ok(true) => "ready\n".into_response(),
        _ => (StatusCode::SERVICE_UNAVAILABLE, "not ready\n").into_response(),
    }
}

async fn figures(State(server): State<Server>) -> Response {
    let told = tokio::task::spawn_blocking(move || {
        let metrics = Arc::clone(&server.0.metrics);
        metrics.told(&server)
    });
    match told.await {
        Ok(Ok(told)) => ([(CONTENT_TYPE, HeaderValue::from_static(FORM))], told).into_response(),
        Ok(Err(error)) => {
            tracing::error!(%error, "the figures cannot be told");
            StatusCode::SERVICE_UNAVAILABLE.into_response()
        }
        Err(error) => {
            tracing::error!(%error, "the figures cannot be told");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}
