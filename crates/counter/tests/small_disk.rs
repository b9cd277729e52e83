//! A disk that is full. `cargo xtask test` leaves these out, and says so, where the kernel gives no
//! mounts of our own.

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::symlink;
use std::path::Path;

use qiantai_counter::error::{ErrorCode, MoneyMoved};
use qiantai_counter::view::boot::{BootState, TroubleCause};
use qiantai_counter::view::order::Stage;
use qiantai_testkit::SmallDisk;

use crate::shop::Shop;
use crate::till::{Setup, Till};

/// At the terminal's folder.
const DISK: SmallDisk = SmallDisk {
    megabytes: 12,
    below: "till",
};

#[test]
fn a_full_disk_records_nothing_and_says_so() {
    run("sells_on_a_small_disk");
}

#[test]
fn a_first_start_on_a_full_disk_says_so_and_is_made_up_for_with_room() {
    run("starts_on_a_small_disk");
}

/// Runs a test below.
fn run(test: &str) {
    DISK.run(&format!("small_disk::{test}")).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "runs on the small disk of `a_full_disk_records_nothing_and_says_so`"]
async fn sells_on_a_small_disk() {
    let folder = SmallDisk::folder().unwrap();
    let shop = Shop::beside_gateway(folder.as_ref(), "http://127.0.0.1:9", None).await;
    let till = Till::open(&shop).await;
    let member = till.zhang_wei().await;
    let filler = till.folder.join("filler");
    let mut file = File::create(&filler).unwrap();
    while file.write_all(&[7; 4_096]).is_ok() {}
    let mut sold = 0;
    // The store's log has a little room of its own left.
    let offer = loop {
        let offer = till.cash_offer(&member, "10").await;
        match till.pay_cash(&offer).await {
            Ok(order) => assert_eq!(order.stage, Stage::Credited),
            Err(refused) => {
                assert_eq!(refused.code, ErrorCode::DiskFull, "{refused:?}");
                assert_eq!(refused.message_key, "error.disk_full");
                assert_eq!((refused.money, refused.retryable), (MoneyMoved::No, true));
                break offer;
            }
        }
        sold += 1;
        assert!(sold < 2_000, "the disk does not fill");
    };
    drop(file);
    fs::remove_file(&filler).unwrap();
    let order = till.pay_cash(&offer).await.unwrap();
    // What came down in vain is tried again after a while.
    till.mend(&shop).await;
    till.until_confirmed(&order.id).await;
    assert_eq!(
        shop.credits(&member).len(),
        sold + 1,
        "what was refused left nothing behind"
    );
    till.crash().await;
    let till = Till::reopen(&shop, crate::line::Weather::Fair).await;
    assert_eq!(
        till.member(&member).await.principal_fen.0,
        46_000 + 1_000 * (sold as i64 + 1)
    );
}

/// The key of the vault lies on the same disk, as where the desktop has no key store.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "runs on the small disk of `a_first_start_on_a_full_disk_says_so_and_is_made_up_for_with_room`"]
async fn starts_on_a_small_disk() {
    let disk = SmallDisk::folder().unwrap().join("till");
    let mut stopped = Vec::new();
    // Free pages: the start is stopped at another step each time, and not at all with the last.
    for pages in [
        0, 1, 2, 3, 5, 8, 16, 32, 64, 96, 128, 160, 192, 256, 320, 384, 1_536,
    ] {
        if first_start_stops(&disk, pages).await {
            stopped.push(pages);
        }
    }
    assert!(
        stopped.contains(&0) && !stopped.contains(&1_536),
        "{stopped:?}"
    );
}

/// False when `pages` free pages were enough for a first start.
async fn first_start_stops(disk: &Path, pages: u64) -> bool {
    let real = Setup {
        training: false,
        ..Setup::default()
    };
    let shop = Shop::salon().await;
    let files = disk.join("files");
    fs::create_dir(&files).unwrap();
    for folder in ["till", "keys"] {
        symlink(&files, shop.path(folder)).unwrap();
    }
    let ballast = disk.join("ballast");
    let mut file = File::create(&ballast).unwrap();
    while file.write_all(&[7; 4_096]).is_ok() {}
    let size = file.metadata().unwrap().len();
    file.set_len(size - pages * 4_096).unwrap();

    let till = Till::start(&shop, real).await;
    let stops = match till.boot_state().await {
        BootState::ShowRecoveryCode { .. } => false,
        BootState::Trouble {
            cause: TroubleCause::DiskFull,
            ..
        } => true,
        other => panic!("{pages} pages: {other:?}"),
    };
    till.crash().await;
    drop(file);
    fs::remove_file(&ballast).unwrap();

    let till = Till::start(&shop, real).await;
    let code = match till.boot_state().await {
        BootState::ShowRecoveryCode { code } => code,
        other => panic!("with room after {pages} pages: {other:?}"),
    };
    till.confirm_code(code.rsplit('-').next().unwrap())
        .await
        .unwrap();
    till.sign_in().await;
    till.crash().await;
    fs::remove_dir_all(&files).unwrap();
    stops
}
