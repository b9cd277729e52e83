//! Where a machine dies: before or after one of its next writes.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

/// Which side of a commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The write is not there.
    Before,
    /// The write is there, and nobody was told.
    After,
}

/// A trap on the writes of one machine.
#[derive(Default)]
pub struct Trap {
    /// Writes until it springs; 0 when it is not set.
    writes: AtomicU32,
    after: AtomicBool,
    sprung: AtomicBool,
}

impl Trap {
    /// Springs at the `writes`-th write from now, counted from 1.
    pub fn set(&self, writes: u32, side: Side) {
        self.after.store(side == Side::After, Ordering::SeqCst);
        self.writes.store(writes.max(1), Ordering::SeqCst);
    }

    /// Springs no more.
    pub fn clear(&self) {
        self.writes.store(0, Ordering::SeqCst);
    }

    /// Whether the machine is dead.
    pub fn is_sprung(&self) -> bool {
        self.sprung.load(Ordering::SeqCst)
    }

    /// Runs a write; `None` when the machine died before or after it.
    pub fn pass<T>(&self, write: impl FnOnce() -> T) -> Option<T> {
        if self.is_sprung() {
            return None;
        }
        let left = self.writes.load(Ordering::SeqCst);
        if left > 0 {
            self.writes.store(left - 1, Ordering::SeqCst);
        }
        if left != 1 {
            return Some(write());
        }
        if self.after.load(Ordering::SeqCst) {
            drop(write());
        }
        self.sprung.store(true, Ordering::SeqCst);
        None
    }
}
