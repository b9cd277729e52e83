//! Taking over what the server says: rows, covers and the cursor in one transaction (docs: sync,
//! "Pull").

use std::collections::HashMap;

use qiantai_core::Timestamp;
use qiantai_core::operation::Cursor;
use qiantai_wire::feed::{FeedChange, FeedEntry, FeedPage, SnapshotPage};
use rusqlite::Connection;
use uuid::Uuid;

use crate::error::StoreError;
use crate::pin;
use crate::store::Store;
use crate::tables::cursor::{self, SnapshotMark};
use crate::tables::row::{first_revision, revision};
use crate::tables::{
    chain_start, operation, operation_delivery, policy, print_job, replica_account,
    replica_attempt, replica_case, replica_coupon, replica_device, replica_lease, replica_member,
    replica_order, replica_shift,
};

impl Store {
    /// Takes over a stretch of the feed and returns the new cursor. Entries that were taken over
    /// before are passed over; a gap or another timeline is refused, and then nothing changed.
    pub fn apply_feed(&self, page: &FeedPage) -> Result<Cursor, StoreError> {
        self.write(|transaction| {
            let here = cursor::find(transaction)?.cursor;
            let mut cursor = here.filter(|here| here.timeline == page.timeline).ok_or(
                StoreError::OtherTimeline {
                    here: here.map_or(0, |here| here.timeline),
                    found: page.timeline,
                },
            )?;
            for entry in &page.entries {
                if entry.server_seq <= cursor.server_seq {
                    continue;
                }
                let expected = cursor.server_seq + 1;
                if entry.server_seq != expected {
                    return Err(StoreError::FeedGap {
                        expected,
                        found: entry.server_seq,
                    });
                }
                cursor.server_seq = expected;
                self.apply_entry(transaction, entry, cursor)?;
            }
            operation_delivery::cover_up_to(transaction, cursor.server_seq)?;
            cursor::set_cursor(transaction, cursor)?;
            hear_time(transaction, Timestamp::from_ms(page.server_time_ms))?;
            Ok(cursor)
        })
    }

    /// Takes over one page of a snapshot that was asked for with `after`, and returns what to ask
    /// for next; `None` once the snapshot is whole and the feed can be followed. Each page is
    /// kept, so that a snapshot goes on where it stopped (see [`SnapshotMark`]).
    pub fn apply_snapshot(
        &self,
        after: Option<Uuid>,
        page: &SnapshotPage,
    ) -> Result<Option<Uuid>, StoreError> {
        self.write(|transaction| {
            let mark = cursor::find(transaction)?;
            let page_cursor = Cursor {
                timeline: page.timeline,
                server_seq: page.at_seq,
            };
            let (at, own_seq) = match (after, mark.snapshot) {
                (None, _) => (page_cursor, own_seq(transaction, page)?),
                (Some(after), Some(under_way))
                    if after == under_way.next && page.timeline == under_way.at.timeline =>
                {
                    (under_way.at, under_way.own_seq)
                }
                (Some(_), _) => return Err(StoreError::SnapshotOutOfStep),
            };
            self.apply_rows(transaction, &page.rows, revision(page_cursor)?)?;
            match page.next {
                Some(next) => {
                    let mark = SnapshotMark { at, next, own_seq };
                    cursor::set_snapshot(transaction, mark)?;
                }
                None => finish_snapshot(transaction, mark.cursor, at, own_seq)?,
            }
            hear_time(transaction, Timestamp::from_ms(page.server_time_ms))?;
            Ok(page.next)
        })
    }

    fn apply_entry(
        &self,
        connection: &Connection,
        entry: &FeedEntry,
        cursor: Cursor,
    ) -> Result<(), StoreError> {
        self.apply_rows(connection, &entry.changes, revision(cursor)?)?;
        // The operation leaves the overlay with the rows that show its effect: earlier it would
        // vanish for a moment, later it would count twice.
        if let Some(device_seq) = operation::seq_of(connection, entry.op_id)? {
            let server_seq = Some(entry.server_seq);
            operation_delivery::answer(connection, device_seq, server_seq, &entry.outcome, true)?;
        }
        Ok(())
    }

    fn apply_rows(
        &self,
        connection: &Connection,
        rows: &[FeedChange],
        revision: i64,
    ) -> Result<(), StoreError> {
        let mut activity = activity(rows);
        for row in rows {
            match row {
                FeedChange::Policy(row) => {
                    policy::upsert(connection, row, revision)?;
                    pin::take_over(connection, &self.pepper, row.version, &row.staff)?;
                }
                FeedChange::Member(row) => {
                    let active_ms = activity.remove(&row.id).unwrap_or(row.registered_at_ms);
                    replica_member::upsert(connection, row, revision, active_ms)?;
                }
                FeedChange::Account(row) => replica_account::upsert(connection, row, revision)?,
                FeedChange::Lease(row) => replica_lease::upsert(connection, row, revision)?,
                FeedChange::Order(row) => replica_order::upsert(connection, row, revision)?,
                FeedChange::Attempt(row) => replica_attempt::upsert(connection, row, revision)?,
                FeedChange::Shift(row) => replica_shift::upsert(connection, row, revision)?,
                FeedChange::Coupon(row) => replica_coupon::upsert(connection, row, revision)?,
                FeedChange::Case(row) => replica_case::upsert(connection, row, revision)?,
                FeedChange::Device(row) => replica_device::upsert(connection, row, revision)?,
            }
        }
        for (member, active_ms) in activity {
            replica_member::touch(connection, member, active_ms)?;
        }
        Ok(())
    }
}

/// The last own operation in the log that a snapshot shows. Of a history that is not the one written
/// here it says nothing.
fn own_seq(connection: &Connection, page: &SnapshotPage) -> Result<Option<u64>, StoreError> {
    let Some(end) = page.chain_end else {
        return Ok(None);
    };
    let is_own = end.device_seq == 0
        || operation::hash_of(connection, end.device_seq)?.as_ref() == Some(&end.hash.0);
    Ok(is_own.then_some(end.device_seq))
}

/// Removes what only the old timeline knew, and asks the server again about every operation.
fn finish_snapshot(
    connection: &Connection,
    before: Option<Cursor>,
    at: Cursor,
    own_seq: Option<u64>,
) -> Result<(), StoreError> {
    if before.is_some_and(|before| before.timeline != at.timeline) {
        operation_delivery::start_timeline(connection, at.server_seq, own_seq)?;
        // Operations that are gone here were acknowledged long ago, and cannot be sent again.
        cursor::set_acked(connection, chain_start::find(connection)?.device_seq)?;
        forget_older_than(connection, first_revision(at.timeline)?)?;
    }
    replica_lease::forget_older_than(connection, revision(at)?)?;
    operation_delivery::cover_up_to(connection, at.server_seq)?;
    cursor::set_cursor(connection, at)
}

/// Whatever was answered or printed since the server last told its time grows older from now.
fn hear_time(connection: &Connection, server_time: Timestamp) -> Result<(), StoreError> {
    operation_delivery::start_ages(connection, server_time)?;
    print_job::start_ages(connection, server_time)?;
    cursor::set_server_time(connection, server_time)
}

fn forget_older_than(connection: &Connection, revision: i64) -> Result<(), StoreError> {
    replica_member::forget_older_than(connection, revision)?;
    for table in [
        "replica_account",
        "replica_order",
        "replica_attempt",
        "replica_shift",
        "replica_coupon",
        "replica_case",
        "replica_device",
        "policy",
    ] {
        connection.execute(
            &format!("DELETE FROM {table} WHERE revision < ?1"),
            [revision],
        )?;
    }
    Ok(())
}

/// When each member of these rows was last active: registered, credited or ordering.
fn activity(rows: &[FeedChange]) -> HashMap<Uuid, i64> {
    let mut activity = HashMap::new();
    for row in rows {
        let (member, active_ms) = match row {
            FeedChange::Member(row) => (row.id, Some(row.registered_at_ms)),
            FeedChange::Account(row) => (
                row.member,
                row.lots.iter().map(|lot| lot.credited_at_ms).max(),
            ),
            FeedChange::Order(row) => (row.member, Some(row.changed_at_ms)),
            _ => continue,
        };
        let Some(active_ms) = active_ms else {
            continue;
        };
        let latest = activity.entry(member).or_insert(active_ms);
        *latest = active_ms.max(*latest);
    }
    activity
}
