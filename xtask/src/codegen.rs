//! What is generated from the Rust code and committed: the window's types, the HTTP API document, and
//! the vectors of the protocol.

use std::process::Command;

use crate::child::{self, cargo};
use crate::error::Error;
use crate::{say, tidy, tree};

/// Compares the generated files with the writer that was built with the tests: building it alone
/// would build half of the tree again with other features.
///
/// # Errors
/// Where a committed file differs.
pub fn check_with_built_writer() -> Result<(), Error> {
    let mut writer = Command::new(tree::built("debug", "examples/codegen")?);
    writer.arg("--check").current_dir(tree::root());
    child::run("codegen", &mut writer).map(drop)
}

/// Writes the generated files, or with `check` only compares them.
///
/// # Errors
/// Where the writer does not build, or with `check` where a committed file differs.
pub fn codegen(check: bool) -> Result<(), Error> {
    let mut arguments = vec!["run", "--package", "qiantai", "--example", "codegen"];
    if !tree::root().join("ui/dist/index.html").exists() {
        // The window needs its pages at compile time; the writer needs no window.
        arguments.push("--no-default-features");
    }
    if check {
        arguments.extend(["--", "--check"]);
    } else {
        tidy::migrations::add_new()?;
    }
    for line in child::run("codegen", &mut cargo(&arguments))? {
        if let Some(path) = line.strip_prefix("written: ") {
            say::line(format_args!("  {path}"));
        }
    }
    if check { Ok(()) } else { vectors() }
}

/// The vectors are written by the test that compares them otherwise.
fn vectors() -> Result<(), Error> {
    let mut test = cargo(&["test", "--package", "qiantai-wire", "--test", "main"]);
    test.args(["--", "protocol::the_vectors_are_those_of_the_code"])
        .env("QIANTAI_WRITE_VECTORS", "1");
    child::run("vectors", &mut test).map(drop)
}
