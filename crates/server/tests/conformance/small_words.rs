//! What is written beside the log: tenants, invitations, tokens, deliveries.

use std::sync::Arc;

use qiantai_core::Millis;
use qiantai_core::ids::{AttemptId, DeviceId, RowId, StoreId, TenantId};
use qiantai_core::ledger::Topic;
use qiantai_server::db::{
    CodeCharge, Delivery, DeliveryState, DeviceToken, DueEvent, Invite, Keys, Ledger, LedgerError,
    Tenant,
};
use uuid::Uuid;
use zeroize::Zeroizing;

use super::day::day;
use crate::harness::{On, Place, START, Shop};

fn tenant(number: u128) -> Tenant {
    Tenant {
        id: TenantId(Uuid::from_u128(number)),
        name: "简单美发".into(),
        server_device: DeviceId(Uuid::from_u128(number + 1)),
        signing_seed: Zeroizing::new([7; 32]),
        timeline: 1,
    }
}

fn empty(on: On) -> (Place, Arc<dyn Ledger>) {
    let place = Place::make(on);
    let ledger = place.open();
    ledger.create_tenant(&tenant(1), START).unwrap();
    (place, ledger)
}

#[test]
fn a_tenant_is_made_once() {
    for on in On::BOTH {
        let (place, ledger) = empty(on);
        let before = place.row_counts();
        let again = ledger.create_tenant(&tenant(1), START);
        assert!(
            matches!(again, Err(LedgerError::Taken(_))),
            "{on:?}: {again:?}"
        );
        assert_eq!(place.row_counts(), before, "{on:?}");
        ledger.create_tenant(&tenant(9), START + Millis(1)).unwrap();
        let names: Vec<_> = ledger.tenants().unwrap().iter().map(|row| row.id).collect();
        assert_eq!(names, [tenant(1).id, tenant(9).id], "{on:?}");
        let (one, other) = (ledger.digest(tenant(1).id), ledger.digest(tenant(9).id));
        assert_ne!(one.unwrap(), other.unwrap(), "{on:?}");
    }
}

#[test]
fn an_unknown_tenant_is_named() {
    for on in On::BOTH {
        let (_place, ledger) = empty(on);
        let stranger = TenantId(Uuid::from_u128(77));
        let head = ledger.head(stranger);
        assert!(
            matches!(head, Err(LedgerError::NoTenant(id)) if id == stranger),
            "{on:?}"
        );
        let books = ledger.load(stranger, &Keys::default());
        assert!(
            matches!(books, Err(LedgerError::NoTenant(id)) if id == stranger),
            "{on:?}"
        );
    }
}

#[test]
fn an_invitation_is_used_by_one_key_in_its_time() {
    for on in On::BOTH {
        let (_place, ledger) = empty(on);
        let invite = Invite {
            tenant: tenant(1).id,
            code_hash: [4; 32],
            store: StoreId(Uuid::from_u128(5)),
            expires_at: START + Millis::minutes(10),
            used_by: None,
        };
        ledger.save_invite(&invite).unwrap();
        let again = ledger.save_invite(&invite);
        assert!(matches!(again, Err(LedgerError::Taken(_))), "{on:?}");
        let check = |code: u8, key: u8, minutes, expected: bool| {
            let at = START + Millis::minutes(minutes);
            let found = ledger.redeem_invite(&[code; 32], &[key; 32], at).unwrap();
            let expected = expected.then(|| Invite {
                used_by: Some([key; 32]),
                ..invite.clone()
            });
            assert_eq!(
                found, expected,
                "{on:?}: code {code} key {key} at {minutes}"
            );
        };
        assert_eq!(ledger.invite(&[3; 32]).unwrap(), None);
        assert_eq!(ledger.invite(&[4; 32]).unwrap(), Some(invite.clone()));
        check(3, 1, 0, false);
        check(4, 1, 11, false);
        check(4, 1, 10, true);
        check(4, 2, 10, false);
        check(4, 1, 10, true);
        let used = ledger.invite(&[4; 32]).unwrap().unwrap();
        assert_eq!(used.used_by, Some([1; 32]), "{on:?}");
    }
}

#[test]
fn a_token_opens_a_seat_in_a_store() {
    for on in On::BOTH {
        let (_place, ledger) = empty(on);
        let token = DeviceToken {
            tenant: tenant(1).id,
            token_hash: [6; 32],
            device: tenant(1).server_device,
            name: "前台".into(),
            created_at: START,
        };
        ledger.save_token(&token).unwrap();
        let again = ledger.save_token(&token);
        assert!(matches!(again, Err(LedgerError::Taken(_))), "{on:?}");
        // The server itself stands in no store.
        assert_eq!(ledger.seat_of_token(&[6; 32]).unwrap(), None, "{on:?}");
        assert_eq!(ledger.seat_of_token(&[5; 32]).unwrap(), None, "{on:?}");
    }
}

#[tokio::test]
async fn tokens_and_deliveries_of_a_day() {
    for on in On::BOTH {
        let shop = Shop::open_on(on, 8).await;
        let till = day(&shop).await;
        let ledger = shop.server.ledger();
        let tenant = shop.seeded.tenant;
        let device = DeviceId(till.join.device);
        ledger
            .save_token(&DeviceToken {
                tenant,
                token_hash: [6; 32],
                device,
                name: "前台".into(),
                created_at: START,
            })
            .unwrap();
        let seat = ledger.seat_of_token(&[6; 32]).unwrap().unwrap();
        assert_eq!(
            (seat.tenant, seat.device, seat.store.0),
            (tenant, device, till.join.store)
        );
        assert_eq!(seat.public_key, till.key.verifying_key().to_bytes());

        let due = |at| ledger.due_events(Topic::AccountCredited, at).unwrap();
        let events = due(START);
        assert!(events.len() >= 4, "{on:?}: {}", events.len());
        let places: Vec<_> = events.iter().map(|event| event.server_seq).collect();
        assert!(places.is_sorted(), "{on:?}");
        let deliver = |event: RowId, state, tries, next| {
            let delivery = Delivery {
                state,
                tries,
                next_at: START + Millis::seconds(next),
                last_error: (tries > 0).then(|| "无法连接".to_owned()),
            };
            ledger.save_delivery(tenant, event, &delivery).unwrap();
        };
        deliver(events[0].event.id, DeliveryState::Pending, 1, 60);
        deliver(events[1].event.id, DeliveryState::Pending, 1, 60);
        deliver(events[1].event.id, DeliveryState::Acked, 2, 0);
        deliver(events[2].event.id, DeliveryState::Dead, 9, 0);
        assert_eq!(due(START).len(), events.len() - 3, "{on:?}");
        let later = due(START + Millis::seconds(60));
        assert_eq!(later.len(), events.len() - 2, "{on:?}");
        assert_eq!((later[0].event.id, later[0].tries), (events[0].event.id, 1));
        assert_eq!(later[1].tries, 0);
        // Of each subject what is left to do: what waits, and what was given up.
        let left = |event: &DueEvent| {
            let (topic, subject) = (Topic::AccountCredited, event.event.subject);
            let left = ledger.unfinished_events(tenant, topic, subject).unwrap();
            let its = |due: &DueEvent| due.event.id == event.event.id;
            left.into_iter().find(its).map(|due| due.tries)
        };
        let tries: Vec<_> = events.iter().take(4).map(left).collect();
        assert_eq!(tries, [Some(1), None, Some(9), Some(0)], "{on:?}");
        let elsewhere =
            ledger.unfinished_events(tenant, Topic::TierChanged, events[0].event.subject);
        assert!(
            elsewhere
                .unwrap()
                .iter()
                .all(|due| due.event.topic == Topic::TierChanged)
        );
    }
}

#[test]
fn a_payment_code_is_written_for_one_attempt() {
    for on in On::BOTH {
        let (_place, ledger) = empty(on);
        let of = tenant(1).id;
        let (one, other) = (AttemptId(Uuid::from_u128(5)), AttemptId(Uuid::from_u128(6)));
        let charge = |code: Option<u8>| CodeCharge {
            code: code.map(|byte| [byte; 32]),
            at: START,
        };
        ledger.save_code_charge(of, one, &charge(Some(1))).unwrap();
        let again = ledger.save_code_charge(of, other, &charge(Some(1)));
        assert!(
            matches!(again, Err(LedgerError::Taken(_))),
            "{on:?}: {again:?}"
        );
        assert_eq!(ledger.attempt_of_code(of, &[1; 32]).unwrap(), Some(one));
        // It turned out that nothing was sent: the code is free again, for either.
        ledger.save_code_charge(of, one, &charge(None)).unwrap();
        ledger.save_code_charge(of, other, &charge(None)).unwrap();
        ledger
            .save_code_charge(of, other, &charge(Some(1)))
            .unwrap();
        assert_eq!(ledger.code_charge(of, one).unwrap(), Some(charge(None)));
        assert_eq!(
            ledger.code_charge(of, other).unwrap(),
            Some(charge(Some(1))),
            "{on:?}"
        );
        assert_eq!(ledger.attempt_of_code(of, &[1; 32]).unwrap(), Some(other));
    }
}
