//! The system's spooler, with programs in its place that keep what they are given.

use std::path::{Path, PathBuf};

use qiantai_counter::api::CounterApi;
use qiantai_counter::error::ErrorCode;
use qiantai_counter::surroundings::{Cups, Spooler};
use qiantai_counter::view::order::{OrderView, PrintJobView, PrintState};
use qiantai_counter::view::printer::{FoundQueue, PrinterGlyphs, SpoolerForm, TestPrint};
use qiantai_counter::view::queue::JobKey;
use qiantai_counter::view::session::{Language, PrinterTarget};
use qiantai_print::decode::escpos_text;

use crate::paper;
use crate::shop::Shop;
use crate::till::{Till, sentence};

/// A folder with the programs, and with what they are told and what they were given.
struct Stand {
    folder: PathBuf,
}

impl Stand {
    /// With these queues.
    fn of(shop: &Shop, till: &Till, queues: &[&str]) -> Stand {
        let folder = shop.path("spooler");
        std::fs::create_dir_all(&folder).unwrap();
        let stand = Stand { folder };
        stand.install("lp");
        stand.install("lpstat");
        stand.put("queues", &format!("{}\n", queues.join("\n")));
        till.clock.set_spooler(Spooler::Cups(Cups {
            lp: stand.folder.join("lp"),
            lpstat: stand.folder.join("lpstat"),
        }));
        stand
    }

    fn install(&self, program: &str) {
        let programs = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/spooler");
        let place = self.folder.join(program);
        std::os::unix::fs::symlink(programs.join(program), place).unwrap();
    }

    /// It is there, and the system cannot start it: a link that leads to itself.
    fn break_off(&self, program: &str) {
        self.remove(program);
        let place = self.folder.join(program);
        std::os::unix::fs::symlink(&place, &place).unwrap();
    }

    fn put(&self, name: &str, text: &str) {
        std::fs::write(self.folder.join(name), text).unwrap();
    }

    fn remove(&self, name: &str) {
        std::fs::remove_file(self.folder.join(name)).unwrap();
    }

    fn job(&self, number: u32) -> Vec<u8> {
        std::fs::read(self.folder.join(format!("job-{number}"))).unwrap()
    }

    fn arguments(&self, number: u32) -> Vec<String> {
        let name = format!("arguments-{number}");
        let text = std::fs::read_to_string(self.folder.join(name)).unwrap();
        text.lines().map(str::to_owned).collect()
    }

    fn has_job(&self, number: u32) -> bool {
        self.folder.join(format!("job-{number}")).exists()
    }
}

fn queue(name: &str, form: SpoolerForm) -> PrinterTarget {
    PrinterTarget::Spooler {
        queue: name.to_owned(),
        form,
    }
}

async fn print_to(till: &Till, target: PrinterTarget) {
    let mut settings = till.session().await.settings;
    settings.printer.target = target;
    settings.printer.copies = 1;
    settings.printer.drawer = false;
    till.desk.save_settings(settings).await.unwrap();
}

async fn until_trouble(till: &Till, order: &OrderView, key: &str) -> PrintJobView {
    till.until(key, async || {
        let job = till.prints(order).await.remove(0);
        (job.trouble.as_deref() == Some(key)).then_some(job)
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn slips_go_to_a_queue_as_commands_or_as_pages() {
    let shop = Shop::salon().await;
    let till = Till::open(&shop).await;
    let stand = Stand::of(&shop, &till, &["Receipt", "Office_A4"]);
    let member = till.zhang_wei().await;

    print_to(&till, queue("Receipt", SpoolerForm::Escpos)).await;
    let order = till.cash(&member, "300").await;
    till.until_printed(&order, 1).await;
    let title = format!("{}-member", order.order_no);
    let raw = ["-d", "Receipt", "-t", &title, "-o", "raw"];
    assert_eq!(stand.arguments(1), raw);
    let lines = escpos_text(&stand.job(1)).unwrap();
    assert!(lines.concat().contains(&order.order_no), "{lines:#?}");

    print_to(&till, queue("Office_A4", SpoolerForm::Pdf)).await;
    let order = till.cash(&member, "200").await;
    till.until_printed(&order, 1).await;
    let title = format!("{}-member", order.order_no);
    let pages = ["-d", "Office_A4", "-t", &title, "-o", "print-scaling=auto"];
    assert_eq!(stand.arguments(2), pages);
    assert!(stand.job(2).starts_with(b"%PDF-"));
    assert!(!stand.has_job(3), "each slip once");
}

/// The pulse is a document of its own or the beginning of the slip, whichever comes first.
#[tokio::test(flavor = "multi_thread")]
async fn the_drawer_behind_a_queue_opens_once() {
    let shop = Shop::salon().await;
    let till = Till::open(&shop).await;
    let stand = Stand::of(&shop, &till, &["Receipt"]);
    let member = till.zhang_wei().await;
    till.print_to(queue("Receipt", SpoolerForm::Escpos)).await;
    let order = till.cash(&member, "300").await;
    till.until_printed(&order, 2).await;
    let jobs = (1..).take_while(|number| stand.has_job(*number));
    let pulses: usize = jobs.map(|number| paper::pulses(&stand.job(number))).sum();
    assert_eq!(pulses, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_queues_are_found_with_what_is_wrong_with_them() {
    let shop = Shop::salon().await;
    let till = Till::open(&shop).await;
    let none = till.desk.found_printers(()).await.unwrap();
    assert_eq!(none.queues, []);
    assert_eq!(
        none.trouble.as_deref(),
        Some("error.printer_spooler_missing")
    );
    let stand = Stand::of(&shop, &till, &["Receipt", "Kitchen"]);
    stand.put("paused-Kitchen", "");
    let found = till.desk.found_printers(()).await.unwrap();
    let expected = [("Kitchen", true), ("Receipt", false)].map(|(name, paused)| FoundQueue {
        name: name.to_owned(),
        paused,
    });
    assert_eq!((found.queues, found.trouble), (expected.to_vec(), None));
    stand.put("silent", "");
    let silent = till.desk.found_printers(()).await.unwrap();
    assert_eq!(
        silent.trouble.as_deref(),
        Some("error.printer_spooler_silent")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_spooler_does_not_take_waits_and_prints_once() {
    let shop = Shop::salon().await;
    let till = Till::open(&shop).await;
    let stand = Stand::of(&shop, &till, &["Kitchen"]);
    let member = till.zhang_wei().await;
    print_to(&till, queue("Receipt", SpoolerForm::Escpos)).await;
    let order = till.cash(&member, "300").await;
    let retry = async |job: PrintJobView| {
        let job_id = job.id;
        till.desk.retry_print(JobKey { job_id }).await.unwrap();
    };
    let job = until_trouble(&till, &order, "error.printer_queue_unknown").await;
    stand.put("queues", "Kitchen\nReceipt\n");
    stand.put("paused-Receipt", "");
    retry(job).await;
    let job = until_trouble(&till, &order, "error.printer_queue_paused").await;
    stand.remove("paused-Receipt");
    stand.put("refuses", "");
    retry(job).await;
    let job = until_trouble(&till, &order, "error.printer_spooler_refused").await;
    assert_eq!((job.state, job.torn), (PrintState::Queued, false));
    stand.remove("refuses");
    stand.put("dies", "");
    retry(job).await;
    // Nobody knows what became of it: a person looks.
    let job = until_trouble(&till, &order, "error.printer_timeout").await;
    assert_eq!((job.state, job.torn), (PrintState::Failed, true));
    stand.remove("dies");
    assert!(!stand.has_job(1));
    retry(job).await;
    till.until_printed(&order, 1).await;
    let lines = escpos_text(&stand.job(1)).unwrap();
    assert_eq!(lines[0], "*** 重打 ***");
    assert!(!stand.has_job(2));
}

/// Whatever keeps a program from starting, nothing was given to it.
#[tokio::test(flavor = "multi_thread")]
async fn a_slip_whose_program_does_not_start_was_not_sent() {
    let shop = Shop::salon().await;
    let till = Till::open(&shop).await;
    let stand = Stand::of(&shop, &till, &["Receipt"]);
    let member = till.zhang_wei().await;
    print_to(&till, queue("Receipt", SpoolerForm::Escpos)).await;
    for (sold, program) in [(1, "lpstat"), (2, "lp")] {
        stand.break_off(program);
        let order = till.cash(&member, "300").await;
        let job = till.until("an end of the try", async || {
            let job = till.prints(&order).await.remove(0);
            job.trouble.is_some().then_some(job)
        });
        let job = job.await;
        let trouble = job.trouble.as_deref();
        assert_eq!(trouble, Some("error.printer_spooler_silent"), "{program}");
        assert_eq!(
            (job.state, job.torn),
            (PrintState::Queued, false),
            "{program}"
        );
        stand.remove(program);
        stand.install(program);
        let job_id = job.id;
        till.desk.retry_print(JobKey { job_id }).await.unwrap();
        till.until_printed(&order, 1).await;
        let lines = escpos_text(&stand.job(sold)).unwrap();
        assert_ne!(lines[0], "*** 重打 ***", "{program}: nothing was on paper");
    }
    assert!(!stand.has_job(3), "each slip once");
}

#[tokio::test(flavor = "multi_thread")]
async fn names_of_queues_are_names_and_a_page_proves_one() {
    let shop = Shop::salon().await;
    let till = Till::open(&shop).await;
    let stand = Stand::of(&shop, &till, &["Office_A4"]);
    let mut settings = till.session().await.settings;
    for name in ["", "two words", "-o", "a#b", "a\nb"] {
        settings.printer.target = queue(name, SpoolerForm::Pdf);
        let told = till.desk.save_settings(settings.clone()).await.unwrap_err();
        assert_eq!(told.code, ErrorCode::InvalidInput, "{name:?}");
        assert_eq!(told.params["field"], "queue", "{name:?}");
    }
    let page = |name: &str| TestPrint {
        target: queue(name, SpoolerForm::Pdf),
        paper_mm: 80,
        glyphs: PrinterGlyphs::Gbk,
        language: Language::ZhCn,
    };
    let told = till.desk.print_test_page(page("Receipt")).await;
    assert_eq!(sentence(told), "error.printer_queue_unknown");
    till.desk.print_test_page(page("Office_A4")).await.unwrap();
    assert!(stand.job(1).starts_with(b"%PDF-"));
}
