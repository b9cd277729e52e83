//! What the stretches between the words may be.

use crate::amount_input::{self, AmountInputError};
use crate::attempt::Channel;
use crate::money::Money;
use crate::top_up_command::NotUnderstood;
use crate::top_up_command::words::{Meaning, Piece};

/// More combinations than this come from no sentence.
const MOST_COMBINATIONS: usize = 256;

/// Characters of a name up to which a numeral may belong to it: 张三, 王一万.
const MOST_NAME_CHARACTERS: usize = 3;

/// One thing said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// Of a name.
    Words(String),
    /// A whole name by its initials; never part of another.
    Initials(String),
    /// Of a member: phone, tail, card.
    Number(String),
    /// To pay, or why it is no amount.
    Amount(Result<Money, AmountInputError>),
    /// How.
    Channel(Channel),
    /// A bonus was named.
    Bonus,
    /// Ends a name and says nothing else.
    Nothing,
}

/// A stretch of the line in each way to read it.
pub(super) type Item = Vec<Vec<Part>>;

/// What leads to a stretch.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Lead {
    None,
    TopUp,
    Number,
    Bonus,
}

/// Every stretch with its readings.
pub(super) fn items(pieces: &[Piece]) -> Result<Vec<Item>, NotUnderstood> {
    let mut lead = Lead::None;
    let mut items = Vec::new();
    for piece in pieces {
        let led = std::mem::replace(&mut lead, Lead::None);
        items.push(match piece {
            Piece::Word(meaning) => {
                lead = lead_of(*meaning, led);
                vec![vec![part_of(*meaning)]]
            }
            Piece::Short(meaning, text) => {
                lead = lead_of(*meaning, led);
                vec![vec![part_of(*meaning)], vec![Part::Initials(text.clone())]]
            }
            Piece::Text(_) if led == Lead::Bonus => vec![vec![Part::Bonus]],
            Piece::Text(text) => readings(text, led),
        });
    }
    let count = items
        .iter()
        .try_fold(1_usize, |count, item| count.checked_mul(item.len()));
    match count {
        Some(count) if count <= MOST_COMBINATIONS => Ok(items),
        _ => Err(NotUnderstood::TooMuch),
    }
}

/// Every choice of one reading for each stretch, the likeliest first.
pub(super) fn combinations(items: &[Item]) -> Vec<Vec<&Part>> {
    let mut all: Vec<Vec<&Part>> = vec![Vec::new()];
    for item in items {
        all = all
            .into_iter()
            .flat_map(|begun| {
                item.iter().map(move |reading| {
                    let mut longer = begun.clone();
                    longer.extend(reading);
                    longer
                })
            })
            .collect();
    }
    all
}

fn lead_of(meaning: Meaning, led: Lead) -> Lead {
    match meaning {
        Meaning::TopUp => Lead::TopUp,
        Meaning::Number => Lead::Number,
        Meaning::Bonus => Lead::Bonus,
        // 充一下 300
        Meaning::Filler => led,
        Meaning::Channel(_) | Meaning::ToWhom | Meaning::Not | Meaning::Other => Lead::None,
    }
}

fn part_of(meaning: Meaning) -> Part {
    match meaning {
        Meaning::Channel(channel) => Part::Channel(channel),
        _ => Part::Nothing,
    }
}

fn readings(text: &str, led: Lead) -> Item {
    if let Some(number) = member_number(text) {
        return vec![vec![Part::Number(number)]];
    }
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        return digits(text, led)
            .into_iter()
            .map(|part| vec![part])
            .collect();
    }
    if let Some(number) = spoken_digits(text)
        && (led == Lead::Number || matches!(number.len(), 4 | 11))
    {
        return vec![vec![Part::Number(number)]];
    }
    match amount_input::parse(text) {
        Ok(amount) => vec![vec![Part::Amount(Ok(amount))]],
        Err(error) if is_meant_as_amount(text) => vec![vec![Part::Amount(Err(error))]],
        Err(_) => mixed(text, led),
    }
}

/// `138-1234-5678`, `+8613812345678`, `00201-8812`, `vip-008`: not to be mistaken for an amount.
fn member_number(text: &str) -> Option<String> {
    let is_number = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '+';
    let has_digit = text.bytes().any(|byte| byte.is_ascii_digit());
    if !has_digit || !text.chars().all(is_number) || text.starts_with('-') {
        return None;
    }
    let bare: String = text.chars().filter(|c| *c != '-').collect();
    let phone = bare.strip_prefix("+86").unwrap_or(&bare);
    let is_phone = phone.len() == 11 && phone.bytes().all(|byte| byte.is_ascii_digit());
    if is_phone && phone.starts_with('1') {
        return Some(phone.to_owned());
    }
    let digits = text
        .find(|c: char| c.is_ascii_digit())
        .map(|at| &text[at..]);
    let is_card =
        text.contains('-') || digits.is_some_and(|it| it.starts_with('0') && it.len() > 2);
    is_card.then(|| text.to_owned())
}

/// Digits alone: an amount, the end of a phone number, or the number of a card.
fn digits(text: &str, led: Lead) -> Vec<Part> {
    let amount = Part::Amount(amount_input::parse(text));
    let number = Part::Number(text.to_owned());
    match (led, text.len()) {
        (Lead::Number, _) => vec![number],
        (Lead::TopUp, _) | (_, ..=3) => vec![amount],
        (_, 4..=7) if matches!(amount, Part::Amount(Ok(_))) => vec![number, amount],
        _ => vec![number],
    }
}

/// 五六七八, 幺三八…: digits said one by one.
fn spoken_digits(text: &str) -> Option<String> {
    text.chars().map(digit).collect()
}

fn digit(character: char) -> Option<char> {
    let digits = "零一二三四五六七八九";
    let plain = match character {
        '〇' => '零',
        '幺' => '一',
        '两' => '二',
        other => other,
    };
    let value = digits.chars().position(|known| known == plain)?;
    char::from_digit(u32::try_from(value).ok()?, 10)
}

/// Whether a person who wrote this meant an amount: no letter and no character of a name.
fn is_meant_as_amount(text: &str) -> bool {
    text.bytes().any(|byte| byte.is_ascii_digit())
        && text
            .chars()
            .all(|c| is_numeral(c) || "-.,¥元块钱圆整角分点".contains(c))
}

/// 王芳200元, zw300, 张三五百, 300张伟: a name and a number without a space.
fn mixed(text: &str, led: Lead) -> Item {
    let places: Vec<usize> = text.char_indices().map(|(place, _)| place).collect();
    let mut found: Item = Vec::new();
    let mut run_until = 0;
    for start in places.iter().copied() {
        if !may_begin(text, start) {
            continue;
        }
        let ends = places.iter().copied().chain([text.len()]);
        let longest = ends
            .filter(|end| *end > start && may_end(text, *end))
            .rev()
            .find_map(|end| Some((end, amounts(&text[start..end], led)?)));
        let Some((end, parts)) = longest else {
            continue;
        };
        // A later numeral of the same run is a reading only when those before it end a name.
        let name = &text[..start];
        if start < run_until && name.chars().count() > MOST_NAME_CHARACTERS {
            continue;
        }
        run_until = run_until.max(end);
        for part in parts {
            let mut reading = vec![part];
            if !name.is_empty() {
                reading.insert(0, Part::Words(name.to_owned()));
            }
            if end < text.len() {
                reading.push(Part::Words(text[end..].to_owned()));
            }
            found.push(reading);
        }
    }
    if found.is_empty() || !text.bytes().any(|byte| byte.is_ascii_digit()) {
        found.push(vec![Part::Words(text.to_owned())]);
    }
    found
}

fn may_begin(text: &str, start: usize) -> bool {
    let first = text[start..].chars().next();
    let before = text[..start].chars().next_back();
    let in_digits = before.is_some_and(|c| c.is_ascii_digit() || ".,¥-".contains(c));
    let is_unit = first.is_some_and(|c| "百千万佰仟萬".contains(c));
    first.is_some_and(|c| is_numeral(c) || c == '¥') && !in_digits && !is_unit
}

fn may_end(text: &str, end: usize) -> bool {
    let after = text[end..].chars().next();
    !after.is_some_and(|c| c.is_ascii_digit() || ".,".contains(c))
}

/// What a number inside a stretch may be; `None` when it is no number that stands for itself.
fn amounts(text: &str, led: Lead) -> Option<Vec<Part>> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(digits(text, led));
    }
    let says_unit = text.chars().any(|c| "十百千万拾佰仟萬元块圆".contains(c));
    let says_digits = text.bytes().any(|byte| byte.is_ascii_digit());
    // 李四 is a name; 李四百 may be ¥400 for somebody called 李.
    if !says_unit && !says_digits {
        return None;
    }
    let amount = amount_input::parse(text).ok()?;
    Some(vec![Part::Amount(Ok(amount))])
}

/// Characters that numbers are written with.
pub(super) fn is_numeral(character: char) -> bool {
    character.is_ascii_digit()
        || "零〇一二三四五六七八九十百千万两俩壹贰叁肆伍陆柒捌玖拾佰仟萬¥".contains(character)
}
