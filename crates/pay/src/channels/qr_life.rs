//! How long our QR codes live, where a code that nobody scanned leaves no trace at the gateway.

use qiantai_core::clock::{Millis, Timestamp};
use serde::Deserialize;

/// Longest life of our QR codes in minutes, counted from the attempt's number; at least one. The
/// end of a code that leaves no trace is the only proof that it can no longer be paid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "u8")]
pub struct QrLife(u8);

impl QrLife {
    /// Our clock and the gateway's may differ by this much when a code ends.
    const MARGIN: Millis = Millis::seconds(30);

    /// When a code that was made at `made` can no longer be paid, at the latest.
    pub(super) fn end(self, made: Timestamp) -> Timestamp {
        made + Millis::minutes(i64::from(self.0))
    }

    /// True once nobody can pay a code that ends at `end`, whoever's clock is right.
    pub(super) fn is_past(end: Timestamp, now: Timestamp) -> bool {
        now >= end + QrLife::MARGIN
    }
}

impl Default for QrLife {
    fn default() -> QrLife {
        QrLife(5)
    }
}

impl TryFrom<u8> for QrLife {
    type Error = &'static str;

    fn try_from(minutes: u8) -> Result<QrLife, &'static str> {
        match minutes {
            0 => Err("qr_minutes must be at least 1"),
            minutes => Ok(QrLife(minutes)),
        }
    }
}
