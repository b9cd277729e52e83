//! The start of the application.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::view::first_start::FirstStart;

/// Where the start stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct BootStatus {
    /// What the window should show.
    pub state: BootState,
    /// Present in training mode only.
    pub training: Option<Training>,
    /// Version of the application.
    pub version: String,
}

/// What the window should show at start.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum BootState {
    /// Still opening; a boot event follows.
    Opening,
    /// This terminal belongs to no shop: one is made, or joined.
    FirstStart {
        /// What has been answered so far.
        first_start: Box<FirstStart>,
    },
    /// A new vault was made: show this code once and let it be confirmed.
    ShowRecoveryCode {
        /// Groups of four characters.
        code: String,
    },
    /// Ready to sign in.
    Ready,
    /// The shop's files cannot be opened. Nothing was changed.
    Trouble {
        /// What is wrong.
        cause: TroubleCause,
        /// The folder concerned, for the person who helps.
        folder: String,
        /// Whether the recovery code can open it.
        recoverable: bool,
        /// Whether an enrolment code can help.
        enrollable: bool,
    },
}

/// Why the shop's files cannot be opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum TroubleCause {
    /// The key is gone from the key store of this computer.
    KeyLost,
    /// The key does not open the database, or it is no database.
    DatabaseUnreadable,
    /// The database is damaged.
    DatabaseCorrupt,
    /// The key file is damaged.
    VaultCorrupt,
    /// No room on the disk.
    DiskFull,
    /// Written by a newer version of the application.
    NewerVersion,
    /// Another process works in the folder.
    FolderInUse,
    /// The folder cannot be read or written.
    FolderUnusable,
    /// This terminal has not joined a shop and no enrolment code was given. The first start begins
    /// then, and the window shows that instead.
    NotJoined,
    /// What was given is no enrolment code, or a part of it is missing.
    CodeUnreadable,
    /// The shop's server never made the enrolment code.
    CodeForeign,
    /// Another terminal used the enrolment code.
    CodeUsed,
    /// The enrolment code is too old.
    CodeExpired,
    /// The shop's server could not be reached to join.
    ServerUnreachable,
    /// What answers at the server's address is not the shop's server. Nothing was sent to it.
    ServerUntrusted,
}

impl TroubleCause {
    /// True where this terminal is about to join a shop, and another enrolment code can help.
    pub fn is_of_joining(self) -> bool {
        use TroubleCause::{
            CodeExpired, CodeForeign, CodeUnreadable, CodeUsed, NotJoined, ServerUnreachable,
            ServerUntrusted,
        };
        matches!(
            self,
            NotJoined
                | CodeUnreadable
                | CodeForeign
                | CodeUsed
                | CodeExpired
                | ServerUnreachable
                | ServerUntrusted
        )
    }
}

/// What training mode shows so that nobody mistakes it for the real shop.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Training {
    /// PINs of the sample staff, by staff number.
    pub pins: Vec<(String, String)>,
    /// Address of the customer's phone page.
    pub phone_url: String,
}

/// A recovery code as typed.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct RecoveryCode {
    /// As typed; groups, case and similar letters do not matter.
    pub code: String,
}

/// An enrolment code as typed, pasted or scanned.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct TypedEnrolCode {
    /// From its first to its last character; white space does not matter.
    pub code: String,
}

/// Proof that the recovery code was written down.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct RecoveryAnswer {
    /// The last group of the code.
    pub last_group: String,
}
