use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use qiantai_core::ids::MemberId;
use qiantai_sqlite::{OpenOptions, open};
use qiantai_store::{CommitError, Fault, OpenError, Store, StoreError};
use qiantai_wire::feed::FeedChange;

use crate::fixture::{
    Shelf, append, cash_top_up, keys, member, receipt, shift_open, snapshot, try_append,
};

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
fn a_full_file_system_writes_nothing() {
    let Some(disk) = SmallDisk::mount() else {
        return;
    };
    let path = disk.path().join("terminal.db");
    let store = Store::open_or_create(&path, &keys()).unwrap();
    append(&store, 1, shift_open());
    let (mut written, mut error) = (1_u64, None);
    for op in 2..1_000 {
        let jobs = vec![receipt(op, op, vec![7; 60_000])];
        match try_append(&store, op, cash_top_up(ZHANG, op), jobs) {
            Ok(_) => written += 1,
            Err(found) => {
                error = Some(found);
                break;
            }
        }
    }
    assert_full(&error.expect("4 MB cannot hold 60 MB"));
    check_whole(&store, written);
    drop(store);
    let store = Store::open(&path, &keys()).unwrap();
    check_whole(&store, written);
}

fn assert_full(error: &CommitError<String>) {
    let CommitError::Store(error) = error else {
        panic!("{error:?}");
    };
    assert_eq!(error.fault(), Some(Fault::DiskFull), "{error:?}");
}

fn check_whole(store: &Store, written: u64) {
    store.verify_chain().unwrap();
    assert_eq!(store.log_head().unwrap().device_seq, written);
    let jobs = store.print_jobs(u32::MAX).unwrap().len();
    assert_eq!(jobs as u64, written - 1);
}

/// A file system of 4 MB in memory. Needs the right to mount; without it the test of the page
/// limit beside `Store` stands alone.
struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    fn mount() -> Option<SmallDisk> {
        let folder = tempfile::tempdir().unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=4m", "tmpfs"])
            .arg(folder.path())
            .output()
            .is_ok_and(|output| output.status.success());
        mounted.then_some(SmallDisk(folder))
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn make_read_only(&self) {
        let remounted = Command::new("mount")
            .args(["-o", "remount,ro"])
            .arg(self.path())
            .status()
            .unwrap();
        assert!(remounted.success());
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let unmounted = Command::new("umount").arg("-l").arg(self.0.path()).status();
        assert!(unmounted.is_ok_and(|status| status.success()));
    }
}

#[test]
fn a_read_only_folder_is_named() {
    let (folder, path) = closed();
    let disk = SmallDisk::mount();
    let path = match &disk {
        // Permissions do not bind an administrator; a file system does.
        Some(disk) => {
            let there = disk.path().join("terminal.db");
            fs::copy(&path, &there).unwrap();
            disk.make_read_only();
            there
        }
        None => {
            let mut permissions = fs::metadata(folder.path()).unwrap().permissions();
            permissions.set_readonly(true);
            fs::set_permissions(&path, permissions.clone()).unwrap();
            fs::set_permissions(folder.path(), permissions).unwrap();
            path
        }
    };
    let error = Store::open_or_create(&path, &keys()).err().unwrap();
    assert!(matches!(error, OpenError::ReadOnly), "{error:?}");
    let fresh = Store::open_or_create(&path.with_file_name("new.db"), &keys())
        .err()
        .unwrap();
    assert!(matches!(fresh, OpenError::ReadOnly), "{fresh:?}");
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
