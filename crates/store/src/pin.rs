//! PINs at the terminal (docs: sync, "Staff"; domain §5.2): Argon2id, a secret of the key vault,
//! and a lock-out that survives restarts.
//!
//! Anybody can set the clock of a shop's computer, so the wall clock ends no lock-out. It ends
//! after [`LOCKED_FOR`] by the monotonic clock of the program that runs, which begins anew with
//! each start, or when the server, whose clock nobody in the shop can set, tells a time so much
//! later than the last it told before. Each way lets a person guess [`WRONG_TRIES_MAX`] times in
//! [`LOCKED_FOR`] at most.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use argon2::{Algorithm, Argon2, Params, Version};
use hmac::{Hmac, KeyInit, Mac};
use qiantai_core::ids::StaffId;
use qiantai_core::policy::PinHash;
use qiantai_core::{Millis, Timestamp};
use qiantai_wire::feed::StaffDto;
use rusqlite::Connection;
use sha2::Sha256;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::error::StoreError;
use crate::store::Store;
use crate::tables::cursor;
use crate::tables::staff_lock::{self, StaffLock};
use crate::tables::staff_pin::{self, StaffPin};

/// Wrong PINs in a row that lock a person out.
pub const WRONG_TRIES_MAX: u32 = 5;

/// How long the lock lasts.
pub const LOCKED_FOR: Millis = Millis::minutes(10);

/// Now, by both clocks of a terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// What the wall says: shown to people, believed by nobody.
    pub wall: Timestamp,
    /// Milliseconds of the running program's monotonic clock.
    pub monotonic_ms: u64,
}

/// Until when people are locked out, by the monotonic clock of this process. A lock-out of an
/// earlier one counts from the first look at it.
#[derive(Default)]
pub(crate) struct LockOuts(Mutex<HashMap<StaffId, u64>>);

impl LockOuts {
    fn known(&self) -> MutexGuard<'_, HashMap<StaffId, u64>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn begin(&self, staff: StaffId, now: Moment) {
        self.known().insert(staff, end_of_lock_out(now));
    }

    /// What is left of the lock-out of `staff`, if anything.
    fn left(&self, staff: StaffId, now: Moment) -> Option<Millis> {
        let mut known = self.known();
        let end = *known.entry(staff).or_insert_with(|| end_of_lock_out(now));
        let left = end.checked_sub(now.monotonic_ms).filter(|left| *left > 0)?;
        Some(Millis(i64::try_from(left).unwrap_or(LOCKED_FOR.0)))
    }

    fn end(&self, staff: StaffId) {
        self.known().remove(&staff);
    }
}

fn end_of_lock_out(now: Moment) -> u64 {
    now.monotonic_ms.saturating_add(LOCKED_FOR.0.unsigned_abs())
}

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
        /// When the next try is allowed, by the wall clock as it is set now.
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
        now: Moment,
    ) -> Result<Option<Timestamp>, StoreError> {
        self.read(|connection| {
            let lock = staff_lock::find(connection, staff)?;
            self.locked_until(connection, staff, lock, now)
        })
    }

    fn locked_until(
        &self,
        connection: &Connection,
        staff: StaffId,
        lock: StaffLock,
        now: Moment,
    ) -> Result<Option<Timestamp>, StoreError> {
        let Some(until) = lock.locked_until else {
            return Ok(None);
        };
        let told = cursor::find(connection)?.server_time;
        if told.is_some_and(|told| told >= until) {
            return Ok(None);
        }
        let left = self.lock_outs.left(staff, now);
        Ok(left.map(|left| now.wall + left))
    }

    /// Checks the PIN of `staff`. Takes some tens of milliseconds by design.
    ///
    /// A try is counted before the PIN is looked at, so that ending the program in between gives
    /// no free tries.
    pub fn check_pin(
        &self,
        staff: StaffId,
        pin: &str,
        now: Moment,
    ) -> Result<PinResult, StoreError> {
        let begun = self.write(|transaction| self.begin_try(transaction, staff, now))?;
        let (expected, left) = match begun {
            Try::Counted { expected, left } => (expected, left),
            Try::Ended(result) => return Ok(result),
        };
        let hash = hash(pin, &expected.salt);
        let verifier = verifier(&self.pepper, staff, &hash);
        if bool::from(verifier.ct_eq(&expected.verifier)) {
            self.write(|transaction| staff_lock::clear(transaction, staff))?;
            self.lock_outs.end(staff);
            return Ok(PinResult::Ok);
        }
        if left > 0 {
            return Ok(PinResult::Wrong { left });
        }
        Ok(PinResult::Locked {
            until: now.wall + LOCKED_FOR,
        })
    }

    fn begin_try(
        &self,
        connection: &Connection,
        staff: StaffId,
        now: Moment,
    ) -> Result<Try, StoreError> {
        let Some(expected) = staff_pin::find(connection, staff)? else {
            return Ok(Try::Ended(PinResult::UnknownStaff));
        };
        let mut lock = staff_lock::find(connection, staff)?;
        if let Some(until) = self.locked_until(connection, staff, lock, now)? {
            return Ok(Try::Ended(PinResult::Locked { until }));
        }
        if lock.locked_until.is_some() {
            lock = StaffLock::default();
        }
        lock.wrong_tries += 1;
        let left = WRONG_TRIES_MAX.saturating_sub(lock.wrong_tries);
        lock.locked_until = None;
        if left == 0 {
            // By the server's clock: a wall clock that was set back would end it at once.
            let told = cursor::find(connection)?.server_time;
            let from = told.map_or(now.wall, |told| told.max(now.wall));
            lock.locked_until = Some(from + LOCKED_FOR);
            self.lock_outs.begin(staff, now);
        }
        staff_lock::put(connection, staff, lock)?;
        Ok(Try::Counted { expected, left })
    }
}

/// What the rules of a shop keep of a PIN. Takes some tens of milliseconds by design.
pub fn hash_of(pin: &str, salt: [u8; 16]) -> PinHash {
    PinHash {
        salt,
        hash: *hash(pin, &salt),
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
