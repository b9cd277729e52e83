//! A second place for own operations: files in a folder on another disk, appended to and flushed,
//! sealed for the server (docs: sync, "Writing"). It says itself how far it has come, so that a
//! folder that was away, or another stick in its place, is simply filled from where it ends.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use qiantai_core::operation::Hash;
use qiantai_wire::api::PushedProfile;
use qiantai_wire::copy::{CopyHead, CopyRecord, EXTENSION, HEAD_LEN, read_records};

use crate::error::StoreError;
use crate::store::Store;
use crate::tables::operation::LogHead;
use crate::tables::{chain_start, operation};

/// The folder of ours in the folder that people choose. It is made when they choose it and never
/// later: where a stick is not plugged in, its empty mount point must not be taken for it.
const FOLDER: &str = "qiantai-copy";

/// A file grows to this length before the next one begins.
const FILE_LEN_MAX: u64 = 4 << 20;

/// Operations written and flushed at one time.
const AT_ONCE: u32 = 64;

/// Why the second copy does not go on.
#[derive(Debug, thiserror::Error)]
pub enum CopyFault {
    /// The folder is not there: not plugged in, or never chosen.
    #[error("the folder of the second copy is not there")]
    Gone,
    /// The disk of the copy is full.
    #[error("the disk of the second copy is full")]
    Full,
    /// Nothing can be written there.
    #[error("the second copy cannot be written: {0}")]
    NotWritable(io::Error),
    /// It holds other operations of this terminal than those here.
    #[error("the second copy holds another history from operation {0} on")]
    OtherHistory(u64),
    /// The server's key is not valid.
    #[error("the server's key cannot seal")]
    Key,
    /// The terminal's own store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<io::Error> for CopyFault {
    fn from(error: io::Error) -> CopyFault {
        match error.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => CopyFault::Full,
            ErrorKind::NotFound | ErrorKind::NotADirectory => CopyFault::Gone,
            _ => CopyFault::NotWritable(error),
        }
    }
}

/// The files of one terminal in a folder, open at their end.
pub struct SecondCopy {
    folder: PathBuf,
    head: CopyHead,
    file: Option<OpenFile>,
    end: LogHead,
}

struct OpenFile {
    file: File,
    length: u64,
}

impl SecondCopy {
    /// Takes the folder that a person has chosen for the copy.
    ///
    /// # Errors
    /// It is not there or cannot be written.
    pub fn choose(folder: &Path) -> Result<(), CopyFault> {
        if !folder.is_dir() {
            return Err(CopyFault::Gone);
        }
        let ours = folder.join(FOLDER);
        match fs::create_dir(&ours) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error.into()),
        }
        // Told now, not with the first sale.
        tempfile::tempfile_in(&ours)?.write_all(b"qiantai")?;
        Ok(())
    }

    /// Opens the copy of a terminal in a chosen folder, where it ends. What was cut off while it was
    /// written is written again.
    ///
    /// # Errors
    /// See [`CopyFault`].
    pub fn open(folder: &Path, head: CopyHead) -> Result<SecondCopy, CopyFault> {
        let folder = folder.join(FOLDER);
        let mut copy = SecondCopy {
            head,
            file: None,
            end: LogHead {
                device_seq: 0,
                hash: [0; 32],
            },
            folder,
        };
        // The newest file with anything whole in it tells where the copy ends.
        for path in copy.files()?.into_iter().rev() {
            let bytes = fs::read(&path)?;
            if CopyHead::parse(&bytes) != Ok(head) {
                continue;
            }
            let (records, whole) = read_records(&bytes[HEAD_LEN..]);
            let Some(last) = records.last() else {
                continue;
            };
            copy.end = LogHead {
                device_seq: last.device_seq,
                hash: last.hash,
            };
            let length = u64::try_from(HEAD_LEN + whole).unwrap_or(u64::MAX);
            let file = OpenOptions::new().append(true).open(&path)?;
            file.set_len(length)?;
            copy.file = Some(OpenFile { file, length });
            break;
        }
        Ok(copy)
    }

    /// The last operation that is safe there.
    pub fn end(&self) -> LogHead {
        self.end
    }

    /// Brings the copy to the end of the terminal's log. How far it came stands in
    /// [`SecondCopy::end`] also when it fails.
    ///
    /// # Errors
    /// See [`CopyFault`].
    pub fn catch_up(&mut self, store: &Store) -> Result<(), CopyFault> {
        let from = store.copied_up_to(&self.end)?;
        let mut after = from.ok_or(CopyFault::OtherHistory(self.end.device_seq))?;
        loop {
            let rows = store.operations_after(after, AT_ONCE)?;
            let Some(last) = rows.last() else {
                return Ok(());
            };
            let (first_seq, last_seq) = (rows[0].device_seq, last.device_seq);
            let profiles = store.new_member_profiles(first_seq, AT_ONCE)?;
            let mut bytes = Vec::new();
            for row in &rows {
                let profile = profile_of(row.member, row.kind, &profiles);
                let record = CopyRecord::seal(&self.head, row.device_seq, &row.signed, profile);
                let record = record.map_err(|_| CopyFault::Key)?;
                bytes.extend_from_slice(&record.to_bytes());
            }
            self.write(first_seq, &bytes)?;
            self.end = LogHead {
                device_seq: last_seq,
                hash: last.signed.hash(),
            };
            after = last_seq;
        }
    }

    /// All of it is on the disk when this returns. After a failure the file is opened anew, so that
    /// nothing is appended behind half a record.
    fn write(&mut self, first_seq: u64, bytes: &[u8]) -> Result<(), CopyFault> {
        let full = |file: &OpenFile| file.length >= FILE_LEN_MAX;
        let mut open = match self.file.take() {
            Some(file) if !full(&file) => {
                // A folder that went away is not written into an unlinked file.
                if !self.folder.is_dir() {
                    return Err(CopyFault::Gone);
                }
                file
            }
            _ => self.begin(first_seq)?,
        };
        if let Err(error) = open
            .file
            .write_all(bytes)
            .and_then(|()| open.file.sync_data())
        {
            // Best effort: where this fails too, the next opening cuts it off.
            drop(open.file.set_len(open.length));
            return Err(error.into());
        }
        open.length += bytes.len() as u64;
        self.file = Some(open);
        Ok(())
    }

    fn begin(&self, first_seq: u64) -> Result<OpenFile, CopyFault> {
        let taken = self.files()?;
        let named = |turn: usize| self.folder.join(self.name(first_seq, turn));
        let path = (0..=taken.len()).map(named).find(|path| !path.exists());
        let path = path.ok_or(CopyFault::Gone)?;
        let mut file = OpenOptions::new()
            .append(true)
            .create_new(true)
            .open(&path)?;
        let head = self.head.to_bytes();
        let begun = file.write_all(&head).and_then(|()| file.sync_all());
        if let Err(error) = begun.and_then(|()| sync_folder(&self.folder)) {
            // A file without anything in it is passed over, but they must not become many.
            drop(fs::remove_file(&path));
            return Err(error.into());
        }
        Ok(OpenFile {
            file,
            length: head.len() as u64,
        })
    }

    /// This terminal's files, oldest first.
    fn files(&self) -> Result<Vec<PathBuf>, CopyFault> {
        let begins = self.prefix();
        let mut files = Vec::new();
        for entry in fs::read_dir(&self.folder)? {
            let entry = entry?;
            let name = entry.file_name();
            let name = name.to_string_lossy();
            if name.starts_with(&begins) && name.ends_with(EXTENSION) {
                files.push(entry.path());
            }
        }
        files.sort();
        Ok(files)
    }

    fn prefix(&self) -> String {
        format!("{}-{}-", self.head.device, self.head.epoch)
    }

    /// Names sort in the order in which the files were begun.
    fn name(&self, first_seq: u64, turn: usize) -> String {
        format!("{}{first_seq:012}-{turn:04}.{EXTENSION}", self.prefix())
    }
}

impl Store {
    /// After which own operation a copy goes on that ends at `end`; `None` when the operation there is
    /// another one. What a copy lacks and this store has pruned the server acknowledged long ago.
    fn copied_up_to(&self, end: &LogHead) -> Result<Option<u64>, StoreError> {
        self.read(|connection| {
            let start = chain_start::find(connection)?.device_seq;
            if end.device_seq < start {
                return Ok(Some(start));
            }
            let here: Option<Hash> = match end.device_seq {
                0 => Some(end.hash),
                device_seq => operation::hash_of(connection, device_seq)?,
            };
            Ok((here == Some(end.hash)).then_some(end.device_seq))
        })
    }
}

/// Only the operation that creates a member has a profile beside it.
fn profile_of(
    member: Option<qiantai_core::ids::MemberId>,
    kind: u16,
    profiles: &[PushedProfile],
) -> Option<&PushedProfile> {
    let creates = kind == qiantai_wire::operation::Kind::MemberCreate.number();
    let member = member.filter(|_| creates)?;
    profiles.iter().find(|profile| profile.member == member.0)
}

/// Whether two places are on one disk, and would be lost together.
///
/// # Errors
/// One of them cannot be looked at.
#[cfg(unix)]
pub fn is_same_disk(one: &Path, other: &Path) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt;
    Ok(fs::metadata(one)?.dev() == fs::metadata(other)?.dev())
}

/// Whether two places are on one drive, and would be lost together.
///
/// # Errors
/// One of them cannot be looked at.
#[cfg(not(unix))]
pub fn is_same_disk(one: &Path, other: &Path) -> io::Result<bool> {
    let drive = |path: &Path| -> io::Result<Option<std::ffi::OsString>> {
        let path = fs::canonicalize(path)?;
        Ok(path.components().next().map(|it| it.as_os_str().to_owned()))
    };
    Ok(drive(one)? == drive(other)?)
}

/// The name of a new file is on the disk too.
#[cfg(unix)]
fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// The system flushes names by itself.
#[cfg(not(unix))]
fn sync_folder(_folder: &Path) -> io::Result<()> {
    Ok(())
}
