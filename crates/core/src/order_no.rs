//! Numbers that people read out and gateways keep (docs: domain §3.10): prefix, local time to the
//! millisecond, store, terminal and four random characters; 30 in all, digits and capitals.

use std::fmt;
use std::str::FromStr;

use time::{Date, Month, PrimitiveDateTime, Time, UtcOffset};

use crate::clock::{Millis, Timestamp};

/// Crockford base32: no I, L, O, U.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// What is numbered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Prefix {
    /// `CZ` 充值
    Recharge,
    /// `ZF` 支付
    Attempt,
    /// `TK` 退款
    Refund,
    /// `XF` 消费
    Consumption,
    /// `JB` 交班
    Shift,
    /// `SH` 审核
    Review,
    /// `YC` 异常
    Exception,
    /// `PZ` 凭证
    Voucher,
}

/// A number in its parts. Terminals make them offline; the server's unique index is the last
/// guard against two equal ones.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct OrderNo {
    prefix: Prefix,
    at: Timestamp,
    store: u32,
    terminal: u8,
    random: u32,
}

/// Why a number cannot be made or read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OrderNoError {
    /// The store code is not five digits.
    #[error("store code is not five digits")]
    StoreCode,
    /// The terminal code is not two digits.
    #[error("terminal code is not two digits")]
    TerminalCode,
    /// The text is not a number of this form.
    #[error("not an order number")]
    Malformed,
}

impl OrderNo {
    /// A number made at `at` (corrected to server time) on a terminal. Of `random`, 20 bits are
    /// used.
    ///
    /// # Errors
    /// [`OrderNoError`] when a code has not the digits it must have.
    pub fn new(
        prefix: Prefix,
        at: Timestamp,
        store_code: &str,
        terminal_code: &str,
        random: u32,
    ) -> Result<OrderNo, OrderNoError> {
        let store = digits(store_code, 5).ok_or(OrderNoError::StoreCode)?;
        let terminal = digits(terminal_code, 2).ok_or(OrderNoError::TerminalCode)?;
        Ok(OrderNo {
            prefix,
            at,
            store,
            terminal,
            random: random & 0xF_FFFF,
        })
    }

    /// What is numbered.
    pub fn prefix(&self) -> Prefix {
        self.prefix
    }

    /// When it was made, to the millisecond.
    pub fn at(&self) -> Timestamp {
        self.at
    }

    /// The store's five digits.
    pub fn store_code(&self) -> String {
        format!("{:05}", self.store)
    }

    /// The terminal's two digits.
    pub fn terminal_code(&self) -> String {
        format!("{:02}", self.terminal)
    }
}

impl fmt::Display for OrderNo {
    /// `CZ20261121140312480000010142KM`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = self.at.local();
        let (year, month, day) = at.to_calendar_date();
        let (hour, minute, second, milli) = at.to_hms_milli();
        write!(
            f,
            "{}{year:04}{:02}{day:02}{hour:02}{minute:02}{second:02}{milli:03}{:05}{:02}",
            self.prefix.letters(),
            u8::from(month),
            self.store,
            self.terminal
        )?;
        for shift in [15, 10, 5, 0] {
            let digit = (self.random >> shift) & 0x1F;
            write!(f, "{}", char::from(ALPHABET[digit as usize]))?;
        }
        Ok(())
    }
}

impl FromStr for OrderNo {
    type Err = OrderNoError;

    /// Reads a number as it is printed; letters may be small.
    fn from_str(text: &str) -> Result<OrderNo, OrderNoError> {
        read(&text.trim().to_ascii_uppercase()).ok_or(OrderNoError::Malformed)
    }
}

impl Prefix {
    const ALL: [Prefix; 8] = [
        Prefix::Recharge,
        Prefix::Attempt,
        Prefix::Refund,
        Prefix::Consumption,
        Prefix::Shift,
        Prefix::Review,
        Prefix::Exception,
        Prefix::Voucher,
    ];

    /// The two letters in front.
    pub const fn letters(self) -> &'static str {
        match self {
            Prefix::Recharge => "CZ",
            Prefix::Attempt => "ZF",
            Prefix::Refund => "TK",
            Prefix::Consumption => "XF",
            Prefix::Shift => "JB",
            Prefix::Review => "SH",
            Prefix::Exception => "YC",
            Prefix::Voucher => "PZ",
        }
    }
}

fn read(text: &str) -> Option<OrderNo> {
    if text.len() != 30 || !text.is_ascii() {
        return None;
    }
    let prefix = Prefix::ALL
        .into_iter()
        .find(|prefix| prefix.letters() == &text[..2])?;
    let month = Month::try_from(digits::<u8>(&text[6..8], 2)?).ok()?;
    let date = Date::from_calendar_date(digits(&text[2..6], 4)?, month, digits(&text[8..10], 2)?);
    let time = Time::from_hms_milli(
        digits(&text[10..12], 2)?,
        digits(&text[12..14], 2)?,
        digits(&text[14..16], 2)?,
        digits(&text[16..19], 3)?,
    );
    let offset = UtcOffset::from_hms(8, 0, 0).ok()?;
    let local = PrimitiveDateTime::new(date.ok()?, time.ok()?).assume_offset(offset);
    let seconds = Timestamp::from_ms(local.unix_timestamp().checked_mul(1_000)?);
    let mut random = 0;
    for byte in text[26..].bytes() {
        let digit = ALPHABET.iter().position(|letter| *letter == byte)?;
        random = (random << 5) | u32::try_from(digit).ok()?;
    }
    Some(OrderNo {
        prefix,
        at: seconds + Millis(i64::from(local.millisecond())),
        store: digits(&text[19..24], 5)?,
        terminal: digits(&text[24..26], 2)?,
        random,
    })
}

fn digits<T: FromStr>(text: &str, length: usize) -> Option<T> {
    let is_digits = text.len() == length && text.bytes().all(|byte| byte.is_ascii_digit());
    is_digits.then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::{OrderNo, OrderNoError, Prefix};
    use crate::clock::Timestamp;

    /// 2026-11-21 14:03:12.480 in China.
    const AT: Timestamp = Timestamp::from_ms(1_795_240_992_480);

    #[test]
    fn thirty_characters_that_read_back() {
        for prefix in Prefix::ALL {
            let made =
                OrderNo::new(prefix, AT, "00031", "02", 0xFFFF_FFFF).expect("codes are fine");
            let text = made.to_string();
            assert_eq!(
                text,
                format!("{}202611211403124800003102ZZZZ", prefix.letters())
            );
            assert_eq!(text.len(), 30);
            assert_eq!(text.parse(), Ok(made.clone()));
            assert_eq!(text.to_lowercase().parse(), Ok(made.clone()));
            assert_eq!((made.prefix(), made.at()), (prefix, AT));
            assert_eq!(
                (made.store_code(), made.terminal_code()),
                ("00031".into(), "02".into())
            );
        }
    }

    #[test]
    fn bad_codes_are_refused() {
        let cases = [
            ("0031", "02", OrderNoError::StoreCode),
            ("0003A", "02", OrderNoError::StoreCode),
            ("+0031", "02", OrderNoError::StoreCode),
            ("00031", "2", OrderNoError::TerminalCode),
            ("00031", "０2", OrderNoError::TerminalCode),
        ];
        for (store, terminal, expected) in cases {
            let made = OrderNo::new(Prefix::Recharge, AT, store, terminal, 0);
            assert_eq!(made, Err(expected), "{store} {terminal}");
        }
    }

    #[test]
    fn other_texts_are_no_numbers() {
        let cases = [
            "",
            "CZ",
            "QQ202611211403124800003102ZZZZ",
            "CZ202613211403124800003102ZZZZ",
            "CZ202602301403124800003102ZZZZ",
            "CZ202611212503124800003102ZZZZ",
            "CZ202611211403124800003102ZZZU",
            "CZ202611211403124800003102ZZZZ0",
            "CZ2026112114031248000031０2ZZZ",
        ];
        for text in cases {
            assert_eq!(
                text.parse::<OrderNo>(),
                Err(OrderNoError::Malformed),
                "{text}"
            );
        }
    }
}
