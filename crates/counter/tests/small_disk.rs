//! A disk that is full. `cargo xtask test` leaves these out, and says so, where the kernel gives no
//! mounts of our own.

use std::io::Write;
use std::process::Command;

use qiantai_counter::error::{ErrorCode, MoneyMoved};
use qiantai_counter::view::order::Stage;

use crate::shop::Shop;
use crate::till::Till;

const FOLDER: &str = "QIANTAI_SMALL_DISK";
/// A file system of 12 MB of its own at the terminal's folder, then the test below in it.
const ON_A_SMALL_DISK: &str = r#"mount -t tmpfs -o size=12m small "$1/till" && exec "$2" small_disk::sells_on_a_small_disk --exact --ignored"#;

#[test]
fn a_full_disk_records_nothing_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("till")).unwrap();
    let sold = Command::new("unshare")
        .args(["-rm", "sh", "-c", ON_A_SMALL_DISK, "sh"])
        .arg(folder.path())
        .arg(std::env::current_exe().unwrap())
        .env(FOLDER, folder.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&sold.stdout);
    assert!(
        sold.status.success() && said.contains("1 passed"),
        "{said}{}",
        String::from_utf8_lossy(&sold.stderr)
    );
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "runs on the small disk of `a_full_disk_records_nothing_and_says_so`"]
async fn sells_on_a_small_disk() {
    let folder = std::env::var(FOLDER).unwrap();
    let shop = Shop::beside_gateway(folder.as_ref(), "http://127.0.0.1:9", None).await;
    let till = Till::open(&shop).await;
    let member = till.zhang_wei().await;
    let filler = till.folder.join("filler");
    let mut file = std::fs::File::create(&filler).unwrap();
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
    std::fs::remove_file(&filler).unwrap();
    let order = till.pay_cash(&offer).await.unwrap();
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
