//! Stored value that this terminal may spend without asking: its leases, and payments from them
//! (docs: sync, "Offline spending: leases"). The window has no screen for it yet, and so nothing asks
//! for leases by itself: money would be frozen that nobody at this counter can spend.

use std::sync::Arc;

use async_trait::async_trait;
use ed25519_dalek::VerifyingKey;
use qiantai_core::Money;
use qiantai_core::account::Account;
use qiantai_core::decide::RefusalCode;
use qiantai_core::ids::{ActionId, MemberId};
use qiantai_core::lease::{SEEN_WITHIN, draws};
use qiantai_core::operation::{NamedLease, OperationBody, SpendOffline};
use qiantai_store::{LeaseDue, Store};
use qiantai_sync::{LeaseBook, LeaseKeeper, LocalLogError};
use qiantai_wire::api::GrantedLease;

use crate::approval::approver;
use crate::commit::refused;
use crate::counter::Counter;
use crate::error::{CallError, ErrorCode};
use crate::serve::blocking;
use crate::terminal::Draft;
use crate::view::order::Approval;

/// A payment from stored value without the server.
pub struct SpendingOffline {
    /// The intent; the same twice is written once.
    pub intent: ActionId,
    /// Whose stored value.
    pub member: MemberId,
    /// Price of the service.
    pub amount: Money,
    /// The manager who lets it pass what the leases hold.
    pub approval: Option<Approval>,
}

impl Counter {
    /// Pays from the leases of this terminal, and beyond them with a manager's PIN alone. The
    /// account as it will be once the server knows.
    ///
    /// # Errors
    /// Nobody is signed in, no shift is open, the member is not active, or the leases hold less and
    /// no manager approves. Then nothing was written.
    pub fn spend_offline(&self, request: &SpendingOffline) -> Result<Account, CallError> {
        let (_, proof) = self.staff()?;
        let _sale = self.sale_lock();
        let SpendingOffline { intent, member, .. } = *request;
        let overlay = self.overlay(&[member])?;
        if !self.store.operations_of_action(intent)?.is_empty() {
            return account_of(overlay.account(member));
        }
        let shift = self.open_shift_id(&overlay)?;
        let held: Vec<_> = self.store.spendable_leases(member)?;
        let held: Vec<_> = held.iter().map(|lease| (lease.id, lease.left)).collect();
        let (draws, beyond) = draws(&held, request.amount);
        let approval = match (&request.approval, beyond.is_positive()) {
            (_, false) => None,
            (Some(typed), true) => {
                let manager = approver(&self.policy()?, &proof, typed)?;
                Some((manager, typed))
            }
            (None, true) => {
                let short = CallError::new(ErrorCode::ApprovalNeeded, "lease_short");
                return Err(short.with("missing", beyond.to_string()));
            }
        };
        let body = SpendOffline {
            member,
            amount: request.amount,
            draws,
            approval: approval.map(|(manager, _)| manager),
        };
        if !body.is_whole() {
            return Err(refused(RefusalCode::AmountOutOfRange));
        }
        let draft = Draft {
            action: intent,
            staff: Some(proof),
            shift: Some(shift),
            offline: true,
            body: OperationBody::SpendOffline(body),
        };
        if approval.is_none() {
            self.check_no_case(&draft, &overlay)?;
        }
        if let Some((manager, typed)) = approval {
            self.check_pin(manager.staff, &typed.pin)?;
        }
        let overlay = self.commit(&[draft], overlay, Vec::new())?;
        account_of(overlay.account(member))
    }

    /// Gives back every lease that has ended: what is left of it is the member's again.
    fn release_ended(&self) -> Result<(), CallError> {
        let _sale = self.sale_lock();
        let ended = self.store.ended_leases()?;
        if ended.is_empty() {
            return Ok(());
        }
        let members: Vec<_> = ended.iter().map(|lease| lease.member).collect();
        let offline = self.is_offline();
        let release = |lease: &qiantai_store::OwnLease| Draft {
            action: ActionId(self.surroundings.new_id()),
            staff: None,
            shift: None,
            offline,
            body: OperationBody::LeaseRelease(NamedLease {
                lease: lease.id,
                member: lease.member,
            }),
        };
        let drafts: Vec<_> = ended.iter().map(release).collect();
        self.commit(&drafts, self.overlay(&members)?, Vec::new())?;
        Ok(())
    }

    /// What asks for leases of this terminal.
    ///
    /// # Errors
    /// The server's key is none.
    pub fn lease_keeper(self: &Arc<Counter>) -> Result<LeaseKeeper<CounterLeases>, CallError> {
        let key = VerifyingKey::from_bytes(&self.terminal.server_key).map_err(|error| {
            tracing::error!(%error, "the server's key");
            CallError::internal()
        })?;
        let book = Arc::new(CounterLeases(Arc::clone(self)));
        let (client, device) = (self.client.clone(), self.terminal.device);
        Ok(LeaseKeeper::new(book, client, key, device))
    }
}

fn account_of(account: Option<&Account>) -> Result<Account, CallError> {
    let known = account.cloned();
    known.ok_or_else(|| refused(RefusalCode::MemberUnknown))
}

/// The leases of a counter.
pub struct CounterLeases(Arc<Counter>);

impl CounterLeases {
    async fn with_store<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Counter, &Store) -> Result<T, CallError> + Send + 'static,
    ) -> Result<T, LocalLogError> {
        let counter = Arc::clone(&self.0);
        let done = blocking(move || work(&counter, &counter.store)).await;
        done.map_err(|error| LocalLogError::Failed(error.message_key))
    }
}

#[async_trait]
impl LeaseBook for CounterLeases {
    type Due = LeaseDue;

    fn member(due: &LeaseDue) -> MemberId {
        due.member
    }

    async fn due(&self, limit: usize) -> Result<Vec<LeaseDue>, LocalLogError> {
        let limit = u32::try_from(limit).unwrap_or(u32::MAX);
        self.with_store(move |counter, store| {
            let since = counter.now() - SEEN_WITHIN;
            Ok(store.leases_due(counter.terminal.store, since, limit)?)
        })
        .await
    }

    async fn take(
        &self,
        asked: Vec<LeaseDue>,
        leases: Vec<GrantedLease>,
    ) -> Result<(), LocalLogError> {
        self.with_store(move |counter, store| {
            store.take_leases(&asked, &leases)?;
            counter.release_ended()
        })
        .await
    }
}
