//! How many connections are open: so many in all, and no more than half of them from one side, so
//! that whoever opens as many as they can leaves room for the others.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::limits::side;

/// Connections that a server takes. A terminal has three.
const CONNECTIONS_MAX: usize = 4_096;

/// How often it is told that there is no room.
const TOLD_EVERY: Duration = Duration::from_secs(60);

/// Room for connections.
#[derive(Clone)]
pub struct Room {
    most: usize,
    open: Arc<Mutex<Open>>,
}

#[derive(Default)]
struct Open {
    all: usize,
    of: HashMap<IpAddr, usize>,
    told: Option<Instant>,
}

/// The place of a connection, until it is dropped.
pub(super) struct Taken {
    room: Room,
    side: IpAddr,
}

impl Default for Room {
    fn default() -> Room {
        Room::of(CONNECTIONS_MAX)
    }
}

impl Room {
    /// Room for so many connections.
    pub fn of(most: usize) -> Room {
        Room {
            most,
            open: Arc::default(),
        }
    }

    /// A place for a connection from `address`, if there is one.
    pub(super) fn take(&self, address: IpAddr) -> Option<Taken> {
        let side = side(address);
        let mut open = self.open();
        let of_side = open.of.get(&side).copied().unwrap_or_default();
        if open.all >= self.most || of_side >= self.most / 2 {
            let now = Instant::now();
            if open.told.is_none_or(|told| now - told > TOLD_EVERY) {
                open.told = Some(now);
                let all = open.all;
                tracing::warn!(%address, of_side, all, "no room for more connections");
            }
            return None;
        }
        open.all += 1;
        open.of.insert(side, of_side + 1);
        Some(Taken {
            room: self.clone(),
            side,
        })
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        let mut open = self.room.open();
        open.all -= 1;
        if let Some(of_side) = open.of.get_mut(&self.side) {
            *of_side -= 1;
            if *of_side == 0 {
                open.of.remove(&self.side);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_side_takes_half_and_all_no_more_than_there_is() {
        let room = Room::of(5);
        let take = |text: &str| room.take(text.parse().expect("an address"));
        let one = [take("10.0.0.1"), take("::ffff:10.0.0.1"), take("10.0.0.1")];
        assert_eq!(one.each_ref().map(Option::is_some), [true, true, false]);
        let others = [take("10.0.0.2"), take("10.0.0.2"), take("10.0.0.3")];
        assert!(others.iter().all(Option::is_some));
        assert!(take("10.0.0.4").is_none());
        drop(one);
        assert!(take("10.0.0.4").is_some());
        drop(others);
        assert!(room.open().of.is_empty() && room.open().all == 0);
    }
}
