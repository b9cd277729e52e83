//! The HTTP interface, whole, on one screen. Shapes live in `qiantai_wire`.

mod another_merchant;
mod approver;
mod attached;
mod attempts;
mod auth;
mod authority;
mod channels;
mod credit;
mod devices;
mod digests;
mod events;
mod failure;
mod feed;
mod gateways;
mod health;
mod leases;
mod notify;
mod operations;
mod orders;
mod quotes;
mod receipts;
mod request;
mod rules;
mod signed;
mod snapshot;
mod terminals;
mod writez;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware;
use qiantai_wire::ErrorCode;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::embedded::Server;
pub(crate) use attached::Profiles;
pub(crate) use authority::OwnAuthority;
use failure::Failure;
pub(crate) use writez::route as writez;

/// Largest body of a request: a full push of the largest operations is sent in parts.
const BODY_BYTES_MAX: usize = 4 * 1_024 * 1_024;

/// Every address of the interface.
fn addresses() -> OpenApiRouter<Server> {
    let timed = OpenApiRouter::new()
        .routes(routes!(operations::push))
        .routes(routes!(receipts::take))
        .routes(routes!(feed::read))
        .routes(routes!(snapshot::read))
        .routes(routes!(digests::read))
        .routes(routes!(digests::bucket))
        .routes(routes!(quotes::quote))
        .routes(routes!(orders::read))
        .routes(routes!(credit::credit))
        .routes(routes!(rules::change))
        .routes(routes!(leases::ask))
        .routes(routes!(attempts::read))
        .routes(routes!(attempts::query))
        .routes(routes!(attempts::charge))
        .routes(routes!(channels::read))
        .routes(routes!(gateways::read))
        .routes(routes!(gateways::check))
        .routes(routes!(terminals::read))
        .routes(routes!(terminals::invite))
        .routes(routes!(terminals::revoke))
        .routes(routes!(devices::join))
        .routes(routes!(authority::read))
        .routes(routes!(notify::take))
        .routes(routes!(health::read))
        .routes(routes!(writez::read))
        .layer(middleware::from_fn(request::limit_time));
    // A stream of events has no end, so no limit either.
    let endless = OpenApiRouter::new().routes(routes!(events::stream));
    OpenApiRouter::with_openapi(Document::openapi())
        .merge(timed)
        .merge(endless)
}

/// The interface of a server.
pub(crate) fn router(server: Server) -> Router {
    let (router, _) = addresses().split_for_parts();
    router
        .fallback(async || Failure::from(ErrorCode::NotFound))
        .method_not_allowed_fallback(async || Failure::from(ErrorCode::MethodNotAllowed))
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .with_state(server)
}

/// The OpenAPI document as it is committed at `docs/openapi.json`.
pub fn openapi() -> String {
    let (_, document) = addresses().split_for_parts();
    let json = document.to_pretty_json();
    json.expect("a document of strings and numbers serialises") + "\n"
}

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Qiantai",
        description = "Interface of the Qiantai ledger server for terminals.",
        license(name = "Apache-2.0", identifier = "Apache-2.0")
    ),
    modifiers(&DeviceToken)
)]
struct Document;

/// Describes the bearer token of terminals.
struct DeviceToken;

impl Modify for DeviceToken {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let scheme = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some("Token that the terminal got when it joined."))
            .build();
        let components = document.components.get_or_insert_default();
        components.add_security_scheme("device", SecurityScheme::Http(scheme));
    }
}
