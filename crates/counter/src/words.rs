//! Keys of sentences for stable codes. The sentences themselves are in ui/messages.

use qiantai_core::attempt::{AttemptState, ConfigFault, DeclineCode, PaymentAttempt};
use qiantai_core::decide::RefusalCode;
use qiantai_core::ledger::CaseKind;
use qiantai_core::operation::OperationBody;
use qiantai_sync::StopReason;

/// Key of a refusal, below `error.`.
pub fn refusal(code: RefusalCode) -> &'static str {
    match code {
        RefusalCode::MemberUnknown => "member_unknown",
        RefusalCode::MemberNotActive => "member_not_active",
        RefusalCode::AmountOutOfRange => "amount_out_of_range",
        RefusalCode::AmountNotOnSale => "amount_not_on_sale",
        RefusalCode::PackageNotOnSale => "package_not_on_sale",
        RefusalCode::QuoteStale => "quote_stale",
        RefusalCode::QuoteChanged => "quote_changed",
        RefusalCode::LimitBlocked => "limit_blocked",
        RefusalCode::ReviewNeeded => "review_needed",
        RefusalCode::DuplicateSuspected => "duplicate_suspected",
        RefusalCode::OrderUnknown => "order_unknown",
        RefusalCode::OrderState => "order_state",
        RefusalCode::AttemptOpen => "attempt_open",
        RefusalCode::AttemptUnknown => "attempt_unknown",
        RefusalCode::AttemptState => "attempt_state",
        RefusalCode::AmountDiffers => "amount_differs",
        RefusalCode::ChannelNotOffered => "channel_not_offered",
        RefusalCode::OrderElsewhere => "order_elsewhere",
        RefusalCode::ShiftNotOpen => "shift_not_open",
        RefusalCode::ShiftAlreadyOpen => "shift_already_open",
        RefusalCode::StaffUnknown => "staff_unknown",
        RefusalCode::RoleNotAllowed => "role_not_allowed",
        RefusalCode::ServerOnly => "server_only",
        RefusalCode::NumberTaken => "number_taken",
        RefusalCode::ReviewRefused => "review_refused",
        RefusalCode::PolicyUnknown => "policy_unknown",
        RefusalCode::LeaseUnknown => "lease_unknown",
        RefusalCode::LeaseNotCovered => "lease_not_covered",
    }
}

/// Key of a decline, below `decline.`.
pub fn decline(code: DeclineCode) -> &'static str {
    match code {
        DeclineCode::BalanceShort => "balance_short",
        DeclineCode::CardBalanceShort => "card_balance_short",
        DeclineCode::DailyLimit => "daily_limit",
        DeclineCode::MonthlyLimit => "monthly_limit",
        DeclineCode::SingleLimit => "single_limit",
        DeclineCode::MerchantLimit => "merchant_limit",
        DeclineCode::CodeExpired => "code_expired",
        DeclineCode::CodeInvalid => "code_invalid",
        DeclineCode::CardNotSupported => "card_not_supported",
        DeclineCode::IssuerRefused => "issuer_refused",
        DeclineCode::PasswordTries => "password_tries",
        DeclineCode::RiskControl => "risk_control",
        DeclineCode::AccountUnusable => "account_unusable",
        DeclineCode::CustomerCancelled => "customer_cancelled",
        DeclineCode::PayerIsMerchant => "payer_is_merchant",
        DeclineCode::NotCompleted => "not_completed",
        DeclineCode::FeatureOff => "feature_off",
        DeclineCode::PhoneNotReached => "phone_not_reached",
    }
}

/// Key of what is wrong with the set-up at a gateway, below `decline.`.
pub fn config_fault(fault: Option<ConfigFault>) -> &'static str {
    match fault {
        None | Some(ConfigFault::Signature) => "config_error",
        Some(ConfigFault::Clock) => "config_clock",
        Some(ConfigFault::NotPermitted) => "config_not_permitted",
        Some(ConfigFault::MerchantBlocked) => "config_merchant_blocked",
        Some(ConfigFault::BadRequest) => "config_bad_request",
        Some(ConfigFault::ForbiddenWord) => "config_forbidden_word",
    }
}

/// Key of why an attempt failed, below `decline.`; `None` for one that did not.
pub fn failure(attempt: &PaymentAttempt) -> Option<&'static str> {
    (attempt.state == AttemptState::Failed).then(|| match attempt.decline {
        Some(code) => decline(code),
        None => config_fault(attempt.config_fault),
    })
}

/// Key of how a reversal ended, below `decline.`.
pub fn reversed(attempt: &PaymentAttempt) -> &'static str {
    match attempt.money_returned {
        Some(true) => "reversed_and_returned",
        Some(false) => "reversed",
        None => "reversed_if_paid",
    }
}

/// Key of why the server takes nothing more, below `stop.`.
pub fn stop(reason: StopReason) -> &'static str {
    match reason {
        StopReason::Unauthorised => "unauthorised",
        StopReason::Revoked => "revoked",
        StopReason::Untrusted => "untrusted",
        StopReason::Forked => "forked",
        StopReason::ServerBehind => "server_behind",
        StopReason::UpgradeNeeded => "upgrade_needed",
        StopReason::Rejected { .. } => "rejected",
        StopReason::LocalLog => "local_log",
    }
}

/// Key of the cause of a case, below `case.` and `case_advice.`.
pub fn case(kind: CaseKind) -> &'static str {
    match kind {
        CaseKind::AmountMismatch => "amount_mismatch",
        CaseKind::LatePayment => "late_payment",
        CaseKind::SecondPayment => "second_payment",
        CaseKind::CreditBlocked => "credit_blocked",
        CaseKind::LimitPassed => "limit_passed",
        CaseKind::QuoteDiffers => "quote_differs",
        CaseKind::DuplicateSuspected => "duplicate_suspected",
        CaseKind::ActionReused => "action_reused",
        CaseKind::ShiftIrregular => "shift_irregular",
        CaseKind::StaffIrregular => "staff_irregular",
        CaseKind::Unattributed => "unattributed",
        CaseKind::Held => "held",
        CaseKind::Fork => "fork",
        CaseKind::ClockWrong => "clock_wrong",
        CaseKind::ReferenceUsed => "reference_used",
        CaseKind::LeaseExceeded => "lease_exceeded",
        CaseKind::Overdrawn => "overdrawn",
        CaseKind::MemberInactive => "member_inactive",
        CaseKind::PaidElsewhere => "paid_elsewhere",
        CaseKind::ReversalUnclear => "reversal_unclear",
        CaseKind::NoticeUnconfirmed => "notice_unconfirmed",
        CaseKind::ReturnedOutside => "returned_outside",
    }
}

/// Key of what an operation did, below `operation.`.
pub fn operation(body: &OperationBody) -> &'static str {
    match body {
        OperationBody::ShiftOpen(_) => "shift_open",
        OperationBody::RechargeOpen(_) => "recharge_open",
        OperationBody::AttemptStart(_) => "attempt_start",
        OperationBody::RechargeCash(_) => "recharge_cash",
        OperationBody::RechargeRecorded(_) => "recharge_recorded",
        OperationBody::RechargeCancel { .. } => "recharge_cancel",
        OperationBody::ReceiptReprint { .. } => "receipt_reprint",
        OperationBody::MemberCreate(_) => "member_create",
        OperationBody::PolicyPublish { .. } => "policy_publish",
        OperationBody::DeviceEnrol(_) => "device_enrol",
        OperationBody::MemberRegister(_) => "member_register",
        OperationBody::OpeningBalance(_) => "opening_balance",
        OperationBody::AttemptResult(_) => "attempt_result",
        OperationBody::OrderExpire { .. } => "order_expire",
        OperationBody::SurplusRefunded(_) => "surplus_refunded",
        OperationBody::CreditRetry { .. } => "credit_retry",
        OperationBody::SpendOffline(_) => "spend_offline",
        OperationBody::LeaseRelease(_) => "lease_release",
        OperationBody::DrawerOpen(_) => "drawer_open",
        OperationBody::LeaseGrant(_) => "lease_grant",
        OperationBody::LeaseLost(_) => "lease_lost",
    }
}
