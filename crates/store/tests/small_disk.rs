//! Disks that are full or read-only. `cargo xtask test` leaves these out, and says so, where the
//! kernel gives no mounts of our own.

use std::fs::{self, File};
use std::io::{ErrorKind, Seek, SeekFrom, Write};
use std::path::PathBuf;
use std::process::Command;

use qiantai_core::ids::MemberId;
use qiantai_store::vault::{self, FileKeyHolder, VaultError};
use qiantai_store::{CommitError, Fault, OpenError, Store};
use qiantai_testkit::SmallDisk;

use crate::fixture::{append, cash_top_up, keys, receipt, shift_open, try_append};

/// What the file system gives out at once.
const PAGE: usize = 4_096;
const DISK: SmallDisk = SmallDisk {
    megabytes: 4,
    below: "",
};

#[test]
fn a_full_file_system_writes_nothing() {
    run("write_until_it_is_full");
}

#[test]
fn a_full_file_system_leaves_no_half_made_vault() {
    run("make_a_vault_when_it_is_full");
}

#[test]
fn a_read_only_file_system_is_named() {
    run("open_on_a_read_only_disk");
}

/// Runs a test below.
fn run(test: &str) {
    DISK.run(&format!("small_disk::{test}")).unwrap();
}

fn folder() -> PathBuf {
    SmallDisk::folder().unwrap()
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

#[test]
#[ignore = "runs on the small disk of `a_full_file_system_leaves_no_half_made_vault`"]
fn make_a_vault_when_it_is_full() {
    let mut ballast = File::create(folder().join("ballast")).unwrap();
    while ballast.write_all(&[7; PAGE]).is_ok() {}
    let size = ballast.metadata().unwrap().len();
    // Room for nothing, then for the key and not for the vault.
    for pages in [0, 1] {
        ballast.set_len(size - pages * PAGE as u64).unwrap();
        let shop = folder().join(pages.to_string());
        fs::create_dir(&shop).unwrap();
        let holder = FileKeyHolder::new(&shop);
        for _ in 0..2 {
            let error = vault::create(&shop, &holder).unwrap_err();
            assert!(
                matches!(&error, VaultError::Io(error) if error.kind() == ErrorKind::StorageFull),
                "{pages}: {error:?}"
            );
            let mut left: Vec<_> = fs::read_dir(&shop)
                .unwrap()
                .map(|entry| entry.unwrap().file_name().into_string().unwrap())
                .collect();
            left.sort();
            assert_eq!(left, ["kek.key", "vault.lock"][1 - pages as usize..]);
        }
        ballast.set_len(0).unwrap();
        let (secrets, _) = vault::create(&shop, &holder).unwrap();
        assert!(vault::open(&shop, &holder).unwrap() == secrets);
        ballast.seek(SeekFrom::Start(0)).unwrap();
        fs::remove_dir_all(&shop).unwrap();
        while ballast.write_all(&[7; PAGE]).is_ok() {}
    }
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
