//! `POST /v1/quotes`: what a top-up costs and brings, by the server's books.

use axum::Json;
use axum::extract::State;
use qiantai_core::Timestamp;
use qiantai_core::decide::{self, Refusal, RefusalCode};
use qiantai_core::ids::MemberId;
use qiantai_core::member::MemberStatus;
use qiantai_core::quote::{CashShare, Quote, price};
use qiantai_wire::ApiError;
use qiantai_wire::api::{QuoteAnswer, QuoteRequest};
use qiantai_wire::feed::RefusalDto;

use super::auth::Seated;
use super::failure::Failure;
use super::request::{Body, read};
use crate::db::{Ledger, LedgerError, RECENT_ORDERS, Seat};
use crate::embedded::Server;

/// Prices a top-up.
#[utoipa::path(
    post,
    path = "/v1/quotes",
    request_body = QuoteRequest,
    responses(
        (status = 200, description = "A price, or why there is none", body = QuoteAnswer),
        (status = "default", description = "No answer", body = ApiError)
    ),
    security(("device" = []))
)]
pub(super) async fn quote(
    State(server): State<Server>,
    Seated(seat): Seated,
    Body(request): Body<QuoteRequest>,
) -> Result<Json<QuoteAnswer>, Failure> {
    let now = server.now();
    let priced = read(&server, move |ledger| priced(ledger, &seat, request, now)).await?;
    Ok(Json(match priced {
        Ok(quote) => QuoteAnswer::Quoted {
            quote: (&quote).into(),
        },
        Err(refusal) => QuoteAnswer::Refused {
            refusal: RefusalDto::from(&refusal),
        },
    }))
}

fn priced(
    ledger: &dyn Ledger,
    seat: &Seat,
    request: QuoteRequest,
    now: Timestamp,
) -> Result<Result<Quote, Refusal>, LedgerError> {
    let id = MemberId(request.member);
    let mut policies = ledger.policies(seat.tenant)?;
    policies.retain(|policy| policy.store.id == seat.store);
    let state = decide::State {
        policies,
        ..decide::State::default()
    };
    let Some(policy) = state.policy_at(now) else {
        return Ok(Err(RefusalCode::PolicyUnknown.into()));
    };
    let (member, account) = (
        ledger.member(seat.tenant, id)?,
        ledger.account(seat.tenant, id)?,
    );
    let (Some(member), Some(account)) = (member, account) else {
        return Ok(Err(RefusalCode::MemberUnknown.into()));
    };
    if member.status != MemberStatus::Active {
        return Ok(Err(RefusalCode::MemberNotActive.into()));
    }
    let recent = ledger.recent_orders(seat.tenant, id, now - RECENT_ORDERS)?;
    let choice = request.choice.into();
    Ok(price(
        policy,
        &account,
        member.registered_at,
        choice,
        match request.cash {
            true => CashShare::Whole,
            false => CashShare::None,
        },
        &recent,
        now,
    ))
}
