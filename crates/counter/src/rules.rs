//! The rules of the shop: its people, what a receipt says, how people pay. A manager changes them;
//! the server publishes what follows, and every till of the shop gets it.

use std::sync::Arc;

use qiantai_core::ids::StaffId;
use qiantai_core::policy::{Policy, Staff};
use qiantai_core::policy_change::{Person, PolicyChange, ReceiptWords, Unfit};
use qiantai_sync::CallFailed;
use qiantai_wire::api::{RulesChangeDto, RulesRequest};

use crate::account_input::faulty;
use crate::approval::manager;
use crate::counter::Counter;
use crate::error::{CallError, ErrorCode, outdated};
use crate::parse;
use crate::serve::blocking;
use crate::shop_input::{
    Field, METHODS, NAME, ROLE, brand_of, free_number, given_role, hashed, named, no_short_name,
    pin_of, receipt, unnamed, wrong,
};
use crate::view::first_start::{NewPerson, ReceiptHeader};
use crate::view::rules::{ChangeRules, RulesChange, ShopPerson, ShopRules};

impl Counter {
    /// The rules that can be changed here, as the shop has them now.
    pub(crate) fn shop_rules(&self) -> Result<ShopRules, CallError> {
        self.staff()?;
        let rules = self.newest_rules()?;
        Ok(shown(&rules))
    }

    /// The newest, also where they begin later.
    fn newest_rules(&self) -> Result<Arc<Policy>, CallError> {
        let newest = self.policies().into_iter().max_by_key(|it| it.version);
        newest.map_or_else(|| self.policy(), Ok)
    }

    /// What is asked of the server. The PIN is looked at last.
    fn asked(&self, request: &ChangeRules) -> Result<RulesRequest, CallError> {
        self.staff()?;
        let rules = self.newest_rules()?;
        if rules.version != request.version {
            return Err(moved());
        }
        let change = self.change_of(&rules, &request.change)?;
        rules
            .changed_by(change.clone(), self.now())
            .map_err(unfit)?;
        if self.is_offline() {
            let cut = CallError::new(ErrorCode::ServerUnreachable, "rules_offline");
            return Err(cut.retryable());
        }
        let Some(approval) = &request.approval else {
            let asked = CallError::new(ErrorCode::ApprovalNeeded, "rules_need_manager");
            return Err(asked.retryable());
        };
        let in_force = self.policy()?;
        let proof = manager(&in_force, approval)?;
        self.check_pin(proof.staff, &approval.pin)?;
        Ok(RulesRequest {
            manager: proof.staff.0,
            base_version: rules.version,
            change: RulesChangeDto::from(&change),
        })
    }

    fn change_of(&self, rules: &Policy, change: &RulesChange) -> Result<PolicyChange, CallError> {
        let surroundings = self.surroundings.as_ref();
        Ok(match change {
            RulesChange::Join { person } => PolicyChange::Join(self.joining(rules, person)?),
            RulesChange::Role { id, role } => PolicyChange::Person(Person {
                role: given_role(*role)?,
                ..known(rules, id)?
            }),
            RulesChange::Pin { id, pin, again } => PolicyChange::Pin {
                person: known(rules, id)?.id,
                pin: hashed(&pin_of(pin, again)?, surroundings),
            },
            RulesChange::Leave { id } => PolicyChange::Person(Person {
                active: false,
                ..known(rules, id)?
            }),
            RulesChange::Return { id } => PolicyChange::Person(Person {
                active: true,
                ..known(rules, id)?
            }),
            RulesChange::Receipt { receipt: typed } => {
                let words = receipt(typed)?;
                PolicyChange::Receipt(ReceiptWords {
                    address: words.address,
                    phone: words.phone,
                    complaint_phone: words.complaint_phone,
                    refund_rule: words.refund_rule,
                })
            }
            RulesChange::Methods { methods } => {
                PolicyChange::Methods(methods.iter().map(|&it| it.into()).collect())
            }
            RulesChange::Account { merchant_account } => {
                PolicyChange::Account(merchant_account.as_ref().map(Into::into))
            }
            RulesChange::Brand { brand } => PolicyChange::Brand((&brand_of(brand)?).into()),
        })
    }

    fn joining(&self, rules: &Policy, person: &NewPerson) -> Result<Staff, CallError> {
        let name = named(NAME, &person.name)?;
        let mut others = rules.staff.iter();
        if others.any(|other| other.active && other.name == name) {
            return Err(wrong(NAME, "set_up_same_name"));
        }
        let role = given_role(person.role)?;
        let pin = pin_of(&person.pin, &person.again)?;
        let taken = rules.staff.iter().map(|it| it.staff_no.as_str());
        Ok(Staff {
            id: StaffId(self.surroundings.new_id()),
            staff_no: free_number(role, taken),
            name,
            role,
            pin: hashed(&pin, self.surroundings.as_ref()),
            active: true,
        })
    }
}

/// Changes one thing about the shop, in a manager's name. Asked twice, it is done once: a change of
/// rules that are others by now is refused.
pub(crate) async fn change_rules(
    counter: &Arc<Counter>,
    request: ChangeRules,
) -> Result<ShopRules, CallError> {
    let reader = Arc::clone(counter);
    let asked = blocking(move || reader.asked(&request)).await?;
    let answer = counter.client.change_rules(&asked).await;
    // Whatever became of it, what the shop has now comes with the feed.
    counter.sync.hurry();
    let answer = answer.map_err(|error| unanswered(&error))?;
    Ok(shown(&Policy::from(answer.policy)))
}

fn shown(rules: &Policy) -> ShopRules {
    let mut people: Vec<ShopPerson> = rules.staff.iter().map(person).collect();
    people.sort_by_key(|person| !person.active);
    let store = &rules.store;
    ShopRules {
        version: rules.version,
        shop: store.name.clone(),
        brand: (&store.brand).into(),
        people,
        receipt: ReceiptHeader {
            address: store.address.clone(),
            phone: store.phone.clone(),
            complaint_phone: store.complaint_phone.clone(),
            refund_rule: store.refund_rule.clone(),
        },
        methods: rules.channels.iter().map(|&it| it.into()).collect(),
        merchant_account: rules.merchant_account.as_ref().map(Into::into),
    }
}

fn person(staff: &Staff) -> ShopPerson {
    ShopPerson {
        id: staff.id.to_string(),
        staff_no: staff.staff_no.clone(),
        name: staff.name.clone(),
        role: staff.role.into(),
        active: staff.active,
    }
}

fn known(rules: &Policy, id: &str) -> Result<Person, CallError> {
    let id = StaffId(parse::id(id)?);
    let found = rules.staff.iter().find(|person| person.id == id);
    let found = found.ok_or_else(|| CallError::new(ErrorCode::NotFound, "staff_unknown"))?;
    Ok(Person {
        id,
        name: found.name.clone(),
        role: found.role,
        active: found.active,
    })
}

fn unfit(unfit: Unfit) -> CallError {
    match unfit {
        Unfit::Line(field, error) => unnamed(Field(field), error),
        Unfit::Phone(field) => wrong(Field(field), "set_up_phone"),
        Unfit::Role => wrong(ROLE, "set_up_role"),
        Unfit::TooMany => wrong(NAME, "set_up_too_many"),
        Unfit::NoManager => wrong(ROLE, "set_up_no_manager"),
        Unfit::Account(field, fault) => faulty(field, fault),
        Unfit::ShortName(error) => no_short_name(error),
        Unfit::Methods => wrong(METHODS, "set_up_no_method"),
        Unfit::StaffNo | Unfit::Person => moved(),
        // No screen changes it.
        Unfit::RiskFloor => CallError::internal(),
    }
}

/// Somebody else changed the rules meanwhile.
fn moved() -> CallError {
    CallError::new(ErrorCode::WrongState, "rules_moved").retryable()
}

fn unanswered(error: &CallFailed) -> CallError {
    tracing::warn!(%error, "a change of the rules was not answered");
    if let Some(outdated) = outdated(error) {
        return outdated;
    }
    let CallFailed::Refused(refusal) = error else {
        return CallError::new(ErrorCode::ServerUnreachable, "rules_unanswered").retryable();
    };
    match refusal.error_code() {
        Some(qiantai_wire::ErrorCode::NoManager) => {
            CallError::new(ErrorCode::ApprovalNeeded, "approver_no_manager").retryable()
        }
        Some(qiantai_wire::ErrorCode::RulesMoved | qiantai_wire::ErrorCode::RulesUnfit) => moved(),
        _ => CallError::new(ErrorCode::ServerUnreachable, "rules_unanswered").retryable(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use qiantai_core::brand::ShortNameError;
    use qiantai_core::merchant_account::{AccountFault, AccountField};

    #[test]
    fn every_reason_has_its_sentence_at_its_field() {
        for (reason, field, key) in [
            (Unfit::Phone("phone"), Some("phone"), "error.set_up_phone"),
            (Unfit::Role, Some("role"), "error.set_up_role"),
            (Unfit::TooMany, Some("name"), "error.set_up_too_many"),
            (Unfit::NoManager, Some("role"), "error.set_up_no_manager"),
            (Unfit::Methods, Some("methods"), "error.set_up_no_method"),
            (
                Unfit::Account(AccountField::Name, AccountFault::Empty),
                Some("latin_name"),
                "error.set_up_empty",
            ),
            (
                Unfit::ShortName(ShortNameError::TooLong),
                Some("short_name"),
                "error.set_up_short_name_too_long",
            ),
            (Unfit::StaffNo, None, "error.rules_moved"),
            (Unfit::Person, None, "error.rules_moved"),
        ] {
            let error = unfit(reason);
            assert_eq!(error.message_key, key);
            assert_eq!(
                error.params.get("field").map(String::as_str),
                field,
                "{key}"
            );
        }
    }
}
