//! What is shown with real processes: the short round of `cargo xtask soak kills`.

mod kills;
