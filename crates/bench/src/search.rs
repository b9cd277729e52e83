//! Finding members in the terminal's encrypted store.

use std::fs::File;
use std::path::Path;
use std::time::{Duration, Instant};

use qiantai_core::ids::MemberId;
use qiantai_core::pinyin_key::{KeyKind, search_keys};
use qiantai_store::{SearchQuery, Store, StoreKeys};
use qiantai_wire::feed::{FeedChange, MemberProfileDto, SnapshotPage};
use serde_json::json;
use uuid::Uuid;

use crate::figure::{Figure, Goal, Report, Series, Unit, micros, say};
use crate::members::Members;
use crate::{Outcome, Scale};

const P99_US_MAX: u64 = 8_000;
/// Members in one page of a snapshot.
const PAGE: u32 = 2_000;
/// People remembered to search for.
const KNOWN: u32 = 2_000;
/// Lines that the counter shows.
const HITS_MAX: usize = 20;
const SEED: u64 = 1;

/// Measures searches in a warm store, and in one that was just opened with nothing of it in memory.
pub fn measure(folder: &Path, scale: Scale) -> Outcome<Report> {
    let path = folder.join("terminal.db");
    let store = open(&path)?;
    let began = Instant::now();
    let people = fill(&store, scale.search_members)?;
    let load_ms = micros(began.elapsed()) / 1_000;
    drop(store);

    let kinds = queries(&people)?;
    let mut figures = cold(&path, &kinds, &people, scale)?;
    remember_pages(&path)?;
    let store = open(&path)?;
    for kind in &kinds {
        figures.push(warm(&store, kind, &people, scale)?);
    }
    drop(store);
    let mut report = Report {
        name: "search",
        figures,
        facts: serde_json::Map::new(),
    };
    let file_mib = std::fs::metadata(&path)?.len() >> 20;
    report
        .facts
        .insert("members".to_owned(), json!(scale.search_members));
    report.facts.insert("load_ms".to_owned(), json!(load_ms));
    report.facts.insert("file_mib".to_owned(), json!(file_mib));
    Ok(report)
}

fn open(path: &Path) -> Outcome<Store> {
    let keys = StoreKeys {
        db_key: [7; 32],
        pin_pepper: [9; 32],
    };
    Ok(Store::open_or_create(path, &keys)?)
}

/// Fills the store by the way a new terminal takes, pages of a snapshot. Gives back some people.
fn fill(store: &Store, count: u32) -> Outcome<Vec<MemberProfileDto>> {
    let mut members = Members::of_seed(SEED);
    let mut people = Vec::new();
    let known_every = (count / KNOWN).max(1);
    let (mut after, mut done) = (None, 0);
    while done < count {
        let last = count.min(done + PAGE);
        let mut rows = Vec::new();
        for number in done..last {
            let (member, profile, account) = members.make();
            if number % known_every == 0 {
                people.push(profile);
            }
            rows.extend([FeedChange::Member(member), FeedChange::Account(account)]);
        }
        done = last;
        let page = SnapshotPage {
            timeline: 1,
            at_seq: 0,
            rows,
            member_total: u64::from(count),
            next: (done < count).then(|| Uuid::from_u128(u128::from(done))),
            chain_end: None,
            server_time_ms: 0,
        };
        after = store.apply_snapshot(after, &page)?;
        if done % 200_000 == 0 {
            say(format_args!("    {done} of {count} members loaded"));
        }
    }
    Ok(people)
}

/// One way to search.
struct Kind {
    name: &'static str,
    cold_name: &'static str,
    what: &'static str,
    queries: Vec<SearchQuery>,
}

fn queries(people: &[MemberProfileDto]) -> Outcome<Vec<Kind>> {
    let initials = |person: &MemberProfileDto| {
        let keys = search_keys(&person.name, "", None);
        keys.into_iter()
            .find(|key| key.kind == KeyKind::Initials)
            .map(|key| key.text)
    };
    let two_characters =
        |person: &MemberProfileDto| (person.name.chars().count() == 2).then(|| person.name.clone());
    let last_four = |person: &MemberProfileDto| person.phone.get(7..).map(str::to_owned);
    let all = [
        (
            "two_character_name",
            "two_character_name_cold",
            "a name of two characters",
            people.iter().filter_map(two_characters).collect::<Vec<_>>(),
        ),
        (
            "initials",
            "initials_cold",
            "the initials of a name",
            people.iter().filter_map(initials).collect(),
        ),
        (
            "last_four",
            "last_four_cold",
            "the last four digits of a phone number",
            people.iter().filter_map(last_four).collect(),
        ),
    ];
    all.into_iter()
        .map(|(name, cold_name, what, typed)| {
            let queries = typed.iter().map(|text| SearchQuery::from_typed(text));
            let queries = queries.collect::<Option<Vec<_>>>();
            Ok(Kind {
                name,
                cold_name,
                what,
                queries: queries.ok_or("somebody cannot be searched for")?,
            })
        })
        .collect()
}

fn warm(store: &Store, kind: &Kind, people: &[MemberProfileDto], scale: Scale) -> Outcome<Figure> {
    let (mut searched, mut read) = (Vec::new(), Vec::new());
    let queries = kind.queries.iter().cycle();
    // The first pass over half as many queries fills the caches.
    let rounds = scale.searches / 2 + scale.searches;
    for (query, person) in queries.zip(people.iter().cycle()).take(rounds) {
        searched.push(search(store, query)?);
        read.push(read_one(store, person)?);
    }
    let measured = searched.into_iter().skip(scale.searches / 2);
    Ok(Figure {
        name: kind.name,
        what: format!("finding members by {}, caches warm", kind.what),
        unit: Unit::Micros,
        measured: Series::of_times(measured),
        baseline_what: "reading one member by identity",
        baseline: Series::of_times(read.into_iter().skip(scale.searches / 2)),
        goal: Some(Goal::P99(P99_US_MAX)),
    })
}

/// Opens the store anew for every search, with none of its pages in memory.
fn cold(
    path: &Path,
    kinds: &[Kind],
    people: &[MemberProfileDto],
    scale: Scale,
) -> Outcome<Vec<Figure>> {
    let mut figures = Vec::new();
    for kind in kinds {
        let (mut searched, mut read) = (Vec::new(), Vec::new());
        let queries = kind.queries.iter().zip(people);
        for (query, person) in queries.take(scale.cold_searches) {
            forget_pages(path)?;
            searched.push(search(&open(path)?, query)?);
            forget_pages(path)?;
            read.push(read_one(&open(path)?, person)?);
        }
        figures.push(Figure {
            name: kind.cold_name,
            what: format!("finding members by {}, nothing in memory", kind.what),
            unit: Unit::Micros,
            measured: Series::of_times(searched),
            baseline_what: "reading one member by identity, nothing in memory",
            baseline: Series::of_times(read),
            goal: None,
        });
    }
    Ok(figures)
}

fn search(store: &Store, query: &SearchQuery) -> Outcome<Duration> {
    let began = Instant::now();
    let hits = store.search_members(query, HITS_MAX)?;
    let took = began.elapsed();
    if hits.is_empty() {
        return Err(format!("nobody is found by {query:?}").into());
    }
    Ok(took)
}

fn read_one(store: &Store, person: &MemberProfileDto) -> Outcome<Duration> {
    let began = Instant::now();
    let member = store.member(MemberId(person.id))?;
    let took = began.elapsed();
    member.ok_or("a member is missing")?;
    Ok(took)
}

/// Undoes [`forget_pages`]: a counter that has worked for a while reads no disk to search.
fn remember_pages(path: &Path) -> Outcome<()> {
    std::io::copy(&mut File::open(path)?, &mut std::io::sink())?;
    Ok(())
}

/// Makes the system forget what it keeps of the file in memory.
fn forget_pages(path: &Path) -> Outcome<()> {
    let file = File::open(path)?;
    // Only pages that are on the disk can be forgotten.
    file.sync_all()?;
    #[cfg(target_os = "linux")]
    rustix::fs::fadvise(&file, 0, None, rustix::fs::Advice::DontNeed)?;
    Ok(())
}
