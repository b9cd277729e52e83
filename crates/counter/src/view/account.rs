//! The accounts at payment gateways, and what is wrong with one. Nothing here opens anything, except
//! what is entered.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::view::top_up::ChannelView;

/// The accounts of the shop's server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct PaymentAccounts {
    /// Whether they are entered here; else they stand in the settings file of a server elsewhere.
    pub entered_here: bool,
    /// Those that can be set up; none where all is simulated.
    pub accounts: Vec<PaymentAccount>,
}

/// One account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct PaymentAccount {
    /// `wechat`, `alipay`, `unionpay`, `shouqianba`.
    pub name: String,
    /// What is paid through it.
    pub channels: Vec<ChannelView>,
    /// How it stands.
    pub state: AccountState,
    /// What is good to know without a check: what ends soon.
    pub remarks: Vec<AccountRemark>,
    /// What is filled in here.
    pub fields: Vec<AccountField>,
}

/// How an account stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum AccountState {
    /// It answers, as far as is known.
    Up,
    /// Its gateway fails; the server tries it until it is back.
    Down,
    /// It is set up and does not open: something in it is wrong.
    Closed,
    /// Nothing is set up for it.
    NotSetUp,
}

/// One field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct AccountField {
    /// Its name.
    pub place: String,
    /// What is entered.
    pub kind: AccountFieldKind,
    /// False where most shops leave it empty.
    pub needed: bool,
    /// Whether there is something in it. What, is not told.
    pub filled: bool,
}

/// What is entered into a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum AccountFieldKind {
    /// A number, a name or an address.
    Plain,
    /// One line that nobody may see.
    Secret,
    /// A private key: text of several lines.
    Key,
    /// A public key or certificate: text of several lines.
    Certificate,
    /// A binary file, in base64.
    File,
}

/// Has an account checked, or enters it. Not printed: it may hold keys.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct CheckAccount {
    /// Which.
    pub name: String,
    /// What was entered, by field; nothing for a check alone. An empty text takes out what was there.
    pub entered: BTreeMap<String, String>,
    /// The PIN of the manager who is signed in, where something is entered.
    pub pin: Option<String>,
}

/// What a check found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct AccountCheck {
    /// Whether payments can be taken.
    pub good: bool,
    /// Whether what was entered is kept and in force now.
    pub in_force: bool,
    /// Every step, in order.
    pub steps: Vec<AccountStep>,
    /// What is good to know.
    pub remarks: Vec<AccountRemark>,
}

/// One step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct AccountStep {
    /// Key of what is looked at.
    pub name_key: String,
    /// What came out.
    pub state: StepState,
    /// Why it failed.
    pub fault: Option<AccountFault>,
}

/// What came out of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum StepState {
    /// In order.
    Passed,
    /// Not in order.
    Failed,
    /// Not looked at: one before it failed, or there was nothing to look at.
    Skipped,
}

/// Why a step failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct AccountFault {
    /// Key of the sentence: what is wrong, and what to do.
    pub message_key: String,
    /// Values for it.
    pub params: BTreeMap<String, String>,
    /// The field, where it is one's.
    pub place: Option<String>,
    /// For whoever helps; never a key.
    pub detail: Option<String>,
}

/// Something to know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct AccountRemark {
    /// Key of its sentence.
    pub message_key: String,
    /// Values for it.
    pub params: BTreeMap<String, String>,
    /// The field, where it is about one.
    pub place: Option<String>,
}
