//! Whose payment code (付款码) a scanned number is (docs: domain §3.11). The code itself is
//! single-use and secret: it is recognised here and never kept or logged.

use crate::attempt::Channel;

/// One row: numbers of these lengths with these first two digits belong to the channel.
struct Pattern {
    channel: Channel,
    first_two: std::ops::RangeInclusive<u8>,
    lengths: std::ops::RangeInclusive<usize>,
    /// Recognised only when the shop has turned the channel on: its pattern is unconfirmed.
    is_confirmed: bool,
}

const PATTERNS: [Pattern; 4] = [
    Pattern {
        channel: Channel::Wechat,
        first_two: 10..=15,
        lengths: 18..=18,
        is_confirmed: true,
    },
    Pattern {
        channel: Channel::Alipay,
        first_two: 25..=30,
        lengths: 16..=24,
        is_confirmed: true,
    },
    Pattern {
        channel: Channel::Unionpay,
        first_two: 62..=62,
        lengths: 19..=19,
        is_confirmed: true,
    },
    Pattern {
        channel: Channel::Ecny,
        first_two: 1..=1,
        lengths: 19..=19,
        is_confirmed: false,
    },
];

/// Whether `text` has the form that every payment code in digits has, of whatever channel: codes of
/// a prefix that no table lists yet have it too (docs: domain §3.11).
pub fn may_be_code(text: &str) -> bool {
    (16..=24).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The channel of a scanned payment code; `None` when it is none, then the cashier is asked.
/// `offered` are the shop's channels: a pattern that no channel has confirmed counts only when
/// its channel is among them.
pub fn recognise(scanned: &str, offered: &[Channel]) -> Option<Channel> {
    if !scanned.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let first_two: u8 = scanned.get(..2)?.parse().ok()?;
    PATTERNS
        .iter()
        .filter(|row| row.is_confirmed || offered.contains(&row.channel))
        .find(|row| row.first_two.contains(&first_two) && row.lengths.contains(&scanned.len()))
        .map(|row| row.channel)
}

#[cfg(test)]
mod tests {
    use super::{Channel, recognise};

    #[test]
    fn edges_of_the_table() {
        let cases = [
            ("", None),
            ("1", None),
            ("1234567890", None),
            ("10000000000000000a", None),
            ("１００００００００００００００００００", None),
            ("099999999999999999", None),
            ("100000000000000000", Some(Channel::Wechat)),
            ("1000000000000000000", None),
            ("249999999999999999", None),
            ("2500000000000000", Some(Channel::Alipay)),
            ("250000000000000", None),
            ("309999999999999999999999", Some(Channel::Alipay)),
            ("3099999999999999999999999", None),
            ("6200000000000000000", Some(Channel::Unionpay)),
            ("6300000000000000000", None),
            ("0123456789012345678", None),
        ];
        for (scanned, expected) in cases {
            assert_eq!(
                recognise(scanned, &[Channel::Wechat]),
                expected,
                "{scanned}"
            );
        }
    }

    #[test]
    fn digital_yuan_only_where_it_is_offered() {
        let code = "0123456789012345678";
        assert_eq!(recognise(code, &[Channel::Ecny]), Some(Channel::Ecny));
        assert_eq!(recognise(code, &[]), None);
    }
}
