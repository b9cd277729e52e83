//! What a person enters of an account at Shouqianba, and what is wrong with it. The terminal's daily
//! key is none of it: it has a place of its own.

use qiantai_core::clock::Timestamp;

use crate::crypto::VerifyKey;
use crate::set_up::{FieldKind, FormField, Found, KeyStep, SetUpForm, Settings, fault, formed};

const NOTICE_KEY: &str = "notice_public_key";

pub(crate) const FORM: SetUpForm = SetUpForm {
    fields: &[
        FormField::needed("vendor_sn", FieldKind::Plain),
        FormField::needed("vendor_key", FieldKind::Secret),
        FormField::needed("app_id", FieldKind::Plain),
        FormField::needed("activation_code", FieldKind::Secret),
        FormField::optional(NOTICE_KEY, FieldKind::Certificate),
        FormField::optional("operator", FieldKind::Plain),
        FormField::optional("base_url", FieldKind::Plain),
    ],
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
    ] {
        settings.filled(place)?;
    }
    for place in ["vendor_sn", "app_id"] {
        let text = settings.filled(place)?;
        formed(text.bytes().all(|byte| byte.is_ascii_alphanumeric()), place)?;
    }
    if let Some(key) = settings.text(NOTICE_KEY) {
        let wrong = |error| fault(KeyStep::GatewayKey, NOTICE_KEY, error);
        VerifyKey::from_text(key).map_err(wrong)?;
    }
    Ok(())
}
