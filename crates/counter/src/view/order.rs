//! Paying and afterwards.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::view::printer::PrinterName;
use crate::view::top_up::ChannelView;
use crate::view::{Fen, Ms};

/// Takes cash.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct PayCash {
    /// The intent of the form.
    pub intent: String,
    /// The price shown.
    pub quote_id: String,
    /// Cash handed over, as typed; empty means exactly the amount.
    pub tendered: String,
    /// The cashier confirmed an equal top-up within two minutes.
    pub duplicate_confirmed: bool,
    /// A manager's PIN, where one was asked for.
    pub approval: Option<Approval>,
}

/// What a manager types on the cashier's screen.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Approval {
    /// Staff number.
    pub staff_no: String,
    /// Digits.
    pub pin: String,
}

impl std::fmt::Debug for Approval {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Approval({}, redacted)", self.staff_no)
    }
}

/// Asks for a QR code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct StartQr {
    /// The intent of the form.
    pub intent: String,
    /// The price shown.
    pub quote_id: String,
    /// Which channel.
    pub channel: ChannelView,
    /// The cashier confirmed an equal top-up within two minutes.
    pub duplicate_confirmed: bool,
}

/// Asks for another QR code on the same order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct RetryPayment {
    /// The order.
    pub order_id: String,
    /// Which channel.
    pub channel: ChannelView,
}

/// Names one order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct OrderKey {
    /// Identity.
    pub order_id: String,
}

/// Asks for a copy of an order's receipt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct PrintCopy {
    /// Identity of the order.
    pub order_id: String,
    /// A manager's number and PIN; beyond two copies there is none without.
    pub approval: Option<Approval>,
}

/// One line of a list of orders.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct OrderSummary {
    /// Identity.
    pub id: String,
    /// Number.
    pub order_no: String,
    /// Who.
    pub member_id: String,
    /// Name.
    pub member: String,
    /// Amount.
    pub pay_fen: Fen,
    /// Bonus.
    pub bonus_fen: Fen,
    /// Method; none before anybody was asked for money. Of a split, the one beside cash.
    pub channel: Option<ChannelView>,
    /// Both parts of a split.
    pub parts: Option<PartsView>,
    /// What to do with its part in cash, while that is in no book.
    pub loose_cash: Option<LooseCash>,
    /// Where it stands.
    pub stage: Stage,
    /// Not yet confirmed by the server.
    pub provisional: bool,
    /// When it was opened.
    pub opened_at_ms: Ms,
}

/// The two parts of a split, which make the whole together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct PartsView {
    /// In cash.
    pub cash_fen: Fen,
    /// By the other method.
    pub other_fen: Fen,
}

/// What to do with cash that lies beside a payment by a gateway and is in no book.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum LooseCash {
    /// The payment may still succeed: keep it.
    Keep,
    /// The last try ended unpaid: keep it for another, or give it back.
    KeepOrGiveBack,
    /// Nothing comes of the order any more: give it back.
    GiveBack,
}

/// An order on the paying and success screens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct OrderView {
    /// Identity.
    pub id: String,
    /// Number.
    pub order_no: String,
    /// Who.
    pub member_id: String,
    /// Name.
    pub member: String,
    /// Method; none before anybody was asked for money. Of a split, the one beside cash.
    pub channel: Option<ChannelView>,
    /// Both parts of a split.
    pub parts: Option<PartsView>,
    /// What to do with its part in cash, while that is in no book.
    pub loose_cash: Option<LooseCash>,
    /// To pay.
    pub pay_fen: Fen,
    /// Bonus.
    pub bonus_fen: Fen,
    /// Cash handed over, where all of it is cash.
    pub tendered_fen: Option<Fen>,
    /// Cash to give back.
    pub change_fen: Option<Fen>,
    /// Where it stands.
    pub stage: Stage,
    /// Why a person must look at it, where a channel's money is the reason.
    pub abnormal: Option<AbnormalCause>,
    /// The last attempt charges the customer's payment code.
    pub by_code: bool,
    /// QR code as an SVG path on a square of `qr_modules` modules, quiet zone included.
    pub qr: Option<QrView>,
    /// A QR code was shown for this order at some time: a customer may have scanned it.
    pub had_code: bool,
    /// When the QR code or the order stops waiting.
    pub expires_at_ms: Option<Ms>,
    /// When the present attempt began.
    pub attempt_started_ms: Option<Ms>,
    /// Why the last attempt failed: key of a sentence that says what happened, whether money
    /// moved and what to do.
    pub failure: Option<Failure>,
    /// Set once credited.
    pub credit: Option<CreditView>,
    /// Not yet confirmed by the server.
    pub provisional: bool,
    /// Channel's number of the payment.
    pub channel_txn_no: Option<String>,
    /// The manager who let it pass a limit.
    pub approver: Option<String>,
    /// The approver took the money and let it be credited alone.
    pub released_alone: bool,
    /// When it was opened.
    pub opened_at_ms: Ms,
    /// Copies printed again.
    pub copies: u32,
}

/// What the cashier needs to know of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Sent to the server, no answer yet; nothing was asked of the customer.
    Opening,
    /// A reviewer must approve before payment.
    Review,
    /// The channel is being asked for a QR code.
    Preparing,
    /// QR code shown, waiting for the customer.
    Waiting,
    /// The customer's payment code is being charged.
    Charging,
    /// The channel says that the customer is confirming.
    UserPaying,
    /// Nobody knows; do not charge again.
    Unknown,
    /// The charge is being undone; do not charge again.
    Reversing,
    /// Cancel asked for; the channel is being asked whether anything was paid.
    Cancelling,
    /// The last attempt ended unpaid; another method may be tried.
    Failed,
    /// Refused before any money moved.
    Refused,
    /// Paid; the credit waits for a person.
    Paid,
    /// Paid and credited.
    Credited,
    /// Ended unpaid.
    Ended,
    /// A person must look at it; a case is open.
    Abnormal,
}

/// What is wrong with the money that a channel tells of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum AbnormalCause {
    /// It is another amount, or another merchant or application has it.
    Mismatch,
    /// It came when the order had ended.
    Late,
    /// Somebody returned it, or a part of it, at the platform.
    Returned,
    /// The channel has not said for long whether it gave the money back.
    ReversalUnclear,
}

/// A QR code to draw.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct QrView {
    /// Modules per side, quiet zone included.
    pub modules: u16,
    /// SVG path of the dark modules.
    pub path: String,
    /// What it says.
    pub payload: String,
}

/// A failure in words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Failure {
    /// Stable code, shown small for support.
    pub code: String,
    /// Key of the sentence.
    pub message_key: String,
}

/// What the credit did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct CreditView {
    /// Available before.
    pub balance_before_fen: Fen,
    /// Available after.
    pub balance_after_fen: Fen,
    /// Principal after.
    pub principal_after_fen: Fen,
    /// Bonus after.
    pub bonus_after_fen: Fen,
    /// Points earned.
    pub points: i32,
    /// Coupons granted.
    pub coupons: Vec<(String, u16)>,
    /// Tier before.
    pub tier_before: String,
    /// Tier after.
    pub tier_after: String,
    /// When.
    pub credited_at_ms: Ms,
}

/// A receipt for the screen: the same rows that the printer gets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ReceiptView {
    /// Columns of the paper: 32 or 48.
    pub columns: u16,
    /// Rows from top to bottom.
    pub rows: Vec<ReceiptRow>,
}

/// One row of a receipt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ReceiptRow {
    /// Texts on one baseline, each in its field of columns. A column is half as wide as a
    /// Chinese character.
    Text {
        /// From left to right.
        cells: Vec<ReceiptCell>,
    },
    /// A QR code.
    Qr {
        /// To draw.
        qr: QrView,
    },
    /// A rule over the whole width.
    Rule {
        /// Heavier than between sections.
        heavy: bool,
    },
    /// A label, and a line to sign on that fills the row.
    Signature {
        /// The label.
        label: String,
    },
    /// Blank rows.
    Feed {
        /// How many.
        rows: u8,
    },
}

/// A text of a receipt row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ReceiptCell {
    /// The words.
    pub text: String,
    /// Where in the field.
    pub align: ReceiptAlign,
    /// First column of the field, from 0.
    pub start: u16,
    /// Column after the field.
    pub end: u16,
    /// Double size.
    pub large: bool,
    /// Bold.
    pub bold: bool,
}

/// Where a text stands in its field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum ReceiptAlign {
    /// Left.
    Left,
    /// Centre.
    Centre,
    /// Right.
    Right,
}

/// A job of the print queue: a slip, or a drawer that is opened without one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct PrintJobView {
    /// Identity.
    pub id: String,
    /// Order number; empty for a drawer.
    pub order_no: String,
    /// Who keeps the slip; none where the drawer is opened without a sale.
    pub holder: Option<Holder>,
    /// 0 for the original, otherwise the number of the copy.
    pub copy: u32,
    /// Where it stands.
    pub state: PrintState,
    /// On which printer.
    pub printer: PrinterName,
    /// An earlier print broke off: the next one is marked, and the one before is void.
    pub torn: bool,
    /// Message key of the last trouble.
    pub trouble: Option<String>,
    /// Tries so far.
    pub tries: u32,
    /// When it was queued.
    pub queued_at_ms: Ms,
}

/// Who keeps a slip.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Holder {
    /// The shop.
    Shop,
    /// The member.
    Member,
}

/// States of a print job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum PrintState {
    /// Waiting.
    Queued,
    /// On its way.
    Printing,
    /// Handed to the printer.
    Printed,
    /// Given up until someone retries.
    Failed,
    /// Not wanted any more by the person at the counter.
    Cancelled,
}
