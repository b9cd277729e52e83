//! `member.create`: a terminal registers a member, and the profile travels beside it.

use qiantai_core::Money;
use qiantai_core::ids::{ActionId, MemberId};
use qiantai_core::member::MemberProfile;
use qiantai_core::operation::{MemberCreate, OperationBody};
use qiantai_wire::SignedOperation;
use qiantai_wire::api::{PushAnswer, PushedProfile};
use qiantai_wire::feed::{FeedPage, OutcomeDto};
use qiantai_wire::profile::{attachment_hash, open_profile, seal_profile};
use qiantai_wire::text::{Base64, Hex};
use uuid::Uuid;

use crate::harness::{On, Shop};
use crate::till::{Till, push_body_with};

/// A registration as a terminal makes it.
pub struct Registration {
    pub member: MemberId,
    action: ActionId,
    profile: PushedProfile,
    serial: u32,
}

impl Registration {
    pub fn of(name: &str, serial: u32) -> Registration {
        let member = MemberId(Uuid::now_v7());
        let profile = MemberProfile {
            id: member,
            name: name.to_owned(),
            phone: format!("138{serial:08}"),
            card_no: None,
            birth_month: None,
            note: None,
        };
        let key = [u8::try_from(serial).unwrap(); 32];
        let profile = PushedProfile {
            member: member.0,
            sealed: Base64(seal_profile(&profile, &key, [9; 24])),
            key: Hex(key),
        };
        Registration {
            member,
            action: ActionId(member.0),
            profile,
            serial,
        }
    }

    /// The same as if it were of `member`.
    fn taken_from(mut self, member: MemberId) -> Registration {
        let mut profile = open_profile(
            &self.profile.sealed.0,
            MemberId(self.profile.member),
            &self.profile.key.0,
        )
        .unwrap();
        profile.id = member;
        let sealed = seal_profile(&profile, &self.profile.key.0, [9; 24]);
        self.profile.sealed = Base64(sealed);
        self.profile.member = member.0;
        self.member = member;
        self
    }

    pub fn profile(&self) -> &PushedProfile {
        &self.profile
    }

    pub fn sign(&self, till: &mut Till) -> SignedOperation {
        let body = OperationBody::MemberCreate(MemberCreate {
            member: self.member,
            member_no: format!("0020101{:05}", self.serial),
        });
        let mut operation = till.operation(body, self.action);
        operation.attachment = Some(attachment_hash(&self.profile.sealed.0));
        let signed = SignedOperation::sign(&operation, &till.key);
        till.seq += 1;
        till.prev = signed.hash();
        signed
    }

    pub async fn push(
        &self,
        till: &Till,
        shop: &Shop,
        operations: &[SignedOperation],
    ) -> PushAnswer {
        let body = push_body_with(operations, vec![self.profile.clone()]);
        till.call(shop, "POST", "/v1/operations", body).await
    }
}

async fn feed(till: &Till, shop: &Shop) -> String {
    let path = "/v1/feed?timeline=1&after=0&limit=500";
    let page: FeedPage = till.call(shop, "GET", path, Vec::new()).await;
    serde_json::to_string(&page).unwrap()
}

#[tokio::test]
async fn a_new_member_pays_in_the_same_push_and_reaches_every_terminal() {
    let shop = Shop::open(1).await;
    let mut till = Till::open(&shop).await;
    let other = Till::with_key(&shop, [4; 32], "02").await;
    let new = Registration::of("赵敏", 1);
    let created = new.sign(&mut till);
    let answer = new.push(&till, &shop, std::slice::from_ref(&created)).await;
    assert_eq!(answer.results[0].outcome, OutcomeDto::Applied);
    let cash = till.cash(&shop, new.member, 300).await;
    let cash = till.sign(OperationBody::RechargeCash(cash));
    // The answer to the first push was lost: both are sent.
    let answer = new.push(&till, &shop, &[created, cash]).await;
    assert_eq!(answer.results.len(), 2);
    assert_eq!(answer.results[1].outcome, OutcomeDto::Applied);
    let tenant = shop.seeded.tenant;
    let account = shop
        .server
        .ledger()
        .account(tenant, new.member)
        .unwrap()
        .unwrap();
    assert_eq!(account.principal, Money::from_yuan(300));
    let seen = feed(&other, &shop).await;
    assert!(seen.contains("赵敏") && seen.contains("13800000001"));
    // What is stored has no personal data in it.
    let rows = shop.server.ledger().feed(tenant, 0, 500).unwrap();
    assert!(rows.iter().all(|(_, json)| !json.contains("赵敏")));
}

/// A till signs somebody else's identity: the first one keeps name and phone, whatever the order in
/// which both come.
#[tokio::test]
async fn who_is_a_member_keeps_the_profile() {
    for on in On::BOTH {
        let shop = Shop::open_on(on, 1).await;
        let mut till = Till::open(&shop).await;
        let (ledger, tenant) = (shop.server.ledger(), shop.seeded.tenant);
        let known = shop.members()[0];
        let before = ledger.profile(tenant, known).unwrap().unwrap();
        let first = Registration::of("赵敏", 1);
        let signed = [
            Registration::of("冒名", 2).taken_from(known),
            Registration::of("冒名", 3).taken_from(first.member),
        ];
        let new = first.sign(&mut till);
        first.push(&till, &shop, &[new]).await;
        let mine = ledger.profile(tenant, first.member).unwrap().unwrap();
        assert_eq!(mine.sealed, first.profile.sealed.0, "{on:?}");
        for other in &signed {
            let taken = other.sign(&mut till);
            let answer = other.push(&till, &shop, &[taken]).await;
            assert_eq!(answer.results[0].outcome, OutcomeDto::Applied, "{on:?}");
        }
        for (member, profile) in [(known, before), (first.member, mine)] {
            let now = ledger.profile(tenant, member).unwrap().unwrap();
            assert_eq!(now.sealed, profile.sealed, "{on:?}");
            assert_eq!(now.key, profile.key, "{on:?}: the key that opens it");
        }
        assert_eq!(shop.cases(), ["Unattributed"; 2], "{on:?}");
        let seen = feed(&till, &shop).await;
        assert!(seen.contains("赵敏") && !seen.contains("冒名"), "{on:?}");
    }
}

/// What was signed for must be what came, and must open: otherwise a person looks at it, and what
/// stands behind it goes on.
#[tokio::test]
async fn a_profile_that_is_not_the_signed_one_is_held() {
    let changes: [fn(&mut Registration); 4] = [
        |new| new.profile.sealed.0[30] ^= 1,
        |new| new.profile.key.0[0] ^= 1,
        |new| new.profile.member = Uuid::now_v7(),
        |new| new.profile.sealed.0.clear(),
    ];
    for change in changes {
        let shop = Shop::open(1).await;
        let mut till = Till::open(&shop).await;
        let mut new = Registration::of("赵敏", 1);
        let created = new.sign(&mut till);
        change(&mut new);
        let cash = till.cash(&shop, shop.members()[0], 300).await;
        let cash = till.sign(OperationBody::RechargeCash(cash));
        let answer = new.push(&till, &shop, &[created, cash]).await;
        let outcomes: Vec<_> = answer.results.into_iter().map(|it| it.outcome).collect();
        assert_eq!(outcomes, [OutcomeDto::Held, OutcomeDto::Applied]);
        assert!(shop.cases().iter().any(|kind| kind == "Held"));
        assert!(!feed(&till, &shop).await.contains("赵敏"));
    }
}
