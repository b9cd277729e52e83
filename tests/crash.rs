//! The app is killed at each step of a top-up and started again: either there is no order, or one
//! that goes on. Never two credits. Which of the two it must be, the dead terminal's own files say:
//! what was written down is there, and only what was not may be missing.

use std::collections::BTreeSet;
use std::io::Read;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use qiantai_server::sample::ShopKind;
use qiantai_store::Store;
use qiantai_store::vault::{self, FileKeyHolder};
use qiantai_testkit::{Fault, Method, PATIENCE, Window, until};
use serde_json::{Value, json};

use crate::books::Books;
use crate::shop::{MEMBER, MEMBER_PHONE, Shop, balance, copy_of, orders, synced};

/// Where the power goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Moment {
    AmountTyped,
    PriceShown,
    CodeAskedFor,
    CodeShown,
    PaidWhileDead,
    PaidAndNotYetSeen,
    CashClicked,
    CashTaken,
    SlipUnprinted,
}

/// What must be true afterwards of the one order that the moment may have made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    /// There is none.
    NoOrder,
    /// There is one, and it can still be paid.
    Open,
    /// There is one, credited.
    Credited,
    /// The click may have been too late: one that can still be paid, if it was written down.
    OpenIfWritten,
    /// The click may have been too late: one that is credited, if it was written down.
    CreditedIfWritten,
}

const CASES: &[(Moment, Outcome)] = &[
    (Moment::AmountTyped, Outcome::NoOrder),
    (Moment::PriceShown, Outcome::NoOrder),
    (Moment::CodeAskedFor, Outcome::OpenIfWritten),
    (Moment::CodeShown, Outcome::Open),
    (Moment::PaidWhileDead, Outcome::Credited),
    (Moment::PaidAndNotYetSeen, Outcome::Credited),
    (Moment::CashClicked, Outcome::CreditedIfWritten),
    (Moment::CashClicked, Outcome::CreditedIfWritten),
    (Moment::CashTaken, Outcome::Credited),
    (Moment::SlipUnprinted, Outcome::Credited),
];

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_each_step_of_a_top_up() {
    let shop = Shop::new();
    let books = Books::open(ShopKind::Salon, |_| {}).await;
    let printer = a_printer_that_is_off();
    let mut window = shop.join(&books).await;
    let opening = balance(&window).await;
    for (number, (moment, outcome)) in CASES.iter().enumerate() {
        let before = orders(&window).await;
        // Each case tops up another amount, so that no question about a repetition comes up, and
        // all of them together need no review.
        let yuan = 101 + number;
        until_killed(&shop, &books, window, *moment, yuan, printer).await;
        let written = written(shop.folder(), &before);
        let slips = (*moment == Moment::SlipUnprinted).then(|| switch_on(printer));

        window = Window::open(&shop.display, &books.launch(&shop))
            .await
            .unwrap();
        shop.sign_in_joined(&window).await;
        synced(&window).await;
        let expected = expected(*moment, *outcome, written);
        check(&window, &before, expected.clone(), *moment).await;
        let credited: i64 = orders(&window).await.iter().map(credit).sum();
        assert_eq!(
            balance(&window).await,
            opening + credited,
            "{moment:?}: the balance is the sum of what was credited"
        );
        if let Some(slips) = slips {
            printed(&window).await;
            assert_eq!(slips.load(Ordering::SeqCst), 1, "slips on paper");
        }
        if let Some((order, "open")) = expected {
            end(&window, &order).await;
        }
        shop.cashier(&window).at_rest().await.unwrap();
    }
    window.close().await.unwrap();
}

/// Ends an order that nobody paid: beside it the next case would be asked a question.
async fn end(window: &Window, order: &str) {
    let key = json!({ "order_id": order });
    let _order: Value = window.call("cancel_order", key.clone()).await.unwrap();
    until("an end", PATIENCE, || async {
        let order: Value = window.call("order", key.clone()).await?;
        Ok((order["stage"] == "ended").then_some(()))
    })
    .await
    .unwrap();
}

/// Goes up to `moment` and kills the app there.
async fn until_killed(
    shop: &Shop,
    books: &Books,
    window: Window,
    moment: Moment,
    yuan: usize,
    printer: SocketAddr,
) {
    let cashier = shop.cashier(&window);
    if moment == Moment::SlipUnprinted {
        print_to(&window, printer).await;
    }
    cashier.find(MEMBER_PHONE, MEMBER).await.unwrap();
    let other = shop.words.get("top_up.custom").unwrap();
    window
        .fill("textbox", &other, &yuan.to_string())
        .await
        .unwrap();
    if moment == Moment::AmountTyped {
        return window.kill().await.unwrap();
    }
    let is_cash = matches!(
        moment,
        Moment::CashClicked | Moment::CashTaken | Moment::SlipUnprinted
    );
    let method = if is_cash {
        Method::Cash
    } else {
        Method::Wechat
    };
    cashier.choose_method(method).await.unwrap();
    cashier.ready_to_pay().await.unwrap();
    if moment == Moment::PriceShown {
        return window.kill().await.unwrap();
    }
    cashier.take_payment().await.unwrap();
    match moment {
        Moment::CodeShown => drop(cashier.payment_qr(method).await.unwrap()),
        Moment::PaidWhileDead => {
            let code = cashier.payment_qr(method).await.unwrap();
            let payment = books.phone.scan(code).await.unwrap();
            window.kill().await.unwrap();
            return books.phone.pay(&payment).await.unwrap();
        }
        Moment::PaidAndNotYetSeen => {
            let code = cashier.payment_qr(method).await.unwrap();
            let payment = books.phone.scan(code).await.unwrap();
            books.phone.pay(&payment).await.unwrap();
        }
        Moment::CashTaken => cashier.success().await.unwrap(),
        Moment::SlipUnprinted => unprinted(&window).await,
        _ => {}
    }
    window.kill().await.unwrap();
}

/// The order that the dead terminal wrote down and did not have before. Looked at is a copy: the
/// next start must find the files as the power cut left them.
fn written(folder: &Path, before: &[Value]) -> Option<String> {
    let copy = copy_of(folder);
    let secrets = vault::open(copy.path(), &FileKeyHolder::new(copy.path()))
        .expect("without a desktop the key lies in a file");
    let store = Store::open(&copy.path().join("terminal.db"), &(&secrets).into()).unwrap();
    let rows = store.latest_operations(100).unwrap();
    let orders = rows.iter().filter_map(|row| row.order);
    let orders: BTreeSet<String> = orders.map(|order| order.to_string()).collect();
    let mut new = orders
        .into_iter()
        .filter(|order| before.iter().all(|old| old["id"] != order.as_str()));
    let found = new.next();
    assert_eq!(new.next(), None, "one click wrote two orders");
    found
}

/// The order that must be there, and how it must stand.
fn expected(
    moment: Moment,
    outcome: Outcome,
    written: Option<String>,
) -> Option<(String, &'static str)> {
    match (outcome, written) {
        (Outcome::NoOrder | Outcome::OpenIfWritten | Outcome::CreditedIfWritten, None) => None,
        (Outcome::Open | Outcome::OpenIfWritten, Some(order)) => Some((order, "open")),
        (Outcome::Credited | Outcome::CreditedIfWritten, Some(order)) => Some((order, "credited")),
        (_, written) => panic!("{outcome:?} after {moment:?}, and written was {written:?}"),
    }
}

/// Holds the orders after a restart against those before.
async fn check(
    window: &Window,
    before: &[Value],
    expected: Option<(String, &str)>,
    moment: Moment,
) {
    let old: Vec<&Value> = before.iter().map(|order| &order["id"]).collect();
    let is_new = |order: &Value| !old.contains(&&order["id"]);
    let expected = expected.as_ref().map(|(id, stage)| (id.as_str(), *stage));
    let what = format!("{expected:?} after {moment:?}");
    until(&what, PATIENCE, || async {
        let orders = orders(window).await;
        let new: Vec<&Value> = orders.iter().filter(|order| is_new(order)).collect();
        assert!(new.len() <= 1, "{moment:?}: one click made {new:?}");
        let found = new
            .first()
            .map(|order| (order["id"].as_str().unwrap(), group(order)));
        Ok((found == expected).then_some(()))
    })
    .await
    .unwrap();
}

fn group(order: &Value) -> &str {
    match order["stage"].as_str().unwrap() {
        "opening" | "preparing" | "waiting" | "user_paying" | "unknown" => "open",
        other => other,
    }
}

fn credit(order: &Value) -> i64 {
    match order["stage"].as_str() {
        Some("credited") => {
            order["pay_fen"].as_i64().unwrap() + order["bonus_fen"].as_i64().unwrap()
        }
        _ => 0,
    }
}

/// An address at which nothing listens.
fn a_printer_that_is_off() -> SocketAddr {
    let printer = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    printer.local_addr().unwrap()
}

/// Lets a printer listen at `address`. Counted is what it was given to print.
fn switch_on(address: SocketAddr) -> Arc<AtomicU32> {
    let slips = Arc::new(AtomicU32::new(0));
    let counter = Arc::clone(&slips);
    let printer = TcpListener::bind(address).unwrap();
    std::thread::spawn(move || {
        for visit in printer.incoming() {
            let mut bytes = Vec::new();
            let read = visit.and_then(|mut visit| visit.read_to_end(&mut bytes));
            if read.is_ok_and(|count| count > 0) {
                counter.fetch_add(1, Ordering::SeqCst);
            }
        }
    });
    slips
}

/// Waits until the newest slip is printed.
async fn printed(window: &Window) {
    until("the slip on paper", PATIENCE, || async {
        Ok((newest_print(window).await?["state"] == "printed").then_some(()))
    })
    .await
    .unwrap();
}

/// Lets the terminal print one slip for each sale at `printer`.
async fn print_to(window: &Window, printer: SocketAddr) {
    let session: Value = window.call("session", Value::Null).await.unwrap();
    let mut settings = session["settings"].clone();
    settings["printer"]["target"] =
        json!({ "kind": "network", "host": "127.0.0.1", "port": printer.port() });
    settings["printer"]["copies"] = json!(1);
    let _session: Value = window.call("save_settings", settings).await.unwrap();
}

/// Waits until printing was tried in vain.
async fn unprinted(window: &Window) {
    until("a try to print", PATIENCE, || async {
        let newest = newest_print(window).await?;
        Ok((newest["tries"] != 0 && newest["state"] != "printed").then_some(()))
    })
    .await
    .unwrap();
}

async fn newest_print(window: &Window) -> Result<Value, Fault> {
    let queue: Value = window.call("queue", Value::Null).await?;
    let prints = queue["prints"].as_array().unwrap();
    let newest = prints.iter().max_by_key(|job| job["queued_at_ms"].as_i64());
    Ok(newest.cloned().unwrap_or_default())
}
