//! The store: one writer, a few readers, one file.

use std::path::{Path, PathBuf};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError, TryLockError};

use qiantai_sqlite::{Migration, OpenOptions, migrate, migrations, open};
use rusqlite::{Connection, Transaction, TransactionBehavior};
use zeroize::Zeroizing;

use crate::error::{OpenError, StoreError};
use crate::pin::LockOuts;
use crate::tables;

/// The schema, step by step.
pub(crate) const MIGRATIONS: &[Migration] = migrations!(
    "../../migrations/terminal":
    1 "0001_start", 2 "0002_pruning", 3 "0003_ages", 4 "0004_new_members",
    5 "0005_payment_reference", 6 "0006_torn_prints",
    7 "0007_shop_code_reference", 8 "0008_leases",
    9 "0009_case_by_order", 10 "0010_snapshot_own_seq"
);

/// Connections for reading. The counter asks for little at a time; more would only cost memory.
const READERS: usize = 3;

/// Pages that a connection keeps decrypted, in KiB: room for the inner pages of every index at a
/// million members. A connection takes no more of it than it uses, and the reader used last is
/// used next, so that seldom more than one is warm.
const CACHE_KIB: u32 = 16 * 1024;

/// Own operations whose chain is proven again at each start. Older ones were proven before, and
/// every page read is authenticated.
const OPERATIONS_PROVEN_AT_START: u64 = 1_000;

/// The terminal's encrypted database. Every call blocks; asynchronous callers move it to a thread
/// that may block. Reads run beside writes and see what was committed last.
pub struct Store {
    // Readers are closed before the writer: the last connection folds the log into the file, and
    // only the writer may.
    readers: Mutex<Vec<Connection>>,
    writer: Mutex<Connection>,
    reader_returned: Condvar,
    path: PathBuf,
    pub(crate) pepper: Zeroizing<[u8; 32]>,
    pub(crate) lock_outs: LockOuts,
}

/// What the store needs of the key vault.
pub struct StoreKeys {
    /// SQLCipher key.
    pub db_key: [u8; 32],
    /// Secret of the PIN verifiers.
    pub pin_pepper: [u8; 32],
}

impl From<&crate::vault::Secrets> for StoreKeys {
    fn from(secrets: &crate::vault::Secrets) -> StoreKeys {
        StoreKeys {
            db_key: secrets.terminal_db_key,
            pin_pepper: secrets.pin_pepper,
        }
    }
}

impl Drop for StoreKeys {
    fn drop(&mut self) {
        zeroize::Zeroize::zeroize(&mut self.db_key);
        zeroize::Zeroize::zeroize(&mut self.pin_pepper);
    }
}

impl Store {
    /// Opens the store at `path`, or makes it when absent.
    pub fn open_or_create(path: &Path, keys: &StoreKeys) -> Result<Store, OpenError> {
        Store::open_with(path, keys, true)
    }

    /// Opens the store at `path`, which must exist. Nothing is changed when it does not open.
    pub fn open(path: &Path, keys: &StoreKeys) -> Result<Store, OpenError> {
        Store::open_with(path, keys, false)
    }

    fn open_with(path: &Path, keys: &StoreKeys, create: bool) -> Result<Store, OpenError> {
        let connect = |create, read_only| -> Result<Connection, OpenError> {
            let key = Some(keys.db_key);
            let connection = open(
                path,
                OpenOptions {
                    key,
                    create,
                    read_only,
                },
            )?;
            connection
                .execute_batch(&format!("PRAGMA cache_size = -{CACHE_KIB};"))
                .map_err(StoreError::from)?;
            Ok(connection)
        };
        let mut writer = connect(create, false)?;
        migrate(&mut writer, MIGRATIONS)?;
        let last = tables::operation::head(&writer)?.device_seq;
        tables::operation::prove_chain(&writer, last.saturating_sub(OPERATIONS_PROVEN_AT_START))?;
        let readers = (0..READERS)
            .map(|_| connect(false, true))
            .collect::<Result<Vec<_>, _>>()?;
        let store = Store {
            writer: Mutex::new(writer),
            readers: Mutex::new(readers),
            reader_returned: Condvar::new(),
            path: path.to_owned(),
            pepper: Zeroizing::new(keys.pin_pepper),
            lock_outs: LockOuts::default(),
        };
        store.write(tables::print_job::fail_interrupted)?;
        Ok(store)
    }

    /// The database file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Bounds the file; beyond it writing fails as on a full disk.
    pub fn limit_pages(&self, pages_max: u32) -> Result<(), StoreError> {
        let writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(writer.pragma_update(None, "max_page_count", pages_max)?)
    }

    /// Reads every page of the file and proves the whole chain of own operations. Takes seconds
    /// on a large store; meant for support, and after a fault was reported.
    pub fn check_everything(&self) -> Result<(), OpenError> {
        // On a reader: this takes long, and a sale must not wait for it.
        snapshot(ReaderLease::take(self).connection(), |connection| {
            let finding: String =
                connection.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
            Ok(match finding.as_str() {
                "ok" => tables::operation::prove_chain(connection, 0).map_err(OpenError::from),
                _ => Err(OpenError::Corrupt(finding)),
            })
        })?
    }

    /// Runs `work` in one transaction that takes the write lock first; rolls back on error.
    pub(crate) fn write<T, E: From<StoreError>>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        // A panic while writing rolled its transaction back, so the connection is fit for use.
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let transaction = writer
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(StoreError::from)?;
        let value = work(&transaction)?;
        transaction.commit().map_err(StoreError::from)?;
        Ok(value)
    }

    /// Runs `work` on one snapshot of what is committed.
    ///
    /// While nobody writes, on the writer: its pages stay decrypted over its own commits, and each
    /// of those makes a reader decrypt all that it needs anew.
    pub(crate) fn read<T>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let idle_writer = match self.writer.try_lock() {
            Ok(writer) => Some(writer),
            Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        };
        match idle_writer {
            Some(mut writer) => snapshot(&mut writer, work),
            None => snapshot(ReaderLease::take(self).connection(), work),
        }
    }

    fn idle_readers(&self) -> MutexGuard<'_, Vec<Connection>> {
        self.readers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn snapshot<T>(
    connection: &mut Connection,
    work: impl FnOnce(&Connection) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    let transaction = connection.transaction()?;
    let value = work(&transaction)?;
    transaction.commit()?;
    Ok(value)
}

/// A reader on loan; it goes back even when its work panics.
struct ReaderLease<'a> {
    store: &'a Store,
    connection: Option<Connection>,
}

impl<'a> ReaderLease<'a> {
    fn take(store: &'a Store) -> ReaderLease<'a> {
        let mut idle = store.idle_readers();
        loop {
            if let Some(connection) = idle.pop() {
                return ReaderLease {
                    store,
                    connection: Some(connection),
                };
            }
            idle = store
                .reader_returned
                .wait(idle)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn connection(&mut self) -> &mut Connection {
        self.connection
            .as_mut()
            .expect("a lease holds its reader until it is dropped")
    }
}

impl Drop for ReaderLease<'_> {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take() {
            self.store.idle_readers().push(connection);
            self.store.reader_returned.notify_one();
        }
    }
}

#[cfg(test)]
mod tests {
    use qiantai_core::Timestamp;
    use qiantai_sqlite::Fault;
    use uuid::Uuid;

    use super::{Store, StoreKeys};
    use crate::error::StoreError;
    use crate::tables::print_job::NewPrintJob;

    fn queue(store: &Store, number: u128) -> Result<(), StoreError> {
        store.queue_prints(&[NewPrintJob {
            id: Uuid::from_u128(number),
            kind: "recharge_receipt".to_owned(),
            order: None,
            copy: 0,
            printer: "counter".to_owned(),
            document: vec![7; 60_000],
            queued_at: Timestamp::from_ms(0),
        }])
    }

    #[test]
    fn a_full_disk_writes_nothing_and_the_store_goes_on_when_there_is_room() {
        let folder = tempfile::tempdir().expect("the store works");
        let keys = StoreKeys {
            db_key: [7; 32],
            pin_pepper: [9; 32],
        };
        let store = Store::open_or_create(&folder.path().join("terminal.db"), &keys)
            .expect("the store works");
        store.limit_pages(100).expect("the store works");
        let mut queued = 0;
        let error = loop {
            match queue(&store, queued) {
                Ok(()) => queued += 1,
                Err(error) => break error,
            }
            assert!(queued < 100, "100 pages cannot hold 6 MB");
        };
        assert_eq!(error.fault(), Some(Fault::DiskFull), "{error:?}");
        assert_eq!(
            store.print_jobs(1_000).expect("the store works").len() as u128,
            queued
        );
        store.limit_pages(1_000_000).expect("the store works");
        queue(&store, queued).expect("the store works");
        assert_eq!(
            store.print_jobs(1_000).expect("the store works").len() as u128,
            queued + 1
        );
        store.check_everything().expect("the store works");
    }

    #[test]
    fn a_reader_comes_back_when_its_work_panics() {
        let folder = tempfile::tempdir().expect("the store works");
        let keys = StoreKeys {
            db_key: [7; 32],
            pin_pepper: [9; 32],
        };
        let store = Store::open_or_create(&folder.path().join("terminal.db"), &keys)
            .expect("the store works");
        // While somebody writes, reads take a reader.
        let writing = store.writer.lock().expect("the store works");
        for _ in 0..2 * super::READERS {
            let work = std::panic::AssertUnwindSafe(|| {
                store.read(|_| -> Result<(), StoreError> { panic!("on purpose") })
            });
            std::panic::catch_unwind(work).expect_err("it panics");
        }
        drop(writing);
        assert_eq!(store.log_head().expect("the store works").device_seq, 0);
    }
}
