//! Rebuilding books from a log: every operation decided again, as of its own time.

use qiantai_core::ids::{MemberId, TenantId};
use qiantai_core::operation::OperationBody;
use qiantai_wire::SignedOperation;
use qiantai_wire::profile::decode_policy;

use crate::db::{Attachment, Ledger, LedgerError, LogRow, Standing};
use crate::embedded::{AdminError, Server};
use crate::writer::{Replayed, WriteError};

/// Rows read at one time.
const PAGE: u32 = 256;

/// Why a log could not be replayed.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// A ledger could not be read.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The new ledger could not be written.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// The tenant could not be made.
    #[error(transparent)]
    Admin(#[from] AdminError),
    /// A row of the log cannot be read.
    #[error("row {0} of the log cannot be read")]
    Unreadable(u64),
    /// An operation was answered otherwise than before.
    #[error("row {server_seq} was answered {before} and is answered {now} now")]
    Differs {
        /// Its place in the log.
        server_seq: u64,
        /// The answer in the old log.
        before: String,
        /// The answer now.
        now: String,
    },
}

/// Replays the log of `tenant` in `from` into an empty ledger, with everything that travelled
/// beside it. Afterwards both have the same digest.
///
/// # Errors
/// See [`ReplayError`].
pub async fn replay(from: &dyn Ledger, tenant: TenantId, to: &Server) -> Result<(), ReplayError> {
    let unknown = LedgerError::NoTenant(tenant);
    let source = from
        .tenants()?
        .into_iter()
        .find(|row| row.id == tenant)
        .ok_or(unknown)?;
    to.create_tenant(
        source.id,
        source.server_device,
        &source.name,
        *source.signing_seed,
    )?;
    follow(from, tenant, to).await
}

/// Replays what the log of `tenant` in `from` has beyond the one in `to`, which was replayed
/// from it before.
///
/// # Errors
/// See [`ReplayError`].
pub async fn follow(from: &dyn Ledger, tenant: TenantId, to: &Server) -> Result<(), ReplayError> {
    let desk = to.0.desks.get(tenant).ok_or(WriteError::Stopped)?;
    let mut after = to.head(tenant)?.server_seq;
    loop {
        let rows = from.log(tenant, after, PAGE)?;
        let Some(last) = rows.last() else {
            return Ok(());
        };
        after = last.server_seq;
        let replayed = rows
            .iter()
            .map(|row| with_attachment(from, tenant, row))
            .collect::<Result<Vec<_>, _>>()?;
        // One at a time where times differ: a batch looks back from its own first instant.
        for group in replayed.chunk_by(|one, next| one.row.decided_at == next.row.decided_at) {
            let answers = desk.writer.replay(group.to_vec()).await?;
            for (row, answer) in group.iter().map(|one| &one.row).zip(answers) {
                compare(row, &serde_json::to_string(&answer).unwrap_or_default())?;
            }
        }
    }
}

fn compare(row: &LogRow, now: &str) -> Result<(), ReplayError> {
    if row.answer == now {
        return Ok(());
    }
    Err(ReplayError::Differs {
        server_seq: row.server_seq,
        before: row.answer.clone(),
        now: now.to_owned(),
    })
}

fn with_attachment(
    from: &dyn Ledger,
    tenant: TenantId,
    row: &LogRow,
) -> Result<Replayed, ReplayError> {
    let unreadable = || ReplayError::Unreadable(row.server_seq);
    let signed = SignedOperation::from(row.bytes.clone());
    if row.standing != Standing::Decided {
        let attachment = match (row.standing, signed.operation().map(|it| it.body)) {
            (Standing::Quarantined(_), Ok(OperationBody::MemberCreate(body))) => {
                profile_of(from, tenant, body.member)?
            }
            _ => None,
        };
        return Ok(Replayed {
            row: row.clone(),
            operation: None,
            attachment,
        });
    }
    let operation = signed.operation().map_err(|_| unreadable())?;
    let attachment = match (&operation.body, operation.attachment) {
        (OperationBody::PolicyPublish { .. }, Some(hash)) => {
            match from.policy_document(tenant, &hash)? {
                None => None,
                Some(bytes) => {
                    let policy = decode_policy(&bytes).map_err(|_| unreadable())?.into();
                    Some(Attachment::Policy {
                        bytes,
                        hash,
                        policy,
                    })
                }
            }
        }
        (OperationBody::MemberRegister(body), Some(_)) => profile_of(from, tenant, body.member)?,
        (OperationBody::MemberCreate(body), Some(_)) => profile_of(from, tenant, body.member)?,
        _ => None,
    };
    Ok(Replayed {
        row: row.clone(),
        operation: Some(operation),
        attachment,
    })
}

fn profile_of(
    from: &dyn Ledger,
    tenant: TenantId,
    member: MemberId,
) -> Result<Option<Attachment>, LedgerError> {
    let profile = from.profile(tenant, member)?;
    Ok(profile.map(|profile| Attachment::Profile { member, profile }))
}
