//! Whom a terminal believes to be its server, and how it first learns that.
//!
//! A shop's server has an authority of its own. The code by which a terminal is enrolled carries
//! the fingerprint of that authority; the authority itself is asked of the server, on a connection
//! that proves nothing yet and on which nothing of the terminal's is said. From then on only a
//! server whose certificate that authority signed is spoken with.

use http::header::HeaderValue;
use qiantai_wire::api::{AuthorityAnswer, PROTOCOL_HEADER, PROTOCOL_VERSION};
use sha2::{Digest, Sha256};

use super::TransportError;
use super::http::{HttpTransport, builder, cause};
use crate::client::{CallFailed, refused};

/// Longest answer about an authority, in bytes.
const ANSWER_MAX: usize = 1 << 16;

/// Whom a terminal believes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trust {
    /// Whoever has a certificate for the server's name from somebody whom this machine believes.
    Machine,
    /// Whoever has a certificate of this authority (DER), by whatever name: it signs for the
    /// servers of one shop and for nothing else, and their addresses change. Its dates are not
    /// looked at: this machine's clock may be wrong.
    Authority(Vec<u8>),
}

/// Asks the server at `base` for its authority and believes it only when SHA-256 of what comes is
/// `fingerprint`.
///
/// # Errors
/// [`TransportError::Untrusted`] when it is another authority: somebody else's server, or
/// somebody in between. Nothing that is secret was sent.
pub async fn introduce(base: &str, fingerprint: &[u8; 32]) -> Result<Vec<u8>, CallFailed> {
    let base = HttpTransport::base(base)?;
    let stranger = builder()
        .tls_danger_accept_invalid_certs(true)
        .tls_danger_accept_invalid_hostnames(true)
        .build()
        .map_err(|_| TransportError::NotSent)?;
    let request = stranger
        .get(format!("{base}/v1/authority"))
        .header(PROTOCOL_HEADER, HeaderValue::from(PROTOCOL_VERSION))
        .timeout(super::http::ANSWER_WAIT_MAX);
    let mut answer = request.send().await.map_err(|error| cause(&error))?;
    let status = answer.status();
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(|error| cause(&error))? {
        if body.len() + chunk.len() > ANSWER_MAX {
            return Err(TransportError::TooLong.into());
        }
        body.extend_from_slice(&chunk);
    }
    if !status.is_success() {
        return Err(refused(status.as_u16(), &body));
    }
    // Whoever cannot name an authority is not the server that the code is of.
    let named: Option<AuthorityAnswer> = serde_json::from_slice(&body).ok();
    let certificate = named.map(|answer| answer.certificate.0);
    certificate
        .filter(|certificate| Sha256::digest(certificate)[..] == fingerprint[..])
        .ok_or(TransportError::Untrusted.into())
}
