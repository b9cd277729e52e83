//! Merchants of WeChat Pay, and how one opens a practice account.

use qiantai_core::clock::Timestamp;
use qiantai_pay::SecretText;
use qiantai_pay::crypto::{Aes256Key, VerifyKey};
use serde_json::{Value, json};

use super::Side;
use crate::gateway::{Gateway, Protocol};
use crate::keys::{Issued, Subject, certify};

/// How a merchant verifies what the gateway says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyMode {
    /// By a public key with an id: all newer merchants.
    PublicKey,
    /// By platform certificates, which are fetched.
    Certificate,
}

/// By which API a merchant charges payment codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CodeApi {
    /// API v3.
    V3,
    /// API v2.
    V2,
}

/// A practice account to be opened.
#[derive(Clone, Copy, Debug)]
pub struct WechatOpening<'a> {
    /// What customers see.
    pub name: &'a str,
    /// Merchant number: 8 to 10 digits.
    pub mchid: &'a str,
    /// How the gateway's messages are verified.
    pub mode: KeyMode,
    /// How payment codes are charged.
    pub codes: CodeApi,
}

/// What the gateway knows of a merchant.
#[derive(Clone, Debug)]
pub(super) struct WechatMerchant {
    pub mchid: String,
    pub appid: String,
    pub mode: KeyMode,
    pub codes: CodeApi,
    /// Serial number of the merchant API certificate.
    pub serial_no: String,
    pub verify_key: VerifyKey,
    pub certificate: Issued,
    pub api_v3_key: Aes256Key,
    pub v2_key: SecretText,
}

const PRACTICE_APPID: &str = "wx0123456789abcdef";
const PRACTICE_STORE: &str = "S01";

impl Gateway {
    /// Opens a practice account with fresh keys, and gives the settings with which the channel
    /// `wechat` reaches it at `base_url`. They hold the keys of both sides in clear.
    pub fn open_wechat(
        &mut self,
        opening: WechatOpening<'_>,
        base_url: &str,
        now: Timestamp,
    ) -> Value {
        self.name_shop(Protocol::Wechat, opening.mchid, opening.name);
        let keys = self.wechat_keys(opening.mode, now);
        let (own_serial, root_serial) = (keys.new_serial(), keys.new_serial());
        let (own, root) = (keys.draw(), keys.draw());
        let subject = |common_name, serial| Subject {
            common_name,
            organisation: "Tenpay.com",
            serial,
        };
        let issuer = certify(
            &root,
            subject("Tenpay.com Root CA", &root_serial),
            None,
            now,
        );
        let named = subject(opening.mchid, &own_serial);
        let certificate = certify(&own, named, Some((&issuer, &root)), now);
        let gateway_key = keys.newest(opening.mode);
        let public_keys = match opening.mode {
            KeyMode::PublicKey => {
                json!([{"id": gateway_key.serial, "key": gateway_key.key.public_pem}])
            }
            KeyMode::Certificate => json!([]),
        };
        let (api_v3_key, v2_key) = (self.new_nonce(), self.new_nonce());
        let settings = json!({
            "base_url": base_url,
            "appid": PRACTICE_APPID,
            "mchid": opening.mchid,
            "private_key": own.private_pem,
            "certificate": certificate.pem,
            "api_v3_key": api_v3_key,
            "public_keys": public_keys,
            "downloads_certificates": opening.mode == KeyMode::Certificate,
            "payment_code": match opening.codes { CodeApi::V3 => "v3", CodeApi::V2 => "v2" },
            "store_id": PRACTICE_STORE,
            "v2_key": v2_key,
            "device_ip": "127.0.0.1",
            "unattended_notify_url": "http://nobody.invalid/notices/wechat",
        });
        let merchant = WechatMerchant {
            mchid: opening.mchid.to_owned(),
            appid: PRACTICE_APPID.to_owned(),
            mode: opening.mode,
            codes: opening.codes,
            serial_no: own_serial,
            verify_key: own
                .private
                .verify_key()
                .expect("an RSA key has a public half"),
            certificate,
            api_v3_key: Aes256Key::from_bytes(api_v3_key.as_bytes())
                .expect("a nonce has 32 characters"),
            v2_key: SecretText::new(v2_key),
        };
        let merchants = &mut self.sides.wechat.merchants;
        merchants.insert(opening.mchid.to_owned(), merchant);
        settings
    }
}

impl Side {
    pub(super) fn merchant(&self, mchid: &str) -> Option<&WechatMerchant> {
        self.merchants.get(mchid)
    }
}
