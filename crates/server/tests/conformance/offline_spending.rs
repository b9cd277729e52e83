//! Leases: stored value that single tills spend without asking, and what becomes of it on both
//! databases.

use std::sync::Arc;

use http::StatusCode;
use qiantai_core::account::Account;
use qiantai_core::ids::{LeaseId, MemberId};
use qiantai_core::operation::{LeaseDraw, NamedLease, OperationBody, SpendOffline};
use qiantai_core::{Millis, Money};
use qiantai_server::leases::{self, LostError};
use qiantai_server::replay::replay;
use qiantai_server::verify::verify;
use qiantai_server::writer::OwnOperation;
use qiantai_server::{Channels, Clock, Server};
use qiantai_wire::SignedOperation;
use qiantai_wire::api::{LEASE_MEMBERS_LIMIT, LeaseDto, LeasesAnswer, LeasesRequest};
use qiantai_wire::codes::RefusalCodeDto;
use qiantai_wire::feed::OutcomeDto;
use qiantai_wire::operation::{Kind, decode};
use uuid::Uuid;

use crate::harness::{On, Place, Shop};
use crate::till::Till;

async fn ask(shop: &Shop, till: &Till, members: &[MemberId]) -> Vec<LeaseDto> {
    let members = members.iter().map(|member| member.0).collect();
    let body = serde_json::to_vec(&LeasesRequest { members }).unwrap();
    let answer: LeasesAnswer = till.call(shop, "POST", "/v1/leases", body).await;
    answer.leases
}

/// A payment of `fen` that draws on these leases.
pub fn payment(member: MemberId, fen: i64, draws: &[(Uuid, i64)]) -> OperationBody {
    let draw = |(lease, fen): &(Uuid, i64)| LeaseDraw {
        lease: LeaseId(*lease),
        amount: Money::from_fen(*fen),
    };
    OperationBody::SpendOffline(SpendOffline {
        member,
        amount: Money::from_fen(fen),
        draws: draws.iter().map(draw).collect(),
        approval: None,
    })
}

fn account(shop: &Shop, member: MemberId) -> Account {
    let account = shop.server.ledger().account(shop.seeded.tenant, member);
    account.unwrap().unwrap()
}

/// Balance, held of it, debt; in fen.
pub fn stands(shop: &Shop, member: MemberId) -> [i64; 3] {
    let account = account(shop, member);
    let held = account.frozen_principal + account.frozen_bonus;
    [account.principal + account.bonus, held, account.debt].map(Money::fen)
}

/// The books hold, and their log makes them again, the same to the last row.
pub async fn assert_whole(shop: &Shop, on: On) {
    let ledger = shop.place.open();
    let tenant = ledger.tenants().unwrap().remove(0);
    let found = verify(ledger.as_ref(), &tenant);
    assert!(found.is_ok(), "{on:?}: {found:?}");
    let elsewhere = Place::make(On::Sqlite);
    let clock = Arc::clone(&shop.time) as Arc<dyn Clock>;
    let again = Server::on_ledger(elsewhere.open(), clock, Channels::default()).unwrap();
    replay(ledger.as_ref(), tenant.id, &again).await.unwrap();
    let [was, is] = [ledger.digest(tenant.id), again.ledger().digest(tenant.id)];
    assert_eq!(was.unwrap(), is.unwrap(), "{on:?}");
    again.stop().await;
}

/// A member with 1000 yuan of this day's, and what is there besides.
pub async fn funded(shop: &Shop, till: &mut Till) -> MemberId {
    let member = shop.members()[0];
    let cash = till.cash(shop, member, 1_000).await;
    let taken = till.act(shop, OperationBody::RechargeCash(cash)).await;
    assert_eq!(taken.outcome, OutcomeDto::Applied);
    member
}

/// Of a request that was carried twice both ask in the same instant, and both have the same word.
#[tokio::test]
async fn a_word_that_is_said_twice_is_done_once_and_never_named_twice() {
    for on in On::BOTH {
        let shop = Shop::open_on(on, 2).await;
        let mut till = Till::open(&shop).await;
        let member = funded(&shop, &mut till).await;
        let lease = ask(&shop, &till, &[member]).await.remove(0);
        let before = stands(&shop, member);
        let (_, word) = decode(&lease.operation.0).unwrap();
        let again = OwnOperation {
            op_id: word.op_id,
            action_id: word.action_id,
            store: word.store,
            staff: None,
            body: word.body,
            attachment: None,
        };
        let tenant = shop.seeded.tenant;
        let said = shop.server.say(tenant, vec![again.clone(), again]).await;
        let outcomes: Vec<_> = said.unwrap().into_iter().map(|said| said.outcome).collect();
        assert_eq!(outcomes, [OutcomeDto::Exists, OutcomeDto::Exists], "{on:?}");
        assert_eq!(stands(&shop, member), before, "{on:?}");

        let ledger = shop.server.ledger();
        let head = ledger.head(tenant).unwrap().server_seq;
        let rows = (1..=head).map(|seq| ledger.log_row(tenant, seq).unwrap().unwrap());
        let mut names: Vec<_> = rows.map(|row| row.op_id).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(
            names.len() as u64,
            head,
            "{on:?}: an operation is there twice"
        );
        assert_whole(&shop, on).await;
    }
}

#[tokio::test]
async fn a_lease_is_granted_spent_renewed_and_released() {
    for on in On::BOTH {
        let mut shop = Shop::open_on(on, 2).await;
        let mut till = Till::open(&shop).await;
        let member = funded(&shop, &mut till).await;
        let [balance, ..] = stands(&shop, member);
        let leased = ask(&shop, &till, &[member]).await;
        let [lease] = leased.as_slice() else {
            panic!("{on:?}: {leased:?}");
        };
        assert_eq!((lease.member, lease.left_fen), (member.0, 30_000));
        assert_eq!(stands(&shop, member), [balance, 30_000, 0], "{on:?}");
        // The server's word for it, which the till keeps.
        let (header, word) = decode(&lease.operation.0).unwrap();
        assert_eq!(
            (header.op_id.0, Kind::of(&word.body)),
            (lease.lease, Kind::LeaseGrant)
        );
        let OperationBody::LeaseGrant(grant) = word.body else {
            unreachable!("its kind says so");
        };
        assert_eq!(grant.device.0, till.join.device);
        let signed = SignedOperation::from(lease.operation.0.clone());
        let tenant = shop.server.ledger().tenants().unwrap().remove(0);
        signed
            .verify(&tenant.signing_key().verifying_key())
            .unwrap();
        // Asked again, it is the same lease.
        assert_eq!(ask(&shop, &till, &[member]).await, leased, "{on:?}");
        // Two payments of an offline day in one push: one draws on what the other left.
        let spend = [
            till.sign(payment(member, 12_000, &[(lease.lease, 12_000)])),
            till.sign(payment(member, 8_000, &[(lease.lease, 8_000)])),
        ];
        let answer = till.push(&shop, &spend).await;
        let all_applied =
            |result: &qiantai_wire::api::OpResultDto| result.outcome == OutcomeDto::Applied;
        assert!(answer.results.iter().all(all_applied), "{on:?}: {answer:?}");
        assert_eq!(
            stands(&shop, member),
            [balance - 20_000, 10_000, 0],
            "{on:?}"
        );
        // A push that was not answered posts once.
        till.push(&shop, &spend).await;
        assert_eq!(
            stands(&shop, member),
            [balance - 20_000, 10_000, 0],
            "{on:?}"
        );
        shop.restart().await;
        let renewed = ask(&shop, &till, &[member]).await;
        let left: Vec<i64> = renewed.iter().map(|lease| lease.left_fen).collect();
        let target = ((balance - 20_000) * 3 / 10).min(30_000);
        assert_eq!(left, [10_000, target - 10_000], "{on:?}");
        assert_eq!(renewed[0].lease, lease.lease, "the oldest first");
        let named = |lease: &LeaseDto| {
            OperationBody::LeaseRelease(NamedLease {
                lease: LeaseId(lease.lease),
                member,
            })
        };
        for lease in &renewed {
            till.act(&shop, named(lease)).await;
        }
        assert_eq!(stands(&shop, member), [balance - 20_000, 0, 0], "{on:?}");
        assert!(shop.cases().is_empty(), "{on:?}: {:?}", shop.cases());
        // Drawn after its release: paid all the same, and told.
        till.act(&shop, payment(member, 500, &[(renewed[1].lease, 500)]))
            .await;
        assert_eq!(stands(&shop, member), [balance - 20_500, 0, 0], "{on:?}");
        assert_eq!(shop.cases(), ["LeaseExceeded"], "{on:?}");
        assert_whole(&shop, on).await;
    }
}

#[tokio::test]
async fn only_its_own_release_gives_a_lease_back() {
    for on in On::BOTH {
        let mut shop = Shop::open_on(on, 1).await;
        let mut till = Till::open(&shop).await;
        let mut other = Till::with_key(&shop, [9; 32], "09").await;
        let member = funded(&shop, &mut till).await;
        let [balance, ..] = stands(&shop, member);
        let lease = ask(&shop, &till, &[member]).await.remove(0);
        // Years in which nobody hears of the till, and a restart.
        shop.time.advance(Millis::days(800));
        shop.restart().await;
        assert_eq!(stands(&shop, member), [balance, 30_000, 0], "{on:?}");
        // All that is available is taken at another till: not a fen of the lease is among it.
        other
            .act(&shop, payment(member, balance - 30_000, &[]))
            .await;
        assert_eq!(stands(&shop, member), [30_000, 30_000, 0], "{on:?}");
        // Somebody else's word for it, and the till's own that has not arrived.
        let named = OperationBody::LeaseRelease(NamedLease {
            lease: LeaseId(lease.lease),
            member,
        });
        other.act(&shop, named.clone()).await;
        let spent = till.sign(payment(member, 12_000, &[(lease.lease, 12_000)]));
        let release = till.sign(named);
        assert_eq!(stands(&shop, member), [30_000, 30_000, 0], "{on:?}");
        till.push(&shop, &[spent]).await;
        assert_eq!(stands(&shop, member), [18_000, 18_000, 0], "{on:?}");
        for _ in 0..2 {
            till.push(&shop, std::slice::from_ref(&release)).await;
            assert_eq!(stands(&shop, member), [18_000, 0, 0], "{on:?}");
        }
        assert_eq!(shop.cases(), ["LimitPassed"], "{on:?}");
        assert_whole(&shop, on).await;
    }
}

#[tokio::test]
async fn the_rule_says_who_gets_a_lease() {
    for on in On::BOTH {
        let shop = Shop::open_on(on, 3).await;
        let mut till = Till::open(&shop).await;
        let member = funded(&shop, &mut till).await;
        let stranger = MemberId(Uuid::now_v7());
        assert_eq!(ask(&shop, &till, &[stranger]).await, [], "{on:?}");
        // Not for whom nobody has seen for a season.
        shop.time.advance(Millis::days(91));
        assert_eq!(ask(&shop, &till, &[member]).await, [], "{on:?}");
        let cash = till.cash(&shop, member, 200).await;
        till.act(&shop, OperationBody::RechargeCash(cash)).await;
        shop.place.execute("UPDATE member SET status = 'frozen'");
        assert_eq!(ask(&shop, &till, &[member]).await, [], "{on:?}");
        shop.place.execute("UPDATE member SET status = 'active'");
        assert_eq!(ask(&shop, &till, &[member]).await.len(), 1, "{on:?}");
        // A terminal cannot lease itself anything.
        let leased = ask(&shop, &till, &[member]).await;
        let (_, word) = decode(&leased[0].operation.0).unwrap();
        let answer = till.act(&shop, word.body).await;
        let OutcomeDto::Refused(refusal) = answer.outcome else {
            panic!("{on:?}: {answer:?}");
        };
        assert_eq!(refusal.reason, RefusalCodeDto::ServerOnly, "{on:?}");
        let members = vec![member.0; LEASE_MEMBERS_LIMIT + 1];
        let body = serde_json::to_vec(&LeasesRequest { members }).unwrap();
        let (status, _) = shop.send(till.request("POST", "/v1/leases", body)).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{on:?}");
    }
}

#[tokio::test]
async fn eight_offline_tills_spend_one_member_and_never_too_much() {
    for on in On::BOTH {
        let shop = Shop::open_on(on, 1).await;
        let mut tills = Vec::new();
        for number in 1..=8_u8 {
            let code = format!("{number:02}");
            tills.push(Till::with_key(&shop, [number; 32], &code).await);
        }
        let member = funded(&shop, &mut tills[0]).await;
        let [balance, ..] = stands(&shop, member);
        let mut queues = Vec::new();
        let mut spent = 0;
        for till in &mut tills {
            let leases = ask(&shop, till, &[member]).await;
            let mut queue = Vec::new();
            // Offline from here on: everything that it holds, in three payments.
            for lease in leases {
                spent += lease.left_fen;
                let third = lease.left_fen / 3;
                for fen in [third, third, lease.left_fen - 2 * third] {
                    if fen > 0 {
                        queue.push(till.sign(payment(member, fen, &[(lease.lease, fen)])));
                    }
                }
            }
            queues.push(queue);
        }
        let [_, held, _] = stands(&shop, member);
        assert_eq!(held, spent, "{on:?}: what tills hold is frozen");
        assert!(spent <= balance, "{on:?}");
        // They come back one payment at a time, the last till first.
        while queues.iter().any(|queue| !queue.is_empty()) {
            for (till, queue) in tills.iter().zip(&mut queues).rev() {
                if !queue.is_empty() {
                    let next = queue.remove(0);
                    till.push(&shop, &[next]).await;
                }
            }
        }
        assert_eq!(stands(&shop, member), [balance - spent, 0, 0], "{on:?}");
        assert!(shop.cases().is_empty(), "{on:?}: {:?}", shop.cases());
        // Then one of them spends far more than is there.
        let [left, ..] = stands(&shop, member);
        tills[3]
            .act(&shop, payment(member, left + 1_000, &[]))
            .await;
        assert_eq!(stands(&shop, member), [0, 0, 1_000], "{on:?}");
        let mut cases = shop.cases();
        cases.sort();
        assert_eq!(cases, ["LimitPassed", "Overdrawn"], "{on:?}");
        assert_whole(&shop, on).await;
    }
}

#[tokio::test]
async fn what_a_lost_till_held_is_the_members_again_and_told_as_exposure() {
    for on in On::BOTH {
        let mut shop = Shop::open_on(on, 1).await;
        let mut till = Till::open(&shop).await;
        let member = funded(&shop, &mut till).await;
        let [balance, ..] = stands(&shop, member);
        let lease = ask(&shop, &till, &[member]).await.remove(0);
        let unsent = till.sign(payment(member, 12_000, &[(lease.lease, 12_000)]));
        let ledger = shop.place.open();
        let told = leases::exposure(ledger.as_ref(), shop.now()).unwrap();
        assert_eq!((told.held_fen, told.lost_fen), (30_000, 0), "{on:?}");
        let store = shop.policy.store.code.clone();
        let at = (store.as_str(), "77");
        let nobody = leases::declare_lost(&shop.server, ledger.as_ref(), at, "fire");
        assert!(
            matches!(nobody.await, Err(LostError::Unknown { .. })),
            "{on:?}"
        );
        let code = till.join.terminal_code.clone();
        for expected in [(1, Money::from_yuan(300)), (0, Money::ZERO)] {
            let at = (store.as_str(), code.as_str());
            let lost = leases::declare_lost(&shop.server, ledger.as_ref(), at, "fire").await;
            assert_eq!(lost.unwrap(), expected, "{on:?}");
        }
        assert_eq!(stands(&shop, member), [balance, 0, 0], "{on:?}");
        let told = leases::exposure(ledger.as_ref(), shop.now()).unwrap();
        assert_eq!((told.held_fen, told.lost_fen), (0, 30_000), "{on:?}");
        let tenant = shop.seeded.tenant;
        let entries = ledger.audit_page(tenant, 0, 100).unwrap();
        let entry = entries.last().unwrap();
        let said = format!("store {store} terminal {code}: 1 leases of 300.00: fire");
        assert_eq!(entry.deed.subject, said, "{on:?}");
        // Another till may lease the money now. Then the first turns up after all.
        let mut other = Till::with_key(&shop, [9; 32], "09").await;
        let second = ask(&shop, &other, &[member]).await.remove(0);
        till.push(&shop, &[unsent]).await;
        assert_eq!(
            stands(&shop, member),
            [balance - 12_000, 30_000, 0],
            "{on:?}"
        );
        let told = leases::exposure(ledger.as_ref(), shop.now()).unwrap();
        assert_eq!((told.held_fen, told.lost_fen), (30_000, 18_000), "{on:?}");
        assert!(shop.cases().is_empty(), "{on:?}: {:?}", shop.cases());
        let spent = payment(member, 30_000, &[(second.lease, 30_000)]);
        other.act(&shop, spent).await;
        assert_eq!(stands(&shop, member), [balance - 42_000, 0, 0], "{on:?}");
        drop(ledger);
        shop.restart().await;
        assert_whole(&shop, on).await;
    }
}
