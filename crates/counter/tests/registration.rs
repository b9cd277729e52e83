//! Somebody becomes a member at the counter, with and without the server.

use qiantai_counter::api::CounterApi;
use qiantai_counter::error::CallError;
use qiantai_counter::view::code::{Scan, ScanReading};
use qiantai_counter::view::member::MemberView;
use qiantai_counter::view::new_member::{NewMember, NewMemberCheck};
use qiantai_counter::view::queue::SyncState;

use crate::line::Weather;
use crate::shop::Shop;
use crate::till::{Till, sentence};

async fn typed(till: &Till, name: &str, phone: &str) -> NewMember {
    NewMember {
        intent: till.desk.new_member_form(()).await.unwrap().intent,
        name: name.to_owned(),
        phone: phone.to_owned(),
        card_no: String::new(),
    }
}

async fn check(till: &Till, typed: &NewMember) -> NewMemberCheck {
    till.desk.check_new_member(typed.clone()).await.unwrap()
}

async fn create(till: &Till, typed: &NewMember) -> Result<MemberView, CallError> {
    till.desk.create_member(typed.clone()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_member_is_found_at_once_and_may_pay() {
    let shop = Shop::salon().await;
    let till = Till::open(&shop).await;
    let new = typed(&till, " 赵敏 ", "138 0000 1111").await;
    assert!(check(&till, &new).await.ready);
    let member = create(&till, &new).await.unwrap();
    assert_eq!(
        (
            member.name.as_str(),
            member.phone.as_str(),
            member.available_fen.0
        ),
        ("赵敏", "138****1111", 0)
    );
    assert_eq!(member.member_no, "002010100001");
    assert!(member.active);
    for text in [
        "13800001111",
        "1111",
        "赵敏",
        "zm",
        "zhaomin",
        "002010100001",
    ] {
        let hits = till.search(text).await;
        assert!(hits.iter().any(|hit| hit.id == member.id), "{text}");
    }
    let order = till.cash(&member.id, "300").await;
    till.until_confirmed(&order.id).await;
    till.until_synced().await;
    assert_eq!(shop.credits(&member.id).len(), 1);
    let after = till.member(&member.id).await;
    assert_eq!(after.provisional_fen.0, 0);
    assert_eq!(after.principal_fen.0, 30_000);
    assert_eq!(
        till.search("赵敏").await.len(),
        1,
        "one line, own row and server's"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_server_too_and_a_crash_loses_nobody() {
    let shop = Shop::salon().await;
    let till = Till::open(&shop).await;
    till.line.set(Weather::Cut);
    till.until_pill(SyncState::Offline).await;
    let new = typed(&till, "赵敏", "13800001111").await;
    let member = create(&till, &new).await.unwrap();
    till.cash(&member.id, "300").await;
    let view = till.member(&member.id).await;
    assert_eq!(view.provisional_fen.0, view.available_fen.0);
    assert!(view.available_fen.0 >= 30_000);
    till.crash().await;

    let till = Till::reopen(&shop, Weather::Cut).await;
    assert_eq!(till.find("13800001111").await, member.id);
    let again = create(&till, &new).await.unwrap();
    assert_eq!(
        (again.id, again.member_no),
        (member.id.clone(), member.member_no)
    );
    till.mend(&shop).await;
    till.until("the server's word", async || {
        let view = till.member(&member.id).await;
        (view.provisional_fen.0 == 0).then_some(())
    })
    .await;
    assert_eq!(shop.credits(&member.id).len(), 1);
    assert_eq!(till.find("13800001111").await, member.id);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_belongs_to_one_member() {
    let shop = Shop::salon().await;
    let till = Till::open(&shop).await;
    let zhang_wei = till.zhang_wei().await;
    let mut new = typed(&till, "张伟", "+86 138-1234-5678").await;
    let found = check(&till, &new).await;
    assert!(!found.ready);
    assert_eq!(found.registered.len(), 1);
    assert_eq!(found.registered[0].id, zhang_wei);
    assert_eq!(found.registered[0].phone, "138****5678");
    assert_eq!(found.namesakes.len(), 2, "the others of that name");
    assert_eq!(
        sentence(create(&till, &new).await),
        "error.phone_registered"
    );

    new.phone = "13800001111".to_owned();
    new.card_no = "00201-9000001".to_owned();
    assert_eq!(check(&till, &new).await.registered[0].id, zhang_wei);
    assert_eq!(sentence(create(&till, &new).await), "error.card_registered");

    new.card_no = String::new();
    let namesake = check(&till, &new).await;
    assert!(namesake.ready, "a name may be shared");
    assert_eq!(namesake.namesakes.len(), 3);
}

/// Six members whose phone ends in the card's digits come before it in every search.
#[tokio::test(flavor = "multi_thread")]
async fn a_card_belongs_to_one_member_whoever_has_such_a_number_too() {
    let shop = Shop::salon().await;
    let till = Till::open(&shop).await;
    for (place, card) in [(1, "4321"), (2, "2024-0001234")] {
        let mut first = typed(&till, "赵敏", &format!("1380000000{place}")).await;
        first.card_no = card.to_owned();
        create(&till, &first).await.unwrap();
    }
    for place in 1..=6 {
        let other = typed(&till, "赵敏", &format!("138000{place}4321")).await;
        create(&till, &other).await.unwrap();
    }
    for card in ["4321", "2024-0001234"] {
        let mut second = typed(&till, "钱芳", "13900000009").await;
        second.card_no = card.to_owned();
        let found = check(&till, &second).await;
        assert_eq!(found.registered.len(), 1, "{card}");
        assert!(!found.ready, "{card}");
        let refused = sentence(create(&till, &second).await);
        assert_eq!(refused, "error.card_registered", "{card}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_card_that_would_be_charged_is_given_to_nobody() {
    let shop = Shop::salon().await;
    let till = Till::open(&shop).await;
    for card in [
        "134567890123456789",
        "2876543210987654",
        "6212345678901234567",
    ] {
        let mut new = typed(&till, "赵敏", "13800001111").await;
        new.card_no = card.to_owned();
        let found = check(&till, &new).await;
        assert_eq!(found.card_no.as_deref(), Some("error.card_payment_code"));
        assert!(!found.ready);
        let refused = sentence(create(&till, &new).await);
        assert_eq!(refused, "error.card_payment_code");
    }
}

/// As many digits as a payment code has, of no channel: whose card it is goes before whose code.
#[tokio::test(flavor = "multi_thread")]
async fn a_long_card_is_looked_for_and_charges_nobody() {
    const CARD: &str = "9876543210987654";
    let shop = Shop::salon().await;
    let till = Till::open(&shop).await;
    let scan = async || {
        let scan = Scan {
            text: CARD.to_owned(),
        };
        till.desk.read_scan(scan).await.unwrap()
    };
    assert_eq!(scan().await, ScanReading::PaymentCode { channel: None });
    let mut new = typed(&till, "赵敏", "13800001111").await;
    new.card_no = CARD.to_owned();
    let member = create(&till, &new).await.unwrap();
    assert_eq!(scan().await, ScanReading::Other);
    let hits = till.scan(CARD).await;
    assert_eq!(hits.len(), 1);
    assert_eq!(hits[0].id, member.id);
    assert_eq!(till.scan(&CARD[..15]).await, []);
    assert_eq!(till.scan("1111").await, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_is_said_next_to_its_field() {
    let shop = Shop::salon().await;
    let till = Till::open(&shop).await;
    let long = "迪".repeat(41);
    for (name, phone, name_key, phone_key, begun) in [
        ("", "", Some("name_empty"), Some("phone_empty"), true),
        ("赵敏", "138", None, Some("phone_too_short"), true),
        ("赵敏", "138000011112", None, Some("phone_too_long"), false),
        ("赵敏", "02012345678", None, Some("phone_not_mobile"), false),
        ("赵敏😀", "13800001111", Some("name_emoji"), None, false),
        (&long, "13800001111", Some("name_too_long"), None, false),
        (
            "赵\u{202E}敏",
            "13800001111",
            Some("name_invisible"),
            None,
            false,
        ),
        ("محمد علي", "13800001111", None, None, false),
    ] {
        let new = typed(&till, name, phone).await;
        let found = check(&till, &new).await;
        let key = |key: Option<&str>| key.map(|key| format!("error.{key}"));
        assert_eq!(
            (found.name, found.phone),
            (key(name_key), key(phone_key)),
            "{name} {phone}"
        );
        assert_eq!(found.phone_begun, begun, "{phone}");
        assert_eq!(found.ready, name_key.is_none() && phone_key.is_none());
        assert_eq!(create(&till, &new).await.is_ok(), found.ready);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn numbers_are_given_once() {
    let shop = Shop::salon().await;
    let till = Till::open(&shop).await;
    for (serial, phone) in (1..).zip(["13800000001", "13800000002", "13800000003"]) {
        let new = typed(&till, "赵敏", phone).await;
        let member = create(&till, &new).await.unwrap();
        assert_eq!(member.member_no, format!("0020101{serial:05}"));
        let again = create(&till, &new).await.unwrap();
        assert_eq!(again.member_no, member.member_no);
    }
    till.until_synced().await;
    let device = till.device().await;
    assert_eq!(shop.taken_from(device), 4, "the shift and three members");
}
