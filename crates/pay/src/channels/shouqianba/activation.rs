//! What came of an activation.

use super::codes::Fault;
use super::read::Reply;
use super::terminal::TerminalStoreError;
use crate::answer::{ConfigCause, UnknownCause};

/// Why this machine is no terminal, after an activation was tried.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ActivationFault {
    /// The gateway does not know the vendor's number, or its key is another.
    #[error("the gateway does not accept the vendor's number and key")]
    Vendor,
    /// The gateway refuses the code or the application, in its words. Nothing was activated.
    #[error("{0}")]
    Refused(String),
    /// Nobody knows whether it was activated. The same machine gets the same terminal again.
    #[error("no clear answer to the activation: {0}")]
    Unclear(UnknownCause),
    /// It was activated, and its key cannot be kept. The same machine gets the same terminal again.
    #[error("{0}")]
    NotKept(TerminalStoreError),
}

impl ActivationFault {
    pub(super) fn unreadable(why: String) -> ActivationFault {
        ActivationFault::Unclear(UnknownCause::Unreadable(why))
    }
}

/// In the middle of a payment.
impl From<ActivationFault> for Fault {
    fn from(fault: ActivationFault) -> Fault {
        match fault {
            ActivationFault::Vendor => Fault::Config(ConfigCause::Signature),
            ActivationFault::Refused(words) => Fault::Config(ConfigCause::Incomplete(words)),
            ActivationFault::Unclear(cause) => Fault::Unknown(cause),
            ActivationFault::NotKept(error) => {
                Fault::Config(ConfigCause::Incomplete(error.to_string()))
            }
        }
    }
}

/// An answer that says "our mistake" with a code that nobody listed is a refusal all the same:
/// vendors have codes of their own here.
pub(super) fn read(body: &[u8]) -> Result<Reply, ActivationFault> {
    if let Some((code, words)) = Reply::mistake(body) {
        return Err(match code.as_str() {
            "ILLEGAL_SIGN" => ActivationFault::Vendor,
            "UNKNOWN_SYSTEM_ERROR" | "MAINTENANCE_INPROGRESS" => {
                ActivationFault::Unclear(UnknownCause::GatewayFault(500))
            }
            code => ActivationFault::Refused(format!("{code} {words}").trim().to_owned()),
        });
    }
    Reply::read(body).map_err(|fault| match fault {
        Fault::Unknown(cause) => ActivationFault::Unclear(cause),
        _ => ActivationFault::unreadable("no answer to an activation".to_owned()),
    })
}
