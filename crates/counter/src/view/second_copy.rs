//! The second copy of this terminal's operations.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::view::Ms;

/// Where the second copy goes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct SecondCopySetting {
    /// A folder on another disk; none for no copy.
    pub folder: Option<String>,
}

/// How the second copy stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct SecondCopyView {
    /// Whether there may be one. Its key lies with the books: where they are on this computer it
    /// would be lost with them.
    pub offered: bool,
    /// The folder; none when there is no copy.
    pub folder: Option<String>,
    /// Operations that are not in the copy.
    pub waiting: u32,
    /// The oldest of them.
    pub oldest_ms: Option<Ms>,
    /// When everything was last in the copy.
    pub current_ms: Option<Ms>,
    /// Key of the sentence why it does not go on, or why it is no help; none while all is well.
    pub warning_key: Option<String>,
}
