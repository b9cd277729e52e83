//! Whose payment code a scanned number is.

use qiantai_core::attempt::Channel;
use qiantai_core::payment_code;
use serde_json::Value;

use crate::vector::{Kind, Outcome, Vector};

pub const KINDS: &[Kind] = &[("payment_code_channel", channel)];

fn channel(vector: &Vector) -> Outcome {
    let found = payment_code::recognise(vector.text("scanned")?, &[]);
    let name = found.map(|channel| match channel {
        Channel::Wechat => "wechat",
        Channel::Alipay => "alipay",
        Channel::Unionpay => "unionpay",
        Channel::Ecny => "ecny",
        Channel::Card | Channel::Cash | Channel::Transfer | Channel::ShopCode => "not a wallet",
    });
    vector.expect("channel", name.map_or(Value::Null, Value::from))
}
