//! What a merchant of WeChat Pay enters, and what is wrong with it.

use qiantai_core::clock::Timestamp;
use serde_json::{Map, Value, json};

use super::account::{checked_id, checked_mchid};
use crate::crypto::{Aes256Key, Certificate};
use crate::set_up::{
    FieldKind, FormField, Found, KeyFault, KeyStep, SetUpForm, Settings, fault, formed, holds,
};

pub(crate) const FORM: SetUpForm = SetUpForm {
    fields: &[
        FormField::needed("appid", FieldKind::Plain),
        FormField::needed("mchid", FieldKind::Plain),
        FormField::needed("private_key", FieldKind::Key),
        FormField::needed("certificate", FieldKind::Certificate),
        FormField::needed("api_v3_key", FieldKind::Secret),
        FormField::needed("public_keys.0.id", FieldKind::Plain),
        FormField::needed("public_keys.0.key", FieldKind::Certificate),
        FormField::needed("unattended_notify_url", FieldKind::Plain),
        FormField::optional("store_id", FieldKind::Plain),
        FormField::optional("base_url", FieldKind::Plain),
    ],
    finish,
    examine,
};

/// A merchant without a public key is in certificate mode; our own number of the shop is for
/// payment codes alone.
fn finish(settings: &mut Map<String, Value>) {
    if !settings.contains_key("public_keys") {
        settings.insert("downloads_certificates".to_owned(), json!(true));
    }
    if settings.contains_key("store_id") {
        settings.insert("payment_code".to_owned(), json!("v3"));
    }
}

fn examine(settings: &Settings<'_>, now: Timestamp) -> Found<()> {
    let (appid, mchid) = (settings.filled("appid")?, settings.filled("mchid")?);
    settings.filled("private_key")?;
    let api_v3_key = settings.filled("api_v3_key")?;
    let has_certificate = settings.text("certificate").is_some();
    if !has_certificate && settings.text("serial_no").is_none() {
        settings.filled("certificate")?;
    }
    let keys = settings.count("public_keys");
    let holds_none = keys == 0 && settings.count("platform_certificates") == 0;
    if holds_none && !settings.is_on("downloads_certificates") {
        settings.filled("public_keys.0.key")?;
    }
    for index in 0..keys {
        settings.filled(&format!("public_keys.{index}.id"))?;
        settings.filled(&format!("public_keys.{index}.key"))?;
    }
    formed(checked_id("appid", appid, 18..=18).is_ok(), "appid")?;
    formed(checked_mchid(mchid).is_ok(), "mchid")?;

    let key = settings.private_key("private_key")?;
    Aes256Key::from_bytes(api_v3_key.as_bytes())
        .map_err(|error| fault(KeyStep::OwnKey, "api_v3_key", error))?;
    if has_certificate {
        let certificate = settings.own_certificate("certificate", &key)?;
        if let Some(other) = another_merchant(&certificate, mchid) {
            let other = KeyFault::OfAnother(other);
            return Err(fault(KeyStep::OwnCertificate, "certificate", other));
        }
        holds(&certificate, KeyStep::Dates, "certificate", now)?;
    }
    for index in 0..keys {
        let place = format!("public_keys.{index}.id");
        if !settings.filled(&place)?.starts_with("PUB_KEY_ID_") {
            return Err(fault(KeyStep::GatewayKey, &place, KeyFault::Malformed));
        }
        settings.gateway_key(&format!("public_keys.{index}.key"), &key)?;
    }
    Ok(())
}

/// The merchant that the certificate is made out to, where that is not ours.
fn another_merchant(certificate: &Certificate, mchid: &str) -> Option<String> {
    let mut names = certificate.subject().ok()?.into_iter();
    let named = names.find(|entry| entry.attribute == "CN")?.value;
    (checked_mchid(&named).is_ok() && named != mchid).then_some(named)
}
