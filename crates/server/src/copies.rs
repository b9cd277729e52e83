//! Bringing back the operations of a terminal that is lost from its second copy
//! (`qiantai_wire::copy` has the form of the files).
//!
//! Operations of a copy are a push that somebody else carries: the same chain, the same answers, and
//! nothing twice when the terminal turns up after all.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use ed25519_dalek::VerifyingKey;
use qiantai_core::ids::{DeviceId, TenantId};
use qiantai_wire::SignedOperation;
use qiantai_wire::api::{PUSH_LIMIT, PushHalt};
use qiantai_wire::copy::{Copied, CopyHead, CopyRecord, EXTENSION, HEAD_LEN, read_records};

use crate::api::Profiles;
use crate::db::{DeviceStanding, LedgerError, Tenant};
use crate::embedded::Server;
use crate::writer::{Received, WriteError, receive};

/// How deep files are looked for below the folder that was given.
const DEPTH_MAX: usize = 3;

/// Why a copy was not brought back. Some of it may have been; giving it again is safe.
#[derive(Debug, thiserror::Error)]
pub enum CopiesError {
    /// A file cannot be read.
    #[error("{}: {error}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// No file of a second copy is there.
    #[error("there is no second copy in {}", .0.display())]
    Nothing(PathBuf),
    /// The books could not be read.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The books could not be written.
    #[error(transparent)]
    Write(#[from] WriteError),
}

/// What became of the copy of one terminal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BroughtBack {
    /// Which terminal.
    pub device: DeviceId,
    /// Operations in the copy.
    pub copied: usize,
    /// Operations that the log has now and had not before.
    pub new: u64,
    /// Records that do not open, and files with something unreadable in them.
    pub damaged: usize,
    /// Why not all of it was taken.
    pub stopped: Option<Stopped>,
}

/// Why a copy was not taken, or not whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stopped {
    /// It is of books that are not here.
    OtherBooks,
    /// These books do not know its terminal.
    UnknownTerminal,
    /// Its terminal is out of service or was found to have two histories: what it wrote is kept for
    /// review.
    NotBelieved,
    /// The terminal wrote something else at this place.
    Fork(u64),
    /// The books and the copy both lack this operation; what comes after it was not taken.
    Gap(u64),
}

/// The records of one terminal, by their places.
struct Found {
    head: CopyHead,
    records: BTreeMap<u64, CopyRecord>,
    damaged: usize,
}

impl Server {
    /// Takes every copy in `folder` and below it.
    ///
    /// # Errors
    /// See [`CopiesError`].
    pub async fn bring_back_copies(&self, folder: &Path) -> Result<Vec<BroughtBack>, CopiesError> {
        let tenants = self.0.ledger.tenants()?;
        let mut all = Vec::new();
        for found in found_in(folder)? {
            let tenant = tenants.iter().find(|it| it.id == found.head.tenant);
            all.push(match tenant {
                Some(tenant) => self.bring_back(tenant, found).await?,
                None => found.untouched(Stopped::OtherBooks),
            });
        }
        Ok(all)
    }

    async fn bring_back(&self, tenant: &Tenant, found: Found) -> Result<BroughtBack, CopiesError> {
        let device = found.head.device;
        let seat = self.0.ledger.device(tenant.id, device)?;
        let Some((row, cursor)) = seat.filter(|(row, _)| !row.is_server) else {
            return Ok(found.untouched(Stopped::UnknownTerminal));
        };
        let before = self.0.ledger.head(tenant.id)?.server_seq;
        let (received, unopened) = opened(tenant, &found, &row.public_key, cursor.store);
        let mut back = found.untouched(Stopped::NotBelieved);
        back.damaged += unopened;
        back.stopped = self.push_all(tenant.id, received).await?;
        if cursor.believed() != DeviceStanding::Active {
            back.stopped = Some(Stopped::NotBelieved);
        }
        back.new = self.0.ledger.head(tenant.id)?.server_seq - before;
        Ok(back)
    }

    async fn push_all(
        &self,
        tenant: TenantId,
        received: Vec<Received>,
    ) -> Result<Option<Stopped>, CopiesError> {
        let desk = self.0.desks.get(tenant).ok_or(WriteError::Stopped)?;
        for part in received.chunks(PUSH_LIMIT) {
            match desk.writer.push(part.to_vec()).await?.halt {
                None => {}
                Some(PushHalt::Gap { expected_seq }) => {
                    return Ok(Some(Stopped::Gap(expected_seq)));
                }
                Some(PushHalt::Fork { device_seq }) => return Ok(Some(Stopped::Fork(device_seq))),
            }
        }
        Ok(None)
    }
}

impl Found {
    fn untouched(&self, why: Stopped) -> BroughtBack {
        BroughtBack {
            device: self.head.device,
            copied: self.records.len(),
            new: 0,
            damaged: self.damaged,
            stopped: Some(why),
        }
    }
}

/// What the records hold, in the order of the chain, and how many do not open.
fn opened(
    tenant: &Tenant,
    found: &Found,
    key: &[u8; 32],
    store: Option<qiantai_core::ids::StoreId>,
) -> (Vec<Received>, usize) {
    let server = tenant.signing_key();
    let (mut received, mut unopened) = (Vec::new(), 0);
    for record in found.records.values() {
        let one = record
            .open(&found.head, &server)
            .ok()
            .and_then(|copied| verified(tenant.id, found.head.device, key, store, copied));
        match one {
            Some(one) => received.push(one),
            None => unopened += 1,
        }
    }
    (received, unopened)
}

fn verified(
    tenant: TenantId,
    device: DeviceId,
    key: &[u8; 32],
    store: Option<qiantai_core::ids::StoreId>,
    copied: Copied,
) -> Option<Received> {
    let key = VerifyingKey::from_bytes(key).ok()?;
    let SignedOperation { bytes } = copied.signed;
    let received = receive(bytes, &key).ok()?;
    let header = &received.header;
    let is_its = (header.tenant, header.device) == (tenant, device) && Some(header.store) == store;
    let profiles = Profiles::of(copied.profile.into_iter().collect());
    is_its.then(|| profiles.beside(received))
}

/// The copies below `folder`, by terminal.
fn found_in(folder: &Path) -> Result<Vec<Found>, CopiesError> {
    let mut paths = Vec::new();
    files_below(folder, DEPTH_MAX, &mut paths)?;
    paths.sort();
    let mut found: BTreeMap<(DeviceId, u32), Found> = BTreeMap::new();
    for path in &paths {
        let bytes = fs::read(path).map_err(|error| file(path, error))?;
        let Ok(head) = CopyHead::parse(&bytes) else {
            continue;
        };
        let (records, whole) = read_records(&bytes[HEAD_LEN..]);
        let of_terminal = found
            .entry((head.device, head.epoch))
            .or_insert_with(|| Found {
                head,
                records: BTreeMap::new(),
                damaged: 0,
            });
        of_terminal.damaged += usize::from(HEAD_LEN + whole < bytes.len());
        for record in records {
            // Of two, a file that was begun later knows better.
            of_terminal.records.insert(record.device_seq, record);
        }
    }
    match found.is_empty() {
        true => Err(CopiesError::Nothing(folder.to_owned())),
        false => Ok(found.into_values().collect()),
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
