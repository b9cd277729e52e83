//! Writing operations: one transaction holds the signed bytes and what must be there with them,
//! and nothing is shown as done before it is on the disk (docs: sync, "Writing").

use qiantai_core::operation::{Hash, OperationBody};
use qiantai_wire::feed::OutcomeDto;
use qiantai_wire::{DecodeError, SignedOperation};
use rusqlite::Connection;
use uuid::Uuid;

use crate::error::StoreError;
use crate::leases;
use crate::store::Store;
use crate::tables::operation::{self, LogHead, NewRow};
use crate::tables::print_job::{self, NewPrintJob};
use crate::tables::{chain_start, cursor, operation_delivery};

/// What is written together.
#[derive(Clone, Debug)]
pub struct Commit {
    /// The operation, signed for the place that the log offered.
    pub signed: SignedOperation,
    /// Documents to print because of it.
    pub prints: Vec<NewPrintJob>,
}

/// What was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Committed {
    /// The operation's place in the chain.
    pub device_seq: u64,
    /// Its hash.
    pub hash: Hash,
}

/// Why nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum CommitError<E> {
    /// Whoever writes the operation changed their mind.
    #[error("the operation was not written: {0}")]
    Author(E),
    /// The bytes are no operation.
    #[error(transparent)]
    Unreadable(DecodeError),
    /// The operation does not continue the log where it ends.
    #[error("the operation claims place {claimed}, the log continues at {due}")]
    Misplaced {
        /// Place in the signed bytes.
        claimed: u64,
        /// Place that was offered.
        due: u64,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The server's answer to one own operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Names the operation.
    pub op_id: Uuid,
    /// Its place in the server's log, where it has one.
    pub server_seq: Option<u64>,
    /// The answer.
    pub outcome: OutcomeDto,
}

impl Store {
    /// Appends one operation. `author` learns where the log ends, and signs for the next place;
    /// the log stays locked meanwhile. When this returns, the operation survives a power cut.
    pub fn commit<E>(
        &self,
        author: impl FnOnce(LogHead) -> Result<Commit, E>,
    ) -> Result<Committed, CommitError<E>> {
        let commit_one = |head| author(head).map(|commit| vec![commit]);
        let mut committed = self.commit_all(commit_one)?;
        Ok(committed.pop().expect("one commit went in, one came out"))
    }

    /// Appends operations that belong together, all or none; otherwise as [`Store::commit`].
    pub fn commit_all<E>(
        &self,
        author: impl FnOnce(LogHead) -> Result<Vec<Commit>, E>,
    ) -> Result<Vec<Committed>, CommitError<E>> {
        self.write(|transaction| {
            let mut head = operation::head(transaction)?;
            let commits = author(head).map_err(CommitError::Author)?;
            let mut committed = Vec::with_capacity(commits.len());
            for commit in commits {
                let written = append(transaction, head, commit)?;
                head = LogHead {
                    device_seq: written.device_seq,
                    hash: written.hash,
                };
                committed.push(written);
            }
            Ok(committed)
        })
    }

    /// Takes over the answer to a push. `acked_seq` and `acked_hash` are the end of this
    /// terminal's chain as the server knows it. Answers to operations that are not ours are
    /// passed over. A place on another `timeline` than the one followed here says nothing about the
    /// replica, so what waits for its rows goes on waiting. An acknowledgement of less than was
    /// removed here is [`StoreError::ServerLacksPruned`], one of what was never written
    /// [`StoreError::ForeignAcknowledgement`].
    pub fn apply_answers(
        &self,
        timeline: u32,
        acked_seq: u64,
        acked_hash: &Hash,
        answers: &[Answer],
    ) -> Result<(), StoreError> {
        self.write(|transaction| {
            let gone_through = chain_start::find(transaction)?.device_seq;
            if acked_seq < gone_through {
                return Err(StoreError::ServerLacksPruned {
                    acked_seq,
                    gone_through,
                });
            }
            if acked_seq > 0
                && operation::hash_of(transaction, acked_seq)?.as_ref() != Some(acked_hash)
            {
                return Err(StoreError::ForeignAcknowledgement { acked_seq });
            }
            let mark = cursor::find(transaction)?;
            let cursor_seq = mark.cursor.map_or(0, |cursor| cursor.server_seq);
            let is_followed = mark.cursor.is_none_or(|here| here.timeline == timeline);
            for answer in answers {
                let Some(device_seq) = operation::seq_of(transaction, answer.op_id)? else {
                    continue;
                };
                let place = answer.server_seq.filter(|_| is_followed);
                let covered = match answer.server_seq {
                    Some(server_seq) => is_followed && server_seq <= cursor_seq,
                    None => ends_without_place(&answer.outcome),
                };
                operation_delivery::answer(
                    transaction,
                    device_seq,
                    place,
                    &answer.outcome,
                    covered,
                )?;
            }
            cursor::set_acked(transaction, acked_seq.max(mark.acked_seq))
        })
    }
}

/// Writes one operation at the end of the log.
pub(crate) fn append<E>(
    connection: &Connection,
    head: LogHead,
    commit: Commit,
) -> Result<Committed, CommitError<E>> {
    let (row, body) = place(head, commit.signed)?;
    leases::count(connection, row.action_id, &body)?;
    operation::insert(connection, &row)?;
    operation_delivery::insert(connection, row.device_seq)?;
    for job in &commit.prints {
        print_job::insert(connection, job)?;
    }
    Ok(Committed {
        device_seq: row.device_seq,
        hash: row.hash,
    })
}

/// An answer after which nothing of the operation will come through the feed.
fn ends_without_place(outcome: &OutcomeDto) -> bool {
    match outcome {
        OutcomeDto::Exists | OutcomeDto::ExistsWithDifferent { .. } | OutcomeDto::Refused(_) => {
            true
        }
        OutcomeDto::Applied | OutcomeDto::Held => false,
    }
}

fn place<E>(
    head: LogHead,
    signed: SignedOperation,
) -> Result<(NewRow, OperationBody), CommitError<E>> {
    let (header, operation) =
        qiantai_wire::operation::decode(&signed.bytes).map_err(CommitError::Unreadable)?;
    let due = head.device_seq + 1;
    if header.device_seq != due || header.prev_hash != head.hash {
        return Err(CommitError::Misplaced {
            claimed: header.device_seq,
            due,
        });
    }
    let (member, order) = subjects(&operation.body);
    let row = NewRow {
        device_seq: header.device_seq,
        op_id: header.op_id.0,
        action_id: header.action_id.0,
        kind: header.kind,
        prev_hash: header.prev_hash,
        hash: header.hash,
        bytes: signed.bytes,
        member,
        order,
        created_ms: operation.wall_time.ms(),
    };
    Ok((row, operation.body))
}

/// Member and order that an operation of a terminal names.
fn subjects(body: &OperationBody) -> (Option<Uuid>, Option<Uuid>) {
    match body {
        OperationBody::RechargeOpen(open) => (Some(open.member.0), Some(open.order.0)),
        OperationBody::RechargeCash(cash) => (Some(cash.open.member.0), Some(cash.open.order.0)),
        OperationBody::RechargeRecorded(recorded) => {
            (Some(recorded.open.member.0), Some(recorded.open.order.0))
        }
        OperationBody::AttemptStart(start) => (None, Some(start.order.0)),
        OperationBody::RechargeCancel { order }
        | OperationBody::ReceiptReprint { order, .. }
        | OperationBody::OrderExpire { order }
        | OperationBody::CreditRetry { order } => (None, Some(order.0)),
        OperationBody::MemberCreate(create) => (Some(create.member.0), None),
        OperationBody::MemberRegister(register) => (Some(register.member.0), None),
        OperationBody::OpeningBalance(opening) => (Some(opening.member.0), None),
        OperationBody::SpendOffline(spend) => (Some(spend.member.0), None),
        OperationBody::LeaseRelease(named) | OperationBody::LeaseLost(named) => {
            (Some(named.member.0), None)
        }
        OperationBody::LeaseGrant(grant) => (Some(grant.member.0), None),
        OperationBody::ShiftOpen(_)
        | OperationBody::DrawerOpen(_)
        | OperationBody::PolicyPublish { .. }
        | OperationBody::DeviceEnrol(_)
        | OperationBody::AttemptResult(_)
        | OperationBody::SurplusRefunded(_) => (None, None),
    }
}
