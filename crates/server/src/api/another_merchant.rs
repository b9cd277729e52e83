//! Whether an account may become another merchant's. Not while a payment that goes through the
//! present one has no result, or money waits to be sent back: everything that is asked about it from
//! then on would be asked of the other merchant, who knows of no such payment.

use qiantai_core::attempt::{AttemptState, Channel as Method, PaymentAttempt};
use qiantai_core::ids::AttemptId;
use qiantai_core::ledger::Topic;
use qiantai_core::{Millis, Timestamp};

use crate::accounts::Filled;
use crate::db::{Ledger, LedgerError};
use crate::engine::Channels;
use crate::engine::schedule::{CODE_END_MARGIN, LATE_WATCH};
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

/// Whether the gateway of one of these methods still has to say what became of a payment, may be
/// paid by a code that was shown, or has to send money back.
///
/// # Errors
/// See [`LedgerError`].
pub(super) fn is_awaited(
    ledger: &dyn Ledger,
    methods: &[Method],
    now: Timestamp,
) -> Result<bool, LedgerError> {
    let watched = ledger.watched_attempts(now - LATE_WATCH)?;
    let is_open = watched.iter().any(|(_, attempt)| {
        methods.contains(&attempt.channel) && (attempt.state.is_open() || is_payable(attempt, now))
    });
    if is_open {
        return Ok(true);
    }
    let hints = ledger.open_hints()?.into_iter();
    let hints = hints.map(|(tenant, hint)| (tenant, hint.attempt));
    let returns = ledger.due_events(Topic::PaymentSurplus, now + CARRIED_WITHIN)?;
    let returns = returns.into_iter();
    let returns = returns.map(|due| (due.tenant, AttemptId(due.event.subject)));
    for (tenant, attempt) in hints.chain(returns) {
        let attempt = ledger.attempt(tenant, attempt)?;
        if attempt.is_none_or(|attempt| methods.contains(&attempt.channel)) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// A cashier may leave a code before the gateway has closed it.
fn is_payable(attempt: &PaymentAttempt, now: Timestamp) -> bool {
    attempt.qr_payload.is_some()
        && attempt.state != AttemptState::Succeeded
        && now < attempt.expires_at + CODE_END_MARGIN
}
