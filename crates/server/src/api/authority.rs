//! `GET /v1/authority`.

use std::sync::Arc;

use axum::{Extension, Json};
use qiantai_wire::api::AuthorityAnswer;
use qiantai_wire::text::Base64;
use qiantai_wire::{ApiError, ErrorCode};

use super::auth::Stranger;
use super::failure::Failure;

/// The certificate of the own authority, as DER.
#[derive(Clone)]
pub(crate) struct OwnAuthority(pub(crate) Arc<[u8]>);

/// The authority that signed this server's certificate. No secret: a terminal that is about to
/// join asks for it and compares it with the fingerprint in its code.
#[utoipa::path(
    get,
    path = "/v1/authority",
    responses(
        (status = 200, description = "The authority", body = AuthorityAnswer),
        (status = "default", description = "Connections are not encrypted, or by a certificate \
            that was given", body = ApiError)
    )
)]
pub(super) async fn read(
    _counted: Stranger,
    own: Option<Extension<OwnAuthority>>,
) -> Result<Json<AuthorityAnswer>, Failure> {
    let Some(Extension(OwnAuthority(certificate))) = own else {
        return Err(ErrorCode::NotFound.into());
    };
    let certificate = Base64(certificate.to_vec());
    Ok(Json(AuthorityAnswer { certificate }))
}
