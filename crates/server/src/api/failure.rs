//! Errors as the interface answers them.

use std::time::Duration;

use axum::Json;
use axum::http::header::RETRY_AFTER;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use qiantai_wire::{ApiError, ErrorCode};

use crate::db::LedgerError;
use crate::embedded::AdminError;
use crate::engine::{ChargeError, EngineError};
use crate::writer::WriteError;

/// Parameter with the seconds to wait.
const WAIT: &str = "wait_s";

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

    /// Too much was asked; the answer says for how long to be quiet.
    pub(super) fn wait(span: Duration) -> Failure {
        let seconds = span.as_secs() + 1;
        Failure::from(ErrorCode::TooManyRequests).with(WAIT, seconds)
    }

    /// A defect or an outage; the log has the cause, the answer has not.
    pub(super) fn logged(code: ErrorCode, cause: &impl std::fmt::Display) -> Failure {
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
            other @ (EngineError::Missing(_)
            | EngineError::Crypto(_)
            | EngineError::NotEnded(..)) => Failure::logged(ErrorCode::Internal, &other),
        }
    }
}

impl From<ChargeError> for Failure {
    fn from(error: ChargeError) -> Failure {
        let code = match error {
            ChargeError::Engine(error) => return error.into(),
            ChargeError::NoAttempt => ErrorCode::NotFound,
            ChargeError::NotChargeable => ErrorCode::AttemptNotChargeable,
            ChargeError::NotOfChannel => ErrorCode::PaymentCodeNotOfChannel,
            ChargeError::Used => ErrorCode::PaymentCodeUsed,
            ChargeError::OtherCode => ErrorCode::PaymentCodeGiven,
            ChargeError::NoGateway => ErrorCode::GatewayNotConfigured,
            ChargeError::NotSent => ErrorCode::GatewayUnreachable,
        };
        code.into()
    }
}

impl From<AdminError> for Failure {
    fn from(error: AdminError) -> Failure {
        match error {
            AdminError::Ledger(error) => error.into(),
            AdminError::Write(error) => error.into(),
            AdminError::InviteInvalid => ErrorCode::InviteInvalid.into(),
            AdminError::InviteUsed => ErrorCode::InviteUsed.into(),
            AdminError::InviteExpired => ErrorCode::InviteExpired.into(),
            other @ (AdminError::Open(_)
            | AdminError::System(_)
            | AdminError::NoStore(_)
            | AdminError::StoreFull
            | AdminError::MerchantAccount(..)
            | AdminError::Refused(_)) => Failure::logged(ErrorCode::Internal, &other),
        }
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        // Every status of the table is a valid one; the fallback is a defect all the same.
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let wait = self.error.params.get(WAIT);
        let wait = wait.and_then(|seconds| HeaderValue::from_str(seconds).ok());
        let mut response = (status, Json(self.error)).into_response();
        if let Some(wait) = wait {
            response.headers_mut().insert(RETRY_AFTER, wait);
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_must_wait_is_told_for_how_long() {
        let check = |span, told: &str| {
            let response = Failure::wait(span).into_response();
            assert_eq!(response.status(), StatusCode::TOO_MANY_REQUESTS);
            assert_eq!(response.headers()[RETRY_AFTER], told);
        };
        check(Duration::from_millis(1), "1");
        check(Duration::from_millis(2_500), "3");
    }
}
