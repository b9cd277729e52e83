use qiantai_core::Millis;
use qiantai_core::ids::OrderId;
use qiantai_store::{CANCELLED, INTERRUPTED, PrintJob, PrintState, PrintTrouble, Store};

use crate::fixture::{NOW, Shelf, id, receipt};

fn take(store: &Store) -> Option<u128> {
    let job = next(store, "counter")?;
    assert!(store.print_begins(job.id, "counter", NOW).unwrap());
    Some(job.id.as_u128())
}

fn next(store: &Store, printer: &str) -> Option<PrintJob> {
    store.next_print_job(printer, &[]).unwrap()
}

fn trouble(code: &str, try_again: bool) -> PrintTrouble<'_> {
    PrintTrouble {
        code,
        try_again,
        torn: false,
    }
}

fn is_torn(store: &Store, job: u128) -> bool {
    store.print_job(id(job)).unwrap().unwrap().torn
}

fn state(store: &Store, job: u128) -> (PrintState, u32, Option<String>) {
    let job = store.print_job(id(job)).unwrap().unwrap();
    (job.state, job.tries, job.trouble)
}

#[test]
fn jobs_are_printed_in_order_and_once() {
    let shelf = Shelf::new();
    let store = &shelf.store;
    for job in [3, 1, 2] {
        store.queue_prints(&[receipt(job, 0x0e, vec![1])]).unwrap();
    }
    assert_eq!(take(store), Some(3));
    assert_eq!(take(store), Some(1));
    assert!(store.print_done(id(3), NOW).unwrap());
    assert!(!store.print_done(id(3), NOW).unwrap(), "done already");
    assert!(!store.print_done(id(2), NOW).unwrap(), "not begun");
    assert_eq!(take(store), Some(2));
    assert_eq!(take(store), None);
    assert_eq!(state(store, 3), (PrintState::Printed, 1, None));
    assert!(next(store, "kitchen").is_none());
    let order: Vec<u128> = store
        .print_jobs_of(OrderId(id(0x0e)))
        .unwrap()
        .iter()
        .map(|job| job.id.as_u128())
        .collect();
    assert_eq!(order, [3, 1, 2]);
}

#[test]
fn trouble_keeps_the_job_and_another_printer_may_take_it() {
    let shelf = Shelf::new();
    let store = &shelf.store;
    store.queue_prints(&[receipt(1, 0x0e, vec![1])]).unwrap();
    assert_eq!(take(store), Some(1));
    assert!(
        store
            .print_troubled(id(1), "counter", &trouble("printer_off", true), NOW)
            .unwrap()
    );
    assert_eq!(
        state(store, 1),
        (PrintState::Queued, 1, Some("printer_off".to_owned()))
    );
    assert_eq!(take(store), Some(1));
    assert!(
        store
            .print_troubled(id(1), "counter", &trouble("paper_out", false), NOW)
            .unwrap()
    );
    assert_eq!(
        state(store, 1),
        (PrintState::Failed, 2, Some("paper_out".to_owned()))
    );
    assert_eq!(take(store), None);
    assert!(
        store
            .requeue_print(id(1), "office", NOW + Millis(1))
            .unwrap()
    );
    let job = next(store, "office").unwrap();
    assert_eq!((job.tries, job.trouble, job.document), (2, None, vec![1]));
    assert!(
        !store.print_begins(id(1), "counter", NOW).unwrap(),
        "it went elsewhere"
    );
    assert!(store.print_begins(id(1), "office", NOW).unwrap());
    assert!(
        !store.print_begins(id(1), "office", NOW).unwrap(),
        "it has begun"
    );
    assert!(
        !store.requeue_print(id(1), "counter", NOW).unwrap(),
        "it is printing"
    );
}

#[test]
fn a_job_that_rests_lets_those_behind_it_pass() {
    let shelf = Shelf::new();
    let store = &shelf.store;
    for job in [1, 2, 3] {
        store.queue_prints(&[receipt(job, 0x0e, vec![1])]).unwrap();
    }
    let begin = |resting: &[u128]| {
        let resting: Vec<_> = resting.iter().map(|job| id(*job)).collect();
        let job = store.next_print_job("counter", &resting).unwrap()?;
        assert!(store.print_begins(job.id, "counter", NOW).unwrap());
        Some(job.id.as_u128())
    };
    assert_eq!(begin(&[1, 2]), Some(3));
    assert_eq!(begin(&[1]), Some(2));
    assert_eq!(begin(&[1]), None);
    assert_eq!(state(store, 1), (PrintState::Queued, 0, None));
    assert_eq!(begin(&[]), Some(1));
}

#[test]
fn a_job_that_only_looks_for_its_printer_waits_on_after_a_restart() {
    let shelf = Shelf::new();
    let job = receipt(1, 0x0e, vec![1]);
    shelf.store.queue_prints(&[job]).unwrap();
    assert_eq!(next(&shelf.store, "counter").unwrap().id, id(1));
    let shelf = shelf.reopened();
    let store = &shelf.store;
    assert_eq!(state(store, 1), (PrintState::Queued, 0, None));
    // Trouble before the first byte is a try as well.
    let off = trouble("off", true);
    assert!(store.print_troubled(id(1), "counter", &off, NOW).unwrap());
    let tried = (PrintState::Queued, 1, Some("off".to_owned()));
    assert_eq!(state(store, 1), tried);
    assert_eq!(take(store), Some(1));
    assert!(store.print_done(id(1), NOW).unwrap());
    assert!(!store.print_troubled(id(1), "counter", &off, NOW).unwrap());
    assert_eq!(state(store, 1), (PrintState::Printed, 2, None));
}

#[test]
fn a_job_cut_off_by_a_restart_waits_for_a_person() {
    let shelf = Shelf::new();
    for job in [1, 2] {
        shelf
            .store
            .queue_prints(&[receipt(job, 0x0e, vec![1])])
            .unwrap();
    }
    assert_eq!(take(&shelf.store), Some(1));
    let shelf = shelf.reopened();
    let store = &shelf.store;
    assert_eq!(
        state(store, 1),
        (PrintState::Failed, 1, Some(INTERRUPTED.to_owned()))
    );
    assert!(is_torn(store, 1), "part of it may be on paper");
    assert_eq!(
        take(store),
        Some(2),
        "a job that had not begun prints by itself"
    );
    assert!(!is_torn(store, 2));
    assert_eq!(take(store), None);
}

#[test]
fn a_torn_job_stays_torn_until_it_is_out() {
    let shelf = Shelf::new();
    let store = &shelf.store;
    store.queue_prints(&[receipt(1, 0x0e, vec![1])]).unwrap();
    assert_eq!(take(store), Some(1));
    let out = PrintTrouble {
        torn: true,
        ..trouble("paper_out", true)
    };
    assert!(store.print_troubled(id(1), "counter", &out, NOW).unwrap());
    assert!(
        store
            .print_troubled(id(1), "counter", &trouble("off", true), NOW)
            .unwrap()
    );
    assert_eq!(
        state(store, 1),
        (PrintState::Queued, 2, Some("off".to_owned()))
    );
    assert!(is_torn(store, 1), "later trouble does not mend it");
    assert!(store.requeue_print(id(1), "spare", NOW).unwrap());
    let shelf = shelf.reopened();
    assert!(next(&shelf.store, "spare").unwrap().torn);
}

#[test]
fn what_a_person_cancels_is_not_printed_until_a_person_says_so() {
    let shelf = Shelf::new();
    let store = &shelf.store;
    for job in [1, 2] {
        store.queue_prints(&[receipt(job, 0x0e, vec![1])]).unwrap();
    }
    let cancelled = (PrintState::Failed, 0, Some(CANCELLED.to_owned()));
    assert!(store.cancel_print(id(1), NOW).unwrap());
    assert_eq!(state(store, 1), cancelled);
    assert!(!store.print_begins(id(1), "counter", NOW).unwrap());
    assert!(
        !store
            .print_troubled(id(1), "counter", &trouble("off", true), NOW)
            .unwrap(),
        "a try that was under way does not bring it back"
    );
    assert_eq!(state(store, 1), cancelled);
    assert_eq!(take(store), Some(2));
    assert!(!store.cancel_print(id(2), NOW).unwrap(), "it is printing");
    assert!(store.print_done(id(2), NOW).unwrap());
    assert!(!store.cancel_print(id(2), NOW).unwrap(), "it is printed");
    assert!(store.requeue_print(id(1), "counter", NOW).unwrap());
    assert_eq!(take(store), Some(1));
}

#[test]
fn settings_and_clock_survive_a_restart() {
    let shelf = Shelf::new();
    shelf
        .store
        .set_setting("printer", &("counter", 80))
        .unwrap();
    shelf
        .store
        .set_setting("printer", &("counter", 58))
        .unwrap();
    let first = shelf.store.observe_clock(NOW).unwrap();
    assert_eq!(first.behind(NOW), Millis(0));
    let anchor = qiantai_store::ServerAnchor {
        server_time: NOW,
        wall_time: NOW + Millis(5),
    };
    shelf.store.set_server_anchor(anchor).unwrap();
    let shelf = shelf.reopened();
    let setting: Option<(String, u32)> = shelf.store.setting("printer").unwrap();
    assert_eq!(setting, Some(("counter".to_owned(), 58)));
    let back = NOW - Millis::hours(1);
    let mark = shelf.store.observe_clock(back).unwrap();
    assert_eq!(
        (mark.high_water, mark.behind(back)),
        (NOW, Millis::hours(1))
    );
    assert_eq!(mark.anchor, Some(anchor));
    shelf.store.remove_setting("printer").unwrap();
    assert_eq!(
        shelf.store.setting::<(String, u32)>("printer").unwrap(),
        None
    );
}
