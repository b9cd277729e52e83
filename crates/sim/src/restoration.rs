//! A backup of the server's books, and what becomes of everybody when it is restored.

use std::path::PathBuf;

use qiantai_core::Millis;
use rand::RngExt;

use crate::books::Books;
use crate::halt::{Invariant, Step, must};
use crate::office::all_applied;
use crate::world::{Happening, World};

/// How long it takes at most to find another machine, in milliseconds.
const REPLACED_WITHIN: i64 = 2 * 3_600_000;

/// How long it takes at most until somebody types a code at a terminal that was forgotten.
const TYPED_WITHIN: i64 = 3_600_000;

/// After a backup, and soon, a terminal joins.
const JOINS_WITHIN: i64 = 600_000;

/// A backup that will be restored.
pub struct Backup {
    file: PathBuf,
    /// What it holds.
    books: Books,
}

impl World {
    /// A backup is made, if the server can make one; soon after it a terminal may join.
    pub fn back_up(&mut self, index: usize, joins: bool) -> Step {
        let Some(file) = self.authority.back_up()? else {
            self.active.remove(&index);
            return Ok(());
        };
        let books = self.oracle.books.clone();
        self.backups.insert(index, Backup { file, books });
        if joins {
            let soon = Millis(self.day.random_range(0..JOINS_WITHIN));
            self.after(soon, Happening::Joins);
        }
        Ok(())
    }

    /// The server's disk is lost, and the backup restored on another one.
    pub fn restore(&mut self, index: usize) -> Step {
        let Some(backup) = self.backups.remove(&index) else {
            return Ok(());
        };
        self.authority.restore(&backup.file)?;
        self.turn_is_due = false;
        let from = backup.books.log.len();
        let gone = self.oracle.books.log[from..].iter();
        self.say_again = gone
            .filter_map(|known| self.office.said.get(&known.op_id).cloned())
            .collect();
        self.oracle.rewind(backup.books, self.timeline);
        self.head = from as u64;
        self.break_streams(|_| true)?;
        let later = Millis(self.day.random_range(0..REPLACED_WITHIN));
        self.after(later, Happening::ServerUp);
        Ok(())
    }

    /// Restored books are served. Before anybody reaches them, head office says again what only it had
    /// said.
    pub fn after_restoration(&mut self) -> Step {
        let Some(head) = self.authority.head()? else {
            return Ok(());
        };
        if head.timeline == self.timeline {
            return Ok(());
        }
        self.timeline = head.timeline;
        let now = self.now();
        let words = std::mem::take(&mut self.say_again);
        let again: Vec<_> = words
            .into_iter()
            .map(|word| self.office.again(word, now))
            .collect();
        if !again.is_empty() {
            let (said, turned) = self.authority.say(again)?;
            self.take(turned)?;
            let is_said = said.as_deref().is_some_and(all_applied);
            must(is_said, Invariant::KeepsWorking, || {
                format!("head office could not say again: {said:?}")
            })?;
        }
        self.members = self.oracle.books.owed.keys().copied().collect();
        for till in 0..self.tills.len() {
            let later = match self.healing {
                true => Millis(1),
                false => Millis(self.day.random_range(0..TYPED_WITHIN)),
            };
            self.after(later, Happening::JoinsAgain { till });
        }
        Ok(())
    }

    /// A terminal that follows another timeline than before has learned the shop anew.
    pub fn follow_timeline(&mut self, till: usize) -> Step {
        let till = &mut self.tills[till];
        let cursor = till.position().and_then(|position| position.cursor);
        let Some(cursor) = cursor.filter(|cursor| till.timeline != Some(cursor.timeline)) else {
            return Ok(());
        };
        if till.timeline.replace(cursor.timeline).is_some() {
            till.joined_at = cursor.server_seq;
            if let Some(running) = &mut till.running {
                running.policies = running.store.policies()?;
            }
        }
        Ok(())
    }
}
