//! The training channel and the transport, seen from outside.

mod answers;
mod notices;
mod registry;
mod scripted;
mod signature;
mod transport;
