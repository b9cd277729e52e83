//! Tests on a small disk of their own, in mounts of which nothing is left afterwards.

use std::path::PathBuf;
use std::process::Command;

use crate::fault::Fault;

const FOLDER: &str = "QIANTAI_SMALL_DISK";

/// Makes the disk, then runs one test in its place.
const SCRIPT: &str =
    r#"mount -t tmpfs -o "size=$1" small "$2" && exec "$3" "$4" --exact --ignored"#;

/// A file system of its own for one test.
#[derive(Debug, Clone, Copy)]
pub struct SmallDisk {
    /// Its size.
    pub megabytes: u32,
    /// Where it is below the test's folder; empty for that folder itself.
    pub below: &'static str,
}

impl SmallDisk {
    /// Runs `test` of this test binary, which is ignored otherwise, where this disk is mounted.
    ///
    /// # Errors
    /// Where the test fails, or the system gives no mounts of our own (`unshare -rm`).
    pub fn run(&self, test: &str) -> Result<(), Fault> {
        let temporary =
            tempfile::tempdir().map_err(|source| Fault::file("a temporary folder", source))?;
        let folder = temporary.path();
        let disk = folder.join(self.below);
        std::fs::create_dir_all(&disk).map_err(|source| Fault::file(&disk, source))?;
        let binary =
            std::env::current_exe().map_err(|source| Fault::file("this test's binary", source))?;
        let ended = Command::new("unshare")
            .args(["-rm", "sh", "-c", SCRIPT, "sh"])
            .arg(format!("{}m", self.megabytes))
            .args([&disk, &binary])
            .arg(test)
            .env(FOLDER, folder)
            .output()
            .map_err(|source| Fault::Start {
                program: "unshare".into(),
                source,
            })?;
        let said = String::from_utf8_lossy(&ended.stdout);
        match ended.status.success() && said.contains("1 passed") {
            true => Ok(()),
            false => {
                let complained = String::from_utf8_lossy(&ended.stderr);
                Err(Fault::Unexpected(format!("{test}: {said}{complained}")))
            }
        }
    }

    /// The folder of the test that [`SmallDisk::run`] runs.
    ///
    /// # Errors
    /// Where the test was started by hand.
    pub fn folder() -> Result<PathBuf, Fault> {
        let folder = std::env::var_os(FOLDER).map(PathBuf::from);
        folder.ok_or_else(|| Fault::Unexpected("this test runs on a small disk only".into()))
    }
}
