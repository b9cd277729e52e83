//! Receipts of a lost terminal that are brought back.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::view::{Fen, Ms};

/// One receipt as it was scanned.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ScannedReceipt {
    /// The code's text.
    pub text: String,
}

/// What became of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ReceiptBack {
    /// The same for the same receipt, however often it is scanned.
    pub id: String,
    /// Where it stands.
    pub standing: ReceiptStanding,
    /// Key of the sentence for the cashier: what was found, whether money moved, what to do.
    pub sentence_key: String,
    /// Order number.
    pub order_no: Option<String>,
    /// Member's name, where this terminal knows the member.
    pub member: Option<String>,
    /// What was paid.
    pub amount_fen: Option<Fen>,
    /// When, by the clock of the terminal that printed it.
    pub at_ms: Option<Ms>,
    /// The two digits of that terminal.
    pub terminal: Option<String>,
    /// Operations of that terminal before it that the books lack; some of them printed nothing.
    pub missing_before: u32,
}

/// Where a receipt stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum ReceiptStanding {
    /// It was not in the books, and is now.
    New,
    /// The books had it.
    Known,
    /// Kept for a person to look at; nothing was credited.
    Kept,
    /// Not taken.
    Refused,
}
