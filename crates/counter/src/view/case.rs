//! Cases: what a person must look at.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::view::order::{Approval, Stage};
use crate::view::{Fen, Ms};

/// Cases of the shop known here, newest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct CaseList {
    /// Money waits until somebody acts.
    pub waiting: Vec<CaseView>,
    /// Nothing waits: it is here to be known.
    pub noted: Vec<CaseView>,
}

/// One case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct CaseView {
    /// Identity.
    pub id: String,
    /// Message key of its cause.
    pub cause_key: String,
    /// Message key of what to do about it.
    pub advice_key: String,
    /// When it was opened.
    pub opened_at_ms: Ms,
    /// Money that it is about; none where it is about none.
    pub amount_fen: Option<Fen>,
    /// The member by name, masked.
    pub member: Option<String>,
    /// The order, where it is known here.
    pub order: Option<CaseOrder>,
}

/// The order of a case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct CaseOrder {
    /// Identity.
    pub id: String,
    /// Number.
    pub order_no: String,
    /// Where it stands.
    pub stage: Stage,
    /// Whether a manager can let its money be credited now.
    pub creditable: bool,
    /// Who took it is the shop's only manager: nobody else can let it.
    pub taker_alone: bool,
    /// Who took it let it be credited.
    pub released_alone: bool,
}

/// Lets the money of a case be credited.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct CreditCase {
    /// The order whose money waits.
    pub order_id: String,
    /// The manager who lets it.
    pub approval: Approval,
}
