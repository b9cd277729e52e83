//! A terminal in a process of its own, without a window: it sells for cash until it is killed, and
//! says what it does before it does it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use clap::Args;
use qiantai_core::ids::OrderId;
use qiantai_counter::api::CounterApi;
use qiantai_counter::boot::{Host, Known, Link};
use qiantai_counter::desk::Desk;
use qiantai_counter::error::{CallError, ErrorCode};
use qiantai_counter::surroundings::Machine;
use qiantai_counter::view::Fen;
use qiantai_counter::view::boot::{BootState, Training, TroubleCause};
use qiantai_counter::view::member::MemberKey;
use qiantai_counter::view::order::PayCash;
use qiantai_counter::view::queue::SyncState;
use qiantai_counter::view::session::{OpenShift, SignIn};
use qiantai_counter::view::top_up::{ChannelView, Choice, QuoteRequest};
use qiantai_server::sample::TRAINING_STAFF;
use qiantai_store::vault::{FileKeyHolder, KeyHolder, Secrets};
use qiantai_sync::Client;
use qiantai_sync::transport::{HttpTransport, Trust, introduce};
use qiantai_wire::api::JoinRequest;
use qiantai_wire::enrol::{EnrolCode, ServerPlace};
use qiantai_wire::text::{Base64, Hex};
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::{sleep, timeout};
use uuid::Uuid;

use super::books::TOP_UP;
use crate::Outcome;
use crate::figure;
use crate::shop::told;

/// Longer than a start and the hand-over of the books take on a loaded machine.
pub const PATIENCE: Duration = Duration::from_secs(120);
/// Between two customers, at most.
const PAUSE_MS: u64 = 40;
pub const GLANCE: Duration = Duration::from_millis(20);
/// Offers that were not answered before the kill.
const RETRIES: &str = "retries";

/// Where a terminal stands.
#[derive(Clone, Debug, Args)]
pub struct Seat {
    /// Its files.
    #[arg(long)]
    pub folder: PathBuf,
    /// Where it reaches the server.
    #[arg(long)]
    pub server: String,
    /// With what it joins; it has joined when this is left out.
    #[arg(long)]
    pub code: Option<String>,
    /// Whom it serves, a file of ids.
    #[arg(long)]
    pub members: PathBuf,
    /// Of its customers.
    #[arg(long)]
    pub seed: u64,
}

/// What a terminal said since it was asked before.
#[derive(Debug, Default)]
pub struct Unfinished {
    pub done: Vec<OrderId>,
    pub not_begun: u32,
}

// ---- as the one who kills sees it ----

/// A terminal's process.
pub struct RunningTill {
    seat: Seat,
    child: Child,
    ears: ChildStdin,
    lines: Lines<BufReader<ChildStdout>>,
    /// Offers that were said and not answered.
    open: Vec<PayCash>,
    told: Unfinished,
}

impl RunningTill {
    /// Starts a terminal that joins, and waits until it sells.
    pub async fn start(mut seat: Seat) -> Outcome<RunningTill> {
        fs::create_dir_all(&seat.folder)?;
        let (child, ears, lines) = spawn(&seat)?;
        seat.code = None;
        let mut till = RunningTill {
            seat,
            child,
            ears,
            lines,
            open: Vec::new(),
            told: Unfinished::default(),
        };
        till.hear_until("sells").await?;
        Ok(till)
    }

    /// Ends it at once, wherever it is.
    pub async fn kill(&mut self) -> Outcome<()> {
        self.child.kill().await?;
        while let Some(line) = self.lines.next_line().await? {
            self.hear(&line)?;
        }
        Ok(())
    }

    /// Starts it again. What it had said and not answered it tries again first.
    pub async fn start_again(&mut self) -> Outcome<()> {
        let open = serde_json::to_string(&self.open)?;
        fs::write(self.seat.folder.join(RETRIES), open)?;
        (self.child, self.ears, self.lines) = spawn(&self.seat)?;
        self.hear_until("sells").await.map(drop)
    }

    /// Lets it finish and send everything.
    pub async fn rest(&mut self) -> Outcome<()> {
        self.tell("rest").await?;
        self.hear_until("rests").await.map(drop)
    }

    /// What it shows of these members while it rests, in fen.
    pub async fn show(&mut self, members: &[String]) -> Outcome<Vec<i64>> {
        self.tell(&format!("show {}", members.join(" "))).await?;
        let said = self.hear_until("shows").await?;
        let balances = said.split(' ').map(str::parse::<i64>);
        Ok(balances.collect::<Result<_, _>>()?)
    }

    /// Lets it sell again.
    pub async fn go_on(&mut self) -> Outcome<()> {
        self.tell("go").await
    }

    /// What it did. It must rest: nothing it began is without an end.
    pub fn take_told(&mut self) -> Outcome<Unfinished> {
        match self.open.first() {
            None => Ok(std::mem::take(&mut self.told)),
            Some(offer) => Err(format!("nobody knows what became of {offer:?}").into()),
        }
    }

    async fn tell(&mut self, word: &str) -> Outcome<()> {
        self.ears.write_all(format!("{word}\n").as_bytes()).await?;
        Ok(self.ears.flush().await?)
    }

    async fn hear_until(&mut self, word: &str) -> Outcome<String> {
        let heard = timeout(PATIENCE, async {
            while let Some(line) = self.lines.next_line().await? {
                if let Some(rest) = self.hear(&line)?.strip_prefix(word) {
                    return Ok(rest.trim().to_owned());
                }
            }
            Err(format!("a terminal ended before it said {word:?}").into())
        });
        match heard.await {
            Ok(heard) => heard,
            Err(_) => Err(format!("a terminal did not say {word:?} in time").into()),
        }
    }

    /// Takes note of what it says about offers; anything else is given back.
    fn hear<'l>(&mut self, line: &'l str) -> Outcome<&'l str> {
        let Some((word, rest)) = line.split_once(' ') else {
            return Ok(line);
        };
        match word {
            "cash" => self.open.push(serde_json::from_str(rest)?),
            "done" => {
                let (intent, order) = rest.split_once(' ').ok_or("a half word")?;
                self.open.retain(|offer| offer.intent != intent);
                self.told.done.push(OrderId(Uuid::parse_str(order)?));
            }
            "lost" => {
                self.open.retain(|offer| offer.intent != rest);
                self.told.not_begun += 1;
            }
            _ => return Ok(line),
        }
        Ok("")
    }
}

type Spawned = (Child, ChildStdin, Lines<BufReader<ChildStdout>>);

fn spawn(seat: &Seat) -> Outcome<Spawned> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg("sell-until-killed");
    for (flag, value) in [("--folder", &seat.folder), ("--members", &seat.members)] {
        command.arg(flag).arg(value);
    }
    command.args(["--server", &seat.server, "--seed", &seat.seed.to_string()]);
    command.args(seat.code.iter().flat_map(|code| ["--code", code]));
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    let ears = child.stdin.take().ok_or("a terminal has no input")?;
    let output = child.stdout.take().ok_or("a terminal has no output")?;
    Ok((child, ears, BufReader::new(output).lines()))
}

// ---- in the process that is killed ----

/// Sells until somebody kills it, or its input ends.
///
/// # Errors
/// Where the terminal does not open, or refuses what it must not refuse.
pub async fn sell(seat: Seat) -> Outcome<()> {
    let retries = fs::read_to_string(seat.folder.join(RETRIES)).unwrap_or_default();
    let retries: Vec<PayCash> = match retries.as_str() {
        "" => Vec::new(),
        text => serde_json::from_str(text)?,
    };
    let members = fs::read_to_string(&seat.members)?;
    let members: Vec<String> = members.lines().map(str::to_owned).collect();
    let mut random = ChaCha8Rng::seed_from_u64(seat.seed ^ u64::from(std::process::id()));
    let keys = FileKeyHolder::new(&seat.folder);
    let desk = Desk::new(Arc::new(Premises { seat, keys }), Arc::new(Machine::new()));
    Arc::clone(&desk).start().await;
    open(&desk).await?;
    for offer in retries {
        pay(&desk, offer).await?;
    }
    figure::say(format_args!("sells"));
    let mut words = words();
    loop {
        let pause = Duration::from_millis(random.random_range(0..PAUSE_MS));
        tokio::select! {
            word = words.recv() => match word {
                Some(_) => rest(&desk, &mut words).await?,
                None => return Ok(()),
            },
            () = sleep(pause) => {
                let member = members.choose(&mut random).ok_or("nobody to serve")?;
                serve(&desk, member).await?;
            }
        }
    }
}

/// What is said to this process, until its input ends.
fn words() -> UnboundedReceiver<String> {
    let (said, heard) = unbounded_channel();
    std::thread::spawn(move || {
        let mut lines = std::io::stdin().lines().map_while(Result::ok);
        while lines.next().is_some_and(|line| said.send(line).is_ok()) {}
    });
    heard
}

/// The counter, a cashier, and the shift of before or a new one.
async fn open(desk: &Desk) -> Outcome<()> {
    let state = desk.boot_status(()).await.map_err(told)?.state;
    if state != BootState::Ready {
        return Err(format!("the terminal does not open: {state:?}").into());
    }
    let (staff_no, pin, _) = TRAINING_STAFF[0];
    let session = desk.session(()).await.map_err(told)?;
    let cashier = session.staff.iter().find(|tile| tile.staff_no == staff_no);
    let request = SignIn {
        staff_id: cashier.ok_or("the sample shop has no cashier")?.id.clone(),
        pin: pin.to_owned(),
    };
    let session = desk.sign_in(request).await.map_err(told)?;
    if session.shift.is_none() {
        let counts = vec![(Fen(10_000), 5)];
        desk.open_shift(OpenShift { counts }).await.map_err(told)?;
    }
    Ok(())
}

async fn serve(desk: &Desk, member: &str) -> Outcome<()> {
    let key = MemberKey {
        member_id: member.to_owned(),
    };
    let form = desk.top_up_form(key).await.map_err(told)?;
    let request = QuoteRequest {
        intent: form.intent.clone(),
        member_id: member.to_owned(),
        choice: Choice::Typed {
            text: (TOP_UP.fen() / 100).to_string(),
        },
        channel: ChannelView::Cash,
        cash_part: String::new(),
    };
    let quote = desk.quote(request).await.map_err(told)?;
    let offer = PayCash {
        intent: form.intent,
        quote_id: quote.quote_id,
        tendered: String::new(),
        duplicate_confirmed: true,
        approval: None,
    };
    // Said before it is done: what is not said was never begun.
    figure::say(format_args!("cash {}", serde_json::to_string(&offer)?));
    pay(desk, offer).await
}

/// An offer of a start before this one is an order already, or was never begun.
async fn pay(desk: &Desk, offer: PayCash) -> Outcome<()> {
    let intent = offer.intent.clone();
    match desk.pay_cash(offer).await {
        Ok(order) => figure::say(format_args!("done {intent} {}", order.id)),
        Err(CallError {
            code: ErrorCode::QuoteChanged,
            ..
        }) => figure::say(format_args!("lost {intent}")),
        Err(error) => return Err(told(error).into()),
    }
    Ok(())
}

/// Waits until everything is confirmed, and says what it shows until it may go on.
async fn rest(desk: &Desk, words: &mut UnboundedReceiver<String>) -> Outcome<()> {
    loop {
        let sync = desk.queue(()).await.map_err(told)?.sync;
        if sync.state == SyncState::Synced && sync.pending == 0 {
            break;
        }
        sleep(GLANCE).await;
    }
    figure::say(format_args!("rests"));
    while let Some(word) = words.recv().await {
        match word.strip_prefix("show ") {
            Some(members) => show(desk, members).await?,
            None => return Ok(()),
        }
    }
    Err("nobody is left who lets it go on".into())
}

async fn show(desk: &Desk, members: &str) -> Outcome<()> {
    let mut shown = Vec::new();
    for member in members.split(' ') {
        let key = MemberKey {
            member_id: member.to_owned(),
        };
        let view = desk.member(key).await.map_err(told)?;
        shown.push(view.principal_fen.0.to_string());
    }
    figure::say(format_args!("shows {}", shown.join(" ")));
    Ok(())
}

struct Premises {
    seat: Seat,
    keys: FileKeyHolder,
}

impl Premises {
    /// Joins as a terminal that was shown a code.
    async fn join(&self, code: &str, public_key: [u8; 32]) -> Outcome<Link> {
        let code: EnrolCode = code.parse()?;
        let fingerprint = code.authority.ok_or("the server is not encrypted")?;
        let failed = |error| format!("the terminal does not join: {error:?}");
        let authority = introduce(&self.seat.server, &fingerprint)
            .await
            .map_err(failed)?;
        let place = ServerPlace {
            url: self.seat.server.clone(),
            authority: Some(Base64(authority)),
        };
        let transport = Arc::new(to(&place)?);
        let request = JoinRequest {
            invite: code.invite(),
            public_key: Hex(public_key),
            name: "till".to_owned(),
            terminal_code: None,
        };
        let client = Client::new(Arc::clone(&transport) as _);
        let joined = client.join(&request).await.map_err(failed)?;
        Ok(Link {
            transport,
            joined,
            server: Some(place),
            training: training(),
            books_here: false,
        })
    }
}

fn to(place: &ServerPlace) -> Outcome<HttpTransport> {
    let authority = place.authority.clone().ok_or("the server was never met")?;
    Ok(HttpTransport::new(
        &place.url,
        &Trust::Authority(authority.0),
    )?)
}

/// No recovery code is asked for, and the PINs are those of the sample.
#[expect(clippy::unnecessary_wraps, reason = "a field of the link")]
fn training() -> Option<Training> {
    Some(Training {
        pins: Vec::new(),
        phone_url: String::new(),
    })
}

#[async_trait]
impl Host for Premises {
    fn folder(&self) -> &Path {
        &self.seat.folder
    }

    fn key_holder(&self) -> &dyn KeyHolder {
        &self.keys
    }

    async fn link(
        &self,
        _secrets: &Secrets,
        known: Known,
        public_key: [u8; 32],
    ) -> Result<Link, TroubleCause> {
        let linked = match (known.joined, known.server, &self.seat.code) {
            (Some(joined), Some(place), _) => to(&place).map(|transport| Link {
                transport: Arc::new(transport),
                joined,
                server: Some(place),
                training: training(),
                books_here: false,
            }),
            (_, _, Some(code)) => self.join(code, public_key).await,
            _ => Err("the terminal has not joined and has no code".into()),
        };
        linked.map_err(|error| {
            figure::say(format_args!("trouble {error}"));
            TroubleCause::ServerUnreachable
        })
    }
}
