//! What people type as an amount: digits in any width, thousands separators, a currency sign, or
//! Chinese numerals.

use chinese_number::{ChineseCountMethod, ChineseToNumber};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

use crate::half_width::half_width;
use crate::money::Money;
use crate::quote::MOST_PER_ORDER;

/// Why a text is no amount to ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum AmountInputError {
    /// Nothing was typed.
    #[error("no amount")]
    Empty,
    /// Not a number, or one that could be read in two ways.
    #[error("not a number")]
    NotANumber,
    /// Below zero.
    #[error("below zero")]
    Negative,
    /// Zero.
    #[error("zero")]
    Zero,
    /// More than two decimals.
    #[error("finer than one fen")]
    TooPrecise,
    /// Beyond any order (see [`MOST_PER_ORDER`]).
    #[error("too large")]
    TooLarge,
}

/// The amount in yuan that `text` says.
///
/// # Errors
/// [`AmountInputError`] names the first thing wrong with it.
pub fn parse(text: &str) -> Result<Money, AmountInputError> {
    let folded: String = text
        .chars()
        .filter(|c| !c.is_whitespace())
        .map(plain)
        .collect();
    if folded.is_empty() {
        return Err(AmountInputError::Empty);
    }
    // The sign stands on either side of the currency sign: -￥5, ￥-5.
    let (sign_before, rest) = take_sign(&folded);
    let (sign_after, bare) = take_sign(strip_currency(rest));
    if sign_before && sign_after {
        return Err(AmountInputError::NotANumber);
    }
    let is_negative = sign_before || sign_after;
    let amount = match bare
        .chars()
        .all(|c| c.is_ascii_digit() || matches!(c, '.' | ','))
    {
        true => digits(bare)?,
        false => numerals(bare)?,
    };
    match amount {
        Money::ZERO => Err(AmountInputError::Zero),
        _ if is_negative => Err(AmountInputError::Negative),
        amount if amount > MOST_PER_ORDER => Err(AmountInputError::TooLarge),
        amount => Ok(amount),
    }
}

/// Characters of an input method as the plain ones: `。` is the dot of the same key.
fn plain(character: char) -> char {
    match character {
        '。' => '.',
        '\u{2212}' | '–' | '负' => '-',
        _ => half_width(character),
    }
}

fn take_sign(text: &str) -> (bool, &str) {
    text.strip_prefix('-')
        .map_or((false, text), |rest| (true, rest))
}

fn strip_currency(text: &str) -> &str {
    let text = text.strip_prefix(['¥', '￥']).unwrap_or(text);
    let text = text.strip_suffix('整').unwrap_or(text);
    ["块钱", "元", "块", "圆"]
        .iter()
        .find_map(|unit| text.strip_suffix(unit))
        .unwrap_or(text)
}

/// `1234`, `1,234.50`, `.5`; commas only where thousands are parted.
fn digits(text: &str) -> Result<Money, AmountInputError> {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    let is_number = decimals.bytes().all(|byte| byte.is_ascii_digit())
        && is_grouped(whole)
        && text.bytes().any(|byte| byte.is_ascii_digit());
    if !is_number {
        return Err(AmountInputError::NotANumber);
    }
    if decimals.len() > 2 {
        return Err(AmountInputError::TooPrecise);
    }
    let plain = format!("0{}.{decimals:0<2}", whole.replace(',', ""));
    let yuan = Decimal::from_str_exact(&plain).map_err(|_| AmountInputError::TooLarge)?;
    let fen = yuan
        .checked_mul(Decimal::ONE_HUNDRED)
        .and_then(|fen| fen.to_i64());
    fen.map(Money::from_fen).ok_or(AmountInputError::TooLarge)
}

fn is_grouped(whole: &str) -> bool {
    let mut groups = whole.split(',');
    let first = groups.next().unwrap_or_default();
    let mut rest = groups.peekable();
    rest.peek().is_none() || ((1..=3).contains(&first.len()) && rest.all(|group| group.len() == 3))
}

/// `三百`, `三百五`, `两千`, and a single digit before a unit: `1千2`. Digits that would have to be
/// read one by one (`三五零`, `12百`) could mean two things.
fn numerals(text: &str) -> Result<Money, AmountInputError> {
    let characters: Vec<char> = text.chars().map(numeral).collect();
    let is_clear = characters
        .iter()
        .all(|character| is_digit(*character) || is_unit(*character))
        && characters.windows(2).all(is_clear_pair)
        && (characters.len() == 1 || characters.iter().copied().any(is_unit));
    if !is_clear {
        return Err(AmountInputError::NotANumber);
    }
    let numeral: String = characters.into_iter().collect();
    let yuan: Result<u64, _> = numeral.as_str().to_number(ChineseCountMethod::TenThousand);
    match yuan.ok().and_then(|yuan| i64::try_from(yuan).ok()) {
        Some(yuan) if yuan <= MOST_PER_ORDER.whole_yuan() => Ok(Money::from_yuan(yuan)),
        Some(_) => Err(AmountInputError::TooLarge),
        None => Err(AmountInputError::NotANumber),
    }
}

fn is_digit(character: char) -> bool {
    "零一二三四五六七八九壹贰叁肆伍陆柒捌玖".contains(character)
}

fn is_unit(character: char) -> bool {
    "十百千万拾佰仟".contains(character)
}

/// Two digits meet only after a zero, and a zero carries no unit.
fn is_clear_pair(pair: &[char]) -> bool {
    match pair[0] {
        '零' => is_digit(pair[1]),
        first => is_unit(first) || is_unit(pair[1]),
    }
}

fn numeral(character: char) -> char {
    match character {
        '两' | '俩' => '二',
        '〇' | '0' => '零',
        '1'..='9' => {
            let digits = ['一', '二', '三', '四', '五', '六', '七', '八', '九'];
            let index = character.to_digit(10).map_or(0, |digit| digit as usize - 1);
            digits[index]
        }
        '萬' => '万',
        '貳' => '贰',
        _ => character,
    }
}

#[cfg(test)]
mod tests {
    use super::AmountInputError::{Empty, Negative, NotANumber, TooLarge, TooPrecise, Zero};
    use super::{AmountInputError, parse};
    use crate::money::Money;

    fn check(cases: &[(&str, Result<i64, AmountInputError>)]) {
        for (text, expected) in cases {
            assert_eq!(parse(text), expected.map(Money::from_fen), "{text:?}");
        }
    }

    #[test]
    fn digits_of_every_width() {
        check(&[
            ("300", Ok(30_000)),
            ("300.5", Ok(30_050)),
            ("300.05", Ok(30_005)),
            (" 3 00 ", Ok(30_000)),
            (".5", Ok(50)),
            ("5.", Ok(500)),
            ("0300", Ok(30_000)),
            ("1,000", Ok(100_000)),
            ("1，000", Ok(100_000)),
            ("1,234,567.89", Ok(123_456_789)),
            ("￥300", Ok(30_000)),
            ("¥ 300.00", Ok(30_000)),
            ("300元", Ok(30_000)),
            ("３００", Ok(30_000)),
            ("３００．５０", Ok(30_050)),
            ("99。5", Ok(9_950)),
            ("10000000", Ok(1_000_000_000)),
        ]);
    }

    #[test]
    fn texts_that_are_no_amount() {
        check(&[
            ("", Err(Empty)),
            ("   ", Err(Empty)),
            ("\u{3000}", Err(Empty)),
            ("0", Err(Zero)),
            ("0.00", Err(Zero)),
            ("-0", Err(Zero)),
            ("零", Err(Zero)),
            ("-5", Err(Negative)),
            ("−5", Err(Negative)),
            ("－５", Err(Negative)),
            ("-￥5", Err(Negative)),
            ("￥-5", Err(Negative)),
            ("负五", Err(Negative)),
            ("0.001", Err(TooPrecise)),
            ("1.000", Err(TooPrecise)),
            ("1000000000", Err(TooLarge)),
            ("10000000.01", Err(TooLarge)),
            ("99999999999999999999999999999999999999999", Err(TooLarge)),
            ("九千万", Err(TooLarge)),
            ("1e9", Err(NotANumber)),
            ("+5", Err(NotANumber)),
            ("--5", Err(NotANumber)),
            (".", Err(NotANumber)),
            (",", Err(NotANumber)),
            ("￥", Err(NotANumber)),
            ("元", Err(NotANumber)),
            ("1,00", Err(NotANumber)),
            ("1000,000", Err(NotANumber)),
            (",000", Err(NotANumber)),
            ("1.2.3", Err(NotANumber)),
            ("1.0,00", Err(NotANumber)),
            ("abc", Err(NotANumber)),
            ("0x10", Err(NotANumber)),
            ("NaN", Err(NotANumber)),
            ("٣٠٠", Err(NotANumber)),
        ]);
    }

    #[test]
    fn chinese_numerals_where_they_are_clear() {
        check(&[
            ("三百", Ok(30_000)),
            ("三百元", Ok(30_000)),
            ("三百元整", Ok(30_000)),
            ("三百块钱", Ok(30_000)),
            ("三百五", Ok(35_000)),
            ("三百五十", Ok(35_000)),
            ("三百零五", Ok(30_500)),
            ("两百元", Ok(20_000)),
            ("两千", Ok(200_000)),
            ("1千2", Ok(120_000)),
            ("5百", Ok(50_000)),
            ("一万", Ok(1_000_000)),
            ("一万二", Ok(1_200_000)),
            ("十", Ok(1_000)),
            ("五", Ok(500)),
            ("伍佰", Ok(50_000)),
            ("三五零", Err(NotANumber)),
            ("12百", Err(NotANumber)),
            ("百百", Err(NotANumber)),
            ("百", Err(NotANumber)),
            ("三百五十六十", Err(NotANumber)),
            ("三百点五", Err(NotANumber)),
            ("三 百", Ok(30_000)),
            ("零百", Err(NotANumber)),
        ]);
    }
}
