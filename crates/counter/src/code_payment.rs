//! A top-up by the customer's payment code (付款码). The attempt is durable before the code leaves
//! this terminal; the code itself is held in memory only, until the server has it. Whatever
//! happens in between is found by asking for the attempt, never by charging again.

use std::collections::{HashSet, VecDeque};
use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use qiantai_core::attempt::{AttemptState, Channel, PayMethod, PaymentAttempt};
use qiantai_core::ids::{ActionId, AttemptId, OrderId};
use qiantai_core::payment_code::{may_be_code, recognise};
use qiantai_core::quote::CashShare;
use qiantai_core::recharge::OrderState;
use qiantai_store::SearchQuery;
use qiantai_sync::CallFailed;
use qiantai_wire::ErrorCode as ServerCode;
use tokio::sync::broadcast::error::RecvError;

use crate::counter::Counter;
use crate::error::{CallError, ErrorCode, MoneyMoved};
use crate::offer_code::{self, ScannedOffer};
use crate::overlay::is_over;
use crate::parse;
use crate::qr_payment::NewSale;
use crate::quotes::ShownQuote;
use crate::receipts_back;
use crate::serve::blocking;
use crate::show::order::OrderFile;
use crate::top_up::{choice_view, member_of};
use crate::view::code::{ChargeCode, Scan, ScanReading, StartCode};
use crate::view::event::CounterEvent;
use crate::view::order::{OrderView, Stage};

/// Codes remembered to refuse them a second time; each is good for about a minute.
const SEEN_MAX: usize = 256;
/// How long a code is carried to the server. No channel takes one that is older.
const CARRIED_FOR: Duration = Duration::from_secs(90);
/// How long a scan waits for the QR code on the screen to be closed; the code shown by the
/// customer is good for a minute.
const QR_CLOSES_WITHIN: Duration = Duration::from_secs(30);
/// The first pause between two tries, doubled each time.
const PAUSE_MIN: Duration = Duration::from_millis(50);
const PAUSE_MAX: Duration = Duration::from_secs(2);

/// A payment code on its way. Whoever knows it can charge it.
pub(crate) struct PaymentCode(String);

impl fmt::Debug for PaymentCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PaymentCode(redacted)")
    }
}

/// A charge that is to be carried to the server.
#[derive(Debug)]
pub(crate) struct Charge {
    order: OrderId,
    attempt: AttemptId,
    code: PaymentCode,
}

/// What this terminal remembers of payment codes, until it ends.
#[derive(Default)]
pub(crate) struct CodeMemory {
    /// Attempts whose code is on its way.
    carried: HashSet<AttemptId>,
    /// Fingerprints of codes that were used, under a key of this start.
    seen: VecDeque<u64>,
    key: RandomState,
}

impl CodeMemory {
    /// Whether the code of `attempt` is on its way to the server.
    pub(crate) fn carries(&self, attempt: AttemptId) -> bool {
        self.carried.contains(&attempt)
    }

    fn has_seen(&self, code: &str) -> bool {
        self.seen.contains(&self.key.hash_one(code))
    }

    fn see(&mut self, code: &str) {
        if self.seen.len() == SEEN_MAX {
            self.seen.pop_front();
        }
        self.seen.push_back(self.key.hash_one(code));
    }

    /// The code was used for nothing.
    fn forget(&mut self, code: &str) {
        let fingerprint = self.key.hash_one(code);
        self.seen.retain(|seen| *seen != fingerprint);
    }

    fn take_up(&mut self, attempt: AttemptId, code: &str) {
        self.see(code);
        self.carried.insert(attempt);
    }

    fn put_down(&mut self, attempt: AttemptId) -> bool {
        self.carried.remove(&attempt)
    }
}

/// Opens the order and charges the code for it. The same intent twice returns the first order.
pub(crate) async fn start_code(
    counter: &Arc<Counter>,
    request: StartCode,
) -> Result<OrderView, CallError> {
    let writer = Arc::clone(counter);
    let begun = blocking(move || writer.open_by_code(&request)).await?;
    Ok(carried(counter, begun))
}

/// Charges the code for an order that waits for its money.
pub(crate) async fn charge_code(
    counter: &Arc<Counter>,
    request: ChargeCode,
) -> Result<OrderView, CallError> {
    let order = OrderId(parse::id(&request.order_id)?);
    let request = Arc::new(request);
    let (writer, asked) = (Arc::clone(counter), Arc::clone(&request));
    let begun = match blocking(move || writer.pay_by_code(order, &asked)).await? {
        Begun::Charge(view, charge) => (*view, Some(charge)),
        Begun::ClosesQr => {
            let ended = until_over(counter, order).await;
            let writer = Arc::clone(counter);
            blocking(move || writer.pay_after_qr(order, &request, ended?)).await?
        }
    };
    Ok(carried(counter, begun))
}

/// What a scan began.
enum Begun {
    /// The code is on its way.
    Charge(Box<OrderView>, Charge),
    /// The QR code on the screen is being closed first.
    ClosesQr,
}

/// Waits for the channel's word on a QR code that is being closed; false when none came in time.
async fn until_over(counter: &Arc<Counter>, order: OrderId) -> Result<bool, CallError> {
    let mut events = counter.events.subscribe();
    let wait = async {
        loop {
            let reader = Arc::clone(counter);
            let file = blocking(move || reader.order_file(order)).await?;
            if file.attempts.iter().all(is_over) && !file.provisional {
                return Ok(());
            }
            // Whatever is told, or was missed: look again.
            if let Err(RecvError::Closed) = events.recv().await {
                return Err(CallError::internal());
            }
        }
    };
    match tokio::time::timeout(QR_CLOSES_WITHIN, wait).await {
        Ok(over) => over.map(|()| true),
        Err(_) => Ok(false),
    }
}

fn carried(counter: &Arc<Counter>, (order, charge): (OrderView, Option<Charge>)) -> OrderView {
    if let Some(charge) = charge {
        tokio::spawn(carry(Arc::downgrade(counter), Arc::new(charge)));
    }
    order
}

impl Counter {
    /// What a scanner read.
    pub(crate) fn read_scan(&self, scan: &Scan) -> Result<ScanReading, CallError> {
        self.staff()?;
        let policy = self.policy()?;
        if let Some(ScannedOffer(choice)) = offer_code::read(&scan.text, &policy) {
            return Ok(ScanReading::Offer {
                choice: choice.map(choice_view),
            });
        }
        if receipts_back::claims_to_be_one(&scan.text) {
            return Ok(ScanReading::Receipt);
        }
        let channel = recognise(&scan.text, &policy.channels);
        if channel.is_none() && (!may_be_code(&scan.text) || self.is_somebodys(&scan.text)?) {
            return Ok(ScanReading::Other);
        }
        Ok(ScanReading::PaymentCode {
            channel: channel.map(Into::into),
        })
    }

    /// Somebody has a card of that number: as many digits as a payment code has are none then.
    fn is_somebodys(&self, number: &str) -> Result<bool, CallError> {
        let Some(query) = SearchQuery::from_scanned(number) else {
            return Ok(false);
        };
        Ok(!self.store.search_members(&query, 1)?.is_empty())
    }

    fn open_by_code(&self, request: &StartCode) -> Result<(OrderView, Option<Charge>), CallError> {
        let (_, proof) = self.staff()?;
        let intent = ActionId(parse::id(&request.intent)?);
        let _sale = self.sale_lock();
        if let Some(order) = self.order_of_intent(intent)? {
            return Ok((self.written_order(order, MoneyMoved::Unknown)?, None));
        }
        let channel = self.chargeable(request.channel.into(), &request.code)?;
        let sale = NewSale {
            shown: self.shown_quote(&request.quote_id, intent, channel)?,
            method: PayMethod::Code,
            duplicate_confirmed: request.duplicate_confirmed,
        };
        let (overlay, order, attempt) = self.open_sale(&sale, proof)?;
        let charge = self.take_up(order, attempt, &request.code);
        let view = self.just_written(&overlay, order, MoneyMoved::Unknown)?;
        Ok((view, Some(charge)))
    }

    fn pay_by_code(&self, order: OrderId, request: &ChargeCode) -> Result<Begun, CallError> {
        let (_, proof) = self.staff()?;
        let _sale = self.sale_lock();
        let file = self.order_file(order)?;
        may_be_charged(&file)?;
        let channel = self.chargeable(request.channel.into(), &request.code)?;
        if file.stage() == Stage::Waiting {
            if file.order.cash_part.is_some() {
                // Another order would take its place, and the cash would belong to neither.
                return Err(CallError::new(ErrorCode::WrongState, "code_beside_cash"));
            }
            self.stop_waiting(&file, proof)?;
            self.codes().see(&request.code);
            self.tell_order(order)?;
            return Ok(Begun::ClosesQr);
        }
        let (overlay, attempt) = self.start_attempt(&file, channel, PayMethod::Code, proof)?;
        let charge = self.take_up(order, attempt, &request.code);
        let view = self.just_written(&overlay, order, MoneyMoved::Unknown)?;
        Ok(Begun::Charge(Box::new(view), charge))
    }

    /// Goes on after the QR code of `order` was closed: an equal order takes its place and is
    /// charged by the code. Where the QR code was paid after all, nothing more is charged.
    fn pay_after_qr(
        &self,
        order: OrderId,
        request: &ChargeCode,
        over: bool,
    ) -> Result<(OrderView, Option<Charge>), CallError> {
        let (_, proof) = self.staff()?;
        let _sale = self.sale_lock();
        let file = self.order_file(order)?;
        self.codes().forget(&request.code);
        if !over {
            let mut open = CallError::new(ErrorCode::WrongState, "qr_not_closed");
            open.money = MoneyMoved::Unknown;
            return Err(open);
        }
        if file.order.state != OrderState::Cancelled {
            return Ok((self.order_view(order)?, None));
        }
        let channel = self.chargeable(request.channel.into(), &request.code)?;
        let sale = NewSale {
            shown: self.same_again(&file, channel)?,
            method: PayMethod::Code,
            duplicate_confirmed: true,
        };
        let (overlay, order, attempt) = self.open_sale(&sale, proof)?;
        let charge = self.take_up(order, attempt, &request.code);
        let view = self.just_written(&overlay, order, MoneyMoved::Unknown)?;
        Ok((view, Some(charge)))
    }

    /// The price of an order that ended, for another one; it must promise what that one did.
    fn same_again(&self, file: &OrderFile, channel: Channel) -> Result<ShownQuote, CallError> {
        let order = &file.order;
        let overlay = self.overlay(&[order.member])?;
        let member = member_of(&overlay, order.member)?;
        let policy = self.policy()?;
        let quote = self.price_now(
            &policy,
            &overlay,
            &member,
            order.choice,
            CashShare::None,
            self.now(),
        )?;
        if !quote.promises_same(&order.quote) {
            return Err(CallError::new(ErrorCode::WrongState, "price_moved_on"));
        }
        Ok(ShownQuote {
            id: self.surroundings.new_id(),
            intent: self.new_action(),
            member: order.member,
            choice: order.choice,
            channel,
            cash_part: None,
            quote,
        })
    }

    fn tell_order(&self, order: OrderId) -> Result<(), CallError> {
        let view = self.order_view(order)?;
        self.tell(CounterEvent::Order {
            order: Box::new(view),
        });
        Ok(())
    }

    /// Whether `code` may be charged by `channel` now.
    fn chargeable(&self, channel: Channel, code: &str) -> Result<Channel, CallError> {
        let refused = |key| Err(CallError::new(ErrorCode::WrongState, key));
        if self.codes().has_seen(code) {
            return refused("code_used");
        }
        let may_be_its = match recognise(code, &self.policy()?.channels) {
            Some(known) => known == channel,
            // Of no row of the table: the customer was asked whose it is.
            None => may_be_code(code),
        };
        if !may_be_its {
            return refused("code_unknown");
        }
        if self.is_offline() {
            let error = CallError::new(ErrorCode::ServerUnreachable, "code_offline");
            return Err(error.retryable());
        }
        self.online_channel(channel)
    }

    fn take_up(&self, order: OrderId, attempt: AttemptId, code: &str) -> Charge {
        self.codes().take_up(attempt, code);
        Charge {
            order,
            attempt,
            code: PaymentCode(code.to_owned()),
        }
    }

    /// Whether the server still waits for the code of `charge`.
    fn is_awaited(&self, charge: &Charge) -> Result<bool, CallError> {
        let file = self.order_file(charge.order)?;
        let attempt = file.attempts.iter().find(|row| row.id == charge.attempt);
        let waits = attempt.is_some_and(|attempt| attempt.state == AttemptState::Init);
        Ok(waits && file.refusal.is_none())
    }

    /// The code of `charge` is with the server, or came to nothing.
    fn put_down(&self, charge: &Charge) -> Result<(), CallError> {
        match self.codes().put_down(charge.attempt) {
            true => self.tell_order(charge.order),
            false => Ok(()),
        }
    }

    /// Forgets codes of attempts that the gateway has.
    pub(crate) fn forget_codes(&self, attempts: &[PaymentAttempt]) {
        let mut codes = self.codes();
        for attempt in attempts {
            if attempt.state != AttemptState::Init {
                codes.put_down(attempt.id);
            }
        }
    }
}

/// Whether a code may be charged for the order as it stands.
fn may_be_charged(file: &OrderFile) -> Result<(), CallError> {
    let by_code = file.is_by_code();
    let key = match file.stage() {
        Stage::Waiting if !by_code => return Ok(()),
        Stage::Failed => return Ok(()),
        Stage::Waiting | Stage::Charging => "code_under_way",
        Stage::UserPaying => "customer_is_paying",
        Stage::Opening | Stage::Preparing => "code_too_early",
        Stage::Unknown | Stage::Reversing | Stage::Cancelling => "code_while_unknown",
        Stage::Review
        | Stage::Refused
        | Stage::Paid
        | Stage::Credited
        | Stage::Ended
        | Stage::Abnormal => "no_payment_waits",
    };
    let mut refused = CallError::new(ErrorCode::WrongState, key);
    if file.stage() == Stage::Unknown {
        refused.money = MoneyMoved::Unknown;
    }
    Err(refused)
}

/// Carries a code to the server. A lost answer is no reason to charge again: the same request is
/// repeated, and the server does it once.
async fn carry(counter: Weak<Counter>, charge: Arc<Charge>) {
    let began = Instant::now();
    let mut pause = PAUSE_MIN;
    while let Some(counter) = counter.upgrade() {
        let call = counter
            .client
            .charge_attempt(charge.attempt.0, &charge.code.0);
        match call.await {
            // The feed brings what it came to.
            Ok(_) => return counter.sync.nudge(),
            Err(error) => {
                let again = may_repeat(&error) && began.elapsed() < CARRIED_FOR;
                tracing::warn!(%error, again, attempt = %charge.attempt, "a payment code");
                if !again || !is_awaited(&counter, &charge).await {
                    return put_down(&counter, &charge).await;
                }
            }
        }
        drop(counter);
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(PAUSE_MAX);
    }
}

/// Whether the same charge may do better: the server has not heard of the attempt yet, closes
/// the QR code that was out before, or could not be asked.
fn may_repeat(error: &CallFailed) -> bool {
    match error {
        CallFailed::Transport(_) | CallFailed::Unreadable { .. } => true,
        CallFailed::Refused(refused) => {
            let code = refused.error_code();
            refused.retryable || code == Some(ServerCode::NotFound)
        }
    }
}

async fn is_awaited(counter: &Arc<Counter>, charge: &Arc<Charge>) -> bool {
    let (reader, charge) = (Arc::clone(counter), Arc::clone(charge));
    match blocking(move || reader.is_awaited(&charge)).await {
        Ok(awaited) => awaited,
        Err(error) => {
            tracing::error!(?error, "an attempt that waits for its code");
            true
        }
    }
}

async fn put_down(counter: &Arc<Counter>, charge: &Arc<Charge>) {
    let (writer, charge) = (Arc::clone(counter), Arc::clone(charge));
    if let Err(error) = blocking(move || writer.put_down(&charge)).await {
        tracing::error!(?error, "a payment code that came to nothing");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_as_long_as_a_payment_code_may_be_one() {
        let cases = [
            ("", false),
            ("00201-9000001", false),
            ("6901234567892", false),
            ("123456789012345", false),
            ("1234567890123456", true),
            ("134567890123456789", true),
            ("123456789012345678901234", true),
            ("1234567890123456789012345", false),
            ("13456789012345678x", false),
        ];
        for (text, expected) in cases {
            assert_eq!(may_be_code(text), expected, "{text}");
        }
    }

    #[test]
    fn a_code_is_remembered_but_never_told() {
        let mut memory = CodeMemory::default();
        let attempt = AttemptId(uuid::Uuid::from_u128(1));
        assert!(!memory.has_seen("134567890123456789"));
        memory.take_up(attempt, "134567890123456789");
        assert!(memory.has_seen("134567890123456789") && memory.carries(attempt));
        assert!(!memory.has_seen("134567890123456788"));
        assert!(memory.put_down(attempt) && !memory.carries(attempt));
        assert!(memory.has_seen("134567890123456789"));
        for other in 0..SEEN_MAX {
            memory.take_up(attempt, &other.to_string());
        }
        assert!(
            !memory.has_seen("134567890123456789"),
            "the oldest is forgotten"
        );
        let code = PaymentCode("134567890123456789".to_owned());
        assert!(!format!("{code:?}").contains("1345"));
    }
}
