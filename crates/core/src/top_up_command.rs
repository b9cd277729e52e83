//! A top-up in one line, as people type or dictate it: `张伟 充 300 微信`, `zw 300 现金`,
//! `给王芳充值两百元`, `top up zhang wei two hundred by cash`.
//!
//! Names are not known here, so a line that can be read in several ways gives several wishes, and
//! whoever knows the members drops those that name nobody. Nothing is ever guessed between two
//! amounts or two ways to pay: each becomes a wish of its own, and the cashier chooses.

mod part;
mod words;

use crate::amount_input::AmountInputError;
use crate::attempt::Channel;
use crate::half_width::half_width;
use crate::money::Money;

use part::Part;

/// Longer lines are no command.
pub const MOST_CHARACTERS: usize = 120;

/// More readings than this are not worth asking about.
const MOST_WISHES: usize = 4;

/// One way to read the line. What was not said is `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TopUpWish {
    /// Whose balance.
    pub who: Option<Who>,
    /// To pay.
    pub amount: Option<Money>,
    /// How.
    pub channel: Option<Channel>,
    /// A bonus was named (送50). The shop's rules decide it, not the line.
    pub names_bonus: bool,
}

/// How the member was named. With both, both must fit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Who {
    /// Name, pinyin or initials.
    pub words: Option<String>,
    /// Phone, its last four digits, or a card or member number.
    pub number: Option<String>,
}

/// Why a line is no top-up.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotUnderstood {
    /// Nothing was said.
    #[error("nothing was said")]
    Empty,
    /// Beyond [`MOST_CHARACTERS`].
    #[error("too long for one command")]
    TooLong,
    /// Speaks of a refund, a cancellation or spending.
    #[error("not a top-up")]
    OtherAction,
    /// Several amounts and several ways to pay at once.
    #[error("more than one top-up")]
    TooMuch,
    /// The amount cannot be one.
    #[error("amount: {0}")]
    Amount(#[from] AmountInputError),
    /// These words fit nowhere.
    #[error("unclear words")]
    Unclear(String),
}

/// Every way to read `text`, the likeliest first; never an empty list.
///
/// # Errors
/// [`NotUnderstood`] says why there is none.
pub fn read(text: &str) -> Result<Vec<TopUpWish>, NotUnderstood> {
    if text.chars().count() > MOST_CHARACTERS {
        return Err(NotUnderstood::TooLong);
    }
    let line = plain(text);
    if line.is_empty() {
        return Err(NotUnderstood::Empty);
    }
    let items = part::items(&words::pieces(&line)?)?;
    let combined: Vec<Combined> = part::combinations(&items)
        .into_iter()
        .map(|parts| Combined::of(&parts))
        .collect();
    choose(&combined)
}

/// The parts of one reading, gathered by what they are.
#[derive(Default)]
struct Combined {
    names: Vec<String>,
    numbers: Vec<String>,
    amounts: Vec<Money>,
    channels: Vec<Channel>,
    wrong: Option<AmountInputError>,
    names_bonus: bool,
}

impl Combined {
    fn of(parts: &[&Part]) -> Combined {
        let mut combined = Combined::default();
        let mut in_name = false;
        for part in parts {
            let goes_on = std::mem::replace(&mut in_name, matches!(part, Part::Words(_)));
            match part {
                // 张 伟, zhang wei: one name, however it was spaced.
                Part::Words(words) => match combined.names.last_mut() {
                    Some(name) if goes_on => name.push_str(words),
                    _ => add(&mut combined.names, words.clone()),
                },
                Part::Initials(initials) => add(&mut combined.names, initials.clone()),
                Part::Number(number) => add(&mut combined.numbers, number.clone()),
                Part::Amount(Ok(amount)) => add(&mut combined.amounts, *amount),
                Part::Amount(Err(error)) => combined.wrong = Some(*error),
                Part::Channel(channel) => add(&mut combined.channels, *channel),
                Part::Bonus => combined.names_bonus = true,
                Part::Nothing => {}
            }
        }
        combined
    }

    /// One person at most, and everything that looked like an amount is one.
    fn is_about_one(&self) -> bool {
        self.names.len() <= 1 && self.numbers.len() <= 1 && self.wrong.is_none()
    }

    fn is_whole(&self) -> bool {
        self.is_about_one() && self.amounts.len() <= 1 && self.channels.len() <= 1
    }

    /// How much of a top-up it says.
    fn said(&self) -> usize {
        let is_said = [
            self.names.is_empty(),
            self.numbers.is_empty(),
            self.amounts.is_empty(),
            self.channels.is_empty(),
        ];
        is_said.iter().filter(|is_empty| !**is_empty).count()
    }

    /// A wish for each amount and each way to pay.
    fn wishes(&self) -> Vec<TopUpWish> {
        let words = self.names.first().cloned();
        let number = self.numbers.first().cloned();
        let who = (words.is_some() || number.is_some()).then_some(Who { words, number });
        let mut wishes = Vec::new();
        for amount in each(&self.amounts) {
            for channel in each(&self.channels) {
                wishes.push(TopUpWish {
                    who: who.clone(),
                    amount,
                    channel,
                    names_bonus: self.names_bonus,
                });
            }
        }
        wishes
    }
}

fn choose(combined: &[Combined]) -> Result<Vec<TopUpWish>, NotUnderstood> {
    let whole: Vec<&Combined> = combined.iter().filter(|one| one.is_whole()).collect();
    let candidates = match whole.is_empty() {
        false => whole,
        true => combined.iter().filter(|one| one.is_about_one()).collect(),
    };
    let most_said = candidates.iter().map(|one| one.said()).max().unwrap_or(0);
    let mut wishes = Vec::new();
    for one in candidates.iter().filter(|one| one.said() == most_said) {
        for wish in one.wishes() {
            add(&mut wishes, wish);
        }
    }
    match wishes.len() {
        0 => Err(reason(combined)),
        1..=MOST_WISHES if most_said > 0 => Ok(wishes),
        1..=MOST_WISHES => Err(NotUnderstood::Empty),
        _ => Err(NotUnderstood::TooMuch),
    }
}

/// Why no combination is about one person and good amounts.
fn reason(combined: &[Combined]) -> NotUnderstood {
    let people = |one: &Combined| one.names.len().max(one.numbers.len());
    let Some(nearest) = combined.iter().min_by_key(|one| people(one)) else {
        return NotUnderstood::Empty;
    };
    match (nearest.names.get(1), nearest.numbers.get(1), nearest.wrong) {
        (_, _, Some(error)) => NotUnderstood::Amount(error),
        (Some(words), _, None) | (None, Some(words), None) => NotUnderstood::Unclear(words.clone()),
        (None, None, None) => NotUnderstood::Empty,
    }
}

fn each<T: Copy>(said: &[T]) -> Vec<Option<T>> {
    match said {
        [] => vec![None],
        said => said.iter().copied().map(Some).collect(),
    }
}

fn add<T: PartialEq>(list: &mut Vec<T>, one: T) {
    if !list.contains(&one) {
        list.push(one);
    }
}

/// Small letters, half-width forms, no punctuation but what belongs to a number or a name, one
/// space between words; what English writes in two words in one.
fn plain(text: &str) -> String {
    let folded: Vec<char> = text
        .chars()
        .map(half_width)
        .flat_map(char::to_lowercase)
        .map(|character| match character {
            '￥' => '¥',
            '\u{2212}' | '–' | '负' => '-',
            '。' => '.',
            '’' => '\'',
            other => other,
        })
        .collect();
    let mut line = String::new();
    for (place, character) in folded.iter().enumerate() {
        let before = place.checked_sub(1).map(|place| folded[place]);
        let after = folded.get(place + 1).copied();
        line.push(match is_kept(*character, before, after) {
            true => *character,
            false => ' ',
        });
    }
    words::joined(&line)
}

fn is_kept(character: char, before: Option<char>, after: Option<char>) -> bool {
    let is_digit = |character: Option<char>| character.is_some_and(|c| c.is_ascii_digit());
    let is_word = |character: Option<char>| character.is_some_and(char::is_alphanumeric);
    match character {
        ',' | '.' => is_digit(before) && is_digit(after),
        '-' => is_word(after) || after == Some('¥'),
        '+' => is_digit(after),
        '¥' => true,
        '·' | '\'' => is_word(before) && is_word(after),
        other => other.is_alphanumeric(),
    }
}
