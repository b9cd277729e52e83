//! What to do next about one attempt. Pure: time and memory are arguments.

use qiantai_core::Timestamp;
use qiantai_core::attempt::{AttemptState, PayMethod, PaymentAttempt};

use super::schedule::{WATCH_LASTS, back_off, next_query_at, next_watched_query_at};

/// What the engine remembers of an attempt between two calls. Lost on restart, which only means
/// that it asks again at once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Memory {
    /// When the gateway was last asked.
    pub(super) last_query: Option<Timestamp>,
    /// When a QR code was last asked for.
    pub(super) last_create: Option<Timestamp>,
    /// Requests for a QR code without an answer.
    pub(super) creates: u32,
    /// When closing or reversing was last tried.
    pub(super) last_close: Option<Timestamp>,
    /// Tries of it without an answer.
    pub(super) closes: u32,
    /// Queries in a row that did not even leave this machine.
    pub(super) unsent: u32,
    /// When a terminal last asked about it.
    pub(super) nudged_at: Option<Timestamp>,
    /// A person was told that a reversal stays unclear.
    pub(super) is_unclear_told: bool,
}

/// One call, or a short sequence of calls, to a gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Ask for the QR code; the same content under the same number, however often.
    Create,
    /// Ask what became of it.
    Query,
    /// Ask a last time, then close it.
    Close,
    /// Ask about an attempt that ended unpaid: money may come late.
    QueryLate,
    /// End an attempt whose payment code never came.
    Abandon,
    /// Ask a last time, then reverse it; repeat until the gateway answers.
    Reverse,
}

/// The next step and when it is due; `None` when there is nothing left to do.
pub(super) fn next_step(
    attempt: &PaymentAttempt,
    memory: &Memory,
    is_watched: bool,
    now: Timestamp,
) -> Option<(Timestamp, Step)> {
    // Payment codes follow a plan of their own; staff's records ask no gateway.
    if attempt.method != PayMethod::Qr {
        return None;
    }
    match attempt.state {
        AttemptState::Succeeded | AttemptState::Reversing | AttemptState::Reversed => None,
        AttemptState::Closed | AttemptState::Failed => {
            let at = next_query_at(attempt.changed_at, memory.last_query)?;
            Some((at, Step::QueryLate))
        }
        AttemptState::Init
        | AttemptState::Submitted
        | AttemptState::UserPaying
        | AttemptState::Unknown => Some(open_step(attempt, memory, is_watched, now)),
    }
}

/// The same for an attempt that ended while its order got its money in another way: its code may
/// be paid a second time until its own time is over, when it is asked about in any case, and what
/// was under way then arrives after it (docs: domain §2.2).
pub(super) fn next_step_beside_the_money(
    attempt: &PaymentAttempt,
    memory: &Memory,
    now: Timestamp,
) -> Option<(Timestamp, Step)> {
    let (at, step) = next_step(attempt, memory, false, now)?;
    let end = attempt.expires_at;
    let is_asked_at_end = memory.last_query.is_some_and(|last| last >= end);
    Some((if is_asked_at_end { at } else { at.min(end) }, step))
}

/// From when on no QR code is asked for, and the attempt is to end.
pub(super) fn end_of_code(attempt: &PaymentAttempt) -> Timestamp {
    match attempt.cancel_requested {
        true => attempt.changed_at,
        false => attempt.expires_at,
    }
}

fn open_step(
    attempt: &PaymentAttempt,
    memory: &Memory,
    is_watched: bool,
    now: Timestamp,
) -> (Timestamp, Step) {
    let end = end_of_code(attempt);
    if now >= end {
        let retry_at = memory.last_close.map(|last| last + back_off(memory.closes));
        return (retry_at.map_or(end, |at| at.max(end)), Step::Close);
    }
    if attempt.qr_payload.is_none() {
        let retry_at = memory
            .last_create
            .map(|last| last + back_off(memory.creates));
        return (retry_at.unwrap_or(attempt.started_at), Step::Create);
    }
    let is_nudged = memory
        .nudged_at
        .is_some_and(|nudged| now - nudged <= WATCH_LASTS);
    let last = memory.last_query.or(memory.last_create);
    let at = if is_watched || is_nudged {
        next_watched_query_at(attempt.started_at, last)
    } else {
        // Past the last point of the sweep only the end is left.
        next_query_at(attempt.started_at, last).unwrap_or(end)
    };
    if at < end {
        (at, Step::Query)
    } else {
        (end, Step::Close)
    }
}

#[cfg(test)]
mod tests {
    use qiantai_core::attempt::Channel;
    use qiantai_core::ids::{AttemptId, OrderId};
    use qiantai_core::{Millis, Money};
    use uuid::Uuid;

    use super::*;

    const START: Timestamp = Timestamp::from_ms(1_000_000);

    fn at(seconds: i64) -> Timestamp {
        START + Millis::seconds(seconds)
    }

    fn attempt(state: AttemptState) -> PaymentAttempt {
        PaymentAttempt {
            id: AttemptId(Uuid::from_u128(1)),
            attempt_no: "ZF1".into(),
            order: OrderId(Uuid::from_u128(2)),
            channel: Channel::Wechat,
            method: PayMethod::Qr,
            amount: Money::from_yuan(300),
            state,
            qr_payload: Some("qr".into()),
            expires_at: at(300),
            channel_txn_no: None,
            paid_at: None,
            decline: None,
            config_fault: None,
            money_returned: None,
            cancel_requested: false,
            surplus: Vec::new(),
            started_at: START,
            changed_at: START,
        }
    }

    fn check(
        attempt: PaymentAttempt,
        memory: Memory,
        watched: bool,
        now_s: i64,
        expected: Option<(Timestamp, Step)>,
    ) {
        let step = next_step(&attempt, &memory, watched, at(now_s));
        assert_eq!(step, expected, "{:?} at {now_s} s", attempt.state);
    }

    fn asked(seconds: i64) -> Memory {
        Memory {
            last_query: Some(at(seconds)),
            ..Memory::default()
        }
    }

    #[test]
    fn each_state_has_its_next_step() {
        let fresh = PaymentAttempt {
            qr_payload: None,
            ..attempt(AttemptState::Init)
        };
        check(
            fresh.clone(),
            Memory::default(),
            false,
            0,
            Some((at(0), Step::Create)),
        );
        let once = Memory {
            last_create: Some(at(0)),
            creates: 1,
            ..Memory::default()
        };
        check(fresh, once, false, 1, Some((at(2), Step::Create)));

        let shown = attempt(AttemptState::Submitted);
        check(
            shown.clone(),
            Memory::default(),
            false,
            1,
            Some((at(5), Step::Query)),
        );
        check(
            shown.clone(),
            Memory::default(),
            true,
            1,
            Some((at(2), Step::Query)),
        );
        check(
            shown.clone(),
            asked(8),
            true,
            9,
            Some((at(10), Step::Query)),
        );
        let nudged = Memory {
            nudged_at: Some(at(8)),
            ..asked(8)
        };
        check(shown.clone(), nudged, false, 9, Some((at(10), Step::Query)));
        check(
            shown.clone(),
            nudged,
            false,
            19,
            Some((at(10), Step::Query)),
        );
        check(
            shown.clone(),
            asked(290),
            false,
            295,
            Some((at(300), Step::Close)),
        );
        check(
            shown.clone(),
            asked(299),
            true,
            300,
            Some((at(300), Step::Close)),
        );
        let tried = Memory {
            last_close: Some(at(301)),
            closes: 2,
            ..Memory::default()
        };
        check(
            shown.clone(),
            tried,
            true,
            302,
            Some((at(305), Step::Close)),
        );
    }

    #[test]
    fn an_ended_attempt_is_watched_for_late_money() {
        let shown = attempt(AttemptState::Submitted);
        let cancelled = PaymentAttempt {
            cancel_requested: true,
            changed_at: at(40),
            ..shown.clone()
        };
        check(cancelled, asked(39), true, 40, Some((at(40), Step::Close)));

        let closed = PaymentAttempt {
            changed_at: at(300),
            ..attempt(AttemptState::Closed)
        };
        check(
            closed,
            asked(300),
            false,
            301,
            Some((at(305), Step::QueryLate)),
        );
        check(attempt(AttemptState::Succeeded), asked(1), true, 2, None);
        let code = PaymentAttempt {
            method: PayMethod::Code,
            ..shown
        };
        check(code, asked(1), true, 2, None);
    }

    #[test]
    fn an_ended_attempt_beside_the_money_is_watched_past_the_end_of_its_own_time() {
        let check = |attempt: &PaymentAttempt, memory: Memory, expected_s: Option<i64>| {
            let step = next_step_beside_the_money(attempt, &memory, at(60));
            let expected = expected_s.map(|seconds| (at(seconds), Step::QueryLate));
            assert_eq!(step, expected, "{:?} {memory:?}", attempt.state);
        };
        for state in [AttemptState::Closed, AttemptState::Failed] {
            let ended = attempt(state);
            check(&ended, asked(0), Some(5));
            check(&ended, asked(120), Some(180));
            check(&ended, asked(290), Some(300));
            check(&ended, asked(300), Some(360));
            check(&ended, asked(600), Some(1_200));
            let lives_long = PaymentAttempt {
                expires_at: at(900),
                ..ended.clone()
            };
            check(&lives_long, asked(600), Some(900));
            check(&ended, Memory::default(), Some(5));
        }
        check(&attempt(AttemptState::Succeeded), asked(0), None);
    }
}
