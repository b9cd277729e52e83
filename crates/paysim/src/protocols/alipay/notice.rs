//! Notices: signed forms.

use http::{HeaderMap, HeaderValue, header};
use qiantai_core::clock::Timestamp;
use qiantai_core::money::Money;
use qiantai_pay::Pairs;
use qiantai_pay::beijing::dashed;
use qiantai_pay::yuan::yuan;
use serde_json::json;

use super::account::{Mode, sn};
use super::trade::status;
use crate::gateway::{Event, Gateway, NoticeSeal, Try};

/// Headers and body of a notice. The protocol has no probes: one is a forgery.
pub(crate) fn notice(gateway: &mut Gateway, notice: &Try, now: Timestamp) -> (HeaderMap, Vec<u8>) {
    let key = &notice.draft.key;
    let merchants = &gateway.sides.alipay.merchants;
    let merchant = merchants
        .get(&key.merchant)
        .expect("a notice is of a merchant that ordered")
        .clone();
    let is_genuine = notice.seal == NoticeSeal::Genuine;
    let payment = gateway
        .find(key, now)
        .expect("a notice is of a known trade");
    let mut form = Pairs::new();
    let mut set = |name: &str, value: &str| form.set(name, value);
    set("notify_time", &dashed(now));
    set("notify_type", "trade_status_sync");
    set("notify_id", &notice.notice_id);
    set("app_id", &merchant.app_id);
    set("auth_app_id", &merchant.app_id);
    set("charset", "utf-8");
    set("version", "1.0");
    set("sign_type", "RSA2");
    set("out_trade_no", &key.attempt_no);
    set("seller_id", &merchant.seller_id);
    set("subject", &payment.order.subject);
    set("gmt_create", &dashed(payment.created_at));
    let (number, amount, at, payer) = match &notice.draft.event {
        Event::Paid(paid) => {
            set("trade_status", "TRADE_SUCCESS");
            (
                &paid.channel_txn_no,
                paid.amount,
                paid.paid_at,
                paid.payer.as_str(),
            )
        }
        Event::Refunded(refund) => {
            set("trade_status", status(payment));
            set("out_biz_no", &refund.order.refund_no);
            set("refund_fee", &yuan(payment.returned()));
            set("gmt_refund", &format!("{}.000", dashed(refund.accepted_at)));
            let first = payment.paid();
            let at = first.map_or(refund.accepted_at, |paid| paid.paid_at);
            (&refund.channel_txn_no, refund.paid, at, "")
        }
    };
    set("trade_no", number);
    set("gmt_payment", &dashed(at));
    set("buyer_id", payer);
    let amounts = yuan(amount);
    for name in [
        "total_amount",
        "receipt_amount",
        "buyer_pay_amount",
        "invoice_amount",
    ] {
        set(name, &amounts);
    }
    set("point_amount", &yuan(Money::ZERO));
    let funds = json!([{"amount": amounts, "fundChannel": "ALIPAYACCOUNT"}]);
    set("fund_bill_list", &funds.to_string());
    let keys = gateway.alipay_keys();
    let signer = keys.newest();
    if merchant.mode == Mode::Certificates {
        form.set("alipay_cert_sn", sn(&signer.certificate));
    }
    let private = match is_genuine {
        true => &signer.key.private,
        false => &keys.stranger.private,
    };
    let text = form.text_to_sign(&["sign", "sign_type"]);
    let sign = private
        .sign_sha256_base64(text.as_bytes())
        .expect("a whole key signs any message");
    form.set("sign", sign);
    let mut headers = HeaderMap::new();
    let kind = HeaderValue::from_static("application/x-www-form-urlencoded; charset=utf-8");
    headers.insert(header::CONTENT_TYPE, kind);
    (headers, form.to_form().into_bytes())
}
