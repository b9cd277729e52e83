//! Vendors, and how a shop gets its activation code.

use std::path::Path;

use serde_json::{Value, json};

use super::NoticeKeys;
use crate::gateway::{Gateway, Protocol};
use crate::keys::RsaKey;

/// A practice account to be opened.
#[derive(Clone, Copy, Debug)]
pub struct ShouqianbaOpening<'a> {
    /// What customers see.
    pub name: &'a str,
    /// The vendor's number: letters and digits.
    pub vendor_sn: &'a str,
    /// Name of the machine that becomes a terminal.
    pub device_id: &'a str,
    /// Where the shop's side keeps the terminal.
    pub terminal_file: &'a Path,
}

/// What the gateway knows of a vendor and its shop.
#[derive(Clone, Debug)]
pub(super) struct Vendor {
    pub key: String,
    pub app_id: String,
    pub activation_code: String,
    pub shop_name: String,
    pub carries_ecny: bool,
}

/// `payway` of e-CNY in the contracts of this gateway. No public text names one, so each contract
/// says its own.
pub(super) const ECNY_PAYWAY: &str = "23";

const APP_ID: &str = "2016111100000001";

impl Gateway {
    /// Opens a practice account with fresh keys, and gives the settings with which the channel
    /// `shouqianba` reaches it at `base_url`.
    pub fn open_shouqianba(&mut self, opening: ShouqianbaOpening<'_>, base_url: &str) -> Value {
        let mut source = self.key_source(Protocol::Shouqianba as u64);
        let side = &mut self.sides.shouqianba;
        let keys = side.keys.get_or_insert_with(|| NoticeKeys {
            own: RsaKey::draw(&mut source),
            stranger: RsaKey::draw(&mut source),
        });
        let notice_public_key = keys.own.public_pem.clone();
        let (key, activation_code) = (self.new_nonce(), self.new_nonce());
        let vendor = Vendor {
            key: key.clone(),
            app_id: APP_ID.to_owned(),
            activation_code: activation_code.clone(),
            shop_name: opening.name.to_owned(),
            carries_ecny: false,
        };
        let vendors = &mut self.sides.shouqianba.vendors;
        vendors.insert(opening.vendor_sn.to_owned(), vendor);
        json!({
            "base_url": base_url,
            "vendor_sn": opening.vendor_sn,
            "vendor_key": key,
            "app_id": APP_ID,
            "activation_code": activation_code,
            "device_id": opening.device_id,
            "terminal_file": opening.terminal_file,
            "notice_public_key": notice_public_key,
        })
    }

    /// Adds e-CNY to a vendor's contract, which without does not carry it; gives the `payway` that
    /// the contract names for it.
    pub fn add_ecny(&mut self, vendor_sn: &str) -> &'static str {
        let vendor = self.sides.shouqianba.vendors.get_mut(vendor_sn);
        vendor.expect("the vendor has an account").carries_ecny = true;
        ECNY_PAYWAY
    }
}
