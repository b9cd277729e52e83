//! The desktop application.
// A release on Windows opens no console beside its window.
#![cfg_attr(all(windows, not(debug_assertions)), windows_subsystem = "windows")]

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    qiantai_desktop::run(qiantai_desktop::options::Options::parse())
}
