//! Numbers that others give: a terminal its orders, a shop its members, a gateway its payments.

/// Most characters of such a number: gateways give none that is longer.
pub const NUMBER_CHARS_MAX: usize = 64;

/// Whether `text` can be kept and printed as a number. Longer ones fit no index of a database, and
/// control characters are commands to printers; PostgreSQL keeps no text with a NUL.
pub fn is_number_text(text: &str) -> bool {
    text.chars().count() <= NUMBER_CHARS_MAX && !text.chars().any(char::is_control)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_be_kept_as_a_number() {
        let check = |text: &str, expected| assert_eq!(is_number_text(text), expected, "{text:?}");
        check("", true);
        check("CZ202611211403124800020103K7QX", true);
        check("会员 001/a-B_c", true);
        check(&"号".repeat(NUMBER_CHARS_MAX), true);
        check(&"1".repeat(NUMBER_CHARS_MAX + 1), false);
        check("1\0", false);
        check("\n1", false);
        check("1\u{7f}", false);
        check("1\u{9b}2", false);
    }
}
