//! Notices of the training protocol.

use http::{HeaderMap, HeaderValue, header};
use qiantai_core::clock::Timestamp;
use qiantai_pay::SharedKey;
use qiantai_pay::channels::training::message::PaidNotice;
use qiantai_pay::channels::training::signature::{Envelope, Scope};

use super::message::{json, paid};
use crate::gateway::{Event, Gateway, NoticeSeal, Try};

/// Headers and body of a notice. The protocol knows notices of payments only.
pub(crate) fn notice(gateway: &mut Gateway, notice: &Try, now: Timestamp) -> (HeaderMap, Vec<u8>) {
    let Event::Paid(transaction) = &notice.draft.event else {
        unreachable!("refunds of this protocol carry no address for notices")
    };
    let merchant = notice.draft.key.merchant.clone();
    let is_genuine = notice.seal == NoticeSeal::Genuine;
    let key = match gateway.merchant(&merchant) {
        Some(known) if is_genuine => known.key.clone(),
        _ => forged_key(),
    };
    let mut paid = paid(transaction);
    if !is_genuine {
        paid.channel_txn_no = format!("99{:014}{:010}", now.ms(), 0);
    }
    let body = json(&PaidNotice {
        notice_id: notice.notice_id.clone(),
        merchant: merchant.clone(),
        attempt_no: notice.draft.key.attempt_no.clone(),
        paid,
    });
    let envelope = Envelope {
        merchant,
        signed_at: now,
        nonce: gateway.new_nonce(),
    };
    let mut headers = envelope
        .seal(&key, Scope::Notice, &body)
        .expect("a known merchant's number is plain text");
    let json = HeaderValue::from_static("application/json");
    headers.insert(header::CONTENT_TYPE, json);
    (headers, body)
}

fn forged_key() -> SharedKey {
    let mut key = vec![0; SharedKey::BYTES_MIN];
    key[0] = 1;
    SharedKey::from_bytes(key).expect("the key has the least length")
}
