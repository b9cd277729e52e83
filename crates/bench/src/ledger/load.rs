//! Terminals at work: as fast as the server takes it, at a rate, and one by one.

use std::time::{Duration, Instant};

use qiantai_wire::SignedOperation;
use qiantai_wire::api::PUSH_LIMIT;
use tokio::task::JoinSet;

use super::till::{Clientele, Till, push};
use crate::Outcome;
use crate::figure::micros;

/// Top-ups for each terminal.
pub type Work = Vec<Vec<SignedOperation>>;

/// Lets every terminal sign so many top-ups, on all processors.
pub fn sign(tills: &mut [Till], per_till: usize, of: Clientele) -> Outcome<Work> {
    tokio::task::block_in_place(|| {
        std::thread::scope(|scope| {
            let at_work: Vec<_> = tills
                .iter_mut()
                .map(|till| scope.spawn(move || till.top_ups(per_till, of)))
                .collect();
            at_work
                .into_iter()
                .map(|one| one.join().map_err(|_| "signing panicked")?)
                .collect()
        })
    })
}

/// All terminals push at once what they have, each in calls of at most `per_call`, one after the
/// other. How long it took until the last was answered.
pub async fn at_full(tills: &[Till], work: Work, per_call: usize) -> Outcome<Duration> {
    let mut at_work = JoinSet::new();
    let began = Instant::now();
    for (till, operations) in tills.iter().zip(work) {
        let client = till.client();
        at_work.spawn(async move {
            for some in operations.chunks(per_call.min(PUSH_LIMIT)) {
                push(&client, some).await?;
            }
            Outcome::Ok(())
        });
    }
    while let Some(done) = at_work.join_next().await {
        done??;
    }
    Ok(began.elapsed())
}

/// Top-ups come about at a steady rate: each terminal has one every `every`, and pushes what it has
/// whenever its last push was answered, as terminals do. From the moment of each top-up to the
/// answer of the push that carried it; a server that falls behind is not waited for.
pub async fn at_rate(tills: &[Till], work: Work, every: Duration) -> Outcome<Vec<Duration>> {
    let mut at_work = JoinSet::new();
    let began = Instant::now();
    // Terminals do not sell at one moment.
    let apart = every / u32::try_from(tills.len().max(1))?;
    for (number, (till, operations)) in (0_u32..).zip(tills.iter().zip(work)) {
        let client = till.client();
        let first = began + apart * number;
        at_work.spawn(async move {
            let mut took = Vec::with_capacity(operations.len());
            let due = |place: usize| first + every * u32::try_from(place).unwrap_or(u32::MAX);
            while took.len() < operations.len() {
                let from = took.len();
                tokio::time::sleep_until(due(from).into()).await;
                let now = Instant::now();
                let mut until = from + 1;
                while until < operations.len() && due(until) <= now && until - from < PUSH_LIMIT {
                    until += 1;
                }
                push(&client, &operations[from..until]).await?;
                let answered = Instant::now();
                took.extend((from..until).map(|place| answered - due(place)));
            }
            Outcome::Ok(took)
        });
    }
    let mut all = Vec::new();
    while let Some(done) = at_work.join_next().await {
        all.extend(done??);
    }
    Ok(all)
}

/// One top-up, signed and pushed by itself, from the terminal's signature to the committed answer.
pub async fn online(till: &mut Till) -> Outcome<Duration> {
    let client = till.client();
    let began = Instant::now();
    let signed = till.top_up(Clientele::Measured)?;
    push(&client, &[signed]).await?;
    Ok(began.elapsed())
}

/// How many in a second.
pub fn per_second(count: usize, took: Duration) -> Outcome<u64> {
    Ok(u64::try_from(count)? * 1_000_000 / micros(took).max(1))
}
