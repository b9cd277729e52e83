//! Where operations stand in the chains of their devices.
//!
//! A device's chain ends at its cursor. An operation that was brought back from a receipt may stand
//! beyond that end, because those between are missing here: it is in the log all the same, and once
//! the gap is filled the chain goes on over it. Where a chain ends therefore follows from what is in
//! the log, and not from the way by which it came.

use std::collections::{BTreeMap, HashMap};

use qiantai_core::ids::DeviceId;
use qiantai_core::operation::Hash;
use qiantai_wire::api::OpResultDto;
use qiantai_wire::{Header, SignedOperation};

use super::record::{Mark, held_answer};
use crate::db::{Books, Cursor, DeviceStanding, HeldReason, Standing};

/// Device, epoch, sequence.
type Spot = (DeviceId, u32, u64);

/// The operations that a batch may meet, as far as the log has them.
pub(super) struct Chains {
    /// Rows of this batch and those found in the log, by hash.
    by_hash: HashMap<Hash, (Standing, OpResultDto)>,
    /// Hash that holds a place in a device's chain.
    by_place: HashMap<Spot, Hash>,
    /// What stands beyond the end of its chain.
    beyond: BTreeMap<Spot, Link>,
}

struct Link {
    prev_hash: Hash,
    hash: Hash,
}

/// Where an operation stands in its device's chain.
pub(super) enum Place {
    /// It is the next.
    Next,
    /// The log has it.
    Resent(Standing, OpResultDto),
    /// Others are missing before it; this one is expected.
    Gap(u64),
    /// The device wrote another one there, or follows another history.
    Fork,
    /// The device is not known or not believed.
    NotBelieved,
}

impl Chains {
    pub(super) fn of(books: &Books) -> Chains {
        let mut chains = Chains {
            by_hash: HashMap::new(),
            by_place: HashMap::new(),
            beyond: BTreeMap::new(),
        };
        // In the order of the log: what was kept and taken later is seen as it was taken.
        for row in &books.seen {
            // An answer that cannot be read back is answered as held: a person looks at it.
            let answer = serde_json::from_str(&row.answer).unwrap_or_else(|_| held_answer(row));
            chains.by_hash.insert(row.hash, (row.standing, answer));
            if matches!(row.standing, Standing::Quarantined(_)) || row.other_history {
                continue;
            }
            let spot = (row.device, row.epoch, row.device_seq);
            chains.by_place.insert(spot, row.hash);
            let ends = books.cursors.get(&row.device);
            if ends.is_some_and(|cursor| row.device_seq > cursor.last_seq) {
                let link = Link {
                    prev_hash: prev_hash_of(&row.bytes),
                    hash: row.hash,
                };
                chains.beyond.insert(spot, link);
            }
        }
        chains
    }

    /// Where an operation stands whose device is at `cursor`. What was kept because others were
    /// missing has its place as soon as they are there.
    pub(super) fn place(&self, header: &Header, cursor: Option<&Cursor>) -> Place {
        match self.by_hash.get(&header.hash) {
            None | Some((Standing::Quarantined(HeldReason::BeyondGap), _)) => {}
            Some((standing, answer)) => return Place::Resent(*standing, answer.clone()),
        }
        match cursor {
            Some(cursor) if cursor.believed() == DeviceStanding::Active => {
                self.spot(header, cursor)
            }
            _ => Place::NotBelieved,
        }
    }

    /// Where it stands among what the log has of its device, believed or not.
    pub(super) fn spot(&self, header: &Header, cursor: &Cursor) -> Place {
        let spot = (header.device, header.epoch, header.device_seq);
        let is_taken = self.by_place.contains_key(&spot) || header.device_seq <= cursor.last_seq;
        if header.epoch != cursor.epoch || is_taken {
            return Place::Fork;
        }
        if header.device_seq > cursor.last_seq + 1 {
            return Place::Gap(cursor.last_seq + 1);
        }
        if header.prev_hash == cursor.last_hash {
            Place::Next
        } else {
            Place::Fork
        }
    }

    /// Whether an operation that was kept has or may take a place in its device's chain. Behind a gap
    /// in a device of two histories nothing tells whose the place is: it stays free for the first.
    pub(super) fn has_room(&self, header: &Header, cursor: &Cursor) -> bool {
        match self.spot(header, cursor) {
            Place::Next => true,
            Place::Gap(_) => cursor.standing != DeviceStanding::Quarantined,
            _ => false,
        }
    }

    /// The answer to what is kept outside its device's chain and was not taken since.
    pub(super) fn kept(&self, hash: &Hash) -> Option<OpResultDto> {
        match self.by_hash.get(hash) {
            Some((Standing::Quarantined(_), answer)) => Some(answer.clone()),
            _ => None,
        }
    }

    /// The answer to what has its place in its device's chain and was not decided yet.
    pub(super) fn held(&self, hash: &Hash) -> Option<OpResultDto> {
        match self.by_hash.get(hash) {
            Some((Standing::Held(_), answer)) => Some(answer.clone()),
            _ => None,
        }
    }

    /// How many places before `header`'s are empty in its device's chain.
    pub(super) fn missing_before(&self, header: &Header, cursor: Option<&Cursor>) -> u64 {
        let last_seq = cursor.map_or(0, |cursor| cursor.last_seq);
        let between = header.device_seq.saturating_sub(last_seq + 1);
        if between == 0 {
            return 0;
        }
        let at = |seq| (header.device, header.epoch, seq);
        let there = self.beyond.range(at(last_seq + 1)..at(header.device_seq));
        between.saturating_sub(there.count() as u64)
    }

    /// Remembers what is written of an operation.
    pub(super) fn remember(&mut self, hash: Hash, standing: Standing, answer: OpResultDto) {
        self.by_hash.insert(hash, (standing, answer));
    }

    /// Gives an operation its place, and moves the end of its device's chain over everything that
    /// now follows without a gap.
    pub(super) fn append(&mut self, mark: &Mark, cursor: &mut Cursor) {
        let at = |seq| (mark.device, mark.epoch, seq);
        self.by_place.insert(at(mark.device_seq), mark.hash);
        let link = Link {
            prev_hash: mark.prev_hash,
            hash: mark.hash,
        };
        self.beyond.insert(at(mark.device_seq), link);
        loop {
            let next = at(cursor.last_seq + 1);
            let follows = self.beyond.get(&next);
            let Some(link) = follows.filter(|link| link.prev_hash == cursor.last_hash) else {
                return;
            };
            cursor.last_seq += 1;
            cursor.last_hash = link.hash;
            self.beyond.remove(&next);
        }
    }
}

/// What an operation of the log follows. Without a header it follows nothing, and no chain goes on
/// over it.
pub(super) fn prev_hash_of(bytes: &[u8]) -> Hash {
    let header = SignedOperation::from(bytes.to_vec()).header();
    header.map_or([0; 32], |header| header.prev_hash)
}
