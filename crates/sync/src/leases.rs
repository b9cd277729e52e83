//! Asks for leases while the server is there, so that they are here when it is not (docs: sync,
//! "Offline spending: leases"). It stands beside the engine: nothing waits for it.

use std::sync::Arc;

use async_trait::async_trait;
use ed25519_dalek::VerifyingKey;
use qiantai_core::Millis;
use qiantai_core::ids::{DeviceId, MemberId};
use qiantai_wire::api::{GrantedLease, LEASE_MEMBERS_LIMIT};

use crate::client::Client;
use crate::driver::{LocalLogError, Surroundings};

/// Between two rounds. Leases are wanted in an outage, which nobody announces.
const EACH: Millis = Millis::minutes(1);

/// While more members wait than fit in a round.
const SOON: Millis = Millis::seconds(1);

/// Spreads the rounds of many terminals.
const SPREAD_MS: u64 = 10_000;

/// Where a terminal keeps its leases.
#[async_trait]
pub trait LeaseBook: Send + Sync + 'static {
    /// A member for whom leases may be due.
    type Due: Send + Sync;

    /// Who it is.
    fn member(due: &Self::Due) -> MemberId;

    /// Members whose money moved since leases were last asked for, at most `limit`.
    async fn due(&self, limit: usize) -> Result<Vec<Self::Due>, LocalLogError>;

    /// Takes over all that this terminal holds of these members, and gives back what ended.
    async fn take(
        &self,
        asked: Vec<Self::Due>,
        leases: Vec<GrantedLease>,
    ) -> Result<(), LocalLogError>;
}

/// How a round ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Round {
    /// Leases of so many members were asked for and taken over.
    Taken(usize),
    /// The server said nothing that could be taken over.
    Failed,
}

/// Keeps the leases of one terminal.
pub struct LeaseKeeper<B> {
    book: Arc<B>,
    client: Client,
    server: VerifyingKey,
    device: DeviceId,
}

impl<B: LeaseBook> LeaseKeeper<B> {
    /// A keeper for `device`, which believes what is signed with the key `server` alone.
    pub fn new(
        book: Arc<B>,
        client: Client,
        server: VerifyingKey,
        device: DeviceId,
    ) -> LeaseKeeper<B> {
        LeaseKeeper {
            book,
            client,
            server,
            device,
        }
    }

    /// Asks again and again, for ever.
    pub async fn run(&self, surroundings: Arc<dyn Surroundings>) {
        loop {
            let wait = match self.round().await {
                Ok(Round::Taken(members)) if members == LEASE_MEMBERS_LIMIT => SOON,
                Ok(Round::Taken(_) | Round::Failed) => EACH,
                Err(error) => {
                    tracing::error!(%error, "leases were not kept");
                    EACH
                }
            };
            let spread = i64::try_from(surroundings.random() % SPREAD_MS).unwrap_or(0);
            surroundings.sleep(Millis(wait.0 + spread)).await;
        }
    }

    /// Asks once, for the members to whom it is due.
    ///
    /// # Errors
    /// The terminal's own log failed; nothing was taken over.
    pub async fn round(&self) -> Result<Round, LocalLogError> {
        let due = self.book.due(LEASE_MEMBERS_LIMIT).await?;
        if due.is_empty() {
            return Ok(Round::Taken(0));
        }
        let members = due.iter().map(|due| B::member(due).0).collect();
        let answer = match self.client.leases(members).await {
            Ok(answer) => answer,
            Err(error) => {
                tracing::debug!(%error, "no leases");
                return Ok(Round::Failed);
            }
        };
        let granted = answer
            .leases
            .into_iter()
            .map(|lease| lease.granted(&self.server, self.device));
        // What else is in an answer with something false in it is not believed either.
        let granted: Vec<GrantedLease> = match granted.collect() {
            Ok(granted) => granted,
            Err(error) => {
                tracing::error!(%error, "leases were not taken over");
                return Ok(Round::Failed);
            }
        };
        let count = due.len();
        self.book.take(due, granted).await?;
        Ok(Round::Taken(count))
    }
}
