//! Leases of stored value to terminals.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::text::Base64;

/// Most members in one request.
pub const LEASE_MEMBERS_LIMIT: usize = 64;

/// A terminal asks for what it may spend of these members' stored value without asking again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LeasesRequest {
    /// At most 64, each once. Members whom the rule does not lease to this terminal get none.
    #[schema(max_items = 64)]
    pub members: Vec<Uuid>,
}

/// Everything that the terminal holds of these members now, old and new.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LeasesAnswer {
    /// By member, oldest first. A lease that the terminal knows and that is not here has ended.
    pub leases: Vec<LeaseDto>,
    /// The server's clock.
    pub server_time_ms: i64,
}

/// A lease as the server knows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LeaseDto {
    /// Identity; that of the operation that granted it.
    pub lease: Uuid,
    /// Whose stored value.
    pub member: Uuid,
    /// What is left, as far as the terminal's payments have arrived.
    #[schema(minimum = 1)]
    pub left_fen: i64,
    /// The server's signed `lease.grant`, to keep.
    pub operation: Base64,
}
