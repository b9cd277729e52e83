//! A slip on the screen.

use qiantai_core::ids::OrderId;
use qiantai_print::document::{Align, Rule, Size};
use qiantai_print::layout;
use qiantai_print::preview::{self, PreviewRow, PreviewText};

use super::slip::SlipRequest;
use crate::counter::Counter;
use crate::error::CallError;
use crate::view::order::{Holder, QrView, ReceiptAlign, ReceiptCell, ReceiptRow, ReceiptView};

/// The member's slip of `order`, as it would be printed now.
///
/// # Errors
/// The shop has no money for the order, or the signed operation that credited it is not here.
pub(crate) fn receipt(counter: &Counter, order: OrderId) -> Result<ReceiptView, CallError> {
    let file = counter.order_file(order)?;
    let now = counter.now();
    let request = SlipRequest {
        holder: Holder::Member,
        operator: None,
        asked_ms: now.ms(),
        language: counter.slip_language(order)?,
    };
    let receipt = counter.receipt(&file, 0, &request)?;
    // A row with a code is there only where there is one.
    let payload = receipt.qr_payload.clone().unwrap_or_default();
    let layout = layout(&receipt.document()).map_err(|error| {
        tracing::error!(%error, "receipt layout");
        CallError::internal()
    })?;
    let preview = preview::render(&layout);
    Ok(ReceiptView {
        columns: column(preview.columns),
        rows: preview
            .rows
            .into_iter()
            .map(|shown| row(shown, &payload))
            .collect(),
    })
}

fn row(row: PreviewRow, payload: &str) -> ReceiptRow {
    match row {
        PreviewRow::Text(texts) => ReceiptRow::Text {
            cells: texts.into_iter().map(cell).collect(),
        },
        PreviewRow::Rule(rule) => ReceiptRow::Rule {
            heavy: rule == Rule::Heavy,
        },
        PreviewRow::Signature { label } => ReceiptRow::Signature { label },
        PreviewRow::Qr { svg_path, side } => ReceiptRow::Qr {
            qr: QrView {
                modules: column(side),
                path: svg_path,
                payload: payload.to_owned(),
            },
        },
        PreviewRow::Feed(rows) => ReceiptRow::Feed { rows },
    }
}

fn cell(text: PreviewText) -> ReceiptCell {
    ReceiptCell {
        text: text.text,
        align: match text.align {
            Align::Left => ReceiptAlign::Left,
            Align::Center => ReceiptAlign::Centre,
            Align::Right => ReceiptAlign::Right,
        },
        start: column(text.start),
        end: column(text.end),
        large: text.size == Size::Double,
        bold: text.bold,
    }
}

/// Columns and modules are at most a few hundred.
fn column(value: usize) -> u16 {
    u16::try_from(value).unwrap_or(u16::MAX)
}
