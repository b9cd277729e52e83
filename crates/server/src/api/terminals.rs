//! `GET /v1/terminals`, `POST /v1/terminals/{device}/revoke` and `POST /v1/invitations`: a manager
//! looks after the terminals of the store.

use std::net::IpAddr;

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use qiantai_core::ids::{DeviceId, StaffId};
use qiantai_wire::api::{
    InvitationAnswer, InvitationRequest, REASON_MAX, RevocationRequest, TerminalDto,
    TerminalStandingDto, TerminalsAnswer,
};
use qiantai_wire::{ApiError, ErrorCode};
use uuid::Uuid;

use super::approver::is_manager;
use super::auth::{Origin, Seated};
use super::failure::Failure;
use super::request::{self, read as read_books};
use super::signed::Signed;
use crate::audit::{Act, Deed};
use crate::db::{DeviceStanding, Seat};
use crate::embedded::Server;
use crate::roster::{self, RevokeError, Terminal};

/// The terminals of the store, by their codes.
#[utoipa::path(
    get,
    path = "/v1/terminals",
    responses(
        (status = 200, description = "The terminals", body = TerminalsAnswer),
        (status = "default", description = "No answer", body = ApiError)
    ),
    security(("device" = []))
)]
pub(super) async fn read(
    State(server): State<Server>,
    Seated(seat): Seated,
) -> Result<Json<TerminalsAnswer>, Failure> {
    answer(&server, &seat).await
}

/// Makes a one-time invitation for one more terminal of the store. Books that lie within the terminal that
/// asks are reached by no other, so it lets nobody in.
#[utoipa::path(
    post,
    path = "/v1/invitations",
    params(("Qiantai-Call" = Option<String>, Header, description = "The device's signature of this call")),
    request_body = InvitationRequest,
    responses(
        (status = 200, description = "The invitation", body = InvitationAnswer),
        (status = "default", description = "Nobody was let in", body = ApiError)
    ),
    security(("device" = []))
)]
pub(super) async fn invite(
    State(server): State<Server>,
    Origin(address): Origin,
    Signed { seat, request }: Signed<InvitationRequest>,
) -> Result<Json<InvitationAnswer>, Failure> {
    let asker = Asker::of(&server, &seat, address, request.manager).await?;
    if address.is_none() {
        return Err(ErrorCode::NoWayIn.into());
    }
    let subject = format!("one more terminal by manager {}", asker.manager);
    let deed = asker.deed(&server, Act::TerminalInvited, subject);
    let inviting = server.clone();
    let (tenant, store) = (seat.tenant, seat.store);
    let made = move || inviting.invite_to(tenant, store, &deed);
    let made = tokio::task::spawn_blocking(made).await;
    let made = made.map_err(|error| Failure::logged(ErrorCode::Internal, &error))??;
    Ok(Json(InvitationAnswer {
        invite: made.text(),
        expires_at_ms: made.expires_at.ms(),
        server_time_ms: server.now().ms(),
    }))
}

/// Takes a terminal out of service: from its next contact on it is refused, and what it sends is kept for
/// review. Repeating it is safe: one that is out of service already stays so for its first reason.
#[utoipa::path(
    post,
    path = "/v1/terminals/{device}/revoke",
    params(
        ("device" = Uuid, Path, description = "The terminal"),
        ("Qiantai-Call" = Option<String>, Header, description = "The device's signature of this call")
    ),
    request_body = RevocationRequest,
    responses(
        (status = 200, description = "The terminals as they are now", body = TerminalsAnswer),
        (status = "default", description = "Nothing was changed", body = ApiError)
    ),
    security(("device" = []))
)]
pub(super) async fn revoke(
    State(server): State<Server>,
    Origin(address): Origin,
    path: Result<Path<Uuid>, PathRejection>,
    Signed { seat, request }: Signed<RevocationRequest>,
) -> Result<Json<TerminalsAnswer>, Failure> {
    let device = DeviceId(request::id(path)?);
    let reason = request.reason.trim().to_owned();
    let length = reason.chars().count();
    if !(1..=REASON_MAX).contains(&length) || reason.chars().any(char::is_control) {
        return Err(ErrorCode::BadRequest.into());
    }
    let asker = Asker::of(&server, &seat, address, request.manager).await?;
    if device == seat.device {
        return Err(ErrorCode::OwnTerminal.into());
    }
    let now = server.now();
    let found = of_store(&server, &seat).await?.into_iter();
    let terminal = found.into_iter().find(|it| it.device == device);
    let terminal = terminal.ok_or(ErrorCode::NotFound)?;
    let subject = format!(
        "store {} terminal {}: {reason}, by manager {}",
        terminal.store, terminal.code, asker.manager
    );
    let deed = asker.deed(&server, Act::TerminalRevoked, subject);
    let revoked = read_books(&server, move |ledger| {
        match roster::take_out(ledger, terminal, &deed, &reason, now) {
            Ok(_) | Err(RevokeError::Already { .. } | RevokeError::Unknown { .. }) => Ok(()),
            Err(RevokeError::Ledger(error)) => Err(error),
        }
    });
    revoked.await?;
    answer(&server, &seat).await
}

/// A manager at a terminal.
struct Asker {
    device: DeviceId,
    address: Option<IpAddr>,
    manager: StaffId,
}

impl Asker {
    /// Whoever is an active manager of the terminal's store.
    async fn of(
        server: &Server,
        seat: &Seat,
        address: Option<IpAddr>,
        manager: Uuid,
    ) -> Result<Asker, Failure> {
        let (tenant, manager) = (seat.tenant, StaffId(manager));
        let policies = read_books(server, move |ledger| ledger.policies(tenant)).await?;
        match is_manager(policies, seat.store, manager, server.now()) {
            true => Ok(Asker {
                device: seat.device,
                address,
                manager,
            }),
            false => Err(ErrorCode::NoManager.into()),
        }
    }

    fn deed(&self, server: &Server, act: Act, subject: String) -> Deed {
        Deed {
            at: server.now(),
            act,
            device: Some(self.device),
            address: self.address,
            subject,
        }
    }
}

async fn of_store(server: &Server, seat: &Seat) -> Result<Vec<Terminal>, Failure> {
    let (tenant, now) = (seat.tenant, server.now());
    let found = read_books(server, move |ledger| roster::of_tenant(ledger, tenant, now));
    let mut found = found.await?;
    found.retain(|terminal| terminal.store_id == seat.store);
    Ok(found)
}

async fn answer(server: &Server, seat: &Seat) -> Result<Json<TerminalsAnswer>, Failure> {
    let found = of_store(server, seat).await?;
    Ok(Json(TerminalsAnswer {
        terminals: found.into_iter().map(told).collect(),
        server_time_ms: server.now().ms(),
    }))
}

fn told(terminal: Terminal) -> TerminalDto {
    let revoked = terminal.revocation;
    TerminalDto {
        device: terminal.device.0,
        terminal_code: terminal.code,
        name: terminal.name,
        standing: match terminal.standing {
            DeviceStanding::Active => TerminalStandingDto::InService,
            DeviceStanding::Quarantined => TerminalStandingDto::TwoHistories,
            DeviceStanding::Revoked => TerminalStandingDto::OutOfService,
        },
        revoked_at_ms: revoked.as_ref().map(|it| it.revoked_at.ms()),
        reason: revoked.map(|it| it.reason),
        heard_at_ms: terminal.heard_at.map(qiantai_core::Timestamp::ms),
        waiting: terminal.waiting,
    }
}
