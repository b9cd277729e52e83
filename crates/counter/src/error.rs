//! Errors as the window gets them. The window never matches text.

use std::collections::BTreeMap;

use qiantai_store::{Fault, StoreError};
use qiantai_sync::CallFailed;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// A refusal or fault, with everything a sentence for the cashier needs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct CallError {
    /// Stable code.
    pub code: ErrorCode,
    /// Key of the sentence: what happened, whether money moved, what to do.
    pub message_key: String,
    /// Values for the sentence.
    pub params: BTreeMap<String, String>,
    /// Whether the same call may succeed later.
    pub retryable: bool,
    /// Whether money moved.
    pub money: MoneyMoved,
}

/// Whether money moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum MoneyMoved {
    /// None.
    No,
    /// Yes, and it is recorded.
    Yes,
    /// Being checked.
    Unknown,
}

/// Codes on which the window acts; everything else only differs by its sentence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum ErrorCode {
    /// What was typed cannot be used; the sentence stands next to the field.
    InvalidInput,
    /// Wrong PIN.
    PinWrong,
    /// Locked after wrong PINs.
    PinLocked,
    /// Nobody is signed in.
    NotSignedIn,
    /// No shift is open.
    NoShift,
    /// The price changed or is too old: ask for a quote again and show it.
    QuoteChanged,
    /// An equal top-up within two minutes: ask, then send again with the confirmation.
    DuplicateSuspected,
    /// The reference of a recorded payment was used before: ask, then send again with the
    /// confirmation.
    ReferenceUsed,
    /// A manager's PIN is needed, or the one named may not give it; ask for number and PIN, and
    /// send again with them.
    ApprovalNeeded,
    /// A limit blocks it.
    LimitBlocked,
    /// The server is needed and out of reach.
    ServerUnreachable,
    /// Not possible in the present state; show the order again.
    WrongState,
    /// Not found.
    NotFound,
    /// The disk is full; nothing was recorded.
    DiskFull,
    /// The recovery code does not fit.
    RecoveryWrong,
    /// A fault of the application.
    Internal,
}

impl CallError {
    /// A refusal with the sentence `error.<key>`; no money moved, not retryable.
    pub fn new(code: ErrorCode, key: &str) -> CallError {
        CallError {
            code,
            message_key: format!("error.{key}"),
            params: BTreeMap::new(),
            retryable: false,
            money: MoneyMoved::No,
        }
    }

    /// Adds a value for the sentence.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<String>) -> CallError {
        self.params.insert(name.to_owned(), value.into());
        self
    }

    /// Marks that the same call may succeed later.
    #[must_use]
    pub fn retryable(mut self) -> CallError {
        self.retryable = true;
        self
    }

    /// A fault of the application; the log has its cause.
    pub fn internal() -> CallError {
        CallError::new(ErrorCode::Internal, "internal")
    }

    /// A command that does not exist.
    pub fn unknown_command(name: &str) -> CallError {
        CallError::new(ErrorCode::Internal, "unknown_command").with("name", name)
    }

    /// A payload that does not fit its command.
    pub fn malformed(error: &serde_json::Error) -> CallError {
        CallError::new(ErrorCode::Internal, "malformed").with("detail", error.to_string())
    }
}

/// A manager's call that the server did not take because of how this program signs it, or speaks.
/// Nothing was done.
pub(crate) fn outdated(error: &CallFailed) -> Option<CallError> {
    let CallFailed::Refused(refusal) = error else {
        return None;
    };
    let is_outdated = matches!(
        refusal.error_code(),
        Some(qiantai_wire::ErrorCode::CallUnsigned | qiantai_wire::ErrorCode::UpgradeNeeded)
    );
    is_outdated.then(|| CallError::new(ErrorCode::WrongState, "call_unsigned").retryable())
}

impl From<StoreError> for CallError {
    /// The store rolled back, so no money moved.
    fn from(error: StoreError) -> CallError {
        tracing::error!(%error, "store");
        match error.fault() {
            Some(Fault::DiskFull) => CallError::new(ErrorCode::DiskFull, "disk_full").retryable(),
            _ => CallError::internal(),
        }
    }
}
