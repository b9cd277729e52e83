//! Changing the rules of a store at the counter.

use qiantai_core::ids::StaffId;
use qiantai_core::policy::{PinHash, Staff};
use qiantai_core::policy_change::{Person, PolicyChange, ReceiptWords};
use qiantai_core::risk_floor::RiskFloor;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::codes::{ChannelDto, RoleDto};
use crate::feed::{BrandDto, MerchantAccountDto, PolicyDto, Redacted, RiskFloorDto, StaffDto};
use crate::text::Hex;

/// A manager changes one thing about the store. The terminal has checked the PIN; the server looks at
/// the person again. Sent again, it is done once: the version that it starts from tells.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RulesRequest {
    /// Who changes it: an active manager of the store.
    pub manager: Uuid,
    /// Version of the rules that were on the screen; others meanwhile are `rules_moved`.
    pub base_version: u32,
    /// What.
    pub change: RulesChangeDto,
}

/// What becomes different.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum RulesChangeDto {
    /// A person is new.
    Join {
        /// Who.
        staff: StaffDto,
    },
    /// A person is described anew; number and PIN stay. Nobody is taken out of the list: who left is
    /// no longer active.
    Person {
        /// Who.
        id: Uuid,
        /// Name on screen and receipt.
        name: String,
        /// What the person may do; above `manager` only what the person is already.
        role: RoleDto,
        /// False after leaving the shop.
        active: bool,
    },
    /// A person has a new PIN.
    Pin {
        /// Whose.
        id: Uuid,
        /// Salt of its Argon2id, hexadecimal.
        #[schema(value_type = String)]
        pin_salt: Hex<16>,
        /// Argon2id of it, hexadecimal.
        #[schema(value_type = String)]
        pin_hash: Redacted,
    },
    /// What a receipt says of the shop besides its name.
    Receipt {
        /// Where the shop is.
        address: String,
        /// Its phone.
        phone: String,
        /// Where members complain.
        complaint_phone: String,
        /// One line on refunds.
        refund_rule: String,
    },
    /// Payment methods in the order of the screen.
    Methods {
        /// They.
        channels: Vec<ChannelDto>,
    },
    /// Where the money of the shop's own code goes. The first account puts `shop_code` behind the
    /// other methods; without an account it is none of them.
    Account {
        /// It; none to take it away.
        merchant_account: Option<MerchantAccountDto>,
    },
    /// How the shop looks to its customers.
    Brand {
        /// It.
        brand: BrandDto,
    },
    /// What terminals may take of stored value beyond their leases.
    RiskFloor {
        /// It; none to allow nothing.
        risk_floor: Option<RiskFloorDto>,
    },
}

/// The rules as they are now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RulesAnswer {
    /// They.
    pub policy: PolicyDto,
    /// The server's clock.
    pub server_time_ms: i64,
}

impl From<RulesChangeDto> for PolicyChange {
    fn from(dto: RulesChangeDto) -> PolicyChange {
        match dto {
            RulesChangeDto::Join { staff } => PolicyChange::Join(Staff::from(staff)),
            RulesChangeDto::Person {
                id,
                name,
                role,
                active,
            } => PolicyChange::Person(Person {
                id: StaffId(id),
                name,
                role: role.into(),
                active,
            }),
            RulesChangeDto::Pin {
                id,
                pin_salt,
                pin_hash,
            } => PolicyChange::Pin {
                person: StaffId(id),
                pin: PinHash {
                    salt: pin_salt.0,
                    hash: pin_hash.0.0,
                },
            },
            RulesChangeDto::Receipt {
                address,
                phone,
                complaint_phone,
                refund_rule,
            } => PolicyChange::Receipt(ReceiptWords {
                address,
                phone,
                complaint_phone,
                refund_rule,
            }),
            RulesChangeDto::Methods { channels } => {
                PolicyChange::Methods(channels.into_iter().map(Into::into).collect())
            }
            RulesChangeDto::Account { merchant_account } => {
                PolicyChange::Account(merchant_account.map(Into::into))
            }
            RulesChangeDto::Brand { brand } => PolicyChange::Brand(brand.into()),
            RulesChangeDto::RiskFloor { risk_floor } => {
                PolicyChange::RiskFloor(risk_floor.map(Into::into).unwrap_or_default())
            }
        }
    }
}

impl From<&PolicyChange> for RulesChangeDto {
    fn from(change: &PolicyChange) -> RulesChangeDto {
        match change {
            PolicyChange::Join(person) => RulesChangeDto::Join {
                staff: person.into(),
            },
            PolicyChange::Person(person) => RulesChangeDto::Person {
                id: person.id.0,
                name: person.name.clone(),
                role: person.role.into(),
                active: person.active,
            },
            PolicyChange::Pin { person, pin } => RulesChangeDto::Pin {
                id: person.0,
                pin_salt: Hex(pin.salt),
                pin_hash: Redacted(Hex(pin.hash)),
            },
            PolicyChange::Receipt(words) => RulesChangeDto::Receipt {
                address: words.address.clone(),
                phone: words.phone.clone(),
                complaint_phone: words.complaint_phone.clone(),
                refund_rule: words.refund_rule.clone(),
            },
            PolicyChange::Methods(methods) => RulesChangeDto::Methods {
                channels: methods.iter().copied().map(Into::into).collect(),
            },
            PolicyChange::Account(account) => RulesChangeDto::Account {
                merchant_account: account.as_ref().map(Into::into),
            },
            PolicyChange::Brand(brand) => RulesChangeDto::Brand {
                brand: brand.into(),
            },
            PolicyChange::RiskFloor(floor) => RulesChangeDto::RiskFloor {
                risk_floor: (*floor != RiskFloor::default()).then(|| (*floor).into()),
            },
        }
    }
}
