use std::fs;
use std::path::Path;

use qiantai_sqlite::{OpenOptions, open, schema_snapshot};

use crate::fixture::Shelf;

fn folder() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../migrations/terminal")
}

#[test]
fn the_schema_is_the_one_under_review() {
    let shelf = Shelf::new();
    let options = OpenOptions {
        key: Some([7; 32]),
        create: false,
        read_only: true,
    };
    let snapshot = schema_snapshot(&open(&shelf.path(), options).unwrap()).unwrap();
    let path = folder().join("schema.sql");
    if std::env::var_os("QIANTAI_WRITE_SNAPSHOTS").is_some() {
        fs::write(&path, &snapshot).unwrap();
    }
    let committed = fs::read_to_string(&path).unwrap().replace("\r\n", "\n");
    assert!(
        committed == snapshot,
        "run this test with QIANTAI_WRITE_SNAPSHOTS=1 and review"
    );
}

#[test]
fn every_migration_file_is_applied() {
    let mut files: Vec<String> = fs::read_dir(folder())
        .unwrap()
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .filter_map(|name| name.strip_suffix(".sql").map(str::to_owned))
        .filter(|stem| stem != "schema")
        .collect();
    files.sort();
    let shelf = Shelf::new();
    let options = OpenOptions {
        key: Some([7; 32]),
        create: false,
        read_only: true,
    };
    let connection = open(&shelf.path(), options).unwrap();
    let mut statement = connection
        .prepare("SELECT name FROM migration ORDER BY number")
        .unwrap();
    let applied: Vec<String> = statement
        .query_map([], |row| row.get(0))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    assert_eq!(applied, files);
}

#[test]
fn every_table_is_strict() {
    let shelf = Shelf::new();
    let options = OpenOptions {
        key: Some([7; 32]),
        create: false,
        read_only: true,
    };
    let connection = open(&shelf.path(), options).unwrap();
    let loose: i64 = connection
        .query_row(
            "SELECT count(*) FROM pragma_table_list
             WHERE schema = 'main' AND strict = 0 AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'",
            [],
            |row| row.get(0),
        )
        .unwrap();
    assert_eq!(loose, 0);
}

/// Not only the program: the file itself refuses to forget or bend what was done.
#[test]
fn the_file_refuses_to_change_operations() {
    let shelf = Shelf::new();
    crate::fixture::append(&shelf.store, 1, crate::fixture::shift_open());
    let options = OpenOptions {
        key: Some([7; 32]),
        create: false,
        read_only: false,
    };
    let connection = open(&shelf.path(), options).unwrap();
    let copy = |seq: &str, prev: &str| {
        format!(
            "INSERT INTO operation SELECT {seq}, randomblob(16), action_id, kind, {prev},
                 randomblob(32), bytes, member, order_id, created_ms FROM operation"
        )
    };
    let cases = [
        "UPDATE operation SET created_ms = 0".to_owned(),
        "UPDATE operation SET bytes = x'00'".to_owned(),
        "DELETE FROM operation".to_owned(),
        copy("3", "hash"),
        copy("2", "zeroblob(32)"),
        copy("1", "zeroblob(32)"),
    ];
    for sql in cases {
        let error = connection.execute(&sql, []).unwrap_err();
        let fault = qiantai_sqlite::classify(&error);
        assert_eq!(fault, qiantai_sqlite::Fault::Constraint, "{sql}: {error}");
    }
    connection.execute(&copy("2", "hash"), []).unwrap();
}
