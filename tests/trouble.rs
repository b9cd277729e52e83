//! Files that do not open: a plain screen with a way back, and nothing overwritten.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use qiantai_sqlite::FolderLock;
use qiantai_testkit::{PATIENCE, Window, until};

use crate::shop::Shop;

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_key_asks_for_the_recovery_code() {
    check("kek.key", Damage::Gone, "key_lost").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_vault_is_left_alone() {
    check("vault.json", Damage::Garbage, "vault_corrupt").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_store_is_left_alone() {
    check("terminal.db", Damage::Garbage, "database_unreadable").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_ledger_is_left_alone() {
    check("ledger.db", Damage::Garbage, "database_unreadable").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_store_is_not_replaced_by_an_empty_one() {
    check("terminal.db", Damage::Gone, "database_unreadable").await;
}

/// Another process holds the folder and has no window to bring to the front. It leaves the files
/// alone, so that every change would be the counter's.
#[tokio::test(flavor = "multi_thread")]
async fn a_refused_counter_opens_nothing() {
    let shop = Shop::new();
    let window = shop.open().await;
    shop.cashier(&window).wait_until_open().await.unwrap();
    window.close().await.unwrap();
    let held = until("the counter to end", PATIENCE, || async {
        Ok(FolderLock::take(shop.folder()).ok())
    })
    .await
    .unwrap();
    let before = files(shop.folder());
    let window = Window::open(&shop.display, &shop.launch()).await.unwrap();
    shows(&window, &shop, "folder_in_use").await;
    let again = shop.words.get("trouble.again").unwrap();
    window.click("button", &again).await.unwrap();
    let still = shop.words.get("trouble.still").unwrap();
    window.text(&still).await.unwrap();
    let after = files(shop.folder());
    assert!(
        after == before,
        "changed: {:?}",
        before
            .keys()
            .chain(after.keys())
            .filter(|&name| before.get(name) != after.get(name))
            .collect::<Vec<_>>()
    );
    drop(held);
    // The same window goes on once the folder is free.
    window.click("button", &again).await.unwrap();
    shop.cashier(&window).wait_until_open().await.unwrap();
    window.close().await.unwrap();
}

/// Every file below `folder` with its content.
fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_dir() {
            found.extend(files(&entry.path()));
        } else if entry.file_type().unwrap().is_file() {
            found.insert(entry.path(), std::fs::read(entry.path()).unwrap());
        }
    }
    found
}

/// Waits for the screen for `cause`.
async fn shows(window: &Window, shop: &Shop, cause: &str) {
    let title = shop.words.get(&format!("trouble.{cause}.title")).unwrap();
    window.control("heading", &title).await.unwrap();
}

enum Damage {
    Gone,
    Garbage,
}

/// Damages `file`, opens the app, and expects the screen for `cause`.
async fn check(file: &str, damage: Damage, cause: &str) {
    let shop = Shop::new();
    let window = shop.open().await;
    shop.cashier(&window).wait_until_open().await.unwrap();
    window.close().await.unwrap();

    let path = shop.folder().join(file);
    match damage {
        Damage::Gone => std::fs::remove_file(&path).unwrap(),
        Damage::Garbage => {
            std::fs::write(&path, [0x5a; 8_192]).unwrap();
            // With its log the database would heal itself.
            let log = path.with_extension("db-wal");
            if log.exists() {
                std::fs::remove_file(log).unwrap();
            }
        }
    }
    let before = std::fs::read(&path).ok();
    let window = Window::open(&shop.display, &shop.launch()).await.unwrap();
    shows(&window, &shop, cause).await;
    window.close().await.unwrap();
    assert!(
        std::fs::read(&path).ok() == before,
        "{file} was overwritten"
    );
}
