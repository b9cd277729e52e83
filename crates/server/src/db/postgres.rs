//! The ledger in PostgreSQL 15 or newer, or in a database that speaks its protocol.
//!
//! Calls block like those on a file. The network is served by threads of its own, so that a
//! caller may be on any thread, one of an async runtime included.

mod column;
mod fault;
mod lease;
mod migrate;
mod pipeline;
mod reach;
mod run;
mod statement;

use std::future::Future;
use std::sync::{Arc, mpsc};
use std::time::Duration;

use deadpool_postgres::{Manager, ManagerConfig, Pool, PoolError, RecyclingMethod, Runtime};
use qiantai_core::ids::TenantId;
use qiantai_sqlite::{Migration, migrations};
use tokio::sync::Semaphore;
use tokio_postgres::{NoTls, Row};

use super::database::{By, Database, PolicyShelf};
use super::record::{Record, Value};
use super::table::{Question, Step};
use super::{DatabaseReport, LedgerError, Link};
use fault::{failed, no_connection, why};
use lease::Leases;
use reach::Reach;
use run::{BEGIN_READING, PARCEL, Parcel, ROWS_AHEAD, ask, change, connect, scan, settle};
use statement::{Statement, of_question, of_steps};

/// The schema's history.
pub const MIGRATIONS: &[Migration] = migrations!(
    "../../migrations/server-postgres": 1 "0001_ledger", 2 "0002_writer_lease", 3 "0003_keeping",
    4 "0004_order_approver", 5 "0005_attempt_code",
    6 "0006_payment_reference", 7 "0007_device_revocation", 8 "0008_audit",
    9 "0009_payment_hint", 10 "0010_lease", 11 "0011_shop_code_reference",
    12 "0012_order_cash_part", 13 "0013_kept_and_taken", 14 "0014_why_unpaid",
    15 "0015_spent_beyond",
    16 "0016_held_and_decided",
    17 "0017_other_history"
);

pub use lease::{Holder, LEASE_LASTS};
pub use reach::place_of;

/// Longest wait for a free connection or for a new one.
const CONNECT_TIME_MAX: Duration = Duration::from_secs(5);

/// How long the other side may be silent before the connection counts as lost.
const SILENCE_MAX: Duration = Duration::from_secs(10);

/// Settings of every connection. A commit is on disk before it is acknowledged; a process that
/// hangs within a transaction does not hold its rows for ever.
const SETTINGS: &str = "-c synchronous_commit=on -c statement_timeout=15s -c lock_timeout=5s \
     -c idle_in_transaction_session_timeout=5s -c client_min_messages=warning";

/// A ledger in a PostgreSQL database.
pub struct PostgresLedger {
    network: Option<tokio::runtime::Runtime>,
    pool: Pool,
    policies: PolicyShelf,
    leases: Leases,
    link: Link,
}

/// Why a ledger in PostgreSQL did not open. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum OpenPostgresError {
    /// The address is not one of PostgreSQL; it may hold a password and is not repeated.
    #[error("the database URL cannot be read: {0}")]
    Url(String),
    /// What is said about encryption cannot be done.
    #[error("the connection to the database: {0}")]
    Protection(String),
    /// No connection to the database.
    #[error("the database cannot be reached: {why}")]
    Connect {
        /// What a caller can do about it.
        cause: LedgerError,
        /// In plain words.
        why: String,
    },
    /// Its schema.
    #[error(transparent)]
    Migrate(#[from] qiantai_sqlite::MigrateError),
    /// A migration failed.
    #[error("migration {number} failed: {source}")]
    Failed {
        /// Its number; zero outside of any.
        number: u32,
        /// Why.
        source: LedgerError,
    },
    /// The operating system has no thread left.
    #[error(transparent)]
    System(#[from] std::io::Error),
}

impl OpenPostgresError {
    /// Why the pool gave no connection.
    fn of_pool(error: &PoolError) -> OpenPostgresError {
        OpenPostgresError::Connect {
            cause: no_connection(error),
            why: why(error),
        }
    }

    /// The network's threads are gone.
    fn broken(cause: LedgerError) -> OpenPostgresError {
        let why = cause.to_string();
        OpenPostgresError::Connect { cause, why }
    }
}

impl PostgresLedger {
    /// Opens the ledger in the database at `url` (`postgres://user:password@host:port/name`) and
    /// brings its schema up to date. The right to write is taken when it is first needed.
    ///
    /// # Errors
    /// See [`OpenPostgresError`].
    pub fn open(url: &str, holder: Holder) -> Result<PostgresLedger, OpenPostgresError> {
        let ledger = PostgresLedger::at(url, holder)?;
        let pool = ledger.pool.clone();
        ledger
            .wait(async move { Ok(migrate::migrate(&pool, MIGRATIONS).await) })
            .map_err(OpenPostgresError::broken)??;
        Ok(ledger)
    }

    /// Opens the ledger beside the servers that may be serving it: its schema is theirs to bring up
    /// to date.
    ///
    /// # Errors
    /// See [`OpenPostgresError`].
    pub fn open_beside(url: &str, holder: Holder) -> Result<PostgresLedger, OpenPostgresError> {
        let ledger = PostgresLedger::at(url, holder)?;
        let pool = ledger.pool.clone();
        ledger
            .wait(async move { Ok(migrate::require_current(&pool, MIGRATIONS).await) })
            .map_err(OpenPostgresError::broken)??;
        Ok(ledger)
    }

    /// The ledger at `url`, whatever its schema.
    fn at(url: &str, holder: Holder) -> Result<PostgresLedger, OpenPostgresError> {
        let Reach {
            mut config,
            tls,
            link,
            connections,
        } = reach::read(url)?;
        let settings = match config.get_options() {
            Some(given) => format!("{SETTINGS} {given}"),
            None => SETTINGS.to_owned(),
        };
        config
            .options(settings)
            .application_name("qiantai-server")
            .connect_timeout(CONNECT_TIME_MAX)
            .tcp_user_timeout(SILENCE_MAX)
            .keepalives_idle(SILENCE_MAX / 2)
            .keepalives_interval(Duration::from_secs(1))
            .keepalives_retries(5);
        let recycling = ManagerConfig {
            recycling_method: RecyclingMethod::Fast,
        };
        let manager = match tls {
            Some(tls) => Manager::from_config(config, tls, recycling),
            None => Manager::from_config(config, NoTls, recycling),
        };
        let pool = Pool::builder(manager)
            .max_size(connections)
            .runtime(Runtime::Tokio1)
            .wait_timeout(Some(CONNECT_TIME_MAX))
            .create_timeout(Some(CONNECT_TIME_MAX))
            .recycle_timeout(Some(CONNECT_TIME_MAX))
            .build()
            .map_err(|error| OpenPostgresError::Url(error.to_string()))?;
        let network = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("postgres")
            .enable_all()
            .build()?;
        Ok(PostgresLedger {
            network: Some(network),
            pool,
            policies: PolicyShelf::default(),
            leases: Leases::of(holder),
            link,
        })
    }

    /// Runs `work` on the network's threads and waits for it. Work that has begun runs to its
    /// end, so that no connection goes back to the pool within a transaction.
    fn wait<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, LedgerError>> + Send + 'static,
    ) -> Result<T, LedgerError> {
        let (reply, answer) = mpsc::sync_channel(1);
        self.spawn(async move {
            // The caller waits below for as long as this takes.
            drop(reply.send(work.await));
        });
        let lost = || LedgerError::Failed("the database's thread ended by a panic".into());
        answer.recv().map_err(|_| lost())?
    }

    fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        let network = self.network.as_ref();
        let network = network.expect("the network is there until the ledger is dropped");
        drop(network.spawn(work));
    }

    /// Our fence, after taking the right to write where nobody has asked for it yet.
    fn fence(&self, tenant: TenantId) -> Result<i64, LedgerError> {
        match self.leases.fence(tenant)? {
            Some(fence) => Ok(fence),
            None => self.take(tenant),
        }
    }

    /// Takes or keeps the right to write.
    fn take(&self, tenant: TenantId) -> Result<i64, LedgerError> {
        if let Some(row) = self.run(self.leases.take(tenant))?.first() {
            let fence = row.int("fence")?;
            self.leases.is_ours(tenant, fence);
            return Ok(fence);
        }
        let address = match self.run(Leases::who(tenant))?.first() {
            Some(row) => row.text("address")?.to_owned(),
            None => String::new(),
        };
        self.leases.is_theirs(tenant, address.clone());
        Err(LedgerError::WrittenElsewhere { address })
    }

    fn run(&self, statement: Statement) -> Result<Vec<Record>, LedgerError> {
        let pool = self.pool.clone();
        let rows = self.wait(async move {
            let connection = connect(&pool).await?;
            let asked = ask(&connection, vec![Some(statement)], None).await;
            settle(connection, asked)
        })?;
        records(&rows.into_iter().flatten().collect::<Vec<_>>())
    }

    fn ask_at(
        &self,
        questions: Vec<Question>,
        begin: Option<&'static str>,
    ) -> Result<Vec<Vec<Record>>, LedgerError> {
        let pool = self.pool.clone();
        let rows = self.wait(async move {
            let statements = questions.into_iter().map(of_question).collect();
            let connection = connect(&pool).await?;
            let asked = ask(&connection, statements, begin).await;
            settle(connection, asked)
        })?;
        rows.iter().map(|rows| records(rows)).collect()
    }
}

impl Drop for PostgresLedger {
    /// The last owner may be a task of an async runtime, where waiting for threads is forbidden.
    fn drop(&mut self) {
        if let Some(network) = self.network.take() {
            network.shutdown_background();
        }
    }
}

impl Database for PostgresLedger {
    fn ask(&self, questions: Vec<Question>) -> Result<Vec<Vec<Record>>, LedgerError> {
        let begin = (questions.len() > 1).then_some(BEGIN_READING);
        self.ask_at(questions, begin)
    }

    /// Without a transaction: nobody else changes what the writer asks about, and a writer that
    /// was overtaken notices when it writes.
    fn ask_for_writing(&self, questions: Vec<Question>) -> Result<Vec<Vec<Record>>, LedgerError> {
        self.ask_at(questions, None)
    }

    fn scan(
        &self,
        questions: Vec<Question>,
        visit: &mut dyn FnMut(usize, &[Value]),
    ) -> Result<(), LedgerError> {
        let pool = self.pool.clone();
        let (parcels, arrivals) = mpsc::channel();
        let room = Arc::new(Semaphore::new(ROWS_AHEAD / PARCEL));
        let taken = Arc::clone(&room);
        self.spawn(async move {
            let end = async {
                let connection = connect(&pool).await?;
                let scanned = scan(&connection, questions, &parcels, &room).await;
                settle(connection, scanned)
            };
            let end = end.await;
            // A visitor that panicked listens no longer.
            drop(parcels.send(Parcel::End(end)));
        });
        for parcel in arrivals {
            match parcel {
                Parcel::Rows(question, rows) => {
                    taken.add_permits(1);
                    for row in &rows {
                        visit(question, &values(row)?);
                    }
                }
                Parcel::End(end) => return end,
            }
        }
        Err(LedgerError::Failed("a scan ended by a panic".into()))
    }

    fn change(&self, tenant: TenantId, by: By, steps: Vec<Step>) -> Result<(), LedgerError> {
        let check = match by {
            By::Anyone => None,
            By::Writer => Some(self.leases.check(tenant, self.fence(tenant)?)),
        };
        let pool = self.pool.clone();
        let changed = self.wait(async move {
            let mut statements = of_steps(tenant, steps);
            let is_checked = check.is_some();
            statements.splice(0..0, check);
            let connection = connect(&pool).await?;
            let changed = change(&connection, statements, is_checked).await;
            settle(connection, changed)
        });
        match changed {
            Err(LedgerError::WrittenElsewhere { .. }) => {
                self.leases.forget(tenant);
                // Who has it now; if nobody has, the writer begins again from what is written.
                Err(self.hold(tenant).err().unwrap_or(LedgerError::Busy))
            }
            other => other,
        }
    }

    fn is_shared(&self) -> bool {
        true
    }

    fn hold(&self, tenant: TenantId) -> Result<(), LedgerError> {
        self.take(tenant).map(drop)
    }

    fn may_write(&self, tenant: TenantId) -> Result<(), LedgerError> {
        self.fence(tenant).map(drop)
    }

    fn let_go(&self) -> Result<(), LedgerError> {
        self.leases.forget_all();
        self.run(self.leases.let_go()).map(drop)
    }

    fn change_and_return(&self, statement: Question) -> Result<Vec<Record>, LedgerError> {
        let rows = self.ask_at(vec![statement], None)?;
        Ok(rows.into_iter().flatten().collect())
    }

    fn examine(&self) -> Result<DatabaseReport, LedgerError> {
        let rows = self.run(Statement::new(
            "SELECT current_setting('server_version') AS version,
                 (SELECT coalesce(max(number), 0) FROM migration) AS number,
                 CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT) AS now_ms",
        ))?;
        let row = rows.first();
        let row = row.ok_or_else(|| LedgerError::Failed("the database says nothing".into()))?;
        Ok(DatabaseReport {
            engine: format!("PostgreSQL {}", row.text("version")?),
            schema: row.count("number")?,
            now: Some(row.at("now_ms")?),
            link: self.link,
        })
    }

    fn policies_read(&self) -> &PolicyShelf {
        &self.policies
    }
}

fn records(rows: &[Row]) -> Result<Vec<Record>, LedgerError> {
    let Some(first) = rows.first() else {
        return Ok(Vec::new());
    };
    let names = first
        .columns()
        .iter()
        .map(|column| column.name().to_owned());
    let names: Arc<[String]> = names.collect();
    rows.iter()
        .map(|row| Ok(Record::new(Arc::clone(&names), values(row)?)))
        .collect()
}

fn values(row: &Row) -> Result<Vec<Value>, LedgerError> {
    (0..row.len())
        .map(|column| row.try_get(column).map_err(|error| failed(&error)))
        .collect()
}
