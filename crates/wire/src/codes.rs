//! Enumerations of the domain as they are written: a word in JSON, a stable number in signed
//! bytes. Numbers are never reused. A variant added to the domain does not compile until it has
//! both here.

use qiantai_core::{
    attempt, brand, decide, drawer, lease, ledger, member, policy, quote, recharge,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

macro_rules! mirror {
    ($($(#[$doc:meta])* $name:ident = $core:path { $($variant:ident = $number:literal),* $(,)? })*) => {$(
        $(#[$doc])*
        #[derive(
            Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
            ToSchema,
        )]
        #[serde(rename_all = "snake_case")]
        #[repr(u16)]
        pub enum $name {
            $(
                #[doc = concat!("The domain's `", stringify!($variant), "`.")]
                $variant = $number,
            )*
        }

        impl $name {
            /// Every value, by rising number.
            pub const ALL: &[$name] = &[$($name::$variant),*];

            /// The stable number.
            pub const fn number(self) -> u16 {
                self as u16
            }

            /// The value with that number, or `None` when this version does not know it.
            pub const fn from_number(number: u16) -> Option<$name> {
                match number {
                    $($number => Some($name::$variant),)*
                    _ => None,
                }
            }
        }

        impl From<$core> for $name {
            fn from(value: $core) -> $name {
                use $core as Core;
                match value { $(Core::$variant => $name::$variant,)* }
            }
        }

        impl From<$name> for $core {
            fn from(value: $name) -> $core {
                use $core as Core;
                match value { $($name::$variant => Core::$variant,)* }
            }
        }
    )*};
}

mirror! {
    /// Payment channels.
    ChannelDto = attempt::Channel {
        Wechat = 1, Alipay = 2, Unionpay = 3, Ecny = 4, Card = 5, Cash = 6, Transfer = 7,
        ShopCode = 8,
    }

    /// How the customer pays within a channel.
    PayMethodDto = attempt::PayMethod { Qr = 1, Code = 2, Recorded = 3 }

    /// Where a payment attempt stands.
    AttemptStateDto = attempt::AttemptState {
        Init = 1, Submitted = 2, UserPaying = 3, Unknown = 4, Succeeded = 5, Failed = 6,
        Reversing = 7, Reversed = 8, Closed = 9,
    }

    /// Why a gateway declined.
    DeclineCodeDto = attempt::DeclineCode {
        BalanceShort = 1, CardBalanceShort = 2, DailyLimit = 3, MonthlyLimit = 4,
        SingleLimit = 5, MerchantLimit = 6, CodeExpired = 7, CodeInvalid = 8,
        CardNotSupported = 9, IssuerRefused = 10, PasswordTries = 11, RiskControl = 12,
        AccountUnusable = 13, CustomerCancelled = 14, PayerIsMerchant = 15, NotCompleted = 16,
        FeatureOff = 17, PhoneNotReached = 18,
    }

    /// What is wrong with the shop's own set-up at a gateway.
    ConfigFaultDto = attempt::ConfigFault {
        Signature = 1, Clock = 2, NotPermitted = 3, MerchantBlocked = 4, BadRequest = 5,
        ForbiddenWord = 6,
    }

    /// Where a recharge order stands.
    OrderStateDto = recharge::OrderState {
        Created = 1, PendingReview = 2, Rejected = 3, PendingPayment = 4, Paid = 5,
        Credited = 6, Cancelled = 7, Closed = 8, Abnormal = 9, PartiallyRefunded = 10,
        Refunded = 11, Voided = 12,
    }

    /// Whether a member's money may move.
    MemberStatusDto = member::MemberStatus { Active = 1, Frozen = 2, Merged = 3, Closed = 4 }

    /// How a payment draws from a lot.
    SpendOrderDto = policy::SpendOrder { Proportional = 1, BonusLast = 2, BonusFirst = 3 }

    /// Trade of a shop.
    StoreKindDto = policy::StoreKind { Gym = 1, Salon = 2, Beauty = 3 }

    /// Colours of a shop.
    AccentDto = brand::Accent {
        Teal = 1, Blue = 2, Purple = 3, Rose = 4, Red = 5, Ochre = 6, Green = 7, Slate = 8,
    }

    /// Roles of staff.
    RoleDto = policy::Role {
        Cashier = 1, Manager = 2, Finance = 3, ExceptionHandler = 4, Auditor = 5,
        HeadOffice = 6,
    }

    /// What a limit measures.
    LimitKindDto = policy::LimitKind {
        OutstandingPrincipal = 1, AllKindsTogether = 2, SingleOrder = 3, CashByPerson = 4,
    }

    /// What happens beyond a limit.
    LimitActionDto = policy::LimitAction { Block = 1, Review = 2, Warn = 3 }

    /// Kinds of rule in a rule snapshot.
    RuleKindDto = quote::RuleKind { Package = 1, Ladder = 2, BonusCap = 3, Tier = 4 }

    /// Whether a rule counted.
    RuleVerdictDto = quote::RuleVerdict {
        Matched = 1, BelowThreshold = 2, OutOfDates = 3, Outranked = 4, Capped = 5,
    }

    /// Where a coupon stands.
    CouponStateDto = ledger::CouponState {
        Issued = 1, Locked = 2, Used = 3, Expired = 4, Voided = 5,
    }

    /// Where a shift stands.
    ShiftStateDto = ledger::ShiftState {
        Opening = 1, Open = 2, Counting = 3, Closed = 4, Approved = 5,
    }

    /// Where a lease stands.
    LeaseStateDto = lease::LeaseState { Held = 1, Spent = 2, Released = 3, Lost = 4 }

    /// What a drawer is opened for when nobody buys anything.
    DrawerReasonDto = drawer::DrawerReason { Change = 1, Count = 2, Mistake = 3, Other = 4 }

    /// Causes of an exception case.
    CaseKindDto = ledger::CaseKind {
        AmountMismatch = 1, LatePayment = 2, SecondPayment = 3, CreditBlocked = 4,
        LimitPassed = 5, QuoteDiffers = 6, DuplicateSuspected = 7, ActionReused = 8,
        Unattributed = 9, Held = 10, Fork = 11, ClockWrong = 12, ShiftIrregular = 13,
        StaffIrregular = 14, ReferenceUsed = 15,
        PaidElsewhere = 16, ReversalUnclear = 17, NoticeUnconfirmed = 18,
        LeaseExceeded = 19, Overdrawn = 20, MemberInactive = 21, ReturnedOutside = 22,
    }

    /// Why a request was refused; the numbers are those of `RefusalCode` in the domain.
    RefusalCodeDto = decide::RefusalCode {
        MemberUnknown = 101, MemberNotActive = 102, AmountOutOfRange = 110,
        AmountNotOnSale = 111, PackageNotOnSale = 112, QuoteStale = 120, QuoteChanged = 121,
        LimitBlocked = 130, ReviewNeeded = 131, DuplicateSuspected = 140, OrderUnknown = 150,
        OrderState = 151, AttemptOpen = 152, AttemptUnknown = 153, AttemptState = 154,
        AmountDiffers = 155, ChannelNotOffered = 156, OrderElsewhere = 157, ShiftNotOpen = 160,
        ShiftAlreadyOpen = 161, StaffUnknown = 170, RoleNotAllowed = 171, ServerOnly = 180,
        NumberTaken = 181, ReviewRefused = 182, PolicyUnknown = 190, LeaseUnknown = 200, LeaseNotCovered = 201,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusal_numbers_are_those_of_the_domain() {
        for &code in RefusalCodeDto::ALL {
            assert_eq!(decide::RefusalCode::from(code) as u16, code.number());
            assert_eq!(RefusalCodeDto::from_number(code.number()), Some(code));
        }
        assert_eq!(RefusalCodeDto::from_number(0), None);
    }

    #[test]
    fn words_are_snake_case() {
        let word = serde_json::to_string(&AttemptStateDto::UserPaying).unwrap();
        assert_eq!(word, "\"user_paying\"");
    }
}
