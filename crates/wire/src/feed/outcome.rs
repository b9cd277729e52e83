//! Answers to operations.

use std::collections::BTreeMap;

use qiantai_core::decide::{Outcome, Refusal};
use serde::{Deserialize, Serialize};
use thiserror::Error;
use utoipa::ToSchema;

use super::QuoteDto;
use crate::codes::RefusalCodeDto;
use crate::error::ApiError;

/// The answer to one operation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "status", rename_all = "snake_case")]
pub enum OutcomeDto {
    /// Done.
    Applied,
    /// The same action was answered before; that answer stands.
    Exists,
    /// The same action with another content.
    ExistsWithDifferent {
        /// Name of the first differing field.
        field: String,
    },
    /// Refused, finally; nothing was written.
    Refused(RefusalDto),
    /// The server keeps the bytes and a person looks at them; those behind it go on.
    Held,
}

impl From<&Outcome> for OutcomeDto {
    fn from(outcome: &Outcome) -> OutcomeDto {
        match outcome {
            Outcome::Applied => OutcomeDto::Applied,
            Outcome::Exists => OutcomeDto::Exists,
            Outcome::ExistsWithDifferent { field } => OutcomeDto::ExistsWithDifferent {
                field: (*field).to_owned(),
            },
            Outcome::Refused(refusal) => OutcomeDto::Refused(refusal.into()),
        }
    }
}

/// The first answer of an action is `applied` or `refused`; the others refer to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("this is not the first answer of an action")]
pub struct NotAnAnswer;

impl TryFrom<OutcomeDto> for Outcome {
    type Error = NotAnAnswer;

    fn try_from(dto: OutcomeDto) -> Result<Outcome, NotAnAnswer> {
        match dto {
            OutcomeDto::Applied => Ok(Outcome::Applied),
            OutcomeDto::Exists => Ok(Outcome::Exists),
            OutcomeDto::Refused(refusal) => Ok(Outcome::Refused(refusal.into())),
            OutcomeDto::ExistsWithDifferent { .. } | OutcomeDto::Held => Err(NotAnAnswer),
        }
    }
}

/// Why a request was refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RefusalDto {
    /// Which rule.
    pub reason: RefusalCodeDto,
    /// The price that holds now, for a stale or changed quote.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quote: Option<Box<QuoteDto>>,
}

impl RefusalDto {
    /// The refusal as an error for people: number, message key, nothing to retry unchanged.
    pub fn to_error(&self) -> ApiError {
        ApiError {
            code: self.reason.number(),
            message_key: self.reason.message_key().to_owned(),
            params: BTreeMap::new(),
            retryable: false,
        }
    }
}

impl From<&Refusal> for RefusalDto {
    fn from(refusal: &Refusal) -> RefusalDto {
        RefusalDto {
            reason: refusal.code.into(),
            quote: refusal.quote.as_deref().map(|quote| Box::new(quote.into())),
        }
    }
}

impl From<RefusalDto> for Refusal {
    fn from(dto: RefusalDto) -> Refusal {
        Refusal {
            code: dto.reason.into(),
            quote: dto.quote.map(|quote| Box::new((*quote).into())),
        }
    }
}
