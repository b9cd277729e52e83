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
use qiantai_core::ledger::CaseKind;
use qiantai_core::operation::{NamedLease, OperationBody, SpendOffline, StaffProof};
use qiantai_core::risk_floor::SpentBeyond;
use qiantai_store::{LeaseDue, OwnLease, Store};
use qiantai_sync::{LeaseBook, LeaseKeeper, LocalLogError};
use qiantai_wire::api::GrantedLease;

use crate::approval::approver;
use crate::commit::refused;
use crate::counter::Counter;
use crate::error::{CallError, ErrorCode};
use crate::overlay::decode;
use crate::serve::blocking;
use crate::terminal::Draft;
use crate::view::order::Approval;

/// What the store's own count of leases, the risk floor and a manager's word settle, whatever the
/// replica shows.
const COUNTED_HERE: [CaseKind; 3] = [
    CaseKind::LeaseExceeded,
    CaseKind::Overdrawn,
    CaseKind::LimitPassed,
];

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
    /// Pays from the leases of this terminal, beyond them as far as the shop's risk floor goes, and
    /// beyond that with a manager's PIN alone. The account as it will be once the server knows.
    ///
    /// # Errors
    /// Nobody is signed in, no shift is open, the member is not active, or the leases and the
    /// floor give less and no manager approves. Then nothing was written.
    pub fn spend_offline(&self, request: &SpendingOffline) -> Result<Account, CallError> {
        let (_, proof) = self.staff()?;
        let _sale = self.sale_lock();
        let SpendingOffline { intent, member, .. } = *request;
        let overlay = self.overlay(&[member])?;
        if self.is_spent(request)? {
            return account_of(overlay.account(member));
        }
        let shift = self.open_shift_id(&overlay)?;
        let held = self.store.spendable_leases(member)?;
        let held: Vec<_> = held.iter().map(|lease| (lease.id, lease.left)).collect();
        let (draws, _) = draws(&held, request.amount);
        let mut body = SpendOffline {
            member,
            amount: request.amount,
            draws,
            approval: None,
        };
        if !body.is_whole() {
            return Err(refused(RefusalCode::AmountOutOfRange));
        }
        let draft = |body: &SpendOffline| Draft {
            action: intent,
            staff: Some(proof),
            shift: Some(shift),
            offline: true,
            body: OperationBody::SpendOffline(body.clone()),
        };
        let approval = self.approval_beyond(&proof, draft(&body), request)?;
        body.approval = approval.map(|(manager, _)| manager);
        let draft = draft(&body);
        self.check_no_case_but(&COUNTED_HERE, &draft, &overlay)?;
        if let Some((manager, typed)) = approval {
            self.check_pin(manager.staff, &typed.pin)?;
        }
        let overlay = self.commit(&[draft], overlay, Vec::new())?;
        account_of(overlay.account(member))
    }

    /// Whether this very payment was written before. An intent that did something else pays nothing.
    fn is_spent(&self, request: &SpendingOffline) -> Result<bool, CallError> {
        let rows = self.store.operations_of_action(request.intent)?;
        let Some(first) = rows.first() else {
            return Ok(false);
        };
        let written = decode(first).map_err(|error| {
            tracing::error!(%error, "own payment");
            CallError::internal()
        })?;
        match written.body {
            OperationBody::SpendOffline(spend)
                if (spend.member, spend.amount) == (request.member, request.amount) =>
            {
                Ok(true)
            }
            _ => Err(CallError::new(ErrorCode::WrongState, "internal")),
        }
    }

    /// Nothing where the leases and the floor pay it all; else the manager named for it, with what was
    /// typed.
    fn approval_beyond<'a>(
        &self,
        own: &StaffProof,
        draft: Draft,
        request: &'a SpendingOffline,
    ) -> Result<Option<(StaffProof, &'a Approval)>, CallError> {
        let policy = self.policy_of(own.policy_version)?;
        let operation = self.terminal.operation(draft, self.log_position()?);
        let Some(next) = SpentBeyond::at_terminal(&operation) else {
            return Ok(None);
        };
        let cut_off = policy.store.cut_off_minutes;
        let used = self.store.floor_use(&next, cut_off)?;
        let room = policy.offline.risk_floor.room(&used);
        let Some(cap) = room.refuses(next.amount) else {
            return Ok(None);
        };
        let typed = request.approval.as_ref().ok_or_else(|| {
            tracing::info!(cap = cap.name(), "beyond the leases of this terminal");
            let short = CallError::new(ErrorCode::ApprovalNeeded, "lease_short");
            short.with("missing", (next.amount - room.most).to_string())
        })?;
        Ok(Some((approver(&policy, own, typed)?, typed)))
    }

    /// Gives back every lease that has ended: what is left of it is the member's again. The caller
    /// holds the sale lock.
    fn release_ended(&self) -> Result<(), CallError> {
        let ended = self.store.ended_leases()?;
        if ended.is_empty() {
            return Ok(());
        }
        let members: Vec<_> = ended.iter().map(|lease| lease.member).collect();
        let offline = self.is_offline();
        let release = |lease: &OwnLease| Draft {
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
            // One that ended shortly before a crash.
            let sale = counter.sale_lock();
            counter.release_ended()?;
            drop(sale);
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
            // No payment is being put together on a lease that ends here.
            let _sale = counter.sale_lock();
            store.take_leases(&asked, &leases)?;
            counter.release_ended()
        })
        .await
    }
}
