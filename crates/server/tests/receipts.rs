//! Operations of a terminal that is lost come back from the receipts that it printed, and count
//! once however often and by whichever way they come.

use std::collections::BTreeMap;
use std::io::Write;
use std::process::{Command, Stdio};
use std::sync::Arc;

use http::StatusCode;
use qiantai_core::Money;
use qiantai_core::ids::{DeviceId, MemberId, OrderId, TenantId};
use qiantai_core::operation::OperationBody;
use qiantai_core::recorded_payment::RecordedMethod;
use qiantai_paysim::gateway::PhoneAction;
use qiantai_server::db::{Archive, Ledger};
use qiantai_server::replay::replay;
use qiantai_server::verify::verify;
use qiantai_server::{Channels, Server, ServerOptions, SystemClock, roster};
use qiantai_wire::SignedOperation;
use qiantai_wire::api::{
    OrderAnswer, RECEIPTS_LIMIT, ReceiptResultDto, ReceiptStatusDto, ReceiptsAnswer,
    ReceiptsRequest,
};
use qiantai_wire::feed::OutcomeDto;
use qiantai_wire::receipt_qr::receipt_text;
use uuid::Uuid;

use crate::harness::{On, Place, Shop};
use crate::till::Till;

/// A terminal that was destroyed before it sent anything of its last hundred operations.
struct Destroyed {
    till: Till,
    /// All that it wrote, in order.
    written: Vec<SignedOperation>,
    /// The codes on its slips, in the order of printing.
    printed: Vec<String>,
    /// What was paid, by member.
    paid: BTreeMap<MemberId, Money>,
}

/// Every fifth operation prints nothing: a copy of a slip, or a cancelled order.
async fn destroyed(shop: &Shop, mut till: Till) -> Destroyed {
    let members = shop.members();
    let (mut written, mut printed) = (Vec::new(), Vec::new());
    let mut paid: BTreeMap<MemberId, Money> = BTreeMap::new();
    for number in 0..100_usize {
        let member = members[number % members.len()];
        let order = OrderId(Uuid::now_v7());
        let body = match number % 10 {
            3 => OperationBody::ReceiptReprint {
                order,
                copy: 1,
                approval: None,
            },
            8 => OperationBody::RechargeCancel { order },
            6 => {
                let reference = format!("20261121-{number:04}");
                let by = (RecordedMethod::Transfer, reference.as_str());
                OperationBody::RechargeRecorded(till.recorded(shop, member, 200, by).await)
            }
            _ => OperationBody::RechargeCash(till.cash(shop, member, 100).await),
        };
        let amount = match &body {
            OperationBody::RechargeCash(cash) => cash.open.quote.pay,
            OperationBody::RechargeRecorded(recorded) => recorded.open.quote.pay,
            _ => Money::ZERO,
        };
        let signed = till.sign(body);
        if amount > Money::ZERO {
            printed.push(receipt_text(&signed).unwrap());
            let sum = paid.entry(member).or_insert(Money::ZERO);
            *sum += amount;
        }
        written.push(signed);
    }
    Destroyed {
        till,
        written,
        printed,
        paid,
    }
}

async fn bring_back(shop: &Shop, till: &Till, receipts: &[String]) -> Vec<ReceiptResultDto> {
    let mut results = Vec::new();
    for part in receipts.chunks(RECEIPTS_LIMIT) {
        let receipts = part.to_vec();
        let body = serde_json::to_vec(&ReceiptsRequest { receipts }).unwrap();
        let answer: ReceiptsAnswer = till.call(shop, "POST", "/v1/receipts", body).await;
        results.extend(answer.results);
    }
    results
}

fn principals(shop: &Shop) -> BTreeMap<MemberId, Money> {
    let members = shop.members().into_iter();
    members.map(|id| (id, shop.principal(id))).collect()
}

/// The books hold, and replaying them gives the same.
async fn assert_hold(shop: &Shop, ledger: &dyn Archive) {
    let tenant = ledger.tenants().unwrap().remove(0);
    verify(ledger, &tenant).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let copy = Server::open(ServerOptions {
        path: folder.path().join("copy.db"),
        key: None,
        clock: Arc::new(SystemClock),
        channels: Channels::default(),
    })
    .unwrap();
    let source: Arc<dyn Ledger> = Arc::clone(shop.server.ledger());
    replay(source.as_ref(), tenant.id, &copy).await.unwrap();
    let digest = copy.ledger().digest(tenant.id).unwrap();
    assert_eq!(digest, source.digest(tenant.id).unwrap());
    copy.stop().await;
}

fn all(results: &[ReceiptResultDto], status: ReceiptStatusDto, outcome: &OutcomeDto) {
    for result in results {
        assert_eq!(result.status, status, "{result:?}");
        assert_eq!(result.outcome.as_ref(), Some(outcome), "{result:?}");
    }
}

#[tokio::test]
async fn printed_top_ups_of_a_destroyed_terminal_come_back_from_receipts_alone() {
    for on in On::BOTH {
        let shop = Shop::open_on(on, 12).await;
        let lost = Till::open(&shop).await;
        let other = Till::with_key(&shop, [8; 32], "02").await;
        let beside = shop.place.open();
        let before = principals(&shop);
        let lost = destroyed(&shop, lost).await;
        assert_eq!((lost.written.len(), lost.printed.len()), (100, 80));

        // As they are found: the last first.
        let mut found = lost.printed.clone();
        found.reverse();
        let results = bring_back(&shop, &other, &found).await;
        all(&results, ReceiptStatusDto::New, &OutcomeDto::Applied);
        for (member, paid) in &lost.paid {
            let came = shop.principal(*member) - before[member];
            assert_eq!(came, *paid, "{on:?}: {member}");
        }
        // The first three stand at the chain's end; each beyond says how many are missing.
        let of_printed = |printed: usize| &results[results.len() - 1 - printed];
        assert_eq!(of_printed(0).missing_before, 0);
        assert_eq!(of_printed(3).missing_before, 1);
        let seat = DeviceId(lost.till.join.device);
        let (_, cursor) = beside.device(shop.seeded.tenant, seat).unwrap().unwrap();
        assert_eq!(cursor.last_seq, 4, "the shift and three sales");

        let after = principals(&shop);
        let digest = beside.digest(shop.seeded.tenant).unwrap();
        let again = bring_back(&shop, &other, &lost.printed).await;
        all(&again, ReceiptStatusDto::Known, &OutcomeDto::Applied);
        assert_eq!(beside.digest(shop.seeded.tenant).unwrap(), digest);
        assert_hold(&shop, beside.as_ref()).await;

        // It was not destroyed after all: the gaps fill, and nothing counts twice.
        for part in lost.written.chunks(7) {
            let answer = lost.till.push(&shop, part).await;
            assert_eq!(answer.halt, None, "{on:?}");
            assert_eq!(answer.results.len(), part.len(), "{on:?}");
        }
        let answer = lost.till.push(&shop, &lost.written[99..]).await;
        assert_eq!(
            (answer.acked_seq, answer.acked_hash.0),
            (101, lost.till.prev)
        );
        assert_eq!(principals(&shop), after, "{on:?}");
        let sold = shop.place.number("SELECT count(*) FROM recharge_order");
        assert_eq!(sold, 80, "{on:?}");
        assert_hold(&shop, beside.as_ref()).await;
        // What it writes now is the next of its chain.
        let mut till = lost.till;
        let cash = till.cash(&shop, shop.members()[0], 100).await;
        let taken = till.act(&shop, OperationBody::RechargeCash(cash)).await;
        assert_eq!(taken.outcome, OutcomeDto::Applied);
        shop.server.stop().await;
    }
}

#[tokio::test]
async fn a_chain_goes_on_over_receipts_in_the_middle_of_a_push() {
    for on in On::BOTH {
        let shop = Shop::open_on(on, 4).await;
        let mut till = Till::open(&shop).await;
        let other = Till::with_key(&shop, [8; 32], "02").await;
        let mut written = Vec::new();
        for member in shop.members() {
            let cash = till.cash(&shop, member, 100).await;
            written.push(till.sign(OperationBody::RechargeCash(cash)));
        }
        let texts: Vec<_> = [1, 2].map(|at| receipt_text(&written[at]).unwrap()).into();
        let results = bring_back(&shop, &other, &texts).await;
        assert_eq!(results[0].missing_before, 1, "{on:?}");
        assert_eq!(
            results[1].missing_before, 1,
            "{on:?}: one place is empty, not two"
        );
        // The end of the chain moves over what was brought back, further than was sent.
        let answer = till.push(&shop, &written[..1]).await;
        assert_eq!(answer.acked_seq, 4, "{on:?}");
        assert_eq!(answer.acked_hash.0, written[2].hash(), "{on:?}");
        let answer = till.push(&shop, &written).await;
        assert_eq!(answer.halt, None, "{on:?}");
        assert_eq!(answer.acked_seq, 5, "{on:?}");
        assert_eq!(shop.place.number("SELECT count(*) FROM recharge_order"), 4);
        assert_hold(&shop, shop.place.open().as_ref()).await;
        shop.server.stop().await;
    }
}

#[tokio::test]
async fn what_is_not_to_be_believed_moves_no_money() {
    for on in On::BOTH {
        let shop = Shop::open_on(on, 3).await;
        let mut lost = Till::open(&shop).await;
        let mut other = Till::with_key(&shop, [8; 32], "02").await;
        let member = shop.members()[0];
        let (order, attempt) = other.show_qr(&shop, member, 500).await;
        shop.phone(&attempt, &PhoneAction::Pay);
        shop.deliver_notices().await;
        let path = format!("/v1/orders/{}", order.id);
        let settled: OrderAnswer = other.call(&shop, "GET", &path, Vec::new()).await;
        let settlement = SignedOperation::from(settled.settlement.unwrap().0);
        let before = principals(&shop);

        let cash = lost.cash(&shop, member, 300).await;
        let body = OperationBody::RechargeCash(cash);
        let operation = lost.operation(body.clone(), qiantai_core::ids::ActionId(Uuid::now_v7()));
        let forged = SignedOperation::sign(&operation, &other.key);
        let mut elsewhere = operation.clone();
        elsewhere.tenant = TenantId(Uuid::now_v7());
        let elsewhere = SignedOperation::sign(&elsewhere, &lost.key);
        let mut stranger = operation.clone();
        stranger.device = DeviceId(Uuid::now_v7());
        let stranger = SignedOperation::sign(&stranger, &lost.key);
        let mut request = operation.clone();
        request.body = OperationBody::RechargeCancel { order: order.id };
        let request = SignedOperation::sign(&request, &lost.key);
        let text = |signed: &SignedOperation| receipt_text(signed).unwrap();
        let whole = text(&forged);
        let torn = &whole[..whole.len() - 30];
        let check = async |text: &str, expected: ReceiptStatusDto| {
            let results = bring_back(&shop, &other, &[text.to_owned()]).await;
            assert_eq!(results[0].status, expected, "{on:?}: {text}");
            assert_eq!(principals(&shop), before, "{on:?}: {expected:?}");
            assert_eq!(shop.cases(), Vec::<String>::new(), "{on:?}: {expected:?}");
        };
        check(&whole, ReceiptStatusDto::Forged).await;
        check(&text(&elsewhere), ReceiptStatusDto::OtherShop).await;
        check(&text(&stranger), ReceiptStatusDto::UnknownTerminal).await;
        check(&text(&request), ReceiptStatusDto::NotTaken).await;
        check(&text(&settlement), ReceiptStatusDto::Known).await;
        check(torn, ReceiptStatusDto::Damaged).await;
        check("QT1:", ReceiptStatusDto::Damaged).await;
        check("6901234567892", ReceiptStatusDto::NotAReceipt).await;
        check("", ReceiptStatusDto::NotAReceipt).await;

        let too_many = vec![whole.clone(); RECEIPTS_LIMIT + 1];
        let body = serde_json::to_vec(&ReceiptsRequest { receipts: too_many }).unwrap();
        let (status, _) = shop.send(other.request("POST", "/v1/receipts", body)).await;
        assert_eq!(status, StatusCode::BAD_REQUEST);

        // A revoked terminal's receipt is kept for review; it is so whenever it is shown.
        let genuine = lost.sign(operation.body.clone());
        let store = shop.seeded.store_code.clone();
        roster::revoke(
            shop.place.open().as_ref(),
            &store,
            "01",
            "stolen",
            shop.now(),
        )
        .unwrap();
        for _ in 0..2 {
            let results = bring_back(&shop, &other, &[text(&genuine)]).await;
            assert_eq!(results[0].status, ReceiptStatusDto::Quarantined, "{on:?}");
            assert_eq!(results[0].outcome, Some(OutcomeDto::Held), "{on:?}");
        }
        assert_eq!(principals(&shop), before, "{on:?}");
        assert_eq!(shop.cases(), ["Held"], "{on:?}");
        assert_hold(&shop, shop.place.open().as_ref()).await;
        shop.server.stop().await;
    }
}

#[tokio::test]
async fn a_receipt_of_another_history_is_a_fork() {
    for on in On::BOTH {
        let shop = Shop::open_on(on, 3).await;
        let mut till = Till::open(&shop).await;
        let other = Till::with_key(&shop, [8; 32], "02").await;
        let member = shop.members()[0];
        let cash = till.cash(&shop, member, 300).await;
        // The slip was printed, then the disk was set back, and something else was written there.
        let (seq, prev) = (till.seq, till.prev);
        let printed = till.sign(OperationBody::RechargeCash(cash));
        (till.seq, till.prev) = (seq, prev);
        let cash = till.cash(&shop, member, 100).await;
        till.act(&shop, OperationBody::RechargeCash(cash)).await;
        let before = principals(&shop);
        let results = bring_back(&shop, &other, &[receipt_text(&printed).unwrap()]).await;
        assert_eq!(results[0].status, ReceiptStatusDto::Forked, "{on:?}");
        assert_eq!(principals(&shop), before, "{on:?}");
        assert_eq!(shop.cases(), ["Fork"], "{on:?}");
        assert_hold(&shop, shop.place.open().as_ref()).await;
        shop.server.stop().await;
    }
}

#[tokio::test]
async fn the_program_takes_a_file_of_scans() {
    let shop = Shop::open_on(On::Postgres, 3).await;
    let mut till = Till::open(&shop).await;
    let member = shop.members()[0];
    let before = shop.principal(member);
    let mut scanned = String::from("\n");
    for yuan in [100, 200] {
        let cash = till.cash(&shop, member, yuan).await;
        let signed = till.sign(OperationBody::RechargeCash(cash));
        scanned += &format!("  {}\r\n", receipt_text(&signed).unwrap());
    }
    shop.server.stop().await;
    let Place::Cluster(database) = &shop.place else {
        panic!("on PostgreSQL")
    };
    let import = |input: &str| {
        let mut program = Command::new(env!("CARGO_BIN_EXE_qiantai-server"));
        program.args(["import-receipts", "--database-url", &database.url(), "-"]);
        let program = program.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut running = program.stderr(Stdio::piped()).spawn().unwrap();
        let mut stdin = running.stdin.take().unwrap();
        stdin.write_all(input.as_bytes()).unwrap();
        drop(stdin);
        let ended = running.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&ended.stdout).into_owned();
        let log = String::from_utf8_lossy(&ended.stderr).into_owned();
        (ended.status.code(), said, log)
    };
    let (code, said, log) = import(&scanned);
    assert_eq!(code, Some(0), "{said}{log}");
    assert!(said.contains("line 2: new terminal="), "{said}");
    assert!(said.ends_with("receipts=2 new=2\n"), "{said}");
    let came = shop.principal(member) - before;
    assert_eq!(came, Money::from_yuan(300));
    scanned += "6901234567892\n";
    let (code, said, log) = import(&scanned);
    assert_eq!(code, Some(2), "{said}{log}");
    assert!(said.contains("line 4: not_a_receipt\n"), "{said}");
    assert!(
        said.ends_with("receipts=3 known=2 not_a_receipt=1\n"),
        "{said}"
    );
    assert_eq!(shop.principal(member) - before, came);
}
