//! `POST /v1/rules`: a manager changes people, receipt, payment methods or risks of the store.

use std::fmt;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use qiantai_core::ids::{ActionId, OpId, StaffId};
use qiantai_core::operation::{StaffMethod, StaffProof};
use qiantai_core::policy::Policy;
use qiantai_core::policy_change::PolicyChange;
use qiantai_wire::api::{RulesAnswer, RulesRequest};
use qiantai_wire::feed::OutcomeDto;
use qiantai_wire::{ApiError, ErrorCode};
use uuid::Uuid;

use super::approver::is_manager;
use super::auth::Origin;
use super::failure::Failure;
use super::request::read as read_books;
use super::signed::Signed;
use crate::audit::{Act, Deed};
use crate::embedded::{Server, publication};
use crate::writer::{OwnOperation, WriteError};

/// Changes one thing about the store, as the server's own word in the manager's name. Repeating it
/// is safe: what is changed already is answered as it is.
#[utoipa::path(
    post,
    path = "/v1/rules",
    params(("Qiantai-Call" = Option<String>, Header, description = "The device's signature of this call")),
    request_body = RulesRequest,
    responses(
        (status = 200, description = "The rules as they are now", body = RulesAnswer),
        (status = "default", description = "Nothing was changed", body = ApiError)
    ),
    security(("device" = []))
)]
pub(super) async fn change(
    State(server): State<Server>,
    Origin(address): Origin,
    Signed { seat, request }: Signed<RulesRequest>,
) -> Result<Json<RulesAnswer>, Failure> {
    let _one_at_a_time = server.0.ruling.lock().await;
    let tenant = seat.tenant;
    let policies = read_books(&server, move |ledger| ledger.policies(tenant)).await?;
    let of_store = || policies.iter().filter(|it| it.store.id == seat.store);
    let newest = of_store().max_by_key(|policy| policy.version).cloned();
    let newest = newest.ok_or(ErrorCode::NotFound)?;
    let change = PolicyChange::from(request.change);
    let base = of_store().find(|policy| policy.version == request.base_version);
    let now = server.now();
    if base.is_some_and(|base| is_done(base, &change, &newest)) {
        return Ok(answer(&newest, &server));
    }
    let manager = StaffId(request.manager);
    if !is_manager(policies.clone(), seat.store, manager, now) {
        return Err(ErrorCode::NoManager.into());
    }
    if newest.version != request.base_version {
        return Err(ErrorCode::RulesMoved.into());
    }
    let what = Named(&change).to_string();
    let next = newest.changed_by(change, now);
    let next = next.map_err(|unfit| {
        tracing::info!(%unfit, "rules stay as they are");
        Failure::from(ErrorCode::RulesUnfit).with("field", unfit.field())
    })?;
    // The operation is the server's: which terminal asked for it stands here alone.
    let deed = Deed {
        at: now,
        act: Act::RulesChanged,
        device: Some(seat.device),
        address,
        subject: format!(
            "{what} after version {} by manager {manager}",
            newest.version
        ),
    };
    read_books(&server, move |ledger| ledger.save_deed(tenant, &deed)).await?;
    let (body, attachment) = publication(next.clone());
    let said = OwnOperation {
        op_id: OpId(Uuid::now_v7()),
        action_id: ActionId(Uuid::now_v7()),
        store: seat.store,
        staff: Some(StaffProof {
            staff: manager,
            method: StaffMethod::Pin,
            policy_version: newest.version,
        }),
        body,
        attachment: Some(attachment),
    };
    let answered = server.say(tenant, vec![said]).await?.pop();
    match answered.ok_or(WriteError::Defect)?.outcome {
        OutcomeDto::Applied | OutcomeDto::Exists => Ok(answer(&next, &server)),
        other => {
            tracing::error!(?other, "changed rules were not taken");
            Err(ErrorCode::RulesMoved.into())
        }
    }
}

/// Whether the newest rules are those that the change makes of `base`: it was asked for before, and
/// its answer was lost.
fn is_done(base: &Policy, change: &PolicyChange, newest: &Arc<Policy>) -> bool {
    let made = base.changed_by(change.clone(), newest.effective_from);
    made.is_ok_and(|made| made == **newest)
}

fn answer(policy: &Policy, server: &Server) -> Json<RulesAnswer> {
    Json(RulesAnswer {
        policy: policy.into(),
        server_time_ms: server.now().ms(),
    })
}

/// A change in words for people, without what is changed.
struct Named<'a>(&'a PolicyChange);

impl fmt::Display for Named<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            PolicyChange::Join(person) => write!(f, "person {} joins", person.id),
            PolicyChange::Pin { person, .. } => write!(f, "PIN of person {person}"),
            PolicyChange::Person(person) if person.active => write!(f, "person {}", person.id),
            PolicyChange::Person(person) => write!(f, "person {} leaves", person.id),
            PolicyChange::Receipt(_) => f.write_str("words of the receipt"),
            PolicyChange::Methods(_) => f.write_str("payment methods"),
            PolicyChange::Account(Some(account)) => {
                write!(
                    f,
                    "account of the shop's code: merchant {}",
                    account.merchant
                )
            }
            PolicyChange::Brand(_) => f.write_str("colour and short name"),
            PolicyChange::RiskFloor(floor) if floor.most_per_device().is_zero() => {
                f.write_str("no risk floor")
            }
            PolicyChange::RiskFloor(floor) => write!(
                f,
                "risk floor: {} a payment, {} a member's day, {} a terminal, {} payments, {} hours",
                floor.per_transaction,
                floor.per_member_day,
                floor.per_device,
                floor.count,
                floor.hours
            ),
            PolicyChange::Account(None) => f.write_str("no account of the shop's code"),
        }
    }
}
