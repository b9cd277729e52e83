//! Typed identifiers. All are UUIDv7 made by whoever starts the action, except ids that a
//! decision derives from its operation (see [`OpId::derive`]).

use std::fmt;

use sha2::{Digest, Sha256};
use uuid::{Builder, Uuid};

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub Uuid);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    )*};
}

ids! {
    /// A merchant whose books are one ledger.
    TenantId;
    /// A shop of a tenant.
    StoreId;
    /// A terminal, or the server seen as a device.
    DeviceId;
    /// A member of staff.
    StaffId;
    /// A member; also names the member's one account.
    MemberId;
    /// A batch of stored value created by one credit.
    LotId;
    /// A recharge order.
    OrderId;
    /// A payment attempt.
    AttemptId;
    /// A cashier's shift on one terminal.
    ShiftId;
    /// One signed operation.
    OpId;
    /// The intent of a person, the idempotency key (docs: domain §3.9).
    ActionId;
    /// A stored-value, time or count package.
    PackageId;
    /// A promotion, such as a ladder.
    PromotionId;
    /// A tier of membership.
    TierId;
    /// A kind of coupon.
    CouponTemplateId;
    /// One coupon of a member.
    CouponId;
    /// A lease of stored value to a terminal.
    LeaseId;
    /// An exception case.
    CaseId;
    /// A row that nobody addresses by name: journal entries, log rows, events.
    RowId;
}

impl OpId {
    /// The id of the `index`-th row of kind `purpose` that this operation creates. Replaying the
    /// operation gives the same ids.
    pub fn derive(self, purpose: &str, index: u32) -> Uuid {
        let mut hash = Sha256::new();
        hash.update(self.0.as_bytes());
        hash.update(purpose.as_bytes());
        hash.update(index.to_be_bytes());
        let digest: [u8; 32] = hash.finalize().into();
        let mut bytes = [0_u8; 16];
        bytes.copy_from_slice(&digest[..16]);
        Builder::from_custom_bytes(bytes).into_uuid()
    }
}

#[cfg(test)]
mod tests {
    use super::{OpId, Uuid};

    /// Rows keep the ids that their operation gave them, in every later version.
    #[test]
    fn derived_ids_are_stable_and_apart() {
        let operation = OpId(Uuid::from_u128(7));
        let lot = operation.derive("lot", 0);
        assert_eq!(lot.to_string(), "52de6ebf-58f6-8370-9aaf-05023d1676dd");
        let others = [
            operation.derive("lot", 1),
            operation.derive("row", 0),
            OpId(Uuid::from_u128(8)).derive("lot", 0),
        ];
        assert!(others.iter().all(|other| *other != lot));
    }
}
