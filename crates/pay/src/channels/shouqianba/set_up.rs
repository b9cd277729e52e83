//! What is wrong with the settings of an account at Shouqianba. They are entered in a file: the
//! terminal's daily key needs a place of its own.

use qiantai_core::clock::Timestamp;

use crate::crypto::VerifyKey;
use crate::set_up::{Found, KeyStep, SetUpForm, Settings, fault};

const NOTICE_KEY: &str = "notice_public_key";

pub(crate) const FORM: SetUpForm = SetUpForm {
    fields: &[],
    finish: |_| {},
    examine,
};

fn examine(settings: &Settings<'_>, _now: Timestamp) -> Found<()> {
    for place in [
        "vendor_sn",
        "vendor_key",
        "app_id",
        "activation_code",
        "device_id",
        "terminal_file",
    ] {
        settings.filled(place)?;
    }
    if let Some(key) = settings.text(NOTICE_KEY) {
        let wrong = |error| fault(KeyStep::GatewayKey, NOTICE_KEY, error);
        VerifyKey::from_text(key).map_err(wrong)?;
    }
    Ok(())
}
