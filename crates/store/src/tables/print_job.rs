//! The print queue (docs: domain §5.5): it survives restarts, and a failed print never blocks or
//! repeats a sale.

use qiantai_core::Timestamp;
use qiantai_core::ids::OrderId;
use rusqlite::{Connection, OptionalExtension, Row, named_params, params};
use uuid::Uuid;

use super::row::{unreadable, uuid};
use crate::error::StoreError;
use crate::store::Store;

const TABLE: &str = "print_job";

/// Trouble of a job of which the printer may have had bytes when the program ended: it may or may
/// not have come out, so that a person decides about printing it again.
pub const INTERRUPTED: &str = "interrupted";

/// Trouble of a job that a person does not want on paper any more.
pub const CANCELLED: &str = "cancelled";

const COLUMNS: &str = "id, state, kind, order_id, copy, printer, document, tries, trouble, \
     queued_ms, changed_ms, torn";

/// A document on its way to paper.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PrintJob {
    /// Identity.
    pub id: Uuid,
    /// Where it stands.
    pub state: PrintState,
    /// What it is, such as `recharge_receipt`.
    pub kind: String,
    /// The order it belongs to, if any.
    pub order: Option<OrderId>,
    /// 0 for the original, otherwise the number of the copy.
    pub copy: u32,
    /// Name of the printer in the settings.
    pub printer: String,
    /// The document, in the form its renderer reads.
    pub document: Vec<u8>,
    /// Tries that came to an end.
    pub tries: u32,
    /// Code of the last trouble.
    pub trouble: Option<String>,
    /// An earlier print broke off: part of it may be on paper.
    pub torn: bool,
    /// When it was queued.
    pub queued_at: Timestamp,
    /// When it last changed.
    pub changed_at: Timestamp,
}

/// A job to be queued.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewPrintJob {
    /// Identity.
    pub id: Uuid,
    /// What it is, such as `recharge_receipt`.
    pub kind: String,
    /// The order it belongs to, if any.
    pub order: Option<OrderId>,
    /// 0 for the original, otherwise the number of the copy.
    pub copy: u32,
    /// Name of the printer in the settings.
    pub printer: String,
    /// The document, in the form its renderer reads.
    pub document: Vec<u8>,
    /// When it was queued.
    pub queued_at: Timestamp,
}

/// Why a printer did not take a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PrintTrouble<'t> {
    /// Code of the trouble.
    pub code: &'t str,
    /// The job waits again; else it has failed until a person queues it again.
    pub try_again: bool,
    /// Part of it may be on paper.
    pub torn: bool,
}

/// Where a print job stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PrintState {
    /// Waits for its printer.
    Queued,
    /// The printer may have bytes of it. One that only looks for its printer still waits.
    Printing,
    /// Handed to the printer.
    Printed,
    /// Given up; a person may queue it again.
    Failed,
}

impl PrintState {
    const ALL: [(PrintState, &'static str); 4] = [
        (PrintState::Queued, "queued"),
        (PrintState::Printing, "printing"),
        (PrintState::Printed, "printed"),
        (PrintState::Failed, "failed"),
    ];

    fn from_text(text: &str) -> Option<PrintState> {
        PrintState::ALL
            .iter()
            .find_map(|(state, name)| (*name == text).then_some(*state))
    }
}

impl Store {
    /// Queues the documents of one sale, all or none, so that a crash leaves no half of them.
    pub fn queue_prints(&self, jobs: &[NewPrintJob]) -> Result<(), StoreError> {
        self.write(|transaction| jobs.iter().try_for_each(|job| insert(transaction, job)))
    }

    /// The oldest job that waits for `printer` and is not among `resting`. It goes on waiting
    /// until [`Store::print_begins`].
    pub fn next_print_job(
        &self,
        printer: &str,
        resting: &[Uuid],
    ) -> Result<Option<PrintJob>, StoreError> {
        self.read(|connection| {
            let Some(id) = oldest_waiting(connection, printer, resting)? else {
                return Ok(None);
            };
            by_id(connection, id)
        })
    }

    /// From now on `printer` may have bytes of the job. False when it does not wait for that
    /// printer (any more); then nothing may be sent.
    pub fn print_begins(
        &self,
        id: Uuid,
        printer: &str,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.write(|transaction| {
            let changed = transaction.execute(
                "UPDATE print_job SET state = 'printing', changed_ms = ?3
                 WHERE id = ?1 AND printer = ?2 AND state = 'queued'",
                params![id.into_bytes(), printer, now.ms()],
            )?;
            Ok(changed == 1)
        })
    }

    /// The printer took the job. False when the job is not printing (any more).
    pub fn print_done(&self, id: Uuid, now: Timestamp) -> Result<bool, StoreError> {
        self.write(|transaction| {
            let changed = transaction.execute(
                "UPDATE print_job
                 SET state = 'printed', trouble = NULL, tries = tries + 1, changed_ms = ?2
                 WHERE id = ?1 AND state = 'printing'",
                params![id.into_bytes(), now.ms()],
            )?;
            Ok(changed == 1)
        })
    }

    /// `printer` did not take the job. False when the job is printed or has failed already, or
    /// was cancelled or sent elsewhere meanwhile.
    pub fn print_troubled(
        &self,
        id: Uuid,
        printer: &str,
        trouble: &PrintTrouble<'_>,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let state = if trouble.try_again {
            "queued"
        } else {
            "failed"
        };
        self.write(|transaction| {
            let changed = transaction.execute(
                "UPDATE print_job
                 SET state = ?3, trouble = ?4, torn = max(torn, ?5), tries = tries + 1,
                     changed_ms = ?6
                 WHERE id = ?1 AND printer = ?2 AND state IN ('queued', 'printing')",
                params![
                    id.into_bytes(),
                    printer,
                    state,
                    trouble.code,
                    trouble.torn,
                    now.ms()
                ],
            )?;
            Ok(changed == 1)
        })
    }

    /// A person does not want a waiting or failed job any more. False when it is printing or
    /// printed: what the printer has cannot be taken back.
    pub fn cancel_print(&self, id: Uuid, now: Timestamp) -> Result<bool, StoreError> {
        self.write(|transaction| {
            let changed = transaction.execute(
                "UPDATE print_job SET state = 'failed', trouble = ?2, changed_ms = ?3
                 WHERE id = ?1 AND state IN ('queued', 'failed')",
                params![id.into_bytes(), CANCELLED, now.ms()],
            )?;
            Ok(changed == 1)
        })
    }

    /// A person sends a waiting or failed job to `printer` (again). False when the job is printing
    /// or printed.
    pub fn requeue_print(
        &self,
        id: Uuid,
        printer: &str,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.write(|transaction| {
            let changed = transaction.execute(
                "UPDATE print_job
                 SET state = 'queued', printer = ?2, trouble = NULL, changed_ms = ?3
                 WHERE id = ?1 AND state IN ('queued', 'failed')",
                params![id.into_bytes(), printer, now.ms()],
            )?;
            Ok(changed == 1)
        })
    }

    /// One job.
    pub fn print_job(&self, id: Uuid) -> Result<Option<PrintJob>, StoreError> {
        self.read(|connection| by_id(connection, id))
    }

    /// Jobs, newest first, at most `limit`.
    pub fn print_jobs(&self, limit: u32) -> Result<Vec<PrintJob>, StoreError> {
        self.read(|connection| {
            let sql = format!("SELECT {COLUMNS} FROM print_job ORDER BY place DESC LIMIT ?1");
            let mut statement = connection.prepare_cached(&sql)?;
            let rows = statement.query_map([limit], job)?;
            rows.map(|row| row?).collect()
        })
    }

    /// Jobs of one order, oldest first.
    pub fn print_jobs_of(&self, order: OrderId) -> Result<Vec<PrintJob>, StoreError> {
        self.read(|connection| {
            let sql = format!("SELECT {COLUMNS} FROM print_job WHERE order_id = ?1 ORDER BY place");
            let mut statement = connection.prepare_cached(&sql)?;
            let rows = statement.query_map([order.0.into_bytes()], job)?;
            rows.map(|row| row?).collect()
        })
    }
}

fn by_id(connection: &Connection, id: Uuid) -> Result<Option<PrintJob>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM print_job WHERE id = ?1");
    let found = connection
        .prepare_cached(&sql)?
        .query_row([id.into_bytes()], job)
        .optional()?;
    found.transpose()
}

fn oldest_waiting(
    connection: &Connection,
    printer: &str,
    resting: &[Uuid],
) -> Result<Option<Uuid>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT id FROM print_job WHERE state = 'queued' AND printer = ?1 ORDER BY place",
    )?;
    let mut rows = statement.query([printer])?;
    while let Some(row) = rows.next()? {
        let id = uuid(row, 0)?;
        if !resting.contains(&id) {
            return Ok(Some(id));
        }
    }
    Ok(None)
}

/// What came out since the server last told its time is as old as `server_time`.
pub fn start_ages(connection: &Connection, server_time: Timestamp) -> Result<(), StoreError> {
    connection
        .prepare_cached(
            "UPDATE print_job INDEXED BY print_job_ageless
             SET aged_from_ms = ?1 WHERE state = 'printed' AND aged_from_ms IS NULL",
        )?
        .execute([server_time.ms()])?;
    Ok(())
}

/// Removes what came out before `before`, in the server's time, and says how much.
pub fn forget_printed(connection: &Connection, before: Timestamp) -> Result<u64, StoreError> {
    let removed = connection.execute(
        "DELETE FROM print_job WHERE state = 'printed' AND aged_from_ms < ?1",
        [before.ms()],
    )?;
    Ok(removed as u64)
}

pub fn insert(connection: &Connection, job: &NewPrintJob) -> Result<(), StoreError> {
    connection
        .prepare_cached(
            "INSERT INTO print_job (
                 id, place, state, kind, order_id, copy, printer, document, queued_ms, changed_ms
             )
             SELECT :id, coalesce(max(place), 0) + 1, 'queued', :kind, :order, :copy, :printer,
                 :document, :now, :now
             FROM print_job",
        )?
        .execute(named_params! {
            ":id": job.id.into_bytes(),
            ":kind": job.kind,
            ":order": job.order.map(|order| order.0.into_bytes()),
            ":copy": job.copy,
            ":printer": job.printer,
            ":document": job.document,
            ":now": job.queued_at.ms(),
        })?;
    Ok(())
}

/// At start: nothing can be printing, so whatever says so was cut off.
pub fn fail_interrupted(connection: &rusqlite::Transaction<'_>) -> Result<(), StoreError> {
    connection.execute(
        "UPDATE print_job SET state = 'failed', trouble = ?1, torn = 1, tries = tries + 1
         WHERE state = 'printing'",
        [INTERRUPTED],
    )?;
    Ok(())
}

/// The outer error is SQLite's, the inner one an unknown state.
fn job(row: &Row<'_>) -> Result<Result<PrintJob, StoreError>, rusqlite::Error> {
    let state: String = row.get(1)?;
    let Some(state) = PrintState::from_text(&state) else {
        return Ok(Err(unreadable(TABLE, format!("state {state:?}"))));
    };
    let order: Option<[u8; 16]> = row.get(3)?;
    Ok(Ok(PrintJob {
        id: uuid(row, 0)?,
        state,
        kind: row.get(2)?,
        order: order.map(|bytes| OrderId(Uuid::from_bytes(bytes))),
        copy: row.get(4)?,
        printer: row.get(5)?,
        document: row.get(6)?,
        tries: row.get(7)?,
        trouble: row.get(8)?,
        queued_at: Timestamp::from_ms(row.get(9)?),
        changed_at: Timestamp::from_ms(row.get(10)?),
        torn: row.get(11)?,
    }))
}
