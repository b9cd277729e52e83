//! Printers that are off, slow or broken.

use std::path::PathBuf;

use qiantai_core::Millis;
use qiantai_counter::api::CounterApi;
use qiantai_counter::error::ErrorCode;
use qiantai_counter::view::Fen;
use qiantai_counter::view::order::{OrderView, PrintJobView, PrintState, Stage};
use qiantai_counter::view::queue::JobKey;
use qiantai_counter::view::session::{PrinterTarget, Settings};
use qiantai_paysim::gateway::PhoneAction;
use qiantai_print::decode::escpos_text;

use crate::line::{Verdict, Weather};
use crate::paper::{self, BusyPrinter, NetworkPrinter, Paper};
use crate::shop::Shop;
use crate::till::{Till, sentence};
use crate::time::SLIP_WAITS;

async fn until_job(till: &Till, order: &OrderView, state: PrintState) -> PrintJobView {
    till.until(&format!("the first slip {state:?}"), async || {
        let jobs = till.prints(order).await;
        jobs.into_iter().next().filter(|job| job.state == state)
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_network_printer_gets_exactly_the_bytes_of_the_slip() {
    let shop = Shop::salon().await;
    let till = Till::open(&shop).await;
    let member = till.zhang_wei().await;
    let printer = NetworkPrinter::on().await;
    till.print_to(printer.target.clone()).await;
    let order = till.cash(&member, "300").await;
    let (first, second) = (printer.print().await, printer.print().await);
    till.until_printed(&order, 2).await;
    let pulses = printer.lone_pulses() + paper::pulses(&first);
    assert_eq!((pulses, paper::pulses(&second)), (1, 0), "it opens once");
    let text = escpos_text(&first).unwrap();
    assert!(
        text.iter().any(|line| line.contains(&order.order_no)),
        "{text:#?}"
    );
    assert!(
        paper::files(&till.folder).is_empty(),
        "the folder is another printer"
    );
}

/// The cashier makes change from it; the slip waits for the server's word.
#[tokio::test(flavor = "multi_thread")]
async fn the_drawer_waits_for_no_word_of_the_server() {
    let shop = Shop::salon().await;
    let till = Till::open(&shop).await;
    let member = till.zhang_wei().await;
    let printer = NetworkPrinter::on().await;
    till.print_to(printer.target.clone()).await;
    till.line.set(Weather::HoldsAnswers);
    let order = till.cash(&member, "300").await;
    assert!(paper::is_pulse(&printer.take().await), "before any slip");
    let waiting = till.prints(&order).await;
    assert!(waiting.iter().all(|job| job.state == PrintState::Queued));
    let mut slips = Vec::new();
    for _ in 0..2 {
        let mut print = std::pin::pin!(printer.take());
        let slip = till.until("the patience of the slips", async || {
            shop.time.advance(SLIP_WAITS);
            let wait = std::time::Duration::from_millis(500);
            tokio::time::timeout(wait, print.as_mut()).await.ok()
        });
        slips.push(slip.await);
    }
    let pulses: Vec<_> = slips.iter().map(|slip| paper::pulses(slip)).collect();
    assert_eq!(pulses, [0, 0], "the drawer opens once");
    till.until_printed(&order, 2).await;
}

/// A slip that comes late says when it came.
#[tokio::test(flavor = "multi_thread")]
async fn the_time_of_printing_is_that_of_the_paper() {
    let shop = Shop::salon().await;
    let till = Till::open(&shop).await;
    let member = till.zhang_wei().await;
    let folder = till.session().await.settings.printer.target;
    till.print_to(paper::target(1)).await;
    let order = till.cash(&member, "300").await;
    till.until_confirmed(&order.id).await;
    shop.time.advance(Millis::hours(3));
    let printed_from = shop.time.now();
    till.print_to(folder).await;
    till.until_printed(&order, 2).await;
    let slip = Paper::of(&till.folder, &order, "member");
    let stated = |label: &str| -> Vec<u32> {
        let lines = slip.lines();
        let line = lines.iter().find(|line| line.trim().starts_with(label));
        let digits = line.expect(label).split(|c: char| !c.is_ascii_digit());
        digits.filter_map(|part| part.parse().ok()).collect()
    };
    let from = printed_from.local();
    let from = [
        u32::try_from(from.year()).unwrap(),
        u32::from(u8::from(from.month())),
        u32::from(from.day()),
        u32::from(from.hour()),
        u32::from(from.minute()),
        u32::from(from.second()),
    ];
    let (printed, sold) = (stated("打印时间"), stated("时间"));
    assert_eq!((printed.len(), sold.len()), (6, 6), "{:#?}", slip.lines());
    assert!(printed >= from.to_vec(), "{printed:?} is before {from:?}");
    assert!(sold < from.to_vec(), "{sold:?} is after {from:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_printer_that_is_off_holds_up_no_sale_and_prints_when_it_is_back() {
    let shop = Shop::salon().await;
    let till = Till::open(&shop).await;
    let member = till.zhang_wei().await;
    let off = NetworkPrinter::on().await.off();
    till.print_to(off).await;
    let first = till.cash(&member, "300").await;
    assert_eq!(first.stage, Stage::Credited);
    let job = till.until("a try", async || {
        let job = till.prints(&first).await.remove(0);
        (job.tries >= 1 && job.trouble.is_some()).then_some(job)
    });
    let job = job.await;
    assert_eq!(job.trouble.as_deref(), Some("error.printer_unreachable"));
    let second = till.cash(&member, "200").await;
    till.until_confirmed(&second.id).await;
    till.crash().await;

    // The queue is still there after a restart, and goes to the printer chosen now.
    let till = Till::reopen(&shop, Weather::Fair).await;
    let waiting = till.prints(&first).await.len() + till.prints(&second).await.len();
    assert_eq!(waiting, 4);
    let printer = NetworkPrinter::on().await;
    till.print_to(printer.target.clone()).await;
    let mut numbers = Vec::new();
    for _ in 0..4 {
        let text = escpos_text(&printer.print().await).unwrap().concat();
        let order = [&first, &second]
            .into_iter()
            .find(|order| text.contains(&order.order_no));
        numbers.push(order.unwrap().order_no.clone());
    }
    numbers.sort();
    let (one, two) = (first.order_no.clone(), second.order_no.clone());
    assert_eq!(numbers, [one.clone(), one, two.clone(), two]);
    till.until_printed(&first, 2).await;
    till.until_printed(&second, 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_printer_that_stays_off_for_an_hour_needs_nobody_to_try_again() {
    let shop = Shop::salon().await;
    let till = Till::open(&shop).await;
    let member = till.zhang_wei().await;
    let printer = NetworkPrinter::on().await;
    let target = printer.target.clone();
    till.print_to(printer.off()).await;
    let order = till.cash(&member, "300").await;
    for tries in 1..=9 {
        let what = format!("try {tries}");
        let job = till.until(&what, async || {
            let job = till.prints(&order).await.remove(0);
            let is_at_rest = job.tries >= tries && job.state == PrintState::Queued;
            is_at_rest.then_some(job)
        });
        let job = job.await;
        assert_eq!(job.trouble.as_deref(), Some("error.printer_unreachable"));
        shop.time.advance(Millis::seconds(61));
    }
    let printer = NetworkPrinter::at(&target).await;
    for _ in 0..2 {
        // Kept through every look: a slip taken by a look that is given up would be lost.
        let mut print = std::pin::pin!(printer.print());
        let slip = till.until("a slip", async || {
            shop.time.advance(Millis::seconds(61));
            let wait = std::time::Duration::from_millis(500);
            tokio::time::timeout(wait, print.as_mut()).await.ok()
        });
        let slip = slip.await;
        assert_eq!(paper::pulses(&slip), 0, "the sale was long ago");
        let text = escpos_text(&slip).unwrap().concat();
        assert!(text.contains(&order.order_no));
    }
    till.until_printed(&order, 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slip_without_its_code_holds_up_no_other() {
    let shop = Shop::salon().await;
    let till = Till::open(&shop).await;
    let member = till.zhang_wei().await;
    let waiting = till.show_qr(&member, "300").await;
    // The settlement for the code comes from here.
    till.line.judge(Some(Verdict::Deaf("/v1/orders")));
    shop.phone(&waiting, &PhoneAction::Pay);
    let paid = till.until_stage(&waiting.id, Stage::Credited).await;
    let cash = till.cash(&member, "200").await;
    till.until_printed(&cash, 2).await;
    for tries in 1..=7 {
        let what = format!("try {tries}");
        let job = till.until(&what, async || {
            let jobs = till.prints(&paid).await;
            let job = jobs.into_iter().next()?;
            (job.tries >= tries && job.state == PrintState::Queued).then_some(job)
        });
        let job = job.await;
        assert_eq!(job.trouble.as_deref(), Some("error.receipt_unsigned"));
        shop.time.advance(Millis::seconds(61));
    }
    till.line.judge(None);
    shop.time.advance(Millis::seconds(61));
    till.until_printed(&paid, 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_printer_holds_up_no_sale_and_prints_in_the_end() {
    let shop = Shop::salon().await;
    let till = Till::open(&shop).await;
    let member = till.zhang_wei().await;
    let mut printer = BusyPrinter::on().await;
    till.print_to(printer.target.clone()).await;
    let first = till.cash(&member, "300").await;
    printer.is_asked().await;
    let second = till.cash(&member, "200").await;
    till.until_confirmed(&second.id).await;
    for order in [&first, &first, &second, &second] {
        let text = escpos_text(&printer.print().await).unwrap().concat();
        assert!(text.contains(&order.order_no), "slips come in order");
    }
    till.until_printed(&second, 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slip_that_only_looked_for_its_printer_prints_once_after_a_crash() {
    let shop = Shop::salon().await;
    let till = Till::open(&shop).await;
    let member = till.zhang_wei().await;
    let printer = BusyPrinter::on().await;
    let mut settings = till.session().await.settings;
    settings.printer.target = printer.target.clone();
    // Nobody but the slip looks for the printer.
    settings.printer.drawer = false;
    till.desk.save_settings(settings).await.unwrap();
    let order = till.cash(&member, "300").await;
    printer.is_asked().await;
    till.crash().await;

    let printer = printer.restart().await;
    let till = Till::reopen(&shop, Weather::Fair).await;
    let slips = [printer.print().await, printer.print().await];
    for slip in &slips {
        let text = escpos_text(slip).unwrap().concat();
        assert!(text.contains(&order.order_no), "{text}");
    }
    assert_eq!(
        slips.map(|slip| paper::pulses(&slip)),
        [0, 0],
        "slips alone"
    );
    till.until_printed(&order, 2).await;
    assert!(!printer.is_asked(), "a slip comes twice");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slip_cut_off_by_a_crash_waits_for_a_person() {
    let shop = Shop::salon().await;
    let till = Till::open(&shop).await;
    let member = till.zhang_wei().await;
    let printer = NetworkPrinter::on().await;
    // The program ends between the last byte of the first slip and its note that it is out.
    let books = till.books(&shop);
    books
        .execute_batch(
            "CREATE TRIGGER cut_off BEFORE UPDATE ON print_job
             WHEN new.state = 'printed' AND new.place = 1
             BEGIN SELECT raise(ABORT, 'cut off'); END;",
        )
        .unwrap();
    till.print_to(printer.target.clone()).await;
    let order = till.cash(&member, "300").await;
    printer.print().await;
    until_job(&till, &order, PrintState::Printing).await;
    till.crash().await;
    books.execute_batch("DROP TRIGGER cut_off;").unwrap();
    drop((books, printer));

    let till = Till::reopen(&shop, Weather::Fair).await;
    let cut_off = till.prints(&order).await.remove(0);
    assert_eq!(cut_off.state, PrintState::Failed);
    assert_eq!(cut_off.trouble.as_deref(), Some("error.printer_timeout"));
    let path = till.folder.join("receipts").to_string_lossy().into_owned();
    till.print_to(PrinterTarget::Folder { path }).await;
    // The member's slip goes on; the shop's, which may be on paper, is not repeated.
    let jobs = till.until("the other slip", async || {
        let jobs = till.prints(&order).await;
        (jobs[1].state == PrintState::Printed).then_some(jobs)
    });
    assert_eq!(jobs.await[0].state, PrintState::Failed);
    let job_id = cut_off.id;
    till.desk.retry_print(JobKey { job_id }).await.unwrap();
    till.until_printed(&order, 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_connection_is_not_repeated_by_itself_and_is_by_hand() {
    let shop = Shop::salon().await;
    let till = Till::open(&shop).await;
    let member = till.zhang_wei().await;
    let mut settings = till.session().await.settings;
    let printer = NetworkPrinter::on().await;
    settings.printer.target = printer.target.clone();
    settings.printer.copies = 1;
    settings.printer.drawer = false;
    till.desk.save_settings(settings).await.unwrap();
    // A printer that hangs up while it is written to; how far the bytes got is not known.
    let order = till.cash(&member, "300").await;
    printer.jam().await;
    let job = till.until("an end of the try", async || {
        let job = till.prints(&order).await.remove(0);
        matches!(job.state, PrintState::Failed | PrintState::Printed).then_some(job)
    });
    let job = job.await;
    if job.state == PrintState::Failed {
        assert_eq!(job.trouble.as_deref(), Some("error.printer_timeout"));
        shop.time.advance(Millis::minutes(10));
        assert_eq!(
            till.prints(&order).await[0].tries,
            1,
            "nobody asked for it again"
        );
        till.desk
            .retry_print(JobKey {
                job_id: job.id.clone(),
            })
            .await
            .unwrap();
        let text = escpos_text(&printer.print().await).unwrap().concat();
        assert!(text.contains(&order.order_no));
        until_job(&till, &order, PrintState::Printed).await;
    }
    let again = till.desk.retry_print(JobKey { job_id: job.id }).await;
    assert_eq!(
        sentence(again),
        "error.order_state",
        "a printed slip is reprinted as a copy"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_cannot_be_written_is_named_and_tried_again() {
    let shop = Shop::salon().await;
    let till = Till::open(&shop).await;
    let member = till.zhang_wei().await;
    let blocked: PathBuf = shop.path("blocked");
    std::fs::write(&blocked, "a file where a folder should be").unwrap();
    let path = blocked.to_string_lossy().into_owned();
    till.print_to(PrinterTarget::Folder { path }).await;
    let order = till.cash(&member, "300").await;
    till.until("the trouble", async || {
        let job = till.prints(&order).await.remove(0);
        (job.trouble.as_deref() == Some("error.printer_folder")).then_some(())
    })
    .await;
    assert_eq!(till.order(&order.id).await.stage, Stage::Credited);
    let path = till.folder.join("receipts").to_string_lossy().into_owned();
    till.print_to(PrinterTarget::Folder { path }).await;
    till.until_printed(&order, 2).await;
    assert_eq!(Paper::of(&till.folder, &order, "shop").pulses(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_that_make_no_sense_are_refused_by_field() {
    let shop = Shop::salon().await;
    let till = Till::open(&shop).await;
    let good = till.session().await.settings;
    let network = |host: &str, port| PrinterTarget::Network {
        host: host.to_owned(),
        port,
    };
    let folder = |path: &str| PrinterTarget::Folder {
        path: path.to_owned(),
    };
    let with = |target: PrinterTarget| {
        let mut settings = good.clone();
        settings.printer.target = target;
        settings
    };
    let mut cases = vec![
        ("host", with(network("", 9_100))),
        ("host", with(network("a b", 9_100))),
        ("host", with(network("http://printer", 9_100))),
        ("host", with(network(&"a".repeat(254), 9_100))),
        ("port", with(network("printer", 0))),
        ("path", with(folder(""))),
        ("path", with(folder("receipts"))),
    ];
    let mut wrong = |field, change: fn(&mut Settings)| {
        let mut settings = good.clone();
        change(&mut settings);
        cases.push((field, settings));
    };
    wrong("type_percent", |settings| settings.type_percent = 110);
    wrong("low_balance_fen", |settings| {
        settings.low_balance_fen = Fen(-1);
    });
    wrong("low_balance_fen", |settings| {
        settings.low_balance_fen = Fen(1_000_001);
    });
    wrong("scan_pause_max_ms", |settings| {
        settings.scan_pause_max_ms = 19
    });
    wrong("scan_pause_max_ms", |settings| {
        settings.scan_pause_max_ms = 201
    });
    wrong("paper_mm", |settings| settings.printer.paper_mm = 70);
    wrong("copies", |settings| settings.printer.copies = 0);
    wrong("copies", |settings| settings.printer.copies = 3);
    for (field, settings) in cases {
        let refused = till.desk.save_settings(settings.clone()).await.unwrap_err();
        assert_eq!(refused.code, ErrorCode::InvalidInput, "{settings:?}");
        assert_eq!(refused.params["field"], field, "{settings:?}");
    }
    assert_eq!(till.session().await.settings, good, "nothing was saved");
    for host in ["192.168.1.50", "printer.local", "[::1]"] {
        till.print_to(network(host, 9_100)).await;
    }
}
