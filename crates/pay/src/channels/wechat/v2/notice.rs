//! Notices of refunds by API v2. Nobody signs them, and the cipher proves little about the sender:
//! they say which refund is to be asked about, and nothing of them is believed.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use http::{HeaderValue, StatusCode, header};

use super::xml::{read_flat, read_xml, write_xml};
use crate::answer::RefundAnswer;
use crate::channels::wechat::account::Account;
use crate::crypto::{Aes256Key, CryptoError, md5};
use crate::notice::{Notice, NoticeError, NoticeReceipt, RefundNotice};
use crate::secret::SecretText;

/// Root of the sealed part.
pub const SEALED_ROOT: &str = "root";

/// The key of the sealed part: the MD5 of the API v2 key, in hexadecimal digits.
pub fn notice_key(key: &SecretText) -> Result<Aes256Key, CryptoError> {
    let digits = hex::encode(md5(key.expose().as_bytes())?);
    Aes256Key::from_bytes(digits.as_bytes())
}

/// Whether a notice is in the form of API v2; API v3 speaks JSON.
pub(in crate::channels::wechat) fn is_notice(body: &[u8]) -> bool {
    body.trim_ascii_start().first() == Some(&b'<')
}

/// Reads a notice.
pub(in crate::channels::wechat) fn read_notice(
    account: &Account,
    key: &SecretText,
    body: &[u8],
) -> Result<Notice, NoticeError> {
    let envelope = read_xml(body).map_err(|error| malformed(&error))?;
    let field = |name: &str| envelope.get(name).map_or("", String::as_str);
    if field("return_code") != "SUCCESS" {
        return Err(malformed(&"return_code is not SUCCESS"));
    }
    if field("mch_id") != account.mchid || field("appid") != account.appid {
        return Err(NoticeError::OtherMerchant);
    }
    let sealed = BASE64.decode(field("req_info"));
    let sealed = sealed.map_err(|_| NoticeError::DoesNotDecrypt)?;
    let opened = notice_key(key).and_then(|key| key.decrypt_ecb(&sealed));
    let opened = opened.map_err(|_| NoticeError::DoesNotDecrypt)?;
    let told = read_flat(SEALED_ROOT, &opened).map_err(|error| malformed(&error))?;
    refund(&told).map(Notice::Refund)
}

fn refund(told: &BTreeMap<String, String>) -> Result<RefundNotice, NoticeError> {
    let need = |name: &str| {
        let value = told.get(name).filter(|value| !value.is_empty());
        value.ok_or_else(|| malformed(&format!("the field {name} is missing")))
    };
    let status = need("refund_status")?;
    if !matches!(status.as_str(), "SUCCESS" | "CHANGE" | "REFUNDCLOSE") {
        return Err(malformed(&format!("a refund in state {status}")));
    }
    Ok(RefundNotice {
        // The gateway gives such notices no number of their own.
        notice_id: format!("{} {status}", need("refund_id")?),
        attempt_no: need("out_trade_no")?.clone(),
        refund_no: need("out_refund_no")?.clone(),
        answer: RefundAnswer::Accepted,
    })
}

/// The answer that the gateway expects.
pub(in crate::channels::wechat) fn notice_response(
    receipt: NoticeReceipt,
) -> http::Response<Bytes> {
    let (status, code, message) = match receipt {
        NoticeReceipt::Taken => (StatusCode::OK, "SUCCESS", "OK"),
        NoticeReceipt::Refused => (StatusCode::INTERNAL_SERVER_ERROR, "FAIL", "not taken"),
    };
    let fields = [("return_code", code), ("return_msg", message)];
    let fields = fields.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let mut response = http::Response::new(Bytes::from(write_xml(&fields.into())));
    *response.status_mut() = status;
    let kind = HeaderValue::from_static("text/xml");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}

fn malformed(problem: &impl ToString) -> NoticeError {
    NoticeError::Malformed(problem.to_string())
}
