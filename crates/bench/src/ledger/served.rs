//! Books that the real server serves: a process of its own, reached over TLS by terminals that have
//! joined it as any terminal does.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use ed25519_dalek::SigningKey;
use qiantai_core::ids::TenantId;
use qiantai_core::member::MemberStatus;
use qiantai_core::policy::Policy;
use qiantai_server::data_folder;
use qiantai_server::db::Archive;
use qiantai_server::db::postgres::{Holder, PostgresLedger};
use qiantai_server::db::sqlite::SqliteLedger;
use qiantai_sync::Client;
use qiantai_sync::transport::{HttpTransport, Trust, introduce};
use qiantai_testkit::Group;
use qiantai_wire::api::{JoinAnswer, JoinRequest};
use qiantai_wire::enrol::{EnrolCode, invite_text};
use qiantai_wire::text::Hex;
use uuid::Uuid;

use super::till::{Customer, TOP_UP, Till};
use crate::{Outcome, memory};

/// Members in one reading of the books.
const PAGE: u32 = 2_000;
/// Code of the sample's store.
pub const STORE: &str = "00201";
const LISTENING: &str = "listening on ";

/// Where books lie.
pub enum Place {
    /// A folder with an embedded ledger, its key beside it.
    Folder(PathBuf),
    /// A database, and a folder for the server's certificates.
    Database(String, PathBuf),
}

/// The server with its terminals.
pub struct Served {
    /// Every terminal of the shop.
    pub tills: Vec<Till>,
    place: Place,
    server: Group,
    /// What the accounts said before the first top-up.
    before: Totals,
}

/// What all accounts of a shop say together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Rows of the journal.
    pub journal_rows: u64,
    /// Money ever brought, in fen.
    pub recharged_fen: i64,
}

/// How large a shop is.
#[derive(Clone, Copy, Debug)]
pub struct ShopSize {
    /// How many terminals.
    pub tills: u8,
    /// How many members.
    pub members: u32,
    /// Of a hundred members, how many are kept for the measurements.
    pub measured_percent: usize,
}

impl Served {
    /// Makes a shop, serves it, and lets its terminals join and open their shifts.
    pub async fn open(program: &Path, place: Place, size: ShopSize) -> Outcome<Served> {
        let members = size.members.to_string();
        let sample = ["init", "--sample", "salon", "--members", &members];
        run(&mut place.command(program, &sample))?;
        let (server, url) = serve(program, &place)?;
        let ledger = place.read()?;
        let tenant = ledger.tenants()?.pop().ok_or("the books are empty")?.id;
        let policy = ledger.policies(tenant)?.pop();
        let policy = policy.ok_or("the shop has no rules")?;
        let (mut customers, before) = customers(ledger.as_ref(), tenant, size)?;
        let mut tills = Vec::new();
        for number in 1..=size.tills {
            let seat = join(program, &place, &url, number).await?;
            let of_till = customers.pop().ok_or("a terminal has no customers")?;
            tills.push(open_till(seat, &policy, of_till, number).await?);
        }
        Ok(Served {
            tills,
            place,
            server,
            before,
        })
    }

    /// What the process takes, in KiB.
    pub fn memory_kib(&self) -> Outcome<u64> {
        Ok(memory::of_group(self.server.id())?.values().sum())
    }

    /// Rows of the journal before the first top-up; every top-up adds one.
    pub fn rows_before(&self) -> u64 {
        self.before.journal_rows
    }

    /// Looks into the books: they must hold exactly `top_ups`, every one credited and none with a
    /// case. Otherwise other work was measured than was meant.
    pub fn examine(&self, top_ups: u64) -> Outcome<()> {
        let ledger = self.place.read()?;
        let tenant = ledger.tenants()?.pop().ok_or("the books are empty")?.id;
        if let Some(case) = ledger.cases(tenant, 1)?.pop() {
            return Err(format!("a top-up was not ordinary: {case:?}").into());
        }
        let mut now = Totals::default();
        each_member(ledger.as_ref(), tenant, &mut |customer| now.add(&customer))?;
        let due = Totals {
            journal_rows: self.before.journal_rows + top_ups,
            recharged_fen: self.before.recharged_fen + TOP_UP.fen() * i64::try_from(top_ups)?,
        };
        match now == due {
            true => Ok(()),
            false => Err(format!("the books say {now:?} instead of {due:?}").into()),
        }
    }
}

impl Totals {
    fn add(&mut self, customer: &Customer) {
        self.journal_rows += customer.account.last_seq;
        self.recharged_fen += customer.account.recharged.fen();
    }
}

impl Place {
    /// The server's program, told where the books are; encrypted as on a network, and with limits
    /// that no till of this run meets.
    pub fn command(&self, program: &Path, arguments: &[&str]) -> Command {
        let mut command = Command::new(program);
        command.args(arguments);
        match self {
            Place::Folder(folder) => command.arg("--data").arg(folder),
            Place::Database(url, certificates) => command
                .args(["--database-url", url])
                .arg("--tls-folder")
                .arg(certificates),
        };
        command
            .args(["--plain-http", "never", "--log-filter", "warn"])
            .args(["--device-requests-per-s", "1000000"])
            .args(["--stranger-requests-per-min", "1000000"]);
        command
    }

    /// The books, beside the server that writes them.
    pub fn read(&self) -> Outcome<Box<dyn Archive>> {
        Ok(match self {
            Place::Folder(folder) => {
                let key = data_folder::read_key(folder)?;
                let path = data_folder::ledger_path(folder);
                Box::new(SqliteLedger::open_beside(&path, Some(key))?)
            }
            Place::Database(url, _) => {
                let reader = Holder::fresh(Uuid::now_v7(), String::new());
                Box::new(PostgresLedger::open_beside(url, reader)?)
            }
        })
    }
}

/// Runs a program to its end, and gives what it said.
pub fn run(command: &mut Command) -> Outcome<String> {
    let output = command.stdin(Stdio::null()).output()?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(format!("{command:?} failed:\n{said}").into());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// What the server is told to serve on a free port.
pub const SERVE: [&str; 3] = ["serve", "--listen", "127.0.0.1:0"];

fn serve(program: &Path, place: &Place) -> Outcome<(Group, String)> {
    started(place.command(program, &SERVE))
}

/// The process, and the address at which it serves.
pub fn started(mut command: Command) -> Outcome<(Group, String)> {
    let mut server = Group::start(command.stdout(Stdio::piped()))?;
    let output = server.child().stdout.take();
    let lines = BufReader::new(output.ok_or("the server has no output")?).lines();
    for line in lines.map_while(Result::ok) {
        if let Some(url) = line.strip_prefix(LISTENING) {
            return Ok((server, url.to_owned()));
        }
    }
    Err("the server does not start".into())
}

/// Every member who can be topped up, dealt to the terminals, and what they have together. Members
/// are kept for the measurements in the order in which they come.
fn customers(
    ledger: &dyn Archive,
    tenant: TenantId,
    size: ShopSize,
) -> Outcome<(Vec<[Vec<Customer>; 2]>, Totals)> {
    let mut dealt: Vec<[Vec<Customer>; 2]> = Vec::new();
    dealt.resize_with(usize::from(size.tills), Default::default);
    let (mut totals, mut number) = (Totals::default(), 0);
    each_member(ledger, tenant, &mut |customer| {
        totals.add(&customer);
        if customer.member.status == MemberStatus::Active {
            let till = &mut dealt[number % usize::from(size.tills)];
            let is_other = number / usize::from(size.tills) % 100 >= size.measured_percent;
            till[usize::from(is_other)].push(customer);
            number += 1;
        }
    })?;
    Ok((dealt, totals))
}

fn each_member(
    ledger: &dyn Archive,
    tenant: TenantId,
    visit: &mut dyn FnMut(Customer),
) -> Outcome<()> {
    let mut after = None;
    loop {
        let page = ledger.member_page(tenant, after, PAGE)?;
        let Some(last) = page.last() else {
            return Ok(());
        };
        after = Some(last.member.id);
        for row in page {
            if let Some(account) = row.account {
                visit(Customer::new(row.member, account));
            }
        }
    }
}

/// Joins as a terminal that was shown a code.
async fn join(
    program: &Path,
    place: &Place,
    url: &str,
    number: u8,
) -> Outcome<(Client, SigningKey, JoinAnswer)> {
    let enrol = ["enrol", "--store", STORE, "--address", url];
    let said = run(&mut place.command(program, &enrol))?;
    let code: EnrolCode = said.lines().next().ok_or("there is no code")?.parse()?;
    let fingerprint = code.authority.ok_or("the server is not encrypted")?;
    let failed = |error| format!("a terminal does not join: {error:?}");
    let authority = introduce(url, &fingerprint).await.map_err(failed)?;
    let transport = HttpTransport::new(url, &Trust::Authority(authority))?;
    let client = Client::new(Arc::new(transport));
    let key = SigningKey::from_bytes(&[number; 32]);
    let request = JoinRequest {
        invite: invite_text(&code.secret),
        public_key: Hex(key.verifying_key().to_bytes()),
        name: format!("till {number}"),
        terminal_code: None,
    };
    let joined = client.join(&request).await.map_err(failed)?;
    Ok((client.with_token(&joined.token), key, joined))
}

async fn open_till(
    seat: (Client, SigningKey, JoinAnswer),
    policy: &Arc<Policy>,
    customers: [Vec<Customer>; 2],
    number: u8,
) -> Outcome<Till> {
    let mut till = Till::new(seat, Arc::clone(policy), customers, u64::from(number));
    till.open_shift().await?;
    Ok(till)
}
