//! A shop that grows: its books move from a file to a shared database by replaying their log, so
//! that every balance is decided again and compared.
//!
//! While it runs, and after it was cut short, the right to write the new books is the adoption's:
//! no server writes half a history. Running it again goes on where it stopped. Before it gives that
//! right away it notes the move in the folder, which nobody serves from then on.

use std::path::Path;
use std::sync::Arc;

use qiantai_core::Millis;
use qiantai_core::ids::TenantId;
use qiantai_core::operation::Hash;
use uuid::Uuid;

use crate::audit::{Act, Deed};
use crate::clock::{Clock, SystemClock};
use crate::data_folder::{self, DataFolderError, Moved};
use crate::db::postgres::{Holder, OpenPostgresError, PostgresLedger, place_of};
use crate::db::sqlite::{OpenLedgerError, SqliteLedger};
use crate::db::{Ledger, LedgerError, MemberRow, Tenant};
use crate::embedded::{OpenServerError, Server};
use crate::engine::Channels;
use crate::replay::{ReplayError, follow};

/// Who has the right to write while books are adopted; the same in every run.
const ADOPTER: Uuid = Uuid::from_u128(0x9d1f_6c1e_50a4_4e6b_8f43_27c5_a1b0_e7d2);

/// What a server that wants to write is told.
const ADDRESS: &str = "qiantai-server adopt";

/// Until the adoption gives it back.
const FOR_EVER: Millis = Millis::days(36_500);

/// Members compared at one time.
const PAGE: u32 = 500;

/// Books that were moved.
#[derive(Clone, Debug)]
pub struct Adopted {
    /// Whose.
    pub name: String,
    /// Rows of the log.
    pub operations: u64,
    /// Of both ledgers.
    pub digest: Hash,
}

/// Why books were not moved. The file is as it was; running it again goes on.
#[derive(Debug, thiserror::Error)]
pub enum AdoptError {
    /// The folder.
    #[error(transparent)]
    Folder(#[from] DataFolderError),
    /// The folder's ledger did not open.
    #[error(transparent)]
    File(#[from] OpenLedgerError),
    /// The database did not open.
    #[error(transparent)]
    Open(#[from] OpenPostgresError),
    /// A ledger could not be read or written.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The new books did not open.
    #[error(transparent)]
    Server(#[from] OpenServerError),
    /// The log could not be replayed.
    #[error(transparent)]
    Replay(#[from] ReplayError),
    /// The database holds books that no adoption of this file has begun; nothing was touched.
    #[error("the database holds a ledger already")]
    NotEmpty,
    /// The new books are not the beginning of the old ones.
    #[error("the books of tenant {0} in the database are not those of the folder")]
    OtherHistory(TenantId),
    /// Both ledgers should be equal now, and are not.
    #[error("the books of tenant {0} differ after the move")]
    Differs(TenantId),
}

/// Moves the books of a folder to the database at `url`, and notes in the folder that they are there.
///
/// # Errors
/// See [`AdoptError`].
pub async fn adopt_folder(folder: &Path, url: &str) -> Result<Vec<Adopted>, AdoptError> {
    let _alone = data_folder::lock_to_move(folder)?;
    let to = place_of(url)?;
    let noted = data_folder::moved(folder)?;
    let elsewhere = |moved: Moved| DataFolderError::Moved {
        folder: folder.to_owned(),
        moved,
    };
    let moved = match noted.clone() {
        Some(noted) if noted.to != to => return Err(elsewhere(noted).into()),
        Some(noted) => noted,
        None => Moved::new(SystemClock.now(), to),
    };
    let adopted = {
        let (path, key) = data_folder::to_read(folder)?;
        let from = SqliteLedger::open(&path, Some(key))?;
        let course = match noted {
            Some(_) => Course::Finish,
            None => Course::Whole,
        };
        let note = || data_folder::note_move(folder, &moved);
        adopt_noting(&from, url, course, note).await
    };
    // A run that was cut short may have noted the move and done no more.
    match (adopted, noted) {
        (Err(AdoptError::NotEmpty), Some(noted)) => {
            data_folder::put_aside(folder, &noted)?;
            Err(elsewhere(noted).into())
        }
        (adopted, _) => {
            let adopted = adopted?;
            data_folder::put_aside(folder, &moved)?;
            Ok(adopted)
        }
    }
}

/// Moves every tenant of `from` to the database at `url` and compares both.
///
/// # Errors
/// See [`AdoptError`].
pub async fn adopt(from: &dyn Ledger, url: &str) -> Result<Vec<Adopted>, AdoptError> {
    adopt_noting(from, url, Course::Whole, || Ok(())).await
}

/// What is yet to be done.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Course {
    /// Perhaps everything.
    Whole,
    /// The folder says that the books are there: nothing is begun in an empty database.
    Finish,
}

async fn adopt_noting(
    from: &dyn Ledger,
    url: &str,
    course: Course,
    note: impl FnOnce() -> Result<(), DataFolderError>,
) -> Result<Vec<Adopted>, AdoptError> {
    let tenants = from.tenants()?;
    require_empty_or_begun(&tenants, url, course)?;
    let holder = Holder {
        id: ADOPTER,
        address: ADDRESS.to_owned(),
        lasts: FOR_EVER,
    };
    let to: Arc<dyn Ledger> = Arc::new(PostgresLedger::open(url, holder)?);
    let known = to.tenants()?;
    for tenant in &tenants {
        // First the right: books without it could be taken for somebody's.
        to.hold(tenant.id)?;
        if known.iter().all(|row| row.id != tenant.id) {
            to.create_tenant(tenant, SystemClock.now())?;
        }
    }
    let server = Server::on_ledger(Arc::clone(&to), Arc::new(SystemClock), Channels::default())?;
    let mut adopted = Vec::new();
    for tenant in &tenants {
        adopted.push(adopt_tenant(from, tenant, &server).await?);
    }
    note()?;
    // Gives the rights back: from here on the books are anybody's to serve.
    server.stop().await;
    Ok(adopted)
}

/// Looks with the eyes of a server: what an unfinished adoption holds is refused to it.
fn require_empty_or_begun(tenants: &[Tenant], url: &str, course: Course) -> Result<(), AdoptError> {
    let looking = PostgresLedger::open(url, Holder::fresh(Uuid::now_v7(), String::new()))?;
    let found = looking.tenants()?;
    if course == Course::Finish && found.len() < tenants.len() {
        return Err(AdoptError::NotEmpty);
    }
    for found in found {
        let ours = tenants
            .iter()
            .any(|tenant| tenant.id == found.id && tenant.signing_seed == found.signing_seed);
        let held = looking.hold(found.id);
        let is_begun = matches!(
            &held,
            Err(LedgerError::WrittenElsewhere { address }) if address == ADDRESS
        );
        if !(ours && is_begun) {
            looking.let_go()?;
            return Err(AdoptError::NotEmpty);
        }
    }
    Ok(())
}

async fn adopt_tenant(
    from: &dyn Ledger,
    tenant: &Tenant,
    server: &Server,
) -> Result<Adopted, AdoptError> {
    let (id, to) = (tenant.id, server.ledger().as_ref());
    let begun = to.head(id)?;
    if begun.server_seq > 0 {
        let row = from.log_row(id, begun.server_seq)?;
        if row.is_none_or(|row| row.chain_hash != begun.chain_hash) {
            return Err(AdoptError::OtherHistory(id));
        }
    }
    follow(from, id, server).await?;
    for token in from.tokens(id)? {
        match to.save_token(&token) {
            // From a run before this one.
            Ok(()) | Err(LedgerError::Taken(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    for revocation in from.revocations(id)? {
        match to.save_revocation(id, &revocation) {
            Ok(()) | Err(LedgerError::Taken(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    for (event, delivery) in from.deliveries(id)? {
        to.save_delivery(id, event, &delivery)?;
    }
    for (attempt, charge) in from.code_charges(id)? {
        to.save_code_charge(id, attempt, &charge)?;
    }
    for hint in from.hints(id)? {
        to.save_hint(id, &hint)?;
    }
    let is_entered = copy_audit(from, to, id)?;
    let digest = from.digest(id)?;
    if digest != to.digest(id)? || !is_beside_equal(from, to, id)? {
        return Err(AdoptError::Differs(id));
    }
    if !is_entered {
        let deed = Deed {
            at: SystemClock.now(),
            act: Act::BooksAdopted,
            device: None,
            address: None,
            subject: format!("digest {}", hex::encode(digest)),
        };
        to.save_deed(id, &deed)?;
    }
    Ok(Adopted {
        name: tenant.name.clone(),
        operations: to.head(id)?.server_seq,
        digest,
    })
}

/// Brings the audit log, as far as a run before this one has not; whether that run has also
/// entered the move itself.
fn copy_audit(from: &dyn Ledger, to: &dyn Ledger, tenant: TenantId) -> Result<bool, AdoptError> {
    let begun = to.audit_standing(tenant)?.head.seq;
    let end = from.audit_standing(tenant)?.head.seq;
    let shared = begun.min(end);
    if let Some(before) = shared.checked_sub(1)
        && from.audit_page(tenant, before, 1)? != to.audit_page(tenant, before, 1)?
    {
        return Err(AdoptError::OtherHistory(tenant));
    }
    if begun > end {
        return Ok(true);
    }
    let mut after = begun;
    loop {
        let page = from.audit_page(tenant, after, PAGE)?;
        let Some(last) = page.last() else { break };
        after = last.seq;
        to.copy_audit(tenant, &page)?;
    }
    Ok(false)
}

/// What the log does not determine: profiles with their keys, tokens, revocations, deliveries,
/// payment codes that were charged, notices that name nobody.
fn is_beside_equal(
    from: &dyn Ledger,
    to: &dyn Ledger,
    tenant: TenantId,
) -> Result<bool, LedgerError> {
    let tokens = |ledger: &dyn Ledger| -> Result<Vec<_>, LedgerError> {
        let tokens = ledger.tokens(tenant)?.into_iter();
        Ok(tokens
            .map(|token| (token.token_hash, token.device))
            .collect())
    };
    if from.revocations(tenant)? != to.revocations(tenant)?
        || from.code_charges(tenant)? != to.code_charges(tenant)?
        || from.hints(tenant)? != to.hints(tenant)?
    {
        return Ok(false);
    }
    if tokens(from)? != tokens(to)? || from.deliveries(tenant)? != to.deliveries(tenant)? {
        return Ok(false);
    }
    let mut after = None;
    loop {
        let page = from.member_page(tenant, after, PAGE)?;
        let copy = to.member_page(tenant, after, PAGE)?;
        let is_equal = page.len() == copy.len()
            && page
                .iter()
                .zip(&copy)
                .all(|(one, other)| is_same(one, other));
        let Some(last) = page.last() else {
            return Ok(is_equal);
        };
        if !is_equal {
            return Ok(false);
        }
        after = Some(last.member.id);
    }
}

fn is_same(one: &MemberRow, other: &MemberRow) -> bool {
    let profile = |row: &MemberRow| {
        let profile = row.profile.clone();
        profile.map(|profile| (profile.sealed, profile.key))
    };
    one.member == other.member && one.account == other.account && profile(one) == profile(other)
}
