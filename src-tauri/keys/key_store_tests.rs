//! The key holder before a real Secret Service, on a session bus of its own.
//!
//! Each start of the terminal is a process of its own: this test binary again, with the test
//! [`one_start`]. `cargo xtask test` installs the key store and says so where it cannot.

use std::path::{Path, PathBuf};
use std::process::Command;

use qiantai_counter::boot::{self, OpenFiles, Trouble};
use qiantai_counter::view::boot::TroubleCause;

use super::*;

/// What [`one_start`] reads: the data folder, and where the recovery code is kept between starts.
const FOLDER: &str = "QIANTAI_TEST_FOLDER";
/// How that start opens the files: `key` or `code`.
const BY: &str = "QIANTAI_TEST_BY";
/// What it must come to: `made`, `opened` or `lost`.
const COMES_TO: &str = "QIANTAI_TEST_COMES_TO";

/// An unlocked key store, then the starts that stand in the arguments.
const WITH_KEY_STORE: &str = r#"
    printf 'password' |
        gnome-keyring-daemon --unlock --components=secrets --daemonize >"$HOME/said" 2>&1 ||
        { cat "$HOME/said"; exit 1; }
    exec sh -c "$STARTS"
"#;
const WITHOUT: &str = r#"exec sh -c "$STARTS""#;

/// How a start opens the files, and what it must come to.
type Start = (&'static str, &'static str);

struct Computer {
    disk: tempfile::TempDir,
}

impl Computer {
    fn new() -> Computer {
        Computer {
            disk: tempfile::tempdir().expect("a folder"),
        }
    }

    fn folder(&self) -> PathBuf {
        self.disk.path().join("till")
    }

    fn has_key_file(&self) -> bool {
        self.folder().join("kek.key").exists()
    }

    /// Starts the terminal once for each of `starts`, while `user` is signed in to the desktop.
    /// Each user has a key store of his own; where nobody is, none answers.
    fn session(&self, user: Option<&str>, starts: &[Start]) {
        let home = self.disk.path().join(user.unwrap_or("nobody"));
        for part in ["run", "data"] {
            std::fs::create_dir_all(home.join(part)).expect("a home");
        }
        let program = std::env::current_exe().expect("this test is a program");
        let lines: Vec<_> = starts
            .iter()
            .map(|(by, comes_to)| {
                format!(
                    "{BY}={by} {COMES_TO}={comes_to} \"$PROGRAM\" {test} --exact --ignored --nocapture",
                    test = "keys::key_store_tests::one_start"
                )
            })
            .collect();
        let mut session = match user {
            Some(_) => {
                let mut bus = Command::new("dbus-run-session");
                bus.args(["--", "sh", "-c", WITH_KEY_STORE]);
                bus
            }
            None => {
                let mut shell = Command::new("sh");
                shell.args(["-c", WITHOUT]);
                shell.env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent/bus");
                shell
            }
        };
        let ended = session
            .env("STARTS", lines.join(" && "))
            .env("PROGRAM", program)
            .env(FOLDER, self.folder())
            .env("HOME", &home)
            .env("XDG_RUNTIME_DIR", home.join("run"))
            .env("XDG_DATA_HOME", home.join("data"))
            .env_remove("DISPLAY")
            .output()
            .expect("dbus-run-session is there: `cargo xtask test` installs it");
        let said = String::from_utf8_lossy(&ended.stdout);
        assert!(
            ended.status.success() && said.matches("1 passed").count() == starts.len(),
            "{user:?} {starts:?}\n{said}{}",
            String::from_utf8_lossy(&ended.stderr)
        );
    }
}

#[test]
fn the_key_is_kept_by_the_desktop_and_found_after_every_restart() {
    let computer = Computer::new();
    computer.session(Some("owner"), &[("key", "made"), ("key", "opened")]);
    // Signed out and in again: the key store itself has restarted.
    computer.session(Some("owner"), &[("key", "opened")]);
    assert!(!computer.has_key_file(), "the key lies in a file");
}

#[test]
fn a_lost_key_is_said_and_the_code_brings_it_back() {
    let computer = Computer::new();
    computer.session(Some("owner"), &[("key", "made")]);
    let before = contents(&computer.folder());
    // The computer was set up anew: its key store is empty.
    computer.session(Some("stranger"), &[("key", "lost")]);
    // The key store does not answer: the key may still be there, and no second one is made.
    computer.session(None, &[("key", "lost")]);
    assert!(contents(&computer.folder()) == before, "something changed");
    computer.session(Some("stranger"), &[("code", "opened"), ("key", "opened")]);
    computer.session(Some("stranger"), &[("key", "opened")]);
    assert!(!computer.has_key_file(), "the key lies in a file");
}

#[test]
fn without_a_key_store_the_key_lies_in_a_file_of_its_own() {
    use std::os::unix::fs::PermissionsExt;

    let computer = Computer::new();
    computer.session(None, &[("key", "made"), ("key", "opened")]);
    let key_file = computer.folder().join("kek.key");
    let about = std::fs::metadata(&key_file).expect("the key file");
    assert_eq!(about.permissions().mode() & 0o777, 0o600);
    // A key store that turns up later does not look like a lost key.
    computer.session(Some("owner"), &[("key", "opened")]);
    std::fs::remove_file(&key_file).expect("the key file");
    computer.session(
        None,
        &[("key", "lost"), ("code", "opened"), ("key", "opened")],
    );
    assert!(computer.has_key_file());
}

#[test]
#[ignore = "one start of the terminal, run by the tests above"]
fn one_start() {
    let variable = |name: &str| std::env::var(name).expect("set by the test that starts this one");
    let folder = PathBuf::from(variable(FOLDER));
    let code_file = folder.with_file_name("code");
    let keys = TerminalKeys::of(&folder);
    let opened = match variable(BY).as_str() {
        "code" => {
            let code = std::fs::read_to_string(&code_file).expect("the code of the first start");
            boot::open_with_code(&folder, &keys, &code)
                .map_err(|trouble| trouble.expect("the right code"))
        }
        _ => boot::open_files(&folder, &keys),
    };
    let comes_to = match opened {
        Ok(OpenFiles {
            new_code: Some(code),
            ..
        }) => {
            boot::first_start_done(&folder)
                .map_err(|_| ())
                .expect("the folder can be written");
            std::fs::write(&code_file, code.to_string()).expect("the disk has room");
            "made"
        }
        Ok(_) => "opened",
        Err(Trouble {
            cause: TroubleCause::KeyLost,
            recoverable: true,
        }) => "lost",
        Err(Trouble { cause, .. }) => panic!("{cause:?}"),
    };
    assert_eq!(comes_to, variable(COMES_TO));
}

/// The files of `folder` that carry something: vault, key and store.
fn contents(folder: &Path) -> Vec<Option<Vec<u8>>> {
    ["vault.json", "kek.key", "terminal.db"]
        .map(|name| std::fs::read(folder.join(name)).ok())
        .to_vec()
}
