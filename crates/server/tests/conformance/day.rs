//! A day of a shop in which much goes wrong.

use qiantai_core::drawer::{DrawerOpen, DrawerReason};
use qiantai_core::ids::{ActionId, OrderId};
use qiantai_core::operation::{OperationBody, StaffMethod, StaffProof};
use qiantai_core::policy::Role;
use qiantai_core::recorded_payment::RecordedMethod::{Card, Transfer};
use qiantai_core::{Millis, Money};
use qiantai_paysim::gateway::PhoneAction;
use uuid::Uuid;

use crate::harness::Shop;
use crate::new_members::Registration;
use crate::till::Till;

/// Payments of every kind, cash, a card payment and one transfer recorded twice with a part in cash,
/// an action sent twice, a refusal, and in the end a cloned till. Needs eight members.
pub async fn day(shop: &Shop) -> Till {
    let mut till = Till::open(shop).await;
    let members = shop.members();
    for (index, action) in [
        PhoneAction::Pay,
        PhoneAction::PayTwice,
        PhoneAction::PayLate,
        PhoneAction::PayAmountOff,
        PhoneAction::Ignore,
    ]
    .iter()
    .enumerate()
    {
        let (_, attempt) = till.show_qr(shop, members[index], 500).await;
        shop.phone(&attempt, action);
        shop.deliver_notices().await;
        shop.pass(Millis::seconds(20)).await;
    }
    let action = ActionId(Uuid::now_v7());
    let cash = till.cash(shop, members[6], 1_000).await;
    let first = till.sign_action(OperationBody::RechargeCash(cash.clone()), action);
    let again = till.sign_action(OperationBody::RechargeCash(cash), action);
    let refused = till.sign(OperationBody::RechargeCancel {
        order: OrderId(Uuid::now_v7()),
    });
    till.push(shop, &[first, again, refused]).await;
    // Somebody becomes a member at the counter, pays at once and gets a second slip.
    let new = Registration::of("赵敏", 7);
    let created = new.sign(&mut till);
    new.push(&till, shop, &[created]).await;
    let cash = till.cash(shop, new.member, 200).await;
    let order = cash.open.order;
    let cash = till.sign(OperationBody::RechargeCash(cash));
    let reprint = till.sign(OperationBody::ReceiptReprint {
        order,
        copy: 1,
        approval: None,
    });
    let drawer = till.sign(OperationBody::DrawerOpen(opened_by_manager(shop)));
    till.push(shop, &[cash, reprint, drawer]).await;
    // The second transfer is the first: its credit waits for a person.
    for (payment, member) in [(Card, 5), (Transfer, 6), (Transfer, 7)] {
        let mut recorded = till
            .recorded(shop, members[member], 200, (payment, "20261122-0001"))
            .await;
        // A part of each is cash, more of it every time.
        recorded.cash_part = Some(Money::from_yuan(10 * i64::try_from(member).unwrap()));
        let recorded = till.sign(OperationBody::RechargeRecorded(recorded));
        till.push(shop, &[recorded]).await;
    }
    shop.pass(Millis::minutes(20)).await;
    // Then the till is cloned: what comes after is quarantined, and that is replayed too.
    let mut clone = till.clone();
    clone.seq -= 1;
    let forked = clone.sign(OperationBody::RechargeCancel {
        order: OrderId(Uuid::now_v7()),
    });
    clone.push(shop, &[forked]).await;
    till
}

/// The drawer for a note to be changed.
fn opened_by_manager(shop: &Shop) -> DrawerOpen {
    let mut staff = shop.policy.staff.iter();
    let manager = staff.find(|person| person.role == Role::Manager).unwrap();
    DrawerOpen {
        reason: DrawerReason::Change,
        words: None,
        approval: StaffProof {
            staff: manager.id,
            method: StaffMethod::Pin,
            policy_version: shop.policy.version,
        },
    }
}
