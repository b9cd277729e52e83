//! Deciding the whole log again into books beside these, and comparing every row that it gives:
//! tiers, points, coupons, the time of each decision, what terminals are told.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use qiantai_core::ids::TenantId;
use qiantai_core::operation::Hash;

use super::{BadRow, VerifyError};
use crate::clock::SystemClock;
use crate::data_folder;
use crate::db::sqlite::SqliteLedger;
use crate::db::{Archive, Ledger, LedgerError, Tenant};
use crate::embedded::Server;
use crate::engine::Channels;
use crate::replay::{ReplayError, follow};
use crate::writer::WriteError;

/// How often books that are written meanwhile are caught up with.
const TRIES: u32 = 20;

/// Decides the log of `tenant` again and compares what both logs gave; how many operations that
/// were. The books beside are encrypted, in a folder of their own in `scratch`, and gone afterwards.
///
/// # Errors
/// See [`VerifyError`].
pub async fn replayed(
    ledger: &dyn Archive,
    tenant: &Tenant,
    scratch: &Path,
) -> Result<u64, VerifyError> {
    let failed = |error: &dyn std::error::Error| LedgerError::Failed(error.to_string());
    let folder = tempfile::tempdir_in(scratch).map_err(|error| failed(&error))?;
    let key = data_folder::fresh_key().map_err(|error| failed(&error))?;
    let beside = SqliteLedger::open(&folder.path().join("again.db"), Some(key));
    let beside = Arc::new(beside.map_err(|error| failed(&error))?);
    let clock = Arc::new(SystemClock);
    beside.create_tenant(tenant, crate::clock::Clock::now(clock.as_ref()))?;
    let server = Server::on_ledger(Arc::clone(&beside) as _, clock, Channels::default());
    let server = server.map_err(|error| failed(&error))?;
    let compared = catch_up(ledger, tenant.id, &server, beside.as_ref()).await;
    server.stop().await;
    compared
}

async fn catch_up(
    ledger: &dyn Archive,
    tenant: TenantId,
    server: &Server,
    beside: &dyn Archive,
) -> Result<u64, VerifyError> {
    let mut replayed = 0;
    for _ in 0..TRIES {
        if let Err(error) = follow(ledger, tenant, server).await {
            let next = beside.head(tenant)?.server_seq + 1;
            return Err(cannot_follow(error, next));
        }
        let found = compare(ledger, beside, tenant)?;
        replayed = beside.head(tenant)?.server_seq;
        // Books that were written meanwhile differ for that reason.
        if found.is_none() || ledger.head(tenant)?.server_seq == replayed {
            return found.map_or(Ok(replayed), |bad| Err(bad.into()));
        }
    }
    Err(VerifyError::Moving(replayed))
}

fn cannot_follow(error: ReplayError, next: u64) -> VerifyError {
    let bad = |server_seq: u64, what: String| {
        let row = format!("operation {server_seq}");
        VerifyError::Bad(BadRow::new(row, what))
    };
    match error {
        ReplayError::Differs {
            server_seq,
            before,
            now,
        } => bad(
            server_seq,
            format!("was answered {before}, and the log gives {now}"),
        ),
        ReplayError::Unreadable(server_seq) => bad(server_seq, "cannot be read".into()),
        ReplayError::Write(WriteError::Defect) => bad(
            next,
            "cannot be decided as it was, after those before it".into(),
        ),
        ReplayError::Ledger(error) => error.into(),
        ReplayError::Write(error) => LedgerError::Failed(error.to_string()).into(),
        ReplayError::Admin(error) => LedgerError::Failed(error.to_string()).into(),
    }
}

/// The first row that both do not have alike.
fn compare(
    ledger: &dyn Archive,
    beside: &dyn Archive,
    tenant: TenantId,
) -> Result<Option<BadRow>, LedgerError> {
    let (one, other) = (ledger.table_hashes(tenant)?, beside.table_hashes(tenant)?);
    let differs = one.iter().zip(&other).position(|(one, other)| one != other);
    let Some(place) = differs else {
        return Ok(None);
    };
    let rows = ledger.row_hashes(tenant, place)?;
    let given = beside.row_hashes(tenant, place)?;
    let bad = first_apart(&rows, &given);
    Ok(bad.map(|(row, what)| BadRow::new(format!("{} {row}", one[place].0), what)))
}

fn first_apart(
    rows: &[(String, Hash)],
    given: &[(String, Hash)],
) -> Option<(String, &'static str)> {
    let place =
        (0..rows.len().max(given.len())).find(|&place| rows.get(place) != given.get(place))?;
    let known: HashMap<&String, &Hash> = given.iter().map(|(name, hash)| (name, hash)).collect();
    match (rows.get(place), given.get(place)) {
        (Some((row, _)), _) if !known.contains_key(row) => Some((
            row.clone(),
            "is not what the log gives: nothing in it made this row",
        )),
        (Some((row, hash)), _) if known.get(row) != Some(&hash) => {
            Some((row.clone(), "is not what the log gives"))
        }
        // It stands where one is missing.
        (_, Some((row, _))) => Some((row.clone(), "is missing, and the log gives it")),
        (_, None) => None,
    }
}
