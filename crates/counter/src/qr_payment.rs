//! A top-up by QR code: the order and its first attempt are written together; everything after
//! that is the server's word.

use std::collections::HashSet;

use qiantai_core::attempt::{Channel, PayMethod};
use qiantai_core::ids::{ActionId, AttemptId, OrderId};
use qiantai_core::operation::{AttemptStart, OperationBody, StaffProof};
use qiantai_core::order_no::Prefix;
use qiantai_core::recharge::OrderState;
use qiantai_core::{Millis, Money, Timestamp};

use crate::counter::Counter;
use crate::error::{CallError, ErrorCode, MoneyMoved};
use crate::overlay::{Overlay, is_over};
use crate::parse;
use crate::printing::slip::money_since;
use crate::quotes::ShownQuote;
use crate::show::order::OrderFile;
use crate::terminal::Draft;
use crate::top_up::QR_CHANNELS;
use crate::view::event::CounterEvent;
use crate::view::order::{OrderKey, OrderView, RetryPayment, StartQr};

/// Slips of sales older than this are not printed by themselves after a start.
const MISSED_WITHIN: Millis = Millis::hours(1);
/// Slips of sales older than this are printed only when somebody asks: whether they were printed
/// is forgotten later (see [`crate::pruning`]).
const PRINTED_WITHIN: Millis = Millis::days(30);
/// Orders looked at for missed slips and open payments.
const MISSED_MAX: u32 = 20;

/// What a sale through a channel begins with.
pub(crate) struct NewSale {
    /// The price shown, with its intent and channel.
    pub shown: ShownQuote,
    /// How the customer pays.
    pub method: PayMethod,
    /// The cashier confirmed an equal top-up within two minutes.
    pub duplicate_confirmed: bool,
}

impl Counter {
    /// Opens the order and asks the channel for a QR code. The same intent twice returns the
    /// first order.
    pub(crate) fn start_qr(&self, request: &StartQr) -> Result<OrderView, CallError> {
        let (_, proof) = self.staff()?;
        let intent = ActionId(parse::id(&request.intent)?);
        let _sale = self.sale_lock();
        if let Some(order) = self.order_of_intent(intent)? {
            return self.written_order(order, MoneyMoved::Unknown);
        }
        let channel = self.online_channel(request.channel.into())?;
        let sale = NewSale {
            shown: self.shown_quote(&request.quote_id, intent, channel)?,
            method: PayMethod::Qr,
            duplicate_confirmed: request.duplicate_confirmed,
        };
        let (overlay, order, _) = self.open_sale(&sale, proof)?;
        self.just_written(&overlay, order, MoneyMoved::Unknown)
    }

    /// Writes an order and its first attempt. Of an order that only the server sends to review, it
    /// refuses the attempt: nobody is asked for money. The caller holds the sale lock.
    pub(crate) fn open_sale(
        &self,
        sale: &NewSale,
        proof: StaffProof,
    ) -> Result<(Overlay, OrderId, AttemptId), CallError> {
        let shown = &sale.shown;
        let overlay = self.overlay(&[shown.member])?;
        let shift = self.open_shift_id(&overlay)?;
        let policy = self.policy()?;
        let open = self.opening(&policy, &overlay, shown, sale.duplicate_confirmed)?;
        let order = open.order;
        let asked = open.quote.pay - open.cash_part.unwrap_or(Money::ZERO);
        let start = self.attempt(order, shown.channel, sale.method, asked)?;
        let attempt = start.attempt;
        let draft = |action, body| Draft {
            action,
            staff: Some(proof),
            shift: Some(shift),
            offline: false,
            body,
        };
        let drafts = [
            draft(shown.intent, OperationBody::RechargeOpen(open)),
            draft(self.new_action(), OperationBody::AttemptStart(start)),
        ];
        let overlay = self.commit(&drafts, overlay, Vec::new())?;
        self.payments().insert(order, self.sync.watch_payment());
        Ok((overlay, order, attempt))
    }

    /// Another attempt on an order whose last one ended unpaid.
    pub(crate) fn retry_payment(&self, request: &RetryPayment) -> Result<OrderView, CallError> {
        let (_, proof) = self.staff()?;
        let order = OrderId(parse::id(&request.order_id)?);
        let channel = qr_channel(request.channel.into())?;
        let _sale = self.sale_lock();
        let file = self.order_file(order)?;
        let open_attempt = file.attempts.iter().any(|attempt| !is_over(attempt));
        if open_attempt || file.order.state != OrderState::PendingPayment {
            // A second click finds the attempt of the first.
            return self.order_view(order);
        }
        let channel = self.online_channel(channel)?;
        let (overlay, _) = self.start_attempt(&file, channel, PayMethod::Qr, proof)?;
        self.just_written(&overlay, order, MoneyMoved::Unknown)
    }

    /// Writes one more attempt on an order. The caller holds the sale lock.
    pub(crate) fn start_attempt(
        &self,
        file: &OrderFile,
        channel: Channel,
        method: PayMethod,
        proof: StaffProof,
    ) -> Result<(Overlay, AttemptId), CallError> {
        let order = file.order.id;
        let overlay = self.overlay(&[file.order.member])?;
        let start = self.attempt(order, channel, method, file.order.asked())?;
        let attempt = start.attempt;
        let draft = Draft {
            action: self.new_action(),
            staff: Some(proof),
            shift: Some(self.open_shift_id(&overlay)?),
            offline: false,
            body: OperationBody::AttemptStart(start),
        };
        let overlay = overlay.with_order(file);
        let overlay = self.commit(&[draft], overlay, Vec::new())?;
        self.payments().insert(order, self.sync.watch_payment());
        Ok((overlay, attempt))
    }

    /// Asks to stop waiting. Repeating it changes nothing.
    pub(crate) fn cancel_order(&self, request: &OrderKey) -> Result<OrderView, CallError> {
        let (_, proof) = self.staff()?;
        let order = OrderId(parse::id(&request.order_id)?);
        let _sale = self.sale_lock();
        let file = self.order_file(order)?;
        let asked = file.attempts.iter().any(|attempt| attempt.cancel_requested);
        let waits = matches!(
            file.order.state,
            OrderState::PendingPayment | OrderState::PendingReview
        );
        if asked || !waits {
            return self.order_view(order);
        }
        let overlay = self.stop_waiting(&file, proof)?;
        self.just_written(&overlay, order, MoneyMoved::Unknown)
    }

    /// Writes that an order is to end unpaid. The caller holds the sale lock.
    pub(crate) fn stop_waiting(
        &self,
        file: &OrderFile,
        proof: StaffProof,
    ) -> Result<Overlay, CallError> {
        let overlay = self.overlay(&[file.order.member])?;
        let order = file.order.id;
        let draft = Draft {
            action: self.new_action(),
            staff: Some(proof),
            shift: Some(self.open_shift_id(&overlay)?),
            offline: self.is_offline(),
            body: OperationBody::RechargeCancel { order },
        };
        self.commit(&[draft], overlay.with_order(file), Vec::new())
    }

    fn attempt(
        &self,
        order: OrderId,
        channel: Channel,
        method: PayMethod,
        amount: Money,
    ) -> Result<AttemptStart, CallError> {
        Ok(AttemptStart {
            attempt: AttemptId(self.surroundings.new_id()),
            attempt_no: self.number(Prefix::Attempt)?,
            order,
            channel,
            method,
            amount,
        })
    }

    /// A channel that shows a code and can be asked now.
    pub(crate) fn online_channel(&self, channel: Channel) -> Result<Channel, CallError> {
        let channel = qr_channel(channel)?;
        if self.is_offline() {
            let error = CallError::new(ErrorCode::ServerUnreachable, "server_unreachable");
            return Err(error.retryable());
        }
        Ok(channel)
    }

    pub(crate) fn new_action(&self) -> ActionId {
        ActionId(self.surroundings.new_id())
    }

    /// The server said something about `order`: tells the window first, then prints the slips of
    /// a sale of this terminal once the shop has the money.
    pub(crate) fn order_came_in(&self, order: OrderId) -> Result<(), CallError> {
        let file = self.order_file(order)?;
        self.forget_codes(&file.attempts);
        self.watch(&file);
        let policy = self.policy_of(file.order.quote.policy_version)?;
        self.tell(CounterEvent::Order {
            order: Box::new(file.view(&policy)),
        });
        self.print_once(&file)
    }

    /// Queues the slips of an order that has none yet, once the shop has the money: credited, or
    /// received and kept for a person to look at.
    pub(crate) fn print_once(&self, file: &OrderFile) -> Result<(), CallError> {
        let order = &file.order;
        let is_late = money_since(file).is_none_or(|at| at < self.now() - PRINTED_WITHIN);
        if order.device != self.terminal.device || is_late {
            return Ok(());
        }
        let _sale = self.sale_lock();
        if self.store.print_jobs_of(order.id)?.is_empty() {
            self.store.queue_prints(&self.slips_of_sale(order.id)?)?;
            self.print_wake.notify_one();
        }
        Ok(())
    }

    /// Follows the payment of an order of this terminal for as long as an attempt is open.
    fn watch(&self, file: &OrderFile) {
        let order = &file.order;
        let mut payments = self.payments();
        if order.device != self.terminal.device || file.attempts.iter().all(is_over) {
            payments.remove(&order.id);
        } else {
            payments
                .entry(order.id)
                .or_insert_with(|| self.sync.watch_payment());
        }
    }

    /// After a start: follows open payments again, and queues the slips of the last hour that a
    /// power cut kept from the queue.
    pub(crate) fn resume_payments(&self) -> Result<(), CallError> {
        let since = self.now() - MISSED_WITHIN;
        let known = self.store.latest_orders(MISSED_MAX)?;
        let own = self.overlay(&[])?.state.orders;
        let orders: HashSet<OrderId> = known
            .into_iter()
            .map(|order| order.id)
            .chain(own.into_keys())
            .collect();
        for order in orders {
            if let Err(error) = self.resume_payment(order, since) {
                tracing::error!(?error, %order, "an order before this start");
            }
        }
        Ok(())
    }

    fn resume_payment(&self, order: OrderId, since: Timestamp) -> Result<(), CallError> {
        let file = self.order_file(order)?;
        self.watch(&file);
        match money_since(&file).is_some_and(|at| at > since) {
            true => self.print_once(&file),
            false => Ok(()),
        }
    }

    /// The server was lost or found: open payments look different now.
    pub(crate) fn tell_open_payments(&self) -> Result<(), CallError> {
        let open: Vec<OrderId> = self.payments().keys().copied().collect();
        for order in open {
            let view = self.order_view(order)?;
            self.tell(CounterEvent::Order {
                order: Box::new(view),
            });
        }
        self.tell(CounterEvent::Sync {
            sync: self.sync_view()?,
        });
        Ok(())
    }
}

fn qr_channel(channel: Channel) -> Result<Channel, CallError> {
    if QR_CHANNELS.contains(&channel) {
        return Ok(channel);
    }
    let code = ErrorCode::InvalidInput;
    Err(CallError::new(code, "channel_not_offered"))
}
