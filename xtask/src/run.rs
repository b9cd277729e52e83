//! `cargo xtask run`: the app in training mode, in front of a person or on a virtual display.

use std::path::Path;
use std::process::Command;

use crate::child::{self, cargo};
use crate::error::Error;
use crate::machine::{self, Need};
use crate::{Run, pages, say, tree};

/// Builds the app and runs it.
///
/// # Errors
/// Where something is missing, does not build, or the run itself fails.
pub fn run(options: &Run) -> Result<(), Error> {
    let headless = options.headless || !has_display();
    machine::prepare(if headless {
        Need::Headless
    } else {
        Need::Window
    })?;
    pages::build()?;
    if headless {
        drive(&options.out, &options.app)
    } else {
        open(&options.app)
    }
}

fn has_display() -> bool {
    let named = |variable| std::env::var_os(variable).is_some_and(|value| !value.is_empty());
    !cfg!(target_os = "linux") || named("DISPLAY") || named("WAYLAND_DISPLAY")
}

fn open(arguments: &[String]) -> Result<(), Error> {
    say::line("Building the app (minutes the first time, seconds later)");
    child::run(
        "build",
        &mut cargo(&["build", "--package", "qiantai", "--bin", "qiantai"]),
    )?;
    say::line("Opening the counter in training mode. Close its window to end.");
    let mut app = Command::new(tree::built("debug", "qiantai")?);
    app.args(arguments);
    finish("qiantai", &mut app)
}

fn drive(out: &Path, arguments: &[String]) -> Result<(), Error> {
    pages::build_probe()?;
    say::line("Building the app and its driver (minutes the first time, seconds later)");
    let build = [
        "build",
        "-p",
        "qiantai",
        "-p",
        "qiantai-testkit",
        "--bin",
        "qiantai",
        "--bin",
        "drive",
    ];
    child::run("build", &mut cargo(&build))?;
    say::line("Driving one top-up by QR code and one by cash through the real window");
    let mut driver = Command::new(tree::built("debug", "drive")?);
    driver
        .arg("--app")
        .arg(tree::built("debug", "qiantai")?)
        .arg("--out")
        .arg(out)
        .arg("--")
        .args(arguments);
    finish("drive", &mut driver)
}

/// Runs a program of ours with our own input and output.
///
/// # Errors
/// Where it cannot be started, or ends badly.
pub fn finish(name: &str, command: &mut Command) -> Result<(), Error> {
    let status = command.status().map_err(|source| Error::Start {
        program: name.to_owned(),
        source,
    })?;
    if status.success() {
        Ok(())
    } else {
        Err(Error::Machine(format!("{name} ended with {status}")))
    }
}
