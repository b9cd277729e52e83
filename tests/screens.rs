//! Every screen and state of the window: a picture of it, and an accessibility scan that finds
//! nothing. `table.toml` lists all of them; some come from the tests of what they belong to. The
//! pictures are in `target/screens`, those in every look where `cargo xtask screens` puts them.

mod between;
pub mod counter;
mod far;
mod paying;
mod scenes;
mod start;
pub mod table;
mod trouble;
