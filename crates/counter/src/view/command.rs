//! The command bar: a top-up in one line.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::view::Fen;
use crate::view::member::MemberHit;
use crate::view::top_up::ChannelView;

/// What was typed or dictated.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct CommandLine {
    /// Text.
    pub text: String,
    /// The member at the counter, who is meant when nobody is named.
    pub member_id: Option<String>,
}

/// What was understood. Nothing has happened: a choice only fills the form.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct CommandReading {
    /// Each way to read it, the likeliest first; among several the cashier chooses.
    pub choices: Vec<CommandChoice>,
    /// Not a top-up, but the drawer is to be opened.
    pub drawer: bool,
    /// What is missing, unclear or left to the shop's rules.
    pub remark: Option<CommandRemark>,
}

/// A form that can be filled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct CommandChoice {
    /// Who.
    pub member: MemberHit,
    /// To pay, unless it was not said.
    pub pay_fen: Option<Fen>,
    /// How, unless it was not said.
    pub channel: Option<ChannelView>,
    /// Nobody has the name that was said, and this one sounds the same: never chosen by itself.
    pub sounds_like: bool,
}

/// A sentence for the cashier.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct CommandRemark {
    /// Its key.
    pub message_key: String,
    /// Values for it.
    pub params: BTreeMap<String, String>,
}
