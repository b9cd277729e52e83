//! Notices of refunds: sealed with a key that is made of the merchant's, and signed by nobody.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use http::{HeaderMap, HeaderValue, header};
use qiantai_core::clock::Timestamp;
use qiantai_pay::SecretText;
use qiantai_pay::beijing::dashed;
use qiantai_pay::channels::wechat::v2::{SEALED_ROOT, notice_key, write_flat, write_xml};

use super::{Params, refund};
use crate::gateway::{Gateway, NoticeSeal, Refund};
use crate::protocols::wechat::account::WechatMerchant;

/// Headers and body of a notice. One that is not genuine is sealed with a stranger's key.
pub(in crate::protocols::wechat) fn refund_notice(
    gateway: &mut Gateway,
    merchant: &WechatMerchant,
    refund: &Refund,
    seal: NoticeSeal,
    now: Timestamp,
) -> (HeaderMap, Vec<u8>) {
    let key = match seal {
        NoticeSeal::Genuine => merchant.v2_key.clone(),
        NoticeSeal::Forged | NoticeSeal::Probe => SecretText::new(gateway.new_nonce()),
    };
    let sealed = write_flat(SEALED_ROOT, &told(refund, now));
    let sealed = notice_key(&key)
        .and_then(|key| key.encrypt_ecb(sealed.as_bytes()))
        .expect("the library digests and encrypts any text");
    let envelope = [
        ("return_code", "SUCCESS".to_owned()),
        ("appid", merchant.appid.clone()),
        ("mch_id", merchant.mchid.clone()),
        ("nonce_str", gateway.new_nonce()),
        ("req_info", BASE64.encode(sealed)),
    ];
    let envelope = envelope.map(|(name, value)| (name.to_owned(), value));
    let mut headers = HeaderMap::new();
    let kind = HeaderValue::from_static("text/xml");
    headers.insert(header::CONTENT_TYPE, kind);
    (headers, write_xml(&envelope.into()).into_bytes())
}

fn told(told: &Refund, now: Timestamp) -> Params {
    let (paid, returned) = (told.paid.fen(), told.order.amount.fen());
    let (paid, returned) = (paid.to_string(), returned.to_string());
    let mut fields = vec![
        ("transaction_id", told.channel_txn_no.clone()),
        ("out_trade_no", told.order.key.attempt_no.clone()),
        ("refund_id", told.channel_refund_no.clone()),
        ("out_refund_no", told.order.refund_no.clone()),
        ("total_fee", paid.clone()),
        ("settlement_total_fee", paid),
        ("refund_fee", returned.clone()),
        ("settlement_refund_fee", returned),
        ("refund_status", refund::word(told.stage(now)).to_owned()),
        ("refund_recv_accout", "支付用户零钱".to_owned()),
        ("refund_account", "REFUND_SOURCE_UNSETTLED_FUNDS".to_owned()),
        ("refund_request_source", "API".to_owned()),
    ];
    if told.is_done(now) {
        fields.push(("success_time", dashed(told.done_at)));
    }
    let named = fields.into_iter();
    named
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}
