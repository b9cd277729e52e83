//! The drawer, opened without a sale.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::view::order::Approval;

/// Begins to open it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct DrawerForm {
    /// Names this intent: sending it twice opens the drawer once.
    pub intent: String,
    /// Whoever is signed in is the store's only active manager and may approve it alone.
    pub alone: bool,
}

/// What it is opened for, and who lets it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct OpenDrawer {
    /// The intent of the form.
    pub intent: String,
    /// What for.
    pub reason: DrawerReasonView,
    /// What for in words, where the reason is another; looked at with that one alone.
    pub words: String,
    /// A manager's number and PIN.
    pub approval: Approval,
}

/// What a drawer is opened for when nobody buys anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum DrawerReasonView {
    /// A note is changed.
    Change,
    /// What is in it is counted.
    Count,
    /// A mistake is put right.
    Mistake,
    /// Another.
    Other,
}

impl From<DrawerReasonView> for qiantai_core::drawer::DrawerReason {
    fn from(view: DrawerReasonView) -> Self {
        match view {
            DrawerReasonView::Change => Self::Change,
            DrawerReasonView::Count => Self::Count,
            DrawerReasonView::Mistake => Self::Mistake,
            DrawerReasonView::Other => Self::Other,
        }
    }
}
