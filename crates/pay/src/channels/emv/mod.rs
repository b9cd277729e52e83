//! EMVCo QR codes: shown by the merchant ([`MerchantCode`]) or by the customer ([`ConsumerCode`]).
//!
//! No gateway stands behind this folder, so it is no channel. It makes the shop's offline code
//! ([`ShopCode`]) and reads codes that others made.

mod cpm;
mod crc;
mod mpm;
mod shop;

pub use cpm::{BerObject, ConsumerCode, ConsumerCodeError};
pub use crc::crc16_ccitt_false;
pub use mpm::{Field, MerchantCode, MerchantCodeError, Reading};
pub use shop::{ShopCode, ShopCodeError, UnionpayAccount};
