//! What a durable write costs at least: one row, one transaction, one file.

use std::path::Path;
use std::time::{Duration, Instant};

use crate::Outcome;

/// Makes a file in `folder` with the product's write-ahead log and `synchronous=FULL` but without its
/// encryption, with one table and no index. What comes back commits one row of the given bytes and
/// tells how long that took.
pub fn bare_commits(folder: &Path) -> Outcome<impl FnMut(&[u8]) -> Outcome<Duration>> {
    let options = qiantai_sqlite::OpenOptions {
        key: None,
        create: true,
        read_only: false,
    };
    let connection = qiantai_sqlite::open(&folder.join("bare.db"), options)?;
    connection.execute_batch("CREATE TABLE row (id INTEGER PRIMARY KEY, bytes BLOB) STRICT;")?;
    Ok(move |bytes: &[u8]| {
        let began = Instant::now();
        let mut insert = connection.prepare_cached("INSERT INTO row (bytes) VALUES (?1)")?;
        insert.execute([bytes])?;
        Ok(began.elapsed())
    })
}
