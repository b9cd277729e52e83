//! The body of a registration at the counter.

use minicbor::{Decode, Encode};
use qiantai_core::ids::MemberId;
use qiantai_core::operation::MemberCreate;

use super::envelope::Around;
use super::value::{Id, NumberText};

/// The member is left out when its id is the action's.
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
#[cbor(map)]
pub struct WireMemberCreate {
    #[n(0)]
    member: Option<Id>,
    #[n(1)]
    member_no: NumberText,
}

impl WireMemberCreate {
    pub fn new(body: &MemberCreate, around: &Around) -> WireMemberCreate {
        WireMemberCreate {
            member: (body.member.0 != around.action_id).then_some(body.member.into()),
            member_no: NumberText(body.member_no.clone()),
        }
    }

    pub fn into_core(self, around: &Around) -> MemberCreate {
        MemberCreate {
            member: self
                .member
                .map_or(MemberId(around.action_id), MemberId::from),
            member_no: self.member_no.0,
        }
    }
}
