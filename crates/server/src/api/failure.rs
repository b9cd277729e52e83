//! Errors as the interface answers them.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use qiantai_wire::{ApiError, ErrorCode};

use crate::db::LedgerError;
use crate::embedded::AdminError;
use crate::engine::EngineError;
use crate::writer::WriteError;

/// An error with its status.
#[derive(Debug)]
pub(super) struct Failure {
    status: u16,
    error: ApiError,
}

impl Failure {
    /// The same failure with one more parameter for the person who reads it.
    pub(super) fn with(self, name: &str, value: impl std::fmt::Display) -> Failure {
        Failure {
            error: self.error.with(name, value),
            ..self
        }
    }

    /// A defect or an outage; the log has the cause, the answer has not.
    fn logged(code: ErrorCode, cause: &impl std::fmt::Display) -> Failure {
        tracing::error!(%cause, code = code.number(), "a request failed");
        Failure::from(code)
    }
}

/// No defect: the other process takes it.
fn elsewhere(address: &str) -> Failure {
    Failure::from(ErrorCode::WrittenElsewhere).with("address", address)
}

impl From<ErrorCode> for Failure {
    fn from(code: ErrorCode) -> Failure {
        Failure {
            status: code.http_status(),
            error: ApiError::new(code),
        }
    }
}

impl From<LedgerError> for Failure {
    fn from(error: LedgerError) -> Failure {
        let code = match error {
            LedgerError::WrittenElsewhere { address } => return elsewhere(&address),
            LedgerError::DiskFull => ErrorCode::DiskFull,
            LedgerError::Busy | LedgerError::Overtaken => ErrorCode::Busy,
            LedgerError::Corrupt(_)
            | LedgerError::Taken(_)
            | LedgerError::NoTenant(_)
            | LedgerError::Failed(_) => ErrorCode::Internal,
        };
        Failure::logged(code, &error)
    }
}

impl From<WriteError> for Failure {
    fn from(error: WriteError) -> Failure {
        let code = match error {
            WriteError::Elsewhere(address) => return elsewhere(&address),
            WriteError::Busy => ErrorCode::Busy,
            WriteError::Stopped => ErrorCode::Unavailable,
            WriteError::DiskFull => ErrorCode::DiskFull,
            WriteError::Defect | WriteError::Ledger(_) => ErrorCode::Internal,
        };
        Failure::logged(code, &error)
    }
}

impl From<EngineError> for Failure {
    fn from(error: EngineError) -> Failure {
        match error {
            EngineError::Ledger(error) => error.into(),
            EngineError::Write(error) => error.into(),
            other @ (EngineError::Missing(_) | EngineError::NotEnded(..)) => {
                Failure::logged(ErrorCode::Internal, &other)
            }
        }
    }
}

impl From<AdminError> for Failure {
    fn from(error: AdminError) -> Failure {
        match error {
            AdminError::Ledger(error) => error.into(),
            AdminError::Write(error) => error.into(),
            AdminError::InviteInvalid => ErrorCode::InviteInvalid.into(),
            other @ (AdminError::Open(_)
            | AdminError::System(_)
            | AdminError::NoStore(_)
            | AdminError::StoreFull
            | AdminError::Refused(_)) => Failure::logged(ErrorCode::Internal, &other),
        }
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        // Every status of the table is a valid one; the fallback is a defect all the same.
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        (status, Json(self.error)).into_response()
    }
}
