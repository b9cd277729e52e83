//! Somebody becomes a member.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::view::member::MemberHit;

/// Begins a registration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct NewMemberForm {
    /// Names this intent: sending it twice registers once.
    pub intent: String,
}

/// What was typed so far.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct NewMember {
    /// The intent of the form.
    pub intent: String,
    /// Name.
    pub name: String,
    /// Mobile phone.
    pub phone: String,
    /// Number of the member card, or empty.
    pub card_no: String,
}

/// What is wrong with it, and who may be the same person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct NewMemberCheck {
    /// Key of what is wrong with the name.
    pub name: Option<String>,
    /// Key of what is wrong with the phone.
    pub phone: Option<String>,
    /// True while the phone is right as far as it was typed.
    pub phone_begun: bool,
    /// Key of what is wrong with the card.
    pub card_no: Option<String>,
    /// Members who have this phone or card already: one of them is meant.
    pub registered: Vec<MemberHit>,
    /// Members of the same name, who are other people as long as their phones differ.
    pub namesakes: Vec<MemberHit>,
    /// The member may be registered as typed.
    pub ready: bool,
}
