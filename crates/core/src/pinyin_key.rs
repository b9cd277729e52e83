//! Keys under which a member is found: phone, name, pinyin and card (docs: domain §5.3).

use pinyin::ToPinyinMulti;

use crate::half_width::half_width;
use crate::surname;

/// At most this many spellings of one name; beyond it only unlikely mixtures are left out.
const MOST_SPELLINGS: usize = 8;

/// Characters that the pinyin table lacks.
const RARE: [(char, &str); 1] = [('䶮', "yan")];

/// One key of a member.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SearchKey {
    /// What it is taken from.
    pub kind: KeyKind,
    /// Folded as by [`fold`]; a query is folded the same way.
    pub text: String,
}

/// What a key is taken from. Numbers are stored and never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum KeyKind {
    /// Whole phone number.
    Phone = 1,
    /// Last four digits of the phone number.
    PhoneLast4 = 2,
    /// The name from one of its characters to the end; the first is the whole name.
    Name = 3,
    /// First letters of the pinyin of the name: `dy`, `sy`.
    Initials = 4,
    /// Pinyin of the name, without tones and spaces: `shanyu`.
    Pinyin = 5,
    /// Number of the member card.
    CardNo = 6,
    /// Number of the member; added by whoever holds it.
    MemberNo = 7,
}

/// Every key of a member, best reading of the name first.
pub fn search_keys(name: &str, phone: &str, card_no: Option<&str>) -> Vec<SearchKey> {
    let mut keys = Keys(Vec::new());
    let phone = fold(phone);
    if phone.len() > 4 && phone.is_ascii() {
        keys.add(KeyKind::PhoneLast4, phone[phone.len() - 4..].to_owned());
    }
    keys.add(KeyKind::Phone, phone);
    let folded = fold(name);
    for (start, _) in folded.char_indices() {
        keys.add(KeyKind::Name, folded[start..].to_owned());
    }
    for spelling in spellings(name) {
        let initials = spelling
            .iter()
            .filter_map(|syllable| syllable.chars().next())
            .collect();
        keys.add(KeyKind::Initials, initials);
        keys.add(KeyKind::Pinyin, spelling.concat());
    }
    keys.add(KeyKind::CardNo, card_no.map(fold).unwrap_or_default());
    keys.0
}

/// How a name sounds, whatever its characters: its pinyin without tones, once per plausible
/// reading, best first. A name in letters sounds as it is written.
pub fn sounds(name: &str) -> Vec<SearchKey> {
    let mut keys = search_keys(&fold(name), "", None);
    keys.retain(|key| key.kind == KeyKind::Pinyin);
    keys
}

/// Text as keys hold it: small letters, no spaces or dots between names, half-width forms.
pub fn fold(text: &str) -> String {
    text.chars()
        .map(half_width)
        .filter(|character| !character.is_whitespace() && !matches!(character, '·' | '•' | '・'))
        .flat_map(char::to_lowercase)
        .collect()
}

/// Keys without repeats, in order of addition.
struct Keys(Vec<SearchKey>);

impl Keys {
    fn add(&mut self, kind: KeyKind, text: String) {
        let key = SearchKey { kind, text };
        if !key.text.is_empty() && !self.0.contains(&key) {
            self.0.push(key);
        }
    }
}

/// The name in syllables, once per plausible reading: the reading of the surname as a surname
/// first, then mixtures of the readings of each character.
fn spellings(name: &str) -> Vec<Vec<String>> {
    let name: String = name.trim().chars().map(half_width).collect();
    let (surname, _) = surname::split(&name);
    let surname_length = surname.chars().count();
    let mut spellings: Vec<Vec<String>> = vec![Vec::new()];
    let mut word = String::new();
    for (index, character) in name.chars().enumerate() {
        if character.is_ascii_alphanumeric() {
            word.extend(character.to_lowercase());
            continue;
        }
        extend(&mut spellings, &[std::mem::take(&mut word)]);
        let as_surname = if index < surname_length {
            surname::readings(surname, index)
        } else {
            &[]
        };
        extend(&mut spellings, &readings(character, as_surname));
    }
    extend(&mut spellings, &[word]);
    spellings.retain(|spelling| !spelling.is_empty());
    spellings
}

/// Adds the next syllable in each of its readings, the likeliest mixtures first.
fn extend(spellings: &mut Vec<Vec<String>>, readings: &[String]) {
    if readings.iter().all(String::is_empty) {
        return;
    }
    let mixtures = readings.iter().flat_map(|reading| {
        spellings.iter().map(move |spelling| {
            let mut longer = spelling.clone();
            longer.push(reading.clone());
            longer
        })
    });
    *spellings = mixtures.take(MOST_SPELLINGS).collect();
}

/// How a character is read, best first. `ü` is typed as `v` and by some as `u`.
fn readings(character: char, as_surname: &[&str]) -> Vec<String> {
    let rare = RARE
        .iter()
        .filter(|(known, _)| *known == character)
        .map(|(_, reading)| *reading);
    let listed = character
        .to_pinyin_multi()
        .into_iter()
        .flatten()
        .map(|reading| reading.plain());
    let mut readings: Vec<String> = Vec::new();
    for reading in as_surname.iter().copied().chain(rare).chain(listed) {
        for spelling in [reading.replace('ü', "v"), reading.replace('ü', "u")] {
            if !readings.contains(&spelling) {
                readings.push(spelling);
            }
        }
    }
    readings
}

#[cfg(test)]
mod tests {
    use super::{KeyKind, fold, search_keys, sounds};

    fn texts(name: &str, kind: KeyKind) -> Vec<String> {
        let keys = search_keys(name, "", None).into_iter();
        keys.filter(|key| key.kind == kind)
            .map(|key| key.text)
            .collect()
    }

    #[test]
    fn surnames_are_read_as_surnames_first() {
        let cases = [
            ("单雨", "shanyu", "sy"),
            ("曾可", "zengke", "zk"),
            ("解放", "xiefang", "xf"),
            ("仇英", "qiuying", "qy"),
            ("尉迟敏", "yuchimin", "ycm"),
            ("尉敏", "weimin", "wm"),
            ("龚䶮", "gongyan", "gy"),
            ("查良镛", "zhaliangyong", "zly"),
            ("朴树", "piaoshu", "ps"),
            ("盖聂", "genie", "gn"),
            ("区志强", "ouzhiqiang", "ozq"),
            ("乐嘉", "yuejia", "yj"),
            ("任贤", "renxian", "rx"),
            ("华佗", "huatuo", "ht"),
            ("燕青", "yanqing", "yq"),
            ("覃辉", "qinhui", "qh"),
            ("万俟雅", "moqiya", "mqy"),
            ("吕布", "lvbu", "lb"),
            ("欧阳锋", "ouyangfeng", "oyf"),
            ("Ann Lee", "annlee", "al"),
        ];
        for (name, pinyin, initials) in cases {
            assert_eq!(
                texts(name, KeyKind::Pinyin).first().map(String::as_str),
                Some(pinyin)
            );
            assert_eq!(
                texts(name, KeyKind::Initials).first().map(String::as_str),
                Some(initials)
            );
        }
    }

    #[test]
    fn other_readings_are_found_too() {
        let cases = [
            ("单雨", "danyu"),
            ("曾可", "cengke"),
            ("解放", "jiefang"),
            ("覃辉", "tanhui"),
            ("吕布", "lubu"),
            ("尉迟敏", "weichimin"),
        ];
        for (name, pinyin) in cases {
            let found = texts(name, KeyKind::Pinyin);
            assert!(found.iter().any(|text| text == pinyin), "{name}: {found:?}");
            assert!(found.len() <= super::MOST_SPELLINGS);
        }
    }

    #[test]
    fn homophones_sound_the_same() {
        let alike =
            |one: &str, other: &str| sounds(one).iter().any(|key| sounds(other).contains(key));
        for (said, meant, are_alike) in [
            ("张玮", "张伟", true),
            ("章 薇", "张伟", true),
            ("单语", "单雨", true),
            ("吕步", "吕布", true),
            ("张韦明", "张伟", false),
            ("张文", "张伟", false),
        ] {
            assert_eq!(alike(said, meant), are_alike, "{said} for {meant}");
        }
        assert_eq!(sounds(""), []);
    }

    #[test]
    fn names_are_found_from_any_character() {
        assert_eq!(texts("尉迟敏", KeyKind::Name), ["尉迟敏", "迟敏", "敏"]);
        assert_eq!(texts("", KeyKind::Name), [""; 0]);
        let long = "阿".repeat(20);
        assert_eq!(texts(&long, KeyKind::Name).len(), 20);
    }

    #[test]
    fn phones_and_cards() {
        let keys = search_keys("张伟", "138 1234 5678", Some("vip-０08"));
        let has = |kind, text: &str| keys.iter().any(|key| key.kind == kind && key.text == text);
        assert!(has(KeyKind::Phone, "13812345678"));
        assert!(has(KeyKind::PhoneLast4, "5678"));
        assert!(has(KeyKind::CardNo, "vip-008"));
        assert_eq!(fold(" ＡＢ·c "), "abc");
    }
}
