//! A top-up in cash: durable on this terminal when it returns, with or without the server.

use qiantai_core::Money;
use qiantai_core::attempt::Channel;
use qiantai_core::decide::{Change, RefusalCode};
use qiantai_core::ids::{ActionId, MemberId, OrderId};
use qiantai_core::ledger::CaseKind;
use qiantai_core::operation::{OperationBody, RechargeCash, RechargeOpen, StaffProof};
use qiantai_core::order_no::Prefix;
use qiantai_core::policy::Policy;

use crate::approval::approver;
use crate::commit::refused;
use crate::counter::Counter;
use crate::error::{CallError, ErrorCode, MoneyMoved};
use crate::overlay::Overlay;
use crate::parse;
use crate::quotes::ShownQuote;
use crate::split::{asked_part, share_of};
use crate::terminal::Draft;
use crate::top_up::{blocked, member_of};
use crate::view::event::CounterEvent;
use crate::view::order::{Approval, OrderView, PayCash};

impl Counter {
    /// Takes cash. The same intent twice returns the first order.
    pub(crate) fn pay_cash(&self, request: &PayCash) -> Result<OrderView, CallError> {
        let (_, proof) = self.staff()?;
        let intent = ActionId(parse::id(&request.intent)?);
        let _sale = self.sale_lock();
        if let Some(order) = self.order_of_intent(intent)? {
            return self.written_order(order, MoneyMoved::Yes);
        }
        let shown = self.shown_quote(&request.quote_id, intent, Channel::Cash)?;
        let overlay = self.overlay(&[shown.member])?;
        let shift = self.open_shift_id(&overlay)?;
        let policy = self.policy()?;
        let open = self.opening(&policy, &overlay, &shown, request.duplicate_confirmed)?;
        let pay = open.quote.pay;
        let tendered = tendered(&request.tendered, pay)?;
        let offline = self.is_offline();
        let approval = match offline {
            true => offline_approval(&policy, &overlay, pay, &proof, request)?,
            false => None,
        };
        let order = open.order;
        let body = OperationBody::RechargeCash(RechargeCash {
            open,
            tendered,
            change: tendered - pay,
            approval: approval.map(|(proof, _)| proof),
        });
        let draft = Draft {
            action: intent,
            staff: Some(proof),
            shift: Some(shift),
            offline,
            body,
        };
        let sale = (order, shown.member);
        self.write_sale(sale, draft, overlay, approval)
    }

    /// Makes a sale whose money is taken durable, after a manager's PIN where one is wanted.
    pub(crate) fn write_sale(
        &self,
        (order, member): (OrderId, MemberId),
        draft: Draft,
        overlay: Overlay,
        approval: Option<(StaffProof, &Approval)>,
    ) -> Result<OrderView, CallError> {
        self.check_no_case(&draft, &overlay)?;
        if let Some((proof, typed)) = approval {
            self.check_pin(proof.staff, &typed.pin)?;
        }
        let jobs = self.slips_of_sale(order)?;
        let overlay = self.commit(&[draft], overlay, jobs)?;
        self.tell(CounterEvent::Member {
            member_id: member.to_string(),
        });
        self.just_written(&overlay, order, MoneyMoved::Yes)
    }

    /// The opening of an order at the price shown, which must still hold.
    pub(crate) fn opening(
        &self,
        policy: &Policy,
        overlay: &Overlay,
        shown: &ShownQuote,
        duplicate_confirmed: bool,
    ) -> Result<RechargeOpen, CallError> {
        let share = share_of(shown.channel, shown.cash_part);
        let member = member_of(overlay, shown.member)?;
        let now = self.now();
        let fresh = self.price_now(policy, overlay, &member, shown.choice, share, now)?;
        if !fresh.promises_same(&shown.quote) || now - shown.quote.quoted_at > policy.quote_valid {
            return Err(CallError::new(ErrorCode::QuoteChanged, "quote_changed").retryable());
        }
        if let Some(error) = blocked(&fresh) {
            return Err(error);
        }
        let own = OrderId(shown.intent.0);
        if !duplicate_confirmed && self.unsettled_of(overlay, shown.member, own)?.is_some() {
            let code = ErrorCode::DuplicateSuspected;
            return Err(CallError::new(code, "payment_unsettled"));
        }
        // A code that the customer scans says the number before the order is written.
        let told = self
            .quotes()
            .code(own)
            .map(|code| code.view.order_no.clone());
        Ok(RechargeOpen {
            // One intent opens one order: equal ids keep the receipt's code small.
            order: own,
            order_no: match told {
                Some(number) => number,
                None => self.number(Prefix::Recharge)?,
            },
            member: shown.member,
            choice: shown.choice,
            quote: fresh,
            seller: None,
            duplicate_confirmed,
            cash_part: asked_part(shown),
        })
    }

    /// The price that the cashier saw.
    pub(crate) fn shown_quote(
        &self,
        quote_id: &str,
        intent: ActionId,
        channel: Channel,
    ) -> Result<ShownQuote, CallError> {
        let id = parse::id(quote_id)?;
        let quotes = self.quotes();
        let shown = quotes
            .find(id, intent)
            .filter(|shown| shown.channel == channel);
        shown
            .cloned()
            .ok_or_else(|| CallError::new(ErrorCode::QuoteChanged, "quote_stale").retryable())
    }

    /// A fact is never refused, so whatever would open a case is said before it is done.
    pub(crate) fn check_no_case(&self, draft: &Draft, overlay: &Overlay) -> Result<(), CallError> {
        self.check_no_case_but(&[], draft, overlay)
    }

    /// The same where cases of the kinds `settled` are looked after elsewhere.
    pub(crate) fn check_no_case_but(
        &self,
        settled: &[CaseKind],
        draft: &Draft,
        overlay: &Overlay,
    ) -> Result<(), CallError> {
        let operation = self.terminal.operation(draft.clone(), self.log_position()?);
        for change in overlay.preview(&operation) {
            let Change::Case(case) = change else {
                continue;
            };
            if settled.contains(&case.kind) {
                continue;
            }
            return Err(match case.kind {
                CaseKind::DuplicateSuspected => {
                    CallError::new(ErrorCode::DuplicateSuspected, "duplicate_suspected")
                }
                CaseKind::LimitPassed => CallError::new(ErrorCode::LimitBlocked, "limit_blocked"),
                CaseKind::QuoteDiffers => {
                    CallError::new(ErrorCode::QuoteChanged, "quote_changed").retryable()
                }
                CaseKind::CreditBlocked | CaseKind::MemberInactive => {
                    refused(RefusalCode::MemberNotActive)
                }
                CaseKind::StaffIrregular => refused(RefusalCode::RoleNotAllowed),
                CaseKind::ShiftIrregular => refused(RefusalCode::ShiftNotOpen),
                other => {
                    tracing::warn!(?other, "money taken is refused at the counter");
                    CallError::new(ErrorCode::WrongState, "internal")
                }
            });
        }
        Ok(())
    }
}

/// Nothing where cash taken offline stays within its bounds; beyond them the manager named for it,
/// with what that person typed.
fn offline_approval<'a>(
    policy: &Policy,
    overlay: &Overlay,
    pay: Money,
    own: &StaffProof,
    request: &'a PayCash,
) -> Result<Option<(StaffProof, &'a Approval)>, CallError> {
    let Err(passed) = check_offline_caps(policy, overlay, pay) else {
        return Ok(None);
    };
    let typed = request.approval.as_ref().ok_or(passed)?;
    Ok(Some((approver(policy, own, typed)?, typed)))
}

/// Bounds of unsynchronised cash, which a manager's PIN raises (docs: domain §5.6, sync, "Offline
/// top-up").
fn check_offline_caps(policy: &Policy, overlay: &Overlay, pay: Money) -> Result<(), CallError> {
    let limits = policy.offline;
    if pay > limits.cash_per_order {
        let passed = CallError::new(ErrorCode::ApprovalNeeded, "offline_cash_cap_order");
        return Err(passed.with("limit", limits.cash_per_order.to_string()));
    }
    let unsynced: Money = overlay
        .open
        .iter()
        .map(|operation| cash_of(&operation.body))
        .sum();
    if unsynced + pay > limits.cash_per_terminal {
        let passed = CallError::new(ErrorCode::ApprovalNeeded, "offline_cash_cap_terminal");
        return Err(passed
            .with("limit", limits.cash_per_terminal.to_string())
            .with("reached", unsynced.to_string()));
    }
    Ok(())
}

/// What of it went into the drawer.
fn cash_of(body: &OperationBody) -> Money {
    match body {
        OperationBody::RechargeCash(cash) => cash.tendered - cash.change,
        OperationBody::RechargeRecorded(recorded) => recorded.cash_part.unwrap_or(Money::ZERO),
        _ => Money::ZERO,
    }
}

/// Nothing typed means the exact amount.
fn tendered(text: &str, pay: Money) -> Result<Money, CallError> {
    if text.trim().is_empty() {
        return Ok(pay);
    }
    let tendered = parse::amount(text)?;
    if tendered < pay {
        return Err(
            CallError::new(ErrorCode::InvalidInput, "tendered_too_little")
                .with("missing", (pay - tendered).to_string()),
        );
    }
    Ok(tendered)
}
