//! Programs of a test, ended with everything that they started.

use std::process::{Child, Command};

use crate::fault::Fault;

/// A program in a process group of its own; the whole group ends when this is dropped.
#[derive(Debug)]
pub struct Group {
    child: Child,
}

impl Group {
    /// Starts `command`.
    pub fn start(command: &mut Command) -> Result<Group, Fault> {
        let program = command.get_program().to_string_lossy().into_owned();
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(command, 0);
        let child = command
            .spawn()
            .map_err(|source| Fault::Start { program, source })?;
        Ok(Group { child })
    }

    /// The program that was started.
    pub fn child(&mut self) -> &mut Child {
        &mut self.child
    }

    /// Its process number.
    pub fn id(&self) -> u32 {
        self.child.id()
    }
}

/// What a program says that ends by itself.
pub fn said_by(command: &mut Command) -> Result<Vec<u8>, Fault> {
    let program = command.get_program().to_string_lossy().into_owned();
    match command.output() {
        Ok(output) if output.status.success() => Ok(output.stdout),
        Ok(output) => Err(Fault::NotReady {
            program,
            why: String::from_utf8_lossy(&output.stderr).into_owned(),
        }),
        Err(source) => Err(Fault::Start { program, source }),
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        kill_group(&mut self.child);
        // Reaped, so that nothing of it is left; a program that was never ours to reap is gone.
        let _gone = self.child.wait();
    }
}

#[cfg(unix)]
fn kill_group(child: &mut Child) {
    use rustix::process::{Pid, Signal, kill_process_group};
    let _gone = kill_process_group(Pid::from_child(child), Signal::KILL);
}

#[cfg(not(unix))]
fn kill_group(child: &mut Child) {
    let _gone = child.kill();
}

/// The processes started by `parent` whose program is `binary`.
#[cfg(target_os = "linux")]
pub fn children(parent: u32, binary: &std::path::Path) -> Vec<u32> {
    let Ok(binary) = binary.canonicalize() else {
        return Vec::new();
    };
    let Ok(processes) = std::fs::read_dir("/proc") else {
        return Vec::new();
    };
    processes
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok())
        .filter(|id| parent_of(*id) == Some(parent))
        .filter(|id| std::fs::read_link(format!("/proc/{id}/exe")).is_ok_and(|exe| exe == binary))
        .collect()
}

/// Whether all of a process is gone, with the files that it held. One that nobody has reaped yet is
/// gone once the last of its threads is.
#[cfg(target_os = "linux")]
pub fn is_gone(id: u32) -> bool {
    let Ok(threads) = std::fs::read_dir(format!("/proc/{id}/task")) else {
        return true;
    };
    let state = state_of(id);
    threads.count() <= 1 && state.is_none_or(|state| state == 'Z' || state == 'X')
}

#[cfg(target_os = "linux")]
fn state_of(id: u32) -> Option<char> {
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).ok()?;
    let state = status
        .lines()
        .find_map(|line| line.strip_prefix("State:"))?;
    state.trim().chars().next()
}

#[cfg(target_os = "linux")]
fn parent_of(id: u32) -> Option<u32> {
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).ok()?;
    status
        .lines()
        .find_map(|line| line.strip_prefix("PPid:"))?
        .trim()
        .parse()
        .ok()
}

/// Ends a process at once, as a power cut would.
#[cfg(unix)]
pub fn kill(id: u32) -> Result<(), Fault> {
    use rustix::process::{Pid, Signal, kill_process};
    let pid = i32::try_from(id).ok().and_then(Pid::from_raw);
    let pid = pid.ok_or_else(|| Fault::Unexpected(format!("{id} is no process number")))?;
    kill_process(pid, Signal::KILL)
        .map_err(|error| Fault::Unexpected(format!("cannot kill process {id}: {error}")))
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_gone_when_it_has_ended_reaped_or_not() {
        let mut sleep = Command::new("sleep");
        let mut group = Group::start(sleep.arg("600")).expect("sleep is everywhere");
        let id = group.id();
        assert!(!is_gone(id));
        kill(id).expect("it is ours");
        while !is_gone(id) {
            std::thread::yield_now();
        }
        assert_eq!(state_of(id), Some('Z'), "nobody has reaped it yet");
        group.child().wait().expect("it is ours to reap");
        assert!(is_gone(id));
    }
}
