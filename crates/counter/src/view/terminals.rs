//! The tills of the shop, as a manager looks after them.

use std::fmt;

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::view::Ms;
use crate::view::order::QrView;

/// The tills of the shop.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ShopTerminals {
    /// By their codes.
    pub terminals: Vec<ShopTerminal>,
    /// Where tills reach the server; none where the books lie on this computer, which no other till
    /// reaches.
    pub server: Option<String>,
}

/// One till.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ShopTerminal {
    /// Identity.
    pub device: String,
    /// Its two digits within the shop.
    pub code: String,
    /// The name under which it joined.
    pub name: String,
    /// Whether it is this one.
    pub here: bool,
    /// Whether it is believed.
    pub state: TerminalState,
    /// Since when it is out of service.
    pub ended_ms: Option<Ms>,
    /// Why it is.
    pub reason: Option<String>,
    /// When the server last heard of it.
    pub heard_ms: Option<Ms>,
    /// Operations of it that wait for a person.
    pub waiting: u32,
}

/// Whether a till is believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum TerminalState {
    /// It is.
    InService,
    /// It sent two different histories.
    TwoHistories,
    /// It was taken out of service.
    OutOfService,
}

/// Lets one more till in, with the PIN of the manager who is signed in.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct InviteTerminal {
    /// Digits.
    pub pin: String,
}

/// What lets one till in, once.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct TerminalInvitation {
    /// The enrolment code as text.
    pub code: String,
    /// The same to scan.
    pub qr: QrView,
    /// Last instant of validity.
    pub expires_ms: Ms,
}

impl fmt::Debug for TerminalInvitation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TerminalInvitation(until {})", self.expires_ms.0)
    }
}

/// Takes a till out of service, with the PIN of the manager who is signed in.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct EndTerminal {
    /// Which.
    pub device: String,
    /// Why.
    pub reason: String,
    /// Digits.
    pub pin: String,
}
