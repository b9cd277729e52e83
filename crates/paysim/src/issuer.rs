//! A gateway that certifies the keys of its own, and those of its merchants.

use qiantai_core::clock::Timestamp;
use rand::Rng;
use rand_chacha::ChaCha20Rng;

use crate::keys::{Issued, RsaKey, Subject, certify};

/// How a gateway's certificates read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct House {
    /// Whom the root names: common name and organisation.
    pub root: (&'static str, &'static str),
    /// Organisation of every other certificate.
    pub organisation: &'static str,
    /// Common name of the keys that sign.
    pub signer: &'static str,
    /// Length of serial numbers in bytes, and the first of them.
    pub serial: (usize, u8),
}

/// The gateway's keys: the newest signs.
#[derive(Clone, Debug)]
pub(crate) struct Issuer {
    house: House,
    rng: ChaCha20Rng,
    root_key: RsaKey,
    pub root: Issued,
    pub signers: Vec<Signer>,
    /// Signs what is forged.
    pub stranger: RsaKey,
}

/// A key of the gateway with its certificate.
#[derive(Clone, Debug)]
pub(crate) struct Signer {
    pub key: RsaKey,
    pub certificate: Issued,
}

impl Issuer {
    pub fn draw(house: House, mut rng: ChaCha20Rng, now: Timestamp) -> Issuer {
        let (stranger, root_key) = (RsaKey::draw(&mut rng), RsaKey::draw(&mut rng));
        let (common_name, organisation) = house.root;
        let subject = Subject {
            common_name,
            organisation,
            serial: &house.serial(&mut rng),
        };
        let root = certify(&root_key, subject, None, now);
        let mut issuer = Issuer {
            house,
            rng,
            root_key,
            root,
            signers: Vec::new(),
            stranger,
        };
        issuer.draw_signer(now);
        issuer
    }

    /// A key that signs from now on.
    pub fn draw_signer(&mut self, now: Timestamp) {
        let key = self.draw_key();
        let certificate = self.certify(&key, self.house.signer, now);
        self.signers.push(Signer { key, certificate });
    }

    /// A key for a merchant.
    pub fn draw_key(&mut self) -> RsaKey {
        RsaKey::draw(&mut self.rng)
    }

    /// A certificate by the root.
    pub fn certify(&mut self, key: &RsaKey, common_name: &str, now: Timestamp) -> Issued {
        let subject = Subject {
            common_name,
            organisation: self.house.organisation,
            serial: &self.house.serial(&mut self.rng),
        };
        certify(key, subject, Some((&self.root, &self.root_key)), now)
    }

    /// The key that signs now.
    pub fn newest(&self) -> &Signer {
        self.signers.last().expect("one is drawn with the others")
    }
}

impl House {
    fn serial(self, rng: &mut ChaCha20Rng) -> String {
        let (length, first) = self.serial;
        let mut bytes = vec![0; length];
        rng.fill_bytes(&mut bytes);
        bytes[0] = first;
        hex::encode_upper(bytes)
    }
}
