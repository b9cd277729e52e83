//! Cases (异常单): what the server could not settle by itself, for the people who look after it.

use std::sync::Arc;

use qiantai_core::decide::RefusalCode;
use qiantai_core::ids::OrderId;
use qiantai_core::ledger::{CaseKind, ExceptionCase};
use qiantai_core::operation::StaffProof;
use qiantai_core::policy::Role;
use qiantai_core::recharge::OrderState;
use qiantai_core::{Money, masking};
use qiantai_sync::CallFailed;
use qiantai_wire::SignedOperation;
use qiantai_wire::api::CreditRequest;
use qiantai_wire::feed::OutcomeDto;

use crate::approval::releaser;
use crate::commit::refused;
use crate::counter::Counter;
use crate::error::{CallError, ErrorCode, MoneyMoved, outdated};
use crate::overlay::Overlay;
use crate::parse;
use crate::serve::blocking;
use crate::show::order::OrderFile;
use crate::view::case::{CaseList, CaseOrder, CaseView, CreditCase};
use crate::view::order::OrderView;
use crate::words;

/// Cases looked at for one list.
const CASES_MAX: u32 = 500;
/// Cases shown of which nothing waits.
const NOTED_MAX: usize = 100;

impl Counter {
    /// The cases of the shop, for everybody but cashiers.
    pub(crate) fn cases(&self) -> Result<CaseList, CallError> {
        self.check_sees_cases()?;
        let overlay = self.overlay(&[])?;
        let mut list = CaseList {
            waiting: Vec::new(),
            noted: Vec::new(),
        };
        for case in self.store.cases(CASES_MAX)? {
            let file = match case.order {
                Some(order) => self.known_file(&overlay, order)?,
                None => None,
            };
            let view = self.case_view(&case, file.as_ref())?;
            match waits(&case, file.as_ref()) {
                true => list.waiting.push(view),
                false if list.noted.len() < NOTED_MAX => list.noted.push(view),
                false => {}
            }
        }
        Ok(list)
    }

    fn check_sees_cases(&self) -> Result<(), CallError> {
        match self.staff()?.0.role {
            Role::Cashier => Err(refused(RefusalCode::RoleNotAllowed)),
            Role::Manager
            | Role::Finance
            | Role::ExceptionHandler
            | Role::Auditor
            | Role::HeadOffice => Ok(()),
        }
    }

    /// What is known of an order; nothing where the replica does not reach back to it.
    fn known_file(
        &self,
        overlay: &Overlay,
        order: OrderId,
    ) -> Result<Option<OrderFile>, CallError> {
        let order = self.store.order(order)?;
        order.map(|order| self.file_in(overlay, order)).transpose()
    }

    fn case_view(
        &self,
        case: &ExceptionCase,
        file: Option<&OrderFile>,
    ) -> Result<CaseView, CallError> {
        let member = match (file, case.member) {
            (Some(file), _) => Some(masking::name(&file.member)),
            (None, Some(member)) => {
                let profile = self.store.member(member)?.and_then(|known| known.profile);
                profile.map(|profile| masking::name(&profile.name))
            }
            (None, None) => None,
        };
        let cause = words::case(case.kind);
        Ok(CaseView {
            id: case.id.to_string(),
            cause_key: format!("case.{cause}"),
            advice_key: format!("case_advice.{cause}"),
            opened_at_ms: case.opened_at.into(),
            amount_fen: (case.amount != Money::ZERO).then(|| case.amount.into()),
            member,
            order: file.map(|file| self.case_order(file)).transpose()?,
        })
    }

    fn case_order(&self, file: &OrderFile) -> Result<CaseOrder, CallError> {
        let order = &file.order;
        Ok(CaseOrder {
            id: order.id.to_string(),
            order_no: order.order_no.clone(),
            stage: file.stage(),
            creditable: is_creditable(file),
            taker_alone: self.policy()?.only_manager() == Some(order.cashier),
            released_alone: order.released_by_taker(),
        })
    }

    /// The manager who lets the money of `order` be credited: not the one who took it, as long as
    /// the shop has another. The PIN is looked at last.
    fn creditor(&self, order: OrderId, request: &CreditCase) -> Result<StaffProof, CallError> {
        self.check_sees_cases()?;
        let file = self.order_file(order)?;
        if !is_creditable(&file) {
            return Err(refused(RefusalCode::OrderState));
        }
        if self.is_offline() {
            let cut = CallError::new(ErrorCode::ServerUnreachable, "credit_offline");
            return Err(cut.retryable());
        }
        let policy = self.policy()?;
        let proof = releaser(
            &policy,
            file.order.cashier,
            &request.approval,
            "release_own",
        )?;
        self.check_pin(proof.staff, &request.approval.pin)?;
        Ok(proof)
    }
}

/// Has the money of a case credited by the server, in a manager's name. What is credited already
/// stays as it is, so the same again is safe after any doubt.
pub(crate) async fn credit_case(
    counter: &Arc<Counter>,
    request: CreditCase,
) -> Result<OrderView, CallError> {
    let order = OrderId(parse::id(&request.order_id)?);
    let reader = Arc::clone(counter);
    let proof = blocking(move || reader.creditor(order, &request)).await?;
    let asked = CreditRequest {
        action: counter.surroundings.new_id(),
        manager: proof.staff.0,
        policy_version: proof.policy_version,
    };
    let answer = counter.client.credit_order(order.0, &asked).await;
    let answer = answer.map_err(|error| unanswered(&error))?;
    match answer.outcome {
        OutcomeDto::Applied | OutcomeDto::Exists => {}
        OutcomeDto::Refused(refusal) => return Err(refused(refusal.reason.into())),
        other => {
            tracing::error!(?other, %order, "a credit was neither done nor refused");
            return Err(CallError::internal());
        }
    }
    // The rows come with the feed; the slip's code need not wait for another question.
    counter.sync.hurry();
    let writer = Arc::clone(counter);
    blocking(move || {
        if let Some(settlement) = answer.settlement {
            let signed = SignedOperation {
                bytes: settlement.0,
            };
            writer.store.keep_settlement(order, &signed)?;
        }
        writer.order_view(order)
    })
    .await
}

/// Whether it was credited is not known; to ask again is safe.
fn unanswered(error: &CallFailed) -> CallError {
    tracing::warn!(%error, "a credit was not answered");
    if let Some(outdated) = outdated(error) {
        return outdated;
    }
    let refusal = match error {
        CallFailed::Refused(refusal) => refusal.error_code(),
        _ => None,
    };
    let key = match refusal {
        Some(qiantai_wire::ErrorCode::NoManager) => Some("approver_no_manager"),
        Some(qiantai_wire::ErrorCode::OwnRelease) => Some("release_own"),
        _ => None,
    };
    if let Some(key) = key {
        return CallError::new(ErrorCode::ApprovalNeeded, key).retryable();
    }
    let mut failed = CallError::new(ErrorCode::ServerUnreachable, "credit_unanswered");
    failed.money = MoneyMoved::Unknown;
    failed.retryable()
}

/// Its money is the shop's, and stands in suspense.
fn is_creditable(file: &OrderFile) -> bool {
    file.order.state == OrderState::Paid
}

/// Whether money waits for a person.
fn waits(case: &ExceptionCase, file: Option<&OrderFile>) -> bool {
    let Some(file) = file else {
        // No order will ever name it: it stands in suspense.
        let is_nobodys = matches!(case.kind, CaseKind::Unattributed | CaseKind::ActionReused);
        return is_nobodys && case.amount > Money::ZERO;
    };
    match case.kind {
        // Done as soon as the gateway says what became of it.
        CaseKind::ReversalUnclear => file
            .attempts
            .iter()
            .any(|attempt| Some(attempt.id) == case.attempt && attempt.state.is_open()),
        _ => matches!(file.order.state, OrderState::Paid | OrderState::Abnormal),
    }
}
