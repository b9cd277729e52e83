//! Time as a value. Nothing here reads a clock.

use std::fmt;
use std::ops::{Add, Sub};

use time::{Date, OffsetDateTime, UtcOffset};

/// Milliseconds since 1970-01-01 UTC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

/// A span of milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Millis(pub i64);

impl Millis {
    /// A span of whole seconds.
    pub const fn seconds(seconds: i64) -> Millis {
        Millis(seconds * 1_000)
    }
    /// A span of whole minutes.
    pub const fn minutes(minutes: i64) -> Millis {
        Millis::seconds(minutes * 60)
    }
    /// A span of whole hours.
    pub const fn hours(hours: i64) -> Millis {
        Millis::minutes(hours * 60)
    }
    /// A span of 24-hour days.
    pub const fn days(days: i64) -> Millis {
        Millis::hours(days * 24)
    }
}

impl Timestamp {
    /// From milliseconds since the epoch.
    pub const fn from_ms(ms: i64) -> Timestamp {
        Timestamp(ms)
    }

    /// Milliseconds since the epoch.
    pub const fn ms(self) -> i64 {
        self.0
    }

    /// The wall clock in China (UTC+8, no daylight saving). Out-of-range values are clamped to
    /// the first or last representable instant: a broken clock must not stop the counter.
    pub fn local(self) -> OffsetDateTime {
        let nanos = i128::from(self.0) * 1_000_000;
        let utc = OffsetDateTime::from_unix_timestamp_nanos(nanos).unwrap_or({
            if self.0 < 0 { OffsetDateTime::UNIX_EPOCH } else { time::macros::datetime!(9999-12-30 0:00 UTC) }
        });
        let offset = UtcOffset::from_hms(8, 0, 0).expect("UTC+8 is a valid offset");
        utc.to_offset(offset)
    }

    /// The business date: the local date after moving the day's start to `cut_off`
    /// minutes past midnight (docs: domain, Conventions; default 04:00).
    pub fn business_date(self, cut_off_minutes: u16) -> Date {
        (self - Millis::minutes(i64::from(cut_off_minutes))).local().date()
    }
}

impl Add<Millis> for Timestamp {
    type Output = Timestamp;
    fn add(self, span: Millis) -> Timestamp {
        Timestamp(self.0.saturating_add(span.0))
    }
}

impl Sub<Millis> for Timestamp {
    type Output = Timestamp;
    fn sub(self, span: Millis) -> Timestamp {
        Timestamp(self.0.saturating_sub(span.0))
    }
}

impl Sub for Timestamp {
    type Output = Millis;
    fn sub(self, other: Timestamp) -> Millis {
        Millis(self.0.saturating_sub(other.0))
    }
}

impl fmt::Display for Timestamp {
    /// `2026-11-21T14:03:12.480+08:00`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let t = self.local();
        write!(
            f,
            "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}+08:00",
            t.year(),
            u8::from(t.month()),
            t.day(),
            t.hour(),
            t.minute(),
            t.second(),
            t.millisecond()
        )
    }
}
