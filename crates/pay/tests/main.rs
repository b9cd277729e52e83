//! The training channel and the transport, seen from outside.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on must stop, and says where"
)]

mod alipay;
mod answers;
mod corpora;
mod credentials;
mod dialogue;
mod emv;
mod hostile;
mod notices;
mod parsers;
mod registry;
mod rotation;
mod scripted;
mod shouqianba;
mod signature;
mod transport;
mod unionpay;
mod wechat;
