//! Other programs, run with a sign of life while they work and their whole output kept.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, Instant};

use crate::error::Error;
use crate::{say, tree};

/// How often a long step says that it is still at work.
const SIGN_OF_LIFE: Duration = Duration::from_secs(10);
/// How much of a failed step's output is shown.
const SHOWN_LINES_MAX: usize = 400;
/// How long the last lines of a program that has ended may take. Its output stays open for as long
/// as anything that it started and left behind.
const LAST_LINES_WITHIN: Duration = Duration::from_secs(2);

/// Runs `command` as the step called `step` and gives back its output, line by line.
///
/// The output goes to `target/xtask/<step>.log`. Every few seconds a line tells the elapsed time and
/// what the program said last; its last lines are shown if it fails.
///
/// # Errors
/// Where the program cannot be started, or ends badly.
pub fn run(step: &str, command: &mut Command) -> Result<Vec<String>, Error> {
    let ended = run_to_its_end(step, command)?;
    if ended.status.success() {
        return Ok(ended.output);
    }
    show_end(&ended.output);
    Err(ended.failed(step))
}

/// A program that has ended.
pub struct Ended {
    pub status: ExitStatus,
    /// What it printed, line by line.
    pub output: Vec<String>,
    log: PathBuf,
}

impl Ended {
    /// The error for an end that was a bad one.
    pub fn failed(self, step: &str) -> Error {
        Error::Failed {
            step: step.to_owned(),
            status: self.status.to_string(),
            log: self.log,
        }
    }
}

/// The same as [`run`], for a program whose bad end is not the last word.
///
/// # Errors
/// Where the program cannot be started.
pub fn run_to_its_end(step: &str, command: &mut Command) -> Result<Ended, Error> {
    let log = log_path(step)?;
    let mut file = File::create(&log).map_err(|source| Error::file(&log, source))?;
    let began = Instant::now();
    let program = command.get_program().to_string_lossy().into_owned();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|source| Error::Start { program, source })?;

    let (sender, lines) = mpsc::channel();
    forward(
        child.stdout.take().expect("standard output is piped"),
        sender.clone(),
    );
    forward(
        child.stderr.take().expect("standard error is piped"),
        sender,
    );

    let mut output = Vec::new();
    let mut next_sign = began + SIGN_OF_LIFE;
    loop {
        match lines.recv_timeout(LAST_LINES_WITHIN) {
            Ok(line) => {
                writeln!(file, "{line}").map_err(|source| Error::file(&log, source))?;
                output.push(line);
            }
            Err(RecvTimeoutError::Timeout) if has_ended(&mut child) => break,
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => break,
        }
        if Instant::now() >= next_sign {
            next_sign = Instant::now() + SIGN_OF_LIFE;
            say::line(format_args!(
                "  {:>12}  {}",
                say::span(began.elapsed()),
                last(&output)
            ));
        }
    }
    let status = child.wait().map_err(|source| Error::file(&log, source))?;
    Ok(Ended {
        status,
        output,
        log,
    })
}

fn has_ended(child: &mut Child) -> bool {
    matches!(child.try_wait(), Ok(Some(_)))
}

/// A `cargo` command in the work tree.
pub fn cargo(arguments: &[&str]) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(arguments).current_dir(tree::root());
    command
}

/// An `npm` command in `ui/`.
pub fn npm(arguments: &[&str]) -> Command {
    let mut command = Command::new(if cfg!(windows) { "npm.cmd" } else { "npm" });
    command
        .args(arguments)
        .current_dir(tree::root().join("ui"))
        // What it prints is read here; a continuous integration machine would colour it.
        .env("NO_COLOR", "1");
    command
}

fn log_path(step: &str) -> Result<PathBuf, Error> {
    let folder = tree::root().join("target/xtask");
    std::fs::create_dir_all(&folder).map_err(|source| Error::file(&folder, source))?;
    Ok(folder.join(format!("{}.log", step.replace([' ', '/'], "-"))))
}

fn forward(stream: impl Read + Send + 'static, sender: Sender<String>) {
    thread::spawn(move || {
        for line in BufReader::new(stream).split(b'\n').map_while(Result::ok) {
            let line = String::from_utf8_lossy(&line).trim_end().to_owned();
            if sender.send(line).is_err() {
                return;
            }
        }
    });
}

fn last(output: &[String]) -> String {
    let line = output.iter().rev().find(|line| !line.trim().is_empty());
    line.map_or_else(String::new, |line| line.trim().chars().take(90).collect())
}

/// Shows the last lines of an output.
pub fn show_end(output: &[String]) {
    let mut end: VecDeque<&String> = output.iter().rev().take(SHOWN_LINES_MAX).collect();
    end.make_contiguous().reverse();
    for line in end {
        say::line(line);
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn a_step_does_not_wait_for_what_its_program_left_behind() {
        let mut shell = Command::new("sh");
        let output = run("left behind", shell.args(["-c", "sleep 600 & echo $!"]));
        let left = output.expect("the shell ends well");
        let kill = Command::new("kill").args(&left).status();
        assert!(
            kill.expect("it can be asked").success(),
            "{left:?} has ended"
        );
    }
}
