use qiantai_sqlite::{MigrateError, Migration, OpenOptions, migrate, open, schema_snapshot};
use rusqlite::Connection;

const ONE: Migration = Migration {
    number: 1,
    name: "0001_one",
    sql: "CREATE TABLE one (id INTEGER PRIMARY KEY) STRICT;",
};
const TWO: Migration = Migration {
    number: 2,
    name: "0002_two",
    sql: "CREATE TABLE two (id INTEGER PRIMARY KEY, one INTEGER REFERENCES one (id)) STRICT;",
};
const BROKEN: Migration = Migration {
    number: 3,
    name: "0003_broken",
    sql: "CREATE TABLE three (id); SELECT nonsense;",
};

fn fresh() -> (tempfile::TempDir, Connection) {
    let folder = tempfile::tempdir().unwrap();
    let options = OpenOptions {
        create: true,
        ..OpenOptions::default()
    };
    let connection = open(&folder.path().join("a.db"), options).unwrap();
    (folder, connection)
}

fn tables(connection: &Connection) -> String {
    schema_snapshot(connection).unwrap()
}

#[test]
fn migrations_run_once_and_in_order() {
    let (_folder, mut connection) = fresh();
    migrate(&mut connection, &[ONE]).unwrap();
    migrate(&mut connection, &[ONE, TWO]).unwrap();
    let after_two = tables(&connection);
    migrate(&mut connection, &[ONE, TWO]).unwrap();
    assert_eq!(tables(&connection), after_two);
    assert!(after_two.contains("CREATE TABLE two"));
}

#[test]
fn a_bad_history_is_refused_and_changes_nothing() {
    const EDITED: Migration = Migration {
        sql: "CREATE TABLE one (id INTEGER) STRICT;",
        ..ONE
    };
    const THREE: Migration = Migration { number: 3, ..TWO };
    const DANGLING: Migration = Migration {
        number: 3,
        name: "0003_dangling",
        sql: "INSERT INTO two (id, one) VALUES (1, 99);",
    };
    type Expected = fn(&MigrateError) -> bool;
    let cases: [(&str, &[Migration], Expected); 5] = [
        ("newer file", &[ONE], |e| {
            matches!(e, MigrateError::Newer { found: 2, known: 1 })
        }),
        ("edited", &[EDITED, TWO], |e| {
            matches!(e, MigrateError::Edited { number: 1 })
        }),
        ("gap", &[ONE, THREE], |e| {
            matches!(e, MigrateError::Gap { expected: 2 })
        }),
        ("failing", &[ONE, TWO, BROKEN], |e| {
            matches!(e, MigrateError::Failed { number: 3, .. })
        }),
        ("dangling", &[ONE, TWO, DANGLING], |e| {
            matches!(e, MigrateError::Dangling { .. })
        }),
    ];
    let (_folder, mut connection) = fresh();
    migrate(&mut connection, &[ONE, TWO]).unwrap();
    let before = tables(&connection);
    for (name, migrations, expected) in cases {
        let error = migrate(&mut connection, migrations).unwrap_err();
        assert!(expected(&error), "{name}: {error:?}");
        assert_eq!(tables(&connection), before, "{name}");
    }
}

#[test]
fn line_ends_of_a_checkout_are_no_edit() {
    const UNIX: Migration = Migration {
        sql: "CREATE TABLE one (\n id INTEGER\n) STRICT;",
        ..ONE
    };
    const DOS: Migration = Migration {
        sql: "CREATE TABLE one (\r\n id INTEGER\r\n) STRICT;",
        ..ONE
    };
    let (_folder, mut connection) = fresh();
    migrate(&mut connection, &[UNIX]).unwrap();
    migrate(&mut connection, &[DOS]).unwrap();
}
