//! What to do next about an attempt by payment code (docs: domain §3.11). Pure.

use qiantai_core::attempt::{AttemptState, Channel, PaymentAttempt};
use qiantai_core::{Millis, Timestamp};

use super::schedule::{back_off, next_query_at};
use super::step::{Memory, Step};

/// Between queries, and before the first.
const QUERY_EVERY: Millis = Millis::seconds(5);

/// No reversal before so long after the charge: 15 s, which a gateway counts from when it had the
/// charge, and some for the way.
const REVERSE_AFTER: Millis = Millis::seconds(17);

/// How long the customer may take to confirm on the phone.
const CONFIRM_WITHIN: Millis = Millis::seconds(45);

/// The same at Alipay.
const CONFIRM_WITHIN_ALIPAY: Millis = Millis::seconds(60);

/// How long an attempt is asked about after it became unknown, unless more than
/// [`REVERSE_AFTER`] has passed since the charge anyway.
const UNKNOWN_FOR: Millis = Millis::seconds(10);

/// What is known of the charge of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Charge {
    /// Nothing was ever sent to the gateway.
    Never,
    /// A code was charged then.
    At(Timestamp),
    /// The books were restored from a backup; what happened since it was made is not known.
    Perhaps,
}

/// The next step and when it is due; `None` when there is nothing left to do. An attempt whose
/// code never came is over when its time is; one that was charged is asked about, and reversed
/// when no answer comes.
pub(super) fn next_code_step(
    attempt: &PaymentAttempt,
    charge: Charge,
    memory: &Memory,
) -> Option<(Timestamp, Step)> {
    use AttemptState::{Closed, Failed, Init, Reversed, Reversing, Succeeded, Unknown, UserPaying};
    let charged_at = match (attempt.state, charge) {
        // The charge itself may have been on its way all the while, and no notice tells of it.
        (Closed | Reversed, Charge::At(_) | Charge::Perhaps) if attempt.may_be_paid_late() => {
            let at = next_query_at(attempt.changed_at, memory.last_query)?;
            return Some((at, Step::QueryLate));
        }
        (Succeeded | Failed | Closed | Reversed, _) => return None,
        (Init, Charge::Never) => {
            let end = match attempt.cancel_requested {
                true => attempt.changed_at,
                false => attempt.expires_at,
            };
            return Some((end, Step::Abandon));
        }
        (_, Charge::At(at)) => at,
        (_, Charge::Never | Charge::Perhaps) => attempt.started_at,
    };
    let earliest = charged_at + REVERSE_AFTER;
    let give_up = match attempt.state {
        UserPaying if !attempt.cancel_requested => charged_at + confirm_within(attempt.channel),
        Unknown if !attempt.cancel_requested => earliest.max(attempt.changed_at + UNKNOWN_FOR),
        _ => earliest,
    };
    if attempt.state != Reversing {
        let query_at = match memory.last_query {
            Some(last) if attempt.cancel_requested && last < attempt.changed_at => {
                attempt.changed_at
            }
            last => last.unwrap_or(charged_at) + QUERY_EVERY,
        };
        if query_at < give_up {
            return Some((query_at, Step::Query));
        }
    }
    let again = memory.last_close.map(|last| last + back_off(memory.closes));
    Some((again.map_or(give_up, |at| at.max(give_up)), Step::Reverse))
}

fn confirm_within(channel: Channel) -> Millis {
    match channel {
        Channel::Alipay => CONFIRM_WITHIN_ALIPAY,
        _ => CONFIRM_WITHIN,
    }
}

#[cfg(test)]
mod tests {
    use qiantai_core::Money;
    use qiantai_core::attempt::PayMethod;
    use qiantai_core::ids::{AttemptId, OrderId};
    use uuid::Uuid;

    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_ms(1_000_000) + Millis::seconds(seconds)
    }

    fn attempt(state: AttemptState) -> PaymentAttempt {
        PaymentAttempt {
            id: AttemptId(Uuid::from_u128(1)),
            attempt_no: "ZF1".into(),
            order: OrderId(Uuid::from_u128(2)),
            channel: Channel::Wechat,
            method: PayMethod::Code,
            amount: Money::from_yuan(300),
            state,
            qr_payload: None,
            expires_at: at(300),
            channel_txn_no: None,
            paid_at: None,
            decline: None,
            config_fault: None,
            money_returned: None,
            cancel_requested: false,
            surplus: Vec::new(),
            started_at: at(0),
            changed_at: at(12),
        }
    }

    fn check(
        attempt: &PaymentAttempt,
        charge: Charge,
        last_query_s: Option<i64>,
        reversals: (u32, i64),
        expected: Option<(i64, Step)>,
    ) {
        let memory = Memory {
            last_query: last_query_s.map(at),
            closes: reversals.0,
            last_close: (reversals.0 > 0).then(|| at(reversals.1)),
            ..Memory::default()
        };
        let step = next_code_step(attempt, charge, &memory);
        let expected = expected.map(|(seconds, step)| (at(seconds), step));
        assert_eq!(
            step, expected,
            "{:?} {charge:?} {last_query_s:?}",
            attempt.state
        );
    }

    #[test]
    fn a_code_that_never_comes_ends_with_its_time() {
        let fresh = attempt(AttemptState::Init);
        let check = |attempt: &PaymentAttempt, charge, expected| {
            check(attempt, charge, None, (0, 0), Some(expected));
        };
        check(&fresh, Charge::Never, (300, Step::Abandon));
        let cancelled = PaymentAttempt {
            cancel_requested: true,
            ..fresh.clone()
        };
        check(&cancelled, Charge::Never, (12, Step::Abandon));
        // Written down, and then the process died: the gateway is asked, the code not sent again.
        check(&fresh, Charge::At(at(10)), (15, Step::Query));
        check(&fresh, Charge::Perhaps, (5, Step::Query));
    }

    #[test]
    fn a_charge_is_asked_about_then_reversed() {
        use AttemptState::{Reversing, Unknown, UserPaying};
        let charge = Charge::At(at(10));
        let none = (0, 0);
        let paying = attempt(UserPaying);
        check(&paying, charge, Some(10), none, Some((15, Step::Query)));
        check(&paying, charge, Some(45), none, Some((50, Step::Query)));
        check(&paying, charge, Some(50), none, Some((55, Step::Reverse)));
        let alipay = PaymentAttempt {
            channel: Channel::Alipay,
            ..paying.clone()
        };
        check(&alipay, charge, Some(60), none, Some((65, Step::Query)));
        check(&alipay, charge, Some(65), none, Some((70, Step::Reverse)));
        let unknown = attempt(Unknown);
        check(&unknown, charge, Some(12), none, Some((17, Step::Query)));
        check(&unknown, charge, Some(22), none, Some((27, Step::Reverse)));
        let late = PaymentAttempt {
            changed_at: at(40),
            ..unknown.clone()
        };
        check(&late, charge, Some(40), none, Some((45, Step::Query)));
        check(&late, charge, Some(46), none, Some((50, Step::Reverse)));
        let reversing = attempt(Reversing);
        check(&reversing, charge, None, none, Some((27, Step::Reverse)));
        check(&reversing, charge, None, (3, 40), Some((48, Step::Reverse)));
        let cancelled = |state| PaymentAttempt {
            cancel_requested: true,
            changed_at: at(30),
            ..attempt(state)
        };
        let stopped = cancelled(UserPaying);
        check(&stopped, charge, Some(29), none, Some((27, Step::Reverse)));
        let early = PaymentAttempt {
            changed_at: at(13),
            ..stopped
        };
        check(&early, charge, Some(11), none, Some((13, Step::Query)));
        check(&early, charge, Some(13), none, Some((18, Step::Query)));
        check(&early, charge, Some(22), none, Some((27, Step::Reverse)));
    }

    #[test]
    fn what_has_ended_is_left_alone() {
        use AttemptState::{Closed, Failed, Reversed, Succeeded};
        for state in [Failed, Reversed, Succeeded] {
            check(&attempt(state), Charge::At(at(10)), None, (0, 0), None);
        }
        for state in [Closed, Failed, Reversed, Succeeded] {
            check(&attempt(state), Charge::Never, None, (0, 0), None);
        }
    }

    #[test]
    fn what_was_charged_and_ended_without_money_is_watched_for_late_money() {
        use AttemptState::{Closed, Reversed};
        let unpaid = PaymentAttempt {
            money_returned: Some(false),
            ..attempt(Reversed)
        };
        let paid_back = PaymentAttempt {
            money_returned: Some(true),
            ..attempt(Reversed)
        };
        for charge in [Charge::At(at(10)), Charge::Perhaps] {
            for attempt in [&unpaid, &attempt(Closed)] {
                let check = |last, expected| check(attempt, charge, last, (0, 0), expected);
                check(Some(10), Some((17, Step::QueryLate)));
                check(Some(17), Some((22, Step::QueryLate)));
                check(Some(86_412), None);
            }
            check(&paid_back, charge, None, (0, 0), None);
        }
    }
}
