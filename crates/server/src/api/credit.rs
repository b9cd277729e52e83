//! `POST /v1/orders/{id}/credit`: a manager lets money be credited that waits for a person.

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use qiantai_core::ids::{ActionId, OpId, OrderId, StaffId};
use qiantai_core::operation::{OperationBody, StaffMethod, StaffProof};
use qiantai_core::release::{NoReleaser, Releaser};
use qiantai_wire::api::{CreditAnswer, CreditRequest};
use qiantai_wire::{ApiError, ErrorCode};
use uuid::Uuid;

use super::approver::releaser;
use super::auth::Origin;
use super::failure::Failure;
use super::orders::settlement;
use super::request::{self, read as read_books};
use super::signed::Signed;
use crate::audit::{Act, Deed};
use crate::embedded::Server;
use crate::writer::{OwnOperation, WriteError};

/// Credits an order whose money waits in suspense, as the server's own word in the manager's name.
/// Repeating it is safe: what is credited stays as it is.
#[utoipa::path(
    post,
    path = "/v1/orders/{id}/credit",
    params(
        ("id" = Uuid, Path, description = "The order"),
        ("Qiantai-Call" = Option<String>, Header, description = "The device's signature of this call")
    ),
    request_body = CreditRequest,
    responses(
        (status = 200, description = "What became of it", body = CreditAnswer),
        (status = "default", description = "No answer", body = ApiError)
    ),
    security(("device" = []))
)]
pub(super) async fn credit(
    State(server): State<Server>,
    Origin(address): Origin,
    path: Result<Path<Uuid>, PathRejection>,
    Signed { seat, request }: Signed<CreditRequest>,
) -> Result<Json<CreditAnswer>, Failure> {
    let id = OrderId(request::id(path)?);
    let tenant = seat.tenant;
    let (order, policies) = read_books(&server, move |ledger| {
        Ok((ledger.order(tenant, id)?, ledger.policies(tenant)?))
    })
    .await?;
    let order = order
        .filter(|order| order.store == seat.store)
        .ok_or(ErrorCode::NotFound)?;
    let manager = StaffId(request.manager);
    let who = (order.cashier, manager);
    let releaser = match releaser(policies, order.store, who, server.now()) {
        Ok(releaser) => releaser,
        Err(NoReleaser::NoManager) => return Err(ErrorCode::NoManager.into()),
        Err(NoReleaser::TookIt) => return Err(ErrorCode::OwnRelease.into()),
    };
    // The operation is the server's: which terminal asked for it stands here alone.
    let deed = Deed {
        at: server.now(),
        act: Act::CreditAsked,
        device: Some(seat.device),
        address,
        subject: match releaser {
            Releaser::Other => format!("order {} by manager {manager}", order.order_no),
            Releaser::Taker => format!(
                "order {} by manager {manager}, who took the money: no other works here",
                order.order_no
            ),
        },
    };
    read_books(&server, move |ledger| ledger.save_deed(tenant, &deed)).await?;
    let said = OwnOperation {
        op_id: OpId(Uuid::now_v7()),
        action_id: ActionId(request.action),
        store: order.store,
        staff: Some(StaffProof {
            staff: manager,
            method: StaffMethod::Pin,
            policy_version: request.policy_version,
        }),
        body: OperationBody::CreditRetry { order: id },
        attachment: None,
    };
    let answered = server.say(tenant, vec![said]).await?.pop();
    let outcome = answered.ok_or(WriteError::Defect)?.outcome;
    let found = read_books(&server, move |ledger| {
        let order = ledger.order(tenant, id)?;
        Ok((order, settlement(ledger, tenant, id)?))
    });
    let (order, settlement) = found.await?;
    Ok(Json(CreditAnswer {
        outcome,
        order: (&order.ok_or(ErrorCode::NotFound)?).into(),
        settlement,
        server_time_ms: server.now().ms(),
    }))
}
