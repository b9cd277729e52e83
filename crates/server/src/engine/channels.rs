//! Which gateway carries which method of payment.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use qiantai_core::Timestamp;
use qiantai_core::attempt::Channel as Method;
use qiantai_pay::credentials::Expiry;
use qiantai_pay::{Channel, ChannelId, Registry};

/// The gateways of a server. Clones share them, so that new credentials come into force everywhere.
#[derive(Clone, Default)]
pub struct Channels {
    registry: Arc<RwLock<Registry>>,
    /// Name of the gateway behind each method that is offered.
    routes: HashMap<Method, &'static str>,
    /// Address at which gateways reach [`crate::Server`], without a path; `None` when they
    /// cannot.
    pub(super) notify_base: Option<String>,
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
            routes,
            notify_base,
        }
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
        self.named(self.routes.get(&method)?)
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
