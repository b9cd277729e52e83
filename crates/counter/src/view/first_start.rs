//! A shop that is made in the window, screen by screen.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::view::brand::BrandView;
use crate::view::session::{Language, PrinterSetting, RoleView, Settings, StaffTile};
use crate::view::top_up::ChannelView;

/// What has been answered so far. Every answer is kept before it is shown here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct FirstStart {
    /// The screen.
    pub step: SetUpStep,
    /// The furthest screen that may be shown: what comes before it is answered.
    pub reached: SetUpStep,
    /// Name, trade and rules; none before they were chosen.
    pub shop: Option<NewShop>,
    /// The recovery code in groups of four characters, until it is on paper.
    pub code: Option<String>,
    /// Who works in the shop.
    pub people: Vec<StaffTile>,
    /// What a receipt says of the shop.
    pub receipt: ReceiptHeader,
    /// Looks and printer of this terminal.
    pub settings: Settings,
    /// Payment methods in the order of the counter.
    pub methods: Vec<ChannelView>,
    /// Where the money of the shop's own code goes, where that is one of them.
    pub merchant_account: Option<MerchantAccountView>,
}

/// The screens in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum SetUpStep {
    /// Create a shop, join one, or practise.
    Welcome,
    /// Name, trade and rules.
    Shop,
    /// The recovery code.
    Code,
    /// Owner and staff.
    People,
    /// What a receipt says of the shop.
    Receipt,
    /// The printer.
    Printer,
    /// Payment methods; with them the shop opens.
    Methods,
}

/// An answer. The last one opens the shop.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum SetUp {
    /// Language of the screen.
    Language {
        /// Which.
        language: Language,
    },
    /// Shows another screen that was reached.
    GoTo {
        /// Which.
        step: SetUpStep,
    },
    /// Name, trade and rules.
    Shop {
        /// They.
        shop: NewShop,
    },
    /// One more person works here.
    Person {
        /// Who.
        person: NewPerson,
    },
    /// A person does not work here after all.
    WithoutPerson {
        /// Identity.
        id: String,
    },
    /// What a receipt says of the shop.
    Receipt {
        /// It.
        receipt: ReceiptHeader,
    },
    /// Where receipts go.
    Printer {
        /// The printer.
        printer: PrinterSetting,
    },
    /// Payment methods; with them the shop opens.
    Methods {
        /// They.
        methods: Vec<ChannelView>,
        /// Where the money of the shop's own code goes; wanted where that is one of them.
        merchant_account: Option<MerchantAccountView>,
    },
}

/// A merchant account as it stands in the acquirer's contract.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct MerchantAccountView {
    /// Number of the acquirer, 8 places.
    pub acquirer: String,
    /// Number of the forwarding institution, 8 places.
    pub forwarding: String,
    /// Merchant number, 15 places.
    pub merchant: String,
    /// Merchant category code, 4 digits.
    pub category: String,
    /// Name of the shop in Latin letters.
    pub name: String,
    /// Its city in Latin letters.
    pub city: String,
}

/// Name, trade and rules of a new shop.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct NewShop {
    /// Name on screen and receipt.
    pub name: String,
    /// Trade.
    pub trade: Trade,
    /// Limits by law.
    pub profile: Profile,
    /// Whether larger amounts earn a bonus by the usual ladder.
    pub bonus: bool,
    /// How it looks to its customers. Answers that were kept before shops had colours say nothing
    /// of it.
    #[serde(default)]
    pub brand: BrandView,
}

/// Trades.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Trade {
    /// 健身
    Gym,
    /// 美发
    Salon,
    /// 美容
    Beauty,
}

/// Compliance profiles (docs: domain §3.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Profile {
    /// The national rules for single-purpose prepaid cards.
    CnService,
    /// The rules of Shanghai for gyms.
    ShanghaiGym,
    /// No legal cap.
    Open,
}

/// Somebody who is to work here.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct NewPerson {
    /// Name on screen and receipt.
    pub name: String,
    /// Cashier or manager; the first person is a manager.
    pub role: RoleView,
    /// Digits.
    pub pin: String,
    /// The same digits again.
    pub again: String,
}

/// What a receipt says of the shop besides its name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ReceiptHeader {
    /// Where the shop is.
    pub address: String,
    /// Its phone.
    pub phone: String,
    /// Where members complain.
    pub complaint_phone: String,
    /// One line on refunds.
    pub refund_rule: String,
}
