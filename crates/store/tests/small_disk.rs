//! Disks that are full or read-only. `cargo xtask test` leaves these out, and says so, where the
//! kernel gives no mounts of our own.

use std::path::PathBuf;
use std::process::Command;

use qiantai_core::ids::MemberId;
use qiantai_store::{CommitError, Fault, OpenError, Store};

use crate::fixture::{append, cash_top_up, keys, receipt, shift_open, try_append};

const FOLDER: &str = "QIANTAI_SMALL_DISK";
/// A file system of 4 MB of its own at the folder, then one of the tests below in it.
const ON_A_SMALL_DISK: &str =
    r#"mount -t tmpfs -o size=4m small "$1" && exec "$2" "small_disk::$3" --exact --ignored"#;

#[test]
fn a_full_file_system_writes_nothing() {
    run("write_until_it_is_full");
}

#[test]
fn a_read_only_file_system_is_named() {
    run("open_on_a_read_only_disk");
}

/// Runs a test below in mounts of its own, of which nothing is left afterwards.
fn run(test: &str) {
    let folder = tempfile::tempdir().unwrap();
    let ended = Command::new("unshare")
        .args(["-rm", "sh", "-c", ON_A_SMALL_DISK, "sh"])
        .arg(folder.path())
        .arg(std::env::current_exe().unwrap())
        .arg(test)
        .env(FOLDER, folder.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&ended.stdout);
    assert!(
        ended.status.success() && said.contains("1 passed"),
        "{said}{}",
        String::from_utf8_lossy(&ended.stderr)
    );
}

fn folder() -> PathBuf {
    PathBuf::from(std::env::var_os(FOLDER).unwrap())
}

#[test]
#[ignore = "runs on the small disk of `a_full_file_system_writes_nothing`"]
fn write_until_it_is_full() {
    let path = folder().join("terminal.db");
    let store = Store::open_or_create(&path, &keys()).unwrap();
    append(&store, 1, shift_open());
    let (mut written, mut error) = (1_u64, None);
    for op in 2..1_000 {
        let jobs = vec![receipt(op, op, vec![7; 60_000])];
        match try_append(
            &store,
            op,
            cash_top_up(MemberId(uuid::Uuid::from_u128(0xa)), op),
            jobs,
        ) {
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

/// Permissions would not bind an administrator; a file system does.
#[test]
#[ignore = "runs on the small disk of `a_read_only_file_system_is_named`"]
fn open_on_a_read_only_disk() {
    let path = folder().join("terminal.db");
    drop(Store::open_or_create(&path, &keys()).unwrap());
    let remounted = Command::new("mount")
        .args(["-o", "remount,ro"])
        .arg(folder())
        .status()
        .unwrap();
    assert!(remounted.success());
    for name in ["terminal.db", "new.db"] {
        let error = Store::open_or_create(&path.with_file_name(name), &keys())
            .err()
            .unwrap();
        assert!(matches!(error, OpenError::ReadOnly), "{name}: {error:?}");
    }
}
