//! Names of states and kinds as they stand in columns. Stable: a name is never reused.

use qiantai_core::attempt::{AttemptState, Channel, ConfigFault, DeclineCode, PayMethod};
use qiantai_core::lease::LeaseState;
use qiantai_core::ledger::{
    BizType, Book, CaseKind, CashMovementKind, CouponState, EarningKind, ShiftState, Topic,
};
use qiantai_core::member::MemberStatus;
use qiantai_core::policy::SpendOrder;
use qiantai_core::recharge::OrderState;

use crate::audit::Act;
use crate::db::{DeliveryState, DeviceStanding, HeldReason, HintState};

/// A value that is stored by name.
pub trait Code: Copy {
    /// Its name.
    fn code(self) -> &'static str;
    /// The value of a name.
    fn from_code(code: &str) -> Option<Self>;
}

macro_rules! codes {
    ($($kind:ident { $($variant:ident = $code:literal),+ $(,)? })+) => {$(
        impl Code for $kind {
            fn code(self) -> &'static str {
                match self { $($kind::$variant => $code),+ }
            }
            fn from_code(code: &str) -> Option<$kind> {
                match code { $($code => Some($kind::$variant),)+ _ => None }
            }
        }
    )+};
}

codes! {
    MemberStatus { Active = "active", Frozen = "frozen", Merged = "merged", Closed = "closed" }
    SpendOrder {
        Proportional = "proportional", BonusLast = "bonus_last", BonusFirst = "bonus_first",
    }
    OrderState {
        Created = "created", PendingReview = "pending_review", Rejected = "rejected",
        PendingPayment = "pending_payment", Paid = "paid", Credited = "credited",
        Cancelled = "cancelled", Closed = "closed", Abnormal = "abnormal",
        PartiallyRefunded = "partially_refunded", Refunded = "refunded", Voided = "voided",
    }
    AttemptState {
        Init = "init", Submitted = "submitted", UserPaying = "user_paying", Unknown = "unknown",
        Succeeded = "succeeded", Failed = "failed", Reversing = "reversing",
        Reversed = "reversed", Closed = "closed",
    }
    Channel {
        Wechat = "wechat", Alipay = "alipay", Unionpay = "unionpay", Ecny = "ecny",
        Card = "card", Cash = "cash", Transfer = "transfer", ShopCode = "shop_code",
    }
    PayMethod { Qr = "qr", Code = "code", Recorded = "recorded" }
    DeclineCode {
        BalanceShort = "balance_short", CardBalanceShort = "card_balance_short",
        DailyLimit = "daily_limit", MonthlyLimit = "monthly_limit",
        SingleLimit = "single_limit", MerchantLimit = "merchant_limit",
        CodeExpired = "code_expired", CodeInvalid = "code_invalid",
        CardNotSupported = "card_not_supported", IssuerRefused = "issuer_refused",
        PasswordTries = "password_tries", RiskControl = "risk_control",
        AccountUnusable = "account_unusable", CustomerCancelled = "customer_cancelled",
        PayerIsMerchant = "payer_is_merchant", NotCompleted = "not_completed",
        FeatureOff = "feature_off", PhoneNotReached = "phone_not_reached",
    }
    ConfigFault {
        Signature = "signature", Clock = "clock", NotPermitted = "not_permitted",
        MerchantBlocked = "merchant_blocked", BadRequest = "bad_request",
        ForbiddenWord = "forbidden_word",
    }
    Book { Money = "money", Bonus = "bonus" }
    BizType { Recharge = "recharge", Opening = "opening", Consume = "consume" }
    LeaseState { Held = "held", Spent = "spent", Released = "released", Lost = "lost" }
    EarningKind { Growth = "growth", Points = "points" }
    CouponState {
        Issued = "issued", Locked = "locked", Used = "used", Expired = "expired",
        Voided = "voided",
    }
    CaseKind {
        AmountMismatch = "amount_mismatch", LatePayment = "late_payment",
        SecondPayment = "second_payment", CreditBlocked = "credit_blocked",
        LimitPassed = "limit_passed", QuoteDiffers = "quote_differs",
        DuplicateSuspected = "duplicate_suspected", ActionReused = "action_reused",
        ShiftIrregular = "shift_irregular", StaffIrregular = "staff_irregular",
        Unattributed = "unattributed", Held = "held", Fork = "fork", ClockWrong = "clock_wrong",
        ReferenceUsed = "reference_used",
        LeaseExceeded = "lease_exceeded", Overdrawn = "overdrawn",
        MemberInactive = "member_inactive",
        PaidElsewhere = "paid_elsewhere", ReversalUnclear = "reversal_unclear",
        NoticeUnconfirmed = "notice_unconfirmed", ReturnedOutside = "returned_outside",
    }
    Topic {
        OrderCreated = "order.created", PaymentSuccess = "payment.success",
        AccountCredited = "account.credited", TierChanged = "tier.changed",
        CouponIssued = "coupon.issued", ShiftOpened = "shift.opened",
        CaseOpened = "case.opened", PaymentSurplus = "payment.surplus",
        ConsumptionSettled = "consumption.settled",
    }
    ShiftState {
        Opening = "opening", Open = "open", Counting = "counting", Closed = "closed",
        Approved = "approved",
    }
    CashMovementKind { Float = "float", Sale = "sale" }
    DeviceStanding { Active = "active", Quarantined = "quarantined", Revoked = "revoked" }
    Act {
        TerminalInvited = "terminal.invited", TerminalJoined = "terminal.joined",
        TerminalRevoked = "terminal.revoked", MembersSent = "members.sent",
        LeasesLost = "leases.lost", OperationsAdmitted = "operations.admitted",
        OperationsRefused = "operations.refused", CreditAsked = "credit.asked",
        RulesChanged = "rules.changed", GatewayChecked = "gateway.checked",
        GatewayEntered = "gateway.entered", BackupMade = "backup.made",
        BooksRestored = "books.restored", BooksAdopted = "books.adopted",
    }
    HintState {
        Open = "open", Confirmed = "confirmed", Denied = "denied", Unclear = "unclear",
    }
    DeliveryState { Pending = "pending", Acked = "acked", Dead = "dead" }
    HeldReason {
        UnknownKind = "unknown_kind", NewerVersion = "newer_version", Malformed = "malformed",
        Invariant = "invariant", Fork = "fork", DeviceNotBelieved = "device_not_believed",
        BeyondGap = "beyond_gap",
    }
}
