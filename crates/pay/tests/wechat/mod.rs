//! The `wechat` channel against a gateway that answers as the test says.

mod answers;
mod arbitrary;
mod bills;
mod codes_v2;
pub mod gateway;
mod hostile;
mod keys;
mod notices;
mod requests;
mod settings;
