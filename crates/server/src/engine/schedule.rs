//! When to ask a gateway again. Pure: time is an argument.

use qiantai_core::{Millis, Timestamp};

/// Between queries while somebody watches the payment (docs: domain §3.11).
pub const WATCHED_EVERY: Millis = Millis::seconds(2);

/// How long a payment counts as watched after a terminal asked about it.
pub const WATCH_LASTS: Millis = Millis::seconds(10);

/// How long an attempt that ended unpaid is still asked about; money that comes later is found
/// by its notice or by reconciliation.
pub const LATE_WATCH: Millis = Millis::hours(1);

/// Our clock and a gateway's may differ by this much when a QR code ends.
pub const CODE_END_MARGIN: Millis = Millis::seconds(30);

/// How old a payment may be that a notice is believed of without asking.
pub const NOTICE_YOUNG: Millis = Millis::minutes(3);

/// The sweep ends here.
const SWEEP_END: Millis = Millis::hours(24);

/// The next instant at which an attempt is asked about without anybody watching: 5, 10, 20, 30
/// and 60 s after `since`, then every minute to 10 min, then every 10 min to 24 h
/// (docs: domain §3.11). `last` is the query before; `None` when the day is over.
pub fn next_query_at(since: Timestamp, last: Option<Timestamp>) -> Option<Timestamp> {
    let asked_after = last.map_or(Millis(0), |last| last - since).0.max(0);
    let next = sweep_points().find(|point| point.0 > asked_after)?;
    Some(since + next)
}

/// The next instant for an attempt that somebody watches.
pub fn next_watched_query_at(since: Timestamp, last: Option<Timestamp>) -> Timestamp {
    last.unwrap_or(since) + WATCHED_EVERY
}

/// Waiting time before try `tries + 1` of a call that must succeed in the end: 1, 2, 4 … 60 s.
pub fn back_off(tries: u32) -> Millis {
    Millis::seconds(1_i64 << tries.min(6)).min(Millis::seconds(60))
}

fn sweep_points() -> impl Iterator<Item = Millis> {
    let first = [5, 10, 20, 30].into_iter().map(Millis::seconds);
    let minutes = (1..=10).map(Millis::minutes);
    let tens = (2..).map(|count| Millis::minutes(count * 10));
    first
        .chain(minutes)
        .chain(tens.take_while(|point| *point <= SWEEP_END))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sweep_follows_the_table() {
        let since = Timestamp::from_ms(1_000_000);
        let check = |last_s: Option<i64>, expected_s: Option<i64>| {
            let last = last_s.map(|seconds| since + Millis::seconds(seconds));
            let expected = expected_s.map(|seconds| since + Millis::seconds(seconds));
            assert_eq!(next_query_at(since, last), expected, "after {last_s:?}");
        };
        check(None, Some(5));
        check(Some(5), Some(10));
        check(Some(7), Some(10));
        check(Some(10), Some(20));
        check(Some(20), Some(30));
        check(Some(30), Some(60));
        check(Some(60), Some(120));
        check(Some(540), Some(600));
        check(Some(600), Some(1_200));
        check(Some(86_399), Some(86_400));
        check(Some(86_400), None);
        // A query before the attempt's own clock began counts as none.
        check(Some(-30), Some(5));
    }

    #[test]
    fn the_back_off_is_bounded() {
        let check = |tries, seconds| assert_eq!(back_off(tries), Millis::seconds(seconds));
        check(0, 1);
        check(1, 2);
        check(5, 32);
        check(6, 60);
        check(u32::MAX, 60);
    }
}
