//! Times as gateways write them: Beijing time without an offset.

use qiantai_core::clock::Timestamp;
use time::format_description::BorrowedFormatItem;
use time::macros::{format_description, offset};
use time::{OffsetDateTime, PrimitiveDateTime};

const DASHED: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day] [hour]:[minute]:[second]");
const COMPACT: &[BorrowedFormatItem<'_>] =
    format_description!("[year][month][day][hour][minute][second]");

/// `2026-01-01 08:00:00`.
pub fn dashed(at: Timestamp) -> String {
    written(at.local(), DASHED)
}

/// `20260101080000`.
pub fn compact(at: Timestamp) -> String {
    written(at.local(), COMPACT)
}

/// Reads `2026-01-01 08:00:00`, also with a fraction of seconds, which is dropped.
pub fn from_dashed(text: &str) -> Option<Timestamp> {
    read(text.split('.').next()?, DASHED)
}

/// Reads `20260101080000`.
pub fn from_compact(text: &str) -> Option<Timestamp> {
    read(text, COMPACT)
}

fn written(at: OffsetDateTime, format: &[BorrowedFormatItem<'_>]) -> String {
    at.format(&format)
        .expect("a date of the calendar has all these parts")
}

fn read(text: &str, format: &[BorrowedFormatItem<'_>]) -> Option<Timestamp> {
    let local = PrimitiveDateTime::parse(text, &format).ok()?;
    let seconds = local.assume_offset(offset!(+8)).unix_timestamp();
    seconds.checked_mul(1_000).map(Timestamp::from_ms)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_beijing_time() {
        let at = Timestamp::from_ms(1_767_225_600_999);
        assert_eq!(dashed(at), "2026-01-01 08:00:00");
        assert_eq!(compact(at), "20260101080000");
        let whole = Some(Timestamp::from_ms(1_767_225_600_000));
        assert_eq!(from_dashed("2026-01-01 08:00:00"), whole);
        assert_eq!(from_dashed("2026-01-01 08:00:00.123"), whole);
        assert_eq!(from_compact("20260101080000"), whole);
        for text in [
            "",
            "2026-01-01",
            "2026-13-01 08:00:00",
            "2026-01-01T08:00:00",
        ] {
            assert_eq!(from_dashed(text), None, "{text}");
            assert_eq!(from_compact(text), None, "{text}");
        }
        // A broken clock is written as the last day of the calendar; it does not panic.
        assert_eq!(compact(Timestamp::from_ms(i64::MAX)).len(), 14);
    }
}
