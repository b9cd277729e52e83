use std::fs;
use std::path::{Path, PathBuf};

use qiantai_core::ids::MemberId;
use qiantai_sqlite::{OpenOptions, open};
use qiantai_store::{OpenError, Store, StoreError};
use qiantai_wire::feed::FeedChange;

use crate::fixture::{Shelf, append, cash_top_up, keys, member, snapshot};

const ZHANG: MemberId = MemberId(uuid::Uuid::from_u128(0xa));

/// A closed store with some operations and members.
fn closed() -> (tempfile::TempDir, PathBuf) {
    let shelf = Shelf::new();
    for op in 1..=20 {
        append(&shelf.store, op, cash_top_up(ZHANG, op << 8));
    }
    let rows = (1..=500)
        .map(|n| FeedChange::Member(member(n, "张伟", "13812345678")))
        .collect();
    shelf
        .store
        .apply_snapshot(None, &snapshot(1, 0, rows, None))
        .unwrap();
    let path = shelf.path();
    let Shelf { folder, store } = shelf;
    drop(store);
    (folder, path)
}

fn raw(path: &Path) -> rusqlite::Connection {
    open(
        path,
        OpenOptions {
            key: Some([7; 32]),
            create: false,
            read_only: false,
        },
    )
    .unwrap()
}

#[test]
fn a_store_that_does_not_open_is_named_and_left_alone() {
    type Spoil = fn(&Path);
    type Expected = fn(&OpenError) -> bool;
    let cases: [(&str, Spoil, Expected); 6] = [
        (
            "not a database",
            |path| fs::write(path, vec![b'x'; 8192]).unwrap(),
            |e| matches!(e, OpenError::KeyWrongOrNotADatabase),
        ),
        (
            "cut to nothing",
            |path| fs::write(path, "").unwrap(),
            |e| matches!(e, OpenError::Corrupt(_)),
        ),
        (
            "cut after the first page",
            |path| fs::write(path, &fs::read(path).unwrap()[..4096]).unwrap(),
            |e| matches!(e, OpenError::Corrupt(_)),
        ),
        (
            "every page but the first damaged",
            |path| {
                let mut bytes = fs::read(path).unwrap();
                bytes
                    .iter_mut()
                    .skip(4096 + 100)
                    .step_by(4096)
                    .for_each(|byte| *byte ^= 1);
                fs::write(path, bytes).unwrap();
            },
            |e| matches!(e, OpenError::Corrupt(_)),
        ),
        (
            "newer schema",
            |path| {
                let insert = "INSERT INTO migration SELECT number + 1, 'future', sha256
                     FROM migration ORDER BY number DESC LIMIT 1";
                raw(path).execute(insert, []).unwrap();
            },
            |e| matches!(e, OpenError::NewerSchema { .. }),
        ),
        (
            "an operation altered behind the program's back",
            |path| {
                raw(path)
                    .execute_batch(
                        "DROP TRIGGER operation_is_never_changed;
                         UPDATE operation SET bytes = x'00' WHERE device_seq = 7;",
                    )
                    .unwrap();
            },
            |e| matches!(e, OpenError::Corrupt(_)),
        ),
    ];
    for (name, spoil, expected) in cases {
        let (_folder, path) = closed();
        spoil(&path);
        let before = fs::read(&path).unwrap();
        for _ in 0..2 {
            let error = Store::open_or_create(&path, &keys()).err().expect(name);
            assert!(expected(&error), "{name}: {error:?}");
        }
        assert!(
            fs::read(&path).unwrap() == before,
            "{name}: the file was touched"
        );
    }
}

#[test]
fn a_wrong_key_leaves_the_store_as_it_was() {
    let (_folder, path) = closed();
    let mut wrong = keys();
    wrong.db_key = [8; 32];
    let error = Store::open_or_create(&path, &wrong).err().unwrap();
    assert!(
        matches!(error, OpenError::KeyWrongOrNotADatabase),
        "{error:?}"
    );
    let store = Store::open(&path, &keys()).unwrap();
    assert_eq!(store.log_head().unwrap().device_seq, 20);
}

#[test]
fn a_missing_store_is_not_made_when_it_should_be_there() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("terminal.db");
    let error = Store::open(&path, &keys()).err().unwrap();
    assert!(matches!(error, OpenError::Missing), "{error:?}");
    assert!(!path.exists());
}

#[test]
fn one_damaged_page_is_told_where_it_is_read() {
    let (_folder, path) = closed();
    let mut bytes = fs::read(&path).unwrap();
    let last = bytes.len() - 2048;
    bytes[last] ^= 1;
    fs::write(&path, &bytes).unwrap();
    match Store::open(&path, &keys()) {
        Err(error) => assert!(matches!(error, OpenError::Corrupt(_)), "{error:?}"),
        Ok(store) => {
            let error = store.check_everything().unwrap_err();
            assert!(matches!(error, OpenError::Corrupt(_)), "{error:?}");
        }
    }
}

#[test]
fn an_unreadable_setting_is_an_error_and_not_a_default() {
    let shelf = Shelf::new();
    shelf.store.set_setting("printer", &1).unwrap();
    let error = shelf.store.setting::<String>("printer").unwrap_err();
    assert!(
        matches!(
            error,
            StoreError::UnreadableRow {
                table: "setting",
                ..
            }
        ),
        "{error:?}"
    );
}
