//! Who calls, once signature and clock hold.

use bytes::Bytes;
use qiantai_core::clock::{Millis, Timestamp};
use qiantai_pay::beijing::from_dashed;
use qiantai_pay::{Charset, Pairs};

use super::Method;
use super::account::{AlipayMerchant, Mode, root_sn};
use super::answer::Refusal;
use super::content::Content;
use crate::gateway::{AttemptKey, Gateway, Protocol};

/// The timestamp may be five minutes off, in whole seconds.
const CLOCK_TOLERANCE: Millis = Millis(300_999);

/// An admitted call.
#[derive(Clone, Debug)]
pub(super) struct Caller {
    pub merchant: AlipayMerchant,
    pub method: Method,
    /// Name of the node that is signed.
    pub node: String,
    pub content: Content,
    pub notify_url: Option<String>,
    pub charset: Charset,
    /// Host that the caller knows the gateway by.
    pub host: String,
}

impl Caller {
    pub fn key(&self, number: &str) -> AttemptKey {
        AttemptKey {
            protocol: Protocol::Alipay,
            merchant: self.merchant.app_id.clone(),
            attempt_no: number.to_owned(),
        }
    }
}

pub(super) fn admitted(
    gateway: &mut Gateway,
    request: &http::Request<Bytes>,
    now: Timestamp,
) -> Result<Caller, Refusal> {
    let params = parameters(request)?;
    let need = |name: &str, sub_code: &'static str| {
        let message = format!("缺少{name}参数");
        params
            .get(name)
            .ok_or_else(|| Refusal::missing(sub_code, &message))
    };
    let name = need("method", "isv.missing-method")?;
    let method = Method::of(name)
        .ok_or_else(|| Refusal::parameter("isv.invalid-method", "不存在的方法名"))?;
    let sign = need("sign", "isv.missing-signature")?;
    if need("sign_type", "isv.missing-signature-type")? != "RSA2" {
        return Err(Refusal::parameter(
            "isv.invalid-signature-type",
            "无效签名类型",
        ));
    }
    let merchant = gateway
        .sides
        .alipay
        .merchants
        .get(need("app_id", "isv.missing-app-id")?)
        .ok_or_else(|| Refusal::parameter("isv.invalid-app-id", "无效的AppID参数"))?
        .clone();
    let charset = need("charset", "isv.missing-charset")?;
    let charset = Charset::of_label(charset)
        .ok_or_else(|| Refusal::parameter("isv.invalid-charset", "字符集错误"))?;
    if need("version", "isv.missing-version")? != "1.0" {
        return Err(Refusal::parameter("isv.invalid-version", "无效的版本参数"));
    }
    if params
        .get("format")
        .is_some_and(|format| !format.eq_ignore_ascii_case("json"))
    {
        return Err(Refusal::parameter("isv.invalid-format", "无效的数据格式"));
    }
    let stamp = need("timestamp", "isv.missing-timestamp")?;
    let off = from_dashed(stamp).map(|at| Millis((now - at).0.saturating_abs()));
    if off.is_none_or(|off| off > CLOCK_TOLERANCE) {
        return Err(Refusal::parameter(
            "isv.invalid-timestamp",
            "非法的时间戳参数",
        ));
    }
    if merchant.mode == Mode::Certificates {
        check_certificates(gateway, &merchant, &params)?;
    }
    let text = charset
        .encode(&params.text_to_sign(&["sign"]))
        .ok_or_else(|| Refusal::parameter("isv.invalid-charset", "字符集错误"))?;
    if !merchant.verify_key.verify_sha256_base64(&text, sign) {
        let message = "验签出错，请确认签名、字符集与应用公钥";
        return Err(Refusal::parameter("isv.invalid-signature", message));
    }
    Ok(Caller {
        merchant,
        method,
        node: format!("{}_response", name.replace('.', "_")),
        content: Content::read(params.get("biz_content").unwrap_or("{}"))?,
        notify_url: params.get("notify_url").map(str::to_owned),
        charset,
        host: crate::protocols::host_of(request),
    })
}

fn check_certificates(
    gateway: &mut Gateway,
    merchant: &AlipayMerchant,
    params: &Pairs,
) -> Result<(), Refusal> {
    if params.get("app_cert_sn") != Some(&merchant.app_cert_sn) {
        return Err(Refusal::parameter(
            "isv.invalid-signature",
            "应用公钥证书SN有误",
        ));
    }
    if params.get("alipay_root_cert_sn") != Some(root_sn(gateway.alipay_keys()).as_str()) {
        let message = "支付宝根证书SN有误";
        return Err(Refusal::parameter("isv.invalid-signature", message));
    }
    Ok(())
}

/// Query and form together: kits put them in either.
fn parameters(request: &http::Request<Bytes>) -> Result<Pairs, Refusal> {
    let wrong = || Refusal::parameter("isv.invalid-parameter", "请求参数格式错误");
    let query = request.uri().query().unwrap_or("").as_bytes();
    let utf8 = Pairs::from_form(query, Charset::Utf8);
    let label = utf8.as_ref().ok().and_then(|pairs| pairs.get("charset"));
    let charset = label.and_then(Charset::of_label).unwrap_or(Charset::Utf8);
    let mut params = Pairs::from_form(query, charset).map_err(|_| wrong())?;
    let form = Pairs::from_form(request.body(), charset).map_err(|_| wrong())?;
    for (name, value) in form.iter() {
        if params.get(name).is_some_and(|other| other != value) {
            return Err(wrong());
        }
        params.set(name, value);
    }
    Ok(params)
}
