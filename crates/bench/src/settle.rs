//! From a payment's notice to the order settled and committed, on the embedded server.

use std::path::Path;
use std::time::{Duration, Instant};

use bytes::Bytes;
use qiantai_core::ids::{MemberId, OrderId};
use qiantai_counter::api::CounterApi;
use qiantai_counter::view::order::StartQr;
use qiantai_counter::view::top_up::ChannelView;
use qiantai_pay::transport::HttpTransport;
use qiantai_paysim::gateway::PhoneAction;
use qiantai_paysim::{Gateway, RouterTransport};
use uuid::Uuid;

use crate::bare_commit::bare_commits;
use crate::figure::{Figure, Report, Series, Unit};
use crate::shop::{Shop, told};
use crate::{Outcome, Scale};

const ANSWER_WITHIN: Duration = Duration::from_secs(10);
/// As many bytes as an ordinary operation of the server.
const ROW_BYTES: usize = 500;

/// Measures notices in turn with bare commits.
pub async fn measure(folder: &Path, scale: Scale) -> Outcome<Report> {
    let shop = Shop::open(folder, scale.sales + 1).await?;
    let merchant = RouterTransport::new(shop.server.router(), ANSWER_WITHIN);
    let mut commit = bare_commits(folder)?;
    let row = vec![0xA5; ROW_BYTES];
    let (mut settled, mut commits) = (Vec::new(), Vec::new());
    for customer in shop.customers(scale.sales + 1)? {
        settled.push(settle(&shop, &merchant, customer).await?);
        commits.push(commit(&row)?);
    }
    shop.server.stop().await;
    Ok(Report {
        name: "settle",
        figures: vec![Figure {
            name: "notice",
            what: "a notice of payment, from its arrival to the settled order on the disk"
                .to_owned(),
            unit: Unit::Micros,
            // The first round of each fills caches.
            measured: Series::of_times(settled.into_iter().skip(1)),
            baseline_what: "one bare SQLite commit, WAL, synchronous=FULL",
            baseline: Series::of_times(commits.into_iter().skip(1)),
            goal: None,
        }],
        facts: serde_json::Map::new(),
    })
}

async fn settle(shop: &Shop, merchant: &RouterTransport, customer: MemberId) -> Outcome<Duration> {
    let (form, quote) = shop.quote(customer, ChannelView::Wechat).await?;
    let request = StartQr {
        intent: form.intent,
        quote_id: quote.quote_id,
        channel: ChannelView::Wechat,
        duplicate_confirmed: false,
    };
    let order = shop.desk.start_qr(request).await.map_err(told)?;
    shop.at_rest().await?;
    // Asks the gateway for the code.
    shop.server.settle_due().await?;
    let order = OrderId(Uuid::parse_str(&order.id)?);
    let notice = pay(shop, order)?;

    let began = Instant::now();
    let answer = merchant.send(notice).await?;
    let took = began.elapsed();

    let books = shop.server.ledger().order(shop.tenant, order)?;
    let credited = books.is_some_and(|order| order.credit.is_some());
    if !answer.status().is_success() || !credited {
        return Err(format!("a notice settled nothing: {}", answer.status()).into());
    }
    shop.at_rest().await?;
    Ok(took)
}

/// The customer pays; gives back the notice that the gateway wants delivered.
fn pay(shop: &Shop, order: OrderId) -> Outcome<http::Request<Bytes>> {
    let attempts = shop.server.ledger().attempts_of_order(shop.tenant, order)?;
    let payload = attempts.into_iter().find_map(|attempt| attempt.qr_payload);
    let payload = payload.ok_or("the gateway gave no code")?;
    shop.gateway.with(|gateway, now| -> Outcome<()> {
        let scanned = gateway
            .scan(&payload, now)
            .map_err(|error| format!("{error:?}"))?;
        gateway
            .act(&scanned.token, &PhoneAction::Pay, now)
            .map_err(|error| format!("{error:?}"))?;
        Ok(())
    })?;
    let mut due = shop.gateway.with(Gateway::due_notices);
    let delivery = due.pop().ok_or("the gateway sends no notice")?;
    shop.gateway
        .with(|gateway, now| gateway.delivered(delivery.id, true, now));
    Ok(delivery.request)
}
