//! Requests and answers of the HTTP interface.
//!
//! | Call | Request | Answer |
//! |---|---|---|
//! | `POST /v1/operations` | [`PushRequest`] | [`PushAnswer`] |
//! | `GET /v1/feed` | [`FeedQuery`] | [`FeedPage`](crate::feed::FeedPage) |
//! | `GET /v1/snapshot` | [`SnapshotQuery`] | [`SnapshotPage`](crate::feed::SnapshotPage) |
//! | `POST /v1/quotes` | [`QuoteRequest`] | [`QuoteAnswer`] |
//! | `GET /v1/orders/{id}` | | [`OrderAnswer`] |
//! | `POST /v1/orders/{id}/credit` | [`CreditRequest`] | [`CreditAnswer`] |
//! | `GET /v1/attempts/{id}` | | [`AttemptAnswer`] |
//! | `POST /v1/attempts/{id}/query` | | [`AttemptAnswer`] |
//! | `POST /v1/attempts/{id}/charge` | [`ChargeRequest`] | [`AttemptAnswer`] |
//! | `POST /v1/rules` | [`RulesRequest`] | [`RulesAnswer`] |
//! | `POST /v1/receipts` | [`ReceiptsRequest`] | [`ReceiptsAnswer`] |
//! | `POST /v1/leases` | [`LeasesRequest`] | [`LeasesAnswer`] |
//! | `GET /v1/digests` | | [`DigestsAnswer`] |
//! | `GET /v1/buckets/{bucket}` | | [`BucketAnswer`] |
//! | `GET /v1/channels` | | [`ChannelsAnswer`] |
//! | `GET /v1/gateways` | | [`GatewaysAnswer`] |
//! | `POST /v1/gateways/{name}/check` | [`GatewayCheckRequest`] | [`GatewayCheckAnswer`] |
//! | `GET /v1/events` | | server-sent [`Event`]s |
//! | `GET /v1/terminals` | | [`TerminalsAnswer`] |
//! | `POST /v1/terminals/{device}/revoke` | [`RevocationRequest`] | [`TerminalsAnswer`] |
//! | `POST /v1/invitations` | [`InvitationRequest`] | [`InvitationAnswer`] |
//! | `POST /v1/devices/join` | [`JoinRequest`] | [`JoinAnswer`] |
//! | `GET /v1/authority` | | [`AuthorityAnswer`] |
//! | `GET /v1/health` | | [`HealthAnswer`] |
//!
//! Every call except join, authority and health carries `Authorization: Bearer <device token>` and
//! [`PROTOCOL_HEADER`]. What a manager asks for (credit, rules, check, revoke, invitations) carries
//! the terminal's [signature](crate::call) as well. A failure is an [`ApiError`](crate::ApiError) with its HTTP status.

mod channels;
mod charge;
mod credit;
mod digest;
mod event;
mod gateways;
mod leases;
mod receipts;
mod rules;
mod terminals;

pub use channels::{ChannelStandingDto, ChannelsAnswer, StandingDto};
pub use charge::{ChargeRequest, SCANNED_CODE_MAX};
pub use credit::{CreditAnswer, CreditRequest};
pub use digest::{
    BUCKETS, BucketAnswer, DIGEST_VERSION, Digested, Digests, DigestsAnswer, DigestsQuery, NEVER,
    bucket_of,
};
pub use event::{
    AttemptEvent, EVENTS_BEAT, EVENTS_SILENCE_MAX, Event, EventUnreadable, FeedEvent, HelloEvent,
};
pub use gateways::{
    CheckFaultDto, CheckFindingDto, CheckRemarkDto, CheckStepDto, GatewayCheckAnswer,
    GatewayCheckRequest, GatewayDto, GatewayEndDto, GatewayFieldDto, GatewayFieldKindDto,
    GatewaysAnswer,
};
pub use leases::{
    GrantedLease, LEASE_MEMBERS_LIMIT, LeaseDto, LeasesAnswer, LeasesRequest, NotGranted,
};
pub use receipts::{
    RECEIPTS_LIMIT, ReceiptResultDto, ReceiptStatusDto, ReceiptsAnswer, ReceiptsRequest,
};
pub use rules::{RulesAnswer, RulesChangeDto, RulesRequest};
pub use terminals::{
    InvitationAnswer, InvitationRequest, REASON_MAX, RevocationRequest, TerminalDto,
    TerminalStandingDto, TerminalsAnswer,
};

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::feed::{
    AmountChoiceDto, AttemptDto, CursorDto, OrderDto, OutcomeDto, QuoteDto, RefusalDto,
};
use crate::text::{Base64, Hex};

/// Header with the number of the interface's version that a terminal speaks.
pub const PROTOCOL_HEADER: &str = "qiantai-protocol";

/// The version spoken here. Servers accept this and the two before.
pub const PROTOCOL_VERSION: u16 = 1;

/// Most operations in one push.
pub const PUSH_LIMIT: usize = 256;

/// Parameter of the error that a device gets which is not believed: the last `device_seq` of the push,
/// which is kept with everything before it in that push.
pub const KEPT_PARAM: &str = "kept_seq";

/// Most entries in one page of the feed.
pub const FEED_LIMIT: u32 = 500;

/// Most members in one page of a snapshot.
pub const SNAPSHOT_LIMIT: u32 = 1_000;

/// Operations of one device, in `device_seq` order, at most [`PUSH_LIMIT`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PushRequest {
    /// The signed bytes as they are stored, in base64url.
    pub operations: Vec<Base64>,
    /// Documents whose hashes the operations carry.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attachments: Vec<Base64>,
    /// Profiles of members whom these operations create, with the keys that open them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub profiles: Vec<PushedProfile>,
}

/// Personal data that travels beside `member.create`, whose signed part holds its hash.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PushedProfile {
    /// Whose.
    pub member: Uuid,
    /// The sealed profile, in base64url.
    pub sealed: Base64,
    /// Opens it, hexadecimal.
    #[schema(value_type = String)]
    pub key: Hex<32>,
}

impl std::fmt::Debug for PushedProfile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PushedProfile({}, redacted)", self.member)
    }
}

/// What the server did with a push.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PushAnswer {
    /// One answer for each operation taken, in order.
    pub results: Vec<OpResultDto>,
    /// Last `device_seq` that the server has from this device.
    pub acked_seq: u64,
    /// Hash of that operation; zeros when there is none.
    #[schema(value_type = String)]
    pub acked_hash: Hex<32>,
    /// Why the rest of the push was not taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub halt: Option<PushHalt>,
    /// The server's clock.
    pub server_time_ms: i64,
    /// Head of the log after this push.
    pub cursor: CursorDto,
}

/// The answer to one operation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OpResultDto {
    /// The operation; nil when not even that could be read.
    pub op_id: Uuid,
    /// Its place in the device's chain.
    pub device_seq: u64,
    /// Its place in the log; `None` for held ones.
    pub server_seq: Option<u64>,
    /// The answer.
    pub outcome: OutcomeDto,
}

/// Why a push stopped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "reason", rename_all = "snake_case")]
pub enum PushHalt {
    /// Operations are missing before the first one sent; send from here.
    Gap {
        /// The `device_seq` that comes next.
        expected_seq: u64,
    },
    /// The server has another operation at this place. The device is quarantined, the bytes are
    /// kept, a case is open.
    Fork {
        /// The place where the histories part.
        device_seq: u64,
    },
}

/// Where to read the feed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct FeedQuery {
    /// Timeline of the reader; answered with `timeline_changed` when it is another.
    pub timeline: u32,
    /// Entries with a greater `server_seq`.
    pub after: u64,
    /// At most that many, capped at [`FEED_LIMIT`].
    pub limit: Option<u32>,
}

/// Which part of a snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct SnapshotQuery {
    /// `next` of the page before; absent for the first page.
    pub after_member: Option<Uuid>,
    /// At most that many members, capped at [`SNAPSHOT_LIMIT`].
    pub limit: Option<u32>,
}

/// Asks for a price.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct QuoteRequest {
    /// Who is topped up.
    pub member: Uuid,
    /// What was chosen.
    pub choice: AmountChoiceDto,
    /// True when it will be paid in cash.
    pub cash: bool,
}

/// A price, or why there is none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "status", rename_all = "snake_case")]
pub enum QuoteAnswer {
    /// The price.
    Quoted {
        /// What to show.
        quote: QuoteDto,
    },
    /// No price.
    Refused {
        /// Why.
        refusal: RefusalDto,
    },
}

/// An order with its attempts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OrderAnswer {
    /// The order.
    pub order: OrderDto,
    /// Its attempts, oldest first.
    pub attempts: Vec<AttemptDto>,
    /// The server's signed settlement (`attempt.result`, or `credit.retry` where a person let it be
    /// credited later) for the receipt's QR code, once credited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settlement: Option<Base64>,
    /// The server's clock.
    pub server_time_ms: i64,
}

/// An attempt with its order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AttemptAnswer {
    /// The attempt.
    pub attempt: AttemptDto,
    /// Its order.
    pub order: OrderDto,
    /// The server's signed settlement (`attempt.result`, or `credit.retry` where a person let it be
    /// credited later) for the receipt's QR code, once credited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settlement: Option<Base64>,
    /// The server's clock.
    pub server_time_ms: i64,
}

/// The certificate authority that signs for the servers of the shop.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AuthorityAnswer {
    /// Its certificate, DER in base 64. Whoever was enrolled knows SHA-256 of the DER.
    #[schema(value_type = String)]
    pub certificate: Base64,
}

/// A terminal joins with a one-time invitation.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct JoinRequest {
    /// The invitation, valid for ten minutes.
    pub invite: String,
    /// The terminal's Ed25519 key, hexadecimal.
    #[schema(value_type = String)]
    pub public_key: Hex<32>,
    /// What people call the terminal.
    pub name: String,
    /// Its two digits, where it has joined this store before: books that were restored from before that
    /// give it the same again, unless another terminal has them by now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub terminal_code: Option<String>,
}

impl std::fmt::Debug for JoinRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "JoinRequest({}, invite redacted)", self.name)
    }
}

/// What a terminal needs to begin.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct JoinAnswer {
    /// Whose books.
    pub tenant: Uuid,
    /// Which store.
    pub store: Uuid,
    /// Who the terminal is.
    pub device: Uuid,
    /// Two digits within the store.
    pub terminal_code: String,
    /// Counts key changes of the device.
    pub epoch: u32,
    /// Bearer token; the server keeps only its hash.
    pub token: String,
    /// The server's own Ed25519 key, hexadecimal.
    #[schema(value_type = String)]
    pub server_public_key: Hex<32>,
    /// Timeline of the log.
    pub timeline: u32,
}

impl std::fmt::Debug for JoinAnswer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "JoinAnswer(device {}, token redacted)", self.device)
    }
}

/// Whether the server serves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HealthAnswer {
    /// False while it starts or when its writer stands.
    pub ready: bool,
    /// Program version.
    pub version: String,
    /// Version of the interface, see [`PROTOCOL_VERSION`].
    pub protocol: u16,
    /// The server's clock.
    pub server_time_ms: i64,
}
