//! Every screen and state of the window: a picture of it in each look, and an accessibility scan
//! that finds nothing. The pictures are in `target/screens`; those of troubles, of a wrong clock, of
//! a changed price and of the customer's phone come from the tests of these.

mod between;
mod counter;
mod far;
mod paying;
mod start;
mod trouble;
