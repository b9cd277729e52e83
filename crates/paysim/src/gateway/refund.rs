//! Refunds.

use qiantai_core::clock::{Millis, Timestamp};
use qiantai_core::money::Money;

use super::order::{AttemptKey, BookRefusal, NewRefund};
use super::outbox::{Event, NoticeDraft};
use super::payment::Stage;
use super::{Arrival, Gateway};

/// A refund that was accepted.
#[derive(Clone, Debug)]
pub(crate) struct Refund {
    /// The request as it came, to recognise its repetition.
    pub order: NewRefund,
    pub channel_refund_no: String,
    /// The payment that it returns.
    pub channel_txn_no: String,
    /// Amount of that payment.
    pub paid: Money,
    pub accepted_at: Timestamp,
    /// When the money is back with the customer.
    pub done_at: Timestamp,
    /// It cannot get there before the merchant's staff act: the customer's card is gone.
    pub is_stuck: bool,
    /// Its notices are in the older of the protocol's forms, as its request was.
    pub is_told_in_old_form: bool,
}

/// How far a refund is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RefundStage {
    UnderWay,
    Stuck,
    Done,
}

impl Refund {
    pub fn is_done(&self, now: Timestamp) -> bool {
        self.stage(now) == RefundStage::Done
    }

    pub fn stage(&self, now: Timestamp) -> RefundStage {
        match now >= self.done_at {
            false => RefundStage::UnderWay,
            true if self.is_stuck => RefundStage::Stuck,
            true => RefundStage::Done,
        }
    }

    fn key(&self) -> AttemptKey {
        AttemptKey {
            attempt_no: self.order.refund_no.clone(),
            ..self.order.key.clone()
        }
    }
}

impl Gateway {
    /// Returns money of one payment, or finds what the same request did before. The money is back
    /// after `takes`, and a notice says so if the merchant asked for one.
    pub(crate) fn refund(
        &mut self,
        order: &NewRefund,
        takes: Millis,
        now: Timestamp,
    ) -> Result<(Refund, Arrival), BookRefusal> {
        self.advance(now);
        let refund_key = AttemptKey {
            attempt_no: order.refund_no.clone(),
            ..order.key.clone()
        };
        if let Some(known) = self.refunds.get(&refund_key) {
            let is_same = known.order == *order;
            return is_same
                .then(|| (known.clone(), Arrival::Repeated))
                .ok_or(BookRefusal::RefundNumberUsed);
        }
        let (channel_txn_no, paid) = self.take_back(order, now)?;
        self.serial += 1;
        let refund = Refund {
            order: order.clone(),
            channel_refund_no: format!("50{:014}{:010}", now.ms(), self.serial),
            channel_txn_no,
            paid,
            accepted_at: now,
            done_at: now + takes,
            is_stuck: false,
            is_told_in_old_form: false,
        };
        self.tell_refund(&refund);
        self.refunds.insert(refund_key, refund.clone());
        Ok((refund, Arrival::New))
    }

    fn tell_refund(&mut self, refund: &Refund) {
        let Some(url) = refund.order.notify_url.clone() else {
            return;
        };
        let fault = self.faults.take_notice(&refund.order.key.attempt_no);
        let draft = NoticeDraft {
            key: refund.order.key.clone(),
            url,
            event: Event::Refunded(Box::new(refund.clone())),
        };
        self.outbox.queue(draft, fault, refund.done_at);
    }

    /// Lets a refund that is under way get stuck instead of done.
    pub(crate) fn stick_refund(&mut self, refund: &Refund, now: Timestamp) {
        let known = self.refunds.get_mut(&refund.key());
        if let Some(refund) = known.filter(|refund| refund.stage(now) == RefundStage::UnderWay) {
            refund.is_stuck = true;
        }
    }

    /// Lets notices of a refund be in the older of the protocol's forms.
    pub(crate) fn tell_in_old_form(&mut self, refund: &Refund) {
        if let Some(known) = self.refunds.get_mut(&refund.key()) {
            known.is_told_in_old_form = true;
        }
    }

    /// Refunds that are stuck, by their attempt: the money has left the payment and reached nobody.
    pub fn stuck_refunds(&self, now: Timestamp) -> Vec<(AttemptKey, Money)> {
        let stuck = self.refunds.values();
        let stuck = stuck.filter(|refund| refund.stage(now) == RefundStage::Stuck);
        let told = stuck.map(|refund| (refund.order.key.clone(), refund.order.amount));
        told.collect()
    }

    /// The merchant's staff act on the gateway's platform: every refund that is stuck is done, and
    /// told once more.
    pub fn settle_stuck_refunds(&mut self, now: Timestamp) {
        let is_stuck = |refund: &&mut Refund| refund.stage(now) == RefundStage::Stuck;
        let mut settled = Vec::new();
        for refund in self.refunds.values_mut().filter(is_stuck) {
            refund.is_stuck = false;
            refund.done_at = now;
            settled.push(refund.clone());
        }
        for refund in &settled {
            self.tell_refund(refund);
        }
    }

    /// The merchant's staff return money of an attempt's first payment on the gateway's platform. No
    /// notice tells of it: nobody asked for one.
    pub fn return_on_platform(
        &mut self,
        attempt_no: &str,
        amount: Money,
        now: Timestamp,
    ) -> Result<(), BookRefusal> {
        let mut keys = self.payments.keys();
        let key = keys.find(|key| key.attempt_no == attempt_no).cloned();
        let order = NewRefund {
            key: key.ok_or(BookRefusal::NotFound)?,
            channel_txn_no: None,
            refund_no: format!("PT{attempt_no}"),
            amount,
            reason: "平台退款".to_owned(),
            notify_url: None,
        };
        self.refund(&order, Millis(0), now).map(drop)
    }

    /// Everything that was ever received for an attempt, whatever went back since.
    pub fn ever_received(&self, attempt_no: &str) -> Money {
        let payments = self.payments.iter();
        payments
            .filter(|(key, _)| key.attempt_no == attempt_no)
            .flat_map(|(_, payment)| &payment.transactions)
            .map(|transaction| transaction.amount)
            .sum()
    }

    /// A refund as it stands now, of which a notice tells.
    pub(crate) fn refund_told<'a>(&'a self, told: &'a Refund) -> &'a Refund {
        self.refunds.get(&told.key()).unwrap_or(told)
    }

    fn take_back(
        &mut self,
        order: &NewRefund,
        now: Timestamp,
    ) -> Result<(String, Money), BookRefusal> {
        let payment = self.payment(&order.key, now)?;
        let is_paid = payment.stage == Stage::Paid;
        let transaction = payment
            .transactions
            .iter_mut()
            .find(|transaction| match &order.channel_txn_no {
                Some(wanted) => transaction.channel_txn_no == *wanted,
                None => true,
            })
            .filter(|_| is_paid)
            .ok_or(BookRefusal::NotPaid)?;
        if order.amount > transaction.left() {
            return Err(BookRefusal::RefundExceedsPaid);
        }
        transaction.returned += order.amount;
        Ok((transaction.channel_txn_no.clone(), transaction.amount))
    }

    /// What became of a refund. `key` carries the refund's number.
    pub(crate) fn find_refund(&self, key: &AttemptKey) -> Result<&Refund, BookRefusal> {
        self.refunds.get(key).ok_or(BookRefusal::RefundNotFound)
    }

    /// The refund that the gateway gave this number.
    pub(crate) fn refund_of_number(&self, channel_refund_no: &str) -> Option<&Refund> {
        let is_it = |refund: &&Refund| refund.channel_refund_no == channel_refund_no;
        self.refunds.values().find(is_it)
    }

    /// The refunds of an attempt, oldest first.
    pub(crate) fn refunds_of(&self, key: &AttemptKey) -> Vec<&Refund> {
        let of = |refund: &&Refund| refund.order.key == *key;
        let mut refunds: Vec<&Refund> = self.refunds.values().filter(of).collect();
        refunds.sort_by(|one, other| {
            (one.accepted_at, &one.channel_refund_no)
                .cmp(&(other.accepted_at, &other.channel_refund_no))
        });
        refunds
    }
}
