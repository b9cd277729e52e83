//! Giving an answer, or spoiling it as ordered: the same for all protocols.

use bytes::Bytes;
use http::StatusCode;
use qiantai_core::clock::Timestamp;

use crate::gateway::{AnswerFault, Gateway, Operation};

/// An answer and when to give it.
#[derive(Debug)]
pub struct Reply {
    /// What to answer.
    pub response: http::Response<Bytes>,
    /// When.
    pub timing: Timing,
}

/// When to answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timing {
    /// Now.
    AtOnce,
    /// After this many milliseconds.
    AfterMs(u64),
    /// Not at all: hold the connection until the caller gives up.
    Never,
    /// Not at all, as it has not arrived: whoever gave the request gives it once more after this many
    /// milliseconds.
    NotArrived(u64),
    /// Not at all: cut the connection.
    Cut,
}

impl Reply {
    pub(crate) fn at_once(response: http::Response<Bytes>) -> Reply {
        let timing = Timing::AtOnce;
        Reply { response, timing }
    }

    fn without(timing: Timing) -> Reply {
        let response = bare(StatusCode::GATEWAY_TIMEOUT);
        Reply { response, timing }
    }
}

/// What a request wants, as the rules for faults see it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Call<'a> {
    pub operation: Operation,
    /// The attempt it is about, where it is about one.
    pub attempt_no: Option<&'a str>,
}

/// What is to be answered.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Said<'a, T> {
    /// What came of it.
    Result(&'a T),
    /// Too many calls.
    Busy,
    /// What nobody can read.
    Garbled,
}

/// How an answer is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Seal {
    Genuine,
    Wrong,
    Probe,
}

/// Lets `perform` do what an admitted caller asks and `dress` write and sign the answer, unless a
/// fault is ordered for the call. `renew` makes the gateway sign with a new key from now on.
pub(crate) fn conduct<T>(
    gateway: &mut Gateway,
    call: Call<'_>,
    now: Timestamp,
    renew: fn(&mut Gateway, Timestamp),
    perform: impl FnOnce(&mut Gateway, Option<AnswerFault>) -> T,
    dress: impl FnOnce(&mut Gateway, Said<'_, T>, Seal) -> http::Response<Bytes>,
) -> Reply {
    let fault = gateway
        .faults()
        .take_answer(call.attempt_no, call.operation);
    match fault {
        Some(AnswerFault::Lost) => return Reply::without(Timing::Never),
        Some(AnswerFault::ArrivesLate { delay_ms }) => {
            return Reply::without(Timing::NotArrived(delay_ms));
        }
        Some(AnswerFault::Busy) => {
            return Reply::at_once(dress(gateway, Said::Busy, Seal::Genuine));
        }
        Some(AnswerFault::NewKey) => renew(gateway, now),
        _ => {}
    }
    let result = perform(gateway, fault);
    let say = |said, seal| dress(gateway, said, seal);
    match fault {
        None
        | Some(
            AnswerFault::Lost
            | AnswerFault::ArrivesLate { .. }
            | AnswerFault::Busy
            | AnswerFault::NewKey
            | AnswerFault::SetUpRefused { .. }
            | AnswerFault::FundsShort
            | AnswerFault::RefundStuck
            | AnswerFault::NotFound
            | AnswerFault::BillLineMissing,
        ) => Reply::at_once(say(Said::Result(&result), Seal::Genuine)),
        Some(AnswerFault::Delay { delay_ms }) => Reply {
            response: say(Said::Result(&result), Seal::Genuine),
            timing: Timing::AfterMs(delay_ms),
        },
        Some(AnswerFault::Silent) => Reply::without(Timing::Never),
        Some(AnswerFault::Cut) => Reply::without(Timing::Cut),
        Some(AnswerFault::FailAfterDone) => Reply::at_once(bare(StatusCode::INTERNAL_SERVER_ERROR)),
        Some(AnswerFault::WrongSignature) => {
            Reply::at_once(say(Said::Result(&result), Seal::Wrong))
        }
        Some(AnswerFault::Probe) => Reply::at_once(say(Said::Result(&result), Seal::Probe)),
        Some(AnswerFault::Garbled) => Reply::at_once(say(Said::Garbled, Seal::Genuine)),
    }
}

/// An answer without content.
fn bare(status: StatusCode) -> http::Response<Bytes> {
    let mut response = http::Response::new(Bytes::new());
    *response.status_mut() = status;
    response
}
