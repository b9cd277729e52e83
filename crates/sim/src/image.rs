//! What a disk holds at one moment: the database file and its write-ahead log.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Copies the database `name` of `from` to the fresh folder `to`, as a power cut would leave it.
/// Without `with_log` whatever was not yet folded into the file is lost, as on a disk that lies
/// about what it has written.
pub fn copy(from: &Path, to: &Path, name: &str, with_log: bool) -> io::Result<()> {
    fs::create_dir_all(to)?;
    fs::copy(from.join(name), to.join(name))?;
    let log = format!("{name}-wal");
    if with_log && from.join(&log).exists() {
        fs::copy(from.join(&log), to.join(&log))?;
    }
    Ok(())
}

/// A folder of `root` that no image had before.
pub struct Shelf {
    root: PathBuf,
    next: u32,
}

impl Shelf {
    /// Images of one machine below `root`.
    pub fn new(root: PathBuf) -> Shelf {
        Shelf { root, next: 0 }
    }

    /// The next free folder.
    pub fn next(&mut self) -> io::Result<PathBuf> {
        self.next += 1;
        let folder = self.root.join(self.next.to_string());
        fs::create_dir_all(&folder)?;
        Ok(folder)
    }
}
