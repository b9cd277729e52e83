//! Gateways opened from settings, and kept on the credentials that are in force.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use qiantai_core::attempt::Channel as Method;
use qiantai_core::{Millis, Timestamp};
use qiantai_pay::channels::{alipay, shouqianba, unionpay, wechat};
use qiantai_pay::credentials::{Credentials, WatchedSettings};
use qiantai_pay::set_up::form;
use qiantai_pay::transport::{HttpTransport, NetworkTransport, NetworkUnavailable, Patience};
use qiantai_pay::{ChannelId, Registry, Surroundings, SystemSurroundings};
use serde_json::Value;

use crate::accounts::{AccountSource, FilledAccounts, KeptAccounts, Terminals};
use crate::embedded::Server;
use crate::engine::Channels;

/// Between looks for new credentials.
const LOOK_EVERY: Duration = Duration::from_secs(30);

/// Between warnings of one credential that ends.
const WARN_EVERY: Millis = Millis::days(1);

/// The aggregator waits for the channel behind it before it answers.
const SHOUQIANBA_PATIENCE: Patience = Patience {
    connect: Duration::from_secs(3),
    answer: Duration::from_secs(35),
};

/// The gateways that settings can name, and what each carries when nothing is said.
pub(crate) const KNOWN: [(&str, &[Method]); 4] = [
    (wechat::ID.0, &[Method::Wechat]),
    (alipay::ID.0, &[Method::Alipay]),
    (unionpay::ID.0, &[Method::Unionpay]),
    (shouqianba::ID.0, &[]),
];

/// What an aggregator that was entered in the window carries.
const AGGREGATED: [Method; 3] = [Method::Wechat, Method::Alipay, Method::Unionpay];

/// Words for methods in settings.
const METHODS: [(&str, Method); 4] = [
    ("wechat", Method::Wechat),
    ("alipay", Method::Alipay),
    ("unionpay", Method::Unionpay),
    ("ecny", Method::Ecny),
];

/// Settings that name what cannot be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GatewaysError {
    /// The name is not one of ours.
    #[error("there is no payment channel {0:?}; known are wechat, alipay, unionpay, shouqianba")]
    NoSuchChannel(String),
    /// What it carries is not a list of methods.
    #[error("{0}.carries must list some of wechat, alipay, unionpay, ecny")]
    Carries(String),
    /// Two channels carry one method.
    #[error("{0} and {1} both carry {2}; say with `carries` which does")]
    Twice(String, String, &'static str),
}

/// One gateway as the settings describe it; texts may stand elsewhere, see
/// [`qiantai_pay::credentials`].
#[derive(Clone, Debug, PartialEq)]
pub struct GatewaySettings {
    name: &'static str,
    carries: Vec<Method>,
    settings: Value,
}

impl GatewaySettings {
    /// Reads one table of the settings.
    ///
    /// # Errors
    /// See [`GatewaysError`].
    pub fn read(name: &str, mut settings: Value) -> Result<GatewaySettings, GatewaysError> {
        let known = KNOWN.iter().find(|(known, _)| *known == name);
        let (name, usual) = known.ok_or_else(|| GatewaysError::NoSuchChannel(name.to_owned()))?;
        let wrong = || GatewaysError::Carries((*name).to_owned());
        let said = settings
            .as_object_mut()
            .and_then(|fields| fields.remove("carries"));
        let carries = match said {
            None => usual.to_vec(),
            Some(Value::Array(words)) => {
                let method = |word: &Value| {
                    let word = word.as_str()?;
                    let found = METHODS.iter().find(|(known, _)| *known == word)?;
                    Some(found.1)
                };
                let methods = words.iter().map(method).collect::<Option<Vec<_>>>();
                methods.ok_or_else(wrong)?
            }
            Some(_) => return Err(wrong()),
        };
        if carries.is_empty() {
            return Err(wrong());
        }
        Ok(GatewaySettings {
            name,
            carries,
            settings,
        })
    }

    /// Its name.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// What is paid through it.
    pub fn carries(&self) -> &[Method] {
        &self.carries
    }

    /// An account that was entered in the window. What has no account of its own among `others` goes
    /// through the aggregator.
    pub(crate) fn entered<'a>(
        name: &'static str,
        settings: Value,
        others: impl Iterator<Item = &'a str>,
    ) -> GatewaySettings {
        GatewaySettings {
            name,
            carries: GatewaySettings::carried(name, others),
            settings,
        }
    }

    /// What is paid through the gateway of that name beside the accounts of `others`.
    pub(crate) fn carried<'a>(name: &str, others: impl Iterator<Item = &'a str>) -> Vec<Method> {
        if name != shouqianba::ID.0 {
            return GatewaySettings::usual(name).to_vec();
        }
        let taken: Vec<Method> = others.flat_map(GatewaySettings::usual).copied().collect();
        let mut left = AGGREGATED.to_vec();
        left.retain(|method| !taken.contains(method));
        left
    }

    /// What is paid through the gateway of that name when nothing is said.
    pub(crate) fn usual(name: &str) -> &'static [Method] {
        let known = KNOWN.iter().find(|(known, _)| *known == name);
        known.map_or(&[], |(_, usual)| usual)
    }

    /// The settings of the channel itself, references in place.
    pub fn settings(&self) -> &Value {
        &self.settings
    }
}

/// Which gateway carries which method.
///
/// # Errors
/// Where two carry one.
pub fn routes(
    gateways: &[GatewaySettings],
) -> Result<HashMap<Method, &'static str>, GatewaysError> {
    let mut routes: HashMap<Method, &'static str> = HashMap::new();
    for gateway in gateways {
        for method in &gateway.carries {
            if let Some(other) = routes.insert(*method, gateway.name) {
                let word = METHODS.iter().find(|(_, known)| known == method);
                let word = word.map_or("it", |(word, _)| *word);
                let (one, other) = (other.to_owned(), gateway.name.to_owned());
                return Err(GatewaysError::Twice(one, other, word));
            }
        }
    }
    Ok(routes)
}

/// A transport to a gateway.
///
/// # Errors
/// Where the system's network library cannot start.
pub fn transport_to(name: &str) -> Result<Arc<dyn HttpTransport>, NetworkUnavailable> {
    let patience = match name == shouqianba::ID.0 {
        true => SHOUQIANBA_PATIENCE,
        false => Patience::default(),
    };
    Ok(Arc::new(NetworkTransport::new(patience)?))
}

/// Opens a gateway whose texts stand in place, instead of the one of that name. The place of its
/// terminal is the settings' own where none is given.
///
/// # Errors
/// Where it does not open, or the network cannot be used; then nothing has changed.
pub(crate) fn put_in_force(
    channels: &Channels,
    gateway: GatewaySettings,
    terminal: Option<Terminals>,
) -> Result<ChannelId, Box<dyn std::error::Error + Send + Sync>> {
    let transport = transport_to(gateway.name)?;
    let surroundings = Arc::new(SystemSurroundings);
    let id = channels.change(|registry| match terminal {
        None => registry.open(gateway.name, gateway.settings, transport, surroundings),
        Some(_) => {
            let (settings, clock) = (gateway.settings, Arc::clone(&surroundings) as _);
            let opened = shouqianba::open_with(settings, terminal, transport, clock)?;
            Ok(registry.replace(opened, surroundings))
        }
    })?;
    channels.carry(&gateway.carries, gateway.name);
    Ok(id)
}

/// Opens an account that was entered in the window.
///
/// # Errors
/// As [`put_in_force`].
pub(crate) fn open_kept(
    channels: &Channels,
    kept: &KeptAccounts,
    name: &str,
    accounts: &FilledAccounts,
) -> Result<ChannelId, Box<dyn std::error::Error + Send + Sync>> {
    let known = KNOWN.iter().find(|(known, _)| *known == name);
    let account = known.zip(form(name)).zip(accounts.get(name));
    let ((known, form), filled) = account.ok_or("a payment account of a newer version")?;
    let name = known.0;
    let settings = kept.settings(name, form, filled)?;
    let terminal = kept.terminal(name, &settings);
    let others = accounts.keys().map(String::as_str);
    let gateway = GatewaySettings::entered(name, settings, others);
    put_in_force(channels, gateway, terminal)
}

/// The gateways of a serving process. Files and variables are read again and again; what changed
/// and opens comes into force, what does not open leaves the old in force.
pub struct Gateways {
    channels: Channels,
    watched: Vec<Watched>,
    credentials: Credentials,
    /// When the end of a credential was last warned of.
    warned: BTreeMap<(String, String), Timestamp>,
}

struct Watched {
    name: &'static str,
    settings: WatchedSettings,
    transport: Arc<dyn HttpTransport>,
    /// Said once, not at every look.
    problem: Option<String>,
}

/// What a look for new credentials found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// New credentials are in force.
    Opened(&'static str),
    /// They cannot be used; those before stay in force.
    Problem(&'static str, String),
}

impl Gateways {
    /// Opens what can be opened. A gateway whose credentials are wrong is told in the log, and
    /// opened once they are right: the shop takes money by its others meanwhile.
    ///
    /// # Errors
    /// Where two carry one method, or the network cannot be used.
    pub fn open(
        gateways: Vec<GatewaySettings>,
        credentials: Credentials,
        notify_base: Option<String>,
    ) -> Result<Gateways, Box<dyn std::error::Error + Send + Sync>> {
        let channels = Channels::new(Registry::new(), routes(&gateways)?, notify_base);
        let source = AccountSource::Settings(gateways.clone().into(), credentials.clone());
        let channels = channels.with_accounts(source);
        let watched = gateways.into_iter().map(|gateway| {
            Ok(Watched {
                name: gateway.name,
                settings: WatchedSettings::new(gateway.settings),
                transport: transport_to(gateway.name)?,
                problem: None,
            })
        });
        let mut opened = Gateways {
            channels,
            watched: watched.collect::<Result<_, NetworkUnavailable>>()?,
            credentials,
            warned: BTreeMap::new(),
        };
        opened.look();
        Ok(opened)
    }

    /// Opens those that were entered in the window, and takes what is entered there from now on. One
    /// that does not open is told in the log.
    pub fn of_kept(kept: KeptAccounts) -> Gateways {
        let accounts = kept.read().unwrap_or_else(|error| {
            tracing::error!(%error, "no payment account is open");
            FilledAccounts::new()
        });
        let kept = Arc::new(kept);
        let source = AccountSource::Kept(Arc::clone(&kept));
        let channels = Channels::default().with_accounts(source);
        for name in accounts.keys() {
            match open_kept(&channels, &kept, name, &accounts) {
                Ok(_) => tracing::info!(channel = name, "a payment account is open"),
                Err(error) => {
                    tracing::error!(channel = name, %error, "a payment account does not open")
                }
            }
        }
        Gateways {
            channels,
            watched: Vec::new(),
            credentials: Credentials::default(),
            warned: BTreeMap::new(),
        }
    }

    /// The gateways; those that are opened later appear in it.
    pub fn channels(&self) -> Channels {
        self.channels.clone()
    }

    /// Reads every credential anew and puts into force what changed.
    pub fn look(&mut self) -> Vec<Found> {
        let mut found = Vec::new();
        let surroundings: Arc<dyn Surroundings> = Arc::new(SystemSurroundings);
        for watched in &mut self.watched {
            let opened = match watched.settings.changed(&self.credentials) {
                Ok(None) => continue,
                Ok(Some((settings, mark))) => {
                    let (transport, surroundings) =
                        (Arc::clone(&watched.transport), Arc::clone(&surroundings));
                    let opened = self.channels.change(|registry| {
                        registry.open(watched.name, settings, transport, surroundings)
                    });
                    opened
                        .map(|_| watched.settings.took_effect(mark))
                        .map_err(|error| error.to_string())
                }
                Err(error) => Err(error.to_string()),
            };
            match opened {
                Ok(()) => {
                    watched.problem = None;
                    tracing::info!(channel = watched.name, "credentials are in force");
                    found.push(Found::Opened(watched.name));
                }
                Err(problem) => {
                    if watched.problem.as_ref() != Some(&problem) {
                        tracing::error!(
                            channel = watched.name,
                            %problem,
                            "credentials cannot be used; those before stay in force"
                        );
                    }
                    watched.problem = Some(problem.clone());
                    found.push(Found::Problem(watched.name, problem));
                }
            }
        }
        found
    }

    /// Looks for new credentials and warns of those that end, until cancelled.
    pub async fn keep(mut self, server: Server) {
        loop {
            self.warn(server.now());
            tokio::time::sleep(LOOK_EVERY).await;
            // A key store may take its time.
            let looking = tokio::task::spawn_blocking(move || {
                let found = self.look();
                (self, found)
            });
            let found = match looking.await {
                Ok((looked, found)) => {
                    self = looked;
                    found
                }
                Err(error) => {
                    tracing::error!(%error, "credentials are looked at no more");
                    return;
                }
            };
            if found.iter().any(|found| matches!(found, Found::Opened(_))) {
                server.channels_changed();
            }
        }
    }

    fn warn(&mut self, now: Timestamp) {
        for (channel, expiry) in self.channels.ending_soon(now) {
            let key = (channel.to_string(), expiry.credential.clone());
            let last = self.warned.get(&key);
            if last.is_some_and(|last| now - *last < WARN_EVERY) {
                continue;
            }
            self.warned.insert(key, now);
            let days = (expiry.at - now).0.div_euclid(Millis::days(1).0);
            tracing::warn!(
                %channel,
                credential = %expiry.credential,
                days,
                "a credential ends; renew it before"
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_method_has_one_carrier() {
        let read = |tables: &[(&str, Value)]| {
            let gateways = tables
                .iter()
                .map(|(name, table)| GatewaySettings::read(name, table.clone()));
            let gateways = gateways.collect::<Result<Vec<_>, _>>()?;
            routes(&gateways).map(|routes| routes.len())
        };
        let check = |tables: &[(&str, Value)], expected: Result<usize, &str>| {
            let read = read(tables).map_err(|error| error.to_string());
            match (read, expected) {
                (Ok(count), Ok(expected)) => assert_eq!(count, expected),
                (Err(said), Err(part)) => assert!(said.contains(part), "{said}"),
                (read, expected) => panic!("{read:?} instead of {expected:?}"),
            }
        };
        let empty = || json!({});
        check(&[("wechat", empty()), ("alipay", empty())], Ok(2));
        let wallets = json!({"carries": ["unionpay", "ecny"]});
        check(&[("wechat", empty()), ("shouqianba", wallets)], Ok(3));
        let both = json!({"carries": ["wechat"]});
        check(
            &[("wechat", empty()), ("shouqianba", both)],
            Err("both carry wechat"),
        );
        check(&[("shouqianba", empty())], Err("carries must list"));
        check(&[("wechat", json!({"carries": ["cash"]}))], Err("carries"));
        check(&[("wechat", json!({"carries": 1}))], Err("carries"));
        check(&[("paypal", empty())], Err("known are wechat"));
    }
}
