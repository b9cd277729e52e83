//! Merchants of Alipay, the gateway's keys, and how one opens a practice account.

use qiantai_core::clock::Timestamp;
use qiantai_pay::channels::alipay::{cert_sn, root_cert_sn};
use qiantai_pay::crypto::VerifyKey;
use serde_json::{Value, json};

use crate::gateway::{Gateway, Protocol};
use crate::issuer::{House, Issuer};
use crate::keys::Issued;

/// How merchant and gateway know each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// By bare public keys.
    Keys,
    /// By certificates.
    Certificates,
}

/// A practice account to be opened.
#[derive(Clone, Copy, Debug)]
pub struct AlipayOpening<'a> {
    /// What customers see.
    pub name: &'a str,
    /// Number of the application: digits.
    pub app_id: &'a str,
    /// How merchant and gateway know each other.
    pub mode: Mode,
}

/// What the gateway knows of a merchant.
#[derive(Clone, Debug)]
pub(super) struct AlipayMerchant {
    pub app_id: String,
    pub seller_id: String,
    pub mode: Mode,
    pub verify_key: VerifyKey,
    /// Name of the application's certificate; empty in key mode.
    pub app_cert_sn: String,
}

const SELLER: &str = "2088000000000001";

const HOUSE: House = House {
    root: ("Ant Financial Certification Authority R1", "Ant Financial"),
    organisation: "Ant Financial",
    signer: "支付宝(中国)网络技术有限公司-2088",
    serial: (16, 0x20),
};

/// Name of the root certificates.
pub(super) fn root_sn(keys: &Issuer) -> String {
    root_cert_sn(&keys.root.pem).expect("the bundle holds one RSA certificate")
}

/// Name of a certificate.
pub(super) fn sn(issued: &Issued) -> String {
    cert_sn(&issued.certificate).expect("the library reads what it wrote")
}

impl Gateway {
    /// Opens a practice account with fresh keys, and gives the settings with which the channel
    /// `alipay` reaches it at `base_url`. They hold the merchant's key in clear.
    pub fn open_alipay(
        &mut self,
        opening: AlipayOpening<'_>,
        base_url: &str,
        now: Timestamp,
    ) -> Value {
        self.name_shop(Protocol::Alipay, opening.app_id, opening.name);
        if self.sides.alipay.keys.is_none() {
            let source = self.key_source(Protocol::Alipay as u64);
            self.sides.alipay.keys = Some(Issuer::draw(HOUSE, source, now));
        }
        let keys = self.alipay_keys();
        let own = keys.draw_key();
        let mut settings = json!({
            "base_url": base_url,
            "app_id": opening.app_id,
            "seller_id": SELLER,
            "private_key": own.private_pem,
        });
        let mut app_cert_sn = String::new();
        match opening.mode {
            Mode::Keys => {
                settings["alipay_public_keys"] = json!([keys.newest().key.public_pem]);
            }
            Mode::Certificates => {
                let certificate = keys.certify(&own, opening.app_id, now);
                app_cert_sn = sn(&certificate);
                settings["app_certificate"] = json!(certificate.pem);
                settings["alipay_certificates"] = json!([keys.newest().certificate.pem]);
                settings["alipay_root_certificates"] = json!(keys.root.pem);
            }
        }
        let merchant = AlipayMerchant {
            app_id: opening.app_id.to_owned(),
            seller_id: SELLER.to_owned(),
            mode: opening.mode,
            verify_key: own
                .private
                .verify_key()
                .expect("an RSA key has a public half"),
            app_cert_sn,
        };
        let merchants = &mut self.sides.alipay.merchants;
        merchants.insert(opening.app_id.to_owned(), merchant);
        settings
    }

    /// The bare public keys of Alipay, the newest last: what the open platform shows.
    pub fn alipay_public_keys(&self) -> Vec<String> {
        let keys = self.sides.alipay.keys.iter();
        keys.flat_map(|keys| &keys.signers)
            .map(|signer| signer.key.public_pem.clone())
            .collect()
    }

    /// Begins to sign with a new key.
    pub(crate) fn renew_alipay_keys(&mut self, now: Timestamp) {
        if let Some(keys) = &mut self.sides.alipay.keys {
            keys.draw_signer(now);
        }
    }

    pub(super) fn alipay_keys(&mut self) -> &mut Issuer {
        let keys = self.sides.alipay.keys.as_mut();
        keys.expect("keys are drawn when the first merchant opens its account")
    }
}
