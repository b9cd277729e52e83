//! Settings of the channel, as they are written.

use serde::Deserialize;

use crate::secret::SecretText;

/// Settings of one merchant account.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WechatSettings {
    /// Where the gateway listens; without it the official address.
    #[serde(default = "official_address")]
    pub base_url: String,
    /// The app the merchant collects for: `wx` and 16 hexadecimal digits.
    pub appid: String,
    /// The merchant: 8 to 10 digits.
    pub mchid: String,
    /// The merchant API key in PEM (apiclient_key.pem).
    pub private_key: SecretText,
    /// The merchant API certificate in PEM (apiclient_cert.pem). Names the serial number, and is
    /// the client certificate of API v2.
    #[serde(default)]
    pub certificate: Option<String>,
    /// Serial number of the merchant API certificate, where the certificate itself is not given.
    #[serde(default)]
    pub serial_no: Option<String>,
    /// The APIv3 key: exactly 32 characters of ASCII.
    pub api_v3_key: SecretText,
    /// WeChat Pay public keys. The first is the one that answers are asked to be signed with;
    /// further ones are accepted while the gateway moves from one to another.
    #[serde(default)]
    pub public_keys: Vec<PublicKeySetting>,
    /// Platform certificates in PEM that are accepted as well.
    #[serde(default)]
    pub platform_certificates: Vec<String>,
    /// True for merchants in certificate mode: certificates are fetched and kept fresh. Merchants
    /// with a public key only get an error from the gateway when they ask.
    #[serde(default)]
    pub downloads_certificates: bool,
    /// Whether, and by which API, payment codes are charged.
    #[serde(default)]
    pub payment_code: CodeApiSetting,
    /// Our own number of the shop, sent with payment codes of API v3.
    #[serde(default)]
    pub store_id: Option<String>,
    /// The API v2 key: 32 characters, another than the APIv3 key.
    #[serde(default)]
    pub v2_key: Option<SecretText>,
    /// Address of this server as the gateway sees it, sent with payment codes of API v2.
    #[serde(default)]
    pub device_ip: Option<String>,
    /// The gateway wants an address for notices even when nobody can listen there. This one is
    /// sent where the server cannot be reached from outside.
    #[serde(default)]
    pub unattended_notify_url: Option<String>,
}

/// A WeChat Pay public key.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PublicKeySetting {
    /// Its name: `PUB_KEY_ID_` and digits.
    pub id: String,
    /// The key in PEM.
    pub key: String,
}

/// How payment codes are charged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CodeApiSetting {
    /// Not at all.
    #[default]
    Off,
    /// By API v3 (codepay).
    V3,
    /// By API v2 (micropay); reversing needs the client certificate.
    V2,
}

fn official_address() -> String {
    "https://api.mch.weixin.qq.com".to_owned()
}
