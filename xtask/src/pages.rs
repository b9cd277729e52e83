//! The window's pages: their packages, their build, and skipping both when nothing changed.

use std::path::Path;

use sha2::{Digest, Sha256};

use crate::error::Error;
use crate::{child, say, tree};

/// Installs the packages of `ui/` as its lock file says; nothing happens if that was done already.
///
/// # Errors
/// Where npm fails.
pub fn install() -> Result<(), Error> {
    let lock = digest(&["ui/package.json".into(), "ui/package-lock.json".into()])?;
    once("ui-packages", &lock, Path::new("ui/node_modules"), || {
        say::line("Installing the window's packages (npm ci)");
        child::run(
            "npm ci",
            &mut child::npm(&["ci", "--no-audit", "--no-fund"]),
        )
        .map(drop)
    })
}

/// Builds the pages into `ui/dist`; nothing happens if no source of theirs changed.
///
/// # Errors
/// Where npm fails.
pub fn build() -> Result<(), Error> {
    install()?;
    once(
        "ui-pages",
        &digest(&sources()?)?,
        Path::new("ui/dist/index.html"),
        || {
            say::line("Building the window's pages");
            child::run("npm run build", &mut child::npm(&["run", "build"])).map(drop)
        },
    )
}

/// Bundles the scripts that tests put into the window (finding controls by role, axe).
///
/// # Errors
/// Where npm fails.
pub fn build_probe() -> Result<(), Error> {
    install()?;
    once(
        "ui-probe",
        &digest(&sources()?)?,
        Path::new("ui/dist-testkit/testkit.js"),
        || {
            say::line("Bundling the scripts of the window tests");
            child::run(
                "npm run build-testkit",
                &mut child::npm(&["run", "build:testkit"]),
            )
            .map(drop)
        },
    )
}

/// Builds the pages over the demo counter, for states that no test can bring about otherwise.
///
/// # Errors
/// Where npm fails.
pub fn build_demo() -> Result<(), Error> {
    install()?;
    once(
        "ui-demo",
        &digest(&sources()?)?,
        Path::new("ui/dist-demo/index.html"),
        || {
            say::line("Building the window's pages over the demo counter");
            child::run(
                "npm run build-demo",
                &mut child::npm(&["run", "build:demo"]),
            )
            .map(drop)
        },
    )
}

fn sources() -> Result<Vec<String>, Error> {
    Ok(tree::files()?
        .into_iter()
        .filter(|name| name.starts_with("ui/") || name.starts_with("assets/"))
        .collect())
}

/// Runs `work` unless it was done for the same `input` and its `product` is still there.
fn once(
    name: &str,
    input: &str,
    product: &Path,
    work: impl FnOnce() -> Result<(), Error>,
) -> Result<(), Error> {
    let folder = tree::root().join("target/xtask");
    std::fs::create_dir_all(&folder).map_err(|source| Error::file(&folder, source))?;
    let mark = folder.join(format!("{name}.done"));
    let done = std::fs::read_to_string(&mark).is_ok_and(|seen| seen == input);
    if done && tree::root().join(product).exists() {
        return Ok(());
    }
    work()?;
    std::fs::write(&mark, input).map_err(|source| Error::file(&mark, source))
}

fn digest(names: &[String]) -> Result<String, Error> {
    let mut hash = Sha256::new();
    for name in names {
        let path = tree::root().join(name);
        let bytes = std::fs::read(&path).map_err(|source| Error::file(&path, source))?;
        hash.update(name.as_bytes());
        hash.update(
            u64::try_from(bytes.len())
                .expect("a file's size fits 64 bits")
                .to_le_bytes(),
        );
        hash.update(bytes);
    }
    Ok(hash
        .finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect())
}
