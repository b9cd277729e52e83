//! What this terminal knows about time (docs: sync, "Time"): a wrong clock warns and never blocks.

use qiantai_core::operation::MOST_CLOCK_SKEW;
use qiantai_core::{Millis, Timestamp};
use rusqlite::{Connection, OptionalExtension};

use crate::error::StoreError;
use crate::store::Store;

/// A look at the clock against what is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClockMark {
    /// The latest wall time ever seen here.
    pub high_water: Timestamp,
    /// The last time told by the server.
    pub anchor: Option<ServerAnchor>,
}

/// An answer of the server about time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServerAnchor {
    /// The server's clock.
    pub server_time: Timestamp,
    /// This terminal's clock at that moment.
    pub wall_time: Timestamp,
}

impl ServerAnchor {
    /// Whether both clocks show the same, as far as anybody is warned.
    fn agrees(&self) -> bool {
        (self.wall_time - self.server_time).0.saturating_abs() <= MOST_CLOCK_SKEW.0
    }
}

impl ClockMark {
    /// How far `wall_time` has fallen behind the latest time seen; zero when it has not.
    pub fn behind(&self, wall_time: Timestamp) -> Millis {
        Millis((self.high_water - wall_time).0.max(0))
    }
}

impl Store {
    /// Takes note of the wall clock and says what is known.
    pub fn observe_clock(&self, wall_time: Timestamp) -> Result<ClockMark, StoreError> {
        self.write(|transaction| {
            transaction
                .prepare_cached(
                    "INSERT INTO clock_mark (id, high_water_ms) VALUES (1, ?1)
                     ON CONFLICT (id) DO UPDATE
                     SET high_water_ms = max(high_water_ms, excluded.high_water_ms)",
                )?
                .execute([wall_time.ms()])?;
            Ok(find(transaction)?.unwrap_or(ClockMark {
                high_water: wall_time,
                anchor: None,
            }))
        })
    }

    /// What is known about time; `None` on a terminal that never looked.
    pub fn clock_mark(&self) -> Result<Option<ClockMark>, StoreError> {
        self.read(find)
    }

    /// Keeps what the server said about time. Where both clocks agree, this one has not fallen behind:
    /// what it showed before was the future.
    pub fn set_server_anchor(&self, anchor: ServerAnchor) -> Result<(), StoreError> {
        self.write(|transaction| {
            transaction
                .prepare_cached(
                    "INSERT INTO clock_mark
                         (id, high_water_ms, anchor_server_ms, anchor_wall_ms)
                     VALUES (1, ?2, ?1, ?2)
                     ON CONFLICT (id) DO UPDATE
                     SET anchor_server_ms = excluded.anchor_server_ms,
                         anchor_wall_ms = excluded.anchor_wall_ms,
                         high_water_ms = CASE ?3 WHEN 1
                             THEN min(high_water_ms, excluded.high_water_ms)
                             ELSE high_water_ms END",
                )?
                .execute([
                    anchor.server_time.ms(),
                    anchor.wall_time.ms(),
                    i64::from(anchor.agrees()),
                ])?;
            Ok(())
        })
    }
}

fn find(connection: &Connection) -> Result<Option<ClockMark>, StoreError> {
    let mark = connection
        .prepare_cached(
            "SELECT high_water_ms, anchor_server_ms, anchor_wall_ms FROM clock_mark WHERE id = 1",
        )?
        .query_row([], |row| {
            let server: Option<i64> = row.get(1)?;
            let wall: Option<i64> = row.get(2)?;
            let anchor = server.zip(wall).map(|(server, wall)| ServerAnchor {
                server_time: Timestamp::from_ms(server),
                wall_time: Timestamp::from_ms(wall),
            });
            Ok(ClockMark {
                high_water: Timestamp::from_ms(row.get(0)?),
                anchor,
            })
        })
        .optional()?;
    Ok(mark)
}
