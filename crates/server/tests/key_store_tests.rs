//! Credentials in a real Secret Service, on a session bus of its own: put there by the command, and
//! taken from there by the check of an account.

use std::path::Path;
use std::process::Command;

use serde_json::json;

use crate::pay_command::Street;
use crate::process::PROGRAM;

/// An unlocked key store, then what stands in `STEPS`.
const WITH_KEY_STORE: &str = r#"
    printf 'password' |
        gnome-keyring-daemon --unlock --components=secrets --daemonize >"$HOME/said" 2>&1 ||
        { cat "$HOME/said"; exit 1; }
    exec sh -c "$STEPS"
"#;

/// Each step's status, and what it said.
const STEPS: &str = r#"
    step() { echo "== $1"; shift; "$@" 2>&1; echo "status $?"; }
    check() { "$PROGRAM" pay wechat check --config "$ACCOUNT"; }
    keep() { "$PROGRAM" credential set wechat-key <"$1"; }
    step nothing check
    step kept keep "$KEY"
    step good check
    step replaced keep "$OTHER"
    step other check
    step has "$PROGRAM" credential has wechat-key
    step removed "$PROGRAM" credential remove wechat-key
    step gone "$PROGRAM" credential has wechat-key
"#;

/// Runs `STEPS` where a key store answers, or where none does; what was said, by step.
fn session(has_store: bool, home: &Path, account: &Path) -> Vec<(String, String)> {
    for part in ["run", "data"] {
        std::fs::create_dir_all(home.join(part)).unwrap();
    }
    let mut session = if has_store {
        let mut bus = Command::new("dbus-run-session");
        bus.args(["--", "sh", "-c", WITH_KEY_STORE]);
        bus
    } else {
        let mut shell = Command::new("sh");
        shell.args(["-c", STEPS]);
        shell.env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent/bus");
        shell
    };
    let ended = session
        .env("STEPS", STEPS)
        .env("PROGRAM", PROGRAM)
        .env("ACCOUNT", account)
        .env("KEY", account.with_file_name("key.pem"))
        .env("OTHER", account.with_file_name("other.pem"))
        .env("HOME", home)
        .env("XDG_RUNTIME_DIR", home.join("run"))
        .env("XDG_DATA_HOME", home.join("data"))
        .env_remove("DISPLAY")
        .output()
        .expect("dbus-run-session is there: `cargo xtask test` installs it");
    let said = String::from_utf8(ended.stdout).unwrap();
    assert!(!said.contains("PRIVATE KEY"), "{said}");
    let steps = said.split("== ").skip(1);
    let steps = steps.map(|step| step.split_once('\n').unwrap());
    steps
        .map(|(name, said)| (name.to_owned(), said.to_owned()))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_put_into_the_key_store_and_taken_from_it_at_every_look() {
    let street = Street::open().await;
    let folder = street.folder.path();
    let account = folder.join("wechat-key.json");
    street.edit("wechat-certificates.json", |settings| {
        let key = settings["private_key"].as_str().unwrap();
        std::fs::write(folder.join("other.pem"), key).unwrap();
    });
    street.edit("wechat-key.json", |settings| {
        let key = settings["private_key"].take();
        std::fs::write(folder.join("key.pem"), key.as_str().unwrap()).unwrap();
        settings["private_key"] = json!({"key_store": "wechat-key"});
    });
    let home = tempfile::tempdir().unwrap();
    let check = |has_store: bool, expected: &[(&str, i32, &str)]| {
        let said = session(has_store, home.path(), &account);
        assert_eq!(said.len(), 8, "{said:?}");
        for (name, status, words) in expected {
            let (_, said) = said.iter().find(|(step, _)| step == name).unwrap();
            let status = format!("status {status}\n");
            assert!(
                said.ends_with(&status) && said.contains(words),
                "{name}: {said}"
            );
        }
    };
    let with_store: [(&str, i32, &str); 8] = [
        (
            "nothing",
            2,
            "private_key: the key store has no entry wechat-key",
        ),
        ("kept", 0, "wechat-key is kept in the key store"),
        ("good", 0, "The channel is ready."),
        ("replaced", 0, "wechat-key is kept in the key store"),
        ("other", 2, "does not fit the certificate"),
        ("has", 0, "wechat-key is in the key store"),
        ("removed", 0, "wechat-key is taken out"),
        ("gone", 2, "the key store has no entry wechat-key"),
    ];
    let without: [(&str, i32, &str); 2] = [
        ("nothing", 2, "private_key: the key store cannot be read"),
        ("kept", 1, ""),
    ];
    tokio::task::block_in_place(|| {
        check(true, &with_store);
        check(false, &without);
    });
}
