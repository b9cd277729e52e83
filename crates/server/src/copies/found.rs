//! The files of second copies below a folder, and the records in them.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use qiantai_core::ids::DeviceId;
use qiantai_core::operation::Hash;
use qiantai_wire::copy::{CopyHead, CopyRecord, EXTENSION, HEAD_LEN, find_records};

use super::{BadRecord, Badness, BroughtBack, CopiesError, Stopped};
use crate::db::Tenant;

/// How deep files are looked for below the folder that was given.
const DEPTH_MAX: usize = 3;

/// The records of one terminal.
pub(super) struct Found {
    pub(super) head: CopyHead,
    /// By their places, in the order of the files.
    pub(super) records: BTreeMap<u64, Vec<Spotted>>,
    pub(super) bad: Vec<BadRecord>,
}

/// A whole record and where it is.
pub(super) struct Spotted {
    pub(super) record: CopyRecord,
    path: PathBuf,
    at: usize,
}

impl Spotted {
    /// What is told of it, and the hash of what it should hold.
    pub(super) fn bad(&self, number: Option<u64>, why: Badness) -> (BadRecord, Hash) {
        (bad(&self.path, self.at, number, why), self.record.hash)
    }
}

impl Found {
    fn of(head: CopyHead) -> Found {
        Found {
            head,
            records: BTreeMap::new(),
            bad: Vec::new(),
        }
    }

    pub(super) fn untouched(&self, why: Option<Stopped>) -> BroughtBack {
        BroughtBack {
            device: self.head.device,
            copied: self.records.len(),
            new: 0,
            kept: 0,
            bad: self.bad.clone(),
            missing: Vec::new(),
            stopped: why,
        }
    }

    fn take(&mut self, path: &Path, bytes: &[u8], from: usize) {
        let (records, damages) = find_records(&bytes[from..]);
        for damage in damages {
            let why = Badness::Damaged(damage.length);
            let number = number_at(&records, damage.at);
            self.bad.push(bad(path, from + damage.at, number, why));
        }
        for (at, record) in records {
            let spotted = Spotted {
                path: path.to_owned(),
                at: from + at,
                record,
            };
            let of_place = self.records.entry(spotted.record.device_seq);
            of_place.or_default().push(spotted);
        }
    }
}

/// A file has the numbers in order: what is damaged is the one after its neighbour, or before it.
fn number_at(records: &[(usize, CopyRecord)], at: usize) -> Option<u64> {
    let behind = records.partition_point(|(begins, _)| *begins < at);
    let before = behind.checked_sub(1).map(|it| records[it].1.device_seq + 1);
    before.or_else(|| records.get(behind)?.1.device_seq.checked_sub(1))
}

/// The copies below `folder` by terminal, and files of nobody. Where the head of a file is damaged,
/// `known` has those that it may have had.
pub(super) fn found_in(
    folder: &Path,
    known: &[(CopyHead, Tenant)],
) -> Result<(Vec<Found>, Vec<PathBuf>), CopiesError> {
    let mut paths = Vec::new();
    files_below(folder, DEPTH_MAX, &mut paths)?;
    paths.sort();
    if paths.is_empty() {
        return Err(CopiesError::Nothing(folder.to_owned()));
    }
    let mut found: BTreeMap<(DeviceId, u32), Found> = BTreeMap::new();
    let mut strange = Vec::new();
    for path in paths {
        let bytes = fs::read(&path).map_err(|error| file(&path, error))?;
        let of = |found: &mut BTreeMap<_, _>, head: CopyHead| {
            let place = (head.device, head.epoch);
            found.remove(&place).unwrap_or_else(|| Found::of(head))
        };
        let of_terminal = if let Ok(head) = CopyHead::parse(&bytes) {
            let mut of_terminal: Found = of(&mut found, head);
            of_terminal.take(&path, &bytes, HEAD_LEN);
            of_terminal
        } else if let Some(head) = head_of(&bytes, known) {
            let mut of_terminal: Found = of(&mut found, head);
            of_terminal.bad.push(bad(&path, 0, None, Badness::Head));
            of_terminal.take(&path, &bytes, HEAD_LEN.min(bytes.len()));
            of_terminal
        } else {
            strange.push(path);
            continue;
        };
        let head = of_terminal.head;
        found.insert((head.device, head.epoch), of_terminal);
    }
    Ok((found.into_values().collect(), strange))
}

/// The head under which the first whole record opens.
fn head_of(bytes: &[u8], known: &[(CopyHead, Tenant)]) -> Option<CopyHead> {
    let (records, _) = find_records(bytes.get(HEAD_LEN..)?);
    let (_, record) = records.first()?;
    let opens =
        |(head, tenant): &&(CopyHead, Tenant)| record.open(head, &tenant.signing_key()).is_ok();
    known.iter().find(opens).map(|(head, _)| *head)
}

fn bad(path: &Path, at: usize, number: Option<u64>, why: Badness) -> BadRecord {
    BadRecord {
        path: path.to_owned(),
        at: at as u64,
        number,
        why,
    }
}

fn files_below(folder: &Path, depth: usize, paths: &mut Vec<PathBuf>) -> Result<(), CopiesError> {
    let entries = fs::read_dir(folder).map_err(|error| file(folder, error))?;
    for entry in entries {
        let path = entry.map_err(|error| file(folder, error))?.path();
        if path.is_dir() && depth > 0 {
            files_below(&path, depth - 1, paths)?;
        } else if path.extension().is_some_and(|end| end == EXTENSION) {
            paths.push(path);
        }
    }
    Ok(())
}

fn file(path: &Path, error: io::Error) -> CopiesError {
    CopiesError::File {
        path: path.to_owned(),
        error,
    }
}
