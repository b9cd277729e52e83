//! A merchant account whose settings were checked.

use std::net::IpAddr;

use http::Uri;

use super::keyring::PlatformKeys;
use super::settings::{CodeApiSetting, WechatSettings};
use crate::credentials::Expiry;
use crate::crypto::{Aes256Key, Certificate, PrivateKey, VerifyKey};
use crate::secret::SecretText;
use crate::transport::ClientIdentity;

/// One merchant account.
#[derive(Clone, Debug)]
pub struct Account {
    /// Scheme and host, without a closing slash.
    pub base_url: String,
    /// The app the merchant collects for.
    pub appid: String,
    /// The merchant.
    pub mchid: String,
    /// Serial number of the merchant API certificate, upper case.
    pub serial_no: String,
    /// Signs our requests.
    pub private_key: PrivateKey,
    /// Opens notices and certificates.
    pub api_v3_key: Aes256Key,
    /// The gateway's keys that are in the settings.
    pub keys: PlatformKeys,
    /// The public key that answers are to be signed with; `None` in certificate mode.
    pub asked_key: Option<String>,
    /// Whether platform certificates are fetched.
    pub downloads_certificates: bool,
    /// How payment codes are charged.
    pub code_api: CodeApi,
    /// The address for notices that nobody listens to.
    pub unattended_notify_url: Option<String>,
    /// Certificates of the settings, with their ends.
    pub expiries: Vec<Expiry>,
}

/// How payment codes are charged, with what it takes.
#[derive(Clone, Debug)]
pub enum CodeApi {
    /// Not at all.
    Off,
    /// By API v3.
    V3 {
        /// Our own number of the shop.
        store_id: String,
    },
    /// By API v2.
    V2 {
        /// Signs API v2 messages.
        key: SecretText,
        /// The merchant API certificate with its key, for reversals.
        identity: ClientIdentity,
        /// Address of this server as the gateway sees it.
        device_ip: IpAddr,
    },
}

impl Account {
    /// Checks settings; the error names the setting and what is wrong with it, and no secret.
    pub fn new(settings: WechatSettings) -> Result<Account, String> {
        let private_key = PrivateKey::from_text(settings.private_key.expose())
            .map_err(|error| format!("private_key: {error}"))?;
        let certificate = settings
            .certificate
            .as_deref()
            .map(Certificate::from_pem)
            .transpose()
            .map_err(|error| format!("certificate: {error}"))?;
        if let Some(certificate) = &certificate {
            let key = certificate
                .verify_key()
                .map_err(|error| format!("certificate: {error}"))?;
            if !private_key.belongs_to(&key) {
                return Err("private_key does not belong to certificate".to_owned());
            }
        }
        let (keys, asked_key, mut expiries) = gateway_keys(&settings)?;
        expiries.extend(certificate.iter().map(|own| Expiry {
            credential: "certificate".to_owned(),
            at: own.not_after(),
        }));
        if keys.is_empty() && !settings.downloads_certificates {
            return Err(
                "public_keys is empty: give the WeChat Pay public key with its id, or \
                        set downloads_certificates for a merchant in certificate mode"
                    .to_owned(),
            );
        }
        let api_v3_key = Aes256Key::from_bytes(settings.api_v3_key.expose().as_bytes())
            .map_err(|error| format!("api_v3_key: {error}"))?;
        Ok(Account {
            base_url: checked_base_url(&settings.base_url)?,
            appid: checked_id("appid", &settings.appid, 18..=18)?,
            mchid: checked_mchid(&settings.mchid)?,
            serial_no: serial_no(&settings, certificate.as_ref())?,
            code_api: code_api(&settings, &private_key, certificate.as_ref())?,
            private_key,
            api_v3_key,
            keys,
            asked_key,
            downloads_certificates: settings.downloads_certificates,
            unattended_notify_url: settings.unattended_notify_url,
            expiries,
        })
    }
}

type GatewayKeys = (PlatformKeys, Option<String>, Vec<Expiry>);

fn gateway_keys(settings: &WechatSettings) -> Result<GatewayKeys, String> {
    let mut keys = PlatformKeys::default();
    let mut expiries = Vec::new();
    for named in &settings.public_keys {
        if !named.id.starts_with("PUB_KEY_ID_") {
            let id = &named.id;
            return Err(format!(
                "public_keys: {id:?} does not begin with PUB_KEY_ID_"
            ));
        }
        let key = VerifyKey::from_text(&named.key)
            .map_err(|error| format!("public_keys, {}: {error}", named.id))?;
        keys.hold(&named.id, key);
    }
    for pem in &settings.platform_certificates {
        let wrong = |error| format!("platform_certificates: {error}");
        let certificate = Certificate::from_pem(pem).map_err(wrong)?;
        keys.hold_certificate(&certificate).map_err(wrong)?;
        expiries.push(Expiry {
            credential: "platform_certificates".to_owned(),
            at: certificate.not_after(),
        });
    }
    // Fetched certificates replace these before they end.
    if settings.downloads_certificates {
        expiries.clear();
    }
    let asked_key = settings.public_keys.first().map(|key| key.id.clone());
    Ok((keys, asked_key, expiries))
}

fn serial_no(
    settings: &WechatSettings,
    certificate: Option<&Certificate>,
) -> Result<String, String> {
    let given = settings
        .serial_no
        .as_deref()
        .map(|serial| serial.trim().to_ascii_uppercase());
    let read = certificate
        .map(Certificate::serial_hex)
        .transpose()
        .map_err(|error| format!("certificate: {error}"))?;
    match (given, read) {
        (Some(given), Some(read)) if given != read => Err(format!(
            "serial_no is not that of certificate, which is {read}"
        )),
        (_, Some(serial)) => Ok(serial),
        (Some(serial), None) => {
            if serial.is_empty() || !serial.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                return Err("serial_no must be hexadecimal".to_owned());
            }
            Ok(serial)
        }
        (None, None) => Err("give serial_no or certificate".to_owned()),
    }
}

fn code_api(
    settings: &WechatSettings,
    private_key: &PrivateKey,
    certificate: Option<&Certificate>,
) -> Result<CodeApi, String> {
    let lacks = |name: &str, version: &str| {
        format!("{name} is missing; payment codes by API {version} need it")
    };
    match settings.payment_code {
        CodeApiSetting::Off => Ok(CodeApi::Off),
        CodeApiSetting::V3 => Ok(CodeApi::V3 {
            store_id: settings
                .store_id
                .clone()
                .filter(|id| !id.is_empty())
                .ok_or_else(|| lacks("store_id", "v3"))?,
        }),
        CodeApiSetting::V2 => {
            let key = settings
                .v2_key
                .clone()
                .ok_or_else(|| lacks("v2_key", "v2"))?;
            if key.expose().len() != 32 {
                let length = key.expose().len();
                return Err(format!("v2_key has {length} bytes; exactly 32 are needed"));
            }
            let certificate = certificate.ok_or_else(|| lacks("certificate", "v2"))?;
            let address = settings.device_ip.as_deref();
            let address = address.ok_or_else(|| lacks("device_ip", "v2"))?;
            Ok(CodeApi::V2 {
                key,
                identity: ClientIdentity::new(certificate, private_key)
                    .map_err(|error| format!("certificate: {error}"))?,
                device_ip: address
                    .parse()
                    .map_err(|_| "device_ip is not an IP address".to_owned())?,
            })
        }
    }
}

fn checked_base_url(text: &str) -> Result<String, String> {
    let base: Uri = text
        .parse()
        .map_err(|_| "base_url is not an address".to_owned())?;
    let is_web = matches!(base.scheme_str(), Some("http" | "https"));
    if !is_web || base.path() != "/" || base.query().is_some() {
        return Err("base_url must be http:// or https:// and a host, without a path".to_owned());
    }
    Ok(text.trim_end_matches('/').to_owned())
}

pub(super) fn checked_mchid(text: &str) -> Result<String, String> {
    if !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err("mchid must be digits".to_owned());
    }
    checked_id("mchid", text, 8..=10)
}

pub(super) fn checked_id(
    name: &str,
    text: &str,
    length: std::ops::RangeInclusive<usize>,
) -> Result<String, String> {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if !is_plain || !length.contains(&text.len()) {
        let (least, most) = (length.start(), length.end());
        return Err(format!(
            "{name} must be {least} to {most} letters and digits"
        ));
    }
    Ok(text.to_owned())
}
