//! Typed calls of the HTTP interface.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use ed25519_dalek::SigningKey;
use futures::StreamExt;
use futures::stream::BoxStream;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use http::{Method, Request, Response};
use qiantai_core::operation::Cursor;
use qiantai_wire::api::{
    AttemptAnswer, BucketAnswer, ChargeRequest, CreditAnswer, CreditRequest, DIGEST_VERSION,
    DigestsAnswer, Event, GatewayCheckAnswer, GatewayCheckRequest, GatewaysAnswer, HealthAnswer,
    InvitationAnswer, InvitationRequest, JoinAnswer, JoinRequest, LeasesAnswer, LeasesRequest,
    OrderAnswer, PROTOCOL_HEADER, PROTOCOL_VERSION, PushAnswer, PushRequest, PushedProfile,
    QuoteAnswer, QuoteRequest, ReceiptsAnswer, ReceiptsRequest, RevocationRequest, RulesAnswer,
    RulesRequest, TerminalsAnswer,
};
use qiantai_wire::call::{CALL_HEADER, CHALLENGE_PARAM, Call, Challenge};
use qiantai_wire::feed::{FeedPage, SnapshotPage};
use qiantai_wire::text::Base64;
use qiantai_wire::{ApiError, ErrorCode, SignedOperation};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sse_stream::SseByteStream;
use thiserror::Error;
use uuid::Uuid;

use crate::transport::{ByteStream, Transport, TransportError};

/// Why a call has no answer.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum CallFailed {
    /// The server was not reached or did not answer.
    #[error(transparent)]
    Transport(#[from] TransportError),
    /// The server said no.
    #[error("the server refused: {0}")]
    Refused(ApiError),
    /// Something answered that is not this server: a proxy, or a version too far away.
    #[error("an answer that cannot be read: status {status}, {cause}")]
    Unreadable {
        /// HTTP status.
        status: u16,
        /// What is wrong with it.
        cause: String,
    },
}

/// Events of the server, until the connection breaks.
pub type EventStream = BoxStream<'static, Result<Event, TransportError>>;

/// Calls of one terminal.
#[derive(Clone)]
pub struct Client {
    transport: Arc<dyn Transport>,
    authorization: Option<HeaderValue>,
    signer: Option<Arc<Signer>>,
}

/// The device, and its key.
struct Signer {
    device: Uuid,
    key: SigningKey,
}

/// How often a call is signed before its refusal is believed: the challenge may be another server's,
/// where the books are written by another one meanwhile, or too old.
const SIGNED_MAX: usize = 3;

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Client(token: {})", self.authorization.is_some())
    }
}

impl Client {
    /// A client that has not joined: it may join and ask for health.
    pub fn new(transport: Arc<dyn Transport>) -> Client {
        Client {
            transport,
            authorization: None,
            signer: None,
        }
    }

    /// The same client with the token that joining gave. A token that cannot stand in a header
    /// is left out, and every call is then refused as unauthorised.
    #[must_use]
    pub fn with_token(self, token: &str) -> Client {
        let authorization =
            HeaderValue::from_str(&format!("Bearer {token}"))
                .ok()
                .map(|mut value| {
                    value.set_sensitive(true);
                    value
                });
        Client {
            authorization,
            ..self
        }
    }

    /// The same client of a terminal that signs what a manager asks for with its key. Without one
    /// such calls are refused.
    #[must_use]
    pub fn signing_as(self, device: Uuid, key: SigningKey) -> Client {
        Client {
            signer: Some(Arc::new(Signer { device, key })),
            ..self
        }
    }

    /// `POST /v1/operations`.
    ///
    /// # Errors
    /// See [`CallFailed`]; pushing the same again is always safe.
    pub async fn push(
        &self,
        operations: &[SignedOperation],
        profiles: Vec<PushedProfile>,
    ) -> Result<PushAnswer, CallFailed> {
        let operations = operations
            .iter()
            .map(|signed| Base64(signed.bytes.clone()))
            .collect();
        self.post(
            "/v1/operations",
            &PushRequest {
                operations,
                attachments: Vec::new(),
                profiles,
            },
        )
        .await
    }

    /// `GET /v1/feed`.
    ///
    /// # Errors
    /// See [`CallFailed`].
    pub async fn feed(&self, after: Cursor, limit: u32) -> Result<FeedPage, CallFailed> {
        let Cursor {
            timeline,
            server_seq,
        } = after;
        let path = format!("/v1/feed?timeline={timeline}&after={server_seq}&limit={limit}");
        self.get(&path).await
    }

    /// `GET /v1/snapshot`.
    ///
    /// # Errors
    /// See [`CallFailed`].
    pub async fn snapshot(
        &self,
        after: Option<Uuid>,
        limit: u32,
    ) -> Result<SnapshotPage, CallFailed> {
        let after = after.map_or_else(String::new, |member| format!("after_member={member}&"));
        self.get(&format!("/v1/snapshot?{after}limit={limit}"))
            .await
    }

    /// `POST /v1/leases`.
    ///
    /// # Errors
    /// See [`CallFailed`]; the same again is always safe.
    pub async fn leases(&self, members: Vec<Uuid>) -> Result<LeasesAnswer, CallFailed> {
        self.post("/v1/leases", &LeasesRequest { members }).await
    }

    /// `GET /v1/digests`, of the newest version that both sides know.
    ///
    /// # Errors
    /// See [`CallFailed`].
    pub async fn digests(&self) -> Result<DigestsAnswer, CallFailed> {
        self.get(&format!("/v1/digests?version={DIGEST_VERSION}"))
            .await
    }

    /// `GET /v1/buckets/{bucket}`.
    ///
    /// # Errors
    /// See [`CallFailed`].
    pub async fn bucket(&self, bucket: u8) -> Result<BucketAnswer, CallFailed> {
        self.get(&format!("/v1/buckets/{bucket}")).await
    }

    /// `POST /v1/quotes`.
    ///
    /// # Errors
    /// See [`CallFailed`].
    pub async fn quote(&self, request: &QuoteRequest) -> Result<QuoteAnswer, CallFailed> {
        self.post("/v1/quotes", request).await
    }

    /// `GET /v1/orders/{id}`.
    ///
    /// # Errors
    /// See [`CallFailed`].
    pub async fn order(&self, order: Uuid) -> Result<OrderAnswer, CallFailed> {
        self.get(&format!("/v1/orders/{order}")).await
    }

    /// `POST /v1/orders/{id}/credit`: credits money that waits for a person.
    ///
    /// # Errors
    /// See [`CallFailed`]; the same again is done once.
    pub async fn credit_order(
        &self,
        order: Uuid,
        request: &CreditRequest,
    ) -> Result<CreditAnswer, CallFailed> {
        self.post_signed(&format!("/v1/orders/{order}/credit"), request)
            .await
    }

    /// `POST /v1/rules`: changes one thing about the store.
    ///
    /// # Errors
    /// See [`CallFailed`]; the same again is done once.
    pub async fn change_rules(&self, request: &RulesRequest) -> Result<RulesAnswer, CallFailed> {
        self.post_signed("/v1/rules", request).await
    }

    /// `GET /v1/attempts/{id}`.
    ///
    /// # Errors
    /// See [`CallFailed`].
    pub async fn attempt(&self, attempt: Uuid) -> Result<AttemptAnswer, CallFailed> {
        self.get(&format!("/v1/attempts/{attempt}")).await
    }

    /// `POST /v1/attempts/{id}/query`: asks the gateway now.
    ///
    /// # Errors
    /// See [`CallFailed`].
    pub async fn query_attempt(&self, attempt: Uuid) -> Result<AttemptAnswer, CallFailed> {
        let path = format!("/v1/attempts/{attempt}/query");
        let request = self.request(Method::POST, &path, Bytes::new());
        read(&self.transport.send(request).await?)
    }

    /// `POST /v1/attempts/{id}/charge`: charges the customer's payment code.
    ///
    /// # Errors
    /// See [`CallFailed`]; the same again is done once.
    pub async fn charge_attempt(
        &self,
        attempt: Uuid,
        code: &str,
    ) -> Result<AttemptAnswer, CallFailed> {
        let path = format!("/v1/attempts/{attempt}/charge");
        let code = code.to_owned();
        self.post(&path, &ChargeRequest { code }).await
    }

    /// `POST /v1/receipts`: operations of a lost terminal, as its receipts' codes.
    ///
    /// # Errors
    /// See [`CallFailed`]; giving the same again is always safe.
    pub async fn bring_back_receipts(
        &self,
        receipts: Vec<String>,
    ) -> Result<ReceiptsAnswer, CallFailed> {
        self.post("/v1/receipts", &ReceiptsRequest { receipts })
            .await
    }

    /// `GET /v1/gateways`.
    ///
    /// # Errors
    /// See [`CallFailed`].
    pub async fn gateways(&self) -> Result<GatewaysAnswer, CallFailed> {
        self.get("/v1/gateways").await
    }

    /// `POST /v1/gateways/{name}/check`: goes through the set-up of an account, or enters one.
    ///
    /// # Errors
    /// See [`CallFailed`]; the same again is always safe.
    pub async fn check_gateway(
        &self,
        name: &str,
        request: &GatewayCheckRequest,
    ) -> Result<GatewayCheckAnswer, CallFailed> {
        self.post_signed(&format!("/v1/gateways/{name}/check"), request)
            .await
    }

    /// `GET /v1/terminals`.
    ///
    /// # Errors
    /// See [`CallFailed`].
    pub async fn terminals(&self) -> Result<TerminalsAnswer, CallFailed> {
        self.get("/v1/terminals").await
    }

    /// `POST /v1/terminals/{device}/revoke`: takes a terminal out of service.
    ///
    /// # Errors
    /// See [`CallFailed`]; the same again is done once.
    pub async fn revoke_terminal(
        &self,
        device: Uuid,
        request: &RevocationRequest,
    ) -> Result<TerminalsAnswer, CallFailed> {
        self.post_signed(&format!("/v1/terminals/{device}/revoke"), request)
            .await
    }

    /// `POST /v1/invitations`: lets one more terminal in. Each call makes another invitation.
    ///
    /// # Errors
    /// See [`CallFailed`].
    pub async fn invite(
        &self,
        request: &InvitationRequest,
    ) -> Result<InvitationAnswer, CallFailed> {
        self.post_signed("/v1/invitations", request).await
    }

    /// `POST /v1/devices/join`.
    ///
    /// # Errors
    /// See [`CallFailed`]; an invitation works once.
    pub async fn join(&self, request: &JoinRequest) -> Result<JoinAnswer, CallFailed> {
        self.post("/v1/devices/join", request).await
    }

    /// `GET /v1/health`.
    ///
    /// # Errors
    /// See [`CallFailed`].
    pub async fn health(&self) -> Result<HealthAnswer, CallFailed> {
        self.get("/v1/health").await
    }

    /// `GET /v1/events`. Events of a newer server are passed over.
    ///
    /// # Errors
    /// See [`CallFailed`].
    pub async fn events(&self) -> Result<EventStream, CallFailed> {
        let mut request = self.request(Method::GET, "/v1/events", Bytes::new());
        request
            .headers_mut()
            .insert(ACCEPT, HeaderValue::from_static("text/event-stream"));
        let answer = self.transport.stream(request).await?;
        if !answer.status().is_success() {
            return Err(refusal(answer).await);
        }
        let events = SseByteStream::new(answer.into_body()).filter_map(|block| async move {
            match block {
                Err(error) => Some(Err(ended(&error))),
                Ok(block) => {
                    let parsed = Event::parse(&block.event?, &block.data.unwrap_or_default());
                    parsed
                        .map_err(|error| tracing::debug!(%error, "passed over"))
                        .ok()
                        .map(Ok)
                }
            }
        });
        Ok(events.boxed())
    }

    async fn get<A: DeserializeOwned>(&self, path: &str) -> Result<A, CallFailed> {
        let request = self.request(Method::GET, path, Bytes::new());
        read(&self.transport.send(request).await?)
    }

    async fn post<Q: Serialize, A: DeserializeOwned>(
        &self,
        path: &str,
        body: &Q,
    ) -> Result<A, CallFailed> {
        let request = self.posting(path, json(body));
        read(&self.transport.send(request).await?)
    }

    /// Asks for a challenge with nothing but the address, and then with the body, signed over it. A server
    /// of a version that asks for no signature misses the body alone, and is given it.
    async fn post_signed<Q: Serialize, A: DeserializeOwned>(
        &self,
        path: &str,
        body: &Q,
    ) -> Result<A, CallFailed> {
        let body = json(body);
        let mut request = self.posting(path, Bytes::new());
        let (mut signed, mut is_given) = (0, false);
        loop {
            let answered = read(&self.transport.send(request).await?);
            if !is_given && self.signer.is_some() && is_bad_request(&answered) {
                is_given = true;
                request = self.posting(path, body.clone());
                continue;
            }
            let challenge = answered.as_ref().err().and_then(challenge);
            let (Some(signer), Some(challenge)) = (&self.signer, challenge) else {
                return answered;
            };
            if signed == SIGNED_MAX {
                return answered;
            }
            signed += 1;
            is_given = true;
            let call = Call {
                method: Method::POST.as_str(),
                path,
                body: &body,
                device: signer.device,
                challenge,
            };
            let signature = HeaderValue::from_str(&call.sign(&signer.key))
                .expect("base64url stands in a header");
            request = self.posting(path, body.clone());
            request.headers_mut().insert(CALL_HEADER, signature);
        }
    }

    fn posting(&self, path: &str, body: Bytes) -> Request<Bytes> {
        let mut request = self.request(Method::POST, path, body);
        request
            .headers_mut()
            .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        request
    }

    fn request(&self, method: Method, path: &str, body: Bytes) -> Request<Bytes> {
        let mut request = Request::new(body);
        *request.method_mut() = method;
        *request.uri_mut() = path
            .parse()
            .expect("paths are made of literals, numbers and hyphenated ids");
        let headers = request.headers_mut();
        headers.insert(PROTOCOL_HEADER, HeaderValue::from(PROTOCOL_VERSION));
        if let Some(authorization) = &self.authorization {
            headers.insert(AUTHORIZATION, authorization.clone());
        }
        request
    }
}

fn json(body: &impl Serialize) -> Bytes {
    let body = serde_json::to_vec(body);
    body.expect("requests are strings, numbers and lists, which always serialise")
        .into()
}

fn is_bad_request<A>(answered: &Result<A, CallFailed>) -> bool {
    matches!(answered, Err(CallFailed::Refused(refusal))
        if refusal.error_code() == Some(ErrorCode::BadRequest))
}

/// What the server wants signed, if that is why it refuses.
fn challenge(failed: &CallFailed) -> Option<Challenge> {
    let CallFailed::Refused(refusal) = failed else {
        return None;
    };
    let is_unsigned = refusal.error_code() == Some(ErrorCode::CallUnsigned);
    let challenge = refusal
        .params
        .get(CHALLENGE_PARAM)
        .filter(|_| is_unsigned)?;
    Challenge::read(challenge)
}

/// Why the live events ended.
fn ended(error: &sse_stream::Error) -> TransportError {
    match error {
        sse_stream::Error::Body(cause) => cause
            .downcast_ref()
            .copied()
            .unwrap_or(TransportError::Interrupted),
        _ => TransportError::Interrupted,
    }
}

fn read<A: DeserializeOwned>(answer: &Response<Bytes>) -> Result<A, CallFailed> {
    let status = answer.status();
    if !status.is_success() {
        return Err(refused(status.as_u16(), answer.body()));
    }
    serde_json::from_slice(answer.body()).map_err(|error| CallFailed::Unreadable {
        status: status.as_u16(),
        cause: error.to_string(),
    })
}

pub(crate) fn refused(status: u16, body: &[u8]) -> CallFailed {
    match serde_json::from_slice(body) {
        Ok(error) => CallFailed::Refused(error),
        Err(error) => CallFailed::Unreadable {
            status,
            cause: error.to_string(),
        },
    }
}

async fn refusal(answer: Response<ByteStream>) -> CallFailed {
    const REFUSAL_MAX: usize = 1 << 16;
    let status = answer.status().as_u16();
    let mut stream = answer.into_body();
    let mut body = Vec::new();
    while let Some(chunk) = stream.next().await {
        match chunk {
            Ok(chunk) if body.len() + chunk.len() <= REFUSAL_MAX => body.extend_from_slice(&chunk),
            Ok(_) => return TransportError::TooLong.into(),
            Err(error) => return error.into(),
        }
    }
    refused(status, &body)
}
