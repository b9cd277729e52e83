//! Notices: schedule, loss, doubling, order, forgery, and the driver.

use std::time::Duration;

use qiantai_core::clock::Millis;
use qiantai_pay::{Channel, Notice};
use qiantai_paysim::DeliveryOutcome;
use qiantai_paysim::gateway::{NoticeFault, NoticeRule, PhoneAction, RETRY_DELAYS};

use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::world::{ATTEMPT, World};

const OTHER: &str = "ZF000002";

fn set(world: &World, attempt_no: Option<&str>, fault: NoticeFault) {
    let rule = NoticeRule {
        attempt_no: attempt_no.map(str::to_owned),
        fault,
        times: Some(1),
    };
    world
        .simulator
        .with(|gateway, _| gateway.faults().notices.push(rule));
}

#[tokio::test(start_paused = true)]
async fn an_unanswered_notice_is_repeated_by_the_schedule_and_given_up() {
    let world = World::new();
    let token = world.show_qr(ATTEMPT).await;
    world.act(&token, PhoneAction::Pay).unwrap();
    world.simulator.with(|gateway, start| {
        let mut now = start;
        let mut waits = Vec::new();
        let mut bodies = Vec::new();
        loop {
            let [delivery] = &gateway.due_notices(now)[..] else {
                panic!("one try at {now}")
            };
            assert!(
                gateway.due_notices(now).is_empty(),
                "not twice while under way"
            );
            bodies.push(delivery.request.body().clone());
            gateway.delivered(delivery.id, false, now);
            let Some(next) = gateway.next_event_at() else {
                break;
            };
            assert!(
                gateway.due_notices(next - Millis(1)).is_empty(),
                "not early"
            );
            waits.push(next - now);
            now = next;
        }
        assert_eq!(waits, RETRY_DELAYS);
        assert!(
            bodies.iter().all(|body| *body == bodies[0]),
            "the same event each time"
        );
        assert_eq!(gateway.notices_given_up().len(), 1);
        assert!(gateway.due_notices(now + Millis::days(30)).is_empty());
    });
}

#[tokio::test(start_paused = true)]
async fn notices_are_lost_doubled_late_and_forged_on_order() {
    let check = async |fault, at_once: (usize, usize), after_15_s: usize| {
        let world = World::new();
        set(&world, Some(ATTEMPT), fault);
        let token = world.show_qr(ATTEMPT).await;
        let other = world.show_qr(OTHER).await;
        world.act(&token, PhoneAction::Pay).unwrap();
        let first = world.deliver_due();
        assert_eq!((first.genuine.len(), first.forged), at_once, "{fault:?}");
        // Other attempts are not concerned, and later notices overtake the held one.
        world.act(&other, PhoneAction::Pay).unwrap();
        let received = world.deliver_due();
        assert_eq!(received.genuine.len(), 1, "{fault:?}");
        assert_eq!(received.genuine[0].attempt_no, OTHER, "{fault:?}");
        tokio::time::advance(Duration::from_secs(15)).await;
        let later = world.deliver_due();
        assert_eq!(later.genuine.len(), after_15_s, "{fault:?}");
        assert!(
            later
                .genuine
                .iter()
                .all(|notice| notice.attempt_no == ATTEMPT),
            "{fault:?}"
        );
    };
    check(NoticeFault::Lose { tries: 1 }, (0, 0), 1).await;
    check(NoticeFault::Double, (2, 0), 0).await;
    check(NoticeFault::Late { delay_ms: 15_000 }, (0, 0), 1).await;
    check(NoticeFault::Late { delay_ms: 15_001 }, (0, 0), 0).await;
    check(NoticeFault::Forged, (1, 1), 0).await;
}

#[tokio::test(start_paused = true)]
async fn a_doubled_notice_is_one_event_and_one_failure() {
    let world = World::new();
    set(&world, None, NoticeFault::Double);
    let token = world.show_qr(ATTEMPT).await;
    world.act(&token, PhoneAction::Pay).unwrap();
    world.simulator.with(|gateway, now| {
        let twins = gateway.due_notices(now);
        let [first, second] = &twins[..] else {
            panic!("two tries, not {}", twins.len())
        };
        assert_eq!(first.request.body(), second.request.body());
        gateway.delivered(first.id, false, now);
        gateway.delivered(second.id, false, now);
        assert_eq!(gateway.next_event_at(), Some(now + RETRY_DELAYS[0]));
        let later = now + RETRY_DELAYS[0];
        let again = gateway.due_notices(later);
        gateway.delivered(again[0].id, false, later);
        gateway.delivered(again[1].id, true, later);
        assert_eq!(
            gateway.next_event_at(),
            None,
            "one acknowledgement is enough"
        );
    });
}

#[tokio::test(start_paused = true)]
async fn the_driver_delivers_each_notice_at_its_time() {
    let world = World::new();
    let (sender, mut received) = mpsc::unbounded_channel();
    let channel = world.channel.clone();
    let sink = move |request: http::Request<bytes::Bytes>| {
        let Ok(Notice::Payment(notice)) = channel.parse_notice(request.headers(), request.body())
        else {
            panic!("the notice tells of a payment")
        };
        sender.send((notice.attempt_no, Instant::now())).unwrap();
        async { DeliveryOutcome::Acknowledged }
    };
    let simulator = world.simulator.clone();
    let driver = tokio::spawn(async move { simulator.run_notices(&sink).await });
    let first = world.show_qr(ATTEMPT).await;
    let second = world.show_qr(OTHER).await;
    set(&world, Some(ATTEMPT), NoticeFault::Lose { tries: 2 });
    let started = Instant::now();
    world.act(&first, PhoneAction::Pay).unwrap();
    world.act(&second, PhoneAction::PayLate).unwrap();
    // Two waits of 15 s after lost tries; three seconds after the code's fifteen minutes.
    for (attempt_no, seconds) in [(ATTEMPT, 30), (OTHER, 903)] {
        let (of, at) = received.recv().await.unwrap();
        assert_eq!(
            (of.as_str(), (at - started).as_secs()),
            (attempt_no, seconds)
        );
    }
    driver.abort();
}

#[tokio::test(start_paused = true)]
async fn a_merchant_that_hangs_holds_up_no_other_notice() {
    let world = World::new();
    let (sender, mut received) = mpsc::unbounded_channel();
    let sink = move |request: http::Request<bytes::Bytes>| {
        let body = String::from_utf8(request.into_body().to_vec()).unwrap();
        let hangs = body.contains(ATTEMPT);
        sender.send((hangs, Instant::now())).unwrap();
        async move {
            if hangs {
                std::future::pending::<()>().await;
            }
            DeliveryOutcome::Acknowledged
        }
    };
    let simulator = world.simulator.clone();
    let driver = tokio::spawn(async move { simulator.run_notices(&sink).await });
    let hanging = world.show_qr(ATTEMPT).await;
    let other = world.show_qr(OTHER).await;
    let started = Instant::now();
    world.act(&hanging, PhoneAction::Pay).unwrap();
    world.act(&other, PhoneAction::Pay).unwrap();
    // The merchant has five seconds to answer; then the first wait of the schedule begins.
    for (hangs, seconds) in [(true, 0), (false, 0), (true, 20)] {
        let (of, at) = received.recv().await.unwrap();
        assert_eq!((of, (at - started).as_secs()), (hangs, seconds));
    }
    driver.abort();
}
