//! Receipts that are brought back: operations of a terminal that is lost, read from the codes that
//! it printed.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::feed::OutcomeDto;

/// Most receipts in one call.
pub const RECEIPTS_LIMIT: usize = 64;

/// The codes of receipts as they were scanned, in any order, at most [`RECEIPTS_LIMIT`].
///
/// Sending one again is safe: whatever the books have is answered `known`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReceiptsRequest {
    /// Texts that begin with `QT1:`.
    #[schema(max_items = 64)]
    pub receipts: Vec<String>,
}

/// What became of each receipt, in the order of the request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReceiptsAnswer {
    /// One for each.
    pub results: Vec<ReceiptResultDto>,
    /// The server's clock.
    pub server_time_ms: i64,
}

/// What became of one receipt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReceiptResultDto {
    /// What the server did.
    pub status: ReceiptStatusDto,
    /// The operation, once it could be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub op_id: Option<Uuid>,
    /// The terminal that printed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<Uuid>,
    /// Its place in that terminal's chain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device_seq: Option<u64>,
    /// How it was decided, now or when it came first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<OutcomeDto>,
    /// Operations of that terminal before it that the books do not have. Those that printed nothing
    /// count too, so this is no number of lost sales.
    #[serde(default)]
    pub missing_before: u64,
}

impl ReceiptResultDto {
    /// A receipt of which nothing else can be said.
    pub fn of(status: ReceiptStatusDto) -> ReceiptResultDto {
        ReceiptResultDto {
            status,
            op_id: None,
            device: None,
            device_seq: None,
            outcome: None,
            missing_before: 0,
        }
    }
}

/// What the server did with a receipt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReceiptStatusDto {
    /// It is in the books now; `outcome` says how.
    New,
    /// The books had it.
    Known,
    /// Its terminal is not believed any more: kept for review, nothing was credited.
    Quarantined,
    /// That terminal wrote something else at this place: kept for review, and the terminal is not
    /// believed any more.
    Forked,
    /// Not the code of a receipt.
    NotAReceipt,
    /// The code is damaged.
    Damaged,
    /// Its signature is not of the terminal that it names.
    Forged,
    /// Of other books.
    OtherShop,
    /// Of a terminal that these books do not know.
    UnknownTerminal,
    /// The server's own word about a payment by phone, which these books lack: the payment is asked
    /// about at its channel instead.
    OwnWord,
    /// A request of a terminal, which no receipt carries.
    NotTaken,
}

impl ReceiptStatusDto {
    /// True when the books hold the receipt.
    pub fn is_in_the_books(self) -> bool {
        matches!(self, ReceiptStatusDto::New | ReceiptStatusDto::Known)
    }

    /// The word.
    pub fn word(self) -> &'static str {
        match self {
            ReceiptStatusDto::New => "new",
            ReceiptStatusDto::Known => "known",
            ReceiptStatusDto::Quarantined => "quarantined",
            ReceiptStatusDto::Forked => "forked",
            ReceiptStatusDto::NotAReceipt => "not_a_receipt",
            ReceiptStatusDto::Damaged => "damaged",
            ReceiptStatusDto::Forged => "forged",
            ReceiptStatusDto::OtherShop => "other_shop",
            ReceiptStatusDto::UnknownTerminal => "unknown_terminal",
            ReceiptStatusDto::OwnWord => "own_word",
            ReceiptStatusDto::NotTaken => "not_taken",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_word_is_the_one_on_the_wire() {
        for status in [
            ReceiptStatusDto::New,
            ReceiptStatusDto::Known,
            ReceiptStatusDto::Quarantined,
            ReceiptStatusDto::Forked,
            ReceiptStatusDto::NotAReceipt,
            ReceiptStatusDto::Damaged,
            ReceiptStatusDto::Forged,
            ReceiptStatusDto::OtherShop,
            ReceiptStatusDto::UnknownTerminal,
            ReceiptStatusDto::OwnWord,
            ReceiptStatusDto::NotTaken,
        ] {
            let json = serde_json::to_string(&status).expect("a word");
            assert_eq!(json, format!("\"{}\"", status.word()));
        }
    }
}
