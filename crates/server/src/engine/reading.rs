//! Where the engine reads the books.

use std::sync::Arc;

use super::Engine;
use crate::db::{Ledger, LedgerError};

/// Where the engine reads the books.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reading {
    /// On threads for what blocks. Which of two reads ends first is the machine's choice.
    OnThreads,
    /// Where it stands. Whoever drives the server then decides what comes after what, and a run
    /// can be repeated.
    InPlace,
}

impl Engine {
    /// Reads the books.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        query: impl FnOnce(&dyn Ledger) -> Result<T, LedgerError> + Send + 'static,
    ) -> Result<T, LedgerError> {
        match self.reading {
            Reading::InPlace => query(self.ledger.as_ref()),
            Reading::OnThreads => {
                let ledger = Arc::clone(&self.ledger);
                tokio::task::spawn_blocking(move || query(ledger.as_ref()))
                    .await
                    .map_err(|error| LedgerError::Failed(error.to_string()))?
            }
        }
    }
}
