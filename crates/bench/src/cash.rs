//! A top-up in cash through the desk, as the window asks for it: priced, decided, signed, and
//! durable when it returns. The server confirms and the slips print afterwards, as at a counter.

use std::path::Path;
use std::time::{Duration, Instant};

use qiantai_core::ids::MemberId;
use qiantai_counter::api::CounterApi;
use qiantai_counter::view::order::{PayCash, Stage};
use qiantai_counter::view::top_up::ChannelView;
use serde_json::json;

use crate::bare_commit::bare_commits;
use crate::figure::{Figure, Goal, Report, Series, Unit};
use crate::shop::{Shop, told};
use crate::{Outcome, Scale};

const RATIO_PERCENT_MAX: u64 = 400;
/// Operations in one reading of the log.
const LOG_PAGE: u32 = 1_000;

/// Measures top-ups in turn with bare commits of as many bytes.
pub async fn measure(folder: &Path, scale: Scale) -> Outcome<Report> {
    let shop = Shop::open(folder, scale.sales + 1).await?;
    let mut customers = shop.customers(scale.sales + 1)?.into_iter();
    let mut commit = bare_commits(folder)?;

    // The first one fills caches, and tells how large an operation is.
    let first = customers.next().ok_or("nobody to serve")?;
    sell(&shop, first).await?;
    let row = vec![0xA5; operation_bytes(&shop)?];
    commit(&row)?;

    let (mut sales, mut commits) = (Vec::new(), Vec::new());
    for customer in customers {
        sales.push(sell(&shop, customer).await?);
        commits.push(commit(&row)?);
    }
    shop.server.stop().await;

    let mut report = Report {
        name: "cash",
        figures: vec![Figure {
            name: "top_up",
            what: "a cash top-up through the desk, from the call to the durable order".to_owned(),
            unit: Unit::Micros,
            measured: Series::of_times(sales),
            baseline_what: "one bare SQLite commit of as many bytes, WAL, synchronous=FULL",
            baseline: Series::of_times(commits),
            goal: Some(Goal::RatioPercent(RATIO_PERCENT_MAX)),
        }],
        facts: serde_json::Map::new(),
    };
    report
        .facts
        .insert("operation_bytes".to_owned(), json!(row.len()));
    Ok(report)
}

async fn sell(shop: &Shop, customer: MemberId) -> Outcome<Duration> {
    let (form, quote) = shop.quote(customer, ChannelView::Cash).await?;
    shop.at_rest().await?;
    let request = PayCash {
        intent: form.intent,
        quote_id: quote.quote_id,
        tendered: String::new(),
        duplicate_confirmed: false,
        approval: None,
    };
    let began = Instant::now();
    let order = shop.desk.pay_cash(request).await.map_err(told)?;
    let took = began.elapsed();
    if order.stage != Stage::Credited {
        return Err(format!("a top-up was not credited: {:?}", order.stage).into());
    }
    shop.at_rest().await?;
    Ok(took)
}

/// How large the newest operation of the log is.
fn operation_bytes(shop: &Shop) -> Outcome<usize> {
    let ledger = shop.server.ledger();
    let before = ledger
        .head(shop.tenant)?
        .server_seq
        .saturating_sub(u64::from(LOG_PAGE));
    let rows = ledger.log(shop.tenant, before, LOG_PAGE)?;
    Ok(rows.last().ok_or("the log is empty")?.bytes.len())
}
