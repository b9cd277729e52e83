//! Real processes, really killed (`cargo xtask soak kills`): terminals with the counter's own code and
//! the server of the shop, each ended without a word at any moment, the lines between them cut in
//! between. After every round all come to rest, and then the books hold each top-up whose cash was
//! taken, once, and nothing else.

mod books;
mod line;
mod till;

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use clap::Args;
use qiantai_testkit::Group;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tokio::time::sleep;

use crate::ledger::Books;
use crate::ledger::cluster::Cluster;
use crate::ledger::served::{Place, SERVE, STORE, run, started};
use crate::{Outcome, figure, given};
use books::Expected;
use line::Line;
use till::{GLANCE, PATIENCE, RunningTill, Unfinished};
pub use till::{Seat, sell};

/// Members whom all terminals serve.
const MEMBERS: u32 = 300;
/// Members of whom every terminal is asked at rest what they have.
const ASKED: usize = 5;
/// Rounds between two walks through the whole books.
const VERIFIED_EVERY: u32 = 25;
const BUFFERS_MIB: u32 = 128;

/// What is killed, and how often.
#[derive(Debug, Args)]
pub struct Kills {
    /// The server's program.
    #[arg(long)]
    server: PathBuf,
    /// Where the shop lies while it is killed; it is made anew.
    #[arg(long)]
    folder: PathBuf,
    /// On which books.
    #[arg(long, value_enum)]
    books: Books,
    /// Rounds.
    #[arg(long)]
    rounds: u32,
    /// Of what is killed and cut, and when.
    #[arg(long)]
    seed: u64,
    /// Terminals.
    #[arg(long, default_value_t = 3)]
    tills: u8,
}

/// How often what happened.
#[derive(Debug, Default)]
struct Counts {
    server_kills: u32,
    till_kills: u32,
    cuts: u32,
    /// Offers that a kill was quicker than: nothing was taken.
    not_begun: u32,
    /// Receipts of a moment at which another terminal raised the same member.
    overtaken: usize,
}

/// The shop and everybody in it.
struct Shop<'a> {
    options: &'a Kills,
    place: Place,
    server: Option<Group>,
    tills: Vec<RunningTill>,
    lines: Vec<Line>,
    random: ChaCha8Rng,
    expected: Expected,
    counts: Counts,
}

/// Kills for as many rounds as were asked for.
///
/// # Errors
/// The first thing that does not hold, or a process that does not come back.
pub async fn kills(options: &Kills) -> Outcome<()> {
    let folder = tempfile::tempdir_in(&made(&options.folder)?)?;
    let cluster = match options.books {
        Books::Postgres => Some(Cluster::start(BUFFERS_MIB)?),
        Books::Sqlite => None,
    };
    let place = match &cluster {
        Some(cluster) => Place::Database(cluster.database("kills")?, folder.path().join("tls")),
        None => Place::Folder(folder.path().join("shop")),
    };
    let mut shop = Shop::open(options, place, folder.path()).await?;
    let mut longest = Duration::ZERO;
    let began = Instant::now();
    for round in 1..=options.rounds {
        let round_began = Instant::now();
        shop.round(round)
            .await
            .map_err(|error| format!("round {round} of seed {}: {error}", options.seed))?;
        longest = longest.max(round_began.elapsed());
    }
    shop.verify()?;
    shop.tell(began.elapsed(), longest);
    // The terminals and the server end before their database does.
    drop(shop);
    drop(cluster);
    Ok(())
}

/// What others sold comes by the feed, which a terminal without events polls.
async fn shows(till: &mut RunningTill, asked: &[String], due: &[i64]) -> Outcome<()> {
    let until = Instant::now() + PATIENCE;
    loop {
        let shown = till.show(asked).await?;
        if shown == due {
            return Ok(());
        }
        if Instant::now() > until {
            return Err(format!("a terminal shows {shown:?} instead of {due:?}").into());
        }
        sleep(GLANCE).await;
    }
}

/// The server, whose complaints about what is done to it nobody needs to read.
fn served(program: &Path, place: &Place) -> Outcome<(Group, String)> {
    let mut command = place.command(program, &SERVE);
    command.stderr(Stdio::null());
    started(command)
}

fn made(folder: &Path) -> Outcome<PathBuf> {
    std::fs::create_dir_all(folder)?;
    Ok(std::path::absolute(folder)?)
}

impl<'a> Shop<'a> {
    async fn open(options: &'a Kills, place: Place, folder: &Path) -> Outcome<Shop<'a>> {
        let program = given(Some(&options.server), "--server")?;
        let members = MEMBERS.to_string();
        let sample = ["init", "--sample", "salon", "--members", &members];
        run(&mut place.command(&program, &sample))?;
        let (server, url) = served(&program, &place)?;
        let expected = Expected::of(place.read()?.as_ref())?;
        let mut shop = Shop {
            options,
            place,
            server: Some(server),
            tills: Vec::new(),
            lines: Vec::new(),
            random: ChaCha8Rng::seed_from_u64(options.seed),
            expected,
            counts: Counts::default(),
        };
        let ids = folder.join("members");
        std::fs::write(&ids, shop.expected.members().join("\n"))?;
        for number in 1..=options.tills {
            let line = Line::open().await?;
            line.lead_to(&url)?;
            let enrol = ["enrol", "--store", STORE, "--address", line.url()];
            let said = run(&mut shop.place.command(&program, &enrol))?;
            let code = said.lines().next().ok_or("there is no code")?.to_owned();
            let seat = Seat {
                folder: folder.join(format!("till{number}")),
                server: line.url().to_owned(),
                code: Some(code),
                members: ids.clone(),
                seed: options.seed + u64::from(number),
            };
            shop.tills.push(RunningTill::start(seat).await?);
            shop.lines.push(line);
        }
        Ok(shop)
    }

    async fn round(&mut self, round: u32) -> Outcome<()> {
        self.let_work(400).await;
        for line in &self.lines {
            if self.random.random_bool(0.3) {
                line.cut(true);
                self.counts.cuts += 1;
            }
        }
        let mut dead = HashSet::new();
        for _ in 0..self.random.random_range(1..=3_u32) {
            self.let_work(250).await;
            match self.random.random_range(0..=self.tills.len()) {
                0 => {
                    self.counts.server_kills += u32::from(self.server.take().is_some());
                }
                number => {
                    if dead.insert(number - 1) {
                        self.tills[number - 1].kill().await?;
                        self.counts.till_kills += 1;
                    }
                }
            }
        }
        self.let_work(250).await;
        self.mend(&dead).await?;
        self.come_to_rest().await?;
        if round.is_multiple_of(VERIFIED_EVERY) {
            self.verify()?;
        }
        for till in &mut self.tills {
            till.go_on().await?;
        }
        Ok(())
    }

    /// Lets everybody work for up to so many milliseconds.
    async fn let_work(&mut self, most_ms: u64) {
        sleep(Duration::from_millis(self.random.random_range(0..most_ms))).await;
    }

    /// Everything that is dead is started again, and the lines lead to it.
    async fn mend(&mut self, dead: &HashSet<usize>) -> Outcome<()> {
        if self.server.is_none() {
            let program = given(Some(&self.options.server), "--server")?;
            let (server, url) = served(&program, &self.place)?;
            self.server = Some(server);
            for line in &self.lines {
                line.lead_to(&url)?;
            }
        }
        for line in &self.lines {
            line.cut(false);
        }
        for number in dead {
            let till = &mut self.tills[*number];
            till.start_again().await?;
        }
        Ok(())
    }

    /// Nobody sells any more, everything is confirmed, and the books hold what was taken.
    async fn come_to_rest(&mut self) -> Outcome<()> {
        let members = self.expected.members();
        let asked: Vec<String> = members.sample(&mut self.random, ASKED).cloned().collect();
        for till in &mut self.tills {
            till.rest().await?;
            let Unfinished { done, not_begun } = till.take_told()?;
            self.counts.not_begun += not_begun;
            self.expected.took(done)?;
        }
        let ledger = self.place.read()?;
        self.counts.overtaken = self.expected.compare(ledger.as_ref())?;
        let due = self.expected.balances(ledger.as_ref(), &asked)?;
        for till in &mut self.tills {
            shows(till, &asked, &due).await?;
        }
        Ok(())
    }

    /// The whole books, from the first operation to the last.
    fn verify(&self) -> Outcome<()> {
        let program = given(Some(&self.options.server), "--server")?;
        run(&mut self.place.command(&program, &["verify"])).map(drop)
    }

    fn tell(&self, took: Duration, longest: Duration) {
        let Counts {
            server_kills,
            till_kills,
            cuts,
            not_begun,
            overtaken,
        } = self.counts;
        let (rounds, books) = (self.options.rounds, self.options.books);
        let each = took / rounds.max(1);
        figure::say(format_args!(
            "{books:?}: {rounds} rounds, {server_kills} kills of the server, {till_kills} of \
             terminals, {cuts} cuts; {} top-ups of {}, each once; {not_begun} not begun, \
             {overtaken} promised points or a tier that came out otherwise; \
             {:.1} s a round, {:.1} s the longest",
            self.expected.count(),
            self.expected.sum(),
            each.as_secs_f64(),
            longest.as_secs_f64(),
        ));
    }
}
