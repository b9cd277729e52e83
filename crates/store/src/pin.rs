//! PINs at the terminal (docs: sync, "Staff"; domain §5.2): Argon2id, a secret of the key vault,
//! and a lock-out that survives restarts.

use argon2::{Algorithm, Argon2, Params, Version};
use hmac::{Hmac, KeyInit, Mac};
use qiantai_core::ids::StaffId;
use qiantai_core::{Millis, Timestamp};
use qiantai_wire::feed::StaffDto;
use rusqlite::Connection;
use sha2::Sha256;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::error::StoreError;
use crate::store::Store;
use crate::tables::staff_lock::{self, StaffLock};
use crate::tables::staff_pin::{self, StaffPin};

/// Wrong PINs in a row that lock a person out.
pub const WRONG_TRIES_MAX: u32 = 5;

/// How long the lock lasts.
pub const LOCKED_FOR: Millis = Millis::minutes(10);

/// The answer to a PIN.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PinResult {
    /// It is the person's PIN.
    Ok,
    /// It is not.
    Wrong {
        /// Tries left before the lock.
        left: u32,
    },
    /// Too many wrong ones; the PIN was not looked at.
    Locked {
        /// When the next try is allowed.
        until: Timestamp,
    },
    /// Nobody of that name works here (any more).
    UnknownStaff,
}

impl Store {
    /// Until when `staff` is locked out, if at all.
    pub fn staff_locked_until(
        &self,
        staff: StaffId,
        now: Timestamp,
    ) -> Result<Option<Timestamp>, StoreError> {
        self.read(|connection| {
            let lock = staff_lock::find(connection, staff)?;
            Ok(lock.locked_until.filter(|until| *until > now))
        })
    }

    /// Checks the PIN of `staff`. Takes some tens of milliseconds by design.
    ///
    /// A try is counted before the PIN is looked at, so that ending the program in between gives
    /// no free tries.
    pub fn check_pin(
        &self,
        staff: StaffId,
        pin: &str,
        now: Timestamp,
    ) -> Result<PinResult, StoreError> {
        let begun = self.write(|transaction| begin_try(transaction, staff, now))?;
        let (expected, left) = match begun {
            Try::Counted { expected, left } => (expected, left),
            Try::Ended(result) => return Ok(result),
        };
        let hash = hash(pin, &expected.salt);
        let verifier = verifier(&self.pepper, staff, &hash);
        if bool::from(verifier.ct_eq(&expected.verifier)) {
            self.write(|transaction| staff_lock::clear(transaction, staff))?;
            return Ok(PinResult::Ok);
        }
        if left > 0 {
            return Ok(PinResult::Wrong { left });
        }
        Ok(PinResult::Locked {
            until: now + LOCKED_FOR,
        })
    }
}

/// Binds the PIN hashes of a policy to the pepper. People who left get no verifier.
pub(crate) fn take_over(
    connection: &Connection,
    pepper: &[u8; 32],
    policy_version: u32,
    staff: &[StaffDto],
) -> Result<(), StoreError> {
    let pins = staff.iter().filter(|person| person.active).map(|person| {
        let id = StaffId(person.id);
        let verifier = verifier(pepper, id, &person.pin_hash.0.0);
        (
            id,
            StaffPin {
                salt: person.pin_salt.0,
                verifier,
            },
        )
    });
    staff_pin::replace_all(connection, policy_version, pins)
}

enum Try {
    Counted { expected: StaffPin, left: u32 },
    Ended(PinResult),
}

fn begin_try(connection: &Connection, staff: StaffId, now: Timestamp) -> Result<Try, StoreError> {
    let Some(expected) = staff_pin::find(connection, staff)? else {
        return Ok(Try::Ended(PinResult::UnknownStaff));
    };
    let mut lock = staff_lock::find(connection, staff)?;
    if let Some(until) = lock.locked_until {
        // A clock that was set back must not lock a person out for longer than the rule says.
        let until = until.min(now + LOCKED_FOR);
        if now < until {
            staff_lock::put(
                connection,
                staff,
                StaffLock {
                    locked_until: Some(until),
                    ..lock
                },
            )?;
            return Ok(Try::Ended(PinResult::Locked { until }));
        }
        lock = StaffLock::default();
    }
    lock.wrong_tries += 1;
    let left = WRONG_TRIES_MAX.saturating_sub(lock.wrong_tries);
    lock.locked_until = (left == 0).then_some(now + LOCKED_FOR);
    staff_lock::put(connection, staff, lock)?;
    Ok(Try::Counted { expected, left })
}

/// Argon2id with the parameters of `qiantai_core::policy::Staff::pin`.
fn hash(pin: &str, salt: &[u8; 16]) -> Zeroizing<[u8; 32]> {
    let params = Params::new(19 * 1024, 2, 1, Some(32)).expect("the cost is within its bounds");
    let mut hash = Zeroizing::new([0; 32]);
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(pin.as_bytes(), salt, hash.as_mut_slice())
        .expect("a PIN, a salt of 16 bytes and 32 bytes of output are within the bounds");
    hash
}

fn verifier(pepper: &[u8; 32], staff: StaffId, hash: &[u8; 32]) -> [u8; 32] {
    Hmac::<Sha256>::new_from_slice(pepper)
        .expect("HMAC takes a key of any length")
        .chain_update(staff.0.as_bytes())
        .chain_update(hash)
        .finalize()
        .into_bytes()
        .into()
}
