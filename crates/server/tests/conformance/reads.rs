//! Every named read and every load gives the same on both databases, after the same log was
//! written through the writer.

use std::fmt::Debug;
use std::sync::Arc;

use qiantai_core::Millis;
use qiantai_core::ids::MemberId;
use qiantai_core::ledger::Topic;
use qiantai_server::db::{Keys, Ledger, LogRow};
use qiantai_server::replay::replay;
use qiantai_server::{Channels, Clock, Server};

use super::day::day;
use crate::harness::{On, Place, START, Shop, Time};

#[tokio::test]
async fn equal_logs_give_equal_books() {
    for on in On::BOTH {
        let shop = Shop::open_on(on, 30).await;
        day(&shop).await;
        let tenant = shop.seeded.tenant;
        let source = shop.server.ledger();
        for to in On::BOTH {
            let place = Place::make(to);
            let copy = copy(&shop, &place).await;
            assert_eq!(
                source.digest(tenant).unwrap(),
                copy.ledger().digest(tenant).unwrap(),
                "{on:?} to {to:?}"
            );
            compare_reads(&shop, source.as_ref(), copy.ledger().as_ref());
            compare_loads(&shop, source.as_ref(), copy.ledger().as_ref());
            place.execute("UPDATE account SET points = points + 1");
            assert_ne!(
                source.digest(tenant).unwrap(),
                copy.ledger().digest(tenant).unwrap()
            );
            copy.stop().await;
        }
    }
}

async fn copy(shop: &Shop, place: &Place) -> Server {
    let clock: Arc<dyn Clock> = Arc::<Time>::clone(&shop.time);
    let copy = Server::on_ledger(place.open(), clock, Channels::default()).unwrap();
    replay(shop.server.ledger().as_ref(), shop.seeded.tenant, &copy)
        .await
        .unwrap();
    copy
}

fn compare_reads(shop: &Shop, one: &dyn Ledger, other: &dyn Ledger) {
    let (tenant, store) = (shop.seeded.tenant, shop.policy.store.id);
    let log = one.log(tenant, 0, u32::MAX).unwrap();
    let since = START - Millis::days(9);
    let orders = one.orders_since(tenant, store, since).unwrap();
    let members = shop.members();
    let same = |what: &str, read: &dyn Fn(&dyn Ledger) -> String| {
        assert_eq!(read(one), read(other), "{what}");
    };
    same("tenants", &|it| {
        let tenants = it.tenants().unwrap();
        shown(
            tenants
                .iter()
                .map(|row| (row.id, row.name.clone(), row.signing_seed.clone())),
        )
    });
    same("head", &|it| shown([it.head(tenant)]));
    same("devices", &|it| shown([it.devices(tenant)]));
    same("store", &|it| {
        shown([it.store_of_code("00201"), it.store_of_code("99999")])
    });
    same("policies", &|it| shown([it.policies(tenant)]));
    same("feed", &|it| {
        shown([it.feed(tenant, 3, 50), it.feed(tenant, 0, 0)])
    });
    same("log", &|it| {
        shown([it.log(tenant, 3, 5), it.log(tenant, 0, u32::MAX)])
    });
    same("member page", &|it| {
        let mut pages = Vec::new();
        let mut after = None;
        loop {
            let page = it.member_page(tenant, after, 7).unwrap();
            let Some(last) = page.last() else { break };
            after = Some(last.member.id);
            pages.push(format!("{page:?}"));
        }
        shown(pages)
    });
    same("count", &|it| shown([it.member_count(tenant)]));
    same("cases", &|it| {
        shown([it.cases(tenant, 3), it.cases(tenant, 1_000)])
    });
    same("held", &|it| shown([it.held_count()]));
    same("shifts", &|it| shown([it.open_shifts(tenant)]));
    same("coupons", &|it| {
        shown([it.usable_coupons(tenant, &members)])
    });
    for hours in [0, 1, 24, 48] {
        let at = START + Millis::hours(hours);
        same("overdue", &|it| shown([it.overdue_orders(at)]));
        same("watched", &|it| shown([it.watched_attempts(at)]));
        same("orders since", &|it| {
            shown([it.orders_since(tenant, store, at)])
        });
        // Nothing carries these topics yet; what was carried does not follow the log.
        same("due", &|it| {
            shown(
                [Topic::TierChanged, Topic::AccountCredited].map(|topic| it.due_events(topic, at)),
            )
        });
    }
    for row in &log {
        same("row", &|it| shown([it.log_row(tenant, row.server_seq)]));
        same("device", &|it| shown([it.device(tenant, row.device)]));
        same("document", &|it| {
            shown([it.policy_document(tenant, &row.hash)])
        });
    }
    for order in &orders {
        same("order", &|it| shown([it.order(tenant, order.id)]));
        same("settlement", &|it| {
            shown([it.settlement_of(tenant, order.id)])
        });
        same("attempts", &|it| {
            shown([it.attempts_of_order(tenant, order.id)])
        });
        for attempt in one.attempts_of_order(tenant, order.id).unwrap() {
            same("attempt", &|it| shown([it.attempt(tenant, attempt.id)]));
            same("number", &|it| {
                shown([it.attempt_of_number(&attempt.attempt_no)])
            });
        }
    }
    for &member in members.iter().chain([&MemberId(uuid::Uuid::nil())]) {
        same("member", &|it| shown([it.member(tenant, member)]));
        same("account", &|it| shown([it.account(tenant, member)]));
        let recent = |it: &dyn Ledger| shown([it.recent_orders(tenant, member, START)]);
        same("recent", &recent);
        same("profile", &|it| {
            let profile = it.profile(tenant, member).unwrap();
            shown(profile.map(|profile| (profile.sealed, profile.key)))
        });
    }
    assert!(
        orders.len() > 5 && log.len() > 40,
        "a poor day compares little"
    );
}

fn shown<T: Debug>(answers: impl IntoIterator<Item = T>) -> String {
    answers
        .into_iter()
        .map(|answer| format!("{answer:?}\n"))
        .collect()
}

/// Batches of one operation, of a few, and of all.
fn compare_loads(shop: &Shop, one: &dyn Ledger, other: &dyn Ledger) {
    let tenant = shop.seeded.tenant;
    let log = one.log(tenant, 0, u32::MAX).unwrap();
    for size in [1, 7, log.len()] {
        for rows in log.chunks(size) {
            let keys = keys_of(one, shop, rows);
            let (mut first, mut second) = (
                one.load(tenant, &keys).unwrap(),
                other.load(tenant, &keys).unwrap(),
            );
            for state in [&mut first.state, &mut second.state] {
                state.recent_orders.sort_by_key(|order| order.order);
            }
            assert_eq!(first.head, second.head);
            assert_eq!(first.state, second.state);
            assert_eq!(first.cursors, second.cursors);
            assert_eq!(first.seen, second.seen);
            assert_eq!(first.seen.len(), rows.len());
            assert_eq!(
                format!("{:?}", first.policies.len()),
                format!("{:?}", second.policies.len())
            );
        }
    }
}

fn keys_of(ledger: &dyn Ledger, shop: &Shop, rows: &[LogRow]) -> Keys {
    let (tenant, store) = (shop.seeded.tenant, shop.policy.store.id);
    let mut keys = Keys {
        now: START,
        ..Keys::default()
    };
    let orders = ledger
        .orders_since(tenant, store, START - Millis::days(9))
        .unwrap();
    for row in rows {
        keys.devices.insert(row.device);
        keys.actions.insert(row.action_id);
        // Some are looked for by their place, some by their hash, some by both; what is quarantined has
        // no place, another operation may.
        let is_quarantined = matches!(row.standing, qiantai_server::db::Standing::Quarantined(_));
        if row.server_seq % 3 > 0 && !is_quarantined {
            keys.sequences
                .insert((row.device, row.epoch, row.device_seq));
        }
        if row.server_seq % 3 < 2 || is_quarantined {
            keys.hashes.insert(row.hash);
        }
        let Some(order) = orders.get(usize::try_from(row.server_seq).unwrap() % orders.len())
        else {
            continue;
        };
        match row.server_seq % 5 {
            0 => drop(keys.orders.insert(order.id)),
            1 => drop(keys.order_numbers.insert(order.order_no.clone())),
            2 => drop(keys.members.insert(order.member)),
            3 => drop(keys.shifts.insert(order.shift)),
            _ => {
                for attempt in ledger.attempts_of_order(tenant, order.id).unwrap() {
                    if row.server_seq % 2 == 0 {
                        keys.attempts.insert(attempt.id);
                    } else {
                        keys.attempt_numbers.insert(attempt.attempt_no);
                    }
                }
            }
        }
    }
    keys
}

#[tokio::test]
async fn money_that_was_given_back_counts_no_more() {
    for on in On::BOTH {
        let shop = Shop::open_on(on, 8).await;
        let mut till = crate::till::Till::open(&shop).await;
        let member = shop.members()[0];
        let cash = till.cash(&shop, member, 500).await;
        till.act(
            &shop,
            qiantai_core::operation::OperationBody::RechargeCash(cash),
        )
        .await;
        let check = |state: &str, alive: bool| {
            shop.place
                .execute(&format!("UPDATE recharge_order SET state = '{state}'"));
            let ledger = shop.server.ledger();
            let since = shop.now() - Millis::days(1);
            let recent = ledger.recent_orders(shop.seeded.tenant, member, since);
            let recent = recent.unwrap();
            assert_eq!(recent.len(), 1);
            assert_eq!(recent[0].alive, alive, "{on:?} {state}");
        };
        check("credited", true);
        check("partially_refunded", true);
        check("refunded", false);
        check("voided", false);
        check("closed", false);
    }
}
