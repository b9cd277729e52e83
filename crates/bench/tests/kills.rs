//! Three terminals and the server of a shop, killed at moments that a seed chooses. The program
//! itself compares the books with what was taken, after every round, and fails where they differ.

use std::path::{Path, PathBuf};
use std::process::Command;

const PROGRAM: &str = env!("CARGO_BIN_EXE_bench");
/// Kills, cuts and top-ups must all have happened, or nothing was shown.
const ROUNDS: &str = "3";
const SEED: &str = "1";

/// The server of this build, which lies beside the program.
fn server() -> PathBuf {
    let server = Path::new(PROGRAM).with_file_name("qiantai-server");
    assert!(
        server.exists(),
        "build it first: cargo build -p qiantai-server"
    );
    server
}

/// The number before `words` in what was said.
fn count(said: &str, words: &str) -> u32 {
    let before = said.split(words).next().expect("a text has a beginning");
    let number = before.split_whitespace().last();
    let number = number.and_then(|number| number.parse().ok());
    number.unwrap_or_else(|| panic!("no number before {words:?}: {said}"))
}

fn check(books: &str) {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("there is room");
    let output = Command::new(PROGRAM)
        .args(["kills", "--books", books])
        .args(["--rounds", ROUNDS, "--seed", SEED])
        .arg("--server")
        .arg(server())
        .arg("--folder")
        .arg(folder.path())
        .output()
        .expect("the program starts");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{books}: {said}");
    for what in [
        " kills of the server",
        " of terminals",
        " cuts;",
        " top-ups of",
    ] {
        assert!(count(&said, what) > 0, "{books}: none of{what}: {said}");
    }
}

#[test]
fn nothing_is_lost_or_doubled_by_kills_on_a_file() {
    check("sqlite");
}

#[test]
fn nothing_is_lost_or_doubled_by_kills_on_postgres() {
    check("postgres");
}
