//! The ledger in PostgreSQL 15 or newer, or in a database that speaks its protocol.
//!
//! Calls block like those on a file. The network is served by threads of its own, so that a
//! caller may be on any thread, one of an async runtime included.

mod column;
mod fault;
mod migrate;
mod pipeline;
mod statement;

use std::future::Future;
use std::sync::{Arc, mpsc};
use std::time::Duration;

use deadpool_postgres::{Manager, ManagerConfig, Object, Pool, RecyclingMethod, Runtime};
use futures::future::BoxFuture;
use qiantai_core::ids::TenantId;
use qiantai_sqlite::{Migration, migrations};
use tokio::sync::Semaphore;
use tokio_postgres::{Config, NoTls, Row};

use super::LedgerError;
use super::database::{Database, PolicyShelf};
use super::record::{Record, Value};
use super::table::{Question, Step};
use fault::{failed, no_connection};
use pipeline::in_order;
use statement::{Parameter, Statement, of_question, of_steps};

/// The schema's history.
pub const MIGRATIONS: &[Migration] = migrations!(
    "../../migrations/server-postgres": 1 "0001_ledger"
);

/// Connections of one server process. The writer holds one for the time of a batch.
const CONNECTIONS_MAX: usize = 16;

/// Longest wait for a free connection or for a new one.
const CONNECT_TIME_MAX: Duration = Duration::from_secs(5);

/// How long the other side may be silent before the connection counts as lost.
const SILENCE_MAX: Duration = Duration::from_secs(10);

/// Settings of every connection. A commit is on disk before it is acknowledged; a process that
/// hangs within a transaction does not hold its rows for ever.
const SETTINGS: &str = "-c synchronous_commit=on -c statement_timeout=15s -c lock_timeout=5s \
     -c idle_in_transaction_session_timeout=5s -c client_min_messages=warning";

/// One moment for all questions; nothing is changed.
const BEGIN_READING: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY";
const BEGIN_WRITING: &str = "BEGIN ISOLATION LEVEL READ COMMITTED";

/// Rows of a scan on their way at one time, and in one parcel.
const ROWS_AHEAD: usize = 4_096;
const PARCEL: usize = 256;

/// A ledger in a PostgreSQL database.
pub struct PostgresLedger {
    network: Option<tokio::runtime::Runtime>,
    pool: Pool,
    policies: PolicyShelf,
}

/// Why a ledger in PostgreSQL did not open. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum OpenPostgresError {
    /// The address is not one of PostgreSQL; it may hold a password and is not repeated.
    #[error("the database URL cannot be read: {0}")]
    Url(String),
    /// No connection to the database.
    #[error("the database cannot be reached: {0}")]
    Connect(LedgerError),
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

impl PostgresLedger {
    /// Opens the ledger in the database at `url` (`postgres://user:password@host:port/name`) and
    /// brings its schema up to date.
    ///
    /// # Errors
    /// See [`OpenPostgresError`].
    pub fn open(url: &str) -> Result<PostgresLedger, OpenPostgresError> {
        let mut config: Config = url
            .parse()
            .map_err(|error: tokio_postgres::Error| OpenPostgresError::Url(error.to_string()))?;
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
        let recycling_method = RecyclingMethod::Fast;
        let manager = Manager::from_config(config, NoTls, ManagerConfig { recycling_method });
        let pool = Pool::builder(manager)
            .max_size(CONNECTIONS_MAX)
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
        let ledger = PostgresLedger {
            network: Some(network),
            pool: pool.clone(),
            policies: PolicyShelf::default(),
        };
        ledger
            .wait(async move { Ok(migrate::migrate(&pool, MIGRATIONS).await) })
            .map_err(OpenPostgresError::Connect)??;
        Ok(ledger)
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

    fn change(&self, tenant: TenantId, steps: Vec<Step>) -> Result<(), LedgerError> {
        let pool = self.pool.clone();
        self.wait(async move {
            let statements = of_steps(tenant, steps);
            let connection = connect(&pool).await?;
            let changed = change(&connection, statements).await;
            settle(connection, changed)
        })
    }

    fn change_and_return(&self, statement: Question) -> Result<Vec<Record>, LedgerError> {
        let rows = self.ask_at(vec![statement], None)?;
        Ok(rows.into_iter().flatten().collect())
    }

    fn policies_read(&self) -> &PolicyShelf {
        &self.policies
    }
}

enum Parcel {
    Rows(usize, Vec<Row>),
    End(Result<(), LedgerError>),
}

async fn connect(pool: &Pool) -> Result<Object, LedgerError> {
    pool.get().await.map_err(|error| no_connection(&error))
}

/// A connection whose work failed is closed: nobody knows what is still open on it.
fn settle<T>(connection: Object, done: Result<T, LedgerError>) -> Result<T, LedgerError> {
    if done.is_err() {
        drop(Object::take(connection));
    }
    done
}

/// Asks everything in one go; with `begin`, as of one moment.
async fn ask(
    connection: &Object,
    statements: Vec<Option<Statement>>,
    begin: Option<&'static str>,
) -> Result<Vec<Vec<Row>>, LedgerError> {
    let mut prepared = Vec::new();
    for statement in statements.iter().flatten() {
        prepared.push(prepare(connection, &statement.sql).await?);
    }
    let control = |sql: &'static str| -> BoxFuture<'_, _> {
        Box::pin(async move { connection.batch_execute(sql).await.map(|()| Vec::new()) })
    };
    let mut work: Vec<BoxFuture<'_, Result<Vec<Row>, tokio_postgres::Error>>> = Vec::new();
    work.extend(begin.map(control));
    for (statement, prepared) in statements.iter().flatten().zip(&prepared) {
        let parameters = parameters(&statement.parameters);
        work.push(Box::pin(async move {
            connection.query(prepared, &parameters).await
        }));
    }
    work.extend(begin.map(|_| control("COMMIT")));
    let answers: Result<Vec<_>, _> = in_order(work).await.into_iter().collect();
    let mut answers = answers.map_err(|error| failed(&error))?.into_iter();
    if begin.is_some() {
        answers.next();
    }
    let answer = |statement: &Option<Statement>| match statement {
        Some(_) => answers.next().unwrap_or_default(),
        None => Vec::new(),
    };
    Ok(statements.iter().map(answer).collect())
}

/// Two round trips: everything in one go, and the commit once all of it has succeeded.
async fn change(connection: &Object, statements: Vec<Statement>) -> Result<(), LedgerError> {
    let mut prepared = Vec::new();
    for statement in &statements {
        prepared.push(prepare(connection, &statement.sql).await?);
    }
    let mut work: Vec<BoxFuture<'_, Result<u64, tokio_postgres::Error>>> = vec![Box::pin(async {
        connection.batch_execute(BEGIN_WRITING).await.map(|()| 0)
    })];
    for (statement, prepared) in statements.iter().zip(&prepared) {
        let parameters = parameters(&statement.parameters);
        work.push(Box::pin(async move {
            connection.execute(prepared, &parameters).await
        }));
    }
    // The first failure is the cause; what follows it only says that the transaction is void.
    let changed: Result<Vec<u64>, _> = in_order(work).await.into_iter().collect();
    let changed = changed.map_err(|error| failed(&error))?;
    let is_as_expected = |(statement, changed): (&Statement, &u64)| {
        statement
            .changes
            .is_none_or(|expected| expected == *changed)
    };
    if !statements.iter().zip(&changed[1..]).all(is_as_expected) {
        return Err(LedgerError::Overtaken);
    }
    let committed = connection.batch_execute("COMMIT").await;
    committed.map_err(|error| failed(&error))
}

async fn scan(
    connection: &Object,
    questions: Vec<Question>,
    parcels: &mpsc::Sender<Parcel>,
    room: &Semaphore,
) -> Result<(), LedgerError> {
    use futures::TryStreamExt;
    let begin = format!("{BEGIN_READING}; SET LOCAL statement_timeout = 0");
    let begun = connection.batch_execute(&begin).await;
    begun.map_err(|error| failed(&error))?;
    for (index, question) in questions.into_iter().enumerate() {
        let Some(statement) = of_question(question) else {
            continue;
        };
        let rows = connection.query_raw(&statement.sql, parameters(&statement.parameters));
        let rows = rows.await.map_err(|error| failed(&error))?;
        let mut chunks = std::pin::pin!(rows.try_chunks(PARCEL));
        loop {
            let chunk = chunks.try_next().await;
            let chunk = chunk.map_err(|error| failed(&error.1))?;
            let Some(chunk) = chunk else { break };
            let place = room.acquire().await;
            place
                .map_err(|error| LedgerError::Failed(error.to_string()))?
                .forget();
            let sent = parcels.send(Parcel::Rows(index, chunk));
            sent.map_err(|_| LedgerError::Failed("nobody reads the scan".into()))?;
        }
    }
    let ended = connection.batch_execute("COMMIT").await;
    ended.map_err(|error| failed(&error))
}

async fn prepare(connection: &Object, sql: &str) -> Result<tokio_postgres::Statement, LedgerError> {
    let prepared = connection.prepare_cached(sql).await;
    prepared.map_err(|error| failed(&error))
}

fn parameters(given: &[Parameter]) -> Vec<&(dyn tokio_postgres::types::ToSql + Sync)> {
    given
        .iter()
        .map(|one| one.as_ref() as &(dyn tokio_postgres::types::ToSql + Sync))
        .collect()
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
