//! Crashes: after each, there is no order, or one that goes on; never a second credit.

use std::io::{Write, stdout};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use qiantai_core::Millis;
use qiantai_counter::api::CounterApi;
use qiantai_counter::error::ErrorCode;
use qiantai_counter::view::order::{OrderView, PayCash, Stage, StartQr};
use qiantai_counter::view::recorded::PayRecorded;
use qiantai_counter::view::top_up::ChannelView;
use qiantai_paysim::gateway::{PhoneAction, PhoneRefusal};
use qiantai_paysim::{Simulator, serve};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::time::{Instant, timeout_at};

use crate::line::Weather;
use crate::shop::{self, Shop};
use crate::split::split_offer;
use crate::till::{Setup, Till};
use crate::time::Time;

const ROUNDS: u32 = 10;
const FOLDER: &str = "QIANTAI_CRASH_FOLDER";
const GATEWAY: &str = "QIANTAI_CRASH_GATEWAY";

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_after_the_payment_prints_its_slips_once_at_the_next_start() {
    let shop = Shop::salon().await;
    let till = Till::open(&shop).await;
    let member = till.zhang_wei().await;
    let order = till.show_qr(&member, "300").await;
    till.crash().await;
    // Paid and credited while the terminal is down.
    shop.phone(&order, &PhoneAction::Pay);
    shop.pass(Millis::seconds(10)).await;
    assert_eq!(
        shop.credits(&member).len(),
        1,
        "the server credits without the terminal"
    );
    for _ in 0..2 {
        let till = Till::reopen(&shop, Weather::Fair).await;
        till.until_confirmed(&order.id).await;
        till.until_printed(&order, 2).await;
        till.crash().await;
    }
    assert_eq!(shop.credits(&member).len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_at_each_step_leaves_no_order_or_one_that_goes_on() {
    let shop = Shop::salon().await;
    let mut till = Till::open(&shop).await;
    let member = till.zhang_wei().await;

    // Priced, not paid: nothing is there, and the price is asked for again.
    let offer = till.cash_offer(&member, "300").await;
    let qr_offer = till.qr_offer(&member, "200", ChannelView::Wechat).await;
    till.crash().await;
    till = Till::reopen(&shop, Weather::Fair).await;
    assert!(till.desk.orders(()).await.unwrap().is_empty());
    assert_eq!(
        till.pay_cash(&offer).await.unwrap_err().code,
        ErrorCode::QuoteChanged
    );
    assert_eq!(
        till.desk.start_qr(qr_offer).await.unwrap_err().code,
        ErrorCode::QuoteChanged
    );

    // Paid in cash, not yet sent.
    let offer = till.cash_offer(&member, "300").await;
    let cash = till.pay_cash(&offer).await.unwrap();
    till.crash().await;
    till = Till::reopen(&shop, Weather::Fair).await;
    assert_eq!(till.pay_cash(&offer).await.unwrap().id, cash.id);
    till.until_confirmed(&cash.id).await;

    // QR code asked for, not yet sent.
    let offer = till.qr_offer(&member, "200", ChannelView::Wechat).await;
    let opened = till.desk.start_qr(offer.clone()).await.unwrap();
    till.crash().await;
    till = Till::reopen(&shop, Weather::Fair).await;
    assert_eq!(till.desk.start_qr(offer).await.unwrap().id, opened.id);
    let waiting = till.until_stage(&opened.id, Stage::Waiting).await;
    shop.phone(&waiting, &PhoneAction::Pay);
    till.crash().await;
    till = Till::reopen(&shop, Weather::Fair).await;
    till.until_confirmed(&opened.id).await;
    assert_eq!(shop.credits(&member).len(), 2);
    assert_eq!(shop.cases(), Vec::<String>::new());
}

/// What the child said before it was killed.
#[derive(Default)]
struct Said {
    cash: Vec<PayCash>,
    qr: Vec<StartQr>,
    split: Vec<PayRecorded>,
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_at_any_moment_loses_nothing_and_credits_nothing_twice() {
    let folder = tempfile::tempdir().unwrap();
    let (simulator, _) = shop::gateway(&Time::new(), "");
    let anywhere = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let (listener, address) = serve::listen(anywhere, false).await.unwrap();
    let router = serve::router(simulator.clone());
    tokio::spawn(serve::serve(listener, router, std::future::pending()));
    let url = format!("http://{address}");
    let mut random = ChaCha8Rng::seed_from_u64(2);
    let (mut credited, mut lost) = (0, 0);
    for round in 0..ROUNDS {
        let lines = random.random_range(1..7);
        let further = Duration::from_micros(random.random_range(0..60_000));
        let said = sell_and_kill(folder.path(), &url, &simulator, lines, further).await;
        let shop = Shop::beside_gateway(folder.path(), &url, Some(simulator.clone())).await;
        let till = Till::start(&shop, Setup::default()).await;
        till.sign_in().await;
        let member = till.zhang_wei().await;
        for offer in &said.cash {
            match till.pay_cash(offer).await {
                Ok(order) => check_finished(&till, &order, &mut credited).await,
                Err(refused) => {
                    assert_eq!(refused.code, ErrorCode::QuoteChanged, "round {round}");
                    lost += 1;
                }
            }
        }
        for offer in &said.split {
            match till.desk.pay_recorded(offer.clone()).await {
                Ok(order) => {
                    assert!(order.parts.is_some(), "round {round}: both parts or none");
                    check_finished(&till, &order, &mut credited).await;
                }
                Err(refused) => {
                    assert_eq!(refused.code, ErrorCode::QuoteChanged, "round {round}");
                    lost += 1;
                }
            }
        }
        for offer in &said.qr {
            match till.desk.start_qr(offer.clone()).await {
                Ok(order) => {
                    go_on(&shop, &till, &order).await;
                    check_finished(&till, &order, &mut credited).await;
                }
                Err(refused) => {
                    assert_eq!(refused.code, ErrorCode::QuoteChanged, "round {round}");
                    lost += 1;
                }
            }
        }
        till.until_synced().await;
        assert_eq!(shop.credits(&member).len(), credited, "round {round}");
        assert_eq!(shop.cases(), Vec::<String>::new(), "round {round}");
        till.crash().await;
        shop.server.stop().await;
    }
    assert!(
        credited > 0,
        "no child came as far as a sale; {lost} were not begun"
    );
}

/// The customer pays, unless that was done before the kill.
async fn go_on(shop: &Shop, till: &Till, order: &OrderView) {
    let seen = till.until("a code or the credit", async || {
        let view = till.order(&order.id).await;
        matches!(
            view.stage,
            Stage::Waiting | Stage::UserPaying | Stage::Credited
        )
        .then_some(view)
    });
    if let Some(code) = seen.await.qr {
        pay(&shop.simulator, &code.payload);
    }
}

/// One credit, and two slips that were queued once.
async fn check_finished(till: &Till, order: &OrderView, credited: &mut usize) {
    till.until_confirmed(&order.id).await;
    till.until("two slips", async || {
        (till.prints(order).await.len() == 2).then_some(())
    })
    .await;
    *credited += 1;
}

fn pay(simulator: &Simulator, payload: &str) {
    simulator.with(|gateway, now| {
        let view = gateway.scan(payload, now).unwrap();
        match gateway.act(&view.token, &PhoneAction::Pay, now) {
            Ok(_) | Err(PhoneRefusal::Over) => {}
            Err(other) => panic!("{other}"),
        }
    });
}

/// Lets a child sell until it has said `count` lines and `further` has passed, then kills it.
async fn sell_and_kill(
    folder: &Path,
    url: &str,
    simulator: &Simulator,
    count: u32,
    further: Duration,
) -> Said {
    let mut child: Child = Command::new(std::env::current_exe().unwrap())
        .args([
            "crash::sells_until_killed",
            "--exact",
            "--ignored",
            "--nocapture",
        ])
        .env(FOLDER, folder)
        .env(GATEWAY, url)
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut said = Said::default();
    let mut heard = 0;
    let mut deadline = Instant::now() + Duration::from_secs(120);
    while let Ok(line) = timeout_at(deadline, lines.next_line()).await {
        let line = line.unwrap().expect("the child sells until it is killed");
        let Some((_, line)) = line.split_once('@') else {
            continue;
        };
        hear(line, simulator, &mut said);
        heard += 1;
        if heard == count {
            deadline = Instant::now() + further;
        }
    }
    assert!(heard >= count, "the child came to a stop");
    child.kill().await.unwrap();
    while let Some(line) = lines.next_line().await.unwrap() {
        if let Some((_, line)) = line.split_once('@') {
            hear(line, simulator, &mut said);
        }
    }
    said
}

fn hear(line: &str, simulator: &Simulator, said: &mut Said) {
    match line.split_once(' ').unwrap() {
        ("cash", offer) => said.cash.push(serde_json::from_str(offer).unwrap()),
        ("split", offer) => said.split.push(serde_json::from_str(offer).unwrap()),
        ("qr", offer) => said.qr.push(serde_json::from_str(offer).unwrap()),
        ("code", payload) => pay(simulator, payload),
        ("done", _) => {}
        other => panic!("{other:?}"),
    }
}

fn say(line: &str) {
    let mut out = stdout().lock();
    writeln!(out, "\n@{line}").unwrap();
    out.flush().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "the process that `a_kill_at_any_moment_loses_nothing_and_credits_nothing_twice` kills"]
async fn sells_until_killed() {
    let folder = std::env::var(FOLDER).unwrap();
    let shop = Shop::beside_gateway(folder.as_ref(), &std::env::var(GATEWAY).unwrap(), None).await;
    let till = Till::start(&shop, Setup::default()).await;
    till.sign_in().await;
    if till.session().await.shift.is_none() {
        till.open_shift().await;
    }
    let member = till.zhang_wei().await;
    loop {
        // Said before it is done: what is not said was never begun.
        let offer = till.cash_offer(&member, "10").await;
        say(&format!("cash {}", serde_json::to_string(&offer).unwrap()));
        let order = till.pay_cash(&offer).await.unwrap();
        say(&format!("done {}", order.id));
        let mut offer = split_offer(&till, &member, ("30", "10"), ChannelView::Transfer, "").await;
        // A transfer is made once: every offer has a serial number of its own.
        offer.reference = offer.intent.replace('-', "");
        say(&format!("split {}", serde_json::to_string(&offer).unwrap()));
        let order = till.desk.pay_recorded(offer).await.unwrap();
        say(&format!("done {}", order.id));
        let offer = till.qr_offer(&member, "20", ChannelView::Wechat).await;
        say(&format!("qr {}", serde_json::to_string(&offer).unwrap()));
        let order = till.desk.start_qr(offer).await.unwrap();
        let waiting = till.until_stage(&order.id, Stage::Waiting).await;
        say(&format!("code {}", waiting.qr.unwrap().payload));
        till.until_confirmed(&order.id).await;
        say(&format!("done {}", order.id));
    }
}
