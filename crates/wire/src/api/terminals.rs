//! The terminals of a store, as a manager looks after them at the counter.

use std::fmt;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// Longest reason for taking a terminal out of service, in characters.
pub const REASON_MAX: usize = 100;

/// Whether a terminal is believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TerminalStandingDto {
    /// It is.
    InService,
    /// It sent two different histories; what it sends is kept for review.
    TwoHistories,
    /// A manager took it out of service; what it sends is kept for review.
    OutOfService,
}

/// A terminal of the store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TerminalDto {
    /// Identity.
    pub device: Uuid,
    /// Its two digits within the store.
    pub terminal_code: String,
    /// The name under which it joined.
    pub name: String,
    /// Whether it is believed.
    pub standing: TerminalStandingDto,
    /// Since when it is out of service.
    pub revoked_at_ms: Option<i64>,
    /// Why it is.
    pub reason: Option<String>,
    /// When it last asked for anything, up to half a minute ago.
    pub heard_at_ms: Option<i64>,
    /// Operations of it that wait for a person because it was not believed.
    pub waiting: u64,
}

/// The terminals of the store, by their codes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TerminalsAnswer {
    /// They.
    pub terminals: Vec<TerminalDto>,
    /// The server's clock.
    pub server_time_ms: i64,
}

/// A manager lets one more terminal in. The terminal that asks has checked the PIN.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct InvitationRequest {
    /// Who: an active manager of the store.
    pub manager: Uuid,
}

/// What lets one terminal into the store, once.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct InvitationAnswer {
    /// As [`JoinRequest`](crate::api::JoinRequest) carries it.
    pub invite: String,
    /// Last instant of validity.
    pub expires_at_ms: i64,
    /// The server's clock.
    pub server_time_ms: i64,
}

impl fmt::Debug for InvitationAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "InvitationAnswer(until {})", self.expires_at_ms)
    }
}

/// A manager takes a terminal out of service. The terminal that asks has checked the PIN.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RevocationRequest {
    /// Who: an active manager of the store.
    pub manager: Uuid,
    /// Why, in 1 to [`REASON_MAX`] characters.
    #[schema(min_length = 1, max_length = 100)]
    pub reason: String,
}
