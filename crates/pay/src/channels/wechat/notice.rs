//! Notices of API v3: verified over the raw bytes, then decrypted, then read.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use http::HeaderMap;
use qiantai_core::clock::Timestamp;
use qiantai_core::money::Money;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::account::Account;
use super::keyring::PlatformKeys;
use super::message::{RefundEvent, Transaction};
use super::read;
use super::signature::{Seal, SealError};
use crate::crypto::Aes256Key;
use crate::notice::{ElsewhereNotice, Notice, NoticeError, PaymentNotice, RefundNotice};

const ALGORITHM: &str = "AEAD_AES_256_GCM";

/// A notice whose signature holds, with its content in clear.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenedNotice {
    /// The gateway's number of the event.
    pub id: String,
    /// What happened, such as `TRANSACTION.SUCCESS`.
    pub event_type: String,
    /// The content: JSON.
    pub plaintext: String,
}

#[derive(Deserialize)]
struct Envelope {
    id: String,
    event_type: String,
    resource: Sealed,
}

/// A sealed text of API v3.
#[derive(Deserialize)]
pub(super) struct Sealed {
    pub algorithm: String,
    pub ciphertext: String,
    #[serde(default)]
    pub associated_data: String,
    pub nonce: String,
}

impl Sealed {
    /// Opens the text; `None` when it is not sealed with this key in this form.
    pub(super) fn open(&self, key: &Aes256Key) -> Option<String> {
        if self.algorithm != ALGORITHM {
            return None;
        }
        let sealed = BASE64.decode(&self.ciphertext).ok()?;
        let data = self.associated_data.as_bytes();
        let opened = key.open_gcm(self.nonce.as_bytes(), data, &sealed).ok()?;
        String::from_utf8(opened).ok()
    }
}

/// Verifies and decrypts a notice. `body` must be the raw bytes.
pub fn open_notice(
    keys: &PlatformKeys,
    api_v3_key: &Aes256Key,
    headers: &HeaderMap,
    body: &[u8],
    now: Timestamp,
) -> Result<OpenedNotice, NoticeError> {
    Seal::read(headers)
        .and_then(|seal| seal.verify(keys, body, now))
        .map_err(|error| not_believed(error, now))?;
    let envelope: Envelope = parse(body)?;
    let plaintext = envelope.resource.open(api_v3_key);
    Ok(OpenedNotice {
        id: envelope.id,
        event_type: envelope.event_type,
        plaintext: plaintext.ok_or(NoticeError::DoesNotDecrypt)?,
    })
}

/// Reads what an opened notice says.
pub(super) fn read_notice(account: &Account, opened: OpenedNotice) -> Result<Notice, NoticeError> {
    match opened.event_type.as_str() {
        "TRANSACTION.SUCCESS" => payment(account, opened),
        "REFUND.SUCCESS" | "REFUND.ABNORMAL" | "REFUND.CLOSED" => refund(account, opened),
        _ => Ok(Notice::Other(opened.event_type)),
    }
}

fn payment(account: &Account, opened: OpenedNotice) -> Result<Notice, NoticeError> {
    let order: Transaction = parse(opened.plaintext.as_bytes())?;
    let is_ours = order.mchid == account.mchid && order.appid == account.appid;
    if order.trade_state != "SUCCESS" {
        let state = &order.trade_state;
        return Err(NoticeError::Malformed(format!(
            "a payment in state {state}"
        )));
    }
    let notice = PaymentNotice {
        notice_id: opened.id,
        attempt_no: order.out_trade_no.clone(),
        paid: read::fact(order).map_err(|cause| NoticeError::Malformed(cause.to_string()))?,
    };
    Ok(notice.of(is_ours))
}

fn refund(account: &Account, opened: OpenedNotice) -> Result<Notice, NoticeError> {
    let event: RefundEvent = parse(opened.plaintext.as_bytes())?;
    if event.mchid != account.mchid {
        return Ok(Notice::PaidElsewhere(ElsewhereNotice {
            attempt_no: event.out_trade_no,
            channel_txn_no: event.transaction_id,
            amount: Money::from_fen(event.amount.total),
        }));
    }
    Ok(Notice::Refund(RefundNotice {
        notice_id: opened.id,
        attempt_no: event.out_trade_no,
        refund_no: event.out_refund_no,
        answer: read::refund_state(event.refund_id, &event.refund_status, event.amount.refund),
    }))
}

fn not_believed(error: SealError, now: Timestamp) -> NoticeError {
    match error {
        SealError::MissingHeader(name) => NoticeError::MissingHeader(name),
        SealError::Stale { signed_at } => NoticeError::StaleTimestamp { signed_at, now },
        SealError::UnknownKey(serial) => NoticeError::UnknownKey(serial),
        SealError::Probe => NoticeError::Probe,
        SealError::WrongSignature => NoticeError::WrongSignature,
    }
}

fn parse<T: DeserializeOwned>(text: &[u8]) -> Result<T, NoticeError> {
    serde_json::from_slice(text).map_err(|error| NoticeError::Malformed(error.to_string()))
}
