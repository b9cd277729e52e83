//! Bringing back what a lost terminal sold, from the receipts that it printed. The server judges;
//! this terminal only reads the code for the words beside the answer.

use std::sync::Arc;

use qiantai_core::operation::{OperationBody, RechargeOpen};
use qiantai_sync::CallFailed;
use qiantai_wire::SignedOperation;
use qiantai_wire::api::{ReceiptResultDto, ReceiptStatusDto};
use qiantai_wire::feed::OutcomeDto;
use qiantai_wire::receipt_qr::{PREFIX, ReceiptQrError, parse_receipt_text};

use crate::counter::Counter;
use crate::error::{CallError, ErrorCode, MoneyMoved};
use crate::serve::blocking;
use crate::view::receipt_back::{ReceiptBack, ReceiptStanding, ScannedReceipt};

/// True for a text that claims to be the code of a receipt.
pub(crate) fn claims_to_be_one(text: &str) -> bool {
    text.starts_with(PREFIX)
}

/// Gives one receipt to the server. The same again is safe.
///
/// # Errors
/// The server does not answer: the receipt may have been taken, and is to be scanned again.
pub(crate) async fn bring_back(
    counter: &Arc<Counter>,
    request: ScannedReceipt,
) -> Result<ReceiptBack, CallError> {
    counter.staff()?;
    let text = request.text.trim().to_owned();
    let signed = match parse_receipt_text(&text) {
        Ok(signed) => signed,
        Err(error) => {
            let status = match error {
                ReceiptQrError::NotAReceipt => ReceiptStatusDto::NotAReceipt,
                _ => ReceiptStatusDto::Damaged,
            };
            return Ok(unread(text, status));
        }
    };
    let answer = counter.client.bring_back_receipts(vec![text.clone()]).await;
    let mut answer = answer.map_err(|error| no_word(&error))?;
    let result = answer.results.pop().ok_or_else(CallError::internal)?;
    counter.sync.nudge();
    let reader = Arc::clone(counter);
    blocking(move || reader.receipt_back(text, &signed, &result)).await
}

impl Counter {
    fn receipt_back(
        &self,
        text: String,
        signed: &SignedOperation,
        result: &ReceiptResultDto,
    ) -> Result<ReceiptBack, CallError> {
        let (standing, word) = found(result);
        let mut back = ReceiptBack {
            standing,
            sentence_key: format!("receipts.{word}"),
            missing_before: u32::try_from(result.missing_before).unwrap_or(u32::MAX),
            ..unread(text, result.status)
        };
        let is_genuine = matches!(
            standing,
            ReceiptStanding::New | ReceiptStanding::Known | ReceiptStanding::Kept
        );
        // Whatever a forged code says, it is not repeated as if it were true.
        let Some(operation) = signed.operation().ok().filter(|_| is_genuine) else {
            return Ok(back);
        };
        let device = self.store.device(operation.device)?;
        back.terminal = device.map(|device| device.terminal_code);
        back.at_ms = Some(operation.wall_time.into());
        if let Some(open) = sale(&operation.body) {
            let member = self.store.member(open.member)?;
            back.order_no = Some(open.order_no.clone());
            back.amount_fen = Some(open.quote.pay.into());
            back.member = member
                .and_then(|member| member.profile)
                .map(|known| known.name);
        }
        Ok(back)
    }
}

fn sale(body: &OperationBody) -> Option<&RechargeOpen> {
    match body {
        OperationBody::RechargeCash(cash) => Some(&cash.open),
        OperationBody::RechargeRecorded(recorded) => Some(&recorded.open),
        _ => None,
    }
}

/// A receipt of which nothing is told but why it was not taken.
fn unread(id: String, status: ReceiptStatusDto) -> ReceiptBack {
    ReceiptBack {
        id,
        standing: ReceiptStanding::Refused,
        sentence_key: format!("receipts.{}", status.word()),
        order_no: None,
        member: None,
        amount_fen: None,
        at_ms: None,
        terminal: None,
        missing_before: 0,
    }
}

/// Where it stands, and the word of its sentence.
fn found(result: &ReceiptResultDto) -> (ReceiptStanding, &'static str) {
    let word = result.status.word();
    match (result.status, &result.outcome) {
        (ReceiptStatusDto::New, Some(OutcomeDto::Held)) => (ReceiptStanding::Kept, "held"),
        (ReceiptStatusDto::New, Some(OutcomeDto::ExistsWithDifferent { .. })) => {
            (ReceiptStanding::Kept, "differs")
        }
        // Its intent was posted by another operation: the money is in the books once.
        (ReceiptStatusDto::New, Some(OutcomeDto::Exists)) => (ReceiptStanding::Known, "known"),
        (ReceiptStatusDto::New, _) => (ReceiptStanding::New, word),
        (ReceiptStatusDto::Known, _) => (ReceiptStanding::Known, word),
        (ReceiptStatusDto::Quarantined | ReceiptStatusDto::Forked, _) => {
            (ReceiptStanding::Kept, word)
        }
        (
            ReceiptStatusDto::NotAReceipt
            | ReceiptStatusDto::Damaged
            | ReceiptStatusDto::Forged
            | ReceiptStatusDto::OtherShop
            | ReceiptStatusDto::UnknownTerminal
            | ReceiptStatusDto::OwnWord
            | ReceiptStatusDto::NotTaken,
            _,
        ) => (ReceiptStanding::Refused, word),
    }
}

/// No answer is no refusal: it may be in the books now.
fn no_word(error: &CallFailed) -> CallError {
    tracing::warn!(%error, "receipts");
    let mut failed = CallError::new(ErrorCode::ServerUnreachable, "receipts_unanswered");
    failed.money = MoneyMoved::Unknown;
    failed.retryable()
}
