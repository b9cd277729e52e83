//! The drawer opened without a sale, with a manager's PIN (docs: domain §5.1, §5.2, adr 0047).

use qiantai_core::Millis;
use qiantai_core::drawer::{DrawerOpen, DrawerReason};
use qiantai_core::ids::StaffId;
use qiantai_core::operation::{Operation, OperationBody};
use qiantai_counter::api::CounterApi;
use qiantai_counter::view::drawer::{DrawerReasonView, OpenDrawer};
use qiantai_counter::view::order::{Approval, PrintJobView, PrintState};
use qiantai_counter::view::printer::{PrinterGlyphs, PrinterName, SendPrint, SparePrinter};
use qiantai_counter::view::queue::JobKey;
use qiantai_print::decode::Printed;
use uuid::Uuid;

use crate::line::Weather;
use crate::shop::Shop;
use crate::talking_printer::TalkingPrinter;
use crate::till::{Setup, Till, sentence};

const MANAGER: (&str, &str) = ("8001", "8888");
/// The pulse of the drawer, as the printer reads it.
const ONCE: [Printed; 1] = [Printed::DrawerPulse];

async fn wish(till: &Till, by: (&str, &str)) -> OpenDrawer {
    OpenDrawer {
        intent: till.desk.drawer_form(()).await.unwrap().intent,
        reason: DrawerReasonView::Change,
        words: String::new(),
        approval: Approval {
            staff_no: by.0.to_owned(),
            pin: by.1.to_owned(),
        },
    }
}

async fn job(till: &Till, id: &str) -> PrintJobView {
    let prints = till.desk.queue(()).await.unwrap().prints;
    prints.into_iter().find(|job| job.id == id).unwrap()
}

async fn until(till: &Till, id: &str, state: PrintState) -> PrintJobView {
    till.until("the drawer", async || {
        let job = job(till, id).await;
        (job.state == state).then_some(job)
    })
    .await
}

/// How often the terminal asked its printer to open the drawer.
fn asked(till: &Till, shop: &Shop) -> u32 {
    let books = till.books(shop);
    let count = "SELECT count(*) FROM print_job WHERE kind = 'drawer_pulse'";
    books.query_row(count, [], |row| row.get(0)).unwrap()
}

fn openings(shop: &Shop) -> Vec<(Operation, DrawerOpen)> {
    let operations = shop.operations().into_iter();
    let opened = operations.filter_map(|signed| {
        let operation = signed.operation().unwrap();
        match operation.body.clone() {
            OperationBody::DrawerOpen(body) => Some((operation, body)),
            _ => None,
        }
    });
    opened.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_managers_pin_opens_the_drawer_once_with_the_line_cut() {
    let shop = Shop::salon().await;
    let printer = TalkingPrinter::with_roll(500).await;
    let till = Till::open(&shop).await;
    till.print_to(printer.target.clone()).await;
    till.cut(&shop).await;
    for (by, expected) in [
        (("1001", "1234"), "error.approver_no_manager"),
        (("9999", "8888"), "error.approver_unknown"),
        (("8001", "0000"), "error.pin_wrong"),
    ] {
        let refused = till.desk.open_drawer(wish(&till, by).await).await;
        assert_eq!(sentence(refused), expected);
    }
    for words in [" ".to_owned(), "字".repeat(41)] {
        let refused = OpenDrawer {
            reason: DrawerReasonView::Other,
            words,
            ..wish(&till, MANAGER).await
        };
        let refused = till.desk.open_drawer(refused).await;
        assert_eq!(sentence(refused), "error.drawer_words");
    }
    assert_eq!((asked(&till, &shop), printer.printed()), (0, vec![]));

    let wish = OpenDrawer {
        reason: DrawerReasonView::Other,
        words: " 锁孔上油 ".to_owned(),
        ..wish(&till, MANAGER).await
    };
    let queued = till.desk.open_drawer(wish.clone()).await.unwrap();
    assert_eq!((queued.holder, queued.order_no.as_str()), (None, ""));
    let out = until(&till, &queued.id, PrintState::Printed).await;
    assert_eq!((out.trouble, out.torn), (None, false));
    let again = till.desk.open_drawer(wish).await.unwrap();
    assert_eq!((&again.id, again.state), (&queued.id, PrintState::Printed));
    let retried = till.desk.retry_print(JobKey { job_id: queued.id }).await;
    assert_eq!(sentence(retried), "error.order_state", "it opened");
    let rows = till.desk.queue(()).await.unwrap().operations;
    let kinds: Vec<_> = rows.iter().map(|row| row.kind_key.as_str()).collect();
    assert_eq!(kinds, ["operation.drawer_open"]);

    till.mend(&shop).await;
    till.until_synced().await;
    let opened = openings(&shop);
    let [(operation, body)] = &opened[..] else {
        panic!("it is written once: {opened:?}");
    };
    assert_eq!(body.reason, DrawerReason::Other);
    assert_eq!(body.words.as_deref(), Some("锁孔上油"));
    assert_ne!(operation.staff.unwrap().staff, body.approval.staff);
    assert!(operation.shift.is_some() && operation.offline);
    assert_eq!(shop.cases(), Vec::<String>::new());
    assert_eq!(printer.printed(), ONCE);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_drawer_a_shift_or_another_manager_nothing_is_written() {
    let shop = Shop::salon().await;
    let printer = TalkingPrinter::with_roll(500).await;
    let till = Till::start(&shop, Setup::default()).await;
    let form = async |till: &Till| sentence(till.desk.drawer_form(()).await);
    assert_eq!(form(&till).await, "error.not_signed_in");
    till.sign_in().await;
    assert_eq!(form(&till).await, "error.drawer_unset", "a folder has none");
    till.print_to(printer.target.clone()).await;
    assert_eq!(form(&till).await, "error.no_shift");
    till.open_shift().await;
    let mut wish = wish(&till, MANAGER).await;
    let mut settings = till.session().await.settings;
    settings.printer.drawer = false;
    till.desk.save_settings(settings.clone()).await.unwrap();
    assert_eq!(form(&till).await, "error.drawer_unset");
    let unset = till.desk.open_drawer(wish.clone()).await;
    assert_eq!(sentence(unset), "error.drawer_unset");
    settings.printer.drawer = true;
    till.desk.save_settings(settings).await.unwrap();

    // A manager at the counter opens it alone as long as the shop has no other.
    till.sign_in_as(MANAGER.0, MANAGER.1).await.unwrap();
    assert!(till.desk.drawer_form(()).await.unwrap().alone);
    let change = |policy: &mut qiantai_core::policy::Policy| {
        let mut staff = policy.staff.iter();
        let mut second = staff.find(|it| it.staff_no == MANAGER.0).unwrap().clone();
        (second.id, second.staff_no) = (StaffId(Uuid::now_v7()), "8002".to_owned());
        policy.staff.push(second);
    };
    shop.change_rules(change).await;
    till.until("the second manager", async || {
        let form = till.desk.drawer_form(()).await.unwrap();
        (!form.alone).then_some(())
    })
    .await;
    let own = till.desk.open_drawer(wish.clone()).await;
    assert_eq!(sentence(own), "error.drawer_own");
    assert_eq!((asked(&till, &shop), printer.printed()), (0, vec![]));
    wish.approval.staff_no = "8002".to_owned();
    let job = till.desk.open_drawer(wish).await.unwrap();
    until(&till, &job.id, PrintState::Printed).await;
    assert_eq!(printer.printed(), ONCE);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drawer_that_stays_shut_is_tried_again_without_another_word_for_a_while() {
    let shop = Shop::salon().await;
    let printer = TalkingPrinter::with_roll(0).await;
    let till = Till::open(&shop).await;
    let mut settings = till.session().await.settings;
    settings.printer.target = printer.target.clone();
    settings.printer.spare = Some(SparePrinter {
        target: printer.target.clone(),
        paper_mm: 58,
        glyphs: PrinterGlyphs::Gbk,
    });
    till.desk.save_settings(settings).await.unwrap();
    // A slip that waits for paper holds up no drawer.
    let member = till.zhang_wei().await;
    till.cash(&member, "300").await;
    let wish = wish(&till, MANAGER).await;
    let queued = till.desk.open_drawer(wish).await.unwrap();
    let shut = until(&till, &queued.id, PrintState::Failed).await;
    assert_eq!(shut.trouble.as_deref(), Some("error.drawer_shut"));
    let key = JobKey { job_id: queued.id };
    let elsewhere = SendPrint {
        job_id: key.job_id.clone(),
        printer: PrinterName::Spare,
    };
    let elsewhere = till.desk.send_print(elsewhere).await;
    assert_eq!(sentence(elsewhere), "error.drawer_unset");

    shop.time.advance(Millis::minutes(9));
    assert_eq!(job(&till, &key.job_id).await.state, PrintState::Failed);
    printer.open_cover(true);
    till.desk.retry_print(key.clone()).await.unwrap();
    until(&till, &key.job_id, PrintState::Failed).await;
    shop.time.advance(Millis::minutes(2));
    let late = till.desk.retry_print(key.clone()).await;
    assert_eq!(sentence(late), "error.drawer_too_late");
    till.until_synced().await;
    assert_eq!(openings(&shop).len(), 1, "no try wrote another");
    assert_eq!(printer.printed(), []);
}

/// Killed after it was written, before and while the pulse is sent.
#[tokio::test(flavor = "multi_thread")]
async fn a_killed_program_offers_the_pulse_and_does_not_send_it() {
    let shop = Shop::salon().await;
    let printer = TalkingPrinter::with_roll(0).await;
    let till = Till::open(&shop).await;
    till.print_to(printer.target.clone()).await;
    let wish = wish(&till, MANAGER).await;
    let queued = till.desk.open_drawer(wish).await.unwrap();
    until(&till, &queued.id, PrintState::Failed).await;
    till.crash().await;
    printer.load(500);
    for (left, expected) in [
        ("queued", "error.drawer_shut"),
        ("printing", "error.drawer_unsure"),
    ] {
        let till = Till::reopen(&shop, Weather::Fair).await;
        let books = till.books(&shop);
        till.crash().await;
        let state = "UPDATE print_job SET state = ?1, trouble = NULL WHERE kind = 'drawer_pulse'";
        books.execute(state, [left]).unwrap();
        drop(books);
        let till = Till::reopen(&shop, Weather::Fair).await;
        let offered = until(&till, &queued.id, PrintState::Failed).await;
        assert_eq!(offered.trouble.as_deref(), Some(expected), "{left}");
        assert!(!offered.torn);
        assert_eq!(printer.printed(), [], "{left}");
        till.crash().await;
    }
    let till = Till::reopen(&shop, Weather::Fair).await;
    let key = JobKey { job_id: queued.id };
    till.desk.retry_print(key.clone()).await.unwrap();
    until(&till, &key.job_id, PrintState::Printed).await;
    assert_eq!(printer.printed(), ONCE);
    assert_eq!(openings(&shop).len(), 1);
}
