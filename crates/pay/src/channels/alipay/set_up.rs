//! What a shop at Alipay enters, and what is wrong with it.

use qiantai_core::clock::Timestamp;

use super::root_cert_sn;
use crate::crypto::Certificate;
use crate::set_up::{
    FieldKind, FormField, Found, KeyFault, KeyStep, SetUpForm, Settings, fault, holds,
};

const OURS: &str = "app_certificate";
const ROOTS: &str = "alipay_root_certificates";

pub(crate) const FORM: SetUpForm = SetUpForm {
    fields: &[
        FormField::needed("app_id", FieldKind::Plain),
        FormField::needed("private_key", FieldKind::Key),
        FormField::needed("alipay_public_keys.0", FieldKind::Certificate),
        FormField::optional("seller_id", FieldKind::Plain),
        FormField::optional(OURS, FieldKind::Certificate),
        FormField::optional("alipay_certificates.0", FieldKind::Certificate),
        FormField::optional(ROOTS, FieldKind::Certificate),
        FormField::optional("base_url", FieldKind::Plain),
    ],
    finish: |_| {},
    examine,
};

fn examine(settings: &Settings<'_>, now: Timestamp) -> Found<()> {
    settings.filled("app_id")?;
    settings.filled("private_key")?;
    let certified = settings.count("alipay_certificates");
    let by_certificate =
        certified > 0 || settings.text(OURS).is_some() || settings.text(ROOTS).is_some();
    let keys = settings.count("alipay_public_keys");
    if !by_certificate {
        settings.filled("alipay_public_keys.0")?;
        let key = settings.private_key("private_key")?;
        return (0..keys).try_for_each(|index| {
            settings.gateway_key(&format!("alipay_public_keys.{index}"), &key)
        });
    }
    if keys > 0 {
        let place = "alipay_public_keys.0";
        return Err(fault(KeyStep::Filled, place, KeyFault::TwoModes));
    }
    settings.filled(OURS)?;
    settings.filled("alipay_certificates.0")?;
    let roots = settings.filled(ROOTS)?;
    let key = settings.private_key("private_key")?;
    let own = settings.own_certificate(OURS, &key)?;
    holds(&own, KeyStep::Dates, OURS, now)?;
    for index in 0..certified {
        let place = format!("alipay_certificates.{index}");
        let wrong = |error| fault(KeyStep::GatewayKey, &place, error);
        Certificate::from_pem(settings.filled(&place)?).map_err(wrong)?;
    }
    let read = root_cert_sn(roots);
    read.map_err(|error| fault(KeyStep::GatewayKey, ROOTS, error))?;
    Ok(())
}
