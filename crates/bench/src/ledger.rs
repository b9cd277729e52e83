//! The ledger at full load: the real server in a process of its own, and terminals that push signed
//! top-ups in cash over TLS. Every signature is verified and every row written; afterwards the books
//! are read, and a single top-up too few, too many or with a case spoils the run.
//!
//! The baseline of both is `pgbench` (TPC-B, prepared, eight clients) in a cluster that is durable as
//! a shop's own, round by round in turn; PostgreSQL's books are in the same cluster. What the embedded
//! file takes stands beside bare commits as well.
//!
//! Two shops are measured in turn, a small one and a large one whose journal was filled to a million
//! rows by the same way: what members brought from an older system, written by the server's own
//! operations, and then top-ups that terminals pushed. Those of the measurements are sold to members
//! who took no part in that, so that their accounts are as young in both shops: what differs is the
//! size of the tables.

pub mod cluster;
mod load;
pub mod served;
mod till;

use std::path::Path;
use std::time::Duration;

use clap::ValueEnum;
use serde_json::json;

use crate::Outcome;
use crate::bare_commit::bare_commits;
use crate::figure::{Figure, Goal, Report, Series, Unit, per_thousand, say};
use cluster::Cluster;
use served::{Place, Served, ShopSize};
use till::Clientele;

/// As many bytes as an operation of a terminal, in a bare commit.
const ROW_BYTES: usize = 400;
const PGBENCH: &str = "pgbench TPC-B, prepared, 8 clients, a cluster of this run";
const BARE_COMMITS: &str = "bare SQLite commits, WAL, synchronous=FULL";
const RATIO_PERCENT_MIN: u64 = 300;
const HALF_LOAD_P99_US_MAX: u64 = 50_000;
const ONLINE_MEDIAN_US_MAX: u64 = 3_000;
const GROWTH_PERCENT_MAX: u64 = 120;
/// Top-ups that each terminal signs before it pushes them, while a shop is filled.
const FILLED_AT_ONCE: usize = 2_048;
/// Between two lines about it.
const FILLED_TOLD: u64 = 100_000;

/// Which books.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Books {
    /// A PostgreSQL cluster of this run.
    Postgres,
    /// The embedded, encrypted file.
    Sqlite,
}

/// How much is measured.
#[derive(Debug, Clone, Copy)]
pub struct LedgerScale {
    /// Terminals of each shop.
    pub tills: u8,
    /// Members of the small shop.
    pub small_members: u32,
    /// Rows of its journal, at least, before it is measured.
    pub small_rows: u64,
    /// Members of the large shop.
    pub large_members: u32,
    /// Rows of its journal, at least.
    pub large_rows: u64,
    /// Rounds of each shop and of the baseline.
    pub rounds: usize,
    /// Top-ups of each terminal in a round.
    pub per_round: usize,
    /// Operations in one push.
    pub per_call: usize,
    /// Top-ups of each terminal at half load.
    pub at_half: usize,
    /// Top-ups one by one.
    pub online: usize,
    /// Seconds of a round of `pgbench`, and its scale.
    pub pgbench: (u32, u32),
    /// Bare commits in a round.
    pub commits: usize,
    /// Memory for PostgreSQL's buffers, in MiB.
    pub buffers_mib: u32,
}

/// What was found in the rounds: top-ups in a second.
#[derive(Default)]
struct Rounds {
    small: Vec<u64>,
    large: Vec<u64>,
    pgbench: Vec<u64>,
    /// Bare ones, for the embedded file.
    commits: Vec<u64>,
}

/// A shop and how many top-ups it has taken.
struct Shop {
    served: Served,
    taken: u64,
}

/// Measures the server at `program` with these books.
pub async fn measure(
    program: &Path,
    books: Books,
    folder: &Path,
    scale: LedgerScale,
) -> Outcome<Report> {
    let mut bare = bare_commits(folder)?;
    let mut commit = || bare(&[0xA5; ROW_BYTES]);
    let cluster = Cluster::start(scale.buffers_mib)?;
    let place = |name: &str| -> Outcome<Place> {
        let folder = folder.join(name);
        Ok(match books {
            Books::Postgres => Place::Database(cluster.database(name)?, folder),
            Books::Sqlite => Place::Folder(folder),
        })
    };
    let mut small = Shop::open(program, place("small")?, scale, false).await?;
    let mut large = Shop::open(program, place("large")?, scale, true).await?;
    let idle_kib = large.served.memory_kib()?;
    small.fill(scale.small_rows, Clientele::Measured).await?;
    large.fill(scale.large_rows, Clientele::Others).await?;
    cluster.prepare_pgbench(scale.pgbench.1)?;

    let mut rounds = Rounds::default();
    for _ in 0..scale.rounds {
        rounds.small.push(small.round(scale).await?);
        rounds.large.push(large.round(scale).await?);
        rounds.pgbench.push(cluster.pgbench(scale.pgbench.0)?);
        if books == Books::Sqlite {
            rounds.commits.push(commits(scale.commits, &mut commit)?);
        }
    }
    let full = Series::of(rounds.large.iter().copied()).median();
    let half = large.at_half(scale, full, &mut commit).await?;
    let online = large.online(scale, &mut commit).await?;
    let memory_kib = large.served.memory_kib()?;
    small.served.examine(small.taken)?;
    large.served.examine(large.taken)?;

    let rows = [small.rows(), large.rows()];
    // The servers end before their database does.
    drop((small, large));
    drop(cluster);
    let mut figures = applied(books, &rounds, rows);
    figures.extend([half, online, memory(memory_kib, idle_kib)]);
    let mut facts = serde_json::Map::new();
    facts.insert("journal_rows".to_owned(), json!(rows));
    facts.insert("terminals".to_owned(), json!(scale.tills));
    facts.insert("operations_in_a_push".to_owned(), json!(scale.per_call));
    facts.insert("half_load_per_second".to_owned(), json!(full / 2));
    let name = match books {
        Books::Postgres => "ledger_postgres",
        Books::Sqlite => "ledger_sqlite",
    };
    Ok(Report {
        name,
        figures,
        facts,
    })
}

/// Bare commits in a second.
fn commits(count: usize, commit: &mut dyn FnMut() -> Outcome<Duration>) -> Outcome<u64> {
    let took = (0..count).map(|_| commit());
    load::per_second(count, took.sum::<Outcome<Duration>>()?)
}

impl Shop {
    async fn open(
        program: &Path,
        place: Place,
        scale: LedgerScale,
        is_large: bool,
    ) -> Outcome<Shop> {
        let (members, measured_percent) = match is_large {
            true => (scale.large_members, 10),
            false => (scale.small_members, 100),
        };
        let size = ShopSize {
            tills: scale.tills,
            members,
            measured_percent,
        };
        let served = Served::open(program, place, size).await?;
        Ok(Shop { served, taken: 0 })
    }

    /// Rows of its journal.
    fn rows(&self) -> u64 {
        self.served.rows_before() + self.taken
    }

    /// Sells until the journal has so many rows.
    async fn fill(&mut self, rows: u64, of: Clientele) -> Outcome<()> {
        while self.rows() < rows {
            let missing = usize::try_from(rows - self.rows())?;
            let per_till = missing.div_ceil(self.served.tills.len());
            let before = self.rows() / FILLED_TOLD;
            self.sell(per_till.min(FILLED_AT_ONCE), usize::MAX, of)
                .await?;
            if self.rows() / FILLED_TOLD > before {
                say(format_args!("    {} rows in the journal", self.rows()));
            }
        }
        Ok(())
    }

    async fn round(&mut self, scale: LedgerScale) -> Outcome<u64> {
        let of = Clientele::Measured;
        let took = self.sell(scale.per_round, scale.per_call, of).await?;
        load::per_second(scale.per_round * self.served.tills.len(), took)
    }

    /// Every terminal sells so much, and then pushes it.
    async fn sell(&mut self, per_till: usize, per_call: usize, of: Clientele) -> Outcome<Duration> {
        let work = load::sign(&mut self.served.tills, per_till, of)?;
        let took = load::at_full(&self.served.tills, work, per_call).await?;
        self.taken += u64::try_from(per_till * self.served.tills.len())?;
        Ok(took)
    }

    /// Latency while top-ups come at half of the rate that it takes at most.
    async fn at_half(
        &mut self,
        scale: LedgerScale,
        full: u64,
        commit: &mut dyn FnMut() -> Outcome<Duration>,
    ) -> Outcome<Figure> {
        let tills = &mut self.served.tills;
        let work = load::sign(tills, scale.at_half, Clientele::Measured)?;
        let per_till = (full / 2 / u64::try_from(tills.len())?).max(1);
        let every = Duration::from_secs(1) / u32::try_from(per_till)?;
        let took = load::at_rate(tills, work, every).await?;
        self.taken += u64::try_from(took.len())?;
        let commits = (0..scale.commits).map(|_| commit());
        Ok(Figure {
            name: "half_load",
            what: format!(
                "a top-up while {} of them come about in a second, to its answer",
                full / 2
            ),
            unit: Unit::Micros,
            measured: Series::of_times(took),
            baseline_what: "one bare SQLite commit of as many bytes, WAL, synchronous=FULL",
            baseline: Series::of_times(commits.collect::<Outcome<Vec<_>>>()?),
            goal: Some(Goal::P99(HALF_LOAD_P99_US_MAX)),
        })
    }

    /// Top-ups one by one, in turn with bare commits.
    async fn online(
        &mut self,
        scale: LedgerScale,
        commit: &mut dyn FnMut() -> Outcome<Duration>,
    ) -> Outcome<Figure> {
        let till = self
            .served
            .tills
            .first_mut()
            .ok_or("there is no terminal")?;
        let (mut took, mut commits) = (Vec::new(), Vec::new());
        for _ in 0..scale.online {
            took.push(load::online(till).await?);
            commits.push(commit()?);
        }
        self.taken += u64::try_from(scale.online)?;
        Ok(Figure {
            name: "online",
            what: "one top-up online over TLS, from signing it to the committed answer".to_owned(),
            unit: Unit::Micros,
            measured: Series::of_times(took),
            baseline_what: "one bare SQLite commit of as many bytes, WAL, synchronous=FULL",
            baseline: Series::of_times(commits),
            goal: Some(Goal::Median(ONLINE_MEDIAN_US_MAX)),
        })
    }
}

/// How many top-ups are applied in a second, and how their cost grows with the journal.
fn applied(books: Books, rounds: &Rounds, rows: [u64; 2]) -> Vec<Figure> {
    let goal = Some(Goal::RatioPercentMin(RATIO_PERCENT_MIN));
    let (baseline_what, baseline, goal_here) = match books {
        Books::Postgres => (PGBENCH, &rounds.pgbench, goal),
        Books::Sqlite => (BARE_COMMITS, &rounds.commits, None),
    };
    let rate = |name, rates: &[u64], rows| Figure {
        name,
        what: format!("top-ups applied in a second, {rows} rows in the journal"),
        unit: Unit::PerSecond,
        measured: Series::of(rates.iter().copied()),
        baseline_what,
        baseline: Series::of(baseline.iter().copied()),
        goal: goal_here,
    };
    let mut figures = vec![
        rate("applied_small", &rounds.small, rows[0]),
        rate("applied_large", &rounds.large, rows[1]),
    ];
    if books == Books::Sqlite {
        figures.push(Figure {
            baseline_what: PGBENCH,
            baseline: Series::of(rounds.pgbench.iter().copied()),
            goal,
            ..rate("applied_vs_pgbench", &rounds.large, rows[1])
        });
    }
    let cost = |rates: &[u64]| Series::of(rates.iter().map(|rate| per_thousand(*rate)));
    figures.push(Figure {
        name: "growth",
        what: format!("a thousand top-ups, {} rows in the journal", rows[1]),
        unit: Unit::Micros,
        measured: cost(&rounds.large),
        baseline_what: "the same in the small shop",
        baseline: cost(&rounds.small),
        goal: Some(Goal::RatioPercent(GROWTH_PERCENT_MAX)),
    });
    figures
}

fn memory(used_kib: u64, idle_kib: u64) -> Figure {
    Figure {
        name: "memory",
        what: "memory of the server process after all of it".to_owned(),
        unit: Unit::Kibibytes,
        measured: Series::of([used_kib]),
        baseline_what: "the same just started",
        baseline: Series::of([idle_kib]),
        goal: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TINY: LedgerScale = LedgerScale {
        tills: 3,
        small_members: 40,
        small_rows: 60,
        large_members: 150,
        large_rows: 400,
        rounds: 2,
        per_round: 20,
        per_call: 7,
        at_half: 12,
        online: 3,
        pgbench: (1, 1),
        commits: 5,
        buffers_mib: 32,
    };

    /// The server of this build, as the offline day of the window takes it.
    fn program() -> std::path::PathBuf {
        let own = std::env::current_exe().expect("a test has a program");
        let folder = own.parent().and_then(Path::parent).expect("target/debug");
        let program = folder.join("qiantai-server");
        assert!(
            program.exists(),
            "build it first: cargo build -p qiantai-server"
        );
        program
    }

    async fn check(books: Books) {
        let folder = tempfile::tempdir().expect("there is room");
        let measured = measure(&program(), books, folder.path(), TINY).await;
        let report = measured.unwrap_or_else(|error| panic!("{books:?}: {error}"));
        let names: Vec<_> = report.figures.iter().map(|figure| figure.name).collect();
        let beside_pgbench: &[&str] = match books {
            Books::Postgres => &["applied_small", "applied_large"],
            Books::Sqlite => &["applied_vs_pgbench"],
        };
        let rates: &[&str] = match books {
            Books::Postgres => beside_pgbench,
            Books::Sqlite => &["applied_small", "applied_large", "applied_vs_pgbench"],
        };
        let all = [rates, &["growth", "half_load", "online", "memory"]].concat();
        assert_eq!(names, all, "{books:?}");
        for figure in &report.figures {
            let is_beside = figure.baseline_what == PGBENCH;
            let name = figure.name;
            assert_eq!(
                is_beside,
                beside_pgbench.contains(&name),
                "{books:?} {name}"
            );
            assert!(figure.ratio_percent() > 0, "{books:?}: {name}");
        }
        let rows = &report.facts["journal_rows"];
        assert!(rows[0].as_u64() >= Some(60 + 2 * 60), "{books:?}: {rows}");
        assert!(rows[1].as_u64() >= Some(400 + 2 * 60 + 36 + 3));
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_small_run_on_a_file_ties_out() {
        check(Books::Sqlite).await;
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_small_run_on_postgres_ties_out() {
        check(Books::Postgres).await;
    }
}
