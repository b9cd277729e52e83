//! Payment gateways behind one small interface.
//!
//! [`Channel`] is that interface. Each gateway's protocol is one folder under [`channels`]:
//! building, signing, verifying and reading messages there are pure functions over bytes, and
//! only [`transport`] touches the network. What a call means for an order, when to ask again and
//! when to reverse are decided by the server; nothing here polls, retries or keeps state.

mod answer;
pub mod beijing;
mod bill;
mod channel;
pub mod channels;
pub mod credentials;
pub mod crypto;
mod notice;
mod pairs;
pub mod payment_code;
mod registry;
mod rotation;
mod secret;
pub mod set_up;
mod surroundings;
pub mod transport;
pub mod yuan;

pub use answer::{
    CloseAnswer, ConfigCause, GatewayAnswer, PaidFact, PendingState, QrAnswer, RefundAnswer,
    RefundRefusal, ReverseAnswer, UnknownCause,
};
pub use bill::{BillAnswer, BillKind, BillLine, BillRequest, Fee};
pub use channel::{
    AuthCode, Channel, ChannelId, CodeRequest, QrRequest, RefundQuery, RefundRequest, Wallet,
};
pub use notice::{
    ElsewhereNotice, Notice, NoticeError, NoticeReceipt, PaymentNotice, RefundNotice,
};
pub use pairs::{Charset, Pairs, PairsError};
pub use registry::{OpenError, Registry};
pub use secret::{SecretText, SharedKey, SharedKeyError};
pub use surroundings::{Surroundings, SystemSurroundings};
