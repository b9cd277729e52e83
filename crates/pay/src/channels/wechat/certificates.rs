//! The list of platform certificates, sealed one by one with the APIv3 key.

use serde::Deserialize;

use super::notice::Sealed;
use crate::crypto::{Aes256Key, Certificate};

/// A certificate of the list.
#[derive(Clone, Debug)]
pub struct PlatformCertificate {
    /// Its serial number as the list states it, equal to its own.
    pub serial_no: String,
    /// The certificate as it was sealed.
    pub pem: String,
    /// The same, read.
    pub certificate: Certificate,
}

#[derive(Deserialize)]
struct List {
    data: Vec<Listed>,
}

#[derive(Deserialize)]
struct Listed {
    serial_no: String,
    encrypt_certificate: Sealed,
}

/// Opens every certificate of a list. One that does not open, or is not what the list says, makes
/// the whole list worthless: nobody but the gateway and we know the key.
pub fn read_certificates(
    api_v3_key: &Aes256Key,
    body: &[u8],
) -> Result<Vec<PlatformCertificate>, String> {
    let list: List = serde_json::from_slice(body).map_err(|error| error.to_string())?;
    list.data
        .into_iter()
        .map(|listed| opened(api_v3_key, listed))
        .collect()
}

fn opened(api_v3_key: &Aes256Key, listed: Listed) -> Result<PlatformCertificate, String> {
    let Listed {
        serial_no,
        encrypt_certificate,
    } = listed;
    let pem = encrypt_certificate
        .open(api_v3_key)
        .ok_or_else(|| format!("certificate {serial_no} does not decrypt"))?;
    let certificate =
        Certificate::from_pem(&pem).map_err(|error| format!("{serial_no}: {error}"))?;
    let own = certificate
        .serial_hex()
        .map_err(|error| format!("{serial_no}: {error}"))?;
    if !own.eq_ignore_ascii_case(&serial_no) {
        return Err(format!("certificate {own} is listed as {serial_no}"));
    }
    Ok(PlatformCertificate {
        serial_no,
        pem,
        certificate,
    })
}
