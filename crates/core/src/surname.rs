//! Surnames: where a name divides, and how the surname is read.

/// Surnames of two characters, with their reading where it is not that of the characters alone.
const COMPOUND: [(&str, Option<[&str; 2]>); 46] = [
    ("欧阳", None),
    ("上官", None),
    ("司马", None),
    ("司徒", None),
    ("司空", None),
    ("诸葛", None),
    ("夏侯", None),
    ("皇甫", Some(["huang", "fu"])),
    ("尉迟", Some(["yu", "chi"])),
    ("万俟", Some(["mo", "qi"])),
    ("长孙", Some(["zhang", "sun"])),
    ("澹台", Some(["tan", "tai"])),
    ("令狐", Some(["ling", "hu"])),
    ("宇文", None),
    ("独孤", None),
    ("慕容", None),
    ("公孙", None),
    ("公冶", None),
    ("公羊", None),
    ("仲孙", None),
    ("轩辕", None),
    ("钟离", None),
    ("闻人", None),
    ("濮阳", None),
    ("淳于", None),
    ("申屠", None),
    ("太史", None),
    ("太叔", None),
    ("端木", None),
    ("呼延", None),
    ("南宫", None),
    ("西门", None),
    ("东方", None),
    ("东郭", None),
    ("百里", None),
    ("鲜于", Some(["xian", "yu"])),
    ("闾丘", None),
    ("拓跋", Some(["tuo", "ba"])),
    ("完颜", None),
    ("耶律", None),
    ("赫连", None),
    ("贺兰", None),
    ("纳兰", None),
    ("宗政", None),
    ("左丘", None),
    ("谷梁", None),
];

/// Characters that are read otherwise as a surname; the usual reading first.
const READINGS: [(char, &[&str]); 43] = [
    ('单', &["shan"]),
    ('曾', &["zeng"]),
    ('解', &["xie"]),
    ('仇', &["qiu"]),
    ('查', &["zha"]),
    ('朴', &["piao"]),
    ('盖', &["ge", "gai"]),
    ('区', &["ou"]),
    ('乐', &["yue", "le"]),
    ('任', &["ren"]),
    ('华', &["hua"]),
    ('燕', &["yan"]),
    ('覃', &["qin", "tan"]),
    ('宓', &["mi", "fu"]),
    ('种', &["chong"]),
    ('缪', &["miao"]),
    ('翟', &["zhai", "di"]),
    ('冼', &["xian"]),
    ('洗', &["xian"]),
    ('员', &["yun"]),
    ('郇', &["xun", "huan"]),
    ('逄', &["pang"]),
    ('黑', &["he"]),
    ('折', &["she"]),
    ('召', &["shao"]),
    ('繁', &["po"]),
    ('谌', &["chen", "shen"]),
    ('柏', &["bai", "bo"]),
    ('葛', &["ge"]),
    ('那', &["na"]),
    ('秘', &["bi"]),
    ('薄', &["bo"]),
    ('牟', &["mu", "mou"]),
    ('隗', &["wei", "kui"]),
    ('祭', &["zhai"]),
    ('乜', &["nie"]),
    ('么', &["yao"]),
    ('佴', &["nai"]),
    ('郗', &["xi", "chi"]),
    ('都', &["du"]),
    ('句', &["gou"]),
    ('车', &["che"]),
    ('尉', &["wei", "yu"]),
];

/// Surname and given name. A name of one or two characters has a surname of one.
pub fn split(name: &str) -> (&str, &str) {
    let length = name.chars().count();
    let compound = COMPOUND
        .iter()
        .any(|(surname, _)| name.starts_with(surname));
    let characters = if compound && length > 2 { 2 } else { 1 };
    let end = name
        .char_indices()
        .nth(characters)
        .map_or(name.len(), |(index, _)| index);
    name.split_at(end)
}

/// Readings of the character at `index` of `surname`, best first; empty when it is read as
/// anywhere else.
pub(crate) fn readings(surname: &str, index: usize) -> &'static [&'static str] {
    let mut characters = surname.chars();
    if let (Some(only), None) = (characters.next(), characters.next()) {
        let known = READINGS.iter().find(|(character, _)| *character == only);
        return known.map_or(&[], |(_, readings)| readings);
    }
    let compound = COMPOUND.iter().find(|(known, _)| *known == surname);
    match compound {
        Some((_, Some(pair))) if index < 2 => std::slice::from_ref(&pair[index]),
        _ => &[],
    }
}
