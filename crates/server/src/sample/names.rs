//! Names of invented members. Surnames by how common they are, given names from common
//! characters; the hard ones of real shops come first.

use rand::{Rng, RngExt};

/// Names that break naive software: surnames with their own reading, rare characters, compound
/// surnames, a name of twenty characters, names that are words.
pub(super) const HARD: &[&str] = &[
    "单雨",
    "曾可",
    "解放",
    "尉迟敏",
    "龚䶮",
    "欧阳娜",
    "仇岚",
    "查晴",
    "朴敏",
    "盖聂",
    "区小红",
    "乐山",
    "任远",
    "华蕾",
    "燕子",
    "覃海",
    "令狐雪",
    "诸葛青",
    "司马晴",
    "上官婉儿",
    "长孙无",
    "万俟兰",
    "缪斯",
    "翟天",
    "佘婷",
    "冼宁",
    "冯䶮",
    "李㛃",
    "陈𬭎",
    "买买提艾力·阿卜杜热合曼·吐尔逊江·依明",
    "林",
    "Anna Müller",
];

/// Namesakes: the same name several times, to be told apart by phone and birth month.
pub(super) const NAMESAKES: &[&str] = &["张伟", "张伟", "王芳", "王芳", "王芳", "李娜", "李娜"];

const SURNAMES: &[(&str, u32)] = &[
    ("王", 72),
    ("李", 72),
    ("张", 68),
    ("刘", 54),
    ("陈", 46),
    ("杨", 31),
    ("赵", 23),
    ("黄", 23),
    ("周", 21),
    ("吴", 21),
    ("徐", 17),
    ("孙", 15),
    ("胡", 13),
    ("朱", 13),
    ("高", 12),
    ("林", 12),
    ("何", 11),
    ("郭", 11),
    ("马", 11),
    ("罗", 9),
    ("梁", 8),
    ("宋", 8),
    ("郑", 8),
    ("谢", 7),
    ("韩", 7),
    ("唐", 7),
    ("冯", 6),
    ("于", 6),
    ("董", 6),
    ("萧", 6),
    ("程", 5),
    ("曹", 5),
    ("袁", 5),
    ("邓", 5),
    ("许", 5),
    ("傅", 5),
    ("沈", 5),
    ("曾", 5),
    ("彭", 5),
    ("吕", 5),
    ("苏", 4),
    ("卢", 4),
    ("蒋", 4),
    ("蔡", 4),
    ("贾", 4),
    ("丁", 4),
    ("魏", 4),
    ("薛", 4),
    ("叶", 4),
    ("阎", 4),
    ("余", 3),
    ("潘", 3),
    ("杜", 3),
    ("戴", 3),
    ("夏", 3),
    ("钟", 3),
    ("汪", 3),
    ("田", 3),
    ("任", 3),
    ("姜", 3),
    ("范", 3),
    ("方", 3),
    ("石", 3),
    ("姚", 3),
    ("谭", 3),
    ("廖", 3),
    ("邹", 3),
    ("熊", 2),
    ("金", 2),
    ("陆", 2),
    ("郝", 2),
    ("孔", 2),
    ("白", 2),
    ("崔", 2),
    ("康", 2),
    ("毛", 2),
    ("邱", 2),
    ("秦", 2),
    ("江", 2),
    ("史", 2),
    ("顾", 2),
    ("侯", 2),
    ("邵", 2),
    ("孟", 2),
    ("龙", 2),
    ("万", 2),
    ("段", 2),
    ("欧阳", 1),
    ("单", 1),
    ("解", 1),
    ("司徒", 1),
    ("上官", 1),
];

const GIVEN: &str = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂文辉玲华红建国春梅志玉兰海燕\
    晨曦雨欣怡子涵梓轩浩然思颖嘉俊宇航佳琪诗瑶雪婷博瑞鑫鹏凯琳雯倩莹璐洁晓峰波斌宁浩宏伦翔\
    悦彤阳萱妍可馨若云清舒禾乐安知行远景之言书谦恒墨川岚朗";

/// The name of the member at `index`.
pub(super) fn name(index: usize, rng: &mut impl Rng) -> String {
    if let Some(&name) = HARD.get(index) {
        return name.to_owned();
    }
    if let Some(&name) = NAMESAKES.get(index - HARD.len()) {
        return name.to_owned();
    }
    let mut name = surname(rng).to_owned();
    let given: Vec<char> = GIVEN
        .chars()
        .filter(|letter| !letter.is_whitespace())
        .collect();
    let length = if rng.random_range(0..100) < 18 { 1 } else { 2 };
    for _ in 0..length {
        name.push(given[rng.random_range(0..given.len())]);
    }
    name
}

fn surname(rng: &mut impl Rng) -> &'static str {
    let total: u32 = SURNAMES.iter().map(|(_, weight)| weight).sum();
    let mut at = rng.random_range(0..total);
    for (surname, weight) in SURNAMES {
        if at < *weight {
            return surname;
        }
        at -= weight;
    }
    SURNAMES[0].0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_name_has_twenty_characters() {
        let longest = HARD.iter().map(|name| name.chars().count()).max();
        assert_eq!(longest, Some(20));
    }
}
