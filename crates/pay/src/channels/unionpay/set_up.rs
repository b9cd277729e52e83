//! What a merchant of UnionPay enters, and what is wrong with it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use qiantai_core::clock::Timestamp;
use zeroize::Zeroizing;

use super::is_merchant_id;
use crate::crypto::{Certificate, KeyStore};
use crate::set_up::{
    FieldKind, FormField, Found, KeyFault, KeyStep, SetUpForm, Settings, fault, formed, holds,
};

const FILE: &str = "key_store";
const TRUSTED: &str = "trusted_certificates";

pub(crate) const FORM: SetUpForm = SetUpForm {
    fields: &[
        FormField::needed("merchant_id", FieldKind::Plain),
        FormField::needed(FILE, FieldKind::File),
        FormField::needed("key_store_password", FieldKind::Secret),
        FormField::needed(TRUSTED, FieldKind::Certificate),
        FormField::optional("terminal_id", FieldKind::Plain),
        FormField::optional("base_url", FieldKind::Plain),
    ],
    finish: |_| {},
    examine,
};

fn examine(settings: &Settings<'_>, now: Timestamp) -> Found<()> {
    let merchant = settings.filled("merchant_id")?;
    let file = settings.filled(FILE)?;
    let password = settings.filled("key_store_password")?;
    let trusted = settings.filled(TRUSTED)?;
    formed(is_merchant_id(merchant), "merchant_id")?;

    let unread = |error: KeyFault| fault(KeyStep::OwnKey, FILE, error);
    let file = BASE64.decode(file).map(Zeroizing::new);
    let file = file.map_err(|_| unread(KeyFault::NotAKeyStore))?;
    let keys = KeyStore::from_pkcs12(&file, password).map_err(|error| unread(error.into()))?;
    let key = keys.certificate.verify_key();
    let key = key.map_err(|error| fault(KeyStep::OwnCertificate, FILE, error))?;
    if !keys.private_key.belongs_to(&key) {
        let other = KeyFault::NotOfCertificate;
        return Err(fault(KeyStep::OwnCertificate, FILE, other));
    }
    holds(&keys.certificate, KeyStep::Dates, FILE, now)?;

    let none = || fault(KeyStep::GatewayKey, TRUSTED, KeyFault::NotACertificate);
    let trusted = Certificate::bundle(trusted);
    if trusted.is_empty() {
        return Err(none());
    }
    trusted.into_iter().try_for_each(|certificate| {
        let certificate = certificate.map_err(|_| none())?;
        holds(&certificate, KeyStep::GatewayKey, TRUSTED, now)
    })
}
