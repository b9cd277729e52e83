//! CUPS through its own programs, without a shell in between.

use std::collections::HashSet;
use std::io;
use std::path::PathBuf;
use std::process::{Output, Stdio};

use tokio::io::AsyncWriteExt;
use tokio::process::{Child, Command};
use tokio::time::timeout;

use super::{ANSWER_MAX, Queue};
use crate::printing::printer::PrinterTrouble;
use crate::view::printer::SpoolerForm;

/// The programs that speak with the spooler.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cups {
    /// Takes documents.
    pub lp: PathBuf,
    /// Tells queues.
    pub lpstat: PathBuf,
}

impl Cups {
    /// The system's own programs, wherever its search path has them.
    pub fn of_system() -> Cups {
        Cups {
            lp: PathBuf::from("lp"),
            lpstat: PathBuf::from("lpstat"),
        }
    }

    /// The queues, by name.
    ///
    /// # Errors
    /// [`PrinterTrouble::SpoolerMissing`] or [`PrinterTrouble::SpoolerSilent`].
    pub async fn queues(&self) -> Result<Vec<Queue>, PrinterTrouble> {
        let names = self.tell("-e").await?;
        let paused = self.tell("-p").await?;
        let paused: HashSet<&str> = paused.lines().filter_map(paused_queue).collect();
        let mut queues: Vec<Queue> = names
            .lines()
            .map(str::trim)
            .filter(|name| !name.is_empty())
            .map(|name| Queue {
                name: name.to_owned(),
                paused: paused.contains(name),
            })
            .collect();
        queues.sort_by(|one, other| one.name.cmp(&other.name));
        queues.dedup();
        Ok(queues)
    }

    /// Hands a document to `queue`. What becomes of it there is the spooler's.
    ///
    /// # Errors
    /// [`PrinterTrouble::SpoolerMissing`], [`PrinterTrouble::SpoolerSilent`] or
    /// [`PrinterTrouble::SpoolerRefused`] when nothing was taken,
    /// [`PrinterTrouble::Interrupted`] when that is not known.
    pub async fn print(
        &self,
        queue: &str,
        form: SpoolerForm,
        title: &str,
        bytes: &[u8],
    ) -> Result<(), PrinterTrouble> {
        let option = match form {
            SpoolerForm::Escpos => "raw",
            // Slips longer than the sheet are made smaller, others keep their size.
            SpoolerForm::Pdf => "print-scaling=auto",
        };
        let mut command = Command::new(&self.lp);
        command.args(["-d", queue, "-t", title, "-o", option]);
        let program = start(command)?;
        let output = match timeout(ANSWER_MAX, run(program, bytes)).await {
            Ok(ended) => ended.map_err(|error| {
                tracing::warn!(%error, "lp");
                PrinterTrouble::Interrupted
            })?,
            Err(_) => return Err(PrinterTrouble::Interrupted),
        };
        if output.status.success() {
            return Ok(());
        }
        tracing::warn!(status = %output.status, says = %said(&output), "lp");
        match output.status.code() {
            Some(_) => Err(PrinterTrouble::SpoolerRefused),
            None => Err(PrinterTrouble::Interrupted),
        }
    }

    async fn tell(&self, what: &str) -> Result<String, PrinterTrouble> {
        let mut command = Command::new(&self.lpstat);
        command.arg(what);
        let program = start(command)?;
        let output = match timeout(ANSWER_MAX, run(program, &[])).await {
            Ok(ended) => ended.map_err(|error| {
                tracing::warn!(%error, "lpstat");
                PrinterTrouble::SpoolerSilent
            })?,
            Err(_) => return Err(PrinterTrouble::SpoolerSilent),
        };
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        let says = said(&output);
        // Not to have a single queue is an answer.
        if says.contains("No destinations added") {
            return Ok(String::new());
        }
        tracing::warn!(status = %output.status, %says, "lpstat");
        Err(PrinterTrouble::SpoolerSilent)
    }
}

/// `printer NAME disabled since …` of `lpstat -p`.
fn paused_queue(line: &str) -> Option<&str> {
    let mut words = line.split_whitespace();
    match (words.next(), words.next(), words.next()) {
        (Some("printer"), Some(name), Some("disabled")) => Some(name),
        _ => None,
    }
}

/// A program that does not start was given nothing.
fn start(mut command: Command) -> Result<Child, PrinterTrouble> {
    let child = command
        .env("LC_ALL", "C")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn();
    child.map_err(|error| match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied => PrinterTrouble::SpoolerMissing,
        _ => {
            tracing::warn!(%error, "the spooler's program");
            PrinterTrouble::SpoolerSilent
        }
    })
}

async fn run(mut child: Child, input: &[u8]) -> io::Result<Output> {
    let mut stdin = child.stdin.take().expect("standard input is piped");
    let feed = async move {
        // One that refuses closes its input early; its end says whether it took everything.
        let fed = stdin.write_all(input).await;
        drop(stdin);
        fed
    };
    let (fed, output) = tokio::join!(feed, child.wait_with_output());
    let output = output?;
    if output.status.success() {
        fed?;
    }
    Ok(output)
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).trim().to_owned()
}
