//! Widths in printer columns, and breaking lines.

use unicode_linebreak::linebreaks;
use unicode_width::UnicodeWidthChar;

/// Columns `text` covers at normal size.
///
/// East Asian widths with ambiguous characters wide: GB18030 printers draw everything outside
/// ASCII (`·`, `×`, `→`) over two columns.
pub fn columns_of(text: &str) -> usize {
    text.chars().map(columns_of_char).sum()
}

pub(crate) fn columns_of_char(char: char) -> usize {
    char.width_cjk().unwrap_or(0)
}

/// `text` with nothing in it that could steer a printer or the direction of writing: names come
/// from keyboards and imports.
pub(crate) fn printable(text: &str) -> String {
    text.chars()
        .filter(|char| !is_invisible(*char))
        .map(|char| if char.is_control() { ' ' } else { char })
        .collect()
}

fn is_invisible(char: char) -> bool {
    matches!(
        char,
        '\u{200B}'..='\u{200F}'
            | '\u{202A}'..='\u{202E}'
            | '\u{2060}'..='\u{206F}'
            | '\u{FE00}'..='\u{FE0F}'
            | '\u{FEFF}'
    )
}

/// Breaks `text` into lines of at most `columns`, at the places Unicode allows (no comma starts a
/// line); a word longer than a line is cut. Spaces in front indent the first line; blank text
/// gives no line.
pub(crate) fn wrap(text: &str, columns: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for segment in segments(text) {
        if columns_of(&line) + columns_of(segment.trim_end()) > columns {
            close(&mut line, &mut lines);
        }
        for char in segment.chars() {
            if columns_of(&line) + columns_of_char(char) > columns && char != ' ' {
                close(&mut line, &mut lines);
            }
            line.push(char);
        }
    }
    close(&mut line, &mut lines);
    lines
}

/// True when `text` can be broken into lines of `columns` without cutting a word.
pub(crate) fn fits_unbroken(text: &str, columns: usize) -> bool {
    segments(text).all(|segment| columns_of(segment.trim_end()) <= columns)
}

fn segments(text: &str) -> impl Iterator<Item = &str> {
    let mut start = 0;
    linebreaks(text).map(move |(end, _)| {
        let segment = &text[start..end];
        start = end;
        segment
    })
}

fn close(line: &mut String, lines: &mut Vec<String>) {
    let text = if lines.is_empty() {
        line.trim_end()
    } else {
        line.trim()
    };
    if !text.is_empty() {
        lines.push(text.to_owned());
    }
    line.clear();
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, columns: usize, expected: &[&str]) {
        assert_eq!(
            wrap(text, columns),
            expected,
            "{text:?} in {columns} columns"
        );
    }

    #[test]
    fn breaks_where_a_reader_expects() {
        check("", 8, &[]);
        check("   ", 8, &[]);
        check("青禾健身", 8, &["青禾健身"]);
        check("青禾健身徐汇店", 8, &["青禾健身", "徐汇店"]);
        check("青禾健身,徐汇", 8, &["青禾健", "身,徐汇"]);
        check("青禾健身。徐汇", 8, &["青禾健", "身。徐汇"]);
        check("top up now", 6, &["top up", "now"]);
        check("  青禾健身", 8, &["  青禾健", "身"]);
        check("ABCDEFGHIJ", 4, &["ABCD", "EFGH", "IJ"]);
        check("余额 1,234.50", 10, &["余额", "1,234.50"]);
    }

    #[test]
    fn counts_columns_as_the_printer_draws_them() {
        for (text, columns) in [
            ("abc", 3),
            ("张伟", 4),
            ("a·b", 4),
            ("银卡→金卡", 10),
            ("￥1,200.00", 10),
            ("䶮", 2),
        ] {
            assert_eq!(columns_of(text), columns, "{text}");
        }
    }

    #[test]
    fn commands_hidden_in_names_do_not_reach_the_printer() {
        assert_eq!(printable("张\u{1b}@\n伟\u{202e}"), "张 @ 伟");
    }
}
