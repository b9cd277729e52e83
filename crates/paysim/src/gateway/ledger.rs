//! What moved in a day: the gateway's own list, from which bills are written.

use qiantai_core::clock::Timestamp;
use qiantai_core::money::Money;

use super::Gateway;
use super::order::Protocol;
use super::payment::{Payment, Stage, Transaction};
use super::refund::Refund;

/// One movement of money.
#[derive(Clone, Debug)]
pub(crate) struct Movement<'a> {
    pub kind: MovementKind<'a>,
    pub payment: &'a Payment,
    pub transaction: &'a Transaction,
    /// Above zero.
    pub amount: Money,
    pub at: Timestamp,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum MovementKind<'a> {
    Payment,
    Refund(&'a Refund),
    Reversal,
}

impl Movement<'_> {
    /// The gateway's fee of 0.6 %, in thousandths of a fen; below zero where it is given back.
    pub fn fee_milli_fen(&self) -> i64 {
        let fee = self.amount.fen() * 6;
        match self.kind {
            MovementKind::Payment => fee,
            MovementKind::Refund(_) | MovementKind::Reversal => -fee,
        }
    }
}

impl Gateway {
    /// What moved for a merchant from `first` up to, not including, `end`; in the order of time.
    pub(crate) fn movements(
        &self,
        protocol: Protocol,
        merchant: &str,
        first: Timestamp,
        end: Timestamp,
    ) -> Vec<Movement<'_>> {
        let is_ours = |payment: &&Payment| {
            payment.key().protocol == protocol && payment.key().merchant == merchant
        };
        let mut movements: Vec<Movement<'_>> = self
            .payments
            .values()
            .filter(is_ours)
            .flat_map(|payment| self.movements_of(payment))
            .filter(|movement| first <= movement.at && movement.at < end)
            .collect();
        movements.sort_by_key(|movement| movement.at);
        movements
    }

    fn movements_of<'a>(&'a self, payment: &'a Payment) -> Vec<Movement<'a>> {
        let mut movements = Vec::new();
        for transaction in &payment.transactions {
            movements.push(Movement {
                kind: MovementKind::Payment,
                payment,
                transaction,
                amount: transaction.amount,
                at: transaction.paid_at,
            });
        }
        let mut refunded = Money::ZERO;
        for refund in self.refunds_of(payment.key()) {
            let transaction = payment
                .transactions
                .iter()
                .find(|each| each.channel_txn_no == refund.channel_txn_no);
            refunded += refund.order.amount;
            movements.extend(transaction.map(|transaction| Movement {
                kind: MovementKind::Refund(refund),
                payment,
                transaction,
                amount: refund.order.amount,
                at: refund.accepted_at,
            }));
        }
        let reversed_at = payment
            .ended_at
            .filter(|_| payment.stage == Stage::Reversed);
        if let (Some(at), Some(transaction)) = (reversed_at, payment.transactions.first()) {
            let amount = payment.returned() - refunded;
            if amount.is_positive() {
                movements.push(Movement {
                    kind: MovementKind::Reversal,
                    payment,
                    transaction,
                    amount,
                    at,
                });
            }
        }
        movements
    }
}
