//! Crediting an order whose money waits for a person.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::feed::{OrderDto, OutcomeDto};
use crate::text::Base64;

/// A manager lets the money of an order be credited that waits in suspense. The terminal has checked
/// the PIN; the server looks at the person again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CreditRequest {
    /// Names the intent: sent again, it is answered as before.
    pub action: Uuid,
    /// Who lets it: an active manager of the store, and not who took the money.
    pub manager: Uuid,
    /// Version of the rules by which the terminal knew the manager.
    pub policy_version: u32,
}

/// What became of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CreditAnswer {
    /// What the books say to it; refused while the member's account cannot be credited.
    pub outcome: OutcomeDto,
    /// The order as it stands now.
    pub order: OrderDto,
    /// The server's signed word that credited it, for the receipt's QR code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settlement: Option<Base64>,
    /// The server's clock.
    pub server_time_ms: i64,
}
