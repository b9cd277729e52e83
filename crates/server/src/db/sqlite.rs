//! The ledger in one SQLite file, with SQLCipher when a key is given.
//!
//! One connection writes; a few read beside it.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use qiantai_core::ids::{LotId, MemberId, TenantId};
use qiantai_sqlite::{Fault, Migration, OpenError, OpenOptions, classify, migrations};
use rusqlite::types::{ToSql, ToSqlOutput, Value as Held, ValueRef};
use rusqlite::{CachedStatement, Connection, Transaction, TransactionBehavior, params};
use zeroize::Zeroizing;

use super::codes::Code;
use super::database::{By, Database, PolicyShelf, lock};
use super::record::{Record, Value};
use super::table::{Question, Step, Table};
use super::tables::lot;
use super::{Cursor, DatabaseReport, Head, LedgerError, Link};

/// The schema's history.
pub const MIGRATIONS: &[Migration] = migrations!(
    "../../migrations/server-sqlite": 1 "0001_ledger", 2 "0002_invite_used_by", 3 "0003_keeping",
    4 "0004_order_approver", 5 "0005_attempt_code",
    6 "0006_payment_reference", 7 "0007_device_revocation", 8 "0008_audit",
    9 "0009_payment_hint", 10 "0010_lease", 11 "0011_shop_code_reference",
    12 "0012_order_cash_part", 13 "0013_kept_and_taken", 14 "0014_why_unpaid",
    15 "0015_spent_beyond",
    16 "0016_held_and_decided",
    17 "0017_other_history"
);

/// Idle connections kept for reading.
const READERS_KEPT: usize = 4;

/// The writer keeps so much of the file in memory: reading a page decrypts and proves it, and the
/// indices of a large shop are met at random places.
const CACHE_KIB: i64 = 64 * 1024;

/// A ledger in one file.
pub struct SqliteLedger {
    path: PathBuf,
    key: Option<Zeroizing<[u8; 32]>>,
    /// Closed before the writer: the last connection to go folds the log file in, and one that
    /// only reads cannot.
    readers: Mutex<Vec<Connection>>,
    writer: Mutex<Connection>,
    policies: PolicyShelf,
}

/// Why a ledger file did not open. Nothing was overwritten.
#[derive(Debug, thiserror::Error)]
pub enum OpenLedgerError {
    /// The file.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// Its schema.
    #[error(transparent)]
    Migrate(#[from] qiantai_sqlite::MigrateError),
}

impl SqliteLedger {
    /// Opens the ledger at `path`, making an empty one when there is no file.
    ///
    /// # Errors
    /// See [`OpenLedgerError`].
    pub fn open(path: &Path, key: Option<[u8; 32]>) -> Result<SqliteLedger, OpenLedgerError> {
        let mut writer = connect(path, key, true)?;
        qiantai_sqlite::migrate(&mut writer, MIGRATIONS)?;
        Ok(SqliteLedger::on(path, key, writer))
    }

    /// Opens the ledger at `path` beside the server that may be serving it: nothing is made, and its
    /// schema is the server's to bring up to date.
    ///
    /// # Errors
    /// See [`OpenLedgerError`].
    pub fn open_beside(
        path: &Path,
        key: Option<[u8; 32]>,
    ) -> Result<SqliteLedger, OpenLedgerError> {
        let writer = connect(path, key, false)?;
        qiantai_sqlite::require_current(&writer, MIGRATIONS)?;
        Ok(SqliteLedger::on(path, key, writer))
    }

    fn on(path: &Path, key: Option<[u8; 32]>, writer: Connection) -> SqliteLedger {
        SqliteLedger {
            path: path.to_owned(),
            key: key.map(Zeroizing::new),
            writer: Mutex::new(writer),
            readers: Mutex::new(Vec::new()),
            policies: PolicyShelf::default(),
        }
    }

    /// Bounds the file; beyond it writing fails as on a full disk.
    ///
    /// # Errors
    /// See [`LedgerError`].
    pub fn limit_pages(&self, pages_max: u32) -> Result<(), LedgerError> {
        lock(&self.writer)
            .pragma_update(None, "max_page_count", pages_max)
            .map_err(|error| failed(&error))
    }

    /// Runs `query` on a connection that only reads.
    fn read<T>(
        &self,
        query: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, LedgerError> {
        let idle = lock(&self.readers).pop();
        let reader = match idle {
            Some(reader) => reader,
            None => {
                let key = self.key.as_deref().copied();
                let options = OpenOptions {
                    key,
                    create: false,
                    read_only: true,
                };
                qiantai_sqlite::open(&self.path, options).map_err(|error| opening(&error))?
            }
        };
        let answer = query(&reader).map_err(|error| failed(&error));
        let mut readers = lock(&self.readers);
        if readers.len() < READERS_KEPT {
            readers.push(reader);
        }
        answer
    }

    /// Runs `change` in one transaction: all of it or nothing.
    fn in_transaction<T>(
        &self,
        change: impl FnOnce(&Transaction<'_>) -> Result<T, Stop>,
    ) -> Result<T, LedgerError> {
        let mut writer = lock(&self.writer);
        let run = |writer: &mut Connection| {
            let tx = writer.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let answer = change(&tx)?;
            tx.commit()?;
            Ok(answer)
        };
        run(&mut writer).map_err(|stop| match stop {
            Stop::Sqlite(error) => failed(&error),
            Stop::Ledger(error) => error,
        })
    }
}

fn connect(path: &Path, key: Option<[u8; 32]>, create: bool) -> Result<Connection, OpenError> {
    let options = OpenOptions {
        key,
        create,
        read_only: false,
    };
    let writer = qiantai_sqlite::open(path, options)?;
    writer.set_prepared_statement_cache_capacity(128);
    writer
        .pragma_update(None, "cache_size", -CACHE_KIB)
        .map_err(OpenError::from)?;
    Ok(writer)
}

/// Why a transaction is rolled back.
enum Stop {
    Sqlite(rusqlite::Error),
    Ledger(LedgerError),
}

impl From<rusqlite::Error> for Stop {
    fn from(error: rusqlite::Error) -> Stop {
        Stop::Sqlite(error)
    }
}

impl Database for SqliteLedger {
    fn ask(&self, questions: Vec<Question>) -> Result<Vec<Vec<Record>>, LedgerError> {
        self.read(|db| match questions.as_slice() {
            [question] => Ok(vec![answer(db, question)?]),
            several => {
                let moment = db.unchecked_transaction()?;
                several.iter().map(|one| answer(&moment, one)).collect()
            }
        })
    }

    /// On the connection that writes: it holds the pages that it has just written.
    fn ask_for_writing(&self, questions: Vec<Question>) -> Result<Vec<Vec<Record>>, LedgerError> {
        let writer = lock(&self.writer);
        // One moment, so that the file is locked once and not for each question.
        let ask = || {
            let moment = writer.unchecked_transaction()?;
            let answers = questions.iter().map(|one| answer(&moment, one));
            answers.collect::<rusqlite::Result<_>>()
        };
        ask().map_err(|error: rusqlite::Error| failed(&error))
    }

    fn scan(
        &self,
        questions: Vec<Question>,
        visit: &mut dyn FnMut(usize, &[Value]),
    ) -> Result<(), LedgerError> {
        self.read(|db| {
            let moment = db.unchecked_transaction()?;
            for (index, question) in questions.iter().enumerate() {
                let mut statement = moment.prepare_cached(&question.sql)?;
                let columns = statement.column_count();
                let single = question.single.iter();
                let mut rows = statement.query(rusqlite::params_from_iter(single))?;
                while let Some(row) = rows.next()? {
                    visit(index, &values(row, columns)?);
                }
            }
            Ok(())
        })
    }

    fn change(&self, tenant: TenantId, _by: By, steps: Vec<Step>) -> Result<(), LedgerError> {
        self.in_transaction(|tx| steps.iter().try_for_each(|step| take(tx, tenant, step)))
    }

    fn change_and_return(&self, statement: Question) -> Result<Vec<Record>, LedgerError> {
        self.in_transaction(|tx| Ok(answer(tx, &statement)?))
    }

    fn examine(&self) -> Result<DatabaseReport, LedgerError> {
        let is_keyed = self.key.is_some();
        self.read(|db| {
            let first_words = |sql: &str| -> rusqlite::Result<Option<String>> {
                let mut statement = db.prepare(sql)?;
                let mut rows = statement.query([])?;
                rows.next()?.map(|row| row.get(0)).transpose()
            };
            // Says nothing when every page is authentic.
            let damage = match is_keyed {
                true => first_words("PRAGMA cipher_integrity_check")?,
                false => None,
            };
            let damage = damage.or(first_words("PRAGMA integrity_check(1)")?);
            let damage = damage.filter(|said| said != "ok");
            let schema = "SELECT coalesce(max(number), 0) FROM migration";
            let schema = db.query_row(schema, [], |row| row.get(0))?;
            let report = DatabaseReport {
                engine: format!("SQLite {}", rusqlite::version()),
                schema,
                now: None,
                link: Link::Here,
            };
            Ok((damage, report))
        })
        .and_then(|(damage, report)| match damage {
            None => Ok(report),
            Some(said) => Err(LedgerError::Corrupt(said)),
        })
    }

    fn policies_read(&self) -> &PolicyShelf {
        &self.policies
    }
}

/// Asks once for each key of its lists.
fn answer(db: &Connection, question: &Question) -> rusqlite::Result<Vec<Record>> {
    let mut records = Vec::new();
    if question.keys() == Some(0) {
        return Ok(records);
    }
    let mut statement = db.prepare_cached(&question.sql)?;
    let names: Arc<[String]> = names(&statement).into();
    for key in 0..question.keys().unwrap_or(1) {
        let of_lists = question.lists.iter().map(|(_, keys)| &keys[key]);
        let parameters = question.single.iter().chain(of_lists);
        let mut rows = statement.query(rusqlite::params_from_iter(parameters))?;
        while let Some(row) = rows.next()? {
            let values = values(row, names.len())?;
            records.push(Record::new(Arc::clone(&names), values));
        }
    }
    Ok(records)
}

fn names(statement: &CachedStatement<'_>) -> Vec<String> {
    let names = statement.column_names();
    names.into_iter().map(str::to_owned).collect()
}

fn values(row: &rusqlite::Row<'_>, columns: usize) -> rusqlite::Result<Vec<Value>> {
    (0..columns).map(|column| row.get(column)).collect()
}

fn take(tx: &Transaction<'_>, tenant: TenantId, step: &Step) -> Result<(), Stop> {
    match step {
        Step::Put(table, row) => put(tx, tenant, table, row)?,
        Step::UseUp { member, left } => use_up(tx, tenant, *member, left)?,
        Step::MoveCursor(device, cursor) => {
            move_cursor(tx, tenant, device.0.as_bytes(), cursor)?;
        }
        Step::MoveHead { from, to } => {
            if move_head(tx, tenant, *from, to)? != 1 {
                return Err(Stop::Ledger(LedgerError::Overtaken));
            }
        }
    }
    Ok(())
}

fn put(
    tx: &Transaction<'_>,
    tenant: TenantId,
    table: &Table,
    row: &[Value],
) -> rusqlite::Result<()> {
    let sql = table.sqlite.get_or_init(|| {
        let places = (1..=table.columns.len() + 1).map(|place| format!("?{place}"));
        let places: Vec<_> = places.collect();
        let (head, tail) = (table.insert_head(), table.insert_tail());
        format!("{head} VALUES ({}){tail}", places.join(", "))
    });
    let mut statement = tx.prepare_cached(sql)?;
    statement.raw_bind_parameter(1, tenant.0.as_bytes())?;
    for (place, value) in (2..).zip(row) {
        statement.raw_bind_parameter(place, value)?;
    }
    statement.raw_execute().map(drop)
}

fn use_up(
    tx: &Transaction<'_>,
    tenant: TenantId,
    member: MemberId,
    left: &[LotId],
) -> Result<(), Stop> {
    for before in answer(tx, &lot::of_members(tenant, &[member]))? {
        let (_, lot) = lot::read(&before).map_err(Stop::Ledger)?;
        if left.contains(&lot.id) {
            continue;
        }
        tx.prepare_cached(
            "UPDATE lot SET principal_left_fen = 0, bonus_left_fen = 0
             WHERE tenant_id = ?1 AND member_id = ?2 AND lot_id = ?3",
        )?
        .execute(params![
            tenant.0.as_bytes(),
            member.0.as_bytes(),
            lot.id.0.as_bytes()
        ])?;
    }
    Ok(())
}

fn move_cursor(
    tx: &Transaction<'_>,
    tenant: TenantId,
    device: &[u8; 16],
    cursor: &Cursor,
) -> rusqlite::Result<()> {
    tx.prepare_cached(
        "UPDATE device SET epoch = ?3, last_seq = ?4, last_hash = ?5, standing = ?6
         WHERE tenant_id = ?1 AND device_id = ?2",
    )?
    .execute(params![
        tenant.0.as_bytes(),
        device,
        cursor.epoch,
        Value::from(cursor.last_seq),
        cursor.last_hash,
        cursor.standing.code(),
    ])
    .map(drop)
}

fn move_head(
    tx: &Transaction<'_>,
    tenant: TenantId,
    from: u64,
    to: &Head,
) -> rusqlite::Result<usize> {
    tx.prepare_cached(
        "UPDATE head SET timeline = ?3, server_seq = ?4, chain_hash = ?5
         WHERE tenant_id = ?1 AND server_seq = ?2",
    )?
    .execute(params![
        tenant.0.as_bytes(),
        Value::from(from),
        to.timeline,
        Value::from(to.server_seq),
        to.chain_hash,
    ])
}

impl ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Value::Null => ValueRef::Null,
            Value::Int(number) => ValueRef::Integer(*number),
            Value::Text(words) => ValueRef::Text(words.as_bytes()),
            Value::Bytes(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

impl rusqlite::types::FromSql for Value {
    fn column_result(value: ValueRef<'_>) -> rusqlite::types::FromSqlResult<Value> {
        match Held::try_from(value)? {
            Held::Null => Ok(Value::Null),
            Held::Integer(number) => Ok(Value::Int(number)),
            Held::Text(words) => Ok(Value::Text(words)),
            Held::Blob(bytes) => Ok(Value::Bytes(bytes)),
            // No column is declared so, and the tables are strict.
            Held::Real(_) => Err(rusqlite::types::FromSqlError::InvalidType),
        }
    }
}

fn failed(error: &rusqlite::Error) -> LedgerError {
    match classify(error) {
        Fault::DiskFull => LedgerError::DiskFull,
        Fault::Busy => LedgerError::Busy,
        Fault::Corrupt | Fault::NotADatabase => LedgerError::Corrupt(error.to_string()),
        Fault::Constraint => LedgerError::Taken(error.to_string()),
        Fault::ReadOnly | Fault::Io | Fault::Query => LedgerError::Failed(error.to_string()),
    }
}

fn opening(error: &OpenError) -> LedgerError {
    match error {
        OpenError::DiskFull => LedgerError::DiskFull,
        OpenError::Corrupt | OpenError::NotADatabase => LedgerError::Corrupt(error.to_string()),
        other => LedgerError::Failed(other.to_string()),
    }
}
