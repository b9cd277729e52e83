//! Rules that a manager changes at the counter.

use std::sync::Arc;

use http::StatusCode;
use qiantai_core::attempt::Channel;
use qiantai_core::brand::{Accent, Brand};
use qiantai_core::ids::StaffId;
use qiantai_core::merchant_account::MerchantAccount;
use qiantai_core::policy::{PinHash, Policy, Role, Staff};
use qiantai_core::policy_change::{PolicyChange, ReceiptWords};
use qiantai_wire::api::{RulesAnswer, RulesRequest};
use qiantai_wire::feed::{FeedChange, FeedPage};
use qiantai_wire::{ApiError, ErrorCode};
use uuid::Uuid;

use crate::harness::{On, Shop};
use crate::till::Till;

fn boss(shop: &Shop) -> StaffId {
    let mut staff = shop.policy.staff.iter();
    let boss = staff.find(|person| person.role == Role::Manager);
    boss.unwrap().id
}

fn newcomer(number: &str, role: Role) -> Staff {
    Staff {
        id: StaffId(Uuid::now_v7()),
        staff_no: number.to_owned(),
        name: "林小满".to_owned(),
        role,
        pin: PinHash {
            salt: [3; 16],
            hash: [4; 32],
        },
        active: true,
    }
}

fn receipt(address: &str) -> PolicyChange {
    PolicyChange::Receipt(ReceiptWords {
        address: address.to_owned(),
        phone: "0571-88880000".to_owned(),
        complaint_phone: "12315".to_owned(),
        refund_rule: "七日内未消费可全额退款".to_owned(),
    })
}

async fn change(
    shop: &Shop,
    till: &Till,
    manager: StaffId,
    base_version: u32,
    change: &PolicyChange,
) -> Result<RulesAnswer, ErrorCode> {
    let request = RulesRequest {
        manager: manager.0,
        base_version,
        change: change.into(),
    };
    let body = serde_json::to_vec(&request).unwrap();
    let asked = till.request("POST", "/v1/rules", body);
    let (status, answer) = shop.send(till.signed(shop, asked).await).await;
    match status {
        StatusCode::OK => Ok(serde_json::from_slice(&answer).unwrap()),
        _ => {
            let refused: ApiError = serde_json::from_slice(&answer).unwrap();
            Err(refused.error_code().unwrap())
        }
    }
}

fn newest(shop: &Shop) -> Arc<Policy> {
    let policies = shop.server.ledger().policies(shop.policy.tenant).unwrap();
    let newest = policies.into_iter().max_by_key(|policy| policy.version);
    newest.unwrap()
}

#[tokio::test]
async fn a_change_is_published_once_and_reaches_the_tills() {
    for on in On::BOTH {
        let shop = Shop::open_on(on, 1).await;
        let till = Till::open(&shop).await;
        let boss = boss(&shop);
        let page: FeedPage = till
            .call(&shop, "GET", "/v1/feed?timeline=1&after=0", Vec::new())
            .await;
        let joining = PolicyChange::Join(newcomer("1099", Role::Cashier));
        let done = change(&shop, &till, boss, 1, &joining).await.unwrap();
        assert_eq!(done.policy.version, 2);
        let again = change(&shop, &till, boss, 1, &joining).await.unwrap();
        assert_eq!(again.policy, done.policy, "asked twice, done once");
        assert_eq!(*newest(&shop), Policy::from(done.policy.clone()));

        let after = format!("/v1/feed?timeline=1&after={}", page.head);
        let page: FeedPage = till.call(&shop, "GET", &after, Vec::new()).await;
        let told = page.entries.iter().flat_map(|entry| &entry.changes);
        let told: Vec<u32> = told
            .filter_map(|change| match change {
                FeedChange::Policy(policy) => Some(policy.version),
                _ => None,
            })
            .collect();
        assert_eq!(told, [2]);

        let told = change(&shop, &till, boss, 2, &receipt("文三路 1 号")).await;
        assert_eq!(told.unwrap().policy.store.address, "文三路 1 号");
        assert_eq!(newest(&shop).staff.len(), shop.policy.staff.len() + 1);
    }
}

#[tokio::test]
async fn two_who_change_at_once_do_not_undo_each_other() {
    let shop = Shop::open(1).await;
    let till = Till::open(&shop).await;
    let boss = boss(&shop);
    let one = receipt("文三路 1 号");
    let two = PolicyChange::Join(newcomer("1099", Role::Cashier));
    let (one, two) = tokio::join!(
        change(&shop, &till, boss, 1, &one),
        change(&shop, &till, boss, 1, &two),
    );
    let refused: Vec<ErrorCode> = [one.err(), two.err()].into_iter().flatten().collect();
    assert_eq!(refused, [ErrorCode::RulesMoved]);
    assert_eq!(newest(&shop).version, 2);
}

#[tokio::test]
async fn who_may_not_and_what_does_not_fit_change_nothing() {
    let shop = Shop::open(1).await;
    let till = Till::open(&shop).await;
    let boss = boss(&shop);
    let cashier = shop.policy.staff[0].id;
    let fits = receipt("文三路 1 号");
    let check = async |by, base, what: &PolicyChange, expected| {
        let refused = change(&shop, &till, by, base, what).await.unwrap_err();
        assert_eq!(refused, expected, "{what:?}");
        assert_eq!(newest(&shop).version, 1);
    };
    check(cashier, 1, &fits, ErrorCode::NoManager).await;
    check(StaffId(Uuid::from_u128(9)), 1, &fits, ErrorCode::NoManager).await;
    check(boss, 2, &fits, ErrorCode::RulesMoved).await;
    check(boss, 0, &fits, ErrorCode::RulesMoved).await;
    let owner = PolicyChange::Join(newcomer("9001", Role::HeadOffice));
    check(boss, 1, &owner, ErrorCode::RulesUnfit).await;
    check(boss, 1, &receipt(""), ErrorCode::RulesUnfit).await;
    let none = PolicyChange::Methods(Vec::new());
    check(boss, 1, &none, ErrorCode::RulesUnfit).await;

    let sql = "SELECT count(*) FROM audit_entry WHERE act = 'rules.changed'";
    let count = || {
        shop.database()
            .query_row(sql, [], |row| row.get::<_, i64>(0))
    };
    assert_eq!(count().unwrap(), 0, "nothing was changed");
    change(&shop, &till, boss, 1, &fits).await.unwrap();
    assert_eq!(count().unwrap(), 1);
}

#[tokio::test]
async fn account_and_brand_of_the_shop_are_published_like_other_rules() {
    let shop = Shop::open(1).await;
    let till = Till::open(&shop).await;
    let boss = boss(&shop);
    let account = |merchant: &str| {
        PolicyChange::Account(Some(MerchantAccount {
            acquirer: "31127040".to_owned(),
            forwarding: "70002044".to_owned(),
            merchant: merchant.to_owned(),
            category: "7298".to_owned(),
            name: "JIANDAN SALON".to_owned(),
            city: "GUANGZHOU".to_owned(),
        }))
    };
    let wrong = change(&shop, &till, boss, 1, &account("6000")).await;
    assert_eq!(wrong.err(), Some(ErrorCode::RulesUnfit));
    assert_eq!(newest(&shop).version, 1);
    let taken = account("600000000000001");
    change(&shop, &till, boss, 1, &taken).await.unwrap();
    assert!(newest(&shop).channels.contains(&Channel::ShopCode));
    assert!(newest(&shop).merchant_account.is_some());
    let brand = Brand {
        accent: Accent::Slate,
        short_name: Some("云上".to_owned()),
    };
    let seen = PolicyChange::Brand(brand.clone());
    change(&shop, &till, boss, 2, &seen).await.unwrap();
    assert_eq!(newest(&shop).store.brand, brand);

    let sql = "SELECT subject FROM audit_entry WHERE act = 'rules.changed'";
    let database = shop.database();
    let mut told = database.prepare(sql).unwrap();
    let told = told.query_map([], |row| row.get(0)).unwrap();
    let told: Vec<String> = told.collect::<Result<_, _>>().unwrap();
    assert!(told[0].contains("merchant 600000000000001"), "{told:?}");
    assert!(told[1].contains("colour and short name"), "{told:?}");
}
