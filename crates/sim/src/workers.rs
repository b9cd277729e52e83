//! Runs side by side.

use std::num::NonZero;
use std::thread;

use crate::Failed;

/// Lets so many threads, by default one for each core, do `work`; the first that fails fails all.
pub fn side_by_side(
    jobs: Option<usize>,
    work: impl Fn() -> Result<(), Failed> + Sync,
) -> Result<(), Failed> {
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    let jobs = jobs.unwrap_or(cores).max(1);
    thread::scope(|scope| {
        let workers: Vec<_> = (0..jobs).map(|_| scope.spawn(&work)).collect();
        workers
            .into_iter()
            .try_for_each(|worker| match worker.join() {
                Ok(outcome) => outcome,
                Err(_) => Err("a run panicked".into()),
            })
    })
}
