//! Which gateway carries which method of payment.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use qiantai_core::Timestamp;
use qiantai_core::attempt::Channel as Method;
use qiantai_pay::credentials::Expiry;
use qiantai_pay::{Channel, ChannelId, Registry};

use crate::accounts::AccountSource;

/// The gateways of a server. Clones share them, so that new credentials come into force everywhere.
#[derive(Clone, Default)]
pub struct Channels {
    registry: Arc<RwLock<Registry>>,
    /// Name of the gateway behind each method that is offered.
    routes: Arc<RwLock<HashMap<Method, &'static str>>>,
    /// Address at which gateways reach [`crate::Server`], without a path; `None` when they
    /// cannot.
    pub(super) notify_base: Option<String>,
    accounts: AccountSource,
}

impl Channels {
    /// Methods that a gateway can carry.
    pub const METHODS: [Method; 4] = [
        Method::Wechat,
        Method::Alipay,
        Method::Unionpay,
        Method::Ecny,
    ];

    /// Open gateways, and the name of the one behind each method.
    pub fn new(
        registry: Registry,
        routes: HashMap<Method, &'static str>,
        notify_base: Option<String>,
    ) -> Channels {
        Channels {
            registry: Arc::new(RwLock::new(registry)),
            routes: Arc::new(RwLock::new(routes)),
            notify_base,
            accounts: AccountSource::default(),
        }
    }

    /// The same gateways, with what they are opened from.
    #[must_use]
    pub fn with_accounts(self, accounts: AccountSource) -> Channels {
        Channels { accounts, ..self }
    }

    /// What the gateways are opened from.
    pub(crate) fn accounts(&self) -> &AccountSource {
        &self.accounts
    }

    /// These methods go through the gateway of that name from now on.
    pub(crate) fn carry(&self, methods: &[Method], name: &'static str) {
        let mut routes = self.routes.write().unwrap_or_else(PoisonError::into_inner);
        routes.extend(methods.iter().map(|method| (*method, name)));
    }

    /// All wallets through one gateway, as in training.
    pub fn all_through(gateway: Arc<dyn Channel>, notify_base: Option<String>) -> Channels {
        let name = gateway.id().0;
        let mut registry = Registry::new();
        registry.insert(gateway);
        let routes = Channels::METHODS.map(|method| (method, name));
        Channels::new(registry, routes.into(), notify_base)
    }

    /// The gateway behind a method; `None` while it has none, or its credentials do not open it.
    pub fn of(&self, method: Method) -> Option<Arc<dyn Channel>> {
        let routes = self.routes.read().unwrap_or_else(PoisonError::into_inner);
        let name = *routes.get(&method)?;
        drop(routes);
        self.named(name)
    }

    /// The gateway of that name.
    pub fn named(&self, name: &str) -> Option<Arc<dyn Channel>> {
        let registry = self.registry.read().unwrap_or_else(PoisonError::into_inner);
        registry.get(name).cloned()
    }

    /// Opens or replaces gateways.
    pub fn change<T>(&self, change: impl FnOnce(&mut Registry) -> T) -> T {
        // A registry is whole after each of its own changes.
        change(
            &mut self
                .registry
                .write()
                .unwrap_or_else(PoisonError::into_inner),
        )
    }

    /// Credentials that end within a month or have ended.
    pub fn ending_soon(&self, now: Timestamp) -> Vec<(ChannelId, Expiry)> {
        let registry = self.registry.read().unwrap_or_else(PoisonError::into_inner);
        registry.ending_soon(now)
    }

    /// Names of the open gateways.
    pub fn names(&self) -> Vec<ChannelId> {
        let registry = self.registry.read().unwrap_or_else(PoisonError::into_inner);
        registry.ids().collect()
    }
}
