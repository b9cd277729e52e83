//! `POST /v1/leases`: what a terminal may spend of members' stored value without asking.

use std::collections::BTreeSet;

use axum::Json;
use axum::extract::State;
use qiantai_core::ids::MemberId;
use qiantai_core::lease::LeaseState;
use qiantai_core::operation::OperationBody;
use qiantai_wire::api::{LEASE_MEMBERS_LIMIT, LeaseDto, LeasesAnswer, LeasesRequest};
use qiantai_wire::feed::OutcomeDto;
use qiantai_wire::text::Base64;
use qiantai_wire::{ApiError, ErrorCode};

use super::auth::Seated;
use super::failure::Failure;
use super::request::{Body, read as read_books};
use crate::db::{Leasable, Ledger, LedgerError, Seat};
use crate::embedded::Server;
use crate::leases::{grant_for, id_of, own};

/// How often a lease is worked out anew when the member's money moved meanwhile.
const TRIES: usize = 3;

/// Leases what the rule allows and answers with everything that the terminal holds of these
/// members. Repeating it is safe: what is there is not granted again.
#[utoipa::path(
    post,
    path = "/v1/leases",
    request_body = LeasesRequest,
    responses(
        (status = 200, description = "What the terminal holds now", body = LeasesAnswer),
        (status = "default", description = "No answer", body = ApiError)
    ),
    security(("device" = []))
)]
pub(super) async fn ask(
    State(server): State<Server>,
    Seated(seat): Seated,
    Body(request): Body<LeasesRequest>,
) -> Result<Json<LeasesAnswer>, Failure> {
    if request.members.len() > LEASE_MEMBERS_LIMIT {
        return Err(ErrorCode::BadRequest.into());
    }
    let members: BTreeSet<_> = request.members.into_iter().map(MemberId).collect();
    let members: Vec<_> = members.into_iter().collect();
    for round in 0..TRIES {
        let (found, now) = (leasable(&server, &seat, &members).await?, server.now());
        let grants = found
            .iter()
            .filter_map(|found| grant_for(&seat, found, now));
        let said: Vec<_> = grants
            .map(|grant| {
                let id = id_of(&grant, now, round);
                own(id, seat.store, OperationBody::LeaseGrant(grant))
            })
            .collect();
        if said.is_empty() {
            break;
        }
        let answers = server.say(seat.tenant, said).await?;
        // What was refused does not fit the books any more: they are looked at again.
        if answers
            .iter()
            .all(|answer| answer.outcome == OutcomeDto::Applied)
        {
            break;
        }
    }
    let found = leasable(&server, &seat, &members).await?;
    let leases = read_books(&server, move |ledger| told(ledger, &seat, found)).await?;
    Ok(Json(LeasesAnswer {
        leases,
        server_time_ms: server.now().ms(),
    }))
}

async fn leasable(
    server: &Server,
    seat: &Seat,
    members: &[MemberId],
) -> Result<Vec<Leasable>, Failure> {
    let (tenant, members) = (seat.tenant, members.to_vec());
    read_books(server, move |ledger| ledger.leasable(tenant, &members)).await
}

/// What the terminal holds, by member, oldest first, each with the server's word for it.
fn told(
    ledger: &dyn Ledger,
    seat: &Seat,
    found: Vec<Leasable>,
) -> Result<Vec<LeaseDto>, LedgerError> {
    let mut told = Vec::new();
    for mut member in found {
        member
            .leases
            .retain(|(lease, _)| lease.device == seat.device && lease.state == LeaseState::Held);
        member
            .leases
            .sort_unstable_by_key(|(_, server_seq)| *server_seq);
        for (lease, server_seq) in member.leases {
            let row = ledger.log_row(seat.tenant, server_seq)?.ok_or_else(|| {
                LedgerError::Corrupt(format!("lease {} was never granted", lease.id))
            })?;
            told.push(LeaseDto {
                lease: lease.id.0,
                member: lease.member.0,
                left_fen: lease.left().fen(),
                operation: Base64(row.bytes),
            });
        }
    }
    Ok(told)
}
