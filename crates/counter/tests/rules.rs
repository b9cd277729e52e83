//! The rules of the shop as a manager changes them at the counter.

use qiantai_counter::api::CounterApi;
use qiantai_counter::view::brand::{AccentView, BrandView};
use qiantai_counter::view::first_start::{MerchantAccountView, NewPerson, ReceiptHeader};
use qiantai_counter::view::order::Approval;
use qiantai_counter::view::rules::{ChangeRules, RulesChange, ShopPerson, ShopRules};
use qiantai_counter::view::session::RoleView;
use qiantai_counter::view::top_up::ChannelView;

use crate::shop::Shop;
use crate::till::{Till, sentence};

const MANAGER: (&str, &str) = ("8001", "8888");

fn asked(rules: &ShopRules, change: RulesChange, (staff_no, pin): (&str, &str)) -> ChangeRules {
    ChangeRules {
        version: rules.version,
        change,
        approval: Some(Approval {
            staff_no: staff_no.to_owned(),
            pin: pin.to_owned(),
        }),
    }
}

fn joins(name: &str, role: RoleView, pin: &str) -> RulesChange {
    RulesChange::Join {
        person: NewPerson {
            name: name.to_owned(),
            role,
            pin: pin.to_owned(),
            again: pin.to_owned(),
        },
    }
}

fn receipt(address: &str, phone: &str) -> RulesChange {
    RulesChange::Receipt {
        receipt: ReceiptHeader {
            address: address.to_owned(),
            phone: phone.to_owned(),
            complaint_phone: "12315".to_owned(),
            refund_rule: "七日内未消费可全额退款".to_owned(),
        },
    }
}

async fn rules(till: &Till) -> ShopRules {
    till.desk.shop_rules(()).await.unwrap()
}

/// Makes a change and waits until this till has heard of it.
async fn change(till: &Till, change: RulesChange) -> ShopRules {
    let before = rules(till).await;
    let answer = till
        .desk
        .change_rules(asked(&before, change, MANAGER))
        .await;
    let answer = answer.unwrap();
    assert_eq!(answer.version, before.version + 1);
    let heard = till.until("the news of it", async || {
        (rules(till).await == answer).then_some(())
    });
    heard.await;
    answer
}

fn person<'a>(rules: &'a ShopRules, name: &str) -> &'a ShopPerson {
    let mut people = rules.people.iter();
    people.find(|person| person.name == name).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_person_signs_in_at_every_till_and_leaves_again() {
    let shop = Shop::salon().await;
    let till = Till::open(&shop).await;
    let with = change(&till, joins("林小满", RoleView::Cashier, "4713")).await;
    let joined = person(&with, "林小满").clone();
    let number = joined.staff_no.as_str();
    assert!(number.starts_with("10") && joined.active, "{joined:?}");
    till.sign_in_as(number, "4713").await.unwrap();

    let id = || joined.id.clone();
    let (pin, again) = ("5927".to_owned(), "5927".to_owned());
    change(
        &till,
        RulesChange::Pin {
            id: id(),
            pin,
            again,
        },
    )
    .await;
    let old = till.sign_in_as(number, "4713").await;
    assert_eq!(sentence(old), "error.pin_wrong");
    till.sign_in_as(number, "5927").await.unwrap();

    let role = RoleView::Manager;
    let promoted = change(&till, RulesChange::Role { id: id(), role }).await;
    assert_eq!(person(&promoted, "林小满").role, RoleView::Manager);
    // The new manager lets the old one's PIN be: and takes her own leave.
    let own = asked(&promoted, RulesChange::Leave { id: id() }, (number, "5927"));
    let left = till.desk.change_rules(own).await.unwrap();
    assert!(!person(&left, "林小满").active);
    till.until("the news of it", async || {
        let session = till.session().await;
        let gone = session.staff.iter().all(|tile| tile.staff_no != number);
        gone.then_some(())
    })
    .await;
    assert!(till.session().await.signed_in.is_none(), "nobody is here");
}

#[tokio::test(flavor = "multi_thread")]
async fn receipt_and_methods_change_with_the_next_sale() {
    let shop = Shop::salon().await;
    let till = Till::open(&shop).await;
    let member = till.zhang_wei().await;
    let told = change(&till, receipt("新街 8 号", "021-6488 0088")).await;
    assert_eq!(told.receipt.address, "新街 8 号");
    let order = till.cash(&member, "300").await;
    let slip = till
        .desk
        .receipt(crate::till::key(&order.id))
        .await
        .unwrap();
    let text = format!("{slip:?}");
    assert!(
        text.contains("新街 8 号") && text.contains("021-6488 0088"),
        "{text}"
    );

    let methods = vec![ChannelView::Cash, ChannelView::Wechat];
    let of = RulesChange::Methods {
        methods: methods.clone(),
    };
    assert_eq!(change(&till, of).await.methods, methods);
}

fn account(merchant: &str) -> MerchantAccountView {
    MerchantAccountView {
        acquirer: "3112 7040".to_owned(),
        forwarding: "70002044".to_owned(),
        merchant: merchant.to_owned(),
        category: "7298".to_owned(),
        name: "JIANDAN SALON".to_owned(),
        city: "GUANGZHOU".to_owned(),
    }
}

fn pays_into(merchant_account: Option<MerchantAccountView>) -> RulesChange {
    RulesChange::Account { merchant_account }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_shops_code_comes_changes_and_goes_with_its_account() {
    let shop = Shop::salon().await;
    let till = Till::open(&shop).await;
    let first = account("600000000000001");
    let with = change(&till, pays_into(Some(first))).await;
    assert_eq!(with.methods.last(), Some(&ChannelView::ShopCode));
    let kept = with.merchant_account.unwrap();
    assert_eq!(kept.acquirer, "31127040");
    let second = account("600000000000002");
    let moved = change(&till, pays_into(Some(second))).await;
    assert_eq!(moved.merchant_account.unwrap().merchant, "600000000000002");
    assert_eq!(moved.methods, with.methods);
    let without = change(&till, pays_into(None)).await;
    assert_eq!(without.merchant_account, None);
    assert!(!without.methods.contains(&ChannelView::ShopCode));
}

#[tokio::test(flavor = "multi_thread")]
async fn colour_and_short_name_are_the_shops_at_every_till() {
    let shop = Shop::salon().await;
    let till = Till::open(&shop).await;
    let brand = BrandView {
        accent: AccentView::Ochre,
        short_name: Some("简单".to_owned()),
    };
    let of = RulesChange::Brand {
        brand: brand.clone(),
    };
    assert_eq!(change(&till, of).await.brand, brand);
    assert_eq!(till.session().await.brand, brand);
    let none = BrandView {
        short_name: Some("  ".to_owned()),
        ..brand
    };
    let back = change(&till, RulesChange::Brand { brand: none }).await;
    assert_eq!(back.brand.short_name, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_may_not_be_is_refused_and_changes_nothing() {
    let shop = Shop::salon().await;
    let till = Till::open(&shop).await;
    let before = rules(&till).await;
    let boss = || person(&before, &name_of(&before, MANAGER.0)).id.clone();
    let check = async |change: RulesChange, by, expected: &str| {
        let refused = till.desk.change_rules(asked(&before, change, by)).await;
        assert_eq!(sentence(refused), expected);
        assert_eq!(rules(&till).await, before, "{expected}");
    };
    let fits = || receipt("新街 8 号", "12315");
    check(fits(), ("1001", "1234"), "error.approver_no_manager").await;
    check(fits(), ("7777", "1234"), "error.approver_unknown").await;
    check(fits(), (MANAGER.0, "0000"), "error.pin_wrong").await;
    check(receipt("", "12315"), MANAGER, "error.set_up_empty").await;
    check(receipt("新街", "来电"), MANAGER, "error.set_up_phone").await;
    let weak = joins("林小满", RoleView::Cashier, "1111");
    check(weak, MANAGER, "error.set_up_pin_weak").await;
    let auditor = joins("林小满", RoleView::Auditor, "4713");
    check(auditor, MANAGER, "error.set_up_role").await;
    let namesake = joins(&before.people[0].name, RoleView::Cashier, "4713");
    check(namesake, MANAGER, "error.set_up_same_name").await;
    let none = RulesChange::Methods {
        methods: Vec::new(),
    };
    check(none, MANAGER, "error.set_up_no_method").await;
    let short = pays_into(Some(account("6000")));
    check(short, MANAGER, "error.set_up_places").await;
    let brand = BrandView {
        accent: AccentView::Teal,
        short_name: Some("简单美发造型护理养生会所店".to_owned()),
    };
    let long = RulesChange::Brand { brand };
    check(long, MANAGER, "error.set_up_short_name_too_long").await;
    let last = RulesChange::Leave { id: boss() };
    check(last, MANAGER, "error.set_up_no_manager").await;

    let unapproved = ChangeRules {
        approval: None,
        ..asked(&before, fits(), MANAGER)
    };
    let looked_at = till.desk.change_rules(unapproved).await;
    assert_eq!(sentence(looked_at), "error.rules_need_manager");
    let stale = ShopRules {
        version: before.version + 1,
        ..before.clone()
    };
    let refused = till.desk.change_rules(asked(&stale, fits(), MANAGER)).await;
    assert_eq!(sentence(refused), "error.rules_moved");
    till.cut(&shop).await;
    check(fits(), MANAGER, "error.rules_offline").await;
}

fn name_of(rules: &ShopRules, staff_no: &str) -> String {
    let mut people = rules.people.iter();
    let found = people.find(|person| person.staff_no == staff_no);
    found.unwrap().name.clone()
}
