//! What waits in a writer's queue, and to whom it is answered.

use qiantai_core::clock::Timestamp;
use qiantai_core::ids::DeviceId;
use qiantai_wire::api::{OpResultDto, PushHalt};
use qiantai_wire::codes::RefusalCodeDto;
use tokio::sync::oneshot;

use super::batch::Stand;
use super::received::Received;
use super::unit::{BroughtBack, Instead, Item, OwnOperation, Replayed, Taken, Unit, Verdict};
use super::{Pushed, WriteError};

/// A call that waits.
pub(super) enum Job {
    Push(Vec<Received>, oneshot::Sender<Result<Pushed, WriteError>>),
    Import(
        Vec<Received>,
        oneshot::Sender<Result<Vec<BroughtBack>, WriteError>>,
    ),
    Review(
        Vec<Received>,
        Verdict,
        oneshot::Sender<Result<Vec<BroughtBack>, WriteError>>,
    ),
    Own(
        Vec<OwnOperation>,
        oneshot::Sender<Result<Vec<OpResultDto>, WriteError>>,
    ),
    Replay(
        Vec<Replayed>,
        oneshot::Sender<Result<Vec<OpResultDto>, WriteError>>,
    ),
}

/// To whom the operations of a job are answered.
pub(super) enum Reply {
    /// Whoever pushed for this device, if anything.
    Push(
        Option<DeviceId>,
        oneshot::Sender<Result<Pushed, WriteError>>,
    ),
    /// Whoever brought receipts back, or looked at what was kept.
    Import(oneshot::Sender<Result<Vec<BroughtBack>, WriteError>>),
    /// The server itself.
    Results(oneshot::Sender<Result<Vec<OpResultDto>, WriteError>>),
}

impl Job {
    /// How many operations it has.
    pub(super) fn len(&self) -> usize {
        match self {
            Job::Push(operations, _) | Job::Import(operations, _) | Job::Review(operations, ..) => {
                operations.len()
            }
            Job::Own(operations, _) => operations.len(),
            Job::Replay(rows, _) => rows.len(),
        }
    }

    /// Its operations, after those that are there, and to whom they are answered.
    pub(super) fn into_units(self, now: Timestamp, units: &mut Vec<Unit>) -> Reply {
        let unit = |now, item| Unit {
            now,
            item,
            instead: Instead::Nothing,
        };
        match self {
            Job::Push(operations, reply) => {
                let device = operations.first().map(|first| first.header.device);
                let items = operations.into_iter().map(Box::new).map(Item::Pushed);
                units.extend(items.map(|item| unit(now, item)));
                Reply::Push(device, reply)
            }
            Job::Import(operations, reply) => {
                let items = operations.into_iter().map(Box::new).map(Item::Imported);
                units.extend(items.map(|item| unit(now, item)));
                Reply::Import(reply)
            }
            Job::Review(operations, verdict, reply) => {
                let instead = match verdict {
                    Verdict::Admit => Instead::Nothing,
                    Verdict::Refuse => Instead::TurnDown,
                };
                let items = operations.into_iter().map(Box::new).map(Item::Reviewed);
                units.extend(items.map(|item| Unit { now, item, instead }));
                Reply::Import(reply)
            }
            Job::Own(operations, reply) => {
                let items = operations.into_iter().map(Box::new).map(Item::Own);
                units.extend(items.map(|item| unit(now, item)));
                Reply::Results(reply)
            }
            Job::Replay(rows, reply) => {
                units.extend(rows.into_iter().map(|row| {
                    let instead = match row.was_refused_as(RefusalCodeDto::ReviewRefused) {
                        true => Instead::TurnDown,
                        false => Instead::Nothing,
                    };
                    Unit {
                        now: row.row.decided_at,
                        item: Item::Replayed(Box::new(row)),
                        instead,
                    }
                }));
                Reply::Results(reply)
            }
        }
    }
}

impl Reply {
    /// A caller that went away has its answer in the log.
    pub(super) fn answer(self, done: Result<(Vec<Taken>, &Stand), WriteError>) {
        match self {
            Reply::Push(device, reply) => drop(reply.send(done.map(|(taken, stand)| {
                let cursor = device.and_then(|device| stand.cursors.get(&device));
                Pushed {
                    stand: cursor.map(|cursor| (*cursor, stand.head)),
                    ..pushed(taken)
                }
            }))),
            Reply::Import(reply) => drop(reply.send(done.map(|(taken, _)| brought_back(taken)))),
            Reply::Results(reply) => {
                drop(reply.send(done.map(|(taken, _)| pushed(taken).results)));
            }
        }
    }
}

/// A push stops at the first gap; after a fork everything is kept and nothing is answered.
fn pushed(taken: Vec<Taken>) -> Pushed {
    let mut results = Vec::with_capacity(taken.len());
    for unit in taken {
        match unit {
            Taken::Answered(result) | Taken::Imported(BroughtBack { result, .. }) => {
                results.push(result);
            }
            Taken::Gap { expected_seq } => {
                return Pushed {
                    results,
                    halt: Some(PushHalt::Gap { expected_seq }),
                    stand: None,
                };
            }
            Taken::Forked(result) => {
                let halt = Some(PushHalt::Fork {
                    device_seq: result.device_seq,
                });
                results.push(result);
                return Pushed {
                    results,
                    halt,
                    stand: None,
                };
            }
        }
    }
    Pushed {
        results,
        halt: None,
        stand: None,
    }
}

fn brought_back(taken: Vec<Taken>) -> Vec<BroughtBack> {
    let imported = taken.into_iter().filter_map(|unit| match unit {
        Taken::Imported(back) => Some(back),
        Taken::Answered(_) | Taken::Forked(_) | Taken::Gap { .. } => None,
    });
    imported.collect()
}
