//! What is generated from the Rust code and committed: the window's types and the HTTP API document.

use crate::child::{self, cargo};
use crate::error::Error;
use crate::{say, tidy, tree};

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
    Ok(())
}
