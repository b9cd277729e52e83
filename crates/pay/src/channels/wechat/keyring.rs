//! The gateway's keys by serial number, and when to fetch new ones.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use qiantai_core::clock::{Millis, Timestamp};

use crate::crypto::{Certificate, CryptoError, VerifyKey};

/// Keys that sign what the gateway says: public keys and platform certificates side by side, as
/// a gateway that moves from one to the other uses both.
#[derive(Clone, Debug, Default)]
pub struct PlatformKeys(BTreeMap<String, HeldKey>);

#[derive(Clone, Debug)]
struct HeldKey {
    key: VerifyKey,
    /// First and last instant, for certificates; public keys do not expire.
    validity: Option<(Timestamp, Timestamp)>,
}

impl PlatformKeys {
    /// Holds a public key under its name.
    pub fn hold(&mut self, serial: &str, key: VerifyKey) {
        let validity = None;
        self.0.insert(normal(serial), HeldKey { key, validity });
    }

    /// Holds a certificate under its serial number, between its dates.
    pub fn hold_certificate(&mut self, certificate: &Certificate) -> Result<(), CryptoError> {
        let held = HeldKey {
            key: certificate.verify_key()?,
            validity: Some((certificate.not_before(), certificate.not_after())),
        };
        self.0.insert(normal(&certificate.serial_hex()?), held);
        Ok(())
    }

    /// The key of that serial number, if it holds now. No other key is ever a substitute.
    pub fn find(&self, serial: &str, now: Timestamp) -> Option<&VerifyKey> {
        let held = self.0.get(&normal(serial))?;
        let holds = held
            .validity
            .is_none_or(|(first, last)| (first..=last).contains(&now));
        holds.then_some(&held.key)
    }

    /// True without any key.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Takes over another set; keys of both are held.
    fn join(&mut self, other: PlatformKeys) {
        self.0.extend(other.0);
    }

    fn drop_expired(&mut self, now: Timestamp) {
        self.0
            .retain(|_, held| held.validity.is_none_or(|(_, last)| now <= last));
    }
}

/// Serial numbers are compared without case and without leading zeros, which some tools drop.
fn normal(serial: &str) -> String {
    let upper = serial.trim().to_ascii_uppercase();
    upper.trim_start_matches('0').to_owned()
}

/// The keys of an account that fetches certificates, with the time of the next fetch.
#[derive(Debug)]
pub(super) struct Keyring {
    held: Mutex<Held>,
}

#[derive(Debug)]
struct Held {
    keys: PlatformKeys,
    next_fetch: Timestamp,
    last_fetch: Option<Timestamp>,
}

/// How long a fetched list serves; the gateway asks for at most 12 hours.
const REFRESH: Millis = Millis::hours(12);
/// Least time between two fetches: unknown serial numbers can be anybody's invention.
const REST: Millis = Millis::minutes(1);

impl Keyring {
    /// Begins with the keys of the settings, and a fetch that is due.
    pub(super) fn new(keys: PlatformKeys) -> Keyring {
        Keyring {
            held: Mutex::new(Held {
                keys,
                next_fetch: Timestamp::from_ms(i64::MIN),
                last_fetch: None,
            }),
        }
    }

    pub(super) fn keys(&self) -> PlatformKeys {
        self.lock().keys.clone()
    }

    pub(super) fn is_due(&self, now: Timestamp) -> bool {
        self.lock().next_fetch <= now
    }

    /// Makes a fetch due because a message named a serial number that is not held.
    pub(super) fn ask_for_more(&self, now: Timestamp) {
        let mut held = self.lock();
        let soonest = held.last_fetch.map_or(now, |at| at + REST);
        held.next_fetch = held.next_fetch.min(soonest.max(now));
    }

    /// Takes over a fetched list. Old keys stay until they expire.
    pub(super) fn fetched(&self, keys: PlatformKeys, now: Timestamp) {
        let mut held = self.lock();
        held.keys.drop_expired(now);
        held.keys.join(keys);
        held.last_fetch = Some(now);
        held.next_fetch = now + REFRESH;
    }

    /// Notes a fetch that failed.
    pub(super) fn failed(&self, now: Timestamp) {
        let mut held = self.lock();
        held.last_fetch = Some(now);
        held.next_fetch = now + REST;
    }

    fn lock(&self) -> MutexGuard<'_, Held> {
        // Every change above is complete in itself, so a panic elsewhere leaves nothing half done.
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_ms(1_767_225_600_000);

    #[test]
    fn serial_numbers_are_compared_as_numbers() {
        let check = |left: &str, right: &str, expected| {
            assert_eq!(normal(left) == normal(right), expected, "{left} {right}");
        };
        check("d7ce59d1", "D7CE59D1", true);
        check("00D7CE59D1", "D7CE59D1", true);
        check("D7CE59D1", "D7CE59D10", false);
        check("PUB_KEY_ID_01", "PUB_KEY_ID_01", true);
        check("PUB_KEY_ID_01", "PUB_KEY_ID_1", false);
    }

    #[test]
    fn certificates_are_fetched_at_once_then_twice_a_day_or_when_a_serial_is_unknown() {
        let ring = Keyring::new(PlatformKeys::default());
        let check = |after: Millis, expected| {
            assert_eq!(ring.is_due(NOW + after), expected, "{after:?}");
        };
        check(Millis(0), true);
        ring.failed(NOW);
        check(Millis::seconds(59), false);
        check(Millis::seconds(60), true);
        ring.fetched(PlatformKeys::default(), NOW);
        check(Millis(Millis::hours(12).0 - 1), false);
        check(Millis::hours(12), true);
        ring.ask_for_more(NOW + Millis::seconds(5));
        check(Millis::seconds(59), false);
        check(Millis::seconds(60), true);
        ring.fetched(PlatformKeys::default(), NOW);
        ring.ask_for_more(NOW + Millis::hours(2));
        check(Millis::hours(2), true);
    }
}
