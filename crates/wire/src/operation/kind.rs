//! Numbers of the kinds of operation. Terminals' kinds are below 24 (one byte in CBOR).

use qiantai_core::operation::OperationBody;
use qiantai_core::recorded_payment::RecordedMethod;

macro_rules! kinds {
    ($($(#[$doc:meta])* $pattern:pat => $variant:ident, $number:literal, $version:literal,
        $name:literal;)*) => {
        /// What an operation does. Numbers are stable and never reused.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(u16)]
        pub enum Kind {
            $($(#[$doc])* $variant = $number,)*
        }

        impl Kind {
            /// Every kind, by rising number.
            pub const ALL: &[Kind] = &[$(Kind::$variant),*];

            /// The stable number.
            pub const fn number(self) -> u16 {
                self as u16
            }

            /// The kind with that number, or `None` when this version does not know it.
            pub const fn from_number(number: u16) -> Option<Kind> {
                match number {
                    $($number => Some(Kind::$variant),)*
                    _ => None,
                }
            }

            /// The newest version of its body that is known here.
            pub const fn version(self) -> u16 {
                match self { $(Kind::$variant => $version,)* }
            }

            /// Its name in logs and documents.
            pub const fn name(self) -> &'static str {
                match self { $(Kind::$variant => $name,)* }
            }

            /// The kind of a body.
            pub const fn of(body: &OperationBody) -> Kind {
                match body { $($pattern => Kind::$variant,)* }
            }
        }
    };
}

kinds! {
    /// A shift began.
    OperationBody::ShiftOpen(_) => ShiftOpen, 1, 1, "shift.open";
    /// Open an order.
    OperationBody::RechargeOpen(_) => RechargeOpen, 2, 2, "recharge.open";
    /// Ask a gateway for the money.
    OperationBody::AttemptStart(_) => AttemptStart, 3, 1, "attempt.start";
    /// Cash was taken.
    OperationBody::RechargeCash(_) => RechargeCash, 4, 2, "recharge.cash";
    /// Stop waiting.
    OperationBody::RechargeCancel { .. } => RechargeCancel, 5, 1, "recharge.cancel";
    /// A receipt was printed again.
    OperationBody::ReceiptReprint { .. } => ReceiptReprint, 6, 2, "receipt.reprint";
    /// Somebody became a member at the counter.
    OperationBody::MemberCreate(_) => MemberCreate, 7, 1, "member.create";
    /// Money was taken outside any gateway.
    OperationBody::RechargeRecorded(_) => RechargeRecorded, 8, 3, "recharge.recorded";
    /// A service was paid from stored value without the server.
    OperationBody::SpendOffline(_) => SpendOffline, 9, 1, "spend.offline";
    /// A terminal gave a lease back.
    OperationBody::LeaseRelease(_) => LeaseRelease, 10, 1, "lease.release";
    /// The drawer was opened without a sale.
    OperationBody::DrawerOpen(_) => DrawerOpen, 11, 1, "drawer.open";
    /// Rules were published.
    OperationBody::PolicyPublish { .. } => PolicyPublish, 64, 1, "policy.publish";
    /// A terminal joined.
    OperationBody::DeviceEnrol(_) => DeviceEnrol, 65, 1, "device.enrol";
    /// A member was registered.
    OperationBody::MemberRegister(_) => MemberRegister, 66, 1, "member.register";
    /// Balances were brought from an older system.
    OperationBody::OpeningBalance(_) => OpeningBalance, 67, 1, "opening.balance";
    /// A gateway answered.
    OperationBody::AttemptResult(_) => AttemptResult, 68, 1, "attempt.result";
    /// An order waited too long.
    OperationBody::OrderExpire { .. } => OrderExpire, 69, 1, "order.expire";
    /// A second success was sent back.
    OperationBody::SurplusRefunded(_) => SurplusRefunded, 70, 1, "surplus.refunded";
    /// Try again to credit.
    OperationBody::CreditRetry { .. } => CreditRetry, 71, 1, "credit.retry";
    /// A terminal may spend a member's stored value.
    OperationBody::LeaseGrant(_) => LeaseGrant, 72, 1, "lease.grant";
    /// The terminal of a lease will not come back.
    OperationBody::LeaseLost(_) => LeaseLost, 73, 1, "lease.lost";
}

impl Kind {
    /// True for facts that a terminal prints on receipts.
    pub const fn is_on_receipts(self) -> bool {
        matches!(self, Kind::RechargeCash | Kind::RechargeRecorded)
    }

    /// True for facts of a terminal that hold whatever it did before. Absent: giving a lease back,
    /// which says that no payment draws on it any more and holds only after all payments.
    pub const fn stands_alone(self) -> bool {
        matches!(
            self,
            Kind::ShiftOpen
                | Kind::RechargeCash
                | Kind::RechargeRecorded
                | Kind::ReceiptReprint
                | Kind::MemberCreate
                | Kind::SpendOffline
                | Kind::DrawerOpen
        )
    }
}

/// The version that a body is written in: the first that can say all of it. Older servers read
/// what needs no newer one, and bytes that were signed before stay the only form of their content.
pub const fn version_of(body: &OperationBody) -> u16 {
    match body {
        OperationBody::RechargeOpen(open) if open.cash_part.is_some() => 2,
        OperationBody::RechargeCash(cash) if cash.approval.is_some() => 2,
        OperationBody::ReceiptReprint { approval, .. } if approval.is_some() => 2,
        OperationBody::RechargeRecorded(recorded) => match recorded.method {
            RecordedMethod::ShopCode => 3,
            _ if recorded.cash_part.is_some() => 2,
            _ => 1,
        },
        _ => 1,
    }
}
