//! Words with a meaning of their own, and the line cut at them.

use crate::attempt::Channel;
use crate::top_up_command::NotUnderstood;
use crate::top_up_command::part::is_numeral;

/// What a word means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// 充: the amount follows.
    TopUp,
    /// A way to pay.
    Channel(Channel),
    /// 尾号: a number of the member follows.
    Number,
    /// 送: what follows is a bonus.
    Bonus,
    /// 不用: not what follows.
    Not,
    /// 退: something else than a top-up.
    Other,
    /// 给: a person follows.
    ToWhom,
    /// Says nothing.
    Filler,
}

/// A stretch of the line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    /// A word of the tables.
    Word(Meaning),
    /// A short word of the tables that may as well be somebody's initials.
    Short(Meaning, String),
    /// Names and numbers.
    Text(String),
}

/// When a word of Chinese counts.
#[derive(Clone, Copy)]
enum When {
    Always,
    /// Before a number; elsewhere it may be part of a name (令狐冲).
    BeforeNumber,
    /// Where a stretch begins; elsewhere it may be part of a name.
    First,
    /// Right after a way to pay: 付 is a surname as well.
    AfterChannel,
}

use Channel::{Alipay, Card, Cash, Ecny, ShopCode, Transfer, Unionpay, Wechat};
use Meaning::{Bonus, Filler, Not, Number, Other, ToWhom, TopUp};
use When::{AfterChannel, Always, BeforeNumber, First};

const CHINESE: &[(&str, Meaning, When)] = &[
    ("充值卡", Filler, Always),
    ("充值", TopUp, Always),
    ("冲值", TopUp, Always),
    ("储值卡", Filler, Always),
    ("储值", TopUp, Always),
    ("续充", TopUp, Always),
    ("再充", TopUp, Always),
    ("充了", TopUp, Always),
    ("充个", TopUp, Always),
    ("充上", TopUp, Always),
    ("充入", TopUp, Always),
    ("充进", TopUp, Always),
    ("充", TopUp, Always),
    ("存入", TopUp, Always),
    ("存", TopUp, BeforeNumber),
    ("冲", TopUp, BeforeNumber),
    ("加", TopUp, BeforeNumber),
    ("微信支付", Meaning::Channel(Wechat), Always),
    ("微信钱包", Meaning::Channel(Wechat), Always),
    ("微信", Meaning::Channel(Wechat), Always),
    ("支付宝", Meaning::Channel(Alipay), Always),
    ("银联云闪付", Meaning::Channel(Unionpay), Always),
    ("云闪付", Meaning::Channel(Unionpay), Always),
    ("银联", Meaning::Channel(Unionpay), Always),
    ("数字人民币", Meaning::Channel(Ecny), Always),
    ("数字货币", Meaning::Channel(Ecny), Always),
    ("数币", Meaning::Channel(Ecny), Always),
    ("现金", Meaning::Channel(Cash), Always),
    ("现钱", Meaning::Channel(Cash), Always),
    ("现款", Meaning::Channel(Cash), Always),
    ("银行卡", Meaning::Channel(Card), Always),
    ("信用卡", Meaning::Channel(Card), Always),
    ("储蓄卡", Meaning::Channel(Card), Always),
    ("刷卡", Meaning::Channel(Card), Always),
    ("对公转账", Meaning::Channel(Transfer), Always),
    ("银行转账", Meaning::Channel(Transfer), Always),
    ("对公", Meaning::Channel(Transfer), Always),
    ("转账", Meaning::Channel(Transfer), Always),
    ("汇款", Meaning::Channel(Transfer), Always),
    ("店码", Meaning::Channel(ShopCode), Always),
    ("手机尾号是", Number, Always),
    ("手机尾号", Number, Always),
    ("电话尾号", Number, Always),
    ("尾号是", Number, Always),
    ("尾号为", Number, Always),
    ("尾号", Number, Always),
    ("后四位", Number, Always),
    ("手机号", Number, Always),
    ("手机", Number, Always),
    ("电话", Number, Always),
    ("卡号", Number, Always),
    ("赠送", Bonus, BeforeNumber),
    ("送", Bonus, BeforeNumber),
    ("赠", Bonus, BeforeNumber),
    ("不使用", Not, Always),
    ("不用", Not, Always),
    ("不要", Not, Always),
    ("不是", Not, Always),
    ("别用", Not, Always),
    ("不走", Not, Always),
    ("别", Not, First),
    ("不", Not, First),
    ("退", Other, Always),
    ("扣", Other, Always),
    ("消费", Other, Always),
    ("核销", Other, Always),
    ("提现", Other, Always),
    ("取现", Other, Always),
    ("取消", Other, Always),
    ("作废", Other, Always),
    ("撤销", Other, Always),
    ("冲正", Other, Always),
    ("转给", Other, Always),
    ("帮我", Filler, Always),
    ("帮忙", Filler, Always),
    ("我要", Filler, Always),
    ("我想", Filler, Always),
    ("麻烦", Filler, Always),
    ("谢谢", Filler, Always),
    ("一下", Filler, Always),
    ("请", Filler, Always),
    ("给", ToWhom, Always),
    ("帮", ToWhom, Always),
    ("替", ToWhom, Always),
    ("为", ToWhom, First),
    ("会员卡", Filler, Always),
    ("会员", Filler, Always),
    ("先生", Filler, Always),
    ("女士", Filler, Always),
    ("小姐", Filler, Always),
    ("账户", Filler, Always),
    ("账号", Filler, Always),
    ("人民币", Filler, Always),
    ("付款方式", Filler, Always),
    ("金额", Filler, Always),
    ("付款", Filler, Always),
    ("支付", Filler, Always),
    ("收款", Filler, Always),
    ("扫码", Filler, Always),
    ("付", Filler, AfterChannel),
    ("收", Filler, AfterChannel),
    ("的", Filler, Always),
    ("不对", Filler, Always),
    ("卡", Filler, First),
    ("嗯", Filler, Always),
    ("呃", Filler, Always),
    ("吧", Filler, Always),
    ("啊", Filler, Always),
];

/// Words that only lead to the next one; dropped from the end of the stretch before it.
const LEADS_TO_CHANNEL: &[&str] = &["使用", "通过", "用", "走", "拿", "以", "付"];
const LEADS_TO_TOP_UP: &[&str] = &["想要", "要", "想", "再", "先", "卡里", "卡上"];

const LATIN: &[(&str, Meaning)] = &[
    ("topup", TopUp),
    ("recharge", TopUp),
    ("charge", TopUp),
    ("load", TopUp),
    ("deposit", TopUp),
    ("add", TopUp),
    ("chongzhi", TopUp),
    ("wechat", Meaning::Channel(Wechat)),
    ("wechatpay", Meaning::Channel(Wechat)),
    ("alipay", Meaning::Channel(Alipay)),
    ("zhifubao", Meaning::Channel(Alipay)),
    ("unionpay", Meaning::Channel(Unionpay)),
    ("yunshanfu", Meaning::Channel(Unionpay)),
    ("quickpass", Meaning::Channel(Unionpay)),
    ("ecny", Meaning::Channel(Ecny)),
    ("cash", Meaning::Channel(Cash)),
    ("xianjin", Meaning::Channel(Cash)),
    ("card", Meaning::Channel(Card)),
    ("transfer", Meaning::Channel(Transfer)),
    ("ending", Number),
    ("phone", Number),
    ("bonus", Bonus),
    ("plus", Bonus),
    ("not", Not),
    ("don't", Not),
    ("dont", Not),
    ("without", Not),
    ("refund", Other),
    ("void", Other),
    ("cancel", Other),
    ("spend", Other),
    ("deduct", Other),
    ("withdraw", Other),
    ("for", ToWhom),
    ("to", ToWhom),
    ("with", Filler),
    ("via", Filler),
    ("using", Filler),
    ("please", Filler),
    ("member", Filler),
    ("account", Filler),
    ("pay", Filler),
    ("in", Filler),
    ("of", Filler),
    ("the", Filler),
    ("and", Filler),
    ("rmb", Filler),
    ("cny", Filler),
];

/// Abbreviations of methods are initials as well: wx is 微信 and 王雪.
const SHORT: &[(&str, Meaning)] = &[
    ("wx", Meaning::Channel(Wechat)),
    ("weixin", Meaning::Channel(Wechat)),
    ("zfb", Meaning::Channel(Alipay)),
    ("ysf", Meaning::Channel(Unionpay)),
    ("xj", Meaning::Channel(Cash)),
    ("sk", Meaning::Channel(Card)),
    ("cz", TopUp),
    ("by", Filler),
    ("mr", Filler),
    ("mrs", Filler),
    ("ms", Filler),
];

/// What English writes in two words.
const PAIRS: &[(&str, &str, &str)] = &[
    ("top", "up", "topup"),
    ("wechat", "pay", "wechat"),
    ("weixin", "pay", "wechat"),
    ("ali", "pay", "alipay"),
    ("union", "pay", "unionpay"),
    ("digital", "yuan", "ecny"),
    ("digital", "rmb", "ecny"),
    ("e", "cny", "ecny"),
    ("bank", "card", "card"),
    ("credit", "card", "card"),
    ("bank", "transfer", "transfer"),
    ("ending", "in", "ending"),
];

const ENGLISH_NUMBERS: &[(&str, u32)] = &[
    ("one", 1),
    ("two", 2),
    ("three", 3),
    ("four", 4),
    ("five", 5),
    ("six", 6),
    ("seven", 7),
    ("eight", 8),
    ("nine", 9),
    ("ten", 10),
    ("eleven", 11),
    ("twelve", 12),
    ("thirteen", 13),
    ("fourteen", 14),
    ("fifteen", 15),
    ("sixteen", 16),
    ("seventeen", 17),
    ("eighteen", 18),
    ("nineteen", 19),
    ("twenty", 20),
    ("thirty", 30),
    ("forty", 40),
    ("fifty", 50),
    ("sixty", 60),
    ("seventy", 70),
    ("eighty", 80),
    ("ninety", 90),
];

/// The line with one space between words, pairs as one word, English numbers in digits, and a
/// phone number spaced 3-4-4 in one.
pub(super) fn joined(line: &str) -> String {
    let line = line.replace("top-up", "topup").replace("e-cny", "ecny");
    let words: Vec<&str> = line
        .split_whitespace()
        .map(|word| word.strip_suffix("'s").unwrap_or(word))
        .collect();
    let mut rest = words.as_slice();
    let mut out: Vec<String> = Vec::new();
    while let [first, tail @ ..] = rest {
        let pair = PAIRS
            .iter()
            .find(|(one, two, _)| one == first && tail.first() == Some(two));
        if let Some((_, _, word)) = pair {
            out.push((*word).to_owned());
            rest = &tail[1..];
        } else if let Some((yuan, length)) = english_number(rest) {
            // With its unit, so that it is no phone tail.
            out.push(format!("{yuan}元"));
            rest = &rest[length..];
        } else if *first == "+86" {
            rest = tail;
        } else if is_spaced_phone(rest) {
            out.push(rest[..3].concat());
            rest = &rest[3..];
        } else if matches!(*first, "yuan" | "kuai") && out.last().is_some_and(|it| is_digits(it)) {
            if let Some(number) = out.last_mut() {
                number.push('元');
            }
            rest = tail;
        } else {
            out.push((*first).to_owned());
            rest = tail;
        }
    }
    out.join(" ")
}

/// `two hundred and fifty`, `a thousand`, `twelve hundred`: its value and how many words it takes.
fn english_number(words: &[&str]) -> Option<(u32, usize)> {
    let (mut done, mut group, mut taken) = (0_u32, 0_u32, 0);
    for (place, word) in words.iter().enumerate() {
        let next = words.get(place + 1).copied().unwrap_or_default();
        match *word {
            "a" if place == 0 && matches!(next, "hundred" | "thousand") => group = 1,
            "hundred" if (1..100).contains(&group) => group *= 100,
            "thousand" if (1..1_000).contains(&group) && done == 0 => {
                (done, group) = (group * 1_000, 0);
            }
            "and" if place > 0 && english_digit(next).is_some() => continue,
            word => match english_digit(word) {
                // Twenty five, but not five twenty.
                Some(value) if has_room(group, value) => group += value,
                _ => break,
            },
        }
        taken = place + 1;
    }
    (taken > 0).then_some((done + group, taken))
}

fn english_digit(word: &str) -> Option<u32> {
    let known = ENGLISH_NUMBERS.iter().find(|(known, _)| *known == word);
    known.map(|(_, value)| *value)
}

fn has_room(group: u32, value: u32) -> bool {
    match value {
        1..10 => group.is_multiple_of(10) && group % 100 != 10,
        _ => group.is_multiple_of(100),
    }
}

fn is_digits(text: &str) -> bool {
    text.bytes()
        .all(|byte| byte.is_ascii_digit() || byte == b'.' || byte == b',')
}

fn is_spaced_phone(words: &[&str]) -> bool {
    let [one, two, three, ..] = words else {
        return false;
    };
    let is = |word: &str, length| word.len() == length && word.bytes().all(|b| b.is_ascii_digit());
    is(one, 3) && one.starts_with('1') && is(two, 4) && is(three, 4)
}

/// The line cut at its words.
pub(super) fn pieces(line: &str) -> Result<Vec<Piece>, NotUnderstood> {
    let mut cut = Cut::default();
    for chunk in line.split(' ') {
        cut.chunk(chunk);
        cut.flush();
    }
    let mut pieces = cut.pieces.into_iter().peekable();
    let mut kept = Vec::new();
    while let Some(piece) = pieces.next() {
        match piece {
            Piece::Word(Other) => return Err(NotUnderstood::OtherAction),
            Piece::Word(Not) => match pieces.next() {
                Some(Piece::Word(Meaning::Channel(_)) | Piece::Short(Meaning::Channel(_), _)) => {}
                _ => return Err(NotUnderstood::OtherAction),
            },
            piece => kept.push(piece),
        }
    }
    Ok(kept)
}

#[derive(Default)]
struct Cut {
    pieces: Vec<Piece>,
    text: String,
}

impl Cut {
    fn chunk(&mut self, chunk: &str) {
        let mut rest = chunk;
        while let Some(first) = rest.chars().next() {
            let length = match is_latin(first) {
                true => self.latin(rest),
                false => self.chinese(rest, first),
            };
            rest = &rest[length..];
        }
    }

    /// Takes the Latin word that `rest` begins with.
    fn latin(&mut self, rest: &str) -> usize {
        let length = rest.find(|c| !is_latin(c)).unwrap_or(rest.len());
        let word = &rest[..length];
        // A word glued to digits and dashes is part of a card number.
        let is_whole = !self.text.ends_with('-') && !rest[length..].starts_with('-');
        let find = |table: &'static [(&'static str, Meaning)]| {
            table.iter().find(|(known, _)| *known == word && is_whole)
        };
        if let Some((_, meaning)) = find(LATIN) {
            self.word(*meaning);
        } else if let Some((_, meaning)) = find(SHORT) {
            self.flush();
            self.pieces.push(Piece::Short(*meaning, word.to_owned()));
        } else {
            self.text.push_str(word);
        }
        length
    }

    /// Takes the longest Chinese word that `rest` begins with, else one character.
    fn chinese(&mut self, rest: &str, first: char) -> usize {
        let fitting = CHINESE
            .iter()
            .filter(|(word, _, when)| rest.starts_with(word) && self.counts(*when, word, rest));
        match fitting.max_by_key(|(word, _, _)| word.len()) {
            Some((word, meaning, _)) => {
                self.word(*meaning);
                word.len()
            }
            None => {
                self.text.push(first);
                first.len_utf8()
            }
        }
    }

    fn counts(&self, when: When, word: &str, rest: &str) -> bool {
        let is_first = self.text.is_empty();
        match when {
            Always => true,
            First => is_first,
            BeforeNumber => rest[word.len()..].chars().next().is_some_and(is_numeral),
            AfterChannel => {
                is_first && matches!(self.pieces.last(), Some(Piece::Word(Meaning::Channel(_))))
            }
        }
    }

    fn word(&mut self, meaning: Meaning) {
        let leading = match meaning {
            Meaning::Channel(_) => LEADS_TO_CHANNEL,
            TopUp => LEADS_TO_TOP_UP,
            _ => &[],
        };
        if let Some(lead) = leading.iter().find(|lead| self.text.ends_with(**lead)) {
            self.text.truncate(self.text.len() - lead.len());
        }
        self.flush();
        self.pieces.push(Piece::Word(meaning));
    }

    fn flush(&mut self) {
        if !self.text.is_empty() {
            self.pieces
                .push(Piece::Text(std::mem::take(&mut self.text)));
        }
    }
}

/// Letters that are written in words; Chinese is not.
fn is_latin(character: char) -> bool {
    character.is_alphabetic() && u32::from(character) < 0x250 || character == '\''
}
