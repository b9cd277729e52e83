//! The rules of the shop that a manager changes at the counter.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::view::brand::BrandView;
use crate::view::first_start::{MerchantAccountView, NewPerson, ReceiptHeader};
use crate::view::order::Approval;
use crate::view::session::RoleView;
use crate::view::top_up::ChannelView;

/// What can be changed, as it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ShopRules {
    /// Version of the rules; a change names it.
    pub version: u32,
    /// Name of the shop, on every receipt.
    pub shop: String,
    /// How the shop looks to its customers.
    pub brand: BrandView,
    /// Who works here, who left last.
    pub people: Vec<ShopPerson>,
    /// What a receipt says of the shop.
    pub receipt: ReceiptHeader,
    /// Payment methods in the order of the counter.
    pub methods: Vec<ChannelView>,
    /// Where the money of the shop's own code goes; none where it has none.
    pub merchant_account: Option<MerchantAccountView>,
}

/// Somebody who works here or did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ShopPerson {
    /// Identity.
    pub id: String,
    /// Staff number.
    pub staff_no: String,
    /// Name.
    pub name: String,
    /// Role.
    pub role: RoleView,
    /// False after leaving.
    pub active: bool,
}

/// Changes one thing, with a manager's number and PIN.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ChangeRules {
    /// Version of the rules that are on the screen.
    pub version: u32,
    /// What.
    pub change: RulesChange,
    /// The manager who changes it. Without one the change is looked at and nothing happens: what
    /// fits is answered with `approval_needed`.
    pub approval: Option<Approval>,
}

/// What becomes different.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum RulesChange {
    /// One more person works here.
    Join {
        /// Who.
        person: NewPerson,
    },
    /// A person may do other things.
    Role {
        /// Identity.
        id: String,
        /// Cashier or manager.
        role: RoleView,
    },
    /// A person has a new PIN.
    Pin {
        /// Identity.
        id: String,
        /// Digits.
        pin: String,
        /// The same digits again.
        again: String,
    },
    /// A person works here no longer.
    Leave {
        /// Identity.
        id: String,
    },
    /// A person works here again.
    Return {
        /// Identity.
        id: String,
    },
    /// What a receipt says of the shop.
    Receipt {
        /// It.
        receipt: ReceiptHeader,
    },
    /// Payment methods in the order of the counter.
    Methods {
        /// They.
        methods: Vec<ChannelView>,
    },
    /// Where the money of the shop's own code goes. The first account brings the code to the
    /// counter, behind the other methods.
    Account {
        /// It; none to take it away, and the code with it.
        merchant_account: Option<MerchantAccountView>,
    },
    /// How the shop looks to its customers.
    Brand {
        /// It.
        brand: BrandView,
    },
}
