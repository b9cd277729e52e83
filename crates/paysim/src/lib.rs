//! The simulated payment gateway and the customer's phone, for practice, tests and trials.
//!
//! [`Gateway`] is a pure state machine: time and seed are arguments, so a run can be repeated
//! exactly. It keeps one book of payments; [`protocols`] translate between that book and what
//! merchants send, bytes in and bytes out. [`Simulator`] shares one gateway between its users and
//! delivers its notices; [`serve`] puts it on HTTP with the phone page; [`RouterTransport`] lets a
//! server in the same process call it without a socket.
//!
//! It is as strict as real gateways are, and breaks on request as real gateways do: see
//! [`gateway::AnswerFault`], [`gateway::NoticeFault`] and [`gateway::PhoneAction`].

pub mod accounts;
pub mod gateway;
mod in_process;
mod issuer;
mod keys;
mod phone;
pub mod protocols;
pub mod serve;
mod simulator;
mod sink;
pub mod tls;

pub use gateway::Gateway;
pub use in_process::RouterTransport;
pub use simulator::Simulator;
pub use sink::{DeliveryOutcome, NoticeSink, TransportSink};
