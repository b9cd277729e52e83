//! The gateway's own keys: public keys with an id, and platform certificates.

use qiantai_core::clock::Timestamp;
use rand::Rng;
use rand_chacha::ChaCha20Rng;
use serde_json::{Value, json};

use super::KeyMode;
use crate::gateway::{Gateway, Protocol};
use crate::keys::{Issued, RsaKey, Subject, certify};

/// Every key that signs or signed, the newest last.
#[derive(Clone, Debug, Default)]
pub(super) struct SigningKeys {
    public: Vec<SigningKey>,
    certificates: Vec<SigningKey>,
    rng: Option<ChaCha20Rng>,
    /// Signs what is forged.
    stranger: Option<RsaKey>,
}

/// One key of the gateway.
#[derive(Clone, Debug)]
pub(super) struct SigningKey {
    /// Id of a public key, or serial number of a certificate.
    pub serial: String,
    pub key: RsaKey,
    /// `None` for a public key.
    pub certificate: Option<Issued>,
}

impl SigningKeys {
    /// The key that an answer is signed with: the one that the request named, or the newest of
    /// the merchant's mode.
    pub fn of_answer(&self, mode: KeyMode, wished: Option<&str>) -> Option<&SigningKey> {
        match (mode, wished) {
            (KeyMode::Certificate, None) => self.certificates.last(),
            (KeyMode::PublicKey, None) => self.public.last(),
            (KeyMode::Certificate, Some(serial)) => self
                .certificates
                .iter()
                .find(|key| key.serial.eq_ignore_ascii_case(serial)),
            (KeyMode::PublicKey, Some(serial)) => {
                self.public.iter().find(|key| key.serial == serial)
            }
        }
    }

    /// The newest key of a mode.
    pub fn newest(&self, mode: KeyMode) -> &SigningKey {
        self.of_answer(mode, None)
            .expect("keys are drawn when the first merchant opens its account")
    }

    /// The certificates that are listed.
    pub fn certificates(&self) -> &[SigningKey] {
        &self.certificates
    }

    /// A key that is not the gateway's.
    pub fn stranger(&self) -> &RsaKey {
        self.stranger
            .as_ref()
            .expect("keys are drawn when the first merchant opens its account")
    }

    fn rng(&mut self) -> &mut ChaCha20Rng {
        self.rng
            .as_mut()
            .expect("the source is set when the first merchant opens its account")
    }

    fn draw_public(&mut self) {
        let number = self.rng().next_u32();
        let key = RsaKey::draw(self.rng());
        self.public.push(SigningKey {
            serial: format!("PUB_KEY_ID_01190000010920260101{number:018}"),
            key,
            certificate: None,
        });
    }

    fn draw_certificate(&mut self, now: Timestamp) {
        let serial = self.new_serial();
        let key = RsaKey::draw(self.rng());
        let subject = Subject {
            common_name: "Tenpay.com sign",
            organisation: "Tenpay.com",
            serial: &serial,
        };
        let certificate = Some(certify(&key, subject, None, now));
        self.certificates.push(SigningKey {
            serial,
            key,
            certificate,
        });
    }

    /// Forty hexadecimal digits, as the gateway's serial numbers have.
    pub fn new_serial(&mut self) -> String {
        let mut bytes = [0; 20];
        self.rng().fill_bytes(&mut bytes);
        bytes[0] = 0x5A;
        hex::encode_upper(bytes)
    }

    /// The next key of this source.
    pub fn draw(&mut self) -> RsaKey {
        RsaKey::draw(self.rng())
    }
}

impl Gateway {
    /// The gateway's keys, drawn when they are first needed.
    pub(super) fn wechat_keys(&mut self, mode: KeyMode, now: Timestamp) -> &mut SigningKeys {
        if self.sides.wechat.keys.rng.is_none() {
            let mut source = self.key_source(Protocol::Wechat as u64);
            self.sides.wechat.keys.stranger = Some(RsaKey::draw(&mut source));
            self.sides.wechat.keys.rng = Some(source);
        }
        let keys = &mut self.sides.wechat.keys;
        match mode {
            KeyMode::PublicKey if keys.public.is_empty() => keys.draw_public(),
            KeyMode::Certificate if keys.certificates.is_empty() => keys.draw_certificate(now),
            KeyMode::PublicKey | KeyMode::Certificate => {}
        }
        keys
    }

    /// The public keys of WeChat Pay with their ids, the newest last: what the merchant platform
    /// shows.
    pub fn wechat_public_keys(&self) -> Vec<Value> {
        let keys = &self.sides.wechat.keys.public;
        keys.iter()
            .map(|key| json!({"id": key.serial, "key": key.key.public_pem}))
            .collect()
    }

    /// Begins to sign with new keys, of the kinds that are in use.
    pub(crate) fn renew_wechat_keys(&mut self, now: Timestamp) {
        let keys = &mut self.sides.wechat.keys;
        if !keys.public.is_empty() {
            keys.draw_public();
        }
        if !keys.certificates.is_empty() {
            keys.draw_certificate(now);
        }
    }
}
