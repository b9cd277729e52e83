//! How to run each kind of vector: one file for each family, one line here for each file.

use crate::vector::Kind;

mod alipay;
mod emv;
mod payment_code;
mod primitives;
mod shouqianba;
mod unionpay;
mod wechat;

/// Every kind there is.
pub const ALL: &[&[Kind]] = &[
    alipay::KINDS,
    emv::KINDS,
    payment_code::KINDS,
    primitives::KINDS,
    shouqianba::KINDS,
    unionpay::KINDS,
    wechat::KINDS,
];
