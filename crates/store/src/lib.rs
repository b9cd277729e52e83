//! The terminal's encrypted SQLite.
