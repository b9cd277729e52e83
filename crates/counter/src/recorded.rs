//! A top-up paid outside any gateway, on the bank's card terminal, by transfer or by the shop's own
//! code: recorded with the reference that the bank gave it, a part of it perhaps in cash, and
//! durable on this terminal when it returns.

use qiantai_core::attempt::Channel;
use qiantai_core::ids::ActionId;
use qiantai_core::operation::{OperationBody, RechargeRecorded, StaffProof};
use qiantai_core::policy::Policy;
use qiantai_core::recorded_payment::{
    PaymentReference, REFERENCE_CHARS_MAX, REFERENCE_CHARS_MIN, RecordedMethod, ReferenceFault,
};

use crate::approval::approver;
use crate::counter::Counter;
use crate::error::{CallError, ErrorCode, MoneyMoved};
use crate::overlay::Overlay;
use crate::parse;
use crate::terminal::Draft;
use crate::view::event::CounterEvent;
use crate::view::order::{Approval, OrderView};
use crate::view::recorded::PayRecorded;

impl Counter {
    /// Records a payment. The same intent twice returns the first order.
    pub(crate) fn pay_recorded(&self, request: &PayRecorded) -> Result<OrderView, CallError> {
        let (_, proof) = self.staff()?;
        let intent = ActionId(parse::id(&request.intent)?);
        let policy = self.policy()?;
        let method = offered(&policy, request.channel.into())?;
        let reference = read(method, &request.reference)?;
        let _sale = self.sale_lock();
        if let Some(order) = self.order_of_intent(intent)? {
            return self.written_order(order, MoneyMoved::Yes);
        }
        let shown = self.shown_quote(&request.quote_id, intent, method.channel())?;
        if method == RecordedMethod::ShopCode {
            self.check_code_shown(&shown)?;
        }
        let mut overlay = self.overlay(&[shown.member])?;
        overlay.learn_reference(&self.store, reference.as_str())?;
        let shift = self.open_shift_id(&overlay)?;
        self.check_unused(&overlay, &policy, method, &reference, request)?;
        let open = self.opening(&policy, &overlay, &shown, request.duplicate_confirmed)?;
        let offline = self.is_offline();
        let approval = match offline {
            true => Some(offline_approval(&policy, &proof, request)?),
            false => None,
        };
        let order = open.order;
        let body = OperationBody::RechargeRecorded(RechargeRecorded {
            open,
            method,
            reference,
            reference_confirmed: request.reference_confirmed,
            approval: approval.map(|(proof, _)| proof),
            cash_part: shown.cash_part,
        });
        let draft = Draft {
            action: intent,
            staff: Some(proof),
            shift: Some(shift),
            offline,
            body,
        };
        let sale = (order, shown.member);
        let view = self.write_sale(sale, draft, overlay, approval)?;
        if method == RecordedMethod::ShopCode {
            // The customer's display has this order on it already, with the code.
            self.tell(CounterEvent::Order {
                order: Box::new(view.clone()),
            });
        }
        Ok(view)
    }

    /// A reference used before is questioned where the bank may give it twice, and refused where it
    /// does not: the money behind it is with the other order.
    fn check_unused(
        &self,
        overlay: &Overlay,
        policy: &Policy,
        method: RecordedMethod,
        reference: &PaymentReference,
        request: &PayRecorded,
    ) -> Result<(), CallError> {
        let store = self.terminal.store;
        let cut_off = policy.store.cut_off_minutes;
        let holder = overlay
            .state
            .holder_of(method, reference, store, self.now(), cut_off);
        let Some(order) = holder else { return Ok(()) };
        if request.reference_confirmed && method.may_repeat() {
            return Ok(());
        }
        let error = match method.may_repeat() {
            true => CallError::new(ErrorCode::ReferenceUsed, "reference_used"),
            false => CallError::new(ErrorCode::InvalidInput, "reference_taken"),
        };
        let number = self.order_no_of(overlay, order)?;
        Err(error.with("no", number.unwrap_or_else(|| order.to_string())))
    }
}

/// The method behind a channel that this shop takes.
pub(crate) fn offered(policy: &Policy, channel: Channel) -> Result<RecordedMethod, CallError> {
    RecordedMethod::of(channel)
        .filter(|_| policy.channels.contains(&channel))
        .ok_or_else(|| CallError::new(ErrorCode::WrongState, "channel_not_offered"))
}

fn read(method: RecordedMethod, text: &str) -> Result<PaymentReference, CallError> {
    PaymentReference::parse(method, text).map_err(|fault| {
        let refused = |key| CallError::new(ErrorCode::InvalidInput, key);
        match fault {
            ReferenceFault::Empty => refused("reference_empty"),
            ReferenceFault::TooShort => {
                refused("reference_too_short").with("least", REFERENCE_CHARS_MIN.to_string())
            }
            ReferenceFault::TooLong => {
                refused("reference_too_long").with("most", REFERENCE_CHARS_MAX.to_string())
            }
            ReferenceFault::Character(character) => {
                refused("reference_character").with("character", shown(character))
            }
            ReferenceFault::CardNumber => refused("reference_card_number"),
        }
    })
}

/// A character for a sentence; one that shows nothing, or turns the sentence around, by its number.
pub(crate) fn shown(character: char) -> String {
    let escaped: String = character.escape_debug().collect();
    match escaped.starts_with("\\u") {
        true => format!("U+{:04X}", u32::from(character)),
        false => character.to_string(),
    }
}

/// Without the server only cash is taken; a manager's PIN raises that (docs: sync, "Offline
/// top-up").
fn offline_approval<'a>(
    policy: &Policy,
    own: &StaffProof,
    request: &'a PayRecorded,
) -> Result<(StaffProof, &'a Approval), CallError> {
    let typed = request
        .approval
        .as_ref()
        .ok_or_else(|| CallError::new(ErrorCode::ApprovalNeeded, "offline_recorded"))?;
    Ok((approver(policy, own, typed)?, typed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_character_is_shown_or_numbered() {
        for (character, expected) in [
            ('凭', "凭"),
            ('😀', "😀"),
            ('\'', "'"),
            ('\u{202e}', "U+202E"),
            ('\u{7}', "U+0007"),
        ] {
            assert_eq!(shown(character), expected);
        }
    }
}
