//! What the gateway seals: notices, and the list of certificates.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use http::{HeaderMap, HeaderValue, header};
use qiantai_core::clock::Timestamp;
use qiantai_pay::crypto::{Aes256Key, GCM_NONCE_BYTES};
use serde_json::{Value, json};

use super::account::WechatMerchant;
use super::message::written;
use super::refusal::Refusal;
use super::{KeyMode, order, refund, v2, v3};
use crate::gateway::{Event, Gateway, NoticeSeal, Transaction, Try};

/// Headers and body of a notice.
pub(crate) fn notice(gateway: &mut Gateway, notice: &Try, now: Timestamp) -> (HeaderMap, Vec<u8>) {
    let key = &notice.draft.key;
    let merchant = gateway
        .sides
        .wechat
        .merchant(&key.merchant)
        .expect("a notice is of a merchant that ordered")
        .clone();
    if let Event::Refunded(told) = &notice.draft.event
        && gateway.refund_told(told).is_told_in_old_form
    {
        let refund = gateway.refund_told(told).clone();
        return v2::refund_notice(gateway, &merchant, &refund, notice.seal, now);
    }
    let is_forged = notice.seal == NoticeSeal::Forged;
    let (event_type, summary, kind, content) = match &notice.draft.event {
        Event::Paid(paid) => {
            let payment = gateway
                .find(key, now)
                .expect("a notice is of a known order");
            let mut order = order::transaction(&merchant, payment);
            order::merge(&mut order, told(paid));
            ("TRANSACTION.SUCCESS", "支付成功", "transaction", order)
        }
        Event::Refunded(told) => {
            let refund = gateway.refund_told(told);
            let (event_type, summary, content) = refund::event(&merchant, refund, now);
            (event_type, summary, "refund", content)
        }
    };
    let nonce = short(gateway.new_nonce());
    let body = json!({
        "id": notice.notice_id,
        "create_time": written(notice.made_at),
        "resource_type": "encrypt-resource",
        "event_type": event_type,
        "summary": summary,
        "resource": sealed(&merchant.api_v3_key, kind, Some(kind), &nonce, &content.to_string()),
    });
    let body = body.to_string().into_bytes();
    let keys = &gateway.sides.wechat.keys;
    let newest = keys.newest(merchant.mode);
    let serial = newest.serial.clone();
    let private = match is_forged {
        true => keys.stranger().private.clone(),
        false => newest.key.private.clone(),
    };
    let is_probe = notice.seal == NoticeSeal::Probe;
    let mut headers = v3::sealed(gateway, &serial, &private, is_probe, &body, now);
    let json = HeaderValue::from_static("application/json");
    headers.insert(header::CONTENT_TYPE, json);
    (headers, body)
}

/// The payment that the notice is about, which need not be the order's first.
fn told(paid: &Transaction) -> Value {
    let fen = paid.amount.fen();
    json!({
        "trade_state": "SUCCESS",
        "trade_state_desc": "支付成功",
        "trade_type": "NATIVE",
        "bank_type": "OTHERS",
        "transaction_id": paid.channel_txn_no,
        "success_time": written(paid.paid_at),
        "payer": {"openid": paid.payer},
        "amount": {
            "total": fen,
            "payer_total": fen,
            "currency": "CNY",
            "payer_currency": "CNY",
        },
    })
}

/// Every certificate, sealed for the merchant. There are none for one of the other mode.
pub(super) fn certificates(
    gateway: &mut Gateway,
    merchant: &WechatMerchant,
) -> Result<Value, Refusal> {
    if merchant.mode == KeyMode::PublicKey {
        return Err(Refusal::no_certificates());
    }
    let held = gateway.sides.wechat.keys.certificates().to_vec();
    let listed: Vec<Value> = held
        .iter()
        .filter_map(|key| Some((key, key.certificate.as_ref()?)))
        .map(|(key, issued)| {
            let nonce = short(gateway.new_nonce());
            let api_v3_key = &merchant.api_v3_key;
            json!({
                "serial_no": key.serial,
                "effective_time": written(issued.certificate.not_before()),
                "expire_time": written(issued.certificate.not_after()),
                "encrypt_certificate":
                    sealed(api_v3_key, "certificate", None, &nonce, &issued.pem),
            })
        })
        .collect();
    Ok(json!({ "data": listed }))
}

fn short(mut nonce: String) -> String {
    nonce.truncate(GCM_NONCE_BYTES);
    nonce
}

/// A text sealed with the APIv3 key.
fn sealed(
    key: &Aes256Key,
    associated_data: &str,
    original_type: Option<&str>,
    nonce: &str,
    plaintext: &str,
) -> Value {
    let data = associated_data.as_bytes();
    let ciphertext = key
        .seal_gcm(nonce.as_bytes(), data, plaintext.as_bytes())
        .expect("the nonce has twelve characters");
    let mut sealed = json!({
        "algorithm": "AEAD_AES_256_GCM",
        "ciphertext": BASE64.encode(ciphertext),
        "associated_data": associated_data,
        "nonce": nonce,
    });
    if let Some(kind) = original_type {
        order::merge(&mut sealed, json!({ "original_type": kind }));
    }
    sealed
}
