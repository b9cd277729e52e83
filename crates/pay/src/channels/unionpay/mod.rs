//! UnionPay (云闪付): the online gateway (ACP 5.1.0), QR codes and payment codes.
//!
//! Everything is sorted pairs signed by certificate. A transaction is known by its number and
//! time together; the time is the one that our number carries, so that nothing has to be kept.

mod client;
mod codes;
mod message;
mod read;
pub(crate) mod set_up;
pub mod signature;

use serde::Deserialize;

pub use super::keyed_md5::{keyed_md5_upper, keyed_text};
pub use client::UnionpayChannel;

use super::QrLife;
use crate::channel::ChannelId;
use crate::secret::SecretText;

/// This channel's name.
pub const ID: ChannelId = ChannelId("unionpay");

/// Settings of the channel.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UnionpayConfig {
    /// The gateway; the test system is `https://gateway.test.95516.com`.
    #[serde(default = "gateway")]
    pub base_url: String,
    /// Merchant number, fifteen digits and letters.
    pub merchant_id: String,
    /// The merchant's PKCS#12 file (.pfx) from UnionPay, in base64.
    pub key_store: SecretText,
    /// Its password.
    pub key_store_password: SecretText,
    /// UnionPay's root and middle certificates, PEM.
    pub trusted_certificates: String,
    /// Our terminal number at UnionPay, eight digits and letters.
    #[serde(default)]
    pub terminal_id: Option<String>,
    /// How long our QR codes live.
    #[serde(default)]
    pub qr_minutes: QrLife,
}

/// Whether a text can be a merchant number.
fn is_merchant_id(text: &str) -> bool {
    text.len() == 15 && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

fn gateway() -> String {
    "https://gateway.95516.com".to_owned()
}
