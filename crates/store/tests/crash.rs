//! A real process, really killed: what it had said was written is there, and nothing else is.

use std::hint::spin_loop;
use std::io::{BufRead, BufReader, Write, stdout};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use qiantai_core::ids::MemberId;
use qiantai_core::operation::Hash;
use qiantai_store::vault::{self, FileKeyHolder};
use qiantai_store::{Store, StoreKeys};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::fixture::{cash_top_up, id, keys, receipt, try_append};

const FOLDER: &str = "QIANTAI_CRASH_FOLDER";
const ROUNDS: u32 = 25;

#[test]
fn what_was_written_survives_a_kill() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("terminal.db");
    let mut random = ChaCha8Rng::seed_from_u64(2);
    let mut known = 0;
    for round in 0..ROUNDS {
        let mut child = start("crash::sells_until_killed", folder.path());
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let sales = random.random_range(1..12_u32);
        let mut said: Vec<String> = lines
            .by_ref()
            .map(Result::unwrap)
            .filter(|line| is_sale(line))
            .take(sales as usize)
            .collect();
        assert_eq!(said.len(), sales as usize, "the child ended by itself");
        kill_after(&mut child, random.random_range(0..400_000));
        said.extend(lines.map_while(Result::ok).filter(|line| is_sale(line)));

        let store = Store::open(&path, &keys()).unwrap();
        store.check_everything().unwrap();
        let head = store.log_head().unwrap();
        let (last, last_hash) = sale(said.last().unwrap());
        assert!(last > known, "round {round}");
        let there = store.operations_after(last - 1, 1).unwrap();
        assert_eq!(there[0].signed.hash(), last_hash, "round {round}");
        assert!(
            head.device_seq <= last + 1,
            "round {round}: more than one sale unsaid"
        );
        let jobs = store.print_jobs(u32::MAX).unwrap().len();
        assert_eq!(
            jobs as u64, head.device_seq,
            "round {round}: a receipt without its sale"
        );
        known = head.device_seq;
    }
}

#[test]
fn a_kill_during_set_up_leaves_something_that_opens_or_nothing() {
    let mut random = ChaCha8Rng::seed_from_u64(3);
    let mut whole = 0;
    for _ in 0..ROUNDS {
        let folder = tempfile::tempdir().unwrap();
        let mut child = start("crash::sets_up_until_killed", folder.path());
        // The child says a line before each step.
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let steps = random.random_range(1..4_u32);
        lines
            .by_ref()
            .map_while(Result::ok)
            .filter(|l| l.starts_with("step"))
            .nth(steps as usize - 1);
        kill_after(&mut child, random.random_range(0..4_000_000));
        if vault::exists(folder.path()).unwrap() {
            let secrets = vault::open(folder.path(), &FileKeyHolder::new(folder.path())).unwrap();
            let path = folder.path().join("terminal.db");
            let store = Store::open_or_create(&path, &StoreKeys::from(&secrets)).unwrap();
            store.check_everything().unwrap();
            whole += 1;
        }
    }
    assert!(whole > 0, "no child came as far as its vault");
}

#[test]
#[ignore = "the process that `what_was_written_survives_a_kill` kills"]
fn sells_until_killed() {
    let folder = std::env::var_os(FOLDER).unwrap();
    let path = Path::new(&folder).join("terminal.db");
    let store = Store::open_or_create(&path, &keys()).unwrap();
    let mut number = u128::from(store.log_head().unwrap().device_seq);
    loop {
        number += 1;
        let jobs = vec![receipt(number, number, vec![7; 40_000])];
        let written = try_append(&store, number, cash_top_up(MemberId(id(0xa)), number), jobs);
        let written = written.unwrap();
        let hash = hex::encode(written.hash);
        writeln!(stdout(), "sale {} {hash}", written.device_seq).unwrap();
    }
}

#[test]
#[ignore = "the process that `a_kill_during_set_up_…` kills"]
fn sets_up_until_killed() {
    let folder = std::env::var_os(FOLDER).unwrap();
    let folder = Path::new(&folder);
    writeln!(stdout(), "\nstep vault").unwrap();
    let (secrets, _) = vault::create(folder, &FileKeyHolder::new(folder)).unwrap();
    writeln!(stdout(), "step store").unwrap();
    let store =
        Store::open_or_create(&folder.join("terminal.db"), &StoreKeys::from(&secrets)).unwrap();
    writeln!(stdout(), "step sale").unwrap();
    for number in 1.. {
        try_append(
            &store,
            number,
            cash_top_up(MemberId(id(0xa)), number),
            Vec::new(),
        )
        .unwrap();
    }
}

fn start(test: &str, folder: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--ignored", "--nocapture"])
        .env(FOLDER, folder)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// Kills without warning (SIGKILL) somewhere in the middle of whatever the child does.
fn kill_after(child: &mut Child, spins: u32) {
    for _ in 0..spins {
        spin_loop();
    }
    child.kill().unwrap();
    child.wait().unwrap();
}

fn is_sale(line: &str) -> bool {
    line.starts_with("sale ") && line.len() > 69
}

fn sale(line: &str) -> (u64, Hash) {
    let mut words = line.split(' ').skip(1);
    let device_seq = words.next().unwrap().parse().unwrap();
    let mut hash = [0; 32];
    hex::decode_to_slice(words.next().unwrap(), &mut hash).unwrap();
    (device_seq, hash)
}
