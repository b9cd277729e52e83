//! Whether an account may become another merchant's. Not while a payment that goes through the
//! present one has no result, or money waits to be sent back: everything that is asked about it from
//! then on would be asked of the other merchant, who knows of no such payment.

use qiantai_core::attempt::Channel as Method;
use qiantai_core::ledger::Topic;
use qiantai_core::{Millis, Timestamp};

use crate::accounts::Filled;
use crate::db::{Ledger, LedgerError};
use crate::engine::Channels;
use crate::gateways::GatewaySettings;

/// Settings that say whose account it is, and where. Keys and certificates change at any time.
const WHOSE: [&str; 7] = [
    "mchid",
    "appid",
    "app_id",
    "merchant_id",
    "vendor_sn",
    "activation_code",
    "base_url",
];

/// Events that are carried later than this wait for a person.
const CARRIED_WITHIN: Millis = Millis::days(1);

/// Methods whose payments would be asked about at another place once `now` is in force under `name`
/// instead of `before`, beside the accounts of `others`.
pub(super) fn moved<'a>(
    name: &'static str,
    (before, now): (&Filled, &Filled),
    others: impl Iterator<Item = &'a str>,
    channels: &Channels,
) -> Vec<Method> {
    let is_another = !before.is_empty() && WHOSE.iter().any(|at| before.get(at) != now.get(at));
    let mut methods = GatewaySettings::carried(name, others);
    methods.retain(|method| match channels.of(*method) {
        Some(carrier) if carrier.id().0 == name => is_another,
        Some(_) => true,
        None => is_another,
    });
    methods
}

/// Whether the gateway of one of these methods still has to say what became of a payment, or to send
/// one back.
///
/// # Errors
/// See [`LedgerError`].
pub(super) fn is_awaited(
    ledger: &dyn Ledger,
    methods: &[Method],
    now: Timestamp,
) -> Result<bool, LedgerError> {
    let watched = ledger.watched_attempts(now)?;
    let is_open = watched
        .iter()
        .any(|(_, attempt)| attempt.state.is_open() && methods.contains(&attempt.channel));
    let returns = ledger.due_events(Topic::PaymentSurplus, now + CARRIED_WITHIN)?;
    Ok(is_open || !returns.is_empty())
}
