//! Leases of members' stored value to terminals: what one may have, who has what, and declaring a
//! terminal's leases lost (docs: sync, "Offline spending: leases").

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use qiantai_core::account::draw;
use qiantai_core::ids::{ActionId, DeviceId, OpId, StoreId};
use qiantai_core::lease::{Lease, LeaseState, SEEN_WITHIN, free_lots, renewal};
use qiantai_core::member::MemberStatus;
use qiantai_core::money::Money;
use qiantai_core::operation::{LeaseGrant, NamedLease, OperationBody};
use qiantai_core::policy::Policy;
use qiantai_core::{Millis, Timestamp};
use serde::Serialize;
use sha2::{Digest, Sha256};
use uuid::{Builder, Uuid};

use crate::audit::{Act, Deed};
use crate::db::{Archive, DeviceStanding, Leasable, LedgerError, Seat};
use crate::embedded::Server;
use crate::roster::{self, Terminal};
use crate::writer::{OwnOperation, WriteError};

/// Most leases declared lost in one step.
const LOST_AT_ONCE: usize = 256;

/// What the rule leases of a member to a terminal of the member's own store.
pub(crate) fn grant_for(seat: &Seat, found: &Leasable, now: Timestamp) -> Option<LeaseGrant> {
    let was_seen = |at: Timestamp| now - at <= SEEN_WITHIN;
    let is_leased = found.member.status == MemberStatus::Active
        && found.member.home_store == seat.store
        && found.seen_at.is_some_and(was_seen);
    if !is_leased {
        return None;
    }
    let leases = || found.leases.iter().map(|(lease, _)| lease);
    let own = leases()
        .filter(|lease| lease.device == seat.device && lease.state == LeaseState::Held)
        .map(Lease::left);
    let amount = renewal(&found.account, own.sum());
    let lots = draw(&free_lots(&found.account, leases()), amount, true).ok()?;
    (!lots.is_empty()).then_some(LeaseGrant {
        member: found.member.id,
        device: seat.device,
        lots,
    })
}

/// Identity of a grant that is worked out at `now`. What is asked twice at one time, as by a request
/// that was carried twice, is one grant; `round` tells apart what is worked out anew.
pub(crate) fn id_of(grant: &LeaseGrant, now: Timestamp, round: usize) -> Uuid {
    let mut hash = Sha256::new();
    hash.update(grant.device.0.as_bytes());
    hash.update(grant.member.0.as_bytes());
    hash.update((round as u64).to_be_bytes());
    let hash: [u8; 32] = hash.finalize().into();
    let mut tail = [0; 10];
    tail.copy_from_slice(&hash[..10]);
    Builder::from_unix_timestamp_millis(u64::try_from(now.ms()).unwrap_or_default(), &tail)
        .into_uuid()
}

/// A new word of the server at that store.
pub(crate) fn own(id: Uuid, store: StoreId, body: OperationBody) -> OwnOperation {
    OwnOperation {
        op_id: OpId(id),
        action_id: ActionId(id),
        store,
        staff: None,
        body,
        attachment: None,
    }
}

/// What terminals may spend without asking, and what nobody knows about.
#[derive(Clone, Debug, Serialize)]
pub struct Exposure {
    /// Terminals with leases that are not over or with a risk floor, by store and code.
    pub terminals: Vec<TerminalExposure>,
    /// Held by terminals, in fen: it can be spent, and is there.
    pub held_fen: i64,
    /// Of leases declared lost, in fen: it may have been spent, and may be spent again.
    pub lost_fen: i64,
    /// The most that terminals can take beyond their leases before they synchronise, in fen: the sum
    /// of the caps of their floors.
    pub floor_fen: i64,
    /// Members who owe for what was spent without the server.
    pub debtors: u64,
    /// What they owe, in fen.
    pub debt_fen: i64,
}

/// The leases of one terminal, and what it may take beyond them.
#[derive(Clone, Debug, Serialize)]
pub struct TerminalExposure {
    /// Five-digit code of its store.
    pub store: String,
    /// Its two digits.
    pub terminal: String,
    /// Members of whom it holds anything.
    pub members: u64,
    /// What it holds, in fen.
    pub held_fen: i64,
    /// What it held when it was declared lost and has not told of since, in fen.
    pub lost_fen: i64,
    /// The most that it can take beyond its leases before it synchronises, in fen.
    pub floor_fen: i64,
    /// Milliseconds since it was last heard; nothing when it never was.
    pub unheard_ms: Option<i64>,
}

/// Who holds what.
///
/// # Errors
/// See [`LedgerError`].
pub fn exposure(ledger: &dyn Archive, now: Timestamp) -> Result<Exposure, LedgerError> {
    let terminals = roster::terminals(ledger, now)?;
    let mut of_device: BTreeMap<DeviceId, Vec<Lease>> = BTreeMap::new();
    let (mut debtors, mut debt) = (0, Money::ZERO);
    let mut policies = Vec::new();
    for tenant in ledger.tenants()? {
        policies.extend(ledger.policies(tenant.id)?);
        for lease in ledger.open_leases(tenant.id)? {
            of_device.entry(lease.device).or_default().push(lease);
        }
        let owed = ledger.debts(tenant.id)?;
        debtors += owed.0;
        debt += owed.1;
    }
    let of_terminal = |terminal: Terminal| {
        let leases = of_device.remove(&terminal.device).unwrap_or_default();
        let floor = most_beyond(&terminal, &policies);
        let is_exposed = !leases.is_empty() || floor.is_positive();
        is_exposed.then(|| TerminalExposure::of(terminal, &leases, floor))
    };
    let terminals: Vec<_> = terminals.into_iter().filter_map(of_terminal).collect();
    Ok(Exposure {
        held_fen: terminals.iter().map(|terminal| terminal.held_fen).sum(),
        lost_fen: terminals.iter().map(|terminal| terminal.lost_fen).sum(),
        floor_fen: terminals.iter().map(|terminal| terminal.floor_fen).sum(),
        terminals,
        debtors,
        debt_fen: debt.fen(),
    })
}

/// The most that a terminal can take beyond its leases, by the rules that it may hold: those in force
/// when it was last heard, and all since. What one out of service takes waits for a person.
fn most_beyond(terminal: &Terminal, policies: &[Arc<Policy>]) -> Money {
    let Some(heard_at) = terminal.heard_at else {
        return Money::ZERO;
    };
    if terminal.standing != DeviceStanding::Active {
        return Money::ZERO;
    }
    let of_store = || {
        let policies = policies.iter();
        policies.filter(|policy| policy.store.id == terminal.store_id)
    };
    let known = of_store().filter(|policy| policy.effective_from <= heard_at);
    let oldest = known.map(|policy| policy.version).max().unwrap_or_default();
    let held = of_store().filter(|policy| policy.version >= oldest);
    let most = held.map(|policy| policy.offline.risk_floor.most_per_device());
    most.max().unwrap_or_default()
}

impl TerminalExposure {
    fn of(terminal: Terminal, leases: &[Lease], floor: Money) -> TerminalExposure {
        let sum = |state: LeaseState| {
            let leases = leases.iter().filter(|lease| lease.state == state);
            leases.map(Lease::left).sum::<Money>().fen()
        };
        let mut members: Vec<_> = leases.iter().map(|lease| lease.member).collect();
        members.sort_unstable();
        members.dedup();
        let unheard: Option<Millis> = terminal.heard_at.map(|at| terminal.at - at);
        TerminalExposure {
            members: members.len() as u64,
            held_fen: sum(LeaseState::Held),
            lost_fen: sum(LeaseState::Lost),
            floor_fen: floor.fen(),
            unheard_ms: unheard.map(|unheard| unheard.0),
            store: terminal.store,
            terminal: terminal.code,
        }
    }
}

impl fmt::Display for Exposure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for terminal in &self.terminals {
            writeln!(f, "{terminal}")?;
        }
        let yuan = Money::from_fen;
        write!(
            f,
            "held {}, lost {}, at most {} beyond; {} members owe {}",
            yuan(self.held_fen),
            yuan(self.lost_fen),
            yuan(self.floor_fen),
            self.debtors,
            yuan(self.debt_fen)
        )
    }
}

impl fmt::Display for TerminalExposure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let yuan = Money::from_fen;
        write!(
            f,
            "store {} terminal {}: {} members, held {}, lost {}, at most {} beyond",
            self.store,
            self.terminal,
            self.members,
            yuan(self.held_fen),
            yuan(self.lost_fen),
            yuan(self.floor_fen)
        )?;
        match self.unheard_ms {
            None => f.write_str("; never heard"),
            Some(ms) => write!(f, "; heard {} ago", crate::doctor::span(Millis(ms))),
        }
    }
}

/// Why no leases were declared lost.
#[derive(Debug, thiserror::Error)]
pub enum LostError {
    /// Nothing stands there.
    #[error("store {store} has no terminal {code}; `qiantai-server terminals list` shows them all")]
    Unknown {
        /// Code of the store.
        store: String,
        /// Code of the terminal.
        code: String,
    },
    /// The books.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The writer.
    #[error(transparent)]
    Write(#[from] WriteError),
}

/// Declares that a terminal will not come back: what it holds is the members' again. How many
/// leases, and how much; entered in the audit log first, with the reason.
///
/// # Errors
/// See [`LostError`]. Leases that were declared lost before it stay so; repeating goes on.
pub async fn declare_lost(
    server: &Server,
    ledger: &dyn Archive,
    (store, code): (&str, &str),
    reason: &str,
) -> Result<(usize, Money), LostError> {
    let now = server.now();
    let mut terminals = roster::terminals(ledger, now)?.into_iter();
    let found = terminals.find(|terminal| terminal.store == store && terminal.code == code);
    let Some(terminal) = found else {
        let (store, code) = (store.to_owned(), code.to_owned());
        return Err(LostError::Unknown { store, code });
    };
    let tenant = terminal.tenant;
    let mut leases = ledger.open_leases(tenant)?;
    leases.retain(|lease| lease.device == terminal.device && lease.state == LeaseState::Held);
    let sum: Money = leases.iter().map(Lease::left).sum();
    if leases.is_empty() {
        return Ok((0, sum));
    }
    let count = leases.len();
    let deed = Deed {
        at: now,
        act: Act::LeasesLost,
        device: Some(terminal.device),
        address: None,
        subject: format!("store {store} terminal {code}: {count} leases of {sum}: {reason}"),
    };
    ledger.save_deed(tenant, &deed)?;
    for part in leases.chunks(LOST_AT_ONCE) {
        let say = |lease: &Lease| {
            let named = NamedLease {
                lease: lease.id,
                member: lease.member,
            };
            own(Uuid::now_v7(), lease.store, OperationBody::LeaseLost(named))
        };
        server.say(tenant, part.iter().map(say).collect()).await?;
    }
    Ok((count, sum))
}
