//! The terminals of the shops: who they are and when they were heard, and taking one out of
//! service.

use std::collections::HashMap;
use std::fmt;

use qiantai_core::Timestamp;
use qiantai_core::ids::{DeviceId, StoreId, TenantId};

use crate::audit::{Act, Deed};
use crate::db::{DeviceStanding, Ledger, LedgerError, Revocation};
use crate::doctor::{last_heard, span};

/// A terminal as those see it who look after the shops.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terminal {
    /// Whose books.
    pub tenant: TenantId,
    /// Which device.
    pub device: DeviceId,
    /// Its store.
    pub store_id: StoreId,
    /// Five-digit code of its store.
    pub store: String,
    /// Its two digits within the store.
    pub code: String,
    /// What people call it.
    pub name: String,
    /// Whether it is believed.
    pub standing: DeviceStanding,
    /// Since when and why it is out of service.
    pub revocation: Option<Revocation>,
    /// When it last asked for anything.
    pub heard_at: Option<Timestamp>,
    /// Operations that wait for a person because it was not believed.
    pub waiting: u64,
    /// When this was read.
    pub at: Timestamp,
}

/// Why no terminal was taken out of service.
#[derive(Debug, thiserror::Error)]
pub enum RevokeError {
    /// Nothing stands there.
    #[error("store {store} has no terminal {code}; `qiantai-server terminals list` shows them all")]
    Unknown {
        /// Code of the store.
        store: String,
        /// Code of the terminal.
        code: String,
    },
    /// It is out of service already.
    #[error("terminal {code} of store {store} is out of service already")]
    Already {
        /// Code of the store.
        store: String,
        /// Code of the terminal.
        code: String,
    },
    /// The books.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

/// Every terminal, by store and code.
///
/// # Errors
/// See [`LedgerError`].
pub fn terminals(ledger: &dyn Ledger, now: Timestamp) -> Result<Vec<Terminal>, LedgerError> {
    let mut terminals = Vec::new();
    for tenant in ledger.tenants()? {
        terminals.extend(of_tenant(ledger, tenant.id, now)?);
    }
    terminals.sort_by(|one, other| (&one.store, &one.code).cmp(&(&other.store, &other.code)));
    Ok(terminals)
}

/// The terminals of one tenant, by store and code.
pub(crate) fn of_tenant(
    ledger: &dyn Ledger,
    tenant: TenantId,
    now: Timestamp,
) -> Result<Vec<Terminal>, LedgerError> {
    let mut stores: HashMap<StoreId, String> = HashMap::new();
    for policy in ledger.policies(tenant)? {
        stores.insert(policy.store.id, policy.store.code.clone());
    }
    let mut names: HashMap<DeviceId, (Timestamp, String)> = HashMap::new();
    for token in ledger.tokens(tenant)? {
        let newest = names.entry(token.device).or_default();
        if token.created_at >= newest.0 {
            *newest = (token.created_at, token.name);
        }
    }
    let contacts = ledger.contacts(tenant)?;
    let taken = ledger.last_taken(tenant)?;
    let quarantined = ledger.quarantined(tenant)?;
    let revocations = ledger.revocations(tenant)?;
    let mut terminals = Vec::new();
    for (device, cursor) in ledger.devices(tenant)? {
        let Some(store) = cursor.store else { continue };
        let revocation = revocations.iter().find(|it| it.device == device.id);
        terminals.push(Terminal {
            tenant,
            device: device.id,
            store_id: store,
            store: stores.get(&store).cloned().unwrap_or_default(),
            code: device.terminal_code,
            name: names.remove(&device.id).map_or_else(String::new, |it| it.1),
            standing: cursor.believed(),
            revocation: revocation.cloned(),
            heard_at: last_heard(device.id, &contacts, &taken),
            waiting: quarantined.get(&device.id).copied().unwrap_or_default(),
            at: now,
        });
    }
    terminals.sort_by(|one, other| (&one.store, &one.code).cmp(&(&other.store, &other.code)));
    Ok(terminals)
}

/// Takes a terminal out of service: from its next contact on it is refused, and what it sends is
/// kept for review.
///
/// # Errors
/// See [`RevokeError`].
pub fn revoke(
    ledger: &dyn Ledger,
    store: &str,
    code: &str,
    reason: &str,
    now: Timestamp,
) -> Result<Terminal, RevokeError> {
    let (store, code) = (store.to_owned(), code.to_owned());
    let mut all = terminals(ledger, now)?.into_iter();
    let found = all.find(|terminal| terminal.store == store && terminal.code == code);
    let Some(terminal) = found else {
        return Err(RevokeError::Unknown { store, code });
    };
    let deed = Deed {
        at: now,
        act: Act::TerminalRevoked,
        device: Some(terminal.device),
        address: None,
        subject: format!("store {store} terminal {code}: {reason}"),
    };
    take_out(ledger, terminal, &deed, reason, now)
}

/// The same with a terminal that was found, entered as `deed` first.
pub(crate) fn take_out(
    ledger: &dyn Ledger,
    mut terminal: Terminal,
    deed: &Deed,
    reason: &str,
    now: Timestamp,
) -> Result<Terminal, RevokeError> {
    let already = |terminal: &Terminal| RevokeError::Already {
        store: terminal.store.clone(),
        code: terminal.code.clone(),
    };
    if terminal.revocation.is_some() {
        return Err(already(&terminal));
    }
    ledger.save_deed(terminal.tenant, deed)?;
    let revocation = Revocation {
        device: terminal.device,
        revoked_at: now,
        reason: reason.to_owned(),
    };
    match ledger.save_revocation(terminal.tenant, &revocation) {
        Ok(()) => {}
        Err(LedgerError::Taken(_)) => return Err(already(&terminal)),
        Err(error) => return Err(error.into()),
    }
    terminal.standing = DeviceStanding::Revoked;
    terminal.revocation = Some(revocation);
    Ok(terminal)
}

impl fmt::Display for Terminal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Terminal { store, code, .. } = self;
        write!(f, "store {store} terminal {code}")?;
        if !self.name.is_empty() {
            write!(f, " ({})", self.name)?;
        }
        match (self.standing, &self.revocation) {
            (_, Some(revocation)) => {
                let ago = span(self.at - revocation.revoked_at);
                write!(f, ": out of service for {ago}: {}", revocation.reason)?;
            }
            (DeviceStanding::Quarantined, None) => write!(f, ": sent two histories")?,
            (DeviceStanding::Active | DeviceStanding::Revoked, None) => write!(f, ": in service")?,
        }
        match self.heard_at {
            None => write!(f, "; never heard")?,
            Some(at) => write!(f, "; heard {} ago", span(self.at - at))?,
        }
        match self.waiting {
            0 => Ok(()),
            1 => f.write_str("; 1 operation waits for review"),
            waiting => write!(f, "; {waiting} operations wait for review"),
        }
    }
}
