//! The accounts at payment gateways that a server has, the check of one, and its entry. Keys go up
//! and never come down.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::StandingDto;
use crate::codes::ChannelDto;

/// The accounts of a server. None of what is here opens anything.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct GatewaysAnswer {
    /// Whether accounts are entered by this interface, by the terminal in the server's process.
    /// Elsewhere they stand in the server's settings file.
    pub entered_here: bool,
    /// Those that can be set up, in the order of the screen; none where all is simulated.
    pub gateways: Vec<GatewayDto>,
}

/// One account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct GatewayDto {
    /// `wechat`, `alipay`, `unionpay`, `shouqianba`.
    pub name: String,
    /// What is paid through it.
    pub carries: Vec<ChannelDto>,
    /// Whether anything is set up for it.
    pub set_up: bool,
    /// Whether it is open and answers.
    pub standing: StandingDto,
    /// Keys and certificates in force that end within a month or have ended, soonest first.
    #[serde(default)]
    pub ends: Vec<GatewayEndDto>,
    /// What is filled in by this interface; none where the settings file says it.
    pub fields: Vec<GatewayFieldDto>,
}

/// A credential that ends soon.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct GatewayEndDto {
    /// Which, as a field or a settings file names it.
    pub place: String,
    /// Whole days left; below nothing once it has ended.
    pub days: i64,
}

/// One field of an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct GatewayFieldDto {
    /// Its name, such as `public_keys.0.key`.
    pub place: String,
    /// What is entered.
    pub kind: GatewayFieldKindDto,
    /// False where most shops leave it empty.
    pub needed: bool,
    /// Whether there is something in it. What, is not told.
    pub filled: bool,
}

/// What is entered into a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum GatewayFieldKindDto {
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

/// Asks for the check of an account, in the name of a manager. Nobody is charged.
///
/// With fields, these are first laid over what is kept; what passes every step is kept and in force at
/// once, and what does not changes nothing. Only the terminal in the server's process may send
/// them; others get `keys_elsewhere`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct GatewayCheckRequest {
    /// Who asks: an active manager of the store. The terminal has checked the PIN.
    pub manager: Uuid,
    /// What was entered, by place. An empty text takes out what is kept.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub entered: BTreeMap<String, String>,
}

impl fmt::Debug for GatewayCheckRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let places: Vec<&String> = self.entered.keys().collect();
        let manager = self.manager;
        write!(f, "GatewayCheckRequest({manager}, {places:?} hidden)")
    }
}

/// What the check of an account found, step by step up to the first that failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct GatewayCheckAnswer {
    /// Whether payments can be taken through it.
    pub good: bool,
    /// Whether what was entered is kept and in force now.
    pub in_force: bool,
    /// Host of the gateway, once the settings could be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// In order.
    pub findings: Vec<CheckFindingDto>,
}

/// One finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "found", rename_all = "snake_case")]
pub enum CheckFindingDto {
    /// A step passed.
    Passed {
        /// Which.
        step: CheckStepDto,
    },
    /// Good to know; it stops nothing.
    Remark {
        /// What.
        remark: CheckRemarkDto,
        /// The credential, where it is about one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        place: Option<String>,
        /// Days left, or seconds that the server's clock is ahead.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        count: Option<i64>,
    },
    /// A step failed, and those after it were not tried.
    Failed {
        /// Which.
        step: CheckStepDto,
        /// Why.
        fault: CheckFaultDto,
        /// The field, where it is one's.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        place: Option<String>,
        /// Days, seconds, bytes or a port, by the fault.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        count: Option<i64>,
        /// For whoever helps: the gateway's words, a path, a number. Never a key.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        detail: Option<String>,
    },
}

// A word is a token, not a `literal`: utoipa does not see into the group that a `literal` comes in.
macro_rules! words {
    ($($(#[$doc:meta])* $name:ident { $($(#[$about:meta])* $variant:ident = $word:tt,)* })*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
        pub enum $name {
            $($(#[$about])* #[serde(rename = $word)] $variant,)*
        }

        impl $name {
            /// Every value, in order.
            pub const ALL: &[$name] = &[$($name::$variant),*];

            /// As it is written.
            pub const fn word(self) -> &'static str {
                match self { $($name::$variant => $word,)* }
            }
        }
    )*};
}

words! {
    /// Steps of a check, in order.
    CheckStepDto {
        /// Everything is filled in, can be read, and numbers have their form.
        Filled = "filled",
        /// The shop's own keys can be read.
        OwnKey = "own_key",
        /// The shop's key fits its certificate, and that names its merchant.
        OwnCertificate = "own_certificate",
        /// The shop's certificate holds now.
        Dates = "dates",
        /// The gateway's keys can be read and are the gateway's.
        GatewayKey = "gateway_key",
        /// The gateway's name is found and takes connections.
        Reach = "reach",
        /// The connection is encrypted and answered.
        Secure = "secure",
        /// The server's clock is the gateway's.
        Clock = "clock",
        /// The gateway has made the server a terminal; looked at where a gateway has terminals.
        Activated = "activated",
        /// The gateway accepts the shop's signature, and its answer is accepted.
        Accepted = "accepted",
    }

    /// What is good to know.
    CheckRemarkDto {
        /// The way to the gateway is not encrypted, as to a simulated one.
        Plain = "plain",
        /// The server's clock is somewhat off.
        ClockOff = "clock_off",
        /// A credential ends soon.
        EndsSoon = "ends_soon",
    }

    /// Why a step failed.
    CheckFaultDto {
        /// A file, variable or key that the settings name cannot be read.
        Unreadable = "unreadable",
        /// Settings that a channel cannot be opened with.
        Unusable = "unusable",
        /// A field is empty.
        Missing = "missing",
        /// Key mode and certificate mode are both filled in.
        TwoModes = "two_modes",
        /// A number of another form than the gateway gives out.
        Malformed = "malformed",
        /// No private key, or one with a password.
        NotAPrivateKey = "not_a_private_key",
        /// No public key.
        NotAPublicKey = "not_a_public_key",
        /// No certificate.
        NotACertificate = "not_a_certificate",
        /// No PKCS#12 file, or the password is not its own.
        NotAKeyStore = "not_a_key_store",
        /// No RSA key, or one that is too short.
        WeakKey = "weak_key",
        /// A key that is not 32 bytes long.
        NotThirtyTwo = "not_thirty_two",
        /// The private key is not the certificate's.
        NotOfCertificate = "not_of_certificate",
        /// The certificate names another merchant.
        OfAnother = "of_another",
        /// The certificate does not hold yet.
        NotYetValid = "not_yet_valid",
        /// The certificate has ended.
        Expired = "expired",
        /// The shop's own public key stands where the gateway's belongs.
        OwnKey = "own_key",
        /// The cryptographic library cannot use it.
        NotUsable = "not_usable",
        /// The address of the gateway is none, or its way would not be encrypted.
        Address = "address",
        /// Its name is not resolved.
        NoName = "no_name",
        /// Nobody takes a connection there.
        NoConnection = "no_connection",
        /// No encrypted connection comes about.
        NoTls = "no_tls",
        /// Nothing comes back.
        NoAnswer = "no_answer",
        /// The server's clock is too far off.
        ClockOff = "clock_off",
        /// The gateway does not know the vendor's number, or its key is another.
        VendorRefused = "vendor_refused",
        /// The gateway does not take the activation code.
        ActivationRefused = "activation_refused",
        /// Nobody knows whether the terminal was activated; entering the same again is safe.
        ActivationUnclear = "activation_unclear",
        /// The terminal was activated, and its key could not be kept; entering the same again is safe.
        TerminalNotKept = "terminal_not_kept",
        /// The gateway does not accept the shop's signature.
        SignatureRefused = "signature_refused",
        /// The gateway says that the clock is wrong.
        ClockRefused = "clock_refused",
        /// The merchant may not use this product.
        NotPermitted = "not_permitted",
        /// The merchant may not receive money at present.
        MerchantBlocked = "merchant_blocked",
        /// A number of the shop's is likely wrong.
        BadRequest = "bad_request",
        /// The answer is not signed with a key that the server holds.
        AnswerUnsigned = "answer_unsigned",
        /// No answer that could be used.
        NoUsableAnswer = "no_usable_answer",
    }
}

#[cfg(test)]
mod tests {
    use utoipa::PartialSchema;

    use super::*;

    #[test]
    fn a_key_that_is_entered_is_not_printed() {
        let json = r#"{"manager":"00000000-0000-0000-0000-000000000001","entered":{"private_key":"5ec2e7"}}"#;
        let request: GatewayCheckRequest = serde_json::from_str(json).expect("a request");
        let printed = format!("{request:?}");
        assert!(printed.contains("private_key"), "{printed}");
        assert!(!printed.contains("5ec2e7"), "{printed}");
    }

    #[test]
    fn a_fault_is_written_by_its_word() {
        for fault in CheckFaultDto::ALL {
            let written = serde_json::to_value(fault).expect("a word");
            assert_eq!(written, fault.word());
        }
    }

    #[test]
    fn the_document_says_what_is_written() {
        fn check<T: Serialize + PartialSchema>(all: &[T]) {
            let document = serde_json::to_value(T::schema()).expect("a schema");
            let written = serde_json::to_value(all).expect("words");
            assert_eq!(document["enum"], written);
        }
        check(CheckStepDto::ALL);
        check(CheckRemarkDto::ALL);
        check(CheckFaultDto::ALL);
    }
}
