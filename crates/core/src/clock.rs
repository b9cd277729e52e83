//! Time as a value. Nothing here reads a clock.

use std::fmt;
use std::ops::{Add, Sub};

use time::{Date, Month, OffsetDateTime, Time, UtcOffset};

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
            if self.0 < 0 {
                OffsetDateTime::UNIX_EPOCH
            } else {
                time::macros::datetime!(9999-12-30 0:00 UTC)
            }
        });
        let offset = UtcOffset::from_hms(8, 0, 0).expect("UTC+8 is a valid offset");
        utc.to_offset(offset)
    }

    /// When the business day of `date` begins; the end of the calendar for a date at its end.
    pub fn start_of_business_day(date: Date, cut_off_minutes: u16) -> Timestamp {
        let offset = UtcOffset::from_hms(8, 0, 0).expect("UTC+8 is a valid offset");
        let midnight = date.midnight().assume_offset(offset);
        let midnight = Timestamp(midnight.unix_timestamp().saturating_mul(1_000));
        midnight + Millis::minutes(i64::from(cut_off_minutes))
    }

    /// The business date: the local date after moving the day's start to `cut_off`
    /// minutes past midnight (docs: domain, Conventions; default 04:00).
    pub fn business_date(self, cut_off_minutes: u16) -> Date {
        (self - Millis::minutes(i64::from(cut_off_minutes)))
            .local()
            .date()
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

/// The same local day and time `months` later; the last day of the month where that day is
/// missing (31 January + 1 month = 28 or 29 February).
pub fn months_later(at: Timestamp, months: u8) -> Timestamp {
    let local = at.local();
    let counted = i32::from(u8::from(local.month())) - 1 + i32::from(months);
    let year = local.year() + counted / 12;
    let month = Month::December.nth_next(u8::try_from(counted % 12 + 1).expect("1 to 12"));
    let day = local.day().min(month.length(year));
    from_local(
        local,
        Date::from_calendar_date(year, month, day),
        local.time(),
    )
}

/// The last millisecond of the local day that is `days` days after `at`: bonus and coupons stay
/// valid through the day printed on the receipt.
pub fn end_of_day_after(at: Timestamp, days: u16) -> Timestamp {
    let local = (at + Millis::days(i64::from(days))).local();
    end_of(local, Ok(local.date()))
}

/// The last millisecond of the local year after the one of `at`: points expire then
/// (docs: domain §3.5).
pub fn end_of_next_year(at: Timestamp) -> Timestamp {
    let local = at.local();
    end_of(
        local,
        Date::from_calendar_date(local.year() + 1, Month::December, 31),
    )
}

fn end_of(local: OffsetDateTime, date: Result<Date, time::error::ComponentRange>) -> Timestamp {
    let last = Time::from_hms_milli(23, 59, 59, 999).expect("a time of day");
    from_local(local, date, last)
}

/// Dates beyond the calendar (year 9999) fall back to the instant they were counted from.
fn from_local(
    origin: OffsetDateTime,
    date: Result<Date, time::error::ComponentRange>,
    time_of_day: Time,
) -> Timestamp {
    let there = match date {
        Ok(date) => origin.replace_date(date).replace_time(time_of_day),
        Err(_) => origin,
    };
    let ms = there.unix_timestamp_nanos().div_euclid(1_000_000);
    Timestamp(i64::try_from(ms).expect("milliseconds of a calendar date fit i64"))
}

#[cfg(test)]
mod tests {
    use super::{Timestamp, end_of_day_after, end_of_next_year, months_later};
    use time::macros::datetime;

    fn at(moment: time::OffsetDateTime) -> Timestamp {
        Timestamp::from_ms(
            i64::try_from(moment.unix_timestamp_nanos() / 1_000_000).expect("in range"),
        )
    }

    #[test]
    fn a_business_day_begins_at_its_cut_off() {
        let cases = [
            (datetime!(2026-11-22 04:00 +8), 240),
            (datetime!(2026-11-22 00:00 +8), 0),
            (datetime!(2028-02-29 06:30 +8), 390),
        ];
        for (start, cut_off) in cases {
            let begins = Timestamp::start_of_business_day(start.date(), cut_off);
            assert_eq!(begins, at(start), "{start}");
            assert_eq!(begins.business_date(cut_off), start.date(), "{start}");
            let before = Timestamp::from_ms(begins.ms() - 1);
            assert_eq!(before.business_date(cut_off).next_day(), Some(start.date()));
        }
    }

    #[test]
    fn months_end_on_days_that_exist() {
        let cases = [
            (
                datetime!(2026-01-31 10:00 +8),
                1,
                datetime!(2026-02-28 10:00 +8),
            ),
            (
                datetime!(2028-01-31 10:00 +8),
                1,
                datetime!(2028-02-29 10:00 +8),
            ),
            (
                datetime!(2026-11-21 23:30 +8),
                12,
                datetime!(2027-11-21 23:30 +8),
            ),
            (
                datetime!(2026-12-05 00:00 +8),
                1,
                datetime!(2027-01-05 00:00 +8),
            ),
            (
                datetime!(2026-08-31 08:00 +8),
                18,
                datetime!(2028-02-29 08:00 +8),
            ),
            (
                datetime!(2026-03-15 08:00 +8),
                0,
                datetime!(2026-03-15 08:00 +8),
            ),
        ];
        for (from, months, expected) in cases {
            assert_eq!(
                months_later(at(from), months),
                at(expected),
                "{from} + {months}"
            );
        }
    }

    #[test]
    fn validity_runs_through_the_local_day() {
        let evening = at(datetime!(2026-11-21 23:30 +8));
        assert_eq!(
            end_of_day_after(evening, 30),
            at(datetime!(2026-12-21 23:59:59.999 +8))
        );
        assert_eq!(
            end_of_day_after(evening, 0),
            at(datetime!(2026-11-21 23:59:59.999 +8))
        );
        assert_eq!(
            end_of_next_year(evening),
            at(datetime!(2027-12-31 23:59:59.999 +8))
        );
        // Half past midnight in China is still the year before in UTC.
        let new_year = at(datetime!(2027-01-01 00:30 +8));
        assert_eq!(
            end_of_next_year(new_year),
            at(datetime!(2028-12-31 23:59:59.999 +8))
        );
    }

    #[test]
    fn a_broken_clock_does_not_panic() {
        for ms in [i64::MIN, i64::MAX] {
            let broken = Timestamp::from_ms(ms);
            let _ = (
                months_later(broken, 12),
                end_of_day_after(broken, 9),
                end_of_next_year(broken),
            );
        }
    }
}
