//! What the commands print: plain lines, so that a log reads like the screen.
#![expect(
    clippy::print_stdout,
    reason = "a command-line tool answers on standard output"
)]

use std::fmt::Display;
use std::time::Duration;

/// A line of result or progress.
pub fn line(text: impl Display) {
    println!("{text}");
}

/// Why the command stopped.
pub fn wrong(error: impl Display) {
    println!("error: {error}");
}

/// A span of time as people say it: `0.4 s`, `12 s`, `3 min 05 s`.
pub fn span(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0..10 => format!("{seconds}.{} s", time.subsec_millis() / 100),
        10..60 => format!("{seconds} s"),
        _ => format!("{} min {:02} s", seconds / 60, seconds % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_read_naturally() {
        for (millis, expected) in [
            (40, "0.0 s"),
            (9_960, "9.9 s"),
            (12_300, "12 s"),
            (185_000, "3 min 05 s"),
        ] {
            assert_eq!(span(Duration::from_millis(millis)), expected);
        }
    }
}
