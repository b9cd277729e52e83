//! Libraries that only one room may see.

use super::Finding;
use super::source::Source;

struct Room {
    library: &'static str,
    /// Folders or files that may see it.
    allowed: &'static [&'static str],
    instead: &'static str,
}

const RUST: [Room; 4] = [
    Room {
        library: "tauri",
        allowed: &["src-tauri/"],
        instead: "only src-tauri knows the desktop; pass what is needed as an argument or a trait",
    },
    Room {
        library: "rusqlite",
        allowed: &[
            "crates/sqlite/",
            "crates/store/",
            "crates/server/src/db",
            "crates/server/tests/",
        ],
        instead: "only the store and the server's db modules know the database; add a named read there",
    },
    Room {
        library: "reqwest",
        allowed: &["crates/testkit/"],
        instead: "only transport files speak HTTP as a client; go through the transport trait",
    },
    Room {
        library: "axum",
        allowed: &[
            "crates/server/",
            "crates/paysim/",
            "crates/sync/",
            "crates/pay/",
            "crates/sim/",
            "src-tauri/",
            "tests/",
        ],
        instead: "only the server, the simulated gateway and the host that runs them know the web framework",
    },
];

pub fn check(source: &Source) -> Vec<Finding> {
    let mut findings = rust(source);
    if source.is_in(&["ui/src/"]) && !source.is_in(&["ui/src/platform/"]) {
        for (index, line) in source.text.lines().enumerate() {
            if line.contains("@tauri-apps/") {
                findings.push(Finding {
                    path: source.path.clone(),
                    line: index + 1,
                    message: "only ui/src/platform knows the desktop; call it through the platform"
                        .into(),
                });
            }
        }
    }
    findings
}

fn rust(source: &Source) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut report = |line, message: &str| {
        findings.push(Finding {
            path: source.path.clone(),
            line,
            message: message.to_owned(),
        });
    };
    for room in RUST {
        let transport = room.library == "reqwest" && source.path.contains("transport");
        if transport || source.is_in(room.allowed) {
            continue;
        }
        let mut lines = source.lines_with(&[room.library, ":", ":"], false);
        lines.dedup();
        for line in lines {
            report(line, &format!("`{}`: {}", room.library, room.instead));
        }
    }
    if source.is_in(&["crates/core/src/"]) {
        for line in source.lines_with(&["serde", ":", ":"], true) {
            report(
                line,
                "`serde`: domain types are not serialisable; convert them in `wire`",
            );
        }
    }
    findings
}
