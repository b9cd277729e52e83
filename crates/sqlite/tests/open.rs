use std::fs;
use std::path::Path;

use qiantai_sqlite::{Fault, OpenError, OpenOptions, classify, open};
use rusqlite::Connection;

const KEY: [u8; 32] = [7; 32];

fn keyed() -> OpenOptions {
    OpenOptions {
        key: Some(KEY),
        create: true,
        read_only: false,
    }
}

/// A keyed database of some 1 MB at `path`, closed again.
fn filled(path: &Path) {
    let connection = open(path, keyed()).unwrap();
    connection
        .execute_batch(
            "CREATE TABLE blob_row (id INTEGER PRIMARY KEY, bytes BLOB) STRICT;
             WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000)
             INSERT INTO blob_row SELECT i, zeroblob(1000) FROM n;",
        )
        .unwrap();
    connection.close().unwrap();
}

fn count(connection: &Connection) -> Result<i64, rusqlite::Error> {
    connection.query_row("SELECT sum(length(bytes)) FROM blob_row", [], |row| {
        row.get(0)
    })
}

#[test]
fn a_keyed_file_opens_again_and_shows_nothing_in_clear() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.db");
    filled(&path);
    assert_eq!(count(&open(&path, keyed()).unwrap()).unwrap(), 1_000_000);
    let bytes = fs::read(&path).unwrap();
    assert!(!bytes.windows(8).any(|window| window == b"blob_row"));
    assert!(!bytes.starts_with(b"SQLite format 3"));
}

#[test]
fn durability_settings_are_on() {
    let folder = tempfile::tempdir().unwrap();
    let connection = open(&folder.path().join("a.db"), keyed()).unwrap();
    let cases = [
        ("journal_mode", "wal"),
        ("synchronous", "2"),
        ("foreign_keys", "1"),
    ];
    for (pragma, expected) in cases {
        let value: rusqlite::types::Value = connection
            .query_row(&format!("PRAGMA {pragma}"), [], |row| row.get(0))
            .unwrap();
        let text = match value {
            rusqlite::types::Value::Integer(number) => number.to_string(),
            rusqlite::types::Value::Text(text) => text,
            other => panic!("{pragma}: {other:?}"),
        };
        assert_eq!(text, expected, "{pragma}");
    }
}

#[test]
fn what_does_not_open_is_named_and_left_alone() {
    type Spoil = fn(&Path);
    type Expected = fn(&OpenError) -> bool;
    let cases: [(&str, Spoil, OpenOptions, Expected); 6] = [
        (
            "wrong key",
            |_| {},
            OpenOptions {
                key: Some([8; 32]),
                ..keyed()
            },
            |e| matches!(e, OpenError::NotADatabase),
        ),
        (
            "no key",
            |_| {},
            OpenOptions {
                key: None,
                ..keyed()
            },
            |e| matches!(e, OpenError::NotADatabase),
        ),
        (
            "a text file",
            |path| fs::write(path, "a shopping list, not a database".repeat(400)).unwrap(),
            keyed(),
            |e| matches!(e, OpenError::NotADatabase),
        ),
        (
            "cut to nothing",
            |path| fs::write(path, "").unwrap(),
            keyed(),
            |e| matches!(e, OpenError::Corrupt),
        ),
        (
            "first page damaged",
            |path| {
                let mut bytes = fs::read(path).unwrap();
                bytes[100] ^= 1;
                fs::write(path, bytes).unwrap();
            },
            keyed(),
            |e| matches!(e, OpenError::NotADatabase),
        ),
        (
            "absent and not to be made",
            |path| fs::remove_file(path).unwrap(),
            OpenOptions {
                create: false,
                ..keyed()
            },
            |e| matches!(e, OpenError::Missing(_)),
        ),
    ];
    for (name, spoil, options, expected) in cases {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.db");
        filled(&path);
        spoil(&path);
        let before = fs::read(&path).ok();
        let error = open(&path, options).expect_err(name);
        assert!(expected(&error), "{name}: {error:?}");
        assert_eq!(fs::read(&path).ok(), before, "{name}: the file was touched");
    }
}

#[test]
fn a_damaged_page_is_corrupt_where_it_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.db");
    filled(&path);
    let mut bytes = fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&path, bytes).unwrap();
    let connection = open(&path, keyed()).unwrap();
    let error = count(&connection).unwrap_err();
    assert_eq!(classify(&error), Fault::Corrupt, "{error:?}");
}

#[test]
fn a_file_cut_in_half_is_corrupt_where_it_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.db");
    filled(&path);
    let bytes = fs::read(&path).unwrap();
    fs::write(&path, &bytes[..bytes.len() / 2 / 4096 * 4096]).unwrap();
    match open(&path, keyed()) {
        Err(error) => assert!(matches!(error, OpenError::Corrupt), "{error:?}"),
        Ok(connection) => {
            let error = count(&connection).unwrap_err();
            assert_eq!(classify(&error), Fault::Corrupt, "{error:?}");
        }
    }
}

#[test]
fn a_reader_sees_commits_and_may_not_write() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.db");
    filled(&path);
    let writer = open(&path, keyed()).unwrap();
    let reader = open(
        &path,
        OpenOptions {
            key: Some(KEY),
            create: false,
            read_only: true,
        },
    )
    .unwrap();
    writer
        .execute("DELETE FROM blob_row WHERE id > 10", [])
        .unwrap();
    assert_eq!(count(&reader).unwrap(), 10_000);
    let error = reader.execute("DELETE FROM blob_row", []).unwrap_err();
    assert_eq!(classify(&error), Fault::ReadOnly);
}

#[test]
fn a_half_made_file_of_an_earlier_start_is_no_obstacle() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.db");
    fs::write(folder.path().join("a.db.creating"), "half").unwrap();
    open(&path, keyed()).unwrap();
    assert!(!folder.path().join("a.db.creating").exists());
}
