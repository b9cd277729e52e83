//! What a person at the queue can do, and printers that say what they lack.

use qiantai_core::Millis;
use qiantai_counter::api::CounterApi;
use qiantai_counter::view::order::{Holder, OrderView, PrintJobView, PrintState};
use qiantai_counter::view::printer::{
    PrinterGlyphs, PrinterName, SendPrint, SparePrinter, TestPrint,
};
use qiantai_counter::view::queue::JobKey;
use qiantai_counter::view::session::{Language, PrinterTarget};
use qiantai_print::columns_of;
use qiantai_print::decode::{Printed, decode, escpos_text};

use crate::paper::{self, NetworkPrinter};
use crate::shop::Shop;
use crate::talking_printer::TalkingPrinter;
use crate::till::{Till, sentence};

const MARK: &str = "*** 重打 ***";

async fn with_printer(shop: &Shop, target: &PrinterTarget, copies: u8) -> Till {
    let till = Till::open(shop).await;
    let mut settings = till.session().await.settings;
    settings.printer.target = target.clone();
    settings.printer.copies = copies;
    till.desk.save_settings(settings).await.unwrap();
    till
}

async fn until_trouble(till: &Till, order: &OrderView, key: &str) -> PrintJobView {
    till.until(key, async || {
        let job = till.prints(order).await.remove(0);
        (job.trouble.as_deref() == Some(key)).then_some(job)
    })
    .await
}

/// Lets time pass until the first `count` jobs are on paper.
async fn until_out(shop: &Shop, till: &Till, order: &OrderView, count: usize) {
    till.until("paper", async || {
        shop.time.advance(Millis::seconds(61));
        let jobs = till.prints(order).await;
        let out = |job: &PrintJobView| job.state == PrintState::Printed;
        (jobs.len() == count && jobs.iter().all(out)).then_some(())
    })
    .await;
}

/// Asks for the only slip again, until it is on paper; no time passes.
async fn until_out_now(till: &Till, order: &OrderView) {
    till.until("paper", async || {
        let slip = till.prints(order).await.remove(0);
        if slip.state == PrintState::Printed {
            return Some(());
        }
        // One that is at the printer needs no further word.
        let _at_printer = till.desk.retry_print(job(&slip.id)).await;
        None
    })
    .await;
}

fn job(id: &str) -> JobKey {
    JobKey {
        job_id: id.to_owned(),
    }
}

fn count(printed: &[Printed], what: &Printed) -> usize {
    printed.iter().filter(|done| *done == what).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slip_that_ran_out_of_paper_comes_again_whole_and_marked() {
    let shop = Shop::salon().await;
    let printer = TalkingPrinter::with_roll(9).await;
    let till = with_printer(&shop, &printer.target, 1).await;
    let member = till.zhang_wei().await;
    let order = till.cash(&member, "300").await;
    let stopped = until_trouble(&till, &order, "error.printer_paper_out").await;
    assert_eq!((stopped.state, stopped.torn), (PrintState::Queued, true));
    let torn = printer.lines();
    assert!(!torn.is_empty() && torn.len() <= 9, "{torn:#?}");

    // Without paper it is looked for again and again, and nothing is sent.
    till.until("a second look", async || {
        shop.time.advance(Millis::seconds(61));
        (till.prints(&order).await[0].tries > stopped.tries).then_some(())
    })
    .await;
    assert_eq!(printer.lines(), torn);

    printer.load(500);
    until_out(&shop, &till, &order, 1).await;
    let lines = printer.lines();
    let whole = &lines[torn.len()..];
    assert_eq!(whole[0], MARK, "{lines:#?}");
    assert!(
        torn.iter().all(|line| whole.contains(line)),
        "the whole slip comes again: {lines:#?}"
    );
    assert!(whole.concat().contains(&order.order_no));
    let printed = printer.printed();
    assert_eq!(count(&printed, &Printed::Cut), 1, "one slip is whole");
    assert_eq!(
        count(&printed, &Printed::DrawerPulse),
        1,
        "the drawer opens once"
    );
    assert_eq!(lines.iter().filter(|line| *line == MARK).count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_printer_that_says_what_it_lacks_gets_no_slip_until_it_has_it() {
    let shop = Shop::salon().await;
    let printer = TalkingPrinter::with_roll(0).await;
    let till = with_printer(&shop, &printer.target, 2).await;
    let member = till.zhang_wei().await;
    let order = till.cash(&member, "300").await;
    let waiting = until_trouble(&till, &order, "error.printer_paper_out").await;
    assert_eq!((waiting.state, waiting.torn), (PrintState::Queued, false));
    printer.load(500);
    printer.open_cover(true);
    shop.time.advance(Millis::seconds(61));
    until_trouble(&till, &order, "error.printer_cover_open").await;
    assert!(printer.lines().is_empty());
    printer.open_cover(false);
    until_out(&shop, &till, &order, 2).await;
    assert_eq!(count(&printer.printed(), &Printed::Cut), 2);
    assert!(!printer.lines().contains(&MARK.to_owned()), "none was torn");
}

/// Its own reports of what it lacks look like the word that a slip is out.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_printer_reports_unasked_is_no_word_that_a_slip_is_out() {
    let shop = Shop::salon().await;
    let printer = TalkingPrinter::with_roll(9).await;
    printer.report();
    let till = with_printer(&shop, &printer.target, 1).await;
    let member = till.zhang_wei().await;
    let order = till.cash(&member, "300").await;
    let ended = till.until("an end of the try", async || {
        let job = till.prints(&order).await.remove(0);
        (job.trouble.is_some() || job.state == PrintState::Printed).then_some(job)
    });
    let ended = ended.await;
    assert_eq!((ended.state, ended.torn), (PrintState::Queued, true));
    assert_eq!(ended.trouble.as_deref(), Some("error.printer_paper_out"));
    printer.load(500);
    until_out(&shop, &till, &order, 1).await;
    assert_eq!(count(&printer.printed(), &Printed::Cut), 1);
}

/// The drawer opens with the slip, and not by itself when somebody changes the roll.
#[tokio::test(flavor = "multi_thread")]
async fn a_printer_that_cannot_print_keeps_no_pulse_for_later() {
    for (wait, pulses) in [(Millis::seconds(61), 1), (Millis::hours(3), 0)] {
        let shop = Shop::salon().await;
        let printer = TalkingPrinter::with_roll(500).await;
        printer.open_cover(true);
        let till = with_printer(&shop, &printer.target, 1).await;
        let member = till.zhang_wei().await;
        let order = till.cash(&member, "300").await;
        until_trouble(&till, &order, "error.printer_cover_open").await;
        till.until("the question of the drawer", async || {
            (printer.calls() >= 2).then_some(())
        })
        .await;
        assert!(printer.keeps_nothing(), "a pulse waits in the printer");
        shop.time.advance(wait);
        printer.open_cover(false);
        until_out_now(&till, &order).await;
        let opened = count(&printer.printed(), &Printed::DrawerPulse);
        assert_eq!(opened, pulses, "after {wait:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn trouble_with_the_second_slip_does_not_repeat_the_first() {
    let shop = Shop::salon().await;
    let printer = TalkingPrinter::with_roll(1_000).await;
    let till = with_printer(&shop, &printer.target, 1).await;
    let member = till.zhang_wei().await;
    let sample = till.cash(&member, "300").await;
    till.until_printed(&sample, 1).await;
    let lines = 1_000 - printer.lines_left();
    let before = printer.lines().len();

    // The roll ends in the second slip.
    printer.load(lines + lines / 2);
    let mut settings = till.session().await.settings;
    settings.printer.copies = 2;
    till.desk.save_settings(settings).await.unwrap();
    let order = till.cash(&member, "300").await;
    let jobs = till.until("an end of the second", async || {
        let jobs = till.prints(&order).await;
        (jobs[1].trouble.as_deref() == Some("error.printer_paper_out")).then_some(jobs)
    });
    let jobs = jobs.await;
    assert_eq!(jobs[0].state, PrintState::Printed);
    assert_eq!((jobs[1].holder, jobs[1].torn), (Some(Holder::Member), true));
    printer.load(1_000);
    till.desk.retry_print(job(&jobs[1].id)).await.unwrap();
    till.until_printed(&order, 2).await;
    let slips = printer.lines().split_off(before);
    let count = |word: &str| slips.iter().filter(|line| line.contains(word)).count();
    assert_eq!((count("商户联"), count(MARK)), (1, 1), "{slips:#?}");
    assert_eq!(
        count("会员联"),
        2,
        "the torn one and the whole one: {slips:#?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_sends_a_slip_to_the_spare_printer() {
    let shop = Shop::salon().await;
    let off = NetworkPrinter::on().await.off();
    let spare = NetworkPrinter::on().await;
    let till = with_printer(&shop, &off, 2).await;
    let member = till.zhang_wei().await;
    let order = till.cash(&member, "300").await;
    let waiting = until_trouble(&till, &order, "error.printer_unreachable").await;
    let send = |job: &PrintJobView| SendPrint {
        job_id: job.id.clone(),
        printer: PrinterName::Spare,
    };
    let nowhere = till.desk.send_print(send(&waiting)).await;
    assert_eq!(sentence(nowhere), "error.printer_no_spare");

    let mut settings = till.session().await.settings;
    settings.printer.spare = Some(SparePrinter {
        target: spare.target.clone(),
        paper_mm: 58,
        glyphs: PrinterGlyphs::Gbk,
    });
    till.desk.save_settings(settings).await.unwrap();
    let queue = till.desk.send_print(send(&waiting)).await.unwrap();
    let sent = queue.prints.iter().find(|job| job.id == waiting.id);
    assert_eq!(sent.unwrap().printer, PrinterName::Spare);
    let slip = spare.print().await;
    let lines = escpos_text(&slip).unwrap();
    assert!(lines.concat().contains(&order.order_no));
    assert!(
        lines.iter().all(|line| columns_of(line) <= 32),
        "{lines:#?}"
    );
    assert_eq!(paper::pulses(&slip), 0, "the drawer is not on it");
    let jobs = till.until("one slip", async || {
        let jobs = till.prints(&order).await;
        (jobs[0].state == PrintState::Printed).then_some(jobs)
    });
    assert_eq!(jobs.await[1].state, PrintState::Queued, "nobody sent it");
    assert_eq!(
        sentence(till.desk.send_print(send(&waiting)).await),
        "error.order_state",
        "what is on paper stays"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_slip_stays_off_the_paper() {
    let shop = Shop::salon().await;
    let printer = NetworkPrinter::on().await;
    let target = printer.target.clone();
    let off = printer.off();
    let till = with_printer(&shop, &off, 2).await;
    let member = till.zhang_wei().await;
    let order = till.cash(&member, "300").await;
    let first = until_trouble(&till, &order, "error.printer_unreachable").await;
    till.desk.cancel_print(job(&first.id)).await.unwrap();
    let cancelled = till.prints(&order).await.remove(0);
    assert_eq!(
        (cancelled.state, cancelled.trouble),
        (PrintState::Cancelled, None)
    );
    let printer = NetworkPrinter::at(&target).await;
    let second = till.prints(&order).await.remove(1);
    till.desk.retry_print(job(&second.id)).await.unwrap();
    let member_slip = escpos_text(&printer.print().await).unwrap();
    assert!(member_slip.iter().any(|line| line.contains("会员联")));
    till.until("the second slip", async || {
        let jobs = till.prints(&order).await;
        (jobs[1].state == PrintState::Printed).then_some(())
    })
    .await;
    assert_eq!(till.prints(&order).await[0].state, PrintState::Cancelled);
    assert_eq!(
        sentence(till.desk.cancel_print(job(&second.id)).await),
        "error.order_state"
    );
    till.desk.retry_print(job(&first.id)).await.unwrap();
    let shop_slip = escpos_text(&printer.print().await).unwrap();
    assert!(shop_slip.iter().any(|line| line.contains("商户联")));
    assert_ne!(shop_slip[0], MARK, "nothing of it was on paper");
    till.until_printed(&order, 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_printer_prints_as_pictures_what_it_has_no_letters_for() {
    let shop = Shop::salon().await;
    let printer = NetworkPrinter::on().await;
    let till = with_printer(&shop, &printer.target, 1).await;
    let member = till.zhang_wei().await;
    for (glyphs, has_text) in [
        (PrinterGlyphs::Gb18030, true),
        (PrinterGlyphs::Gbk, true),
        (PrinterGlyphs::Pictures, false),
    ] {
        let mut settings = till.session().await.settings;
        settings.printer.glyphs = glyphs;
        till.desk.save_settings(settings).await.unwrap();
        let order = till.cash(&member, "300").await;
        let slip = printer.print().await;
        till.until_printed(&order, 1).await;
        let printed = decode(&slip).unwrap();
        let is_picture = |done: &&Printed| matches!(done, Printed::Picture { .. });
        let pictures = printed.iter().filter(is_picture).count();
        assert_eq!(
            !escpos_text(&slip).unwrap().is_empty(),
            has_text,
            "{glyphs:?}"
        );
        assert_eq!(pictures > 1, !has_text, "{glyphs:?}: {pictures} pictures");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_test_page_goes_to_a_printer_that_is_not_saved() {
    let shop = Shop::salon().await;
    let till = Till::open(&shop).await;
    let printer = NetworkPrinter::on().await;
    let page = |target: &PrinterTarget| TestPrint {
        target: target.clone(),
        paper_mm: 58,
        glyphs: PrinterGlyphs::Gbk,
        language: Language::En,
    };
    let (told, bytes) = tokio::join!(
        till.desk.print_test_page(page(&printer.target)),
        printer.print()
    );
    told.unwrap();
    let lines = escpos_text(&bytes).unwrap();
    assert!(lines.contains(&"Test page".to_owned()), "{lines:#?}");
    let before = till.session().await.settings;
    assert!(till.desk.queue(()).await.unwrap().prints.is_empty());
    assert_ne!(before.printer.target, printer.target, "nothing is saved");

    let off = printer.off();
    let told = till.desk.print_test_page(page(&off)).await;
    assert_eq!(sentence(told), "error.printer_unreachable");
    let mut nonsense = page(&off);
    nonsense.paper_mm = 70;
    let told = till.desk.print_test_page(nonsense).await.unwrap_err();
    assert_eq!(told.params["field"], "paper_mm");
    till.desk.sign_out(()).await.unwrap();
    let told = till.desk.print_test_page(page(&off)).await;
    assert_eq!(sentence(told), "error.not_signed_in");
}
