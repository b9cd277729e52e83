//! The memory of a program with everything that it started.

use std::collections::BTreeMap;
use std::fs;
use std::io;

/// What each process of a process group takes, by its name, in KiB.
///
/// Counted is the proportional share (PSS): a page that three processes share is a third in each,
/// so that libraries are neither left out nor counted for every process anew.
pub fn of_group(group: u32) -> io::Result<BTreeMap<String, u64>> {
    let mut shares = BTreeMap::new();
    for entry in fs::read_dir("/proc")? {
        let name = entry?.file_name();
        let Some(id) = name.to_str().and_then(|name| name.parse::<u32>().ok()) else {
            continue;
        };
        // A process that ends meanwhile takes nothing.
        let Some(process) = Process::read(id).filter(|process| process.group == group) else {
            continue;
        };
        *shares.entry(process.name).or_default() += process.share_kib;
    }
    Ok(shares)
}

struct Process {
    name: String,
    group: u32,
    share_kib: u64,
}

impl Process {
    fn read(id: u32) -> Option<Process> {
        let stat = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
        let (name, group) = name_and_group(&stat)?;
        let rollup = fs::read_to_string(format!("/proc/{id}/smaps_rollup")).ok()?;
        Some(Process {
            name: name.to_owned(),
            group,
            share_kib: share_kib(&rollup)?,
        })
    }
}

/// `123 (WebKitWebProces) S 1 42 …`: the name may contain anything, the group comes after it.
fn name_and_group(stat: &str) -> Option<(&str, u32)> {
    let (before, after) = stat.rsplit_once(')')?;
    let (_, name) = before.split_once('(')?;
    let group = after.split_whitespace().nth(2)?.parse().ok()?;
    Some((name, group))
}

fn share_kib(rollup: &str) -> Option<u64> {
    let line = rollup.lines().find_map(|line| line.strip_prefix("Pss:"))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_system_says_who_takes_how_much() {
        let stat = "812 (a) (b) S 1 640 640 0 -1 4194560";
        assert_eq!(name_and_group(stat), Some(("a) (b", 640)));
        let rollup = "55d0-7ffc ---p 00000000 00:00 0 [rollup]\nRss:  9000 kB\nPss:  4321 kB\nPss_Dirty: 1 kB\n";
        assert_eq!(share_kib(rollup), Some(4_321));
    }
}
