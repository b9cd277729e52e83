//! Once a day the accounts of this terminal are compared with the server's, bucket by bucket. Both
//! are made from the same log, so that a difference has a cause: a disk that forgets, a file that
//! somebody edited, a defect. What differs is taken over again at once, and the log names it.

use std::sync::{Arc, Weak};

use qiantai_core::Millis;
use qiantai_store::{Compared, Mended};
use uuid::Uuid;

use crate::counter::Counter;
use crate::error::CallError;
use crate::serve::blocking;
use crate::surroundings::Surroundings;
use crate::view::event::CounterEvent;

/// From the start to the first comparison: whoever opens the shop has other things to do.
const FIRST: Millis = Millis::minutes(10);
/// Between two comparisons.
const EACH: Millis = Millis::days(1);
/// After one that could not be made, because the log moved on meanwhile or the server is away.
const AGAIN: Millis = Millis::minutes(1);

/// How a comparison ended.
enum Outcome {
    /// The replica stood at another place, or the server said nothing.
    NotMade,
    /// The accounts of these members differed, and do no longer.
    Made(Vec<Uuid>),
}

/// Compares for as long as the counter lives.
pub async fn run(counter: Weak<Counter>, surroundings: Arc<dyn Surroundings>) {
    surroundings.sleep(FIRST).await;
    while let Some(alive) = counter.upgrade() {
        let outcome = alive.compare().await;
        drop(alive);
        let wait = match outcome {
            Ok(Outcome::Made(members)) if members.is_empty() => {
                tracing::info!("the accounts are those of the server");
                EACH
            }
            Ok(Outcome::Made(members)) => {
                tracing::error!(?members, "accounts had drifted and were taken over again");
                EACH
            }
            Ok(Outcome::NotMade) => AGAIN,
            Err(error) => {
                tracing::error!(?error, "the accounts were not compared");
                EACH
            }
        };
        surroundings.sleep(wait).await;
    }
}

impl Counter {
    async fn compare(self: &Arc<Counter>) -> Result<Outcome, CallError> {
        let answer = match self.client.digests().await {
            Ok(answer) => answer,
            Err(error) => {
                tracing::debug!(%error, "no digests");
                return Ok(Outcome::NotMade);
            }
        };
        let reader = Arc::clone(self);
        let compared = blocking(move || Ok(reader.store.compare_accounts(&answer)?)).await?;
        let Compared::Here(buckets) = compared else {
            self.sync.nudge();
            return Ok(Outcome::NotMade);
        };
        let mut differed = Vec::new();
        for bucket in buckets {
            let answer = match self.client.bucket(bucket).await {
                Ok(answer) => answer,
                Err(error) => {
                    tracing::debug!(%error, "no bucket");
                    return Ok(Outcome::NotMade);
                }
            };
            let writer = Arc::clone(self);
            let mended = blocking(move || Ok(writer.store.mend_bucket(bucket, &answer)?)).await?;
            let Mended::Here(members) = mended else {
                return Ok(Outcome::NotMade);
            };
            for member in &members {
                let member_id = member.to_string();
                self.tell(CounterEvent::Member { member_id });
            }
            differed.extend(members);
        }
        Ok(Outcome::Made(differed))
    }
}
