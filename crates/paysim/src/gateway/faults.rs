//! How the gateway misbehaves on request.

use serde::{Deserialize, Serialize};

/// The rules in force. The first that matches a message is applied, and used up when its
/// `times` are over.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Faults {
    /// For answers.
    pub answers: Vec<AnswerRule>,
    /// For notices.
    pub notices: Vec<NoticeRule>,
}

/// When to spoil an answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AnswerRule {
    /// Only for this attempt; for all if absent.
    #[serde(default)]
    pub attempt_no: Option<String>,
    /// Only for this kind of request; for all if absent.
    #[serde(default)]
    pub operation: Option<Operation>,
    /// What happens.
    pub fault: AnswerFault,
    /// How often; without end if absent.
    #[serde(default)]
    pub times: Option<u32>,
}

/// When to spoil a notice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoticeRule {
    /// Only for this attempt; for all if absent.
    #[serde(default)]
    pub attempt_no: Option<String>,
    /// What happens.
    pub fault: NoticeFault,
    /// How often; without end if absent.
    #[serde(default)]
    pub times: Option<u32>,
}

/// Kinds of requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    /// Make a QR code.
    Create,
    /// Charge a payment code.
    Charge,
    /// Ask about an attempt.
    Query,
    /// Close a QR attempt.
    Close,
    /// Reverse a payment-code attempt.
    Reverse,
    /// Refund.
    Refund,
    /// Ask about a refund.
    QueryRefund,
    /// Ask for a bill, and fetch it.
    Bill,
    /// Ask for the gateway's certificates.
    Certificates,
}

/// Ways to spoil an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum AnswerFault {
    /// Done and answered, late.
    Delay {
        /// By how much.
        delay_ms: u64,
    },
    /// Neither done nor answered: the request never arrived.
    Lost,
    /// Done late and never answered: the request is on its way for so long.
    ArrivesLate {
        /// For how long.
        delay_ms: u64,
    },
    /// Done, never answered.
    Silent,
    /// Done, answered with status 500.
    FailAfterDone,
    /// Done, the answer's signature is wrong.
    WrongSignature,
    /// Done, the answer is signed and cannot be read.
    Garbled,
    /// Done, the connection is cut instead of an answer.
    Cut,
    /// Not done: too many calls.
    Busy,
    /// Done; instead of a signature stands a text that says it is none, where the protocol has
    /// that.
    Probe,
    /// The gateway begins to sign with a new key, this answer and all further messages; where it
    /// has a key of its own.
    NewKey,
    /// Not done: what the shop set up is refused. Only by the training gateway; the real ones'
    /// refusals of this kind come from keys, clocks and requests that are wrong.
    SetUpRefused {
        /// As what.
        cause: SetUpCause,
    },
    /// Not done: the merchant account lacks the money. Only for refunds.
    FundsShort,
    /// Done as far as the gateway can: the customer's card is gone, and the merchant's staff must
    /// act on the platform. Only for refunds of WeChat Pay.
    RefundStuck,
    /// Not done: there is no such thing, status 404. Only of WeChat Pay: for certificates, as when a
    /// merchant is moved to public keys, and for reversals, where otherwise a number that never
    /// arrived is made over so that it cannot come any more.
    NotFound,
    /// The newest line is missing in the bill, also in its sums. Only for bills.
    BillLineMissing,
}

/// What may be wrong with what a shop set up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SetUpCause {
    /// The key or the merchant number.
    Signature,
    /// The clock.
    Clock,
    /// There is no contract.
    NotPermitted,
    /// The merchant may not receive money.
    MerchantBlocked,
    /// The request.
    BadRequest,
    /// A word in what is sold.
    ForbiddenWord,
}

/// Ways to spoil a notice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum NoticeFault {
    /// The first tries vanish.
    Lose {
        /// How many.
        tries: u32,
    },
    /// Each try is sent twice.
    Double,
    /// Held back, so that later notices overtake it.
    Late {
        /// By how much.
        delay_ms: u64,
    },
    /// A forgery with other money and a wrong signature is sent ahead of each try.
    Forged,
    /// The gateway tests whether signatures are verified: ahead of each try one is sent without a
    /// good one.
    Probe,
}

impl Faults {
    pub(crate) fn take_answer(
        &mut self,
        attempt_no: Option<&str>,
        operation: Operation,
    ) -> Option<AnswerFault> {
        let index = self.answers.iter().position(|rule| {
            concerns(rule.attempt_no.as_deref(), attempt_no)
                && rule.operation.is_none_or(|wanted| wanted == operation)
        })?;
        let fault = self.answers[index].fault;
        if use_up(&mut self.answers[index].times) {
            self.answers.remove(index);
        }
        Some(fault)
    }

    pub(super) fn take_notice(&mut self, attempt_no: &str) -> Option<NoticeFault> {
        let index = self
            .notices
            .iter()
            .position(|rule| concerns(rule.attempt_no.as_deref(), Some(attempt_no)))?;
        let fault = self.notices[index].fault;
        if use_up(&mut self.notices[index].times) {
            self.notices.remove(index);
        }
        Some(fault)
    }
}

fn concerns(wanted: Option<&str>, attempt_no: Option<&str>) -> bool {
    wanted.is_none() || wanted == attempt_no
}

/// Counts one use; true when none is left.
fn use_up(times: &mut Option<u32>) -> bool {
    match times {
        None => false,
        Some(left) => {
            *left = left.saturating_sub(1);
            *left == 0
        }
    }
}
