//! Bringing the schema up to date in one transaction, also when several servers start at once.

use deadpool_postgres::{Object, Pool};
use qiantai_sqlite::{Migration, check_history, require_all};

use super::OpenPostgresError;
use super::fault::failed;
use crate::db::LedgerError;

/// How often a start that another overtook looks again. The other one holds the first number for
/// as long as it migrates, so each look waits by itself.
const TRIES: usize = 5;

pub(super) async fn migrate(
    pool: &Pool,
    migrations: &[Migration],
) -> Result<(), OpenPostgresError> {
    let mut tries = 1;
    loop {
        let connection = connect(pool).await?;
        let Err(error) = attempt(&connection, migrations).await else {
            return Ok(());
        };
        // Whatever is still open on it ends with it.
        drop(Object::take(connection));
        // Another server makes the same tables or has just made them.
        let is_overtaken = matches!(
            error,
            OpenPostgresError::Failed {
                source: LedgerError::Taken(_) | LedgerError::Busy,
                ..
            }
        );
        if !is_overtaken || tries == TRIES {
            return Err(error);
        }
        tries += 1;
    }
}

async fn connect(pool: &Pool) -> Result<Object, OpenPostgresError> {
    let connection = pool.get().await;
    connection.map_err(|error| OpenPostgresError::of_pool(&error))
}

/// Refuses a schema that `migrations` have not made in full; changes nothing.
pub(super) async fn require_current(
    pool: &Pool,
    migrations: &[Migration],
) -> Result<(), OpenPostgresError> {
    let connection = connect(pool).await?;
    Ok(require_all(&applied(&connection).await?, migrations)?)
}

async fn attempt(connection: &Object, migrations: &[Migration]) -> Result<(), OpenPostgresError> {
    let run = async |number: u32, sql: &str| {
        let done = connection.batch_execute(sql).await;
        done.map_err(|error| OpenPostgresError::Failed {
            number,
            source: failed(&error),
        })
    };
    run(
        0,
        "CREATE TABLE IF NOT EXISTS migration (
             number BIGINT NOT NULL PRIMARY KEY,
             name   TEXT   NOT NULL,
             sha256 BYTEA  NOT NULL CHECK (length(sha256) = 32)
         )",
    )
    .await?;
    run(
        0,
        "BEGIN; SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0",
    )
    .await?;
    let applied = applied(connection).await?;
    check_history(&applied, migrations)?;
    for migration in &migrations[applied.len()..] {
        let number = migration.number;
        // The number first: a second server waits here until the first has committed.
        connection
            .execute(
                "INSERT INTO migration (number, name, sha256) VALUES ($1, $2, $3)",
                &[
                    &i64::from(number),
                    &migration.name,
                    &migration.checksum().as_slice(),
                ],
            )
            .await
            .map_err(|error| OpenPostgresError::Failed {
                number,
                source: failed(&error),
            })?;
        run(number, migration.sql).await?;
    }
    run(0, "COMMIT").await
}

/// Number and checksum of each migration that was applied, in order.
async fn applied(connection: &Object) -> Result<Vec<(u32, [u8; 32])>, OpenPostgresError> {
    let rows = connection
        .query("SELECT number, sha256 FROM migration ORDER BY number", &[])
        .await
        .map_err(|error| OpenPostgresError::Failed {
            number: 0,
            source: failed(&error),
        })?;
    let applied = rows.iter().map(|row| {
        let number = u32::try_from(row.get::<_, i64>(0)).unwrap_or(u32::MAX);
        let sum = <[u8; 32]>::try_from(row.get::<_, &[u8]>(1)).unwrap_or_default();
        (number, sum)
    });
    Ok(applied.collect())
}
