//! Amounts as gateways write them: yuan with decimals.

use qiantai_core::money::Money;

/// The amount in yuan with two decimals: `500.00`.
pub fn yuan(amount: Money) -> String {
    let fen = amount.fen().unsigned_abs();
    let sign = if amount.is_negative() { "-" } else { "" };
    format!("{sign}{}.{:02}", fen / 100, fen % 100)
}

/// Reads yuan exactly: digits, at most one point, at most two decimals that are not zero.
/// `None` for everything else, also for what does not fit.
pub fn from_yuan(text: &str) -> Option<Money> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (whole, decimals) = digits.split_once('.').unwrap_or((digits, ""));
    let plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let decimals = decimals.trim_end_matches('0');
    if whole.is_empty() || !plain(whole) || !plain(decimals) || decimals.len() > 2 {
        return None;
    }
    let whole: i64 = whole.parse().ok()?;
    let fen: i64 = format!("{decimals:0<2}").parse().ok()?;
    let total = whole.checked_mul(100)?.checked_add(fen)?;
    Some(Money::from_fen(if negative { -total } else { total }))
}

/// Reads whole fen; `None` for everything but plain digits.
pub fn from_fen(text: &str) -> Option<Money> {
    let plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| text.parse().ok().map(Money::from_fen))?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn yuan_are_read_exactly_or_not_at_all() {
        let cases = [
            ("500", Some(50_000)),
            ("500.00", Some(50_000)),
            ("500.000", Some(50_000)),
            ("0.1", Some(10)),
            ("0.01", Some(1)),
            ("-3.05", Some(-305)),
            ("-0.00", Some(0)),
            ("1.", Some(100)),
            ("92233720368547758.07", Some(i64::MAX)),
            ("92233720368547758.08", None),
            ("0.001", None),
            ("", None),
            ("-", None),
            (".5", None),
            ("+1", None),
            ("1e3", None),
            ("1,000.00", None),
            ("1.2.3", None),
            ("１", None),
            (" 1", None),
        ];
        for (text, fen) in cases {
            assert_eq!(from_yuan(text), fen.map(Money::from_fen), "{text}");
        }
    }

    #[test]
    fn what_is_written_is_read_back() {
        for fen in [0, 1, 99, 100, 12_345, -1, -100, i64::MAX] {
            let amount = Money::from_fen(fen);
            assert_eq!(from_yuan(&yuan(amount)), Some(amount), "{fen}");
        }
        assert_eq!(yuan(Money::from_fen(-5)), "-0.05");
        assert_eq!(from_fen("50000"), Some(Money::from_fen(50_000)));
        for text in ["", "-1", "5.0", "99999999999999999999"] {
            assert_eq!(from_fen(text), None, "{text}");
        }
    }
}
