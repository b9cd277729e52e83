//! A terminal that was tampered with signs for whomever it likes: the server looks at role and
//! employment itself. Requests are refused for good; facts are kept, and a person looks at them.

use qiantai_core::ids::{ActionId, OrderId, StaffId};
use qiantai_core::operation::OperationBody;
use qiantai_core::policy::{Policy, Role};
use qiantai_wire::SignedOperation;
use qiantai_wire::codes::RefusalCodeDto;
use qiantai_wire::feed::OutcomeDto;
use uuid::Uuid;

use crate::harness::{On, Shop};
use crate::till::Till;

/// Who takes no money: the others keep their role.
struct People {
    auditor: StaffId,
    left: StaffId,
    stranger: StaffId,
}

/// Rules by which the second of the staff audits and the third has left.
async fn rules(shop: &Shop) -> People {
    let mut policy: Policy = shop.policy.as_ref().clone();
    policy.version += 1;
    policy.effective_from = shop.now();
    policy.staff[1].role = Role::Auditor;
    policy.staff[2].active = false;
    let people = People {
        auditor: policy.staff[1].id,
        left: policy.staff[2].id,
        stranger: StaffId(Uuid::now_v7()),
    };
    shop.server.publish_policy(policy).await.unwrap();
    people
}

/// Signs with nobody's name under it.
fn unsigned(till: &mut Till, body: OperationBody) -> SignedOperation {
    let mut operation = till.operation(body, ActionId(Uuid::now_v7()));
    operation.staff = None;
    let signed = SignedOperation::sign(&operation, &till.key);
    till.seq += 1;
    till.prev = signed.hash();
    signed
}

fn code(outcome: &OutcomeDto) -> RefusalCodeDto {
    match outcome {
        OutcomeDto::Refused(refusal) => {
            assert!(!refusal.to_error().retryable, "{refusal:?}");
            refusal.reason
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn what_a_role_may_not_do_is_refused_by_the_server() {
    for on in On::BOTH {
        let shop = Shop::open_on(on, 4).await;
        let mut till = Till::open(&shop).await;
        let member = shop.members()[0];
        let waiting = till.recharge(&shop, member, 300).await;
        let opened = till
            .act(&shop, OperationBody::RechargeOpen(waiting.clone()))
            .await;
        assert_eq!(opened.outcome, OutcomeDto::Applied);
        let people = rules(&shop).await;
        let cashier = till.cashier;
        let before = (shop.principal(member), shop.order(waiting.order));
        for (who, expected) in [
            (Some(people.auditor), RefusalCodeDto::RoleNotAllowed),
            (Some(people.left), RefusalCodeDto::StaffUnknown),
            (Some(people.stranger), RefusalCodeDto::StaffUnknown),
            (None, RefusalCodeDto::StaffUnknown),
        ] {
            let open = till.recharge(&shop, member, 300).await;
            let requests = [
                OperationBody::AttemptStart(till.start_of(&waiting)),
                OperationBody::RechargeCancel {
                    order: waiting.order,
                },
                OperationBody::RechargeOpen(open),
            ];
            for request in requests {
                let what = format!("{on:?} {who:?} {request:?}");
                let signed = match who {
                    Some(staff) => {
                        till.cashier = staff;
                        till.sign(request)
                    }
                    None => unsigned(&mut till, request),
                };
                let answer = till.push(&shop, &[signed]).await;
                assert_eq!(code(&answer.results[0].outcome), expected, "{what}");
            }
        }
        till.cashier = cashier;
        // Words of the server in a terminal's mouth.
        for words in [
            OperationBody::OrderExpire {
                order: waiting.order,
            },
            OperationBody::CreditRetry {
                order: waiting.order,
            },
            OperationBody::PolicyPublish { version: 9 },
        ] {
            let answer = till.act(&shop, words).await;
            assert_eq!(code(&answer.outcome), RefusalCodeDto::ServerOnly, "{on:?}");
        }
        let after = (shop.principal(member), shop.order(waiting.order));
        assert_eq!(after, before, "{on:?}");
        // And whoever may, still may.
        let cancel = OperationBody::RechargeCancel {
            order: waiting.order,
        };
        let answer = till.act(&shop, cancel).await;
        assert_eq!(answer.outcome, OutcomeDto::Applied, "{on:?}");
    }
}

#[tokio::test]
async fn cash_that_the_wrong_person_took_is_kept_and_looked_at() {
    for on in On::BOTH {
        let shop = Shop::open_on(on, 4).await;
        let mut till = Till::open(&shop).await;
        let members = shop.members();
        let people = rules(&shop).await;
        for (place, who) in [people.auditor, people.left, people.stranger]
            .into_iter()
            .enumerate()
        {
            let member = members[place];
            let before = shop.principal(member);
            let cash = till.cash(&shop, member, 300).await;
            let paid = cash.open.quote.pay;
            till.cashier = who;
            let taken = till.act(&shop, OperationBody::RechargeCash(cash)).await;
            assert_eq!(taken.outcome, OutcomeDto::Applied, "{on:?}");
            assert_eq!(shop.principal(member), before + paid, "{on:?}");
            assert_eq!(shop.cases().len(), place + 1, "{on:?} {:?}", shop.cases());
            assert_eq!(shop.cases()[0], "StaffIrregular", "{on:?}");
        }
    }
}

/// Whose order it is decides the terminal that opened it; another says so in vain.
#[tokio::test]
async fn a_terminal_acts_on_its_own_orders_only() {
    for on in On::BOTH {
        let shop = Shop::open_on(on, 2).await;
        let mut till = Till::open(&shop).await;
        let mut other = Till::with_key(&shop, [8; 32], "02").await;
        let open = till.recharge(&shop, shop.members()[0], 300).await;
        let order = open.order;
        till.act(&shop, OperationBody::RechargeOpen(open.clone()))
            .await;
        for request in [
            OperationBody::AttemptStart(other.start_of(&open)),
            OperationBody::RechargeCancel { order },
        ] {
            let answer = other.act(&shop, request).await;
            let refused = code(&answer.outcome);
            assert_eq!(refused, RefusalCodeDto::OrderElsewhere, "{on:?}");
        }
        let unknown = OperationBody::RechargeCancel {
            order: OrderId(Uuid::now_v7()),
        };
        let answer = other.act(&shop, unknown).await;
        assert_eq!(code(&answer.outcome), RefusalCodeDto::OrderUnknown);
    }
}
