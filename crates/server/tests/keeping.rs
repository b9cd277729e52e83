//! Keeping the books with the program itself: `verify` and `doctor`, beside a server that serves.

use std::path::Path;
use std::process::Output;

use crate::conformance::cluster::TestDatabase;
use crate::harness::until;
use crate::process::{Running, program};

fn run(arguments: &[&str]) -> Output {
    program().args(arguments).output().unwrap()
}

fn said(output: &Output) -> String {
    let (out, err) = (&output.stdout, &output.stderr);
    String::from_utf8_lossy(out).into_owned() + &String::from_utf8_lossy(err)
}

fn made(books: [&str; 2]) {
    let made = run(&[
        "init",
        "--sample",
        "gym",
        "--members",
        "5",
        books[0],
        books[1],
    ]);
    assert!(made.status.success(), "{}", said(&made));
}

/// The lines of one topic.
fn lines<'a>(said: &'a str, topic: &str) -> Vec<&'a str> {
    let lines = said.lines();
    lines
        .filter(|line| line.split_whitespace().nth(1) == Some(topic))
        .collect()
}

#[tokio::test]
#[cfg(unix)]
async fn a_replay_that_is_stopped_leaves_nothing() {
    use std::process::Stdio;

    let folder = tempfile::tempdir().unwrap();
    let (data, scratch) = (folder.path().join("data"), folder.path().join("scratch"));
    let data = data.to_str().unwrap();
    std::fs::create_dir(&scratch).unwrap();
    let sample = ["init", "--sample", "gym", "--members", "3000"];
    let made = program().args(sample).args(["--data", data]).output();
    assert!(made.unwrap().status.success());
    let mut command = program();
    command.args(["verify", "--replay", "--data", data]);
    command.env("TMPDIR", &scratch).stderr(Stdio::piped());
    let mut replay = Running(command.stdout(Stdio::null()).spawn().unwrap());
    let count = || scratch.read_dir().unwrap().count();
    until("books beside", || count() > 0).await;
    replay.terminate();
    let ended = replay.0.wait().unwrap();
    assert_eq!(ended.code(), Some(130));
    assert_eq!(count(), 0);
}

#[test]
fn books_are_verified_while_they_are_served() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let database = TestDatabase::make();
    let url = database.url();
    let data = data.to_str().unwrap();
    for books in [["--data", data], ["--database-url", &url]] {
        made(books);
        let (_server, _) = Running::serve(&books);
        let verified = run(&["verify", "--replay", books[0], books[1]]);
        let text = said(&verified);
        assert_eq!(verified.status.code(), Some(0), "{text}");
        assert!(text.contains(" holds: operations="), "{text}");
        assert!(text.contains(" is what its log gives: "), "{text}");
    }
    database.execute("UPDATE account SET points = points + 1");
    let bad = run(&["verify", "--replay", "--database-url", &url]);
    assert_eq!(bad.status.code(), Some(2), "{}", said(&bad));
    assert!(said(&bad).contains("\nBAD account "), "{}", said(&bad));
    database.execute("UPDATE account SET bonus_fen = bonus_fen + 1");
    let bad = run(&["verify", "--database-url", &url]);
    assert_eq!(bad.status.code(), Some(2), "{}", said(&bad));
    assert!(said(&bad).starts_with("BAD account "), "{}", said(&bad));
}

#[tokio::test]
async fn the_head_of_the_day_is_kept_and_proved() {
    let folder = tempfile::tempdir().unwrap();
    let (data, heads) = (folder.path().join("data"), folder.path().join("heads"));
    std::fs::create_dir(&heads).unwrap();
    let (data, heads) = (data.to_str().unwrap(), heads.to_str().unwrap());
    made(["--data", data]);
    let kept = || {
        let files = std::fs::read_dir(heads).unwrap();
        let paths = files.map(|file| file.unwrap().path());
        // A file on its way has another end.
        let mut paths = paths.filter(|path| path.extension().is_some_and(|end| end == "json"));
        paths.next()
    };
    let serving = ["--data", data, "--tree-heads", heads];
    let (server, _) = Running::serve(&serving);
    until("the head of the day", || kept().is_some()).await;
    let head = kept().unwrap();
    let head = head.to_str().unwrap();
    let check = |code: i32, says: &str| {
        let proved = run(&["verify", "--data", data, "--tree-head", head]);
        let text = said(&proved);
        assert_eq!(proved.status.code(), Some(code), "{text}");
        assert!(text.contains(says), "{text}");
    };
    check(0, "operations of ");
    let looked = run(&["doctor", "--data", data, "--tree-heads", heads]);
    let text = said(&looked);
    assert!(
        lines(&text, "head")
            .iter()
            .any(|line| line.starts_with("ok")),
        "{text}"
    );
    drop(server);
    let text = std::fs::read_to_string(head).unwrap();
    std::fs::write(head, text.replace("\"server_seq\": ", "\"server_seq\": 1")).unwrap();
    check(2, "BAD tree head of ");
    std::fs::write(head, "{}").unwrap();
    check(1, "is no tree head");
    let other = folder.path().join("other");
    let other = other.to_str().unwrap();
    made(["--data", other]);
    std::fs::write(head, text).unwrap();
    let foreign = run(&["verify", "--data", other, "--tree-head", head]);
    assert_eq!(foreign.status.code(), Some(2), "{}", said(&foreign));
    assert!(said(&foreign).contains("is of books that are not here"));
}

#[test]
fn a_damaged_page_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let data_name = data.to_str().unwrap();
    made(["--data", data_name]);
    let path = data.join("ledger.db");
    let mut bytes = std::fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    for command in ["verify", "doctor"] {
        let bad = run(&[command, "--data", data_name]);
        let text = said(&bad);
        assert_eq!(bad.status.code(), Some(2), "{command}: {text}");
        assert!(text.contains("BAD"), "{command}: {text}");
        assert!(text.contains("database"), "{command}: {text}");
    }
}

#[test]
fn the_doctor_speaks_plainly() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let name = data.to_str().unwrap();
    let missing = run(&["doctor", "--data", name]);
    assert_eq!(missing.status.code(), Some(2), "{}", said(&missing));
    made(["--data", name]);
    let looked = || {
        let looked = run(&["doctor", "--data", name]);
        (looked.status.code(), said(&looked))
    };
    let (code, text) = looked();
    assert_eq!(code, Some(2), "no backup was made: {text}");
    let check = |text: &str, topic: &str, begins: &str, has: &str| {
        let lines = lines(text, topic);
        assert!(
            lines
                .iter()
                .any(|line| line.starts_with(begins) && line.contains(has)),
            "{topic}: {text}"
        );
    };
    check(&text, "folder", "ok", "no server works in it");
    check(&text, "disk", "", "MiB are free");
    check(&text, "key", "ok", "is the owner's alone");
    // Twenty years, less the moments since it was made.
    check(&text, "authority", "ok", "believe it for 7");
    check(&text, "authority", "ok", "is the owner's alone");
    check(&text, "database", "ok", "SQLite 3.");
    check(&text, "clock", "ok", "not behind the books");
    check(&text, "backup", "BAD", "none was ever made");
    {
        let (_server, _) = Running::serve(&["--data", name]);
        let (_, text) = looked();
        check(&text, "folder", "ok", "a server works in it");
    }
    open_to_all(&data.join("ledger.key"));
    let (_, text) = looked();
    check(&text, "key", "BAD", "mode 644");
    let authority = data.join("tls").join("authority.key");
    open_to_all(&authority);
    let (_, text) = looked();
    check(&text, "authority", "BAD", "mode 644");
    std::fs::remove_file(authority).unwrap();
    let (_, text) = looked();
    check(&text, "authority", "BAD", "must be enrolled again");
    std::fs::remove_file(data.join("ledger.key")).unwrap();
    let (_, text) = looked();
    check(&text, "key", "BAD", "has no ledger.key");
}

#[cfg(unix)]
fn open_to_all(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o644)).unwrap();
}

#[test]
fn books_are_backed_up_while_they_are_served_and_restored_elsewhere() {
    let folder = tempfile::tempdir().unwrap();
    let name = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (data, key) = (name("data"), name("backup.key"));
    let database = TestDatabase::make();
    let url = database.url();
    for (books, with_key, timeline) in [
        (["--data", &data], None, "timeline=1"),
        (["--database-url", &url], Some(&key), "timeline=1"),
    ] {
        made(books);
        // A backup is named by its second; two in one second do not share a folder.
        let backups = name(&format!("backups of {}", &books[0][2..]));
        std::fs::create_dir(&backups).unwrap();
        let (_server, _) = Running::serve(&books);
        let mut backup = program();
        backup.args(["backup", "--to", &backups]).args(books);
        if let Some(key) = with_key {
            let refused = backup.output().unwrap();
            assert!(said(&refused).contains("needs --key-file"));
            backup.args(["--key-file", key]);
        }
        let made = backup.output().unwrap();
        assert!(made.status.success(), "{}", said(&made));
        let text = said(&made);
        let file = text.lines().last().unwrap();
        let file = file.strip_prefix("written and read back: ").unwrap();
        assert!(file.ends_with(".backup"), "{text}");
        let looked = said(&run(&["doctor", books[0], books[1]]));
        let note = lines(&looked, "backup");
        assert!(
            note[0].starts_with("ok") && note[0].contains(file),
            "{looked}"
        );

        let key = with_key.cloned().unwrap_or(format!("{data}/ledger.key"));
        let (again, empty) = (format!("{file}.data"), TestDatabase::make());
        for to in [["--data", &again], ["--database-url", &empty.url()]] {
            let restore = ["restore", "--from", file, "--key-file", &key, to[0], to[1]];
            let restored = run(&restore);
            assert!(restored.status.success(), "{}", said(&restored));
            assert!(!said(&restored).contains(timeline), "{}", said(&restored));
            let refused = run(&restore);
            assert!(!refused.status.success(), "books are never overwritten");
            let verified = run(&["verify", to[0], to[1]]);
            assert!(verified.status.success(), "{}", said(&verified));
            let (_server, _) = Running::serve(&to);
        }
        std::fs::remove_file(file).unwrap();
    }
}
