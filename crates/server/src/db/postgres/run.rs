//! Running statements on a connection of the pool.

use std::sync::mpsc;

use deadpool_postgres::{Object, Pool};
use futures::TryStreamExt;
use futures::future::BoxFuture;
use tokio::sync::Semaphore;
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use super::fault::{failed, no_connection};
use super::pipeline::in_order;
use super::statement::{Parameter, Statement, of_question};
use crate::db::LedgerError;
use crate::db::table::Question;

/// One moment for all questions; nothing is changed.
pub(super) const BEGIN_READING: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY";
const BEGIN_WRITING: &str = "BEGIN ISOLATION LEVEL READ COMMITTED";

/// Rows of a scan on their way at one time, and in one parcel.
pub(super) const ROWS_AHEAD: usize = 4_096;
pub(super) const PARCEL: usize = 256;

/// What a scan sends to whoever visits its rows.
pub(super) enum Parcel {
    Rows(usize, Vec<Row>),
    End(Result<(), LedgerError>),
}

pub(super) async fn connect(pool: &Pool) -> Result<Object, LedgerError> {
    pool.get().await.map_err(|error| no_connection(&error))
}

/// A connection whose work failed is closed: nobody knows what is still open on it.
pub(super) fn settle<T>(
    connection: Object,
    done: Result<T, LedgerError>,
) -> Result<T, LedgerError> {
    if done.is_err() {
        drop(Object::take(connection));
    }
    done
}

/// Asks everything in one go; with `begin`, as of one moment.
pub(super) async fn ask(
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
/// With `is_checked`, the first statement finds out whether the right to write is still ours.
pub(super) async fn change(
    connection: &Object,
    statements: Vec<Statement>,
    is_checked: bool,
) -> Result<(), LedgerError> {
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
    let changed = in_order(work).await;
    if is_checked && matches!(changed.get(1), Some(Ok(0))) {
        let address = String::new();
        return Err(LedgerError::WrittenElsewhere { address });
    }
    // The first failure is the cause; what follows it only says that the transaction is void.
    let changed: Result<Vec<u64>, _> = changed.into_iter().collect();
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

pub(super) async fn scan(
    connection: &Object,
    questions: Vec<Question>,
    parcels: &mpsc::Sender<Parcel>,
    room: &Semaphore,
) -> Result<(), LedgerError> {
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

fn parameters(given: &[Parameter]) -> Vec<&(dyn ToSql + Sync)> {
    given
        .iter()
        .map(|one| one.as_ref() as &(dyn ToSql + Sync))
        .collect()
}
