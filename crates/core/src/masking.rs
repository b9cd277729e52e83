//! What a screen or a slip shows of personal data by default (docs: domain §3.14).

use crate::surname;

/// `138****5678`. Shorter numbers show their last four digits at most, and never all of them.
pub fn phone(number: &str) -> String {
    match number.chars().count() {
        11.. => format!("{}****{}", first(number, 3), last(number, 4)),
        length => format!("****{}", last(number, 4.min(length / 2))),
    }
}

/// `张*`, `王*明`, `欧阳*`: the surname, and the last character of a given name of two or more.
pub fn name(name: &str) -> String {
    let name = name.trim();
    let (surname, given) = surname::split(name);
    match given.chars().count() {
        0 => "*".to_owned(),
        1 => format!("{surname}*"),
        _ => format!("{surname}*{}", last(given, 1)),
    }
}

/// First three and last four characters of an identity document.
pub fn identity_no(number: &str) -> String {
    match number.chars().count() {
        0..=7 => "*".repeat(number.chars().count()),
        length => format!(
            "{}{}{}",
            first(number, 3),
            "*".repeat(length - 7),
            last(number, 4)
        ),
    }
}

/// Last four digits of a bank card; nothing of a number too short to be one.
pub fn bank_card(number: &str) -> String {
    match number.chars().count() {
        0..=8 => "****".to_owned(),
        _ => format!("****{}", last(number, 4)),
    }
}

/// Last six characters of a customer's identity at a payment channel.
pub fn openid(openid: &str) -> String {
    match openid.chars().count() {
        0..=12 => "****".to_owned(),
        _ => format!("****{}", last(openid, 6)),
    }
}

fn first(text: &str, count: usize) -> &str {
    let end = text
        .char_indices()
        .nth(count)
        .map_or(text.len(), |(index, _)| index);
    &text[..end]
}

fn last(text: &str, count: usize) -> &str {
    let skipped = text.chars().count().saturating_sub(count);
    let start = text
        .char_indices()
        .nth(skipped)
        .map_or(text.len(), |(index, _)| index);
    &text[start..]
}

#[cfg(test)]
mod tests {
    use super::{bank_card, identity_no, name, openid, phone};

    fn check(mask: fn(&str) -> String, cases: &[(&str, &str)]) {
        for (plain, masked) in cases {
            assert_eq!(mask(plain), *masked, "{plain}");
        }
    }

    #[test]
    fn phones() {
        check(
            phone,
            &[
                ("13812345678", "138****5678"),
                ("+8613812345678", "+86****5678"),
                ("88886666", "****6666"),
                ("12345", "****45"),
                ("1", "****"),
                ("", "****"),
            ],
        );
    }

    #[test]
    fn names() {
        check(
            name,
            &[
                ("张伟", "张*"),
                ("王小明", "王*明"),
                ("欧阳锋", "欧阳*"),
                ("欧阳娜娜", "欧阳*娜"),
                ("欧阳", "欧*"),
                ("尉迟敏", "尉迟*"),
                ("龚䶮", "龚*"),
                ("单", "*"),
                ("", "*"),
                (" 单雨 ", "单*"),
                ("阿卜杜热合曼·买买提", "阿*提"),
                ("Ann", "A*n"),
            ],
        );
    }

    #[test]
    fn numbers() {
        check(
            identity_no,
            &[
                ("310101199001011234", "310***********1234"),
                ("1234567", "*******"),
                ("", ""),
            ],
        );
        check(
            bank_card,
            &[("6222021234567890123", "****0123"), ("12345678", "****")],
        );
        check(
            openid,
            &[
                ("oUpF8uMuAJO_M2pxb1Q9zNjWeS6o", "****jWeS6o"),
                ("abcdef", "****"),
            ],
        );
    }
}
