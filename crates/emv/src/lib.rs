//! EMVCo QR codes: shown by the merchant ([`MerchantCode`]) or by the customer ([`ConsumerCode`]).
//!
//! No gateway stands behind this crate and nothing here is secret, so the counter sees it where it
//! does not see the channels: it makes the shop's offline code ([`ShopCode`]) without any network.

mod cpm;
mod crc;
mod mpm;
mod shop;

pub use cpm::{BerObject, ConsumerCode, ConsumerCodeError};
pub use crc::crc16_ccitt_false;
pub use mpm::{Field, MerchantCode, MerchantCodeError, Reading};
pub use shop::{ShopCode, ShopCodeError, UnionpayAccount};
