//! Both schemas hold the same tables with the same columns in the same order; the committed
//! snapshot is what the migrations make.

use std::collections::BTreeMap;
use std::fmt::Write;

use qiantai_server::db::postgres::{Holder, OpenPostgresError, PostgresLedger};
use qiantai_sqlite::MigrateError;

use super::cluster::TestDatabase;
use crate::harness::{On, Place};

/// Only a database that several servers share has these.
const POSTGRES_ONLY: [&str; 1] = ["writer_lease"];

/// Columns by table: name, kind, may be empty, place in the primary key.
type Columns = BTreeMap<String, Vec<(String, String, bool, i64)>>;

#[test]
fn both_databases_have_the_same_columns() {
    let (file, cluster) = (Place::make(On::Sqlite), Place::make(On::Postgres));
    drop((file.open(), cluster.open()));
    let mut on_sqlite = Columns::new();
    let db = rusqlite::Connection::open(file.file()).unwrap();
    let mut rows = db
        .prepare(
            "SELECT m.name, c.name, c.type, c.\"notnull\", c.pk
             FROM sqlite_schema m JOIN pragma_table_info(m.name) c
             WHERE m.type = 'table' ORDER BY m.name, c.cid",
        )
        .unwrap();
    let mut rows = rows.query([]).unwrap();
    while let Some(row) = rows.next().unwrap() {
        let kind = match row.get::<_, String>(2).unwrap().as_str() {
            "INTEGER" => "bigint",
            "BLOB" => "bytea",
            "TEXT" => "text",
            other => panic!("a column of kind {other}"),
        };
        let column = (
            row.get(1).unwrap(),
            kind.to_owned(),
            !row.get::<_, bool>(3).unwrap(),
            row.get(4).unwrap(),
        );
        on_sqlite
            .entry(row.get(0).unwrap())
            .or_default()
            .push(column);
    }
    let Place::Cluster(database) = &cluster else {
        unreachable!("made in the cluster");
    };
    let mut on_postgres = columns(database);
    for table in POSTGRES_ONLY {
        assert!(on_postgres.remove(table).is_some(), "{table}");
    }
    // SQLite lets the key of this one table be empty.
    on_sqlite.remove("migration");
    on_postgres.remove("migration");
    assert_eq!(on_sqlite, on_postgres);
    assert!(on_sqlite.len() > 25);
}

fn columns(database: &TestDatabase) -> Columns {
    let mut columns = Columns::new();
    for row in database.query(
        "SELECT c.table_name::text, c.column_name::text, c.data_type::text,
             c.is_nullable = 'YES', coalesce(k.ordinal_position, 0)::bigint
         FROM information_schema.columns c
         LEFT JOIN information_schema.table_constraints t
             ON t.table_name = c.table_name AND t.table_schema = c.table_schema
             AND t.constraint_type = 'PRIMARY KEY'
         LEFT JOIN information_schema.key_column_usage k
             ON k.constraint_name = t.constraint_name AND k.table_name = c.table_name
             AND k.column_name = c.column_name
         WHERE c.table_schema = 'public' ORDER BY c.table_name, c.ordinal_position",
    ) {
        let column = (row.get(1), row.get(2), row.get(3), row.get(4));
        columns.entry(row.get(0)).or_default().push(column);
    }
    columns
}

/// The schema as text.
pub(super) fn snapshot(database: &TestDatabase) -> String {
    let mut made = String::new();
    let constraints =
        "SELECT conrelid::regclass::text, pg_get_constraintdef(oid) FROM pg_constraint
         WHERE connamespace = 'public'::regnamespace ORDER BY 1, 2";
    let indexes = "SELECT tablename::text, indexdef || ';' FROM pg_indexes
         WHERE schemaname = 'public' ORDER BY 1, 2";
    let lines = |sql: &str| {
        let mut lines: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for row in database.query(sql) {
            lines.entry(row.get(0)).or_default().push(row.get(1));
        }
        lines
    };
    let (mut constraints, mut indexes) = (lines(constraints), lines(indexes));
    for (table, columns) in columns(database) {
        writeln!(made, "CREATE TABLE {table} (").unwrap();
        for (name, kind, may_be_empty, _) in columns {
            let rule = if may_be_empty { "" } else { " NOT NULL" };
            writeln!(made, "    {name} {kind}{rule},").unwrap();
        }
        let rules = constraints.remove(&table).unwrap_or_default();
        writeln!(made, "    {}\n);", rules.join(",\n    ")).unwrap();
        for index in indexes.remove(&table).unwrap_or_default() {
            writeln!(made, "{}", index.replace("public.", "")).unwrap();
        }
        made.push('\n');
    }
    made
}

#[test]
fn the_committed_schema_is_what_the_migrations_make() {
    let database = TestDatabase::make();
    drop(
        PostgresLedger::open(
            &database.url(),
            Holder::fresh(uuid::Uuid::now_v7(), "here".into()),
        )
        .unwrap(),
    );
    let made = snapshot(&database);
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../migrations/server-postgres/schema.sql"
    );
    if std::env::var_os("QIANTAI_WRITE_SNAPSHOTS").is_some() {
        std::fs::write(path, &made).unwrap();
    }
    let committed = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        committed.replace("\r\n", "\n") == made,
        "run this test with QIANTAI_WRITE_SNAPSHOTS=1 and review"
    );
}

#[test]
fn servers_that_start_at_once_make_one_schema() {
    let database = TestDatabase::make();
    let url = database.url();
    std::thread::scope(|scope| {
        let starts: Vec<_> = (0..6)
            .map(|_| {
                scope.spawn(|| {
                    PostgresLedger::open(&url, Holder::fresh(uuid::Uuid::now_v7(), "here".into()))
                        .map(drop)
                })
            })
            .collect();
        for start in starts {
            start.join().unwrap().unwrap();
        }
    });
    assert_eq!(database.number("SELECT count(*) FROM tenant"), 0);
}

#[test]
fn a_foreign_history_is_refused_and_left_alone() {
    let database = TestDatabase::make();
    drop(
        PostgresLedger::open(
            &database.url(),
            Holder::fresh(uuid::Uuid::now_v7(), "here".into()),
        )
        .unwrap(),
    );
    let open = || {
        PostgresLedger::open(
            &database.url(),
            Holder::fresh(uuid::Uuid::now_v7(), "here".into()),
        )
        .map(drop)
    };
    database.execute(
        "INSERT INTO migration SELECT max(number) + 1, 'later', sha256('') FROM migration",
    );
    let newer = open();
    assert!(
        matches!(
            newer,
            Err(OpenPostgresError::Migrate(MigrateError::Newer { .. }))
        ),
        "{newer:?}"
    );
    database.execute(
        "DELETE FROM migration WHERE name = 'later';
         UPDATE migration SET sha256 = sha256('edited') WHERE number = 1",
    );
    let edited = open();
    assert!(
        matches!(
            edited,
            Err(OpenPostgresError::Migrate(MigrateError::Edited {
                number: 1
            }))
        ),
        "{edited:?}"
    );
}
