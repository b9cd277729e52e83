//! The second copy of own operations in a folder: filled from where it ends, whatever happened to it.

use std::fs;
use std::path::{Path, PathBuf};

use ed25519_dalek::SigningKey;
use qiantai_core::ids::{DeviceId, MemberId, TenantId};
use qiantai_store::{CopyFault, SecondCopy, Store, is_same_disk};
use qiantai_wire::copy::{CopyHead, EXTENSION, HEAD_LEN, read_records};
use uuid::Uuid;

use crate::fixture::{DEVICE, Shelf, append, cash_top_up, shift_open};

fn server() -> SigningKey {
    SigningKey::from_bytes(&[5; 32])
}

fn head(device: DeviceId) -> CopyHead {
    CopyHead {
        tenant: TenantId(Uuid::from_u128(1)),
        device,
        epoch: 1,
        server_key: server().verifying_key().to_bytes(),
    }
}

fn sell(store: &Store, ops: std::ops::Range<u128>) {
    for op in ops {
        append(store, op, cash_top_up(MemberId(Uuid::from_u128(0xa)), op));
    }
}

fn follow(folder: &Path, store: &Store) -> Result<u64, CopyFault> {
    let mut copy = SecondCopy::open(folder, head(DEVICE))?;
    copy.catch_up(store)?;
    Ok(copy.end().device_seq)
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder.join("qiantai-copy")).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = paths
        .filter(|path| path.extension().is_some_and(|end| end == EXTENSION))
        .collect();
    files.sort();
    files
}

/// Every operation that the server would find there, as it was signed.
fn copied(folder: &Path) -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    for path in files(folder) {
        let bytes = fs::read(path).unwrap();
        let head = CopyHead::parse(&bytes).unwrap();
        for record in read_records(&bytes[HEAD_LEN..]).0 {
            all.push(record.open(&head, &server()).unwrap().signed.bytes);
        }
    }
    all
}

fn own(store: &Store) -> Vec<Vec<u8>> {
    let rows = store.operations_after(0, 1_000).unwrap();
    rows.into_iter().map(|row| row.signed.bytes).collect()
}

#[test]
fn a_copy_goes_on_where_it_ends() {
    let (shelf, stick) = (Shelf::new(), tempfile::tempdir().unwrap());
    append(&shelf.store, 1, shift_open());
    sell(&shelf.store, 2..100);
    SecondCopy::choose(stick.path()).unwrap();
    assert_eq!(follow(stick.path(), &shelf.store).unwrap(), 99);
    assert_eq!(copied(stick.path()), own(&shelf.store));

    // Open for long, or opened anew.
    let mut copy = SecondCopy::open(stick.path(), head(DEVICE)).unwrap();
    sell(&shelf.store, 100..103);
    copy.catch_up(&shelf.store).unwrap();
    sell(&shelf.store, 103..105);
    copy.catch_up(&shelf.store).unwrap();
    assert_eq!(copy.end(), shelf.store.log_head().unwrap());
    assert_eq!(files(stick.path()).len(), 1);
    assert_eq!(copied(stick.path()), own(&shelf.store));
    drop(copy);

    // Power went in the middle of a record, at every byte of the last one.
    let path = files(stick.path()).remove(0);
    let whole = fs::read(&path).unwrap();
    for cut in [1, 8, 100, 300] {
        fs::write(&path, &whole[..whole.len() - cut]).unwrap();
        assert_eq!(follow(stick.path(), &shelf.store).unwrap(), 104, "{cut}");
        assert_eq!(copied(stick.path()), own(&shelf.store), "{cut}");
    }
    // Two terminals keep out of each other's way.
    let other = SecondCopy::open(stick.path(), head(DeviceId(Uuid::from_u128(0xe))));
    assert_eq!(other.unwrap().end().device_seq, 0);
}

#[test]
fn a_place_that_is_not_there_is_not_made_up_for() {
    let (shelf, places) = (Shelf::new(), tempfile::tempdir().unwrap());
    append(&shelf.store, 1, shift_open());
    let stick = places.path().join("stick");
    let gone = |result| matches!(result, Err(CopyFault::Gone));
    assert!(gone(SecondCopy::choose(&stick)));
    assert!(gone(follow(&stick, &shelf.store).map(drop)));
    fs::create_dir(&stick).unwrap();
    // An empty mount point, and not the stick that was chosen.
    assert!(gone(follow(&stick, &shelf.store).map(drop)));
    assert_eq!(fs::read_dir(&stick).unwrap().count(), 0);
    SecondCopy::choose(&stick).unwrap();
    let mut copy = SecondCopy::open(&stick, head(DEVICE)).unwrap();
    copy.catch_up(&shelf.store).unwrap();

    let pocket = places.path().join("pocket");
    fs::rename(&stick, &pocket).unwrap();
    sell(&shelf.store, 2..5);
    assert!(gone(copy.catch_up(&shelf.store)));
    assert_eq!(copy.end().device_seq, 1);
    // Plugged in again, it catches up; another stick gets everything.
    fs::rename(&pocket, &stick).unwrap();
    assert_eq!(follow(&stick, &shelf.store).unwrap(), 4);
    let second = places.path().join("second");
    fs::create_dir(&second).unwrap();
    SecondCopy::choose(&second).unwrap();
    assert_eq!(follow(&second, &shelf.store).unwrap(), 4);
    assert_eq!(copied(&second), own(&shelf.store));
    assert!(is_same_disk(&stick, shelf.store.path()).unwrap());
}

#[test]
fn another_history_is_not_written_over() {
    let (shelf, other, stick) = (Shelf::new(), Shelf::new(), tempfile::tempdir().unwrap());
    append(&shelf.store, 1, shift_open());
    sell(&shelf.store, 2..6);
    SecondCopy::choose(stick.path()).unwrap();
    follow(stick.path(), &shelf.store).unwrap();
    // The disk was set back, and something else was sold.
    append(&other.store, 1, shift_open());
    sell(&other.store, 12..14);
    let before = copied(stick.path());
    let refused = follow(stick.path(), &other.store);
    assert!(
        matches!(refused, Err(CopyFault::OtherHistory(5))),
        "{refused:?}"
    );
    sell(&other.store, 14..20);
    let refused = follow(stick.path(), &other.store);
    assert!(
        matches!(refused, Err(CopyFault::OtherHistory(5))),
        "{refused:?}"
    );
    assert_eq!(copied(stick.path()), before);

    // Damage in the middle costs what comes after it in that file; all of it is written again.
    let path = files(stick.path()).remove(0);
    let mut bytes = fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&path, &bytes).unwrap();
    assert_eq!(follow(stick.path(), &shelf.store).unwrap(), 5);
    assert_eq!(copied(stick.path()), own(&shelf.store));
}
