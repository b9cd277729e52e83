//! What a cloned disk took is real cash: a person lets it into the books beside the first history,
//! which keeps its places.

use qiantai_core::Money;
use qiantai_core::ids::{ActionId, DeviceId, LeaseId};
use qiantai_core::operation::{NamedLease, OperationBody};
use qiantai_server::db::Archive;
use qiantai_server::quarantine::{Chosen, ReviewError, Reviewed, review, waiting};
use qiantai_server::verify::{VerifyError, replayed, verify};
use qiantai_server::writer::Verdict;
use qiantai_wire::api::{PushHalt, PushedProfile};
use qiantai_wire::feed::OutcomeDto;
use qiantai_wire::{ApiError, ErrorCode, SignedOperation};
use uuid::Uuid;

use super::verify::disarm;
use crate::harness::{On, Shop};
use crate::new_members::Registration;
use crate::replay::is_the_same_elsewhere;
use crate::till::{Till, push_body_with};

/// Hands operations over as a terminal that is not believed.
async fn hand_over(
    shop: &Shop,
    till: &Till,
    written: &[SignedOperation],
    profiles: Vec<PushedProfile>,
) {
    let body = push_body_with(written, profiles);
    let (_, answer) = shop
        .send(till.request("POST", "/v1/operations", body))
        .await;
    let error: ApiError = serde_json::from_slice(&answer).unwrap();
    assert_eq!(error.error_code(), Some(ErrorCode::DeviceQuarantined));
}

async fn say(shop: &Shop, numbers: &[u64], verdict: Verdict) -> Vec<(u64, Reviewed)> {
    say_of(shop, numbers, &[], verdict).await.unwrap()
}

async fn say_of(
    shop: &Shop,
    numbers: &[u64],
    marks: &[String],
    verdict: Verdict,
) -> Result<Vec<(u64, Reviewed)>, ReviewError> {
    let chosen = Chosen {
        store: &shop.seeded.store_code,
        terminal: "01",
        numbers,
        marks,
    };
    let ledger = shop.place.open();
    review(&shop.server, ledger.as_ref(), chosen, verdict, "王店长看过").await
}

fn verdict(shop: &Shop) -> String {
    let ledger = shop.place.open();
    let tenant = ledger.tenants().unwrap().remove(0);
    match verify(ledger.as_ref(), &tenant) {
        Ok(_) => "holds".into(),
        Err(VerifyError::Bad(bad)) => bad.to_string(),
        Err(error) => panic!("{error}"),
    }
}

fn yuan(yuan: i64) -> Money {
    Money::from_yuan(yuan)
}

#[tokio::test]
async fn what_clones_took_is_booked_beside_the_chain_once() {
    for on in On::BOTH {
        let shop = Shop::open_on(on, 4).await;
        let members = shop.members();
        let mut till = Till::open(&shop).await;
        // One that is believed all along asks for the prices, and draws the numbers.
        let mut asks = Till::with_key(&shop, [77; 32], "77").await;
        let mut price = async |member, amount| {
            OperationBody::RechargeCash(asks.cash(&shop, member, amount).await)
        };
        let before: Vec<Money> = members.iter().map(|it| shop.principal(*it)).collect();
        let (mut clone, mut third) = (till.clone(), till.clone());

        // The first history: one place is taken, and two more are not sent yet.
        let intent = ActionId(Uuid::now_v7());
        let first = price(members[0], 100).await;
        let sent = till.sign_action(first.clone(), intent);
        assert_eq!(till.push(&shop, &[sent]).await.halt, None, "{on:?}");
        let unsent = [
            till.sign(price(members[1], 10).await),
            till.sign(price(members[1], 20).await),
        ];

        // The second: another sale, a new member with cash, the intent of the first once more, a
        // lease that is given back.
        let new = Registration::of("赵敏", 7);
        let other = price(members[0], 200).await;
        let mut of_new = price(members[0], 300).await;
        if let OperationBody::RechargeCash(cash) = &mut of_new {
            cash.open.member = new.member;
        }
        let release = OperationBody::LeaseRelease(NamedLease {
            member: members[0],
            lease: LeaseId(Uuid::now_v7()),
        });
        let of_clone = [
            clone.sign(other),
            new.sign(&mut clone),
            clone.sign(of_new),
            clone.sign_action(first, intent),
            clone.sign(release),
        ];
        let body = push_body_with(&of_clone, vec![new.profile().clone()]);
        let request = clone.request("POST", "/v1/operations", body);
        let (_, answer) = shop.send(request).await;
        let answer: qiantai_wire::api::PushAnswer = serde_json::from_slice(&answer).unwrap();
        assert_eq!(
            answer.halt,
            Some(PushHalt::Fork { device_seq: 2 }),
            "{on:?}"
        );

        // A third, which counted its members on from the same number.
        let twin = Registration::of("赵敏敏", 7);
        let of_third = [
            third.sign(price(members[2], 400).await),
            twin.sign(&mut third),
        ];
        hand_over(&shop, &third, &of_third, vec![twin.profile().clone()]).await;
        hand_over(&shop, &till, &unsent, Vec::new()).await;

        let ledger = shop.place.open();
        one_of_two_is_named_by_its_mark(&shop, of_third[0].hash()).await;
        all_that_holds_is_admitted(&shop, ledger.as_ref()).await;
        let gained: Vec<Money> = members
            .iter()
            .zip(before)
            .map(|(it, before)| shop.principal(*it) - before)
            .collect();
        assert_eq!(gained, [yuan(300), yuan(30), yuan(400), yuan(0)], "{on:?}");
        assert_eq!(shop.principal(new.member), yuan(300), "{on:?}");
        let tenant = shop.seeded.tenant;
        let number_of = |member| ledger.member(tenant, member).unwrap().unwrap().member_no;
        let (one, twin_no) = (number_of(new.member), number_of(twin.member));
        assert!(twin_no.starts_with(&format!("{one}-")), "{twin_no}");

        // The first history has its places, up to its own end.
        let device = DeviceId(till.join.device);
        let (_, cursor) = ledger.device(tenant, device).unwrap().unwrap();
        assert_eq!((cursor.last_seq, cursor.last_hash), (till.seq, till.prev));
        let refused = say(&shop, &[], Verdict::Refuse).await;
        assert!(refused[0].1.is_settled(), "{on:?}: {refused:?}");
        assert_eq!(waiting(ledger.as_ref(), shop.now()).unwrap(), []);
        assert_eq!(verdict(&shop), "holds", "{on:?}");
        is_the_same_elsewhere(&shop).await;
        let books = ledger.tenants().unwrap().remove(0);
        replayed(ledger.as_ref(), &books, &std::env::temp_dir())
            .await
            .unwrap();

        // Whoever brings it once more brings nothing.
        let digest = || ledger.digest(tenant).unwrap();
        let settled = digest();
        hand_over(&shop, &clone, &of_clone, Vec::new()).await;
        hand_over(&shop, &till, &unsent, Vec::new()).await;
        assert_eq!(digest(), settled, "{on:?}");
        a_spoilt_mark_is_found(&shop);
        shop.server.stop().await;
    }
}

/// A number alone would refuse the sale of one till for the fault of the other.
async fn one_of_two_is_named_by_its_mark(shop: &Shop, hash: [u8; 32]) {
    let unclear = say_of(shop, &[2], &[], Verdict::Refuse).await;
    assert!(matches!(unclear, Err(ReviewError::Ambiguous(2))));
    let unknown = say_of(shop, &[], &["zz".to_owned()], Verdict::Refuse).await;
    assert!(matches!(unknown, Err(ReviewError::NoSuchMark(_))));
    let mark = hex::encode(hash)[..8].to_owned();
    let admitted = say_of(shop, &[], &[mark], Verdict::Admit).await.unwrap();
    assert_eq!(admitted, [(2, Reviewed::Answered(OutcomeDto::Applied))]);
}

async fn all_that_holds_is_admitted(shop: &Shop, ledger: &dyn Archive) {
    assert_eq!(waiting(ledger, shop.now()).unwrap().len(), 8);
    let applied = |number| (number, Reviewed::Answered(OutcomeDto::Applied));
    let expected = [
        applied(2),
        applied(3),
        applied(3),
        applied(3),
        applied(4),
        applied(4),
        (5, Reviewed::Answered(OutcomeDto::Exists)),
        (6, Reviewed::Forked),
    ];
    assert_eq!(say(shop, &[], Verdict::Admit).await, expected);
}

/// What is said beside the chain is said only of what was kept, and of a device that is stopped.
fn a_spoilt_mark_is_found(shop: &Shop) {
    disarm(&shop.place);
    let last = shop
        .place
        .number("SELECT max(server_seq) FROM operation WHERE other_history = 1");
    let set = |to: i64, seq: i64| {
        shop.place.execute(&format!(
            "UPDATE operation SET other_history = {to} WHERE server_seq = {seq}"
        ));
    };
    set(0, last);
    assert_ne!(verdict(shop), "holds");
    set(1, last);
    set(1, 2);
    assert!(verdict(shop).contains("was not kept before"));
    set(0, 2);
    shop.place
        .execute("UPDATE device SET standing = 'active' WHERE standing = 'quarantined'");
    assert!(verdict(shop).contains("two histories"));
}

/// Two clones may draw one number for two sales. The cash of the second is in the books all the same,
/// and a person is told.
#[tokio::test]
async fn a_number_that_both_histories_drew_keeps_no_cash_out_of_the_books() {
    let shop = Shop::open(2).await;
    let mut till = Till::open(&shop).await;
    let mut clone = till.clone();
    let member = shop.members()[0];
    let sale = till.cash(&shop, member, 100).await;
    let mut other = clone.cash(&shop, member, 200).await;
    other.open.order_no.clone_from(&sale.open.order_no);
    till.act(&shop, OperationBody::RechargeCash(sale)).await;
    let other = clone.sign(OperationBody::RechargeCash(other));
    assert!(clone.push(&shop, &[other]).await.halt.is_some());
    let (drawer, suspense) = (shop.balance("drawer"), shop.balance("suspense"));
    let admitted = say(&shop, &[], Verdict::Admit).await;
    assert_eq!(admitted, [(2, Reviewed::Answered(OutcomeDto::Applied))]);
    assert_eq!(shop.balance("drawer") - drawer, 20_000);
    assert_eq!(shop.balance("suspense") - suspense, -20_000);
    assert!(shop.cases().contains(&"Unattributed".to_owned()));
    shop.server.stop().await;
}
