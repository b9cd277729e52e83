//! Which channels can be paid through now.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::codes::ChannelDto;

/// Every channel that a gateway can carry, and how it stands at this server. What a policy offers
/// and has no gateway here cannot be paid.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ChannelsAnswer {
    /// In the order of their numbers.
    pub channels: Vec<ChannelStandingDto>,
}

/// How one channel stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ChannelStandingDto {
    /// Which.
    pub channel: ChannelDto,
    /// Whether it can be paid through.
    pub standing: StandingDto,
    /// Since when it fails, where it is down.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since_ms: Option<i64>,
}

/// Whether a channel can be paid through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum StandingDto {
    /// It answers, as far as is known.
    Up,
    /// It failed several times in a row; it is tried again and comes back by itself.
    Down,
    /// This server has no gateway for it.
    Absent,
}
