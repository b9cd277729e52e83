//! What the gateways' own protocols cost, by WeChat Pay's API v3: signatures beside bare ones of
//! the same library, and notices from the socket to the committed credit, one by one and as many
//! in a second as a chain of shops would get.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, Uri};
use openssl::hash::MessageDigest;
use openssl::pkey::{PKey, Private};
use openssl::rsa::Rsa;
use openssl::sign::{Signer, Verifier};
use qiantai_core::Money;
use qiantai_core::ids::{MemberId, OrderId};
use qiantai_counter::api::CounterApi;
use qiantai_counter::view::order::StartQr;
use qiantai_counter::view::top_up::ChannelView;
use qiantai_pay::channels::wechat::signature::{
    Authorization, NONCE, SERIAL, SIGNATURE, Seal, Signer as Merchant, TIMESTAMP, answer_message,
    request_message,
};
use qiantai_pay::crypto::PrivateKey;
use qiantai_pay::transport::{HttpTransport, NetworkTransport, Patience};
use qiantai_pay::{Surroundings, SystemSurroundings};
use qiantai_paysim::gateway::PhoneAction;
use qiantai_paysim::{Gateway, serve};
use serde_json::json;
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::bare_commit::bare_commits;
use crate::figure::{Figure, Goal, Report, Series, Unit, micros};
use crate::shop::{Shop, told};
use crate::{Outcome, Scale};

/// A signed exchange beside bare signatures.
const EXCHANGE_RATIO_PERCENT_MAX: u64 = 130;
/// Notices that arrive in a second.
const NOTICES_A_SECOND: u64 = 200;
/// WeChat Pay repeats a notice that is not answered within five seconds.
const NOTICE_P99_MAX_MICROS: u64 = 5_000_000;
/// How far the notices of a run may fall behind their rate.
const RATE_RATIO_PERCENT_MAX: u64 = 110;
/// One notice of so many is sent a second time, at the same moment.
const DOUBLED: usize = 10;
/// As many bytes as an ordinary operation of the server.
const ROW_BYTES: usize = 500;
/// Members with more may not top up by much: the rules of gyms end at 5000 yuan.
const PRINCIPAL_MAX: Money = Money::from_yuan(2_000);
/// One member more for so many, for those who may not.
const MEMBERS_SPARE: usize = 10;
/// Orders that are opened before it is waited for them.
const OPENED_AT_ONCE: usize = 50;

const TARGET: &str = "/v3/pay/transactions/native";
const NONCE_TEXT: &str = "593BEC0C930BF1AFEB40B4A08C8FB242";
const BODY: &[u8] = br#"{"appid":"wx8888888888888888","mchid":"1900000109","description":"600","out_trade_no":"ZF2611211400000002010100A1X","notify_url":"https://pos.example.com/v1/notify/wechat","amount":{"total":60000,"currency":"CNY"}}"#;

/// Measures signatures, then notices.
pub async fn measure(folder: &Path, scale: Scale) -> Outcome<Report> {
    let mut figures = vec![exchanges(scale.exchanges)?];
    let members = scale.notices + scale.notices / MEMBERS_SPARE + 1;
    let shop = Shop::open_with_wechat(folder, members).await?;
    let orders = open_orders(&shop, members, scale.notices).await?;
    let notices = pay(&shop, &orders)?;
    let door = Door::open(&shop).await?;
    let (apart, together) = notices.split_at(notices.len() / 3);
    let alone = one_by_one(&door, folder, apart).await?;
    figures.extend(at_their_rate(&door, together, &alone.measured).await?);
    figures.insert(1, alone);
    check_books(&shop, &orders)?;
    shop.server.stop().await;
    let mut report = Report {
        name: "gateways",
        figures,
        facts: serde_json::Map::new(),
    };
    let facts = &mut report.facts;
    facts.insert("orders_paid".to_owned(), json!(orders.len()));
    facts.insert(
        "notices_sent_twice".to_owned(),
        json!(together.len().div_ceil(DOUBLED)),
    );
    facts.insert("orders_credited_twice".to_owned(), json!(0));
    Ok(report)
}

/// A signed request with its verified answer, in turn with a bare signature and its verification.
fn exchanges(rounds: usize) -> Outcome<Figure> {
    let pair = PKey::from_rsa(Rsa::generate(2048)?)?;
    let pem = String::from_utf8(pair.private_key_to_pem_pkcs8()?)?;
    let key = PrivateKey::from_text(&pem)?;
    let verify_key = key.verify_key()?;
    let now = SystemSurroundings.now();
    let seconds = now.ms().div_euclid(1_000);
    let stamp = seconds.to_string();
    let answer = key.sign_sha256_base64(&answer_message(&stamp, NONCE_TEXT, BODY))?;
    let mut headers = HeaderMap::new();
    for (name, value) in [
        (TIMESTAMP, stamp.as_str()),
        (NONCE, NONCE_TEXT),
        (SERIAL, "PUB_KEY_ID_0119000001092026112100000000000001"),
        (SIGNATURE, answer.as_str()),
    ] {
        let name = http::HeaderName::try_from(name)?;
        headers.insert(name, HeaderValue::from_str(value)?);
    }
    let message = request_message("POST", TARGET, seconds, NONCE_TEXT, BODY);
    let (mut ours, mut bare) = (Vec::new(), Vec::new());
    for _ in 0..=rounds {
        let began = Instant::now();
        let merchant = Merchant {
            mchid: "1900000109",
            serial_no: "3775B6A45ACD588826D15E583A95F5DD00000000",
            key: &key,
            now,
            nonce: NONCE_TEXT,
        };
        let authorization = Authorization::sign(merchant, "POST", TARGET, BODY)?.header();
        Seal::read(&headers)?.check(&verify_key, BODY)?;
        ours.push(began.elapsed());
        if authorization.is_empty() {
            return Err("a request without a signature".into());
        }
        bare.push(bare_exchange(&pair, &message)?);
    }
    Ok(Figure {
        name: "exchange",
        what: "a request signed and its answer verified".to_owned(),
        unit: Unit::Micros,
        // The first round of each fills caches.
        measured: Series::of_times(ours.into_iter().skip(1)),
        baseline_what: "one bare RSA-2048 signature and one verification of the same library",
        baseline: Series::of_times(bare.into_iter().skip(1)),
        goal: Some(Goal::RatioPercent(EXCHANGE_RATIO_PERCENT_MAX)),
    })
}

fn bare_exchange(pair: &PKey<Private>, message: &[u8]) -> Outcome<Duration> {
    let began = Instant::now();
    let signature = Signer::new(MessageDigest::sha256(), pair)?.sign_oneshot_to_vec(message)?;
    let holds =
        Verifier::new(MessageDigest::sha256(), pair)?.verify_oneshot(&signature, message)?;
    let took = began.elapsed();
    match holds {
        true => Ok(took),
        false => Err("a bare signature does not hold".into()),
    }
}

/// An order that waits for its payment.
struct Waiting {
    order: OrderId,
    member: MemberId,
    principal_before: Money,
}

/// Orders with a code each, which nobody has scanned yet.
async fn open_orders(shop: &Shop, members: usize, count: usize) -> Outcome<Vec<Waiting>> {
    let mut orders = Vec::new();
    for member in shop.customers(members)? {
        let principal_before = principal(shop, member)?;
        if orders.len() == count || principal_before > PRINCIPAL_MAX {
            continue;
        }
        let (form, quote) = shop.quote(member, ChannelView::Wechat).await?;
        let request = StartQr {
            intent: form.intent,
            quote_id: quote.quote_id,
            channel: ChannelView::Wechat,
            duplicate_confirmed: false,
        };
        let order = shop.desk.start_qr(request).await.map_err(told)?;
        orders.push(Waiting {
            order: OrderId(Uuid::parse_str(&order.id)?),
            member,
            principal_before,
        });
        if orders.len().is_multiple_of(OPENED_AT_ONCE) {
            shop.at_rest().await?;
        }
    }
    if orders.len() < count {
        return Err("too few members may top up".into());
    }
    shop.at_rest().await?;
    // Asks the gateway for the codes.
    shop.server.settle_due().await?;
    Ok(orders)
}

/// The customers pay; the notices that the gateway wants delivered.
fn pay(shop: &Shop, orders: &[Waiting]) -> Outcome<Vec<Request<Bytes>>> {
    for waiting in orders {
        let ledger = shop.server.ledger();
        let attempts = ledger.attempts_of_order(shop.tenant, waiting.order)?;
        let payload = attempts.into_iter().find_map(|attempt| attempt.qr_payload);
        let payload = payload.ok_or("the gateway gave no code")?;
        shop.gateway.with(|gateway, now| -> Outcome<()> {
            let token = gateway.scan(&payload, now)?.token;
            gateway.act(&token, &PhoneAction::Pay, now)?;
            Ok(())
        })?;
    }
    let due = shop.gateway.with(Gateway::due_notices);
    if due.len() != orders.len() {
        return Err(format!("{} notices for {} orders", due.len(), orders.len()).into());
    }
    Ok(due.into_iter().map(|delivery| delivery.request).collect())
}

/// The server on a socket, and the gateway's way to it.
struct Door {
    address: SocketAddr,
    network: NetworkTransport,
}

impl Door {
    async fn open(shop: &Shop) -> Outcome<Arc<Door>> {
        let (listener, address) = serve::listen(([127, 0, 0, 1], 0).into(), false).await?;
        // Ends with the process.
        let router = shop.server.router();
        tokio::spawn(serve::serve(listener, router, std::future::pending()));
        let network = NetworkTransport::new(Patience::default())?;
        Ok(Arc::new(Door { address, network }))
    }

    /// Delivers a notice; from its first byte to the answer that it was taken.
    async fn deliver(&self, notice: &Request<Bytes>) -> Outcome<Duration> {
        let mut request = notice.clone();
        let path = notice.uri().path();
        *request.uri_mut() = Uri::try_from(format!("http://{}{path}", self.address))?;
        let began = Instant::now();
        let answer = self.network.send(request).await?;
        let took = began.elapsed();
        match answer.status().is_success() {
            true => Ok(took),
            false => Err(format!("a notice was not taken: {}", answer.status()).into()),
        }
    }
}

async fn one_by_one(door: &Door, folder: &Path, notices: &[Request<Bytes>]) -> Outcome<Figure> {
    let mut commit = bare_commits(folder)?;
    let row = vec![0xA5; ROW_BYTES];
    let (mut taken, mut commits) = (Vec::new(), Vec::new());
    for notice in notices {
        taken.push(door.deliver(notice).await?);
        commits.push(commit(&row)?);
    }
    Ok(Figure {
        name: "notice",
        what: "a notice of WeChat Pay, from the socket to the credit on the disk".to_owned(),
        unit: Unit::Micros,
        // The first round of each fills caches and opens the connection.
        measured: Series::of_times(taken.into_iter().skip(1)),
        baseline_what: "one bare SQLite commit, WAL, synchronous=FULL",
        baseline: Series::of_times(commits.into_iter().skip(1)),
        goal: None,
    })
}

/// Every notice at its time, whatever became of those before; some twice at one moment.
async fn at_their_rate(
    door: &Arc<Door>,
    notices: &[Request<Bytes>],
    alone: &Series,
) -> Outcome<[Figure; 2]> {
    let apart = Duration::from_micros(1_000_000 / NOTICES_A_SECOND);
    let mut ticks = tokio::time::interval(apart);
    let mut on_the_way = JoinSet::new();
    let began = Instant::now();
    for (place, notice) in notices.iter().enumerate() {
        ticks.tick().await;
        let times = if place.is_multiple_of(DOUBLED) { 2 } else { 1 };
        for _ in 0..times {
            let (door, notice) = (Arc::clone(door), notice.clone());
            on_the_way.spawn(async move { door.deliver(&notice).await });
        }
    }
    let taken = on_the_way.join_all().await;
    let whole = began.elapsed();
    let taken = taken.into_iter().collect::<Outcome<Vec<Duration>>>()?;
    let count = u64::try_from(notices.len())?;
    let under_load = Figure {
        name: "notice_under_load",
        what: format!("the same while {NOTICES_A_SECOND} arrive in a second"),
        unit: Unit::Micros,
        measured: Series::of_times(taken),
        baseline_what: "a notice alone",
        baseline: alone.clone(),
        goal: Some(Goal::P99(NOTICE_P99_MAX_MICROS)),
    };
    let rate = Figure {
        name: "rate",
        what: format!("between notices, {count} of them, until the last is taken"),
        unit: Unit::Micros,
        measured: Series::of([micros(whole) / count]),
        baseline_what: "the time between their arrivals",
        baseline: Series::of([micros(apart)]),
        goal: Some(Goal::RatioPercent(RATE_RATIO_PERCENT_MAX)),
    };
    Ok([under_load, rate])
}

/// Each order was credited, once.
fn check_books(shop: &Shop, orders: &[Waiting]) -> Outcome<()> {
    for waiting in orders {
        let order = shop.server.ledger().order(shop.tenant, waiting.order)?;
        let credited = order.as_ref().is_some_and(|order| order.credit.is_some());
        let pay = order.map_or(Money::ZERO, |order| order.quote.pay);
        let gained = principal(shop, waiting.member)? - waiting.principal_before;
        if !credited || gained != pay {
            return Err(format!("{gained} credited for a payment of {pay}").into());
        }
    }
    Ok(())
}

fn principal(shop: &Shop, member: MemberId) -> Outcome<Money> {
    let account = shop.server.ledger().account(shop.tenant, member)?;
    Ok(account.map_or(Money::ZERO, |account| account.principal))
}
