//! Alipay (支付宝), product 当面付: QR codes and payment codes over the open platform's gateway.
//!
//! One address takes every method as a signed form and answers in JSON, of which one node is
//! signed. Alipay is trusted by its bare public key, or by certificates.

mod bill;
mod certificate;
mod client;
mod codes;
mod keys;
mod message;
mod read;
pub(crate) mod set_up;
pub mod signature;

use serde::Deserialize;

pub use bill::{AlipayBill, AlipayBillError};
pub use certificate::{cert_sn, root_cert_sn};
pub use client::AlipayChannel;

use super::QrLife;
use crate::channel::ChannelId;
use crate::secret::SecretText;

/// This channel's name.
pub const ID: ChannelId = ChannelId("alipay");

/// Settings of the channel. Either `alipay_public_keys` or all three of the certificates.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AlipayConfig {
    /// The gateway, without `/gateway.do`.
    #[serde(default = "gateway")]
    pub base_url: String,
    /// Number of the application (应用 APPID).
    pub app_id: String,
    /// The shop's account (2088…), compared in notices where it is set.
    #[serde(default)]
    pub seller_id: Option<String>,
    /// The application's private key: PEM, or its base64 text alone.
    pub private_key: SecretText,
    /// Key mode: Alipay's public key (支付宝公钥, not ours), and while it changes the old one.
    #[serde(default)]
    pub alipay_public_keys: Vec<String>,
    /// Certificate mode: the application's certificate, PEM.
    #[serde(default)]
    pub app_certificate: Option<String>,
    /// Certificate mode: Alipay's certificates, PEM files as downloaded; while one changes, both.
    #[serde(default)]
    pub alipay_certificates: Vec<String>,
    /// Certificate mode: Alipay's root bundle, PEM file as downloaded.
    #[serde(default)]
    pub alipay_root_certificates: Option<String>,
    /// Service providers' token for this shop.
    #[serde(default)]
    pub app_auth_token: Option<SecretText>,
    /// How long our QR codes live.
    #[serde(default)]
    pub qr_minutes: QrLife,
}

fn gateway() -> String {
    "https://openapi.alipay.com".to_owned()
}
