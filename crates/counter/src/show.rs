//! From the domain to what the window is shown.

pub mod member;
pub mod order;
pub mod quote;

use qiantai_core::attempt::Channel;
use qiantai_core::ids::{CouponTemplateId, StaffId, TierId};
use qiantai_core::policy::{Policy, Role};

use crate::view::session::RoleView;
use crate::view::top_up::ChannelView;

/// Name of a tier; its id when the policy no longer has it, so that nothing is hidden.
pub fn tier_name(policy: &Policy, tier: TierId) -> String {
    let found = policy.tiers.iter().find(|candidate| candidate.id == tier);
    found.map_or_else(|| tier.to_string(), |tier| tier.name.clone())
}

/// Name of a member of staff; empty when the policy no longer has the person.
pub fn staff_name(policy: &Policy, id: StaffId) -> String {
    let found = policy.staff.iter().find(|person| person.id == id);
    found.map_or_else(String::new, |person| person.name.clone())
}

/// Names and counts of granted coupons.
pub fn coupon_names(policy: &Policy, coupons: &[(CouponTemplateId, u16)]) -> Vec<(String, u16)> {
    let name = |id: CouponTemplateId| {
        let found = policy
            .coupon_templates
            .iter()
            .find(|template| template.id == id);
        found.map_or_else(|| id.to_string(), |template| template.name.clone())
    };
    coupons
        .iter()
        .map(|(id, count)| (name(*id), *count))
        .collect()
}

impl From<Channel> for ChannelView {
    fn from(channel: Channel) -> ChannelView {
        match channel {
            Channel::Wechat => ChannelView::Wechat,
            Channel::Alipay => ChannelView::Alipay,
            Channel::Unionpay => ChannelView::Unionpay,
            Channel::Ecny => ChannelView::Ecny,
            Channel::Card => ChannelView::Card,
            Channel::Cash => ChannelView::Cash,
            Channel::Transfer => ChannelView::Transfer,
            Channel::ShopCode => ChannelView::ShopCode,
        }
    }
}

impl From<ChannelView> for Channel {
    fn from(channel: ChannelView) -> Channel {
        match channel {
            ChannelView::Wechat => Channel::Wechat,
            ChannelView::Alipay => Channel::Alipay,
            ChannelView::Unionpay => Channel::Unionpay,
            ChannelView::Ecny => Channel::Ecny,
            ChannelView::Card => Channel::Card,
            ChannelView::Cash => Channel::Cash,
            ChannelView::Transfer => Channel::Transfer,
            ChannelView::ShopCode => Channel::ShopCode,
        }
    }
}

impl From<Role> for RoleView {
    fn from(role: Role) -> RoleView {
        match role {
            Role::Cashier => RoleView::Cashier,
            Role::Manager => RoleView::Manager,
            Role::Finance => RoleView::Finance,
            Role::ExceptionHandler => RoleView::ExceptionHandler,
            Role::Auditor => RoleView::Auditor,
            Role::HeadOffice => RoleView::HeadOffice,
        }
    }
}

/// Points and counts are far below the range of the window's numbers; beyond it they saturate.
pub fn count(value: i64) -> i32 {
    i32::try_from(value).unwrap_or(if value < 0 { i32::MIN } else { i32::MAX })
}
