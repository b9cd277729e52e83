//! A disk that is full: no sale is lost, none is taken, and the screen says so. `cargo xtask test`
//! leaves these out, and says so, where this account may not mount.

use std::fs::{self, File};
use std::io::Write;
use std::path::PathBuf;
use std::process::Command;

use qiantai_testkit::{Launch, Method, Window};
use tempfile::TempDir;

use crate::shop::{MEMBER, MEMBER_PHONE, Shop, app, balance, orders};
use crate::tour::Tour;

/// Room for the shop's files and those of the web view.
const SIZE: &str = "size=48m";

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_takes_no_money() {
    let disk = Disk::mount();
    let shop = Shop::new();
    let launch = disk.launch(&shop);
    let window = Window::open(&shop.display, &launch).await.unwrap();
    let cashier = shop.cashier(&window);
    cashier.sign_in().await.unwrap();
    cashier.open_shift().await.unwrap();
    let before = balance(&window).await;
    cashier.find(MEMBER_PHONE, MEMBER).await.unwrap();
    cashier.choose_amount("300").await.unwrap();
    cashier.choose_method(Method::Cash).await.unwrap();
    cashier.ready_to_pay().await.unwrap();

    disk.fill();
    cashier.take_payment().await.unwrap();
    let full = shop.words.get("error.disk_full").unwrap();
    window.text(&full).await.unwrap();
    let mut tour = Tour::new("disk");
    tour.look_as_it_is(&window, "full-while-selling").await;
    assert!(orders(&window).await.is_empty());
    assert_eq!(balance(&window).await, before);

    // With room again the same click takes the money, once.
    disk.make_room();
    cashier.take_payment().await.unwrap();
    cashier.success().await.unwrap();
    assert_eq!(orders(&window).await.len(), 1);
    let after = balance(&window).await;
    assert!(after > before);
    window.kill().await.unwrap();

    tour.end();
    let window = Window::open(&shop.display, &launch).await.unwrap();
    shop.cashier(&window).sign_in().await.unwrap();
    assert_eq!(balance(&window).await, after, "what was said is kept");
    window.close().await.unwrap();
}

/// What a first start cannot write is said, and nothing of it is in the way of the next.
#[tokio::test(flavor = "multi_thread")]
async fn a_first_start_on_a_full_disk_begins_anew_with_room() {
    let disk = Disk::mount();
    let shop = Shop::new();
    let launch = disk.launch(&shop);
    let full = shop.words.get("trouble.disk_full.title").unwrap();
    // Room for nothing, for the keys only, and for the store and not for the ledger.
    for room in [0, 16 << 10, 512 << 10] {
        disk.fill_but(room);
        let window = Window::open(&shop.display, &launch).await.unwrap();
        window.control("heading", &full).await.unwrap();
        window.kill().await.unwrap();
        disk.make_room();
    }
    let window = Window::open(&shop.display, &launch).await.unwrap();
    shop.cashier(&window).sign_in().await.unwrap();
    assert_eq!(balance(&window).await, 53_000);
    window.close().await.unwrap();
}

/// A small disk in memory, unmounted when it is dropped.
struct Disk {
    folder: TempDir,
}

impl Disk {
    fn mount() -> Disk {
        let folder = TempDir::new().unwrap();
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", SIZE, "tmpfs"]);
        let mounted = mount.arg(folder.path()).status().unwrap();
        assert!(mounted.success(), "only root may mount a small disk");
        Disk { folder }
    }

    fn shop(&self) -> PathBuf {
        self.folder.path().join("shop")
    }

    fn launch(&self, shop: &Shop) -> Launch {
        Launch::training(app()).in_folder(&self.shop()).with([
            "--members",
            "60",
            "--lang",
            shop.words.language(),
        ])
    }

    /// Leaves no byte free, and room in the disk's directory for nothing.
    fn fill(&self) {
        let mut ballast = File::create(self.ballast()).unwrap();
        let mut block = vec![0; 1 << 16];
        while !block.is_empty() {
            if ballast.write_all(&block).is_err() {
                block.truncate(block.len() / 2);
            }
        }
    }

    /// Leaves `room` bytes free.
    fn fill_but(&self, room: u64) {
        self.fill();
        let ballast = File::options().write(true).open(self.ballast()).unwrap();
        let size = ballast.metadata().unwrap().len();
        ballast.set_len(size - room).unwrap();
    }

    fn make_room(&self) {
        fs::remove_file(self.ballast()).unwrap();
    }

    fn ballast(&self) -> PathBuf {
        self.folder.path().join("ballast")
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let mut unmount = Command::new("umount");
        // Lazily: the web view's processes may still be on their way out.
        let gone = unmount.arg("-l").arg(self.folder.path()).status();
        assert!(gone.unwrap().success(), "the small disk stays mounted");
    }
}
