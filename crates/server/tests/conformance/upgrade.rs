//! Books that an older version of the program left behind, at each step of the schema: every row is
//! there and reads as it did, the books hold, and the shop goes on with them.
//!
//! Today's program keeps the books of a shop whose habits grow as the program's did. What it had
//! written by then is put, column by column, into the tables that a version had.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::sync::Arc;

use qiantai_core::ids::{AttemptId, DeviceId, OrderId, TenantId};
use qiantai_core::operation::{Hash, OperationBody, StaffMethod, StaffProof};
use qiantai_core::policy::Role;
use qiantai_core::recorded_payment::RecordedMethod::{self, Card, ShopCode, Transfer};
use qiantai_core::{Millis, Money, Timestamp};
use qiantai_paysim::gateway::PhoneAction;
use qiantai_server::db::{Archive, BackupMade, CodeCharge, Ledger, Revocation, postgres, sqlite};
use qiantai_server::quarantine::{Chosen, review};
use qiantai_server::verify::verify;
use qiantai_server::writer::Verdict;
use qiantai_sqlite::{OpenOptions, migrate, open, schema_snapshot};
use qiantai_wire::api::{LeasesAnswer, LeasesRequest};
use qiantai_wire::feed::{OutcomeDto, SnapshotPage};
use qiantai_wire::profile::open_profile;
use rusqlite::types::Value;
use uuid::Uuid;

use super::hints::hint;
use super::offline_spending::payment;
use super::schema;
use crate::harness::{On, Place, Shop};
use crate::new_members::Registration;
use crate::till::{Till, push_body};

/// Columns by table.
type Columns = BTreeMap<String, Vec<String>>;

/// The rows of a table with the names of its columns.
struct Rows {
    table: String,
    columns: Vec<String>,
    rows: Vec<Vec<Value>>,
}

/// Books as a version left them, and what was read in them then.
struct Books {
    /// The first version that could have written them.
    since: usize,
    rows: Vec<Rows>,
    till: Till,
    digest: Hash,
    said: Vec<String>,
    snapshot: String,
}

#[tokio::test]
async fn books_of_every_older_version_go_on() {
    let mut shop = Shop::open(8).await;
    let history = history(&shop).await;
    shop.server.stop().await;
    for on in On::BOTH {
        for version in 1..versions(on) {
            let mut left = history.iter().rev();
            let books = left.find(|books| books.since <= version).unwrap();
            check(&mut shop, books, on, version).await;
        }
    }
}

fn versions(on: On) -> usize {
    match on {
        On::Sqlite => sqlite::MIGRATIONS.len(),
        On::Postgres => postgres::MIGRATIONS.len(),
    }
}

async fn check(shop: &mut Shop, books: &Books, on: On, version: usize) {
    let what = format!("{on:?}, version {version}");
    let place = Place::make(on);
    build(&place, version);
    let written = fill(&place, books);
    assert!(written.len() > 20, "{what}: {written:?}");

    let ledger = place.open();
    let counts = place.row_counts();
    for (table, rows) in &written {
        assert_eq!(counts[table], *rows, "{what}: rows of {table}");
    }
    assert!(snapshot_of(&place) == committed(on), "{what}: the schema");
    let tenant = shop.seeded.tenant;
    assert_eq!(ledger.digest(tenant).unwrap(), books.digest, "{what}");
    assert_eq!(said(ledger.as_ref(), tenant), books.said, "{what}");
    holds(ledger.as_ref(), &what);

    shop.serve_on(Arc::clone(&ledger) as Arc<dyn Ledger>);
    assert_eq!(snapshot(shop, &books.till).await, books.snapshot, "{what}");
    go_on(shop, books.till.clone(), &what).await;
    shop.server.stop().await;
    holds(ledger.as_ref(), &what);
}

/// What each version's till could do first.
async fn history(shop: &Shop) -> Vec<Books> {
    let mut till = Till::open(shop).await;
    let (ledger, tenant) = (shop.place.open(), shop.seeded.tenant);
    let mut history = Vec::new();

    first_days(shop, &mut till).await;
    history.push(left(shop, &till, 1).await);

    let made = BackupMade {
        made_at: shop.now(),
        server_seq: ledger.head(tenant).unwrap().server_seq,
        place: "/backups/1".into(),
    };
    ledger.save_backup(tenant, &made).unwrap();
    let seen = [(DeviceId(till.join.device), shop.now())];
    ledger.save_contacts(tenant, &seen).unwrap();
    history.push(left(shop, &till, 3).await);

    approved(shop, &mut till).await;
    history.push(left(shop, &till, 4).await);

    let charge = CodeCharge {
        code: Some([7; 32]),
        at: shop.now(),
    };
    let attempt = AttemptId(Uuid::from_u128(7));
    ledger.save_code_charge(tenant, attempt, &charge).unwrap();
    history.push(left(shop, &till, 5).await);

    // The second transfer is the first, and waits.
    for payment in [
        (Card, "000123"),
        (Transfer, "AB-0001"),
        (Transfer, "AB-0001"),
    ] {
        recorded(shop, &mut till, payment, None).await;
    }
    history.push(left(shop, &till, 6).await);

    let mut lost = Till::with_key(shop, [5; 32], "05").await;
    let cash = lost.cash(shop, shop.members()[1], 100).await;
    let cash = lost.sign(OperationBody::RechargeCash(cash));
    let gone = Revocation {
        device: DeviceId(lost.join.device),
        revoked_at: shop.now(),
        reason: "stolen".into(),
    };
    ledger.save_revocation(tenant, &gone).unwrap();
    shop.send(lost.request("POST", "/v1/operations", push_body(&[cash])))
        .await;
    history.push(left(shop, &till, 7).await);

    ledger.save_hint(tenant, &hint(1)).unwrap();
    history.push(left(shop, &till, 9).await);

    lease_and_spend(shop, &mut till).await;
    history.push(left(shop, &till, 10).await);

    recorded(shop, &mut till, (ShopCode, "4KM9"), None).await;
    history.push(left(shop, &till, 11).await);

    recorded(shop, &mut till, (Card, "000124"), Some(50)).await;
    history.push(left(shop, &till, 12).await);

    let chosen = Chosen {
        store: &shop.seeded.store_code,
        terminal: "05",
        numbers: &[],
        marks: &[],
    };
    let admitted = review(
        &shop.server,
        ledger.as_ref(),
        chosen,
        Verdict::Admit,
        "seen",
    )
    .await;
    assert_eq!(admitted.unwrap().len(), 1);
    history.push(left(shop, &till, 13).await);
    history
}

/// Codes that are paid once, twice and never, cash, a new member, a request that is refused, a
/// terminal with two histories and a restored backup.
async fn first_days(shop: &Shop, till: &mut Till) {
    let members = shop.members();
    let actions = [
        PhoneAction::Pay,
        PhoneAction::PayTwice,
        PhoneAction::PayAmountOff,
        PhoneAction::Ignore,
    ];
    for (member, action) in members.iter().zip(actions) {
        let (_, attempt) = till.show_qr(shop, *member, 500).await;
        shop.phone(&attempt, &action);
        shop.deliver_notices().await;
        shop.pass(Millis::seconds(20)).await;
    }
    let new = Registration::of("赵敏", 7);
    let created = new.sign(till);
    new.push(till, shop, &[created]).await;
    for member in [members[4], new.member] {
        let cash = till.cash(shop, member, 1_000).await;
        till.act(shop, OperationBody::RechargeCash(cash)).await;
    }
    let order = OrderId(Uuid::now_v7());
    till.act(shop, OperationBody::RechargeCancel { order })
        .await;
    let mut cloned = Till::with_key(shop, [4; 32], "04").await;
    cloned.seq -= 1;
    let forked = cloned.sign(OperationBody::RechargeCancel { order });
    cloned.push(shop, &[forked]).await;
    shop.pass(Millis::minutes(20)).await;
}

async fn approved(shop: &Shop, till: &mut Till) {
    let mut staff = shop.policy.staff.iter();
    let manager = staff.find(|person| person.role == Role::Manager).unwrap();
    let mut cash = till.cash(shop, shop.members()[5], 300).await;
    cash.approval = Some(StaffProof {
        staff: manager.id,
        method: StaffMethod::Pin,
        policy_version: 1,
    });
    let order = cash.open.order;
    applied(shop, till, OperationBody::RechargeCash(cash)).await;
    assert_eq!(shop.order(order).approver, Some(manager.id));
}

async fn recorded(
    shop: &Shop,
    till: &mut Till,
    payment: (RecordedMethod, &str),
    cash_yuan: Option<i64>,
) {
    let member = shop.members()[6];
    let mut recorded = till.recorded(shop, member, 200, payment).await;
    recorded.cash_part = cash_yuan.map(Money::from_yuan);
    applied(shop, till, OperationBody::RechargeRecorded(recorded)).await;
}

async fn lease_and_spend(shop: &Shop, till: &mut Till) {
    let member = shop.members()[0];
    let body = serde_json::to_vec(&LeasesRequest {
        members: vec![member.0],
    });
    let answer: LeasesAnswer = till.call(shop, "POST", "/v1/leases", body.unwrap()).await;
    let lease = answer.leases[0].lease;
    applied(shop, till, payment(member, 1_000, &[(lease, 1_000)])).await;
}

async fn applied(shop: &Shop, till: &mut Till, body: OperationBody) {
    let said = till.act(shop, body).await;
    assert_eq!(said.outcome, OutcomeDto::Applied);
}

/// Everything that today's till can do.
async fn go_on(shop: &Shop, mut till: Till, what: &str) {
    // The gateway has seen the numbers of the till on other books.
    shop.time.advance(Millis::minutes(1));
    till.wall = shop.now();
    let member = shop.members()[6];
    let before = shop.principal(member);
    approved(shop, &mut till).await;
    recorded(shop, &mut till, (Card, "000999"), Some(50)).await;
    lease_and_spend(shop, &mut till).await;
    let (order, attempt) = till.show_qr(shop, member, 500).await;
    shop.phone(&attempt, &PhoneAction::Pay);
    shop.deliver_notices().await;
    assert!(shop.order(order.id).credit.is_some(), "{what}");
    let credited = shop.principal(member) - before;
    assert_eq!(credited, Money::from_yuan(700), "{what}");
}

fn holds(ledger: &dyn Archive, what: &str) {
    let tenant = ledger.tenants().unwrap().remove(0);
    let found = verify(ledger, &tenant);
    assert!(found.is_ok(), "{what}: {found:?}");
}

async fn snapshot(shop: &Shop, till: &Till) -> String {
    let page: SnapshotPage = till.call(shop, "GET", "/v1/snapshot", Vec::new()).await;
    serde_json::to_string(&page.rows).unwrap()
}

/// What the program reads in the books.
fn said(ledger: &dyn Ledger, tenant: TenantId) -> Vec<String> {
    let mut said = vec![
        format!("{:?}", ledger.tenants().unwrap()),
        format!("{:?}", ledger.head(tenant).unwrap()),
        format!("{:?}", ledger.devices(tenant).unwrap()),
        format!("{:?}", ledger.policies(tenant).unwrap()),
        format!("{:?}", ledger.cases(tenant, 100).unwrap()),
        format!("{:?}", ledger.open_shifts(tenant).unwrap()),
        format!("{:?}", ledger.tokens(tenant).unwrap()),
        format!("{:?}", ledger.deliveries(tenant).unwrap()),
        format!("{:?}", ledger.contacts(tenant).unwrap()),
        format!("{:?}", ledger.revocations(tenant).unwrap()),
        format!("{:?}", ledger.code_charges(tenant).unwrap()),
        format!("{:?}", ledger.hints(tenant).unwrap()),
    ];
    for kept in ledger.quarantined(tenant).unwrap() {
        said.push(format!("{kept:?}"));
    }
    for row in ledger.log(tenant, 0, 1_000).unwrap() {
        said.push(format!("{row:?}"));
    }
    for row in ledger.member_page(tenant, None, 1_000).unwrap() {
        let id = row.member.id;
        let sealed = row.profile.as_ref().unwrap();
        let person = open_profile(&sealed.sealed, id, sealed.key.as_ref().unwrap()).unwrap();
        said.push(format!("{person:?} {row:?}"));
        said.push(format!("{:?}", ledger.leases_of(tenant, &[id]).unwrap()));
        said.push(format!(
            "{:?}",
            ledger.usable_coupons(tenant, &[id]).unwrap()
        ));
    }
    let since = Timestamp::from_ms(0);
    let stores: BTreeSet<_> = ledger
        .policies(tenant)
        .unwrap()
        .iter()
        .map(|policy| policy.store.id)
        .collect();
    for store in stores {
        for order in ledger.orders_since(tenant, store, since).unwrap() {
            let attempts = ledger.attempts_of_order(tenant, order.id).unwrap();
            said.push(format!("{order:?} {attempts:?}"));
        }
    }
    // In no order of their own; what waits is everybody's.
    said.sort();
    said.dedup();
    said
}

async fn left(shop: &Shop, till: &Till, since: usize) -> Books {
    let ledger = shop.server.ledger();
    let tenant = shop.seeded.tenant;
    holds(shop.place.open().as_ref(), "today's");
    Books {
        since,
        rows: rows(shop),
        till: till.clone(),
        digest: ledger.digest(tenant).unwrap(),
        said: said(ledger.as_ref(), tenant),
        snapshot: snapshot(shop, till).await,
    }
}

fn rows(shop: &Shop) -> Vec<Rows> {
    let db = shop.database();
    let mut all = Vec::new();
    for (table, columns) in columns(&shop.place) {
        let mut rows = db
            .prepare(&format!("SELECT {} FROM {table}", columns.join(", ")))
            .unwrap();
        let width = columns.len();
        let rows = rows
            .query_map([], |row| (0..width).map(|column| row.get(column)).collect())
            .unwrap();
        let rows = rows.collect::<Result<_, _>>().unwrap();
        all.push(Rows {
            table,
            columns,
            rows,
        });
    }
    all
}

/// Every column but those of the list of migrations.
fn columns(place: &Place) -> Columns {
    let pairs: Vec<(String, String)> = match place {
        Place::File(_) => {
            let db = rusqlite::Connection::open(place.file()).unwrap();
            let mut pairs = db
                .prepare(
                    "SELECT m.name, c.name FROM sqlite_schema m JOIN pragma_table_info(m.name) c
                     WHERE m.type = 'table' ORDER BY m.name, c.cid",
                )
                .unwrap();
            let pairs = pairs
                .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
                .unwrap();
            pairs.collect::<Result<_, _>>().unwrap()
        }
        Place::Cluster(database) => database
            .query(
                "SELECT table_name::text, column_name::text FROM information_schema.columns
                 WHERE table_schema = 'public' ORDER BY table_name, ordinal_position",
            )
            .iter()
            .map(|row| (row.get(0), row.get(1)))
            .collect(),
    };
    let mut columns = Columns::new();
    for (table, column) in pairs {
        columns.entry(table).or_default().push(column);
    }
    columns.remove("migration");
    columns
}

/// An empty ledger of that version.
fn build(place: &Place, version: usize) {
    match place {
        Place::File(_) => {
            let options = OpenOptions {
                create: true,
                ..OpenOptions::default()
            };
            let mut file = open(&place.file(), options).unwrap();
            migrate(&mut file, &sqlite::MIGRATIONS[..version]).unwrap();
        }
        Place::Cluster(database) => {
            let mut sql = "CREATE TABLE migration (
                 number BIGINT NOT NULL PRIMARY KEY, name TEXT NOT NULL,
                 sha256 BYTEA NOT NULL CHECK (length(sha256) = 32)
             );"
            .to_owned();
            for step in &postgres::MIGRATIONS[..version] {
                let (number, name) = (step.number, step.name);
                let sum = hex::encode(step.checksum());
                let entry =
                    format!("INSERT INTO migration VALUES ({number}, '{name}', '\\x{sum}');");
                sql.push_str(step.sql);
                sql.push_str(&entry);
            }
            database.execute_as_its_owner(&sql);
        }
    }
}

/// Puts the rows into the columns that are there; how many rows of which table.
fn fill(place: &Place, books: &Books) -> BTreeMap<String, i64> {
    let there = columns(place);
    let mut written = BTreeMap::new();
    let mut sql = String::new();
    for rows in &books.rows {
        let Some(known) = there.get(&rows.table) else {
            continue;
        };
        let is_known: Vec<_> = rows
            .columns
            .iter()
            .map(|name| known.contains(name))
            .collect();
        let named = rows.columns.iter().zip(&is_known);
        let named: Vec<_> = named
            .filter(|(_, is)| **is)
            .map(|(name, _)| name.as_str())
            .collect();
        assert_eq!(named.len(), known.len(), "{} lost a column", rows.table);
        for row in &rows.rows {
            let values = row.iter().zip(&is_known).filter(|(_, is)| **is);
            let values: Vec<_> = values.map(|(value, _)| literal(value, place)).collect();
            let (table, named, values) = (&rows.table, named.join(", "), values.join(", "));
            writeln!(sql, "INSERT INTO {table} ({named}) VALUES ({values});").unwrap();
        }
        written.insert(rows.table.clone(), i64::try_from(rows.rows.len()).unwrap());
    }
    place.execute(&format!("BEGIN; {sql} COMMIT"));
    written
}

fn literal(value: &Value, place: &Place) -> String {
    match (value, place) {
        (Value::Null, _) => "NULL".to_owned(),
        (Value::Integer(number), _) => number.to_string(),
        (Value::Text(text), _) => format!("'{}'", text.replace('\'', "''")),
        (Value::Blob(bytes), Place::File(_)) => format!("x'{}'", hex::encode(bytes)),
        (Value::Blob(bytes), Place::Cluster(_)) => format!("'\\x{}'", hex::encode(bytes)),
        (Value::Real(_), _) => panic!("a fraction in the books"),
    }
}

fn snapshot_of(place: &Place) -> String {
    match place {
        Place::File(_) => {
            let file = open(&place.file(), OpenOptions::default()).unwrap();
            schema_snapshot(&file).unwrap()
        }
        Place::Cluster(database) => schema::snapshot(database),
    }
}

fn committed(on: On) -> String {
    let folder = match on {
        On::Sqlite => "server-sqlite",
        On::Postgres => "server-postgres",
    };
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../../migrations");
    let text = std::fs::read_to_string(format!("{root}/{folder}/schema.sql")).unwrap();
    text.replace("\r\n", "\n")
}
