//! What the window says when the shop's files or its server are not there, cause by cause. That
//! nothing is overwritten is tested in `trouble`.

use std::fs;
use std::path::Path;

use qiantai_core::Timestamp;
use qiantai_sqlite::{FolderLock, OpenOptions};
use qiantai_store::vault::{self, FileKeyHolder};
use qiantai_testkit::{Key, Launch, Window};
use qiantai_wire::enrol::EnrolCode;
use tempfile::TempDir;

use crate::shop::{Shop, app, copy_of};
use crate::tour::Tour;

/// Nothing listens there.
const NOWHERE: &str = "http://127.0.0.1:1";

struct Case {
    cause: &'static str,
    /// What happened to the files of a shop that was open before.
    damage: fn(&Path),
}

const CASES: &[Case] = &[
    Case {
        cause: "key_lost",
        damage: |folder| fs::remove_file(folder.join("kek.key")).unwrap(),
    },
    Case {
        cause: "vault_corrupt",
        damage: |folder| fs::write(folder.join("vault.json"), "{}").unwrap(),
    },
    Case {
        cause: "database_unreadable",
        damage: |folder| fs::write(folder.join("terminal.db"), [0x5a; 8_192]).unwrap(),
    },
    Case {
        cause: "database_corrupt",
        damage: |folder| fs::write(folder.join("terminal.db"), "").unwrap(),
    },
    Case {
        cause: "newer_version",
        damage: as_a_newer_version_leaves_it,
    },
    Case {
        cause: "folder_unusable",
        damage: |folder| {
            fs::remove_file(folder.join("ledger.db")).unwrap();
            fs::create_dir(folder.join("ledger.db")).unwrap();
        },
    },
];

fn as_a_newer_version_leaves_it(folder: &Path) {
    let secrets = vault::open(folder, &FileKeyHolder::new(folder)).unwrap();
    let options = OpenOptions {
        key: Some(secrets.terminal_db_key),
        create: false,
        read_only: false,
    };
    let store = qiantai_sqlite::open(&folder.join("terminal.db"), options).unwrap();
    let later =
        "INSERT INTO migration SELECT max(number) + 1, 'later', zeroblob(32) FROM migration";
    store.execute_batch(later).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn every_trouble_with_files() {
    let shop = Shop::new();
    let window = shop.open().await;
    shop.cashier(&window).wait_until_open().await.unwrap();
    window.close().await.unwrap();
    let mut tour = Tour::new("trouble");
    for case in CASES {
        let folder = copy_of(shop.folder());
        (case.damage)(folder.path());
        let launch = Launch::training(app()).in_folder(folder.path());
        let window = Window::open(&shop.display, &launch).await.unwrap();
        look(&window, &mut tour, case.cause).await;
        if case.cause == "key_lost" {
            wrong_code(&window, &mut tour).await;
        }
        window.close().await.unwrap();
    }
    let folder = copy_of(shop.folder());
    let _other_counter = FolderLock::take(folder.path()).unwrap();
    let launch = Launch::training(app()).in_folder(folder.path());
    let window = Window::open(&shop.display, &launch).await.unwrap();
    look(&window, &mut tour, "folder_in_use").await;
    window.close().await.unwrap();
    tour.end();
}

#[tokio::test(flavor = "multi_thread")]
async fn every_trouble_with_the_server() {
    let shop = Shop::new();
    let mut tour = Tour::new("trouble-server");
    let code = |expires_at| EnrolCode {
        server: NOWHERE.to_owned(),
        authority: None,
        secret: [0; 16],
        expires_at,
    };
    let [fresh, old] = [i64::MAX / 1_000_000 * 1_000, 0].map(Timestamp::from_ms);
    let [fresh, old] = [fresh, old].map(|at| code(at).to_string());
    for (cause, more) in [
        ("code_unreadable", ["--enrol", "x"].as_slice()),
        ("code_expired", &["--enrol", &old]),
        ("server_unreachable", &["--enrol", &fresh]),
    ] {
        let folder = TempDir::new().unwrap();
        let launch = Launch::of(app()).in_folder(folder.path()).with(more);
        let window = Window::open(&shop.display, &launch).await.unwrap();
        look(&window, &mut tour, cause).await;
        window.close().await.unwrap();
    }
    tour.end();
}

async fn look(window: &Window, tour: &mut Tour, cause: &str) {
    let key = &format!("trouble.{cause}.title");
    tour.stop_at_start(window, cause, |looks| async move {
        let title = Shop::words_of(looks).get(key).unwrap();
        window.control("heading", &title).await.unwrap();
    })
    .await;
}

async fn wrong_code(window: &Window, tour: &mut Tour) {
    tour.stop_at_start(window, "wrong-code", |looks| async move {
        let words = Shop::words_of(looks);
        let field = words.get("trouble.code").unwrap();
        window.fill("textbox", &field, "ZZZZ").await.unwrap();
        window.press(Key::Enter).await.unwrap();
        let wrong = words.get("error.recovery_wrong").unwrap();
        window.text(&wrong).await.unwrap();
    })
    .await;
}
