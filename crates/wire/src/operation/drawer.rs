//! The body that opens a drawer without a sale.

use minicbor::{Decode, Encode};
use qiantai_core::drawer::DrawerOpen;
use qiantai_core::operation::StaffProof;

use super::DecodeError;
use super::body::unknown;
use super::envelope::Staff;
use crate::codes::DrawerReasonDto;

/// The words are left out with every reason that says enough.
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
#[cbor(map)]
pub struct WireDrawerOpen {
    #[n(0)]
    reason: u16,
    #[n(1)]
    words: Option<String>,
    #[n(2)]
    approval: Staff,
}

impl WireDrawerOpen {
    pub fn new(body: &DrawerOpen) -> WireDrawerOpen {
        WireDrawerOpen {
            reason: DrawerReasonDto::from(body.reason).number(),
            words: body.words.clone(),
            approval: Staff::from(body.approval),
        }
    }

    pub fn into_core(self) -> Result<DrawerOpen, DecodeError> {
        let reason = DrawerReasonDto::from_number(self.reason)
            .ok_or_else(|| unknown("drawer reason", self.reason))?;
        let body = DrawerOpen {
            reason: reason.into(),
            words: self.words,
            approval: StaffProof::try_from(self.approval)?,
        };
        match body.is_whole() {
            true => Ok(body),
            false => Err(DecodeError::Malformed(
                "words stand with the reason that has none, and there alone".to_owned(),
            )),
        }
    }
}
