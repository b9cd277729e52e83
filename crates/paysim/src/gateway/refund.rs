//! Refunds.

use qiantai_core::clock::Timestamp;
use qiantai_core::money::Money;
use qiantai_pay::channels::training::message::{CreateRefund, FaultCode, RefundRef, RefundReply};

use super::payment::Stage;
use super::{Gateway, Refusal, rules};

/// A refund that was done.
#[derive(Debug)]
pub(super) struct Refund {
    /// The request as it came, to recognise its repetition.
    content: CreateRefund,
    channel_refund_no: String,
}

impl Gateway {
    /// Returns money of one payment, or finds what the same request did before.
    pub fn refund(
        &mut self,
        request: &CreateRefund,
        now: Timestamp,
    ) -> Result<RefundReply, Refusal> {
        self.advance(now);
        let refund_key = (request.merchant.clone(), request.refund_no.clone());
        if let Some(known) = self.refunds.get(&refund_key) {
            if known.content == *request {
                return Ok(known.reply());
            }
            return Err(Refusal::new(
                FaultCode::RefundNoUsed,
                "known with other content",
            ));
        }
        rules::check_refund(request)?;
        self.take_back(request, now)?;
        self.serial += 1;
        let refund = Refund {
            content: request.clone(),
            channel_refund_no: format!("50{:014}{:010}", now.ms(), self.serial),
        };
        let reply = refund.reply();
        self.refunds.insert(refund_key, refund);
        Ok(reply)
    }

    fn take_back(&mut self, request: &CreateRefund, now: Timestamp) -> Result<(), Refusal> {
        let key = (request.merchant.clone(), request.attempt_no.clone());
        let payment = self.payment(&key, now)?;
        let is_paid = payment.stage == Stage::Paid;
        let transaction = payment
            .transactions
            .iter_mut()
            .find(|transaction| match &request.channel_txn_no {
                Some(wanted) => transaction.channel_txn_no == *wanted,
                None => true,
            })
            .filter(|_| is_paid)
            .ok_or_else(|| Refusal::new(FaultCode::NotPaid, "there is no such payment"))?;
        let amount = Money::from_fen(request.amount_fen);
        if amount > transaction.amount - transaction.returned {
            return Err(Refusal::new(
                FaultCode::RefundExceedsPaid,
                "more than is left",
            ));
        }
        transaction.returned += amount;
        Ok(())
    }

    /// What became of a refund.
    pub fn query_refund(&self, request: &RefundRef) -> Result<RefundReply, Refusal> {
        let key = (request.merchant.clone(), request.refund_no.clone());
        match self.refunds.get(&key) {
            Some(refund) => Ok(refund.reply()),
            None => Err(Refusal::new(FaultCode::RefundNotFound, "no such refund")),
        }
    }
}

impl Refund {
    fn reply(&self) -> RefundReply {
        RefundReply {
            merchant: self.content.merchant.clone(),
            refund_no: self.content.refund_no.clone(),
            channel_refund_no: self.channel_refund_no.clone(),
            amount_fen: self.content.amount_fen,
        }
    }
}
