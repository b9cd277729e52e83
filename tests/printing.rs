//! Printers and the queue of slips in the real window, by the names of their controls.

use std::io::Read;
use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::mpsc::{Receiver, channel};

use qiantai_print::decode::Printed;
use qiantai_testkit::{Cashier, Key, Method, PATIENCE, UsbBus, UsbCable, UsbModel, Window, until};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::AsyncReadExt;
use tokio::task::JoinHandle;

use crate::screens::counter::{go, part};
use crate::shop::{MEMBER, MEMBER_PHONE, Shop, orders};
use crate::talking_printer::TalkingPrinter;
use crate::tour::{EVERY, Tour};

/// `ESC @`, with which everything for a receipt printer begins.
const INITIALISE: &[u8] = b"\x1b@";
/// What a slip begins with whose first print broke off.
const MARK: &str = "*** 重打 ***";

#[tokio::test(flavor = "multi_thread")]
async fn printers_are_set_up_and_tried() {
    let shop = Shop::new();
    let spooler = spooler();
    let path = std::env::var("PATH").unwrap();
    let path = format!("{}:{path}", spooler.path().display());
    let sockets = TempDir::new().unwrap();
    let bus = UsbBus::new(sockets.path()).unwrap();
    let usb = [
        ("--usb-class", bus.class()),
        ("--usb-devices", bus.devices()),
    ]
    .map(|(option, folder)| format!("{option}={}", folder.display()));
    let launch = shop.launch().env("PATH", &path).with(usb);
    let window = Window::open(&shop.display, &launch).await.unwrap();
    let cashier = shop.cashier(&window);
    cashier.sign_in().await.unwrap();
    cashier.open_shift().await.unwrap();
    let word = |key: &str| shop.words.get(key).unwrap();
    let mut tour = Tour::new("printing");
    go(&cashier, Key::F9, "settings.name").await;
    part(&cashier, "printer.name").await;

    // A printer of the computer, from those that it has.
    choose(&cashier, "printer.spooler").await;
    window
        .control("combobox", &word("printer.queue"))
        .await
        .unwrap();
    let paused = shop
        .words
        .with("printer.queue_paused", &[("queue", "Office")]);
    window.control("option", &paused.unwrap()).await.unwrap();
    click(&cashier, "printer.test").await;
    window.text(&word("printer.queue_empty")).await.unwrap();
    tour.stop(&window, "spooler", EVERY).await;

    // One on USB, plugged in while the window is open, and pulled out again.
    choose(&cashier, "printer.usb").await;
    window.text(&word("printer.no_usb")).await.unwrap();
    tour.stop(&window, "usb-none", EVERY).await;
    let plugged = bus.plug(&UsbModel::EPSON, "1-1", 0).unwrap();
    let paper = given_to(plugged);
    click(&cashier, "printer.look_again").await;
    window
        .gone("button", &word("printer.look_again"))
        .await
        .unwrap();
    click(&cashier, "printer.test").await;
    window.text(&word("printer.tested")).await.unwrap();
    tour.stop(&window, "usb", EVERY).await;
    paper.abort();
    assert!(paper.await.unwrap_err().is_cancelled(), "it took the page");
    click(&cashier, "printer.test").await;
    let gone = word("error.printer_usb_gone");
    window.text(&gone).await.unwrap();

    // One on the network, tried before it is saved.
    let (printer, paper) = printer();
    choose(&cashier, "printer.network").await;
    fill(&cashier, "printer.host", "127.0.0.1").await;
    fill(&cashier, "printer.port", &printer.port().to_string()).await;
    click(&cashier, "printer.test").await;
    window.text(&word("printer.tested")).await.unwrap();
    comes(&paper);
    click(&cashier, "settings.save").await;
    window.text(&word("settings.saved")).await.unwrap();
    let saved = printing(&window).await;
    let target = json!({ "kind": "network", "host": "127.0.0.1", "port": printer.port() });
    assert_eq!(saved["target"], target);

    // Slips as files, with a second printer for trouble.
    choose(&cashier, "printer.folder").await;
    let receipts = shop.folder().join("receipts");
    fill(&cashier, "printer.path", &receipts.to_string_lossy()).await;
    window
        .choose("checkbox", &word("printer.has_spare"))
        .await
        .unwrap();
    let spare = word("printer.spare");
    window.control("group", &spare).await.unwrap();
    fill(&cashier, "printer.host", "bad host/x").await;
    click(&cashier, "settings.save").await;
    window.text(&word("printer.host_wrong")).await.unwrap();
    tour.stop(&window, "spare", EVERY).await;
    fill(&cashier, "printer.host", "127.0.0.1").await;
    click(&cashier, "settings.save").await;
    until("the spare printer to be saved", PATIENCE, || async {
        let session: Value = window.call("session", Value::Null).await?;
        let spare = &session["settings"]["printer"]["spare"]["target"];
        Ok((spare["host"] == "127.0.0.1").then_some(()))
    })
    .await
    .unwrap();
    window.text(&word("settings.saved")).await.unwrap();
    tour.stop(&window, "saved", EVERY).await;
    tour.end();
    window.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn slips_in_trouble_are_decided_in_the_queue() {
    let shop = Shop::new();
    let window = shop.open_counter().await;
    let cashier = shop.cashier(&window);
    let mut tour = Tour::new("printing");
    let files = shop.folder().join("spare");
    // Nobody listens at this port any more.
    let (gone, _) = printer_that_goes();
    set_printers(&window, gone, &files).await;
    pay_cash(&cashier).await;
    cashier.next_customer().await.unwrap();
    assert_eq!(orders(&window).await.len(), 1, "no sale waits for a slip");

    go(&cashier, Key::F8, "queue.name").await;
    let unreachable = shop.words.get("error.printer_unreachable").unwrap();
    window.text(&unreachable).await.unwrap();
    tour.stop(&window, "trouble", EVERY).await;

    // The shop's copy comes from the other printer.
    click_of(&cashier, "print.send_spare_of", "print.shop").await;
    let sent = job(&window, "shop", "printed").await;
    assert_eq!(sent["printer"], "spare");
    assert!(std::fs::read_dir(&files).unwrap().next().is_some());

    // The member's is not wanted: asked about first, and kept to be printed after all.
    let cancel = "print.cancel_of";
    click_of(&cashier, cancel, "print.member").await;
    let question = shop.words.get("print.cancel_title").unwrap();
    window.control("alertdialog", &question).await.unwrap();
    tour.stop(&window, "cancel-question", EVERY).await;
    click(&cashier, "print.cancel_stay").await;
    window.gone("alertdialog", &question).await.unwrap();
    click_of(&cashier, cancel, "print.member").await;
    click(&cashier, "print.cancel_go").await;
    job(&window, "member", "cancelled").await;
    tour.stop(&window, "decided", EVERY).await;
    let (works, paper) = printer();
    set_printers(&window, works, &files).await;
    click_of(&cashier, "print.retry_of", "print.member").await;
    let printed = job(&window, "member", "printed").await;
    assert_eq!(printed["printer"], "receipt");
    comes(&paper);
    tour.end();
    window.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_roll_that_ends_in_the_middle_of_a_slip_costs_none() {
    let shop = Shop::new();
    let window = shop.open_counter().await;
    let cashier = shop.cashier(&window);
    let mut tour = Tour::new("printing");
    let printer = TalkingPrinter::with_roll(9).await;
    let works = json!({ "target": printer.target, "drawer": true, "copies": 2 });
    change_printer(&window, &works).await;
    pay_cash(&cashier).await;
    let word = |key: &str| shop.words.get(key).unwrap();
    let no_paper = word("error.printer_paper_out");
    let said = shop
        .words
        .with("print.failed_line", &[("reason", &no_paper)]);
    window.text(&said.unwrap()).await.unwrap();
    cashier.next_customer().await.unwrap();
    assert_eq!(orders(&window).await.len(), 1, "no sale waits for paper");

    go(&cashier, Key::F8, "queue.name").await;
    window.text(&no_paper).await.unwrap();
    window.text(&word("print.torn")).await.unwrap();
    tour.stop(&window, "no-paper", EVERY).await;
    let torn = printer.lines();
    assert!(!torn.is_empty() && torn.len() <= 9, "{torn:#?}");
    for holder in ["shop", "member"] {
        job(&window, holder, "queued").await;
    }

    printer.load(500);
    // A reason to look at once; by itself the queue looks within a minute.
    change_printer(&window, &works).await;
    for holder in ["shop", "member"] {
        job(&window, holder, "printed").await;
    }
    window.text(&word("print.was_torn")).await.unwrap();
    let lines = printer.lines();
    assert_eq!(lines[torn.len()], MARK, "{lines:#?}");
    let whole = &lines[torn.len()..];
    let count = |what: &str| whole.iter().filter(|line| line.contains(what)).count();
    let once = [MARK, "商户联", "会员联"].map(count);
    assert_eq!(once, [1, 1, 1], "each slip once: {lines:#?}");
    let printed = printer.printed();
    let count = |what: &Printed| printed.iter().filter(|done| *done == what).count();
    assert_eq!(count(&Printed::Cut), 2, "two slips are whole");
    assert_eq!(count(&Printed::DrawerPulse), 1, "the drawer opens once");
    tour.end();
    window.close().await.unwrap();
}

/// 300 yuan in cash, to the screen that says so.
async fn pay_cash(cashier: &Cashier<'_>) {
    cashier.find(MEMBER_PHONE, MEMBER).await.unwrap();
    cashier.choose_amount("300").await.unwrap();
    cashier.choose_method(Method::Cash).await.unwrap();
    cashier.take_payment().await.unwrap();
    cashier.success().await.unwrap();
}

async fn choose(cashier: &Cashier<'_>, key: &str) {
    let name = cashier.words.get(key).unwrap();
    cashier.window.choose("radio", &name).await.unwrap();
}

async fn click(cashier: &Cashier<'_>, key: &str) {
    let name = cashier.words.get(key).unwrap();
    cashier.window.click("button", &name).await.unwrap();
}

async fn fill(cashier: &Cashier<'_>, key: &str, text: &str) {
    let name = cashier.words.get(key).unwrap();
    cashier.window.fill("textbox", &name, text).await.unwrap();
}

/// Presses a button of the slip that `holder` gets.
async fn click_of(cashier: &Cashier<'_>, key: &str, holder: &str) {
    let order = cashier.newest_order().await.unwrap();
    let number = order["order_no"].as_str().unwrap();
    let holder = cashier.words.get(holder).unwrap();
    let values = [("no", number), ("holder", holder.as_str())];
    let name = cashier.words.with(key, &values).unwrap();
    cashier.window.click("button", &name).await.unwrap();
}

/// The slip of `holder`, once it is `state`.
async fn job(window: &Window, holder: &str, state: &str) -> Value {
    let what = format!("the slip of the {holder} to be {state}");
    until(&what, PATIENCE, || async {
        let queue: Value = window.call("queue", Value::Null).await?;
        let jobs = queue["prints"].as_array().cloned().unwrap_or_default();
        let mut jobs = jobs.into_iter();
        Ok(jobs.find(|job| job["holder"] == holder && job["state"] == state))
    })
    .await
    .unwrap()
}

async fn printing(window: &Window) -> Value {
    let session: Value = window.call("session", Value::Null).await.unwrap();
    session["settings"]["printer"].clone()
}

/// Sets a printer on the network and a spare one that leaves files.
async fn set_printers(window: &Window, printer: SocketAddr, files: &Path) {
    let network = json!({ "kind": "network", "host": "127.0.0.1", "port": printer.port() });
    let folder = json!({ "kind": "folder", "path": files });
    let spare = json!({ "target": folder, "paper_mm": 80, "glyphs": "gb18030" });
    change_printer(window, &json!({ "target": network, "spare": spare })).await;
}

/// Saves the settings of the printer with `changes`.
pub async fn change_printer(window: &Window, changes: &Value) {
    let session: Value = window.call("session", Value::Null).await.unwrap();
    let mut settings = session["settings"].clone();
    for (name, value) in changes.as_object().unwrap() {
        settings["printer"][name] = value.clone();
    }
    let _session: Value = window.call("save_settings", settings).await.unwrap();
}

/// A printer on the network, and what it was given, connection by connection.
fn printer() -> (SocketAddr, Receiver<Vec<u8>>) {
    let (address, listener) = printer_that_goes();
    let (sender, paper) = channel();
    std::thread::spawn(move || {
        for connection in listener.incoming() {
            let mut page = Vec::new();
            // A connection that breaks off has printed what came before.
            let _read = connection.and_then(|mut line| line.read_to_end(&mut page));
            if sender.send(page).is_err() {
                return;
            }
        }
    });
    (address, paper)
}

/// A printer on USB takes what comes and says nothing, until it is pulled out.
fn given_to(mut cable: UsbCable) -> JoinHandle<()> {
    tokio::spawn(async move {
        let mut bytes = [0; 4_096];
        while cable.read(&mut bytes).await.is_ok() {}
    })
}

/// Waits for a page; a printer is also asked how it is, with no page after it.
fn comes(paper: &Receiver<Vec<u8>>) {
    let mut given = std::iter::from_fn(|| paper.recv_timeout(PATIENCE).ok());
    let is_page = |given: Vec<u8>| {
        let mut parts = given.windows(INITIALISE.len());
        parts.any(|part| part == INITIALISE)
    };
    assert!(given.any(is_page), "no page");
}

/// A printer that is reached for as long as it is held.
fn printer_that_goes() -> (SocketAddr, TcpListener) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    (listener.local_addr().unwrap(), listener)
}

/// Stands for the system's spooler: two queues, one of them paused.
fn spooler() -> TempDir {
    let folder = TempDir::new().unwrap();
    let script = "#!/bin/sh\n\
        case \"$1\" in\n\
        -e) echo Front; echo Office ;;\n\
        -p) echo 'printer Front is idle.'; echo 'printer Office disabled since today' ;;\n\
        esac\n";
    let program = folder.path().join("lpstat");
    std::fs::write(&program, script).unwrap();
    std::fs::set_permissions(&program, PermissionsExt::from_mode(0o755)).unwrap();
    folder
}
