//! The two state tables of domain §2.2, every pair.

use qiantai_core::attempt::AttemptState as Attempt;
use qiantai_core::recharge::OrderState as Order;

/// Every pair that is allowed; all others are not.
const ORDER: [(Order, Order); 22] = [
    (Order::Created, Order::PendingReview),
    (Order::Created, Order::PendingPayment),
    (Order::Created, Order::Abnormal),
    (Order::PendingReview, Order::PendingPayment),
    (Order::PendingReview, Order::Rejected),
    (Order::PendingReview, Order::Paid),
    (Order::PendingReview, Order::Cancelled),
    (Order::PendingReview, Order::Abnormal),
    (Order::PendingPayment, Order::Paid),
    (Order::PendingPayment, Order::Cancelled),
    (Order::PendingPayment, Order::Closed),
    (Order::PendingPayment, Order::Abnormal),
    (Order::Paid, Order::Credited),
    (Order::Paid, Order::Abnormal),
    (Order::Rejected, Order::Abnormal),
    (Order::Cancelled, Order::Abnormal),
    (Order::Closed, Order::Abnormal),
    (Order::Credited, Order::PartiallyRefunded),
    (Order::Credited, Order::Refunded),
    (Order::Credited, Order::Voided),
    (Order::PartiallyRefunded, Order::PartiallyRefunded),
    (Order::PartiallyRefunded, Order::Refunded),
];

const ATTEMPT: [(Attempt, Attempt); 27] = [
    (Attempt::Init, Attempt::Submitted),
    (Attempt::Init, Attempt::UserPaying),
    (Attempt::Init, Attempt::Unknown),
    (Attempt::Init, Attempt::Succeeded),
    (Attempt::Init, Attempt::Failed),
    (Attempt::Init, Attempt::Closed),
    (Attempt::Submitted, Attempt::UserPaying),
    (Attempt::Submitted, Attempt::Unknown),
    (Attempt::Submitted, Attempt::Succeeded),
    (Attempt::Submitted, Attempt::Failed),
    (Attempt::Submitted, Attempt::Closed),
    (Attempt::UserPaying, Attempt::Unknown),
    (Attempt::UserPaying, Attempt::Succeeded),
    (Attempt::UserPaying, Attempt::Failed),
    (Attempt::UserPaying, Attempt::Reversing),
    (Attempt::UserPaying, Attempt::Closed),
    (Attempt::Unknown, Attempt::Submitted),
    (Attempt::Unknown, Attempt::UserPaying),
    (Attempt::Unknown, Attempt::Succeeded),
    (Attempt::Unknown, Attempt::Failed),
    (Attempt::Unknown, Attempt::Reversing),
    (Attempt::Unknown, Attempt::Closed),
    (Attempt::Reversing, Attempt::Reversed),
    (Attempt::Reversing, Attempt::Succeeded),
    (Attempt::Failed, Attempt::Succeeded),
    (Attempt::Closed, Attempt::Succeeded),
    (Attempt::Reversed, Attempt::Succeeded),
];

#[test]
fn order_states_follow_the_table() {
    for from in Order::ALL {
        for to in Order::ALL {
            assert_eq!(
                from.can_become(to),
                ORDER.contains(&(from, to)),
                "{from:?} to {to:?}"
            );
        }
    }
}

#[test]
fn attempt_states_follow_the_table() {
    for from in Attempt::ALL {
        for to in Attempt::ALL {
            assert_eq!(
                from.can_become(to),
                ATTEMPT.contains(&(from, to)),
                "{from:?} to {to:?}"
            );
        }
    }
}
