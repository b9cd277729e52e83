//! Which crate may see which: the picture of ARCHITECTURE.md, held against `cargo metadata`.

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, Package};

use crate::error::Error;
use crate::tree;

use super::Finding;

/// What each of our crates may depend on, tests left out.
const MAY_SEE: [(&str, &[&str]); 18] = [
    ("qiantai-core", &[]),
    ("qiantai-sqlite", &[]),
    ("qiantai-keystore", &[]),
    ("qiantai-wire", &["qiantai-core"]),
    (
        "qiantai-store",
        &["qiantai-core", "qiantai-sqlite", "qiantai-wire"],
    ),
    ("qiantai-print", &["qiantai-core"]),
    ("qiantai-emv", &["qiantai-core"]),
    ("qiantai-pay", &["qiantai-core", "qiantai-emv"]),
    ("qiantai-sync", &["qiantai-core", "qiantai-wire"]),
    (
        "qiantai-counter",
        &[
            "qiantai-core",
            "qiantai-emv",
            "qiantai-wire",
            "qiantai-store",
            "qiantai-print",
            "qiantai-sync",
            "qiantai-winspool",
        ],
    ),
    (
        "qiantai-server",
        &[
            "qiantai-core",
            "qiantai-sqlite",
            "qiantai-keystore",
            "qiantai-wire",
            "qiantai-sync",
            "qiantai-pay",
        ],
    ),
    ("qiantai-paysim", &["qiantai-core", "qiantai-pay"]),
    (
        "qiantai",
        &[
            "qiantai-core",
            "qiantai-sqlite",
            "qiantai-keystore",
            "qiantai-wire",
            "qiantai-store",
            "qiantai-sync",
            "qiantai-counter",
            "qiantai-server",
            "qiantai-pay",
            "qiantai-paysim",
        ],
    ),
    ("qiantai-testkit", &["qiantai-core", "qiantai-wire"]),
    (
        "qiantai-bench",
        &[
            "qiantai-core",
            "qiantai-sqlite",
            "qiantai-wire",
            "qiantai-store",
            "qiantai-print",
            "qiantai-pay",
            "qiantai-sync",
            "qiantai-counter",
            "qiantai-server",
            "qiantai-paysim",
            "qiantai-testkit",
        ],
    ),
    (
        "qiantai-sim",
        &[
            "qiantai-core",
            "qiantai-wire",
            "qiantai-store",
            "qiantai-sync",
            "qiantai-counter",
            "qiantai-server",
            "qiantai-pay",
            "qiantai-paysim",
        ],
    ),
    ("qiantai-winspool", &[]),
    ("xtask", &[]),
];

/// Libraries that shape a whole crate, and the only crates that may be built on them.
const LIBRARIES: [(&str, &[&str]); 4] = [
    ("tauri", &["qiantai"]),
    (
        "rusqlite",
        &["qiantai-sqlite", "qiantai-store", "qiantai-server"],
    ),
    (
        "reqwest",
        &["qiantai-pay", "qiantai-sync", "qiantai-testkit"],
    ),
    ("printpdf", &["qiantai-print"]),
];

/// Libraries that `core` must never have: it neither serialises nor waits nor asks the machine.
const NEVER_IN_CORE: [&str; 7] = [
    "serde",
    "serde_json",
    "tokio",
    "rand",
    "getrandom",
    "tracing",
    "rusqlite",
];

pub fn check() -> Result<Vec<Finding>, Error> {
    let metadata = MetadataCommand::new()
        .manifest_path(tree::root().join("Cargo.toml"))
        .no_deps()
        .exec()
        .map_err(|error| Error::unreadable("cargo metadata", error))?;
    Ok(metadata
        .packages
        .iter()
        .flat_map(|package| of_package(package, &metadata))
        .collect())
}

fn of_package(package: &Package, metadata: &Metadata) -> Vec<Finding> {
    let manifest = package.manifest_path.strip_prefix(&metadata.workspace_root);
    let path = manifest.unwrap_or(&package.manifest_path).to_string();
    let found = |message| Finding {
        path: path.clone(),
        line: 0,
        message,
    };
    let Some((_, allowed)) = MAY_SEE
        .iter()
        .find(|(name, _)| *name == package.name.as_str())
    else {
        return vec![found(format!(
            "`{}` is a new room: give it a line in ARCHITECTURE.md and in xtask/src/tidy/crates.rs",
            package.name
        ))];
    };
    package
        .dependencies
        .iter()
        .filter(|dependency| dependency.kind != DependencyKind::Development)
        .filter_map(|dependency| judge(&package.name, &dependency.name, allowed))
        .map(found)
        .collect()
}

fn judge(package: &str, dependency: &str, allowed: &[&str]) -> Option<String> {
    let ours = dependency.starts_with("qiantai") || dependency == "xtask";
    if ours && !allowed.contains(&dependency) {
        return Some(format!(
            "`{package}` may not see `{dependency}` (ARCHITECTURE.md, dependency direction); \
             move the code, or declare a trait where it is used"
        ));
    }
    let shaped = LIBRARIES.iter().find(|(library, _)| *library == dependency);
    if shaped.is_some_and(|(_, crates)| !crates.contains(&package)) {
        return Some(format!(
            "`{dependency}` has its own room, and `{package}` is not it"
        ));
    }
    if package == "qiantai-core" && NEVER_IN_CORE.contains(&dependency) {
        return Some(format!(
            "`{dependency}`: core does no IO and serialises nothing; see `wire`"
        ));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directions_are_judged() {
        for (package, dependency, fine) in [
            ("qiantai-store", "qiantai-core", true),
            ("qiantai-core", "qiantai-wire", false),
            ("qiantai-counter", "qiantai-pay", false),
            ("qiantai-counter", "tauri", false),
            ("qiantai-core", "serde", false),
            ("qiantai-wire", "serde", true),
        ] {
            let (_, allowed) = MAY_SEE
                .iter()
                .find(|(name, _)| *name == package)
                .expect("a crate of ours");
            assert_eq!(
                judge(package, dependency, allowed).is_none(),
                fine,
                "{package}: {dependency}"
            );
        }
    }
}
