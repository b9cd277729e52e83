//! The customer's payment code (付款码) on its way to the gateway.

use std::fmt;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Longest code: an EMVCo consumer code. A bar code has at most 24 digits.
pub const SCANNED_CODE_MAX: usize = 512;

/// Charges the payment code that the customer shows for an attempt by code. It is in no operation,
/// in no book and in no log (docs: domain §3.11).
///
/// Repeating the same code for the same attempt is safe: it is charged once, and the answer is how
/// the attempt stands. Refused, with nothing sent, are: what is no code of the attempt's channel
/// (`payment_code_not_of_channel`), a code that was charged for another attempt
/// (`payment_code_used`), a second code for the same attempt (`payment_code_given`), and an attempt
/// that takes none (`attempt_not_chargeable`). After `gateway_unreachable` nothing was sent either,
/// and the same or a fresh code may be charged.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ChargeRequest {
    /// What the scanner read.
    #[schema(max_length = 512)]
    pub code: String,
}

impl ChargeRequest {
    /// The code without what scanners put around it; `None` when it cannot be one: empty, too
    /// long, or anything but visible ASCII.
    pub fn scanned(&self) -> Option<&str> {
        let code = self.code.trim_matches(['\r', '\n', '\t', ' ']);
        let can_be = (1..=SCANNED_CODE_MAX).contains(&code.len())
            && code.bytes().all(|byte| byte.is_ascii_graphic());
        can_be.then_some(code)
    }
}

impl fmt::Debug for ChargeRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ChargeRequest(code hidden)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_a_code_is_none() {
        let longest = "9".repeat(SCANNED_CODE_MAX);
        let too_long = "9".repeat(SCANNED_CODE_MAX + 1);
        let check = |code: &str, expected: Option<&str>| {
            let request = ChargeRequest { code: code.into() };
            assert_eq!(request.scanned(), expected, "{code:?}");
        };
        check("134567890123456789", Some("134567890123456789"));
        check("\t134567890123456789\r\n", Some("134567890123456789"));
        check("hQVDUFYwMWE=", Some("hQVDUFYwMWE="));
        check(&longest, Some(&longest));
        for hostile in ["", " \r\n", "1345 678", "１３４５", "13\u{0}45", &too_long] {
            check(hostile, None);
        }
    }

    #[test]
    fn a_code_is_not_printed() {
        let json = r#"{"code":"134567890123456789"}"#;
        let request: ChargeRequest = serde_json::from_str(json).expect("a request");
        let printed = format!("{request:?}");
        assert!(!printed.contains("1345"), "{printed}");
        for json in [r#"{"code":134567890123456789}"#, r#"{"code":["1345678"]}"#] {
            let error = serde_json::from_str::<ChargeRequest>(json).expect_err("no text");
            assert!(error.to_string().starts_with("invalid type"), "{error}");
        }
    }
}
