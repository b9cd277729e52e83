//! Practice accounts of every official protocol, with their settings as files for whoever connects
//! to the process.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use qiantai_core::clock::Timestamp;
use serde_json::Value;

use crate::gateway::Gateway;
use crate::protocols::alipay::{AlipayOpening, Mode};
use crate::protocols::shouqianba::ShouqianbaOpening;
use crate::protocols::unionpay::UnionpayOpening;
use crate::protocols::wechat::{CodeApi, KeyMode, WechatOpening};

/// The settings cannot be written.
#[derive(Debug, thiserror::Error)]
#[error("{path}: {source}", path = path.display())]
pub struct AccountsError {
    path: PathBuf,
    source: io::Error,
}

/// Opens an account of each protocol and key mode, and writes the settings of its channel into
/// `folder`: `wechat-key.json`, `wechat-certificates.json`, `alipay-keys.json`,
/// `alipay-certificates.json`, `unionpay.json` and `shouqianba.json`. They hold keys in clear,
/// which only open this gateway.
///
/// # Errors
/// Where the folder or a file cannot be written.
pub fn open_all(
    gateway: &mut Gateway,
    shop_name: &str,
    base_url: &str,
    folder: &Path,
    now: Timestamp,
) -> Result<(), AccountsError> {
    fs::create_dir_all(folder).map_err(|source| AccountsError {
        path: folder.to_owned(),
        source,
    })?;
    let wechat = |mchid, mode| WechatOpening {
        name: shop_name,
        mchid,
        mode,
        codes: CodeApi::V3,
    };
    let alipay = |app_id, mode| AlipayOpening {
        name: shop_name,
        app_id,
        mode,
    };
    let terminal_file = folder.join("shouqianba-terminal.json");
    let unionpay = UnionpayOpening {
        name: shop_name,
        mer_id: "777290058110048",
    };
    let shouqianba = ShouqianbaOpening {
        name: shop_name,
        vendor_sn: "91800001",
        device_id: "front-desk-1",
        terminal_file: &terminal_file,
    };
    let public = wechat("1900000109", KeyMode::PublicKey);
    let certified = wechat("1900000110", KeyMode::Certificate);
    let keys = alipay("2021000000000001", Mode::Keys);
    let certificates = alipay("2021000000000002", Mode::Certificates);
    let mut shouqianba = gateway.open_shouqianba(shouqianba, base_url);
    shouqianba["ecny_payway"] = gateway.add_ecny("91800001").into();
    let settings = [
        ("wechat-key", gateway.open_wechat(public, base_url, now)),
        (
            "wechat-certificates",
            gateway.open_wechat(certified, base_url, now),
        ),
        ("alipay-keys", gateway.open_alipay(keys, base_url, now)),
        (
            "alipay-certificates",
            gateway.open_alipay(certificates, base_url, now),
        ),
        ("unionpay", gateway.open_unionpay(unionpay, base_url, now)),
        ("shouqianba", shouqianba),
    ];
    for (name, settings) in settings {
        write(&folder.join(format!("{name}.json")), &settings)?;
    }
    Ok(())
}

fn write(path: &Path, settings: &Value) -> Result<(), AccountsError> {
    let text = format!("{settings:#}\n");
    fs::write(path, text).map_err(|source| AccountsError {
        path: path.to_owned(),
        source,
    })
}
