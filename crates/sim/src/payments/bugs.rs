//! Bugs of payments, planted at the ledger: see [`crate::bug`].

use qiantai_core::attempt::{AttemptState, Channel, PaymentAttempt};
use qiantai_core::decide::{Change, State};
use qiantai_core::ledger::{LedgerAccount, Topic};
use qiantai_core::recharge::OrderState;

use crate::bug::Bug;

/// What decisions look at.
pub fn spoil_state(bug: Bug, state: &mut State) {
    match bug {
        Bug::UnknownIsOver => {
            let attempts = state.attempts.values_mut();
            attempts
                .filter(|attempt| attempt.state == AttemptState::Unknown)
                .for_each(|attempt| attempt.state = AttemptState::Closed);
        }
        Bug::PaidIsForgotten => {
            state.attempts.values_mut().for_each(forget_money);
            for order in state.orders.values_mut() {
                if order.state == OrderState::Credited {
                    order.state = OrderState::PendingPayment;
                    (order.paid, order.credit) = (None, None);
                }
            }
        }
        _ => {}
    }
}

/// An attempt as a notice finds it.
pub fn spoil_found(bug: Bug, attempt: &mut PaymentAttempt) {
    if bug == Bug::PaidIsForgotten {
        forget_money(attempt);
    }
}

/// What is written.
pub fn spoil_changes(bug: Bug, changes: &mut Vec<Change>) {
    match bug {
        Bug::SurplusKept => changes.retain(|change| {
            !matches!(change, Change::Outbox(event) if event.topic == Topic::PaymentSurplus)
        }),
        Bug::AnotherChannel => {
            for change in changes {
                if let Change::Posting(posting) = change
                    && posting.account == LedgerAccount::Clearing(Channel::Wechat)
                {
                    posting.account = LedgerAccount::Clearing(Channel::Alipay);
                }
            }
        }
        _ => {}
    }
}

fn forget_money(attempt: &mut PaymentAttempt) {
    if attempt.state == AttemptState::Succeeded {
        attempt.state = AttemptState::Submitted;
        (attempt.channel_txn_no, attempt.paid_at) = (None, None);
    }
}
