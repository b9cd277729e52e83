//! The set-up of payment channels, as a manager does it: the accounts of the shop's server, what is
//! wrong with one, and the entry of one. Keys go to the server and are kept nowhere on their way.

use std::collections::BTreeMap;
use std::sync::Arc;

use qiantai_core::attempt::Channel;
use qiantai_core::decide::RefusalCode;
use qiantai_core::ids::StaffId;
use qiantai_core::policy::Role;
use qiantai_sync::CallFailed;
use qiantai_wire::api::{
    CheckFindingDto, CheckRemarkDto, CheckStepDto, GatewayCheckAnswer, GatewayCheckRequest,
    GatewayDto, GatewayEndDto, GatewayFieldKindDto, StandingDto,
};

use crate::commit::refused;
use crate::counter::Counter;
use crate::error::{CallError, ErrorCode, outdated};
use crate::serve::blocking;
use crate::view::account::{
    AccountCheck, AccountFault, AccountField, AccountFieldKind, AccountRemark, AccountState,
    AccountStep, CheckAccount, PaymentAccount, PaymentAccounts, StepState,
};

/// The gateway that activates terminals.
const WITH_TERMINALS: &str = "shouqianba";

/// The accounts of the shop's server.
pub(crate) async fn payment_accounts(counter: &Arc<Counter>) -> Result<PaymentAccounts, CallError> {
    counter.manager()?;
    let answer = counter.client.gateways().await;
    let answer = answer.map_err(|error| unanswered(&error))?;
    Ok(PaymentAccounts {
        entered_here: answer.entered_here,
        accounts: answer.gateways.into_iter().map(account).collect(),
    })
}

/// Has the server go through the set-up of an account, with what was entered laid over it.
pub(crate) async fn check_account(
    counter: &Arc<Counter>,
    request: CheckAccount,
) -> Result<AccountCheck, CallError> {
    let manager = counter.manager()?;
    // It becomes a part of an address.
    if request.name.is_empty() || !request.name.bytes().all(|byte| byte.is_ascii_lowercase()) {
        return Err(CallError::new(ErrorCode::NotFound, "account_unknown"));
    }
    if !request.entered.is_empty() {
        let pin = request.pin.unwrap_or_default();
        let looker = Arc::clone(counter);
        blocking(move || looker.check_pin(manager, &pin)).await?;
    }
    let asked = GatewayCheckRequest {
        manager: manager.0,
        entered: request.entered,
    };
    let answer = counter.client.check_gateway(&request.name, &asked).await;
    answer
        .map(|answer| report(&request.name, &answer))
        .map_err(|error| unanswered(&error))
}

impl Counter {
    /// The manager who is signed in.
    pub(crate) fn manager(&self) -> Result<StaffId, CallError> {
        let (person, _) = self.staff()?;
        match person.role {
            Role::Manager => Ok(person.id),
            Role::Cashier
            | Role::Finance
            | Role::ExceptionHandler
            | Role::Auditor
            | Role::HeadOffice => Err(refused(RefusalCode::RoleNotAllowed)),
        }
    }
}

fn account(told: GatewayDto) -> PaymentAccount {
    let channels = told.carries.into_iter();
    let fields = told.fields.into_iter().map(|field| AccountField {
        place: field.place,
        kind: match field.kind {
            GatewayFieldKindDto::Plain => AccountFieldKind::Plain,
            GatewayFieldKindDto::Secret => AccountFieldKind::Secret,
            GatewayFieldKindDto::Key => AccountFieldKind::Key,
            GatewayFieldKindDto::Certificate => AccountFieldKind::Certificate,
            GatewayFieldKindDto::File => AccountFieldKind::File,
        },
        needed: field.needed,
        filled: field.filled,
    });
    PaymentAccount {
        name: told.name,
        channels: channels
            .map(|channel| Channel::from(channel).into())
            .collect(),
        state: match told.standing {
            StandingDto::Up => AccountState::Up,
            StandingDto::Down => AccountState::Down,
            StandingDto::Absent if told.set_up => AccountState::Closed,
            StandingDto::Absent => AccountState::NotSetUp,
        },
        remarks: told.ends.into_iter().map(ends_soon).collect(),
        fields: fields.collect(),
    }
}

fn ends_soon(end: GatewayEndDto) -> AccountRemark {
    if end.days >= 0 {
        return remark(CheckRemarkDto::EndsSoon, Some(end.place), Some(end.days));
    }
    AccountRemark {
        message_key: "set_up.remark.ended".to_owned(),
        params: BTreeMap::new(),
        place: Some(end.place),
    }
}

fn remark(what: CheckRemarkDto, place: Option<String>, count: Option<i64>) -> AccountRemark {
    AccountRemark {
        message_key: format!("set_up.remark.{}", what.word()),
        params: values([("count", count.map(|count| count.to_string()))]),
        place,
    }
}

fn unanswered(error: &CallFailed) -> CallError {
    tracing::warn!(%error, "a payment account was not looked at");
    if let Some(outdated) = outdated(error) {
        return outdated;
    }
    if let CallFailed::Refused(refusal) = error {
        use qiantai_wire::ErrorCode as Told;
        match refusal.error_code() {
            Some(Told::NoManager) => return refused(RefusalCode::RoleNotAllowed),
            Some(Told::NotFound | Told::GatewayNotConfigured) => {
                return CallError::new(ErrorCode::NotFound, "account_unknown");
            }
            Some(Told::KeysElsewhere) => {
                return CallError::new(ErrorCode::WrongState, "keys_elsewhere");
            }
            Some(Told::PaymentsOpen) => {
                return CallError::new(ErrorCode::WrongState, "payments_open").retryable();
            }
            Some(Told::DiskFull) => {
                return CallError::new(ErrorCode::DiskFull, "disk_full").retryable();
            }
            _ => {}
        }
    }
    CallError::new(ErrorCode::ServerUnreachable, "accounts_unreachable").retryable()
}

fn report(name: &str, answer: &GatewayCheckAnswer) -> AccountCheck {
    let steps = CheckStepDto::ALL.iter();
    let steps = steps.filter(|step| **step != CheckStepDto::Activated || name == WITH_TERMINALS);
    let remarks = answer.findings.iter().filter_map(|finding| match finding {
        CheckFindingDto::Remark {
            remark: what,
            place,
            count,
        } => Some(remark(*what, place.clone(), *count)),
        CheckFindingDto::Passed { .. } | CheckFindingDto::Failed { .. } => None,
    });
    AccountCheck {
        good: answer.good,
        in_force: answer.in_force,
        steps: steps.map(|step| step_view(*step, answer)).collect(),
        remarks: remarks.collect(),
    }
}

fn step_view(step: CheckStepDto, answer: &GatewayCheckAnswer) -> AccountStep {
    let found = answer.findings.iter().find_map(|finding| match finding {
        CheckFindingDto::Passed { step: one } if *one == step => Some((StepState::Passed, None)),
        CheckFindingDto::Failed {
            step: one,
            fault,
            place,
            count,
            detail,
        } if *one == step => {
            let why = AccountFault {
                message_key: format!("set_up.fault.{}", fault.word()),
                params: values([
                    ("host", answer.host.clone()),
                    ("count", count.map(|count| count.to_string())),
                    ("detail", detail.clone()),
                ]),
                place: place.clone(),
                detail: detail.clone(),
            };
            Some((StepState::Failed, Some(why)))
        }
        _ => None,
    });
    let (state, fault) = found.unwrap_or((StepState::Skipped, None));
    AccountStep {
        name_key: format!("set_up.step.{}", step.word()),
        state,
        fault,
    }
}

fn values<const N: usize>(pairs: [(&str, Option<String>); N]) -> BTreeMap<String, String> {
    let pairs = pairs.into_iter();
    pairs
        .filter_map(|(name, value)| Some((name.to_owned(), value?)))
        .collect()
}

#[cfg(test)]
mod tests {
    use qiantai_wire::api::CheckFaultDto;

    use super::*;

    #[test]
    fn every_step_is_shown_with_what_came_out() {
        let answer = GatewayCheckAnswer {
            good: false,
            in_force: false,
            host: Some("gateway.example".into()),
            findings: vec![
                CheckFindingDto::Passed {
                    step: CheckStepDto::Filled,
                },
                CheckFindingDto::Remark {
                    remark: CheckRemarkDto::EndsSoon,
                    place: Some("certificate".into()),
                    count: Some(21),
                },
                CheckFindingDto::Failed {
                    step: CheckStepDto::OwnKey,
                    fault: CheckFaultDto::NotThirtyTwo,
                    place: Some("api_v3_key".into()),
                    count: Some(9),
                    detail: None,
                },
            ],
        };
        let shown = report("wechat", &answer);
        let states: Vec<_> = shown.steps.iter().map(|step| step.state).collect();
        let mut expected = vec![StepState::Skipped; CheckStepDto::ALL.len() - 1];
        expected[0] = StepState::Passed;
        expected[1] = StepState::Failed;
        assert_eq!(states, expected);
        let of_terminals = report(WITH_TERMINALS, &answer).steps;
        assert_eq!(of_terminals.len(), CheckStepDto::ALL.len());
        let fault = shown.steps[1].fault.as_ref().expect("a fault");
        assert_eq!(fault.message_key, "set_up.fault.not_thirty_two");
        assert_eq!(fault.place.as_deref(), Some("api_v3_key"));
        assert_eq!(fault.params["count"], "9");
        assert_eq!(shown.remarks[0].message_key, "set_up.remark.ends_soon");
        assert_eq!(shown.remarks[0].params["count"], "21");
    }
}
