//! The shop's own code: amount and order number in an EMVCo code that this terminal makes without
//! any network. The customer's bank pays into the merchant account and tells nobody here, so what
//! comes by it is recorded by hand and stays unverified (docs: adr 0035).

use qiantai_core::attempt::Channel;
use qiantai_core::ids::{ActionId, OrderId};
use qiantai_core::merchant_account::MerchantAccount;
use qiantai_core::operation::{OperationBody, RechargeOpen, RechargeRecorded};
use qiantai_core::policy::Policy;
use qiantai_core::recorded_payment::{PaymentReference, RecordedMethod};
use qiantai_emv::ShopCode;

use crate::counter::Counter;
use crate::error::{CallError, ErrorCode, MoneyMoved};
use crate::parse;
use crate::quotes::{ShownCode, ShownQuote};
use crate::recorded::offered;
use crate::show::order::qr_view;
use crate::terminal::Draft;
use crate::view::order::{OrderKey, OrderView, Stage};
use crate::view::recorded::ShowShopCode;

impl Counter {
    /// The code for one top-up. Nothing is written: it is what the customer scans, under the number
    /// that the order will have. What would keep the payment from being recorded is said before
    /// anybody pays.
    pub(crate) fn shop_code(&self, request: &ShowShopCode) -> Result<OrderView, CallError> {
        let (_, proof) = self.staff()?;
        let intent = ActionId(parse::id(&request.intent)?);
        let policy = self.policy()?;
        let method = offered(&policy, Channel::ShopCode)?;
        let account = account_of(&policy).ok_or_else(unusable)?;
        let _sale = self.sale_lock();
        if let Some(order) = self.order_of_intent(intent)? {
            return self.written_order(order, MoneyMoved::Yes);
        }
        let shown = self.shown_quote(&request.quote_id, intent, method.channel())?;
        let overlay = self.overlay(&[shown.member])?;
        let shift = self.open_shift_id(&overlay)?;
        let open = self.opening(&policy, &overlay, &shown, request.duplicate_confirmed)?;
        let payload = self.payload(account, &open)?;
        let draft = Draft {
            action: intent,
            staff: Some(proof),
            shift: Some(shift),
            // Whether a manager is wanted is asked when the payment is recorded.
            offline: false,
            body: unseen(method, &open)?,
        };
        self.check_no_case(&draft, &overlay)?;
        let view = self.unpaid(&shown, &open, &payload)?;
        self.quotes().put_code(ShownCode {
            order: open.order,
            pay: open.quote.pay,
            view: view.clone(),
        });
        Ok(view)
    }

    /// One order for the window, also one whose code is on the screen and whose payment nobody has
    /// recorded yet.
    pub(crate) fn shown_order(&self, request: &OrderKey) -> Result<OrderView, CallError> {
        let id = OrderId(parse::id(&request.order_id)?);
        self.may_follow(id)?;
        self.order_view(id).or_else(|error| {
            let quotes = self.quotes();
            let code = quotes
                .code(id)
                .filter(|_| error.code == ErrorCode::NotFound);
            code.map(|code| code.view.clone()).ok_or(error)
        })
    }

    /// A payment by the shop's code is recorded for the code that was on the screen: its amount and
    /// its number are what the customer's bank was told.
    pub(crate) fn check_code_shown(&self, shown: &ShownQuote) -> Result<(), CallError> {
        let order = OrderId(shown.intent.0);
        let quotes = self.quotes();
        match quotes.code(order) {
            Some(code) if code.pay == shown.quote.pay => Ok(()),
            _ => Err(CallError::new(ErrorCode::WrongState, "shop_code_not_shown")),
        }
    }

    fn payload(&self, account: &MerchantAccount, open: &RechargeOpen) -> Result<String, CallError> {
        let (amount, number) = (open.quote.pay, &open.order_no);
        let code = ShopCode::into_account(account, amount, number, &self.terminal.code);
        let code = code.and_then(|code| code.build()).map_err(|error| {
            tracing::error!(%error, "the shop's code");
            unusable()
        })?;
        Ok(code.to_payload())
    }

    /// The order as long as nobody has recorded its payment.
    fn unpaid(
        &self,
        shown: &ShownQuote,
        open: &RechargeOpen,
        payload: &str,
    ) -> Result<OrderView, CallError> {
        Ok(OrderView {
            id: open.order.to_string(),
            order_no: open.order_no.clone(),
            member_id: shown.member.to_string(),
            member: self.member_name(shown.member)?,
            channel: Some(Channel::ShopCode.into()),
            parts: None,
            loose_cash: None,
            pay_fen: open.quote.pay.into(),
            bonus_fen: open.quote.bonus.into(),
            tendered_fen: None,
            change_fen: None,
            stage: Stage::Waiting,
            abnormal: None,
            by_code: false,
            qr: Some(qr_view(payload).ok_or_else(unusable)?),
            had_code: true,
            expires_at_ms: None,
            attempt_started_ms: None,
            failure: None,
            credit: None,
            provisional: false,
            channel_txn_no: None,
            approver: None,
            released_alone: false,
            opened_at_ms: open.quote.quoted_at.into(),
            copies: 0,
        })
    }
}

/// The account that the shop's code leads to, where a code can be made of it.
pub(crate) fn account_of(policy: &Policy) -> Option<&MerchantAccount> {
    let account = policy.merchant_account.as_ref()?;
    match account.check() {
        Ok(()) => Some(account),
        Err((field, fault)) => {
            tracing::error!(?field, %fault, "the merchant account of the shop's code");
            None
        }
    }
}

/// The payment as it will be recorded, under the one reference that nobody else can have.
fn unseen(method: RecordedMethod, open: &RechargeOpen) -> Result<OperationBody, CallError> {
    let reference = PaymentReference::parse(method, &open.order_no);
    Ok(OperationBody::RechargeRecorded(RechargeRecorded {
        open: open.clone(),
        method,
        reference: reference.map_err(|error| {
            tracing::error!(%error, "an order number as reference");
            CallError::internal()
        })?,
        reference_confirmed: false,
        approval: None,
        cash_part: None,
    }))
}

fn unusable() -> CallError {
    CallError::new(ErrorCode::WrongState, "shop_code_unset")
}
