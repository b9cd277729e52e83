//! Bringing back the operations of a terminal that is lost from the receipts that it printed
//! (docs: sync, "Encoding").
//!
//! A receipt is believed by its signature alone, whoever holds it. It posts by its action, outside
//! its terminal's chain, and nothing is posted twice when the terminal turns up after all.

use std::collections::HashMap;

use ed25519_dalek::VerifyingKey;
use qiantai_core::ids::{DeviceId, TenantId};
use qiantai_core::operation::OperationBody;
use qiantai_wire::api::{ReceiptResultDto, ReceiptStatusDto};
use qiantai_wire::feed::OutcomeDto;
use qiantai_wire::operation::Kind;
use qiantai_wire::receipt_qr::{ReceiptQrError, parse_receipt_text};
use qiantai_wire::{Header, SignedOperation};

use crate::db::{HeldReason, Ledger, LedgerError};
use crate::embedded::Server;
use crate::writer::{Arrival, BroughtBack, Content, Received, WriteError, receive};

/// Why receipts were not looked at. Some may have been taken; giving all again is safe.
#[derive(Debug, thiserror::Error)]
pub enum ReceiptsError {
    /// The books could not be read.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The books could not be written.
    #[error(transparent)]
    Write(#[from] WriteError),
}

/// A receipt that is genuine and can be taken.
struct Genuine {
    /// Its place in what was given.
    index: usize,
    tenant: TenantId,
    received: Received,
}

impl Server {
    /// Takes the codes of receipts, in any order. With `tenant`, those of other books are refused.
    /// One answer for each, in the order given.
    ///
    /// # Errors
    /// See [`ReceiptsError`].
    pub async fn bring_back_receipts(
        &self,
        tenant: Option<TenantId>,
        receipts: Vec<String>,
    ) -> Result<Vec<ReceiptResultDto>, ReceiptsError> {
        let ledger = std::sync::Arc::clone(&self.0.ledger);
        let read = move || read_all(ledger.as_ref(), tenant, &receipts);
        let (mut results, genuine) = tokio::task::spawn_blocking(read)
            .await
            .map_err(|error| LedgerError::Failed(error.to_string()))??;
        let mut of_tenants: HashMap<TenantId, Vec<Genuine>> = HashMap::new();
        for one in genuine {
            of_tenants.entry(one.tenant).or_default().push(one);
        }
        for (tenant, mut receipts) in of_tenants {
            // In the order in which they were written, so that a chain closes where it can.
            receipts.sort_by_key(|one| place(&one.received.header));
            let desk = self.0.desks.get(tenant).ok_or(WriteError::Stopped)?;
            let (indexes, received): (Vec<_>, Vec<_>) = receipts
                .into_iter()
                .map(|one| (one.index, one.received))
                .unzip();
            let headers: Vec<Header> = received.iter().map(|one| one.header).collect();
            let taken = desk.writer.import(received).await?;
            for ((index, header), back) in indexes.into_iter().zip(headers).zip(taken) {
                results[index] = answer(&header, back);
            }
        }
        Ok(results)
    }
}

fn place(header: &Header) -> (DeviceId, u32, u64) {
    (header.device, header.epoch, header.device_seq)
}

/// What can be said of each receipt before the writer sees it, and those that it shall see.
fn read_all(
    ledger: &dyn Ledger,
    only: Option<TenantId>,
    receipts: &[String],
) -> Result<(Vec<ReceiptResultDto>, Vec<Genuine>), LedgerError> {
    let tenants: Vec<TenantId> = ledger.tenants()?.iter().map(|tenant| tenant.id).collect();
    let is_ours = |tenant| only.map_or_else(|| tenants.contains(&tenant), |only| tenant == only);
    let mut results = Vec::with_capacity(receipts.len());
    let mut genuine = Vec::new();
    for (index, text) in receipts.iter().enumerate() {
        let (result, taken) = match parse_receipt_text(text) {
            Err(ReceiptQrError::NotAReceipt) => {
                (ReceiptResultDto::of(ReceiptStatusDto::NotAReceipt), None)
            }
            Err(_) => (ReceiptResultDto::of(ReceiptStatusDto::Damaged), None),
            Ok(signed) => read_one(ledger, &is_ours, signed)?,
        };
        results.push(result);
        genuine.extend(taken.map(|(tenant, received)| Genuine {
            index,
            tenant,
            received,
        }));
    }
    Ok((results, genuine))
}

type ReadOne = (ReceiptResultDto, Option<(TenantId, Received)>);

fn read_one(
    ledger: &dyn Ledger,
    is_ours: &dyn Fn(TenantId) -> bool,
    signed: SignedOperation,
) -> Result<ReadOne, LedgerError> {
    let Ok(header) = signed.header() else {
        return Ok((ReceiptResultDto::of(ReceiptStatusDto::Damaged), None));
    };
    let refused = |status| (named(&header, status), None);
    if !is_ours(header.tenant) {
        // Nothing more is told of a shop that is not the asker's.
        let other = ReceiptResultDto::of(ReceiptStatusDto::OtherShop);
        return Ok((other, None));
    }
    let Some((device, cursor)) = ledger.device(header.tenant, header.device)? else {
        return Ok(refused(ReceiptStatusDto::UnknownTerminal));
    };
    let received = VerifyingKey::from_bytes(&device.public_key)
        .ok()
        .and_then(|key| receive(signed.bytes, &key).ok());
    let Some(received) = received else {
        return Ok(refused(ReceiptStatusDto::Forged));
    };
    if device.is_server {
        return Ok((own_word(ledger, &header, &received.content)?, None));
    }
    let is_fact_of_a_receipt = match &received.content {
        Content::Known(operation) => Kind::of(&operation.body).is_on_receipts(),
        // A later version may print what this one cannot read: it is held.
        Content::Unread(_) => true,
    };
    if !is_fact_of_a_receipt {
        return Ok(refused(ReceiptStatusDto::NotTaken));
    }
    // Signed for a store in which the terminal does not stand: a person must look.
    let received = match cursor.store {
        Some(store) if store == header.store => received,
        _ => Received {
            content: Content::Unread(HeldReason::Malformed),
            ..received
        },
    };
    let seen = named(&header, ReceiptStatusDto::Known);
    Ok((seen, Some((header.tenant, received))))
}

/// A receipt of a payment by phone carries the server's word. What the books lack of it was lost
/// with a restored backup, and the channel is asked about that payment.
fn own_word(
    ledger: &dyn Ledger,
    header: &Header,
    content: &Content,
) -> Result<ReceiptResultDto, LedgerError> {
    let order = match content {
        Content::Known(operation) => match &operation.body {
            OperationBody::AttemptResult(result) => {
                let attempt = ledger.attempt(header.tenant, result.attempt)?;
                attempt.map(|attempt| attempt.order)
            }
            OperationBody::CreditRetry { order } => Some(*order),
            _ => return Ok(named(header, ReceiptStatusDto::NotTaken)),
        },
        Content::Unread(_) => None,
    };
    let settlement = match order {
        Some(order) => ledger.settlement_of(header.tenant, order)?,
        None => None,
    };
    let is_known = settlement.is_some_and(|row| row.hash == header.hash);
    Ok(ReceiptResultDto {
        outcome: is_known.then_some(OutcomeDto::Applied),
        ..named(
            header,
            match is_known {
                true => ReceiptStatusDto::Known,
                false => ReceiptStatusDto::OwnWord,
            },
        )
    })
}

fn named(header: &Header, status: ReceiptStatusDto) -> ReceiptResultDto {
    ReceiptResultDto {
        op_id: Some(header.op_id.0),
        device: Some(header.device.0),
        device_seq: Some(header.device_seq),
        ..ReceiptResultDto::of(status)
    }
}

fn answer(header: &Header, back: BroughtBack) -> ReceiptResultDto {
    let status = match back.arrival {
        Arrival::New => ReceiptStatusDto::New,
        Arrival::Known => ReceiptStatusDto::Known,
        Arrival::Quarantined => ReceiptStatusDto::Quarantined,
        Arrival::Forked => ReceiptStatusDto::Forked,
        Arrival::NotWaiting => ReceiptStatusDto::NotTaken,
    };
    ReceiptResultDto {
        outcome: Some(back.result.outcome),
        missing_before: back.missing_before,
        ..named(header, status)
    }
}
