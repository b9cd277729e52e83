//! The planted bugs of the document are caught as it says.

use qiantai_sim::caught_by;

/// Lines that the table must have at least.
const BUGS_MIN: usize = 25;

#[test]
fn planted_bugs_are_caught_as_documented() {
    let document = include_str!("../../../docs/simulation.md");
    let lines: Vec<&str> = document
        .lines()
        .filter(|line| line.starts_with("| `"))
        .collect();
    assert!(lines.len() >= BUGS_MIN, "{} lines", lines.len());
    for line in lines {
        let name = line.split('`').nth(1).unwrap();
        let seed = line.trim_end_matches(" |").rsplit(' ').next().unwrap();
        let found = caught_by(name.parse().unwrap(), seed.parse().unwrap()).unwrap();
        assert_eq!(found.as_deref(), Some(line));
    }
}
