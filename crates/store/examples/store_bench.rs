//! Measures the store: member search at a given size, and the durable commit of a cash top-up
//! against one bare SQLite commit in the same run. Prints one line of JSON; times in microseconds.
//!
//! `cargo run --release -p qiantai-store --example store_bench -- 1000000`

use std::error::Error;
use std::io::{Write, stdout};
use std::path::Path;
use std::time::{Duration, Instant};

use ed25519_dalek::SigningKey;
use qiantai_core::ids::{
    ActionId, DeviceId, MemberId, OpId, OrderId, ShiftId, StoreId, TenantId, TierId,
};
use qiantai_core::operation::{Operation, OperationBody, RechargeCash, RechargeOpen};
use qiantai_core::quote::Quote;
use qiantai_core::recharge::AmountChoice;
use qiantai_core::{Money, Timestamp};
use qiantai_sqlite::{OpenOptions, open};
use qiantai_store::{Commit, LogHead, NewPrintJob, SearchQuery, Store, StoreKeys};
use qiantai_wire::SignedOperation;
use qiantai_wire::codes::MemberStatusDto;
use qiantai_wire::feed::{
    AccountDto, FeedChange, LotDto, MemberDto, MemberProfileDto, SnapshotPage,
};
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};
use uuid::Uuid;

type Outcome<T> = Result<T, Box<dyn Error>>;

const SURNAMES: &str = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈姚卢姜崔钟谭陆汪范金石廖贾夏韦付方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤单解查仇盖区乐华";
const GIVEN: &str = "伟芳娜秀英敏静丽强磊军洋勇艳杰娟涛明超兰霞平刚桂文辉力健俊帆雪荣爱妹香月莺媛瑞凡佳嘉琼勤珍贞莉桂娣叶璧璐娅琦晶妍茜秋珊莎锦黛青倩婷姣婉娴瑾颖露瑶怡婵雁蓓纨仪荷丹蓉眉君琴蕊薇菁梦岚苑婕馨瑗琰韵融园艺咏卿聪澜纯毓悦昭冰爽琬茗羽希宁欣飘育滢馥筠柔竹霭凝晓欢霄枫芸菲寒伊亚宜可姬舒影荔枝思雨放";
const PAGE: u32 = 2_000;
const SAMPLES: usize = 2_000;
const COMMITS: u32 = 300;

fn main() -> Outcome<()> {
    let members: u32 = std::env::args()
        .nth(1)
        .as_deref()
        .unwrap_or("200000")
        .parse()?;
    let folder = tempfile::tempdir()?;
    let keys = StoreKeys {
        db_key: [7; 32],
        pin_pepper: [9; 32],
    };
    let store = Store::open_or_create(&folder.path().join("terminal.db"), &keys)?;
    let began = Instant::now();
    let people = fill(&store, members)?;
    let load_ms = u64::try_from(began.elapsed().as_millis())?;
    let file_mb = std::fs::metadata(store.path())?.len() >> 20;
    let report = json!({
        "members": members,
        "load_ms": load_ms,
        "file_mb": file_mb,
        "search_us": searches(&store, &people)?,
        "commit_us": commits(&store, folder.path())?,
    });
    writeln!(stdout(), "{report}")?;
    Ok(())
}

/// Fills the store by the way a new terminal takes: pages of a snapshot. Returns some people.
fn fill(store: &Store, members: u32) -> Outcome<Vec<MemberProfileDto>> {
    let mut random = ChaCha8Rng::seed_from_u64(1);
    let mut people = Vec::new();
    let (mut after, mut first) = (None, 1);
    while first <= members {
        let last = members.min(first + PAGE - 1);
        let mut rows = Vec::new();
        for number in first..=last {
            let (member, account) = person(&mut random, number);
            if number % (members / 1_000).max(1) == 0 {
                people.extend(member.profile.clone());
            }
            rows.extend([FeedChange::Member(member), FeedChange::Account(account)]);
        }
        let next = (last < members).then(|| Uuid::from_u128(u128::from(last)));
        let page = SnapshotPage {
            timeline: 1,
            at_seq: 0,
            rows,
            member_total: u64::from(members),
            next,
            server_time_ms: 0,
        };
        after = store.apply_snapshot(after, &page)?;
        first = last + 1;
    }
    Ok(people)
}

fn person(random: &mut ChaCha8Rng, number: u32) -> (MemberDto, AccountDto) {
    let id = Uuid::from_u128(u128::from(number));
    let surnames: Vec<char> = SURNAMES.chars().collect();
    let given: Vec<char> = GIVEN.chars().collect();
    let mut name = String::new();
    name.extend(surnames.choose(random));
    for _ in 0..random.random_range(1..=2_u8) {
        name.extend(given.choose(random));
    }
    let registered_at_ms = random.random_range(1_500_000_000_000..1_790_000_000_000_i64);
    let profile = MemberProfileDto {
        id,
        name,
        phone: format!("1{}", random.random_range(3_000_000_000..9_999_999_999_u64)),
        card_no: random.random_bool(0.5).then(|| format!("VIP{number:08}")),
        birth_month: Some(random.random_range(1..=12)),
        note: None,
    };
    let member = MemberDto {
        id,
        member_no: format!("M{number:08}"),
        home_store: Uuid::from_u128(2),
        status: MemberStatusDto::Active,
        registered_at_ms,
        profile: Some(profile),
    };
    (member, account(id, registered_at_ms))
}

fn account(member: Uuid, credited_at_ms: i64) -> AccountDto {
    let lot = LotDto {
        id: member,
        order: None,
        principal_init_fen: 30_000,
        principal_left_fen: 18_000,
        bonus_init_fen: 5_000,
        bonus_left_fen: 3_000,
        bonus_expires_at_ms: None,
        spend_order: qiantai_core::policy::SpendOrder::Proportional.into(),
        credited_at_ms,
    };
    AccountDto {
        member,
        principal_fen: 18_000,
        bonus_fen: 3_000,
        frozen_principal_fen: 0,
        frozen_bonus_fen: 0,
        debt_fen: 0,
        recharged_fen: 30_000,
        refunded_fen: 0,
        bonus_granted_fen: 5_000,
        growth: 300,
        points: 300,
        points_debt: 0,
        tier: Uuid::from_u128(1),
        tier_valid_until_ms: None,
        last_seq: 2,
        lots: vec![lot],
    }
}

fn searches(store: &Store, people: &[MemberProfileDto]) -> Outcome<Value> {
    let initials = |name: &str| -> Vec<String> {
        qiantai_core::pinyin_key::search_keys(name, "", None)
            .into_iter()
            .filter(|key| key.kind == qiantai_core::pinyin_key::KeyKind::Initials)
            .map(|key| key.text)
            .take(1)
            .collect()
    };
    let two: Vec<String> = people
        .iter()
        .filter(|person| person.name.chars().count() == 2)
        .map(|person| person.name.clone())
        .collect();
    let queries: [(&str, Vec<String>); 6] = [
        ("two_character_name", two),
        (
            "initials",
            people
                .iter()
                .flat_map(|person| initials(&person.name))
                .collect(),
        ),
        (
            "last_four",
            people
                .iter()
                .map(|person| person.phone[7..].to_owned())
                .collect(),
        ),
        (
            "phone",
            people.iter().map(|person| person.phone.clone()).collect(),
        ),
        (
            "phone_prefix",
            people
                .iter()
                .map(|person| person.phone[..5].to_owned())
                .collect(),
        ),
        (
            "one_character",
            people
                .iter()
                .map(|person| person.name.chars().take(1).collect())
                .collect(),
        ),
    ];
    let mut report = serde_json::Map::new();
    for (name, texts) in queries {
        let mut times = Vec::with_capacity(SAMPLES);
        for text in texts.iter().cycle().take(SAMPLES) {
            let query = SearchQuery::from_typed(text).ok_or("an empty query")?;
            let began = Instant::now();
            let hits = store.search_members(&query, 20)?;
            times.push(began.elapsed());
            if hits.is_empty() {
                return Err(format!("{name} finds nobody").into());
            }
        }
        report.insert(name.to_owned(), percentiles(times));
    }
    Ok(Value::Object(report))
}

fn commits(store: &Store, folder: &Path) -> Outcome<Value> {
    let key = SigningKey::from_bytes(&[5; 32]);
    let bare = open(
        &folder.join("bare.db"),
        OpenOptions {
            key: None,
            create: true,
            read_only: false,
        },
    )?;
    bare.execute_batch("CREATE TABLE row (id INTEGER PRIMARY KEY, bytes BLOB) STRICT;")?;
    let (mut sales, mut rows) = (Vec::new(), Vec::new());
    for number in 1..=COMMITS {
        let began = Instant::now();
        store.commit(|head| Ok::<_, String>(sale(head, number, &key)))?;
        sales.push(began.elapsed());
        let began = Instant::now();
        bare.execute("INSERT INTO row (bytes) VALUES (randomblob(300))", [])?;
        rows.push(began.elapsed());
    }
    Ok(json!({"cash_top_up": percentiles(sales), "bare_commit": percentiles(rows)}))
}

fn sale(head: LogHead, number: u32, key: &SigningKey) -> Commit {
    let id = Uuid::from_u128(u128::from(number));
    let pay = Money::from_yuan(300);
    let tier = TierId(Uuid::from_u128(1));
    let open = RechargeOpen {
        order: OrderId(id),
        order_no: "CZ2026112114031248000010001ABC".to_owned(),
        member: MemberId(id),
        choice: AmountChoice::Amount(pay),
        quote: Quote {
            policy_version: 1,
            quoted_at: Timestamp::from_ms(0),
            pay,
            bonus: Money::from_yuan(50),
            bonus_valid_days: None,
            points: 300,
            growth: 300,
            coupons: Vec::new(),
            tier: (tier, tier),
            rules: Vec::new(),
            notices: Vec::new(),
        },
        seller: None,
        duplicate_confirmed: false,
    };
    let operation = Operation {
        op_id: OpId(id),
        action_id: ActionId(id),
        tenant: TenantId(id),
        store: StoreId(id),
        device: DeviceId(id),
        epoch: 1,
        device_seq: head.device_seq + 1,
        prev_hash: head.hash,
        staff: None,
        shift: Some(ShiftId(id)),
        wall_time: Timestamp::from_ms(0),
        boot_id: id,
        monotonic_ms: 0,
        server_anchor: None,
        cursor: None,
        offline: true,
        attachment: None,
        body: OperationBody::RechargeCash(RechargeCash {
            open,
            tendered: pay,
            change: Money::ZERO,
        }),
    };
    let receipt = NewPrintJob {
        id,
        kind: "recharge_receipt".to_owned(),
        order: Some(OrderId(id)),
        copy: 0,
        printer: "counter".to_owned(),
        document: vec![b'x'; 3_000],
        queued_at: Timestamp::from_ms(0),
    };
    Commit {
        signed: SignedOperation::sign(&operation, key),
        prints: vec![receipt],
    }
}

fn percentiles(mut times: Vec<Duration>) -> Value {
    times.sort_unstable();
    let at = |percent: usize| {
        let index = (times.len() - 1) * percent / 100;
        u64::try_from(times[index].as_micros()).unwrap_or(u64::MAX)
    };
    json!({"p50": at(50), "p99": at(99)})
}
