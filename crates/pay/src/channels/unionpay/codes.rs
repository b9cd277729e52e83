//! What UnionPay's `respCode` means (docs: the errors-to-cashier table).
//!
//! Numbers from 62 to 79 differ between editions of UnionPay's list, so of those only that the
//! issuer refused is certain.

use qiantai_core::attempt::DeclineCode;

use crate::answer::{ConfigCause, UnknownCause};

/// What a code means for the transaction it speaks of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// Done. Of a call it only says that the call was taken.
    Done,
    /// Taken, the outcome comes later.
    Accepted,
    /// Final, nothing was charged.
    Declined(DeclineCode),
    /// The original transaction's state does not allow it.
    WrongState,
    /// The amount does not fit the original transaction.
    WrongAmount,
    /// Nothing certain.
    Unknown(UnknownCause),
    /// Our set-up is wrong.
    Config(ConfigCause),
}

pub(super) fn meaning(code: &str, words: &str) -> Meaning {
    use DeclineCode as D;
    let declined = Meaning::Declined;
    let unknown = Meaning::Unknown;
    match code {
        "00" | "A6" => Meaning::Done,
        "05" => Meaning::Accepted,
        "01" => declined(D::NotCompleted),
        "02" | "03" | "04" => unknown(UnknownCause::GatewayFault(500)),
        "06" | "37" => unknown(UnknownCause::Busy),
        "10" | "13" => Meaning::Config(ConfigCause::BadRequest(words.to_owned())),
        "11" => Meaning::Config(ConfigCause::Signature),
        "12" => unknown(UnknownCause::AlreadyPaid),
        "31" | "32" => Meaning::Config(ConfigCause::NotPermitted),
        "33" => declined(D::DailyLimit),
        "34" => unknown(UnknownCause::NotFound),
        "35" => Meaning::WrongState,
        "36" => Meaning::WrongAmount,
        "38" => declined(D::RiskControl),
        "39" => declined(D::NotCompleted),
        "62" | "63" => declined(D::CardNotSupported),
        "64" => declined(D::BalanceShort),
        "65" => declined(D::PasswordTries),
        "67" if words.contains("密码") => declined(D::PasswordTries),
        _ if is_of_the_issuer(code) => declined(D::IssuerRefused),
        _ => unknown(UnknownCause::Unlisted(code.chars().take(64).collect())),
    }
}

fn is_of_the_issuer(code: &str) -> bool {
    matches!(code.as_bytes(), [b'6' | b'7', ones] if ones.is_ascii_digit())
}
