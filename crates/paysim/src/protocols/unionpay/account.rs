//! Merchants of UnionPay, the gateway's keys, and how one opens a practice account.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use qiantai_core::clock::Timestamp;
use qiantai_pay::Pairs;
use qiantai_pay::channels::unionpay::signature::digest_hex;
use qiantai_pay::crypto::VerifyKey;
use serde_json::{Value, json};

use crate::gateway::{Gateway, Protocol};
use crate::issuer::{House, Issuer};
use crate::keys::key_store;

/// A practice account to be opened.
#[derive(Clone, Copy, Debug)]
pub struct UnionpayOpening<'a> {
    /// What customers see.
    pub name: &'a str,
    /// Merchant number: fifteen digits and letters.
    pub mer_id: &'a str,
}

/// What the gateway knows of a merchant.
#[derive(Clone, Debug)]
pub(super) struct UnionpayMerchant {
    /// Serial number of the merchant's certificate, in decimal.
    pub cert_id: String,
    verify_key: VerifyKey,
}

impl UnionpayMerchant {
    pub fn has_signed(&self, params: &Pairs) -> bool {
        let signature = params.get("signature").unwrap_or_default();
        digest_hex(params).is_ok_and(|digest| {
            self.verify_key
                .verify_sha256_base64(digest.as_bytes(), signature)
        })
    }
}

const PASSWORD: &str = "000000";

const HOUSE: House = House {
    root: ("CFCA ACS OCA31", "China Financial Certification Authority"),
    organisation: "China UnionPay",
    signer: "041@Z12@中国银联股份有限公司@00000001",
    serial: (10, 0x10),
};

impl Gateway {
    /// Opens a practice account with a fresh key, and gives the settings with which the channel
    /// `unionpay` reaches it at `base_url`. They hold the merchant's key and its password.
    pub fn open_unionpay(
        &mut self,
        opening: UnionpayOpening<'_>,
        base_url: &str,
        now: Timestamp,
    ) -> Value {
        self.name_shop(Protocol::Unionpay, opening.mer_id, opening.name);
        let source = self.key_source(Protocol::Unionpay as u64);
        let side = &mut self.sides.unionpay;
        let keys = side
            .keys
            .get_or_insert_with(|| Issuer::draw(HOUSE, source, now));
        let own = keys.draw_key();
        let certificate = keys.certify(&own, opening.mer_id, now);
        let settings = json!({
            "base_url": base_url,
            "merchant_id": opening.mer_id,
            "key_store": BASE64.encode(key_store(&own, &certificate, PASSWORD)),
            "key_store_password": PASSWORD,
            "trusted_certificates": keys.root.pem,
            "terminal_id": "00000001",
        });
        let cert_id = certificate.certificate.serial_decimal();
        let merchant = UnionpayMerchant {
            cert_id: cert_id.expect("the library reads what it wrote"),
            verify_key: own
                .private
                .verify_key()
                .expect("an RSA key has a public half"),
        };
        side.merchants.insert(opening.mer_id.to_owned(), merchant);
        settings
    }

    /// Begins to sign with a new key, certified by the same root.
    pub(crate) fn renew_unionpay_keys(&mut self, now: Timestamp) {
        if let Some(keys) = &mut self.sides.unionpay.keys {
            keys.draw_signer(now);
        }
    }
}
