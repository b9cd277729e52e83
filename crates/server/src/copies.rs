//! Bringing back the operations of a terminal that is lost from its second copy
//! (`qiantai_wire::copy` has the form of the files).
//!
//! Operations of a copy are a push that somebody else carries: the same answers, and nothing twice
//! when the terminal turns up after all. A record that is bad stops none behind it: they are taken as
//! receipts are, outside the chain, and what has no meaning without those before it is kept.

mod found;

use std::io;
use std::path::{Path, PathBuf};

use ed25519_dalek::VerifyingKey;
use qiantai_core::ids::{DeviceId, StoreId, TenantId};
use qiantai_wire::SignedOperation;
use qiantai_wire::api::PUSH_LIMIT;
use qiantai_wire::copy::{Copied, CopyError, CopyHead};

use crate::api::Profiles;
use crate::db::{Cursor, DeviceStanding, HeldReason, LedgerError, Tenant};
use crate::embedded::Server;
use crate::writer::{Arrival, Content, Received, WriteError, receive};
use found::{Found, Spotted, found_in};

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

/// What became of the copies in a folder.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Copies {
    /// Of each terminal.
    pub terminals: Vec<BroughtBack>,
    /// Files of which nothing tells whose they are.
    pub strange: Vec<PathBuf>,
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
    /// Of those in the copy, how many are kept for review.
    pub kept: usize,
    /// Records that were not read.
    pub bad: Vec<BadRecord>,
    /// Places that the books lack before the last one in the copy: first and last of each stretch.
    pub missing: Vec<(u64, u64)>,
    /// Why not all of it was taken.
    pub stopped: Option<Stopped>,
}

/// A record that was not read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadRecord {
    /// In which file.
    pub path: PathBuf,
    /// Where it begins, in bytes.
    pub at: u64,
    /// Its number in the terminal's chain; none where nothing tells it.
    pub number: Option<u64>,
    /// What is wrong.
    pub why: Badness,
}

/// What is wrong with a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Badness {
    /// The beginning of the file says nothing; its records were read all the same.
    #[error("the head of the file is damaged")]
    Head,
    /// Its check does not fit, or it was not written to its end.
    #[error("{0} bytes are damaged or cut off")]
    Damaged(usize),
    /// It does not open.
    #[error(transparent)]
    Closed(#[from] CopyError),
    /// The operation in it is not signed by the terminal, or is of others.
    #[error("what it holds is not signed by this terminal")]
    NotItsOwn,
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
}

impl BroughtBack {
    /// True when the books have everything that the copy ever held, decided.
    pub fn is_whole(&self) -> bool {
        self.stopped.is_none() && self.kept == 0 && self.bad.is_empty() && self.missing.is_empty()
    }
}

impl Copies {
    /// True when nothing of any of them is left to look at.
    pub fn are_whole(&self) -> bool {
        self.strange.is_empty() && self.terminals.iter().all(BroughtBack::is_whole)
    }
}

impl Server {
    /// Takes every copy in `folder` and below it.
    ///
    /// # Errors
    /// See [`CopiesError`].
    pub async fn bring_back_copies(&self, folder: &Path) -> Result<Copies, CopiesError> {
        let tenants = self.0.ledger.tenants()?;
        let (found, strange) = found_in(folder, &self.heads(&tenants)?)?;
        let mut terminals = Vec::new();
        for found in found {
            let tenant = tenants.iter().find(|it| it.id == found.head.tenant);
            terminals.push(match tenant {
                Some(tenant) => self.bring_back(tenant, found).await?,
                None => found.untouched(Some(Stopped::OtherBooks)),
            });
        }
        Ok(Copies { terminals, strange })
    }

    /// The heads that the files of every terminal known here have.
    fn heads(&self, tenants: &[Tenant]) -> Result<Vec<(CopyHead, Tenant)>, LedgerError> {
        let mut heads = Vec::new();
        for tenant in tenants {
            for (device, cursor) in self.0.ledger.devices(tenant.id)? {
                let of_epoch = |epoch| CopyHead {
                    tenant: tenant.id,
                    device: device.id,
                    epoch,
                    server_key: tenant.public_key(),
                };
                heads.extend((1..=cursor.epoch).map(|epoch| (of_epoch(epoch), tenant.clone())));
            }
        }
        Ok(heads)
    }

    async fn bring_back(&self, tenant: &Tenant, found: Found) -> Result<BroughtBack, CopiesError> {
        let device = found.head.device;
        let seat = self.0.ledger.device(tenant.id, device)?;
        let Some((row, cursor)) = seat.filter(|(row, _)| !row.is_server) else {
            return Ok(found.untouched(Some(Stopped::UnknownTerminal)));
        };
        let before = self.0.ledger.head(tenant.id)?.server_seq;
        let owner = Owner {
            tenant,
            head: &found.head,
            key: row.public_key,
            store: cursor.store,
        };
        let (received, unopened) = owner.opened(&found);
        let places: Vec<u64> = received.iter().map(|it| it.header.device_seq).collect();
        let mut back = found.untouched(None);
        back.bad.extend(unopened);
        let arrivals = self.take_all(tenant.id, received).await?;
        for (place, arrival) in places.iter().zip(&arrivals) {
            back.kept += usize::from(matches!(arrival, Arrival::Quarantined | Arrival::Forked));
            if *arrival == Arrival::Forked && back.stopped.is_none() {
                back.stopped = Some(Stopped::Fork(*place));
            }
        }
        if cursor.believed() != DeviceStanding::Active {
            back.stopped = Some(Stopped::NotBelieved);
        }
        let stands = self.0.ledger.device(tenant.id, device)?;
        let ends = stands.map_or(cursor, |(_, cursor)| cursor);
        back.missing = missing(&ends, &places, &back.bad);
        back.new = self.0.ledger.head(tenant.id)?.server_seq - before;
        Ok(back)
    }

    async fn take_all(
        &self,
        tenant: TenantId,
        received: Vec<Received>,
    ) -> Result<Vec<Arrival>, CopiesError> {
        let desk = self.0.desks.get(tenant).ok_or(WriteError::Stopped)?;
        let mut arrivals = Vec::with_capacity(received.len());
        for part in received.chunks(PUSH_LIMIT) {
            let taken = desk.writer.import(part.to_vec()).await?;
            arrivals.extend(taken.into_iter().map(|back| back.arrival));
        }
        Ok(arrivals)
    }
}

/// What lies between the end of the chain in the books and the last place that the copy tells of.
fn missing(ends: &Cursor, places: &[u64], bad: &[BadRecord]) -> Vec<(u64, u64)> {
    let told = places
        .iter()
        .copied()
        .chain(bad.iter().filter_map(|it| it.number));
    let last = told.max().unwrap_or_default();
    let mut there: Vec<u64> = places.to_vec();
    there.sort_unstable();
    let mut missing = Vec::new();
    let mut next = ends.last_seq + 1;
    for place in there.into_iter().chain([last + 1]) {
        if place > next {
            missing.push((next, place - 1));
        }
        next = next.max(place + 1);
    }
    missing
}

/// The terminal that a copy says it is of, as the books know it.
struct Owner<'a> {
    tenant: &'a Tenant,
    head: &'a CopyHead,
    key: [u8; 32],
    store: Option<StoreId>,
}

impl Owner<'_> {
    /// What the records hold, in the order of the chain, and what is wrong with the others. A second
    /// operation at a place comes last, so that it takes nothing with it.
    fn opened(&self, found: &Found) -> (Vec<Received>, Vec<BadRecord>) {
        let server = self.tenant.signing_key();
        let (mut received, mut others, mut bad) = (Vec::new(), Vec::new(), Vec::new());
        for (number, spotted) in &found.records {
            let mut of_place: Vec<Received> = Vec::new();
            let mut closed = Vec::new();
            // Of two, a file that was begun later knows better.
            for one in spotted.iter().rev() {
                match self.open(one, &server) {
                    Ok(opened)
                        if of_place
                            .iter()
                            .any(|it| it.header.hash == opened.header.hash) => {}
                    Ok(opened) => of_place.push(opened),
                    Err(why) => closed.push(one.bad(Some(*number), why)),
                }
            }
            let is_elsewhere = |hash| of_place.iter().any(|it| it.header.hash == hash);
            closed.retain(|(_, hash)| !is_elsewhere(*hash));
            bad.extend(closed.into_iter().map(|(bad, _)| bad));
            let mut of_place = of_place.into_iter();
            received.extend(of_place.next());
            others.extend(of_place);
        }
        received.extend(others);
        (received, bad)
    }

    fn open(
        &self,
        spotted: &Spotted,
        server: &ed25519_dalek::SigningKey,
    ) -> Result<Received, Badness> {
        let copied = spotted.record.open(self.head, server)?;
        self.verified(copied).ok_or(Badness::NotItsOwn)
    }

    fn verified(&self, copied: Copied) -> Option<Received> {
        let key = VerifyingKey::from_bytes(&self.key).ok()?;
        let SignedOperation { bytes } = copied.signed;
        let received = receive(bytes, &key).ok()?;
        let header = received.header;
        if (header.tenant, header.device) != (self.tenant.id, self.head.device) {
            return None;
        }
        // Signed for a store in which the terminal does not stand: a person must look.
        if Some(header.store) != self.store {
            let content = Content::Unread(HeldReason::Malformed);
            return Some(Received {
                content,
                ..received
            });
        }
        let profiles = Profiles::of(copied.profile.into_iter().collect());
        Some(profiles.beside(received))
    }
}
