//! Errors as they cross a boundary: a number, a message key, parameters, and whether trying the
//! same again can help. Nobody matches on words. Numbers are stable and never reused: 1xx are
//! refusals of the domain, 1xxx are those of the interface.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::codes::RefusalCodeDto;

/// An error with what a person needs to be told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ApiError {
    /// Number of an [`ErrorCode`] or of a [`RefusalCodeDto`].
    pub code: u16,
    /// Key of the sentence in the message catalogues.
    pub message_key: String,
    /// Values for that sentence. No personal data.
    #[serde(default)]
    pub params: BTreeMap<String, String>,
    /// True when trying the same again later can succeed.
    pub retryable: bool,
}

impl ApiError {
    /// The error of a code, without parameters.
    pub fn new(code: ErrorCode) -> ApiError {
        ApiError {
            code: code.number(),
            message_key: code.message_key().to_owned(),
            params: BTreeMap::new(),
            retryable: code.is_retryable(),
        }
    }

    /// The same error with one more parameter.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl fmt::Display) -> ApiError {
        self.params.insert(name.to_owned(), value.to_string());
        self
    }

    /// The code, or `None` when it is a refusal of the domain or newer than this version.
    pub fn error_code(&self) -> Option<ErrorCode> {
        ErrorCode::from_number(self.code)
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.message_key, self.code)
    }
}

impl std::error::Error for ApiError {}

impl From<ErrorCode> for ApiError {
    fn from(code: ErrorCode) -> ApiError {
        ApiError::new(code)
    }
}

macro_rules! error_codes {
    ($($(#[$doc:meta])* $variant:ident = $number:literal, $status:literal, $key:literal,
        $retryable:literal;)*) => {
        /// Errors of the interface.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(u16)]
        pub enum ErrorCode {
            $($(#[$doc])* $variant = $number,)*
        }

        impl ErrorCode {
            /// Every code, by rising number.
            pub const ALL: &[ErrorCode] = &[$(ErrorCode::$variant),*];

            /// The stable number.
            pub const fn number(self) -> u16 {
                self as u16
            }

            /// The code with that number, or `None` when this version does not know it.
            pub const fn from_number(number: u16) -> Option<ErrorCode> {
                match number {
                    $($number => Some(ErrorCode::$variant),)*
                    _ => None,
                }
            }

            /// The HTTP status that carries it.
            pub const fn http_status(self) -> u16 {
                match self { $(ErrorCode::$variant => $status,)* }
            }

            /// Key of its sentence in the message catalogues.
            pub const fn message_key(self) -> &'static str {
                match self { $(ErrorCode::$variant => $key,)* }
            }

            /// True when trying the same again later can succeed.
            pub const fn is_retryable(self) -> bool {
                match self { $(ErrorCode::$variant => $retryable,)* }
            }
        }
    };
}

error_codes! {
    /// The request does not have the shape of the interface.
    BadRequest = 1001, 400, "error.bad_request", false;
    /// No device token, or one that the server does not know.
    Unauthorised = 1002, 401, "error.unauthorised", false;
    /// The device was revoked; what it sends is kept for review.
    DeviceRevoked = 1003, 403, "error.device_revoked", false;
    /// The device sent two different histories; what it sends is kept for review.
    DeviceQuarantined = 1004, 403, "error.device_quarantined", false;
    /// No such thing here.
    NotFound = 1005, 404, "error.not_found", false;
    /// The method is not offered at this address.
    MethodNotAllowed = 1006, 405, "error.method_not_allowed", false;
    /// The body is larger than the limit.
    TooLarge = 1007, 413, "error.too_large", false;
    /// The server is too new for this terminal.
    UpgradeNeeded = 1008, 426, "error.upgrade_needed", false;
    /// The cursor is of another timeline; take a new snapshot and push again.
    TimelineChanged = 1009, 409, "error.timeline_changed", false;
    /// This server never made the invitation.
    InviteInvalid = 1010, 403, "error.invite_invalid", false;
    /// The bytes are not an operation or its signature is wrong.
    OperationUnreadable = 1011, 400, "error.operation_unreadable", false;
    /// Another terminal used the invitation.
    InviteUsed = 1012, 403, "error.invite_used", false;
    /// The invitation is older than ten minutes.
    InviteExpired = 1013, 403, "error.invite_expired", false;
    /// Too many requests; wait.
    TooManyRequests = 1020, 429, "error.too_many_requests", true;
    /// The server has no room to queue the request; wait.
    Busy = 1021, 503, "error.busy", true;
    /// The server's disk is full. Nothing was written.
    DiskFull = 1022, 507, "error.disk_full", true;
    /// The server stops or starts.
    Unavailable = 1023, 503, "error.unavailable", true;
    /// The request took too long; it may have been done, ask before doing it again.
    Timeout = 1024, 504, "error.timeout", true;
    /// Another server writes these books; `address` says where it is reached.
    WrittenElsewhere = 1025, 421, "error.written_elsewhere", true;
    /// The payment channel does not answer.
    GatewayUnreachable = 1030, 502, "error.gateway_unreachable", true;
    /// The payment channel is not set up here.
    GatewayNotConfigured = 1031, 409, "error.gateway_not_configured", false;
    /// What was scanned is no payment code, or one of another channel. Nothing was sent.
    PaymentCodeNotOfChannel = 1032, 422, "error.payment_code_not_of_channel", false;
    /// This payment code was charged for another attempt before. Nothing was sent.
    PaymentCodeUsed = 1033, 409, "error.payment_code_used", false;
    /// Another payment code was charged for this attempt before: ask how it stands.
    PaymentCodeGiven = 1034, 409, "error.payment_code_given", false;
    /// The attempt takes no payment code: it is no code attempt, or it is over. Nothing was sent.
    AttemptNotChargeable = 1035, 409, "error.attempt_not_chargeable", false;
    /// The attempt's order belongs to another terminal. Nothing was sent.
    AttemptElsewhere = 1036, 403, "error.attempt_elsewhere", false;
    /// Payments that go through this account have no result yet. Another merchant's cannot take its
    /// place until they have one; nothing was changed.
    PaymentsOpen = 1037, 409, "error.payments_open", true;
    /// The person named is no active manager of the store.
    NoManager = 1040, 403, "error.approver_no_manager", false;
    /// Keys of payment channels are entered at the server alone. Nothing was kept.
    KeysElsewhere = 1041, 403, "error.keys_elsewhere", false;
    /// The rules are others by now than those that were to be changed. Nothing was changed.
    RulesMoved = 1042, 409, "error.rules_moved", false;
    /// The change does not fit; `field` says where. Nothing was changed.
    RulesUnfit = 1043, 422, "error.rules_unfit", false;
    /// The person named took the money, and another manager of the store could let it be credited.
    OwnRelease = 1047, 403, "error.release_own", false;
    /// The books lie within the terminal that asks: no other reaches them. Nobody was let in.
    NoWayIn = 1048, 409, "error.no_way_in", false;
    /// A terminal takes no part in its own end: another one of the store does.
    OwnTerminal = 1049, 409, "error.own_terminal", false;
    /// A call in a manager's name without the terminal's signature over an open challenge; `challenge`
    /// is a new one. Nothing was done.
    CallUnsigned = 1070, 401, "error.call_unsigned", true;
    /// A defect; the log of the server names it.
    Internal = 1099, 500, "error.internal", true;
}

impl RefusalCodeDto {
    /// Key of its sentence in the message catalogues.
    pub const fn message_key(self) -> &'static str {
        match self {
            RefusalCodeDto::MemberUnknown => "refusal.member_unknown",
            RefusalCodeDto::MemberNotActive => "refusal.member_not_active",
            RefusalCodeDto::AmountOutOfRange => "refusal.amount_out_of_range",
            RefusalCodeDto::AmountNotOnSale => "refusal.amount_not_on_sale",
            RefusalCodeDto::PackageNotOnSale => "refusal.package_not_on_sale",
            RefusalCodeDto::QuoteStale => "refusal.quote_stale",
            RefusalCodeDto::QuoteChanged => "refusal.quote_changed",
            RefusalCodeDto::LimitBlocked => "refusal.limit_blocked",
            RefusalCodeDto::ReviewNeeded => "refusal.review_needed",
            RefusalCodeDto::DuplicateSuspected => "refusal.duplicate_suspected",
            RefusalCodeDto::OrderUnknown => "refusal.order_unknown",
            RefusalCodeDto::OrderState => "refusal.order_state",
            RefusalCodeDto::AttemptOpen => "refusal.attempt_open",
            RefusalCodeDto::AttemptUnknown => "refusal.attempt_unknown",
            RefusalCodeDto::AttemptState => "refusal.attempt_state",
            RefusalCodeDto::AmountDiffers => "refusal.amount_differs",
            RefusalCodeDto::ChannelNotOffered => "refusal.channel_not_offered",
            RefusalCodeDto::OrderElsewhere => "refusal.order_elsewhere",
            RefusalCodeDto::ShiftNotOpen => "refusal.shift_not_open",
            RefusalCodeDto::ShiftAlreadyOpen => "refusal.shift_already_open",
            RefusalCodeDto::StaffUnknown => "refusal.staff_unknown",
            RefusalCodeDto::RoleNotAllowed => "refusal.role_not_allowed",
            RefusalCodeDto::ServerOnly => "refusal.server_only",
            RefusalCodeDto::NumberTaken => "refusal.number_taken",
            RefusalCodeDto::ReviewRefused => "refusal.review_refused",
            RefusalCodeDto::PolicyUnknown => "refusal.policy_unknown",
            RefusalCodeDto::LeaseUnknown => "refusal.lease_unknown",
            RefusalCodeDto::LeaseNotCovered => "refusal.lease_not_covered",
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_code_has_its_own_number_and_key() {
        let mut numbers = HashSet::new();
        let mut keys = HashSet::new();
        for &code in ErrorCode::ALL {
            assert_eq!(ErrorCode::from_number(code.number()), Some(code));
            assert!(numbers.insert(code.number()), "{code:?}");
            assert!(keys.insert(code.message_key()), "{code:?}");
        }
        for &code in RefusalCodeDto::ALL {
            assert!(numbers.insert(code.number()), "{code:?}");
            assert!(keys.insert(code.message_key()), "{code:?}");
        }
    }

    #[test]
    fn parameters_travel() {
        let error = ApiError::new(ErrorCode::NotFound).with("order", "CZ1");
        let json = serde_json::to_string(&error).unwrap();
        let back: ApiError = serde_json::from_str(&json).unwrap();
        assert_eq!(back, error);
        assert_eq!(back.error_code(), Some(ErrorCode::NotFound));
    }
}
