//! Stores that an older version of the program left behind, at each step of the schema: every row is
//! there and reads as it did, and the terminal goes on with them.
//!
//! Today's program does what a version could do; what it wrote is put, column by column, into the
//! tables that the version had.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use qiantai_core::attempt::{AttemptState, Channel, PayMethod, PaymentAttempt};
use qiantai_core::decide::Device;
use qiantai_core::ids::*;
use qiantai_core::ledger::{CaseKind, Coupon, CouponState, ExceptionCase, Shift, ShiftState};
use qiantai_core::member::{Member, MemberProfile, MemberStatus};
use qiantai_core::operation::{LeaseDraw, MemberCreate, OperationBody, SpendOffline};
use qiantai_core::quote::Quote;
use qiantai_core::recharge::{AmountChoice, OrderState, PaidFact, RechargeOrder};
use qiantai_core::{Millis, Money};
use qiantai_sqlite::{Migration, OpenOptions, migrate, open, schema_snapshot};
use qiantai_store::{
    Answer, Moment, NewMember, Old, PinResult, PrintState, PrintTrouble, SealedMember, SearchQuery,
    ServerAnchor, Store, StoreError, pin_hash,
};
use qiantai_wire::api::GrantedLease;
use qiantai_wire::codes::LeaseStateDto;
use qiantai_wire::feed::{FeedChange, LeaseLotDto, LeaseRowDto, OutcomeDto, PolicyDto};
use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};

use crate::fixture::{
    DEVICE, NOW, Shelf, account, append, cash_top_up, entry, id, keys, member, page, policy,
    receipt, shift_open, signed, snapshot, staff,
};

const ZHANG: MemberId = MemberId(uuid::Uuid::from_u128(0xa));
const CHEN: StaffId = StaffId(uuid::Uuid::from_u128(0xc));
const REFERENCE: &str = "AB-0001";

/// Columns by table, tables in the order in which they were made.
type Columns = Vec<(String, Vec<String>)>;

#[test]
fn stores_of_every_older_version_go_on() {
    let migrations = migrations();
    for version in 1..migrations.len() {
        let lived = lived(version);
        let said = said(&lived.store);
        let source = connect(&lived.path(), false);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("terminal.db");
        let mut old = connect(&path, true);
        migrate(&mut old, &migrations[..version]).unwrap();
        let written = fill(&old, &source);
        drop((old, source));

        let store = Store::open(&path, &keys()).unwrap();
        let new = connect(&path, false);
        for (table, rows) in written {
            assert_eq!(count(&new, &table), rows, "version {version}: {table}");
        }
        let committed = fs::read_to_string(steps().join("schema.sql")).unwrap();
        let schema = schema_snapshot(&new).unwrap();
        assert_eq!(schema, committed.replace("\r\n", "\n"), "version {version}");
        drop(new);
        assert_eq!(self::said(&store), said, "version {version}");
        store.check_everything().unwrap();
        go_on(&store);
    }
}

fn steps() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../migrations/terminal")
}

/// As committed; another test holds the program's own list against the same files.
fn migrations() -> Vec<Migration> {
    let files = fs::read_dir(steps()).unwrap();
    let mut names: Vec<String> = files
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .filter(|name| name != "schema.sql")
        .collect();
    names.sort();
    let step = |(number, name): (u32, String)| Migration {
        number,
        name: name.trim_end_matches(".sql").to_owned().leak(),
        sql: fs::read_to_string(steps().join(&name)).unwrap().leak(),
    };
    (1..).zip(names).map(step).collect()
}

fn connect(path: &Path, create: bool) -> Connection {
    let options = OpenOptions {
        key: Some(keys().db_key),
        create,
        read_only: false,
    };
    open(path, options).unwrap()
}

/// A terminal that has done everything that the version let it.
fn lived(version: usize) -> Shelf {
    let shelf = Shelf::new();
    let store = &shelf.store;
    first_days(store);
    if version >= 2 {
        let later = NOW + Millis::days(1);
        let old = Old {
            operations: later,
            held: NOW,
            prints: NOW,
        };
        assert_eq!(store.prune(old).unwrap().operations, 2);
    }
    if version >= 4 {
        register(store, 9, 0xb);
    }
    if version >= 5 {
        let recorded = told(&order(0x11, Channel::Card));
        store
            .apply_feed(&page(1, vec![entry(8, 0x52, vec![recorded])]))
            .unwrap();
    }
    if version >= 6 {
        let trouble = PrintTrouble {
            code: "paper_out",
            try_again: false,
            torn: true,
        };
        store.queue_prints(&[receipt(4, 0x0e, vec![4])]).unwrap();
        assert!(store.print_begins(id(4), "counter", NOW).unwrap());
        assert!(
            store
                .print_troubled(id(4), "counter", &trouble, NOW)
                .unwrap()
        );
    }
    if version >= 7 {
        let recorded = told(&order(0x12, Channel::ShopCode));
        store
            .apply_feed(&page(1, vec![entry(9, 0x53, vec![recorded])]))
            .unwrap();
    }
    if version >= 8 {
        lease_and_spend(store, 10, 0x1e);
    }
    shelf
}

/// Cash, an answer and none, slips in every state, a wrong PIN, a setting, the clock.
fn first_days(store: &Store) {
    let rules = policy(
        1,
        NOW,
        vec![staff(CHEN.0.as_u128(), pin_hash("1234", [3; 16]), true)],
    );
    let mut rows = vec![FeedChange::Policy(Box::new(PolicyDto::from(&rules)))];
    rows.extend(rows_of_every_kind());
    store
        .apply_snapshot(None, &snapshot(1, 5, rows, None))
        .unwrap();
    append(store, 1, shift_open());
    for op in 2..=4 {
        append(store, op, cash_top_up(ZHANG, op));
    }
    let sent = store.operations_after(0, 9).unwrap();
    let answer = |op: u128, server_seq| Answer {
        op_id: id(op),
        server_seq: Some(server_seq),
        outcome: OutcomeDto::Applied,
    };
    let answers = [answer(1, 6), answer(2, 7), answer(3, 8)];
    store
        .apply_answers(1, 3, &sent[2].signed.hash(), &answers)
        .unwrap();
    let credited = FeedChange::Account(account(ZHANG.0.as_u128(), 60_000, NOW));
    let entries = vec![entry(6, 1, Vec::new()), entry(7, 2, vec![credited])];
    store.apply_feed(&page(1, entries)).unwrap();
    let slips = [1, 2, 3].map(|job: u8| receipt(job.into(), 0x0e, vec![job]));
    store.queue_prints(&slips).unwrap();
    assert!(store.print_begins(id(1), "counter", NOW).unwrap());
    assert!(store.print_done(id(1), NOW).unwrap());
    assert!(store.cancel_print(id(2), NOW).unwrap());
    let settled = signed(store.log_head().unwrap(), 0x77, shift_open());
    store.keep_settlement(OrderId(id(0x0e)), &settled).unwrap();
    store.set_setting("printer", &"counter").unwrap();
    store.observe_clock(NOW).unwrap();
    let anchor = ServerAnchor {
        server_time: NOW,
        wall_time: NOW,
    };
    store.set_server_anchor(anchor).unwrap();
    let wrong = store.check_pin(CHEN, "0000", moment()).unwrap();
    assert_eq!(wrong, PinResult::Wrong { left: 4 });
}

fn moment() -> Moment {
    Moment {
        wall: NOW,
        monotonic_ms: 1,
    }
}

fn rows_of_every_kind() -> Vec<FeedChange> {
    let order = order(0x0e, Channel::Wechat);
    let attempt = PaymentAttempt {
        id: AttemptId(id(0xae)),
        attempt_no: "ZF2026112114031248000010001ABC".to_owned(),
        order: order.id,
        channel: Channel::Wechat,
        method: PayMethod::Qr,
        amount: Money::from_yuan(300),
        state: AttemptState::Succeeded,
        qr_payload: Some("weixin://x".to_owned()),
        expires_at: NOW,
        channel_txn_no: Some(REFERENCE.to_owned()),
        paid_at: Some(NOW),
        decline: None,
        config_fault: None,
        money_returned: None,
        cancel_requested: false,
        surplus: Vec::new(),
        started_at: NOW,
        changed_at: NOW,
    };
    let shift = Shift {
        id: ShiftId(id(3)),
        shift_no: "JB2026112120595900010001ABCD12".to_owned(),
        store: StoreId(id(2)),
        device: DEVICE,
        cashier: CHEN,
        opened_at: NOW,
        opening_float: Money::ZERO,
        state: ShiftState::Open,
    };
    let coupon = Coupon {
        id: CouponId(id(0xc0)),
        template: CouponTemplateId(id(0xc1)),
        member: ZHANG,
        order: order.id,
        state: CouponState::Issued,
        expires_at: NOW,
        issued_at: NOW,
    };
    let case = ExceptionCase {
        id: CaseId(id(0xca5e)),
        kind: CaseKind::LatePayment,
        order: Some(order.id),
        attempt: None,
        member: Some(ZHANG),
        device: None,
        amount: Money::from_yuan(300),
        opened_at: NOW,
    };
    let device = Device {
        id: DEVICE,
        terminal_code: "01".to_owned(),
        public_key: [1; 32],
        is_server: false,
    };
    vec![
        FeedChange::Member(member(ZHANG.0.as_u128(), "张伟", "13800000001")),
        FeedChange::Account(account(ZHANG.0.as_u128(), 30_000, NOW)),
        told(&order),
        FeedChange::Attempt((&attempt).into()),
        FeedChange::Shift((&shift).into()),
        FeedChange::Coupon((&coupon).into()),
        FeedChange::Case((&case).into()),
        FeedChange::Device((&device).into()),
    ]
}

fn told(order: &RechargeOrder) -> FeedChange {
    FeedChange::Order(Box::new(order.into()))
}

fn order(number: u128, channel: Channel) -> RechargeOrder {
    let OperationBody::RechargeCash(cash) = cash_top_up(ZHANG, number) else {
        unreachable!("it is a top-up");
    };
    let quote: Quote = cash.open.quote;
    RechargeOrder {
        id: OrderId(id(number)),
        order_no: format!("CZ20261121140312480000100{number:05}"),
        member: ZHANG,
        store: StoreId(id(2)),
        device: DEVICE,
        shift: ShiftId(id(3)),
        cashier: CHEN,
        seller: None,
        approver: None,
        choice: AmountChoice::Amount(quote.pay),
        state: OrderState::Paid,
        paid: Some(PaidFact {
            channel,
            amount: quote.pay,
            cash_part: None,
            tendered: None,
            channel_txn_no: Some(REFERENCE.to_owned()),
            paid_at: NOW,
        }),
        quote,
        cash_part: None,
        credit: None,
        offline: false,
        copies: 0,
        opened_at: NOW,
        expires_at: NOW,
        changed_at: NOW,
    }
}

fn register(store: &Store, op: u128, number: u128) {
    let who = MemberId(id(number));
    let profile = MemberProfile {
        id: who,
        name: "赵敏".to_owned(),
        phone: format!("139{number:08}"),
        card_no: None,
        birth_month: None,
        note: None,
    };
    let known = Member {
        id: who,
        member_no: format!("00201{number:05}"),
        home_store: StoreId(id(2)),
        status: MemberStatus::Active,
        registered_at: NOW,
    };
    let new = NewMember {
        sealed: SealedMember::seal(&profile).unwrap(),
        member: &known,
        profile: &profile,
    };
    let body = OperationBody::MemberCreate(MemberCreate {
        member: who,
        member_no: known.member_no.clone(),
    });
    let author = |head| Ok::<_, StoreError>(signed(head, op, body));
    store.commit_member(&new, author).unwrap();
}

/// The server grants 300 fen, and 120 of them are spent.
fn lease_and_spend(store: &Store, server_seq: u64, number: u128) {
    let lease = LeaseRowDto {
        id: id(number),
        member: ZHANG.0,
        device: DEVICE.0,
        store: id(2),
        state: LeaseStateDto::Held,
        lots: vec![LeaseLotDto {
            lot: id(ZHANG.0.as_u128() << 32),
            principal_fen: 300,
            bonus_fen: 0,
        }],
        granted_at_ms: NOW.ms(),
    };
    let rows = vec![
        FeedChange::Lease(lease),
        FeedChange::Account(account(ZHANG.0.as_u128(), 60_000, NOW)),
    ];
    store
        .apply_feed(&page(1, vec![entry(server_seq, number << 8, rows)]))
        .unwrap();
    let asked = store
        .leases_due(StoreId(id(2)), NOW - Millis::days(90), 64)
        .unwrap();
    assert!(!asked.is_empty());
    let granted = GrantedLease {
        id: LeaseId(id(number)),
        member: ZHANG,
        granted: Money::from_fen(300),
        left: Money::from_fen(300),
        bytes: vec![7],
    };
    store.take_leases(&asked, &[granted]).unwrap();
    let draw = LeaseDraw {
        lease: LeaseId(id(number)),
        amount: Money::from_fen(120),
    };
    let spent = OperationBody::SpendOffline(SpendOffline {
        member: ZHANG,
        amount: draw.amount,
        draws: vec![draw],
        approval: None,
    });
    append(store, number << 8 | 1, spent);
    let left = store.spendable_leases(ZHANG).unwrap();
    let left = left.iter().find(|lease| lease.id == draw.lease).unwrap();
    assert_eq!(left.left, Money::from_fen(180));
}

/// What the program reads in the store.
fn said(store: &Store) -> Vec<String> {
    let found = |typed: &str| {
        let query = SearchQuery::from_typed(typed).unwrap();
        format!("{:?}", store.search_members(&query, 9).unwrap())
    };
    let order = OrderId(id(0x0e));
    vec![
        format!("{:?}", store.log_head().unwrap()),
        format!("{:?}", store.operations_after(0, 99).unwrap()),
        format!("{:?}", store.open_operations(None).unwrap()),
        format!("{:?}", store.unacknowledged().unwrap()),
        format!("{:?}", store.sync_mark().unwrap()),
        format!("{:?}", store.account(ZHANG).unwrap()),
        found("张伟"),
        found("赵敏"),
        format!("{:?}", store.latest_orders(9).unwrap()),
        format!("{:?}", store.orders_of_reference(REFERENCE).unwrap()),
        format!("{:?}", store.attempts_of(order).unwrap()),
        format!("{:?}", store.cases_of(order).unwrap()),
        format!("{:?}", store.settlement(order).unwrap()),
        format!("{:?}", store.policies().unwrap()),
        format!("{:?}", store.print_jobs(9).unwrap()),
        format!("{:?}", store.setting::<String>("printer").unwrap()),
        format!("{:?}", store.clock_mark().unwrap()),
        format!("{:?}", store.new_member_profiles(0, 99).unwrap().len()),
        format!("{:?}", store.spendable_leases(ZHANG).unwrap()),
    ]
}

/// Everything that today's terminal does.
fn go_on(store: &Store) {
    let wrong = store.check_pin(CHEN, "0000", moment()).unwrap();
    assert_eq!(wrong, PinResult::Wrong { left: 3 }, "tries are remembered");
    let right = store.check_pin(CHEN, "1234", moment()).unwrap();
    assert_eq!(right, PinResult::Ok);
    append(store, 0x20, cash_top_up(ZHANG, 0x20));
    register(store, 0x21, 0xd);
    let next = store.sync_mark().unwrap().cursor.unwrap().server_seq + 1;
    lease_and_spend(store, next, 0x2e);
    assert!(store.print_begins(id(3), "counter", NOW).unwrap());
    assert!(store.print_done(id(3), NOW).unwrap());
    let printed = store.print_job(id(3)).unwrap().unwrap();
    assert_eq!(printed.state, PrintState::Printed);
    // What was never aged before grows old from the server's next word on.
    let mut told = page(1, Vec::new());
    told.server_time_ms = NOW.ms();
    store.apply_feed(&told).unwrap();
    let later = NOW + Millis::days(1);
    let old = Old {
        operations: later,
        held: NOW,
        prints: later,
    };
    store.prune(old).unwrap();
    let left = store.operations_after(0, 99).unwrap();
    assert_eq!(left[0].device_seq, 4, "what nobody has acknowledged");
    assert!(store.print_job(id(1)).unwrap().is_none());
    store.check_everything().unwrap();
}

/// Puts the rows of `source` into the columns that are there; how many rows of which table.
fn fill(old: &Connection, source: &Connection) -> BTreeMap<String, i64> {
    // The guards of the log take one operation after the other, and not those that follow a start.
    let guards = words(old, "SELECT sql FROM sqlite_schema WHERE type = 'trigger'");
    for guard in words(old, "SELECT name FROM sqlite_schema WHERE type = 'trigger'") {
        old.execute_batch(&format!("DROP TRIGGER {guard}")).unwrap();
    }
    let known: BTreeMap<_, _> = columns(source).into_iter().collect();
    let mut written = BTreeMap::new();
    for (table, columns) in columns(old) {
        let lost = columns.iter().find(|name| !known[&table].contains(name));
        assert_eq!(lost, None, "{table} lost a column");
        let (names, places) = (columns.join(", "), vec!["?"; columns.len()].join(", "));
        let mut rows = source
            .prepare(&format!("SELECT {names} FROM {table}"))
            .unwrap();
        let mut rows = rows.query([]).unwrap();
        let put = format!("INSERT OR REPLACE INTO {table} ({names}) VALUES ({places})");
        while let Some(row) = rows.next().unwrap() {
            let values = (0..columns.len()).map(|column| row.get::<_, Value>(column).unwrap());
            old.execute(&put, params_from_iter(values)).unwrap();
        }
        written.insert(table.clone(), count(source, &table));
    }
    old.execute_batch(&format!("{};", guards.join(";")))
        .unwrap();
    written
}

fn columns(store: &Connection) -> Columns {
    let tables = "SELECT name FROM sqlite_schema
         WHERE type = 'table' AND name NOT IN ('migration', 'sqlite_stat1') ORDER BY rowid";
    let tables = words(store, tables).into_iter();
    let of = |table: &str| {
        words(
            store,
            &format!("SELECT name FROM pragma_table_info('{table}')"),
        )
    };
    tables.map(|table| (table.clone(), of(&table))).collect()
}

fn words(store: &Connection, sql: &str) -> Vec<String> {
    let mut words = store.prepare(sql).unwrap();
    let words = words.query_map([], |row| row.get(0)).unwrap();
    words.collect::<Result<_, _>>().unwrap()
}

fn count(store: &Connection, table: &str) -> i64 {
    let sql = format!("SELECT count(*) FROM {table}");
    store.query_row(&sql, [], |row| row.get(0)).unwrap()
}
