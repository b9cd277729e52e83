//! What cloned and set back disks took: it is handed over, a person looks at it, and it is booked.

use std::collections::BTreeSet;

use qiantai_core::Money;
use qiantai_core::ids::OpId;
use qiantai_server::quarantine::{Chosen, review, waiting};
use qiantai_server::writer::Verdict;
use qiantai_store::Store;
use qiantai_wire::operation::Kind;

use crate::authority::{Authority, Turned};
use crate::halt::{Invariant, Step, must};
use crate::till::Till;
use crate::world::World;

impl World {
    /// A person lets in everything that was kept, terminal by terminal.
    pub fn admit_kept(&mut self) -> Step {
        for terminal in self.authority.kept()? {
            let turned = self.authority.admit(terminal)?;
            self.take(turned)?;
        }
        self.come_together()
    }

    /// Whether the server has what stands on a disk with two histories, believed or not.
    pub fn has_handed_over(&self, till: &Till) -> bool {
        let running = till.running.as_ref().filter(|_| till.doubtful);
        running.is_none_or(|running| {
            let own = unacknowledged(&running.store);
            own.is_ok_and(|own| {
                own.iter()
                    .all(|(op_id, _)| self.oracle.books.arrived.contains(op_id))
            })
        })
    }

    /// The cash of every history is in the books: what came, and what stands on a disk that is there.
    pub fn check_cash_of_all_histories(&self) -> Step {
        let books = &self.oracle.books;
        let came = self.oracle.facts.values().find(|fact| {
            let is_kept =
                books.arrived.contains(&fact.op_id) && !books.places.contains_key(&fact.op_id);
            fact.principal > Money::ZERO && is_kept
        });
        must(came.is_none(), Invariant::NothingLost, || {
            format!("cash was kept and is not booked: {came:?}")
        })?;
        for till in self
            .tills
            .iter()
            .filter(|till| till.doubtful && !till.retired)
        {
            let Some(running) = &till.running else {
                continue;
            };
            let own = unacknowledged(&running.store)?;
            let cash = own
                .iter()
                .filter(|(_, kind)| *kind == Kind::RechargeCash.number());
            let missing = cash
                .map(|(op_id, _)| op_id)
                .find(|it| !books.places.contains_key(*it));
            must(missing.is_none(), Invariant::NothingLost, || {
                format!(
                    "{} took cash that is not booked: {missing:?}",
                    till.identity.device
                )
            })?;
        }
        Ok(())
    }
}

/// Operations that the server has not acknowledged to this disk, with their kinds.
fn unacknowledged(store: &Store) -> Step<Vec<(OpId, u16)>> {
    let acked = store.sync_mark()?.acked_seq;
    let rows = store.operations_after(acked, u32::MAX)?;
    Ok(rows.into_iter().map(|row| (row.op_id, row.kind)).collect())
}

/// A terminal as people name it: store and two digits.
type Named = (String, String);

impl Authority {
    /// Terminals of which something waits for a person.
    fn kept(&self) -> Step<BTreeSet<Named>> {
        let Some(ledger) = self.ledger() else {
            return Ok(BTreeSet::new());
        };
        let all = waiting(&ledger.inner, self.clock.shows())?.into_iter();
        Ok(all.map(|one| (one.store, one.terminal)).collect())
    }

    fn admit(&mut self, (store, terminal): Named) -> Step<Turned> {
        let Some((server, ledger)) = self.serving() else {
            return Ok(Turned::default());
        };
        let (reviewed, turned) = self.drive(Box::pin(async move {
            let chosen = Chosen {
                store: &store,
                terminal: &terminal,
                numbers: &[],
                marks: &[],
            };
            review(&server, &ledger.inner, chosen, Verdict::Admit, "looked at").await
        }));
        match reviewed {
            Some(Err(error)) if !turned.died => Err(std::io::Error::other(error).into()),
            _ => Ok(turned),
        }
    }
}
